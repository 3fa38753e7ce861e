/* lsh_attention_map: the probabilities (B, H, N, N) of attention by hashing, by definition; for pictures and measures
 */
#include <math.h>
#include <string.h>

#include "ops/attention_head.h"
#include "ops/common.h"
#include "ops/lsh.h"

typedef struct head {
    foci_lsh s;
    int64_t width, row; /* of a query, in elements */
    const real *q, *mask;
    int32_t *order;
    real *map;
    double *top, *sum; /* (N): of the scores that a token sees */
} head;

static int64_t scratch_of(const foci_node *n) { /* bytes of a thread */
    const foci_lsh s = foci_lsh_of(n);
    const int64_t bytes =
        2 * s.tokens * (int64_t)sizeof(double) + (foci_lsh_entries(&s) + s.buckets + 2) * (int64_t)sizeof(int32_t);
    return (bytes + 63) / 64 * 64;
}

static head head_of(const foci_node *n, int64_t task) {
    const foci_tensor *q = n->input[LSH_Q], *buckets = n->input[LSH_BUCKETS];
    const int64_t b = task / q->shape[1], h = task % q->shape[1], tokens = q->shape[2];
    head o = {.s = foci_lsh_of(n), .width = q->shape[3], .row = q->stride[2]};
    o.q = foci_data(q) + foci_head_offset(q, b, h);
    o.mask = n->input[LSH_MASK] ? foci_data(n->input[LSH_MASK]) + b * tokens : NULL;
    o.map = foci_data(n->output) + task * tokens * tokens;
    o.top = (double *)((char *)n->workspace + foci_thread() * scratch_of(n));
    o.sum = o.top + tokens;
    o.order = (int32_t *)(o.sum + tokens);
    foci_lsh_sort(&o.s, buckets ? foci_data(buckets) + task * o.s.rounds * tokens : NULL, o.order,
                  o.order + foci_lsh_entries(&o.s));
    return o;
}

static double score(const head *o, int64_t i, int64_t j) {
    const real *k = o->q + j * o->row;
    double inner;
    foci_kernel()->dot(o->width, o->q + i * o->row, k, &inner);
    return inner * foci_lsh_key_factor(o->width, k);
}

static void find_top(const head *o, int64_t i, int64_t j) { o->top[i] = fmax(o->top[i], score(o, i, j)); }
static void add(const head *o, int64_t i, int64_t j) {
    const double e = exp(score(o, i, j) - o->top[i]);
    o->sum[i] += e;
    o->map[i * o->s.tokens + j] += (real)e;
}

/* Every token with every other that it sees, as often as it does. */
static void each_pair(const head *o, void (*visit)(const head *o, int64_t i, int64_t j)) {
    const foci_lsh *s = &o->s;
    const int64_t entries = foci_lsh_entries(s), reach = s->chunks > 1 ? 2 * s->chunk : s->chunk;
    for (int64_t e = 0; e < entries; e++)
        for (int64_t k = 0; k < reach; k++) {
            const int64_t i = o->order[e],
                          j = o->order[(e / s->chunk * s->chunk + s->chunk + entries - 1 - k) % entries];
            const bool there = i < s->tokens && j < s->tokens && (!o->mask || o->mask[j] != 0);
            if (there && (s->causal ? j < i : j != i)) visit(o, i, j);
        }
}

static void forward(const foci_node *n) {
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < n->input[LSH_Q]->shape[0] * n->input[LSH_Q]->shape[1]; task++) {
        const head o = head_of(n, task);
        const int64_t tokens = o.s.tokens;
        memset(o.map, 0, (size_t)(tokens * tokens) * sizeof *o.map);
        for (int64_t i = 0; i < tokens; i++) o.top[i] = -INFINITY, o.sum[i] = 0;
        each_pair(&o, find_top);
        each_pair(&o, add);
        for (int64_t i = 0; i < tokens; i++) {
            if (o.sum[i] > 0)
                foci_kernel()->scale(tokens, (real)(1 / o.sum[i]), o.map + i * tokens, o.map + i * tokens, false);
            else o.map[i * tokens + i] = 1; /* sees no other */
        }
    }
}

const foci_op foci_op_lsh_attention_map = {.name = "lsh_attention_map",
                                           .summary = "the probabilities of attention by hashing, for inspection",
                                           .forward = forward,
                                           .detaches = true};

foci_tensor *foci_lsh_attention_map(foci_graph *g, foci_tensor *q, const foci_lsh_options *options) {
    foci_node *n = foci_record_lsh(g, &foci_op_lsh_attention_map, q, q, options);
    if (!n) return NULL;
    foci_workspace(n, (size_t)foci_threads() * (size_t)scratch_of(n), 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(q->shape[0], q->shape[1], q->shape[2], q->shape[2]));
}
