/* The curves of a run, from its metrics.jsonl. */
#ifndef FOCI_CLI_CURVES_H
#define FOCI_CLI_CURVES_H

#include "base/error.h"

typedef struct foci_point {
    double step, epoch, value;
} foci_point;

typedef struct foci_curve {
    foci_point *point;
    size_t count, room;
} foci_curve;

typedef struct foci_curves {
    char name[256];          /* the last component of the run folder */
    foci_curve loss, score;  /* training loss; top-1 in percent, or perplexity */
    bool text;               /* the score is perplexity */
} foci_curves;

foci_status foci_curves_read(foci_curves *c, const char *run);
void foci_curves_free(foci_curves *c);

/* Means of neighbours, so that at most `most` points remain. */
void foci_curve_thin(foci_curve *c, size_t most);

#endif
