/* What is good of a classifier: sums over a batch, and what became of one sample. */
#ifndef FOCI_TASK_CLASSES_H
#define FOCI_TASK_CLASSES_H

#include "core/program.h"
#include "task/score.h"
#include "task/task.h"

/* Adds the outputs `loss` and `logits` of a program that has run: loss, top1, with `top5` that too, and the number of
 * samples as the metric `counted`. */
foci_status foci_classes_score(foci_score *score, const foci_program *p, const int32_t *labels, int64_t count,
                               int64_t classes, bool top5, const char *counted);
/* The class with the largest logit, the lowest where several are. */
int64_t foci_classes_best(const foci_real *logits, int64_t classes);
/* After a softmax. */
double foci_classes_probability(const foci_real *logits, int64_t classes, int32_t label);

#endif
