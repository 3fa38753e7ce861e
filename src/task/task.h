/* Tasks: what a batch is, how it is fed, and what is good. A task is one file and one line in list.h (CONTRIBUTING.md
 * has one in full). Models and data sets name their task; whoever trains, evaluates, times or looks into a model asks
 * its descriptor and knows no task itself. */
#ifndef FOCI_TASK_TASK_H
#define FOCI_TASK_TASK_H

#include "base/group.h"
#include "base/ledger.h"
#include "base/watch.h"
#include "core/program.h"
#include "data/manifest.h"
#include "task/data_sets.h"
#include "task/meaning.h"
#include "task/predict.h"
#include "task/score.h"

typedef struct foci_task_state foci_task_state; /* open data; each task has its own */

/* What became of one sample. */
typedef struct foci_prediction {
    const char *name, *label, *predicted; /* "cat/1.png", "cat", "dog" */
    int32_t class;                        /* the label's number */
    int64_t rank;                         /* of the label: how many classes come before it */
    double probability;                   /* likewise */
} foci_prediction;

/* What became of one class of pixels. */
typedef struct foci_class_score {
    const char *name;
    int64_t pixels;       /* that have the label */
    double iou, accuracy; /* in percent; no number where there is no such pixel */
} foci_class_score;

/* An image in place of another, before it is scored: corrupted, new; number: of the image. */
typedef struct foci_shifting {
    foci_status (*shift)(void *context, int64_t number, const foci_image *image, foci_image *out);
    void *context;
} foci_shifting;

/* What is scored: a split, which every task calls "val" where it is for choosing weights, and settings of the task's
 * own, "walk=sliding". */
typedef struct foci_evaluation {
    const char *split;
    const char *const *set;
    int sets;
    void (*predicted)(void *context, const foci_prediction *p); /* told of every sample, in order; NULL: nobody is */
    void *context;
    void (*class_scored)(void *context, const foci_class_score *c); /* likewise of every class, in the end */
    const foci_shifting *shifting; /* the images are changed so; NULL: they are as they are */
    foci_group *group;             /* of processes that share the work, all of which get the score; NULL: one alone */
    foci_ledger *ledger;           /* gets the sums so far, and has those to go on from; NULL: none */
} foci_evaluation;

/* The test at the end of a training that asks for one (train.test_at_end). */
typedef struct foci_task_test {
    foci_evaluation evaluation;
    const char *how, *what; /* for log.txt: "sliding windows", "the test text" */
} foci_task_test;

/* Samples of the validation data, evenly spread over it, for whoever looks into a model without scoring it. */
typedef struct foci_task_samples {
    const char *items;    /* "images", "windows" */
    const char *input;    /* what they are fed as: "images", "ids" */
    int64_t few, at_once; /* so many are looked at, and run at once, unless somebody asks for others */
    foci_status (*count)(const foci_task_state *state, int64_t *count); /* that there are */
    /* Samples first .. first + n - 1 of `count` spread over all, without gaps, as the input takes them. */
    foci_status (*read)(const foci_task_state *state, int64_t count, int64_t first, int64_t n, void *out);
    /* of images, for who shows them; NULL: they are none */
    const foci_transform *(*transform)(const foci_task_state *state);
} foci_task_samples;

