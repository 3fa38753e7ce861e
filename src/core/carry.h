/* What goes on from one window of a stream to the next, beside the weights: for every foci_carried of a model the last
 * rows of every row of the batch. It belongs to the data, not to the weights: training has one, every evaluation its
 * own.
 *
 *     foci_carry_open(&c, program, batch)       room for the rows of a whole batch, empty
 *     foci_carry_feed(&c, program, first)       before a pass over samples first ..: what they go on from
 *     foci_carry_take(&c, program, first)       after it, its backward pass included: what the next window goes on from
 *     foci_carry_advance(&c, program)           all samples of the batch have made this window
 *     foci_carry_clear(&c)                      the next window has none before it */
#ifndef FOCI_CORE_CARRY_H
#define FOCI_CORE_CARRY_H

#include "core/program.h"

typedef struct foci_carried_rows {
    char past[80], now[80]; /* names of the program's slots */
    int64_t rows, width;    /* L, C */
    foci_real *data;        /* (batch, L, C) */
} foci_carried_rows;

typedef struct foci_carry {
    int64_t batch;
    int count; /* 0: the model carries nothing, and all below do nothing */
    foci_carried_rows *slot;
    int32_t filled; /* the last so many rows of each are there, the others zeros */
} foci_carry;

foci_status foci_carry_open(foci_carry *c, const foci_program *p, int64_t batch);
void foci_carry_close(foci_carry *c); /* a zeroed one is fine */
void foci_carry_clear(foci_carry *c);
foci_status foci_carry_feed(const foci_carry *c, foci_program *p, int64_t first);
foci_status foci_carry_take(foci_carry *c, const foci_program *p, int64_t first);
void foci_carry_advance(foci_carry *c, const foci_program *p);

/* Windows of the program after which nothing is left of what was before them. */
int64_t foci_carry_reach(const foci_carry *c, const foci_program *p);

#endif
