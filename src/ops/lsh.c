#include "ops/lsh.h"

#include <math.h>
#include <string.h>

#include "ops/attention_head.h"
#include "ops/common.h"

typedef struct attributes {
    int64_t chunk, buckets;
    bool causal;
} attributes;

foci_lsh foci_lsh_of(const foci_node *n) {
    const attributes *a = n->attributes;
    const foci_tensor *buckets = n->input[LSH_BUCKETS];
    const int64_t tokens = n->input[LSH_Q]->shape[2];
    if (!buckets) return (foci_lsh){tokens, tokens, 1, tokens, 1, 0, a->causal};
    foci_lsh s = {tokens, foci_tiles(tokens, a->chunk) * a->chunk, buckets->shape[2], .chunk = a->chunk};
    s.chunks = foci_lsh_entries(&s) / s.chunk;
    s.buckets = a->buckets;
    s.causal = a->causal;
    return s;
}

/* Padding is in bucket number `buckets`; what fills a round up comes behind it. */
static int64_t bucket_of(const foci_lsh *s, const foci_real *buckets, int64_t i) {
    return i < s->tokens ? (int64_t)buckets[i] : s->buckets;
}

/* Counting sort, which keeps equal ones in order. */
static void sort_round(const foci_lsh *s, const foci_real *buckets, int32_t *order, int32_t *starts) {
    memset(starts, 0, (size_t)(s->buckets + 2) * sizeof *starts);
    for (int64_t i = 0; i < s->filled; i++) starts[bucket_of(s, buckets, i) + 1]++;
    for (int64_t b = 0; b <= s->buckets; b++) starts[b + 1] += starts[b];
    for (int64_t i = 0; i < s->filled; i++) order[starts[bucket_of(s, buckets, i)]++] = (int32_t)i;
}

void foci_lsh_sort(const foci_lsh *s, const foci_real *buckets, int32_t *order, int32_t *starts) {
    for (int64_t r = 0; r < s->rounds && buckets; r++)
        sort_round(s, buckets + r * s->tokens, order + r * s->filled, starts);
    for (int64_t i = 0; i < s->filled && !buckets; i++) order[i] = (int32_t)i;
}

double foci_lsh_key_factor(int64_t width, const foci_real *q) {
    const double eps = 1e-6;
    double squares;
    foci_kernel()->sum_squares(width, q, &squares);
    return 1 / sqrt((squares / (double)width + eps) * (double)width);
}

static bool same_rows(foci_graph *g, const char *op, const char *what, const foci_tensor *t, int64_t a, int64_t b) {
    if (!t) return true;
    if (!foci_operand(g, op, what, t, FOCI_REAL)) return false;
    if (t->shape[0] == a && t->shape[t->ndim - 1] == b) return true;
    foci_graph_fail(g, "%s: %s %s does not go with the queries", op, what, foci_shape_text(g, t));
    return false;
}

foci_node *foci_record_lsh(foci_graph *g, const foci_op *op, foci_tensor *q, foci_tensor *v,
                           const foci_lsh_options *o) {
    if (!foci_head_operand(g, op->name, "q", q, NULL) || !foci_head_operand(g, op->name, "v", v, q) ||
        !same_rows(g, op->name, "buckets", o->bucket, q->shape[0], q->shape[2]) ||
        !same_rows(g, op->name, "mask", o->mask, q->shape[0], q->shape[2]))
        return NULL;
    if (o->chunk < 1) return foci_graph_fail(g, "%s: chunks of no token", op->name);
    if (!o->bucket && q->shape[2] > o->chunk)
        return foci_graph_fail(g, "%s: %lld tokens are more than a chunk, and have no buckets", op->name,
                               (long long)q->shape[2]);
    const attributes a = {o->chunk, o->buckets, o->causal};
    foci_tensor *const input[LSH_INPUTS] = {q, v, q->shape[2] > o->chunk ? o->bucket : NULL, o->mask};
    return foci_record(g, op, LSH_INPUTS, input, &a, sizeof a);
}
