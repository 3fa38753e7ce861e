/* What a trained model makes of samples that nobody has labelled: photographs, or lines of text. A task that can has a
 * foci_predictor; `foci predict` collects the samples, hands them over, and prints the reports that come back. */
#ifndef FOCI_TASK_PREDICT_H
#define FOCI_TASK_PREDICT_H

#include "base/report.h"
#include "base/watch.h"
#include "core/parameters.h"
#include "images/images.h"
#include "task/meaning.h"

/* A sample: a file, or a line. */
typedef struct foci_unlabelled {
    const char *text;   /* the file's path, or the line */
    const char *beside; /* of files: where what belongs to it goes below `out`, without its ending: "street/3" */
} foci_unlabelled;

typedef struct foci_predict_options {
    int64_t top;     /* classes to report */
    const char *out; /* a folder for pictures; NULL: none are wanted */
} foci_predict_options;

typedef struct foci_predicting {
    const foci_config *config;
    const foci_model *model;
    foci_parameters *parameters;
    const foci_labels *labels; /* of all classes */
    const foci_unlabelled *sample;
    int64_t count;
    const foci_predict_options *options;
    const foci_watch *watch;
    /* Told of every sample, in order; the report is the caller's to free. One that cannot be read has an "error". */
    foci_status (*take)(void *context, int64_t i, const foci_report *one);
    void *context;
} foci_predicting;

typedef struct foci_predictor {
    bool lines;    /* samples are lines of text, else files */
    bool pictures; /* it has some to write */
    foci_status (*run)(const foci_predicting *p);
    /* What people see of a report, a line or more. */
    void (*print)(const foci_report *one, FILE *f);
} foci_predictor;

/* Hands over sample i: what it is ("file", "line"), and "classes", the most probable by logits (classes), the best
 * first; or what is wrong with it. */
foci_status foci_predict_tell(const foci_predicting *p, int64_t i, const char *what, const char *wrong,
                              const foci_real *logits);
/* "  0.93 cat, 0.05 dog", without the end of the line */
void foci_predict_print_classes(const foci_report *one, const char *number, FILE *f);

/* A file as an image, in a thread of a foci_scene_reader: what is wrong with it is kept, and it becomes a black pixel,
 * so that the others go on. */
typedef struct foci_photographs {
    const foci_unlabelled *sample;
    char **wrong; /* (count) from calloc: what is; NULL: nothing */
} foci_photographs;
foci_status foci_photograph_read(const foci_photographs *p, int64_t i, foci_image *image);
void foci_photographs_free(foci_photographs *p, int64_t count);

extern const foci_predictor foci_image_predictor, foci_scene_predictor, foci_sequence_predictor;

#endif
