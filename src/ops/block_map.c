/* block_map: the probabilities (B, H, N, N) of block_attention; for pictures and measures */
#include <math.h>
#include <string.h>

#include "kernels/gemm.h"
#include "ops/blocks.h"

enum { Q, K, BLOCKS, CHOICE, INPUTS };

typedef struct attributes {
    double scale;
    bool causal;
} attributes;

static const real *rows_of(const foci_node *n, int input, int64_t task) {
    const foci_tensor *t = n->input[input];
    return foci_data(t) + foci_head_offset(t, task / t->shape[1], task % t->shape[1]);
}

/* p (N): softmax of the scores over the keys of the block among the first `seen` */
static void weigh(const foci_node *n, int64_t block, int64_t seen, const real *scores, real *p) {
    const double scale = ((const attributes *)n->attributes)->scale;
    const foci_tensor *blocks = n->input[BLOCKS];
    double top = -INFINITY, sum = 0;
    memset(p, 0, (size_t)n->input[K]->shape[2] * sizeof *p);
    for (int64_t at = 0; at < blocks->shape[1]; at++) {
        const int64_t j = foci_block_token(blocks, block, at, seen);
        if (j >= 0) top = fmax(top, scale * (double)scores[j]);
    }
    for (int64_t at = 0; at < blocks->shape[1]; at++) {
        const int64_t j = foci_block_token(blocks, block, at, seen);
        if (j >= 0) sum += (double)(p[j] = (real)exp(scale * (double)scores[j] - top));
    }
    for (int64_t j = 0; j < seen; j++) p[j] = sum > 0 ? (real)((double)p[j] / sum) : 0;
}

static void forward(const foci_node *n) {
    const foci_tensor *q = n->input[Q], *k = n->input[K];
    const bool causal = ((const attributes *)n->attributes)->causal;
    const int64_t heads = q->shape[0] * q->shape[1], tokens = q->shape[2];
    FOCI_PARALLEL_FOR
    for (int64_t row = 0; row < heads * tokens; row++) {
        const int64_t task = row / tokens, i = row % tokens;
        real *scores = (real *)n->workspace + foci_thread() * tokens;
        foci_gemm(&(foci_product){.rows = 1,
                                  .columns = tokens,
                                  .depth = q->shape[3],
                                  .a = {rows_of(n, Q, task) + i * q->stride[2], q->stride[2]},
                                  .b = {rows_of(n, K, task), k->stride[2], true},
                                  .c = scores,
                                  .ldc = tokens});
        weigh(n, foci_block_choice(n->input[CHOICE], q, task, i), causal ? i + 1 : tokens, scores,
              foci_data(n->output) + row * tokens);
    }
}

const foci_op foci_op_block_map = {.name = "block_map",
                                   .summary = "the probabilities of block_attention, for inspection",
                                   .forward = forward,
                                   .detaches = true};

foci_tensor *foci_block_map(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *blocks, foci_tensor *choice,
                            double scale, bool causal) {
    const foci_op *op = &foci_op_block_map;
    if (!foci_head_operand(g, op->name, "q", q, NULL) || !foci_head_operand(g, op->name, "k", k, q) ||
        !foci_blocks_operand(g, op->name, blocks) || !foci_choice_operand(g, op->name, choice, q))
        return NULL;
    const attributes a = {scale, causal};
    foci_node *n = foci_record(g, op, INPUTS, (foci_tensor *[]){q, k, blocks, choice}, &a, sizeof a);
    foci_workspace(n, (size_t)(foci_threads() * q->shape[2]) * sizeof(real), 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(q->shape[0], q->shape[1], q->shape[2], q->shape[2]));
}
