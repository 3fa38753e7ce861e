/* prefix_weights: the weights (B, H, N, N) of prefix_attention, row i those of the prefix 0..i, of keys and values or
 * of keys alone; for inspection */
#include <string.h>

#include "ops/gram.h"

enum { KEYS, VALUES, INPUTS };

typedef struct attributes {
    foci_robust_options robust;
    double factor;
} attributes;

static int64_t scratch_of(const foci_node *n) {
    const int64_t doubles = sizeof(double) / sizeof(real);
    return (1 + FOCI_GRAM_ROWS + doubles) * foci_line(n->input[KEYS]->shape[2]);
}

static void forward(const foci_node *n) {
    const attributes *a = n->attributes;
    const int64_t *s = n->input[KEYS]->shape, tokens = s[2], ld = foci_line(tokens);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s[0] * s[1]; task++) {
        double *sums = (double *)((real *)n->workspace + foci_thread() * scratch_of(n));
        real *lengths = (real *)(sums + ld), *tile = lengths + ld;
        const foci_gram o = foci_gram_of(n->input[KEYS], n->input[VALUES], task, a->factor, lengths);
        memset(sums, 0, (size_t)tokens * sizeof *sums);
        for (int64_t i = 0; i < tokens; i++) {
            real *w = foci_data(n->output) + (task * tokens + i) * tokens;
            if (i % FOCI_GRAM_ROWS == 0)
                foci_gram_tile(&o, foci_tile(tokens, FOCI_GRAM_ROWS, i / FOCI_GRAM_ROWS), tile, ld);
            for (int64_t j = 0; j < tokens; j++) sums[j] += (double)tile[i % FOCI_GRAM_ROWS * ld + j];
            foci_prefix_weights(&a->robust, i + 1, sums, w);
            memset(w + i + 1, 0, (size_t)(tokens - i - 1) * sizeof *w);
        }
    }
}

const foci_op foci_op_prefix_weights = {.name = "prefix_weights",
                                        .summary = "the robust weights of every prefix, for inspection",
                                        .forward = forward,
                                        .detaches = true};

foci_tensor *foci_prefix_weights_of(foci_graph *g, foci_tensor *k, foci_tensor *v, const foci_robust_options *o,
                                    double factor) {
    const foci_op *op = &foci_op_prefix_weights;
    if (!foci_head_operand(g, op->name, "k", k, NULL) || (v && !foci_head_operand(g, op->name, "v", v, NULL)))
        return NULL;
    const attributes a = {*o, factor};
    foci_node *n = foci_record(g, op, INPUTS, (foci_tensor *[]){k, v}, &a, sizeof a);
    foci_workspace(n, (size_t)(foci_threads() * scratch_of(n)) * sizeof(real), 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(k->shape[0], k->shape[1], k->shape[2], k->shape[2]));
}