typedef struct foci_task {
    const char *name, *summary; /* by the name it is known to models and data sets */
    const char *item, *items;   /* "image", "images" */
    const char *metric;         /* by which weights are better or worse than others: those of the best score are kept */
    const char *feeds;          /* what a step feeds where the data do not ask for more: "images labels" */
    const char *counted;        /* the input that has an element for every item: "labels" */
    bool counts_rows;           /* a row, in place of an element */
    const char *labels; /* what the names of its outputs are called: "classes", "vocabulary"; NULL: they have none */
    const char
        *words; /* likewise the words of its inputs, where its data name them: "vocabulary"; NULL: they never do */
    bool keeps_labels;       /* a training from other weights has their names: a vocabulary is as good for other text */
    const char *classes_key; /* where no data tells how many classes there are, a key of the config does, */
    int64_t classes_else;    /* or there are so many */
    const foci_key *settings;         /* of an evaluation, bound to a struct of the task's own; NULL: none */
    const foci_task_test *test;       /* NULL: no training ends with one */
    bool predicts;                    /* its samples have classes, and an evaluation tells of each */
    bool scores_classes;              /* an evaluation tells of every class, and images can be shifted */
    const char *sums;                 /* columns of the file from which an evaluation goes on; NULL: it cannot */
    const foci_task_samples *samples; /* NULL: there are none */
    const foci_predictor *predictor;  /* NULL: of samples without labels it says nothing */

    size_t size; /* of its state */
    /* Opens the splits (FOCI_TRAIN | ...) of the data that `config` names, into a state of zeros; what is in it is
     * closed after a failure too. Whoever wants data calls foci_task_open_data. */
    foci_status (*open)(foci_task_state *state, const foci_config *config, unsigned splits);
    void (*close)(foci_task_state *state);
    int64_t (*classes)(const foci_task_state *state);                        /* labels or words */
    void (*describe)(const foci_task_state *state, char *text, size_t size); /* counts, for people */
    /* Adds what weights trained on these data mean: the names under `labels`, and how inputs are prepared. */
    foci_status (*mean)(const foci_task_state *state, foci_meaning *m);
    /* Reads what an evaluation will need, as far as that is cheap: a file that cannot be read is better known before
     * the first step than after an epoch. NULL: what is open can be read. */
    foci_status (*check)(const foci_task_state *state);
    /* Adds the files of the splits that are open, which live as long as the state. */
    foci_status (*list)(const foci_task_state *state, foci_manifest *m);

    /* Training. An epoch has `updates` steps, each of one of `shapes` shapes, 0 the largest: a shorter last window is
     * another, and so is every length that a batch may have. */
    int64_t (*updates)(const foci_task_state *state);
    int (*shapes)(const foci_task_state *state);                   /* NULL: 1 */
    int (*shape_of)(const foci_task_state *state, int64_t update); /* of the step that `next` loaded; NULL: 0 */
    /* Fills in what is asked of the model for this shape: what is fed, classes, tokens. */
    void (*prepare)(const foci_task_state *state, int shape, foci_request *r);
    /* Before the first step: of every batch only rows first .. end - 1 will be fed, the others are those of the group's
     * other processes. NULL: all are made ready. */
    void (*share)(foci_task_state *state, foci_group *group, int64_t first, int64_t end);
    foci_status (*seek)(foci_task_state *state, int64_t epoch, int64_t update);
    /* Loads the next step's batch; `feed` feeds a program rows first .. of it. */
    foci_status (*next)(foci_task_state *state, int64_t epoch, int64_t update);
    foci_status (*feed)(const foci_task_state *state, foci_program *p, int64_t first);
    /* Is nothing of the steps before carried on to this one (core/carry.h)? NULL: it always is. */
    bool (*begins)(const foci_task_state *state);
    int64_t (*items_in)(const foci_task_state *state, int64_t update); /* images or tokens of a step */
    /* draws the batch at hand; NULL: nothing to see */
    foci_status (*sheet)(const foci_task_state *state, foci_image *image);

    /* Adds the scores of a split's parts; settings: the task's struct, filled, or NULL where it has none. */
    foci_status (*evaluate)(foci_task_state *state, const foci_model *model, foci_parameters *p,
                            const foci_evaluation *e, const void *settings, const foci_watch *watch, foci_score *score);
} foci_task;

#define FOCI_TASK(name) extern const foci_task foci_task_##name;
#include "task/list.h"
#undef FOCI_TASK

extern const foci_task *const foci_tasks[]; /* all, ended by NULL */
const foci_task *foci_task_find(const char *name);
const foci_task *foci_task_of(const foci_model *model);

/* Model and task of a config. FOCI_ERR_CONFIG where its data is for another task. */
foci_status foci_task_open(const foci_config *config, const foci_model **model, const foci_task **task);
/* The same for whoever can do with one task alone, and says for what: "images to attack". */
foci_status foci_task_wanted(const foci_config *config, const foci_task *task, const char *what,
                             const foci_model **model);

/* The splits of the data that a config names; *state is NULL after a failure, and may be when it is closed. */
foci_status foci_task_open_data(const foci_task *task, foci_task_state **state, const foci_config *config,
                                unsigned splits);
void foci_task_close_data(const foci_task *task, foci_task_state *state);

/* Which files these splits of a config's data are made of, in one line (foci_manifest_digest). */
foci_status foci_task_fingerprint(const foci_config *config, unsigned splits, char *text, size_t size);

/* Scores a split from nothing on. FOCI_ERR_CONFIG for settings that the task does not have. */
foci_status foci_task_evaluate(const foci_task *task, foci_task_state *state, const foci_model *model,
                               foci_parameters *p, const foci_evaluation *evaluation, const foci_watch *watch,
                               foci_score *score);

int foci_task_shapes(const foci_task *task, const foci_task_state *state);
int foci_task_shape_of(const foci_task *task, const foci_task_state *state, int64_t update);
/* Items of a pass of the program. */
int64_t foci_task_items(const foci_task *task, const foci_program *p);

#endif
