/* What a run leaves on disk, beside its checkpoints: config.yaml (resolved), env.json, metrics.jsonl, log.txt, and
 * event files for TensorBoard where they are wanted. */
#ifndef FOCI_RUN_FOLDER_H
#define FOCI_RUN_FOLDER_H

#include <stdio.h>

#include "config/config.h"
#include "task/task.h"
#include "run/tensorboard.h"

enum { FOCI_METRICS_LINE = 1 << 16 }; /* bytes of a line of metrics.jsonl; foci writes some hundred */

typedef struct foci_run_folder {
    char path[4096];
    FILE *metrics, *log;
    foci_events *events; /* NULL without train.tensorboard */
    bool pictured;
    int lock;     /* held while this is open; the kernel lets go of it when the process ends, however it ends */
    bool earlier; /* it held a run before */
    size_t stood; /* of the path, the bytes that were there before */
} foci_run_folder;

/* ---- folder_open.c */

/* Makes the folder and opens its files; what an interrupted write left behind is removed. One that another process
 * writes into is refused, one with files of these names that no run wrote, and one that already holds a run unless
 * `resume` is set (then foci_run_folder_rewind drops the lines of metrics.jsonl beyond `step`, written after the
 * checkpoint that is resumed) or `force`, which removes the files of that run and no others. */
foci_status foci_run_folder_open(foci_run_folder *r, const char *path, bool resume, bool force);
/* Where nothing came of the run: a folder that held none is as it was before. The files may still be open. */
void foci_run_folder_give_back(foci_run_folder *r);

/* ---- folder.c */

foci_status foci_run_folder_append(const foci_run_folder *r, const char *name, FILE **file); /* by whole lines */
bool foci_run_folder_locked(const char *path); /* somebody writes into it */
/* Keeps the lines of metrics.jsonl up to `step`, its own scores only where it was `evaluated`. */
foci_status foci_run_folder_rewind(foci_run_folder *r, int64_t step, bool evaluated);
foci_status foci_run_folder_describe(const foci_run_folder *r, const foci_config *config, const char *command);
void foci_run_folder_close(foci_run_folder *r);

/* One line of log.txt, and of the log. */
void foci_run_log(foci_run_folder *r, const char *fmt, ...) FOCI_PRINTF(2, 3);

/* One line of metrics.jsonl, `step` in it. */
foci_status foci_run_metrics(foci_run_folder *r, const foci_report *line);

/* The same lines go to an event file from here on, after those of `step`. */
foci_status foci_run_events(foci_run_folder *r, int64_t step);
/* The batch that `data` has at hand goes to the event file, the first time only. A failure is logged and nothing else.
 */
void foci_run_picture(foci_run_folder *r, int64_t step, const foci_task *task, const foci_task_state *data);

#endif
