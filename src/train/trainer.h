/* Training and evaluation from a config. */
#ifndef FOCI_TRAIN_TRAINER_H
#define FOCI_TRAIN_TRAINER_H

#include <signal.h>
#include <stdio.h>

#include "config/config.h"
#include "task/task.h"

typedef struct foci_progress {
    int64_t step, steps, epoch, epochs; /* updates made and planned; epochs completed and planned */
    double loss, lr, items_per_s, eta;  /* mean loss since the last report; seconds left */
    double mfu;                         /* FLOP/s of forward and backward passes, as a share of the processor's peak */
    double data_wait;                   /* share of the time that steps waited for their batches, likewise */
    const char *items;                  /* "images", "tokens" */
} foci_progress;

typedef struct foci_train_options {
    const char *out;     /* run folder */
    const char *command; /* for env.json */
    const char *init;    /* weights to start from, or NULL */
    bool resume, force;
    const volatile sig_atomic_t *stop; /* not 0: finish the step or leave the evaluation, save, return
                                          FOCI_INTERRUPTED */
    volatile sig_atomic_t *save;       /* not 0: finish the step, save, go on; it is set to 0 again */
    void (*progress)(void *context, const foci_progress *p); /* after each update; may be NULL */
    void (*evaluating)(void *context, int64_t done, int64_t count); /* images, or windows of text; may be NULL */
    void *context;
} foci_train_options;

foci_status foci_train(const foci_config *config, const foci_train_options *options);

/* Parameters by module, FLOPs per item, planned bytes, data: what `--dry-run` prints. */
foci_status foci_train_plan(const foci_config *config, FILE *out);

/* Scores the weights in a file. */
foci_status foci_evaluate(const foci_config *config, const char *weights, const foci_evaluation *evaluation, const foci_watch *watch,
                          foci_score *score);

#endif
