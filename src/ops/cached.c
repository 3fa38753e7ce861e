/* cached: the rows of new tokens are put behind those of earlier graphs, in memory that the caller keeps */
#include <string.h>

#include "core/graph.h"
#include "ops/common.h"

typedef struct behind {
    int64_t past;
} behind;

enum { X, CACHE };

/* x (B, M, C), cache (B, R, C), whose rows `past` .. past + M - 1 become x -> rows that are there (1) */
static void forward(const foci_node *n) {
    const int64_t *x = n->input[X]->shape, past = ((const behind *)n->attributes)->past, added = x[1] * x[2];
    const int64_t room = n->input[CACHE]->shape[1] * x[2];
    real *cache = foci_data(n->input[CACHE]);
    for (int64_t b = 0; b < x[0]; b++)
        memcpy(cache + b * room + past * x[2], foci_data(n->input[X]) + b * added, (size_t)added * sizeof *cache);
    foci_ints(n->output)[0] = (int32_t)(past + x[1]);
}

const foci_op foci_op_cached = {
    .name = "cached", .summary = "tokens put behind those of earlier graphs", .forward = forward};

foci_tensor *foci_cached(foci_graph *g, const char *name, foci_tensor *x) {
    if (!foci_operand(g, "cached", "input", x, FOCI_REAL)) return NULL;
    const int64_t past = foci_graph_past(g), room = foci_graph_room(g);
    if (!room) return x;
    if (x->ndim != 3 || past + x->shape[1] > room)
        return foci_graph_fail(g, "cached: input %s behind %lld tokens must be (B, M, C) of %lld in all",
                               foci_shape_text(g, x), (long long)past, (long long)room);
    foci_scope(g, "%s", name);
    foci_tensor *cache = foci_input(g, "cache", FOCI_REAL, FOCI_SHAPE(x->shape[0], room, x->shape[2]));
    foci_graph_cache(g, cache);
    foci_node *n = foci_record(g, &foci_op_cached, 2, (foci_tensor *[]){x, cache}, &(behind){past}, sizeof(behind));
    foci_emit(n, FOCI_INT, FOCI_SHAPE(1));
    foci_end_scope(g);
    return foci_view(cache, 0, 3, (int64_t[]){x->shape[0], past + x->shape[1], x->shape[2]},
                     (int64_t[]){room * x->shape[2], x->shape[2], 1});
}
