/* A training at work: what the files trainer_*.c share. Each may use what stands below it here:
 *
 *     trainer.c            the loop
 *     trainer_open.c       what comes before it
 *     trainer_data.c       what the run knows of its data
 *     trainer_extend.c     a run that gets another length
 *     trainer_evaluate.c   scores along the way
 *     trainer_update.c     the update of a step
 *     trainer_write.c      progress, lines of metrics, summaries, checkpoints
 *     trainer_hands.c      several processes: whether they would train the same
 *     trainer_vote.c       what they agree about at every step
 *     trainer_spread.c     what goes from process 0 to all, and back to it */
#ifndef FOCI_TRAIN_TRAINER_WORK_H
#define FOCI_TRAIN_TRAINER_WORK_H

#include "models/models.h"
#include "run/folder.h"
#include "run/record.h"
#include "train/pace.h"
#include "train/policy.h"
#include "train/programs.h"
#include "train/schedule.h"
#include "train/state.h"
#include "train/step.h"
#include "train/teacher.h"
#include "train/trainer.h"

/* What one who watches wants after this step; of several processes, what any of them was asked for. */
typedef struct foci_asked {
    bool stop, save;
    bool late; /* by train.checkpoint_minutes; process 0 has the clock */
} foci_asked;

/* One of several processes. */
typedef struct foci_peer {
    char machine[64];
    double seconds; /* of gradients since the last line of metrics */
} foci_peer;

typedef struct foci_trainer {
    /* what is asked for */
    const foci_config *config;
    const foci_train_options *options;
    const foci_watch *watch; /* of evaluations */
    foci_group *group;       /* of processes that train together; NULL: one alone */
    foci_training train;     /* what the config says about training */
    foci_schedule schedule;
    int64_t micro;                    /* samples of one pass */
    int64_t updates_per_epoch, steps; /* updates in all */

    /* what learns, from what */
    const foci_model *model;
    const foci_task *task;
    foci_task_state *data;
    foci_training_programs programs;
    foci_teacher teacher;
    char feeds[256]; /* what a step feeds, where that is more than the task says */
    foci_optimizer optimizer;
    foci_step_shards shards; /* where train.shards is above 1 */
    double *losses;          /* of the parts of a step */
    foci_carry carry;        /* from window to window, where the model carries anything */
    foci_real *ema;          /* flat as the parameters; NULL without train.ema_decay */
    foci_meaning meaning;    /* of the weights */
    foci_manifest files;     /* that the data are made of */

    /* how far it is */
    foci_run_state state;
    foci_policy policy;
    foci_asked asked;
    foci_peer *peer; /* all processes; NULL: one */
    int named;       /* the one last called slow, or -1 */
    foci_pace pace;
    foci_run_folder folder;
    double peak, gflop_per_item; /* peak: GFLOP/s of the processor, where progress is reported */
    bool lost;                   /* something could not be written */
    bool unsound;                /* a figure of the last evaluation is no number */
} foci_trainer;

/* ---- trainer_open.c */

/* The data, and the model planned for them. */
foci_status foci_trainer_open(foci_trainer *t);
/* Memory and weights; the folder; what an earlier sitting left; and what log.txt begins with. */
foci_status foci_trainer_start(foci_trainer *t);
const char *foci_trainer_dtype(const foci_trainer *t);
int foci_trainer_moments(const foci_trainer *t);     /* of the optimiser, each as large as the parameters */
int foci_trainer_arrays(const foci_trainer *t);      /* they and the average */
double foci_trainer_room_for(const foci_trainer *t); /* in memory, such arrays: they and the sums of shards */
void foci_trainer_close(foci_trainer *t);

/* ---- trainer_data.c: what the run knows of its data */

/* Looks at them, before anything is written; all that is cheap to read is read. */
foci_status foci_trainer_know(foci_trainer *t);
/* The weights of --init, whose outputs have names of their own; `from` says what was made of them. */
foci_status foci_trainer_init(foci_trainer *t, char *from, size_t size);
/* Are they those that the run was begun with? */
foci_status foci_trainer_compare(foci_trainer *t);
/* Into the folder: data.txt, and the names of the outputs. */
foci_status foci_trainer_keep(const foci_trainer *t);

/* ---- trainer_extend.c: of a run whose state is loaded */

foci_status foci_trainer_check_extension(const foci_trainer *t);
/* In log.txt, and as a line of metrics.jsonl. */
foci_status foci_trainer_note_extension(foci_trainer *t);

/* ---- trainer_evaluate.c: the weights, and their average, on the validation data; the best ones are kept */

foci_status foci_trainer_evaluate(foci_trainer *t);

/* ---- trainer_update.c */

/* Of the gradients that stand in the parameters; or none, where the loss or they forbid it. */
foci_status foci_trainer_update(foci_trainer *t, const foci_step *step, double loss);
/* At the end: FOCI_ERR_DIVERGED where more updates were left out than made, or the last weights score no number. */
foci_status foci_trainer_bears(const foci_trainer *t);

/* ---- trainer_write.c */

void foci_trainer_expect(foci_trainer *t);      /* what progress is measured by */
void foci_trainer_progress(foci_trainer *t);    /* a step is over */
foci_status foci_trainer_line(foci_trainer *t); /* of metrics.jsonl, of the steps since the last one */
/* metrics.csv and summary.json, from metrics.jsonl. */
foci_status foci_trainer_summarise(foci_trainer *t, foci_run_status status, const char *message);
foci_status foci_trainer_conclude(foci_trainer *t); /* the best score, for people */
/* `counted`: a checkpoint as the config asks for them, not one for safety's sake. */
foci_status foci_trainer_save(foci_trainer *t, bool counted, bool last);
/* Before the first step: is there room for a checkpoint beside the last one? */
foci_status foci_trainer_room(const foci_trainer *t);
double foci_trainer_elapsed(const foci_trainer *t); /* seconds of training, over all sittings */
/* an I/O error: training goes on without what could not be written */
foci_status foci_trainer_lose(foci_trainer *t, foci_status s);

/* ---- Of several processes. In one, nothing is asked, and statuses are what they are. */

/* ---- trainer_hands.c */

/* Before the first step: FOCI_ERR_CONFIG where they would not train the same. */
foci_status foci_trainer_shake_hands(foci_trainer *t);

/* ---- trainer_vote.c */

/* The failure of one is everybody's. Wherever one alone may fail, all pass here before they go on. */
foci_status foci_trainer_all(const foci_trainer *t, foci_status s);
/* After the gradients of a step, which failed or not: does anybody want to stop, and what is the loss of the batch? */
foci_status foci_trainer_vote(foci_trainer *t, const foci_step *step, foci_status status, double seconds, double *loss);
/* Of one process: what is asked for after a step. */
void foci_trainer_look_at_flags(foci_trainer *t);
void foci_trainer_name_slow(foci_trainer *t);

/* ---- trainer_spread.c */

/* What process 0 has read goes to all: weights, moments, averages; and all that a run has come to. */
void foci_trainer_spread_weights(foci_trainer *t);
void foci_trainer_spread_state(foci_trainer *t);
/* Before a checkpoint: all have the same weights, and process 0 gets what only others have. */
foci_status foci_trainer_gather(foci_trainer *t);

#endif
