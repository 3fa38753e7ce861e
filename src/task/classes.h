/* Evaluation of a classifier: its loss, top-1 and top-5 over the exact number of samples, in whole batches and a
 * smaller rest, and what became of each. */
#ifndef FOCI_TASK_CLASSES_H
#define FOCI_TASK_CLASSES_H

#include "core/program.h"
#include "task/task.h"

/* The batch at hand. */
typedef struct foci_labelled {
    int64_t count; /* 0: there is none left */
    const int32_t *labels;
    const int64_t *index; /* numbers of the samples */
    int64_t tokens;       /* of a row; 0 where all have one length */
} foci_labelled;

/* What is evaluated; `of` is what all functions get. */
typedef struct foci_labelled_source {
    int64_t count, batch, classes; /* samples; those of a whole batch */
    int64_t vocabulary;            /* as in foci_request */
    const char *feeds, *counted;   /* as in foci_request; the metric that is the number of samples */
    bool top5;
    foci_status (*seek)(void *of, int64_t batch); /* which `next` is to give then */
    foci_status (*next)(void *of, foci_labelled *batch);
    foci_status (*feed)(const void *of, foci_program *p); /* the batch at hand */
    void (*name)(const void *of, int64_t index, char *text, size_t size);
    const char *(*class_name)(const void *of, int label);
    void *of;
} foci_labelled_source;

foci_status foci_classes_evaluate(const foci_labelled_source *source, const foci_config *config,
                                  const foci_model *model, foci_parameters *p, const foci_evaluation *how,
                                  const foci_watch *watch, foci_score *score);

#endif
