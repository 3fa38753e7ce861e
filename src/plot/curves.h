/* The curves of a run, from its metrics.jsonl. */
#ifndef FOCI_PLOT_CURVES_H
#define FOCI_PLOT_CURVES_H

#include "task/metrics.h"

typedef struct foci_point {
    double step, epoch, value;
} foci_point;

typedef struct foci_curve {
    foci_point *point;
    size_t count, room;
} foci_curve;

/* A score is the task's own metric; ema: with averaged weights. */
enum {
    FOCI_CURVE_LOSS,
    FOCI_CURVE_EMA_LOSS,
    FOCI_CURVE_VAL_LOSS,
    FOCI_CURVE_EMA_SCORE,
    FOCI_CURVE_SCORE,
    FOCI_CURVE_LR,
    FOCI_CURVE_KINDS
};

typedef struct foci_curves {
    char name[256]; /* the last component of the run folder */
    foci_curve curve[FOCI_CURVE_KINDS];
    const foci_metric *metric; /* of the scores, or NULL */
} foci_curves;

/* FOCI_ERR_DATA where there is no loss and no score. */
foci_status foci_curves_read(foci_curves *c, const char *run);
void foci_curves_free(foci_curves *c);

/* Means of neighbours, so that at most `most` points remain. */
void foci_curve_thin(foci_curve *c, size_t most);
/* Each value becomes that of a line through itself and `reach` neighbours on either side; near the ends as many lie on
 * one side only. */
foci_status foci_curve_smooth(foci_curve *c, size_t reach);

#endif
