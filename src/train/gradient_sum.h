/* The exact sum of a batch's gradients. A batch is S shards (train.shards), each with a gradient of its own, g_i, and
 * these are added in one fixed tree, whoever computed them:
 *
 *     T(i, i + 1) = g_i;   T(lo, hi) = T(lo, mid) + T(mid, hi),   mid = lo + the largest power of two below hi - lo
 *
 * Of P processes, number r has the shards r S / P .. (r + 1) S / P - 1. It adds up what it can by itself, as a binary
 * counter does: the top of a stack of blocks is merged with the one below wherever the two are halves of a node of the
 * tree. What is left, a few blocks, goes to the owners: each process owns a stretch of the arrays, gets all blocks of
 * it, and goes on with them in the same way. So S decides the bits of the sum, and P does not. */
#ifndef FOCI_TRAIN_GRADIENT_SUM_H
#define FOCI_TRAIN_GRADIENT_SUM_H

#include "base/group.h"
#include "foci/real.h"

/* T(first, first + count), or a stretch of it. */
typedef struct foci_block {
    int64_t first, count;
    foci_real *sum;
} foci_block;

enum { FOCI_MOST_SHARDS = 1 << 16, FOCI_MOST_BLOCKS = 40 }; /* of a process: two of each size */

typedef struct foci_gradient_sum {
    foci_group *group;  /* NULL: one process */
    int64_t size;       /* elements of a gradient */
    int64_t shards;     /* S */
    int64_t first, end; /* of this process */
    const int64_t *own; /* process r's stretch: own[r] .. own[r + 1] - 1; NULL: one process */
    int blocks, buffers;
    foci_block block[FOCI_MOST_BLOCKS]; /* the stack */
    foci_real
        *buffer[FOCI_MOST_BLOCKS]; /* (size); number i is for block i, but for the last one, which stays where it is */
    foci_real *got;                /* the blocks of all processes, of this one's stretch */
} foci_gradient_sum;

/* FOCI_ERR_RUNTIME: out of memory. There must be as many shards as processes, or more. `own` must last. */
foci_status foci_gradient_sum_open(foci_gradient_sum *s, int64_t size, int64_t shards, foci_group *group,
                                   const int64_t *own);
void foci_gradient_sum_close(foci_gradient_sum *s); /* a zeroed one is fine */
/* Arrays as large as a gradient that it needs, for the process that needs most. */
double foci_gradient_sum_arrays(int64_t shards, int processes);

/* Blocks that the process with most of them sends to the owners. */
int64_t foci_gradient_sum_blocks(int64_t shards, int processes);

/* Shard number i, of this process's the next, is in `grad`: it is taken, and unless it was the last, `grad` is zeros.
 */
void foci_gradient_sum_take(foci_gradient_sum *s, int64_t i, foci_real *grad);
/* Bytes that come from other processes in a step. */
double foci_gradient_sum_received(const foci_gradient_sum *s);
/* After the last: this process's stretch of `grad` becomes the sum over all shards. */
void foci_gradient_sum_finish(foci_gradient_sum *s, foci_real *grad);

#endif
