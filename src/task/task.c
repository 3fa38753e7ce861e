#include "task/task.h"

const foci_task_kind *const foci_task_kinds[] = {&foci_task_images, &foci_task_text, NULL};

const foci_task_kind *foci_task_kind_of(foci_task task) { return task == FOCI_TASK_TEXT ? &foci_task_text : &foci_task_images; }
