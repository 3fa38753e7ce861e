/* What the training loop asks of a task, images or text: how many updates an epoch has, the inputs of each, and an
 * evaluation, which is a score of the task's metrics. */
#ifndef FOCI_TASK_TASK_H
#define FOCI_TASK_TASK_H

#include "base/watch.h"
#include "core/program.h"
#include "task/data_sets.h"
#include "task/score.h"

typedef struct foci_task_state foci_task_state;

typedef struct foci_task_kind {
    const char *item, *items; /* "image", "images" */
    const char *metric;       /* by which weights are better or worse than others: those of the best score are kept */
    bool walks;               /* evaluates windows, disjoint or sliding */
    const char *feeds;        /* what a step feeds where the data do not ask for more: "images labels" */
    const char *counted;      /* the input that has an element for every item: "labels" */
    /* Opens the data that `config` names: the training split too where `train` is set. */
    foci_status (*open)(foci_task_state **state, const foci_config *config, bool train);
    void (*close)(foci_task_state *state);
    int64_t (*classes)(const foci_task_state *state); /* labels or words */
    void (*describe)(const foci_task_state *state, char *text, size_t size); /* counts, for people */

    /* Training. An epoch has `updates` steps; step i has shape i of `shapes` (0, or 1 for a shorter last window). */
    int64_t (*updates)(const foci_task_state *state);
    int (*shapes)(const foci_task_state *state);
    int (*shape_of)(const foci_task_state *state, int64_t update);
    /* Fills in what is asked of the model for this shape: what is fed, classes, tokens. */
    void (*prepare)(const foci_task_state *state, int shape, foci_request *r);
    foci_status (*seek)(foci_task_state *state, int64_t epoch, int64_t update);
    /* Loads the next step's batch; `feed` feeds a program rows first .. of it. */
    foci_status (*next)(foci_task_state *state, int64_t epoch, int64_t update);
    foci_status (*feed)(const foci_task_state *state, foci_program *p, int64_t first);
    int64_t (*items_in)(const foci_task_state *state, int64_t update); /* images or tokens of a step */
    foci_status (*sheet)(const foci_task_state *state, foci_image *image); /* draws the batch at hand; NULL: nothing to see */

    foci_status (*evaluate)(foci_task_state *state, const foci_model *model, foci_parameters *p, const char *split,
                            bool sliding, const foci_watch *watch, foci_score *score);
} foci_task_kind;

/* Items of a pass of the program. */
static inline int64_t foci_task_items(const foci_task_kind *task, const foci_program *p) {
    return foci_numel(foci_program_find(p, task->counted));
}

const foci_task_kind *foci_task_kind_of(foci_task task);
extern const foci_task_kind foci_task_images, foci_task_text;
extern const foci_task_kind *const foci_task_kinds[]; /* all, ended by NULL */

#endif
