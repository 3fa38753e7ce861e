/* A training at work: what the files trainer_*.c share. */
#ifndef FOCI_TRAIN_TRAINER_WORK_H
#define FOCI_TRAIN_TRAINER_WORK_H

#include "models/models.h"
#include "train/state.h"
#include "run/folder.h"
#include "train/programs.h"
#include "train/schedule.h"
#include "train/trainer.h"

typedef struct foci_trainer {
    const foci_config *config;
    foci_training train; /* what it says about training */
    const foci_train_options *options;
    const foci_watch *watch; /* of evaluations */
    const foci_model *model;
    const foci_task *task;
    foci_task_state *data;
    foci_training_programs programs;
    foci_optimizer optimizer;
    foci_real *ema; /* flat as the parameters; NULL without train.ema_decay */
    foci_schedule schedule;
    foci_run_folder folder;
    foci_run_state state;

    int64_t micro;                       /* samples of one pass */
    int64_t updates_per_epoch, steps;    /* updates in all */
    int64_t saved;                       /* the step of the last checkpoint */
    double saved_at;                     /* clock */
    int rollbacks, in_a_row;             /* since training got on; updates left out one after another */
    bool updated;                        /* since the last checkpoint */
    bool lost;                           /* something could not be written */
    double loss_sum, grad_norm, lr;      /* since the last line of metrics */
    double data_wait;                    /* seconds that steps waited for their batches, likewise */
    int64_t losses, items;
    double peak, gflop_per_item;         /* peak: GFLOP/s of the processor, where progress is reported */
    double started, interval;            /* clock: of this sitting, of the last line */
} foci_trainer;

/* ---- trainer_open.c: what a config asks for */

/* The data, and the model planned for them. */
foci_status foci_trainer_open(foci_trainer *t);
foci_optimizer_options foci_trainer_optimizer(const foci_training *train);
foci_schedule foci_trainer_schedule(const foci_trainer *t);
const char *foci_trainer_dtype(const foci_trainer *t);
void foci_trainer_close(foci_trainer *t);

/* ---- trainer.c: time, and what cannot be written */

double foci_trainer_elapsed(const foci_trainer *t); /* seconds of training, over all sittings */
void foci_trainer_interval(foci_trainer *t);        /* a line of metrics begins */
foci_status foci_trainer_lose(foci_trainer *t, foci_status s); /* an I/O error: training goes on without what could not be written */

/* ---- trainer_evaluate.c: the weights, and their average, on the validation data; the best ones are kept */

foci_status foci_trainer_evaluate(foci_trainer *t);

#endif
