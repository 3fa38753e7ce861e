/* What the operations on blocks of keys share. A block is a row of token numbers; numbers outside of the sequence (-1:
 * nothing) count for nothing. */
#ifndef FOCI_OPS_BLOCKS_H
#define FOCI_OPS_BLOCKS_H

#include "ops/attention_head.h"
#include "ops/common.h"

/* blocks (K, size) */
static inline int64_t foci_block_token(const foci_tensor *blocks, int64_t block, int64_t at, int64_t tokens) {
    const int64_t t = (int64_t)foci_data(blocks)[block * blocks->shape[1] + at];
    return t >= 0 && t < tokens ? t : -1;
}

/* The block of query i of head b H + h: `choice` holds one for all, one for each head, or one for each query. */
static inline int64_t foci_block_choice(const foci_tensor *choice, const foci_tensor *q, int64_t head, int64_t i) {
    const int64_t n = foci_numel(choice);
    return (int64_t)foci_data(choice)[n == 1 ? 0 : n == q->shape[0] * q->shape[1] ? head : head * q->shape[2] + i];
}

bool foci_blocks_operand(foci_graph *g, const char *op, const foci_tensor *blocks);
bool foci_choice_operand(foci_graph *g, const char *op, const foci_tensor *choice, const foci_tensor *q);

#endif
