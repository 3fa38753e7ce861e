/* How time and memory of attention grow with the tokens: one layer by itself, forward and backward, for every variant
 * of the list. */
#ifndef FOCI_MEASURE_SCALING_H
#define FOCI_MEASURE_SCALING_H

#include <stdio.h>

#include "base/report.h"
#include "base/watch.h"
#include "foci/keys.h"

typedef struct foci_scaling_settings {
    int64_t from, to, heads, width;
    bool causal;
    double seconds, memory;
} foci_scaling_settings;
extern const foci_key foci_scaling_keys[]; /* bound to it */

/* One variant with so many tokens. */
typedef struct foci_scaling_row {
    const char *kind;
    int64_t tokens;
    double ms, mb, gflop; /* ms: NAN where it was not timed, mb: NAN where it was not planned */
    char why[200];        /* it was not, and no longer sequence is tried; "" */
} foci_scaling_row;

typedef struct foci_scaling {
    foci_scaling_settings settings;
    foci_scaling_row *row; /* one variant after the other, its tokens rising */
    int rows;
} foci_scaling;

/* Variants by name; none: all. `set` overrides keys, "attention.KEY=VALUE". `measured`, if not NULL, is told each row.
 */
foci_status foci_scaling_run(foci_scaling *s, const foci_scaling_settings *settings, const char *const *kind, int kinds,
                             const char *const *set, int sets, const foci_watch *watch,
                             void (*measured)(const foci_scaling_row *row));
void foci_scaling_free(foci_scaling *s);

/* e of time ~ N^e, or of memory, through the last four of a variant's rows, of which `first` is the first; NAN where
 * fewer than two were measured. */
double foci_scaling_exponent(const foci_scaling *s, int first, bool memory);
/* The row where the next variant begins. */
int foci_scaling_next(const foci_scaling *s, int row);

void foci_scaling_tell(const foci_scaling *s, foci_report *r);
void foci_scaling_csv(const foci_scaling *s, FILE *f);

#endif
