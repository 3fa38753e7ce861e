#include "ops/window.h"

#include "ops/attention_head.h"
#include "ops/common.h"

typedef struct attributes {
    double scale;
    int64_t window, globals;
    bool causal;
} attributes;

foci_window foci_window_of(const foci_node *n) {
    const attributes *a = n->attributes;
    const int64_t tokens = n->input[WINDOW_K]->shape[2], queries = n->input[WINDOW_Q]->shape[2];
    foci_window w = {.scale = a->scale, .causal = a->causal, .tokens = tokens, .queries = queries};
    w.before = tokens - queries;
    w.window = a->window < tokens ? a->window : tokens;
    w.globals = a->globals < tokens ? a->globals : tokens;
    w.global_queries = w.globals > w.before ? w.globals - w.before : 0;
    return w;
}

static bool operand(foci_graph *g, const char *op, const char *what, foci_tensor *t, const foci_tensor *like,
                    int64_t tokens) {
    foci_tensor shape = *like;
    shape.shape[2] = tokens;
    return foci_head_operand(g, op, what, t, &shape);
}

static bool mask_operand(foci_graph *g, const char *op, const foci_tensor *mask, const foci_tensor *k) {
    if (!mask) return true;
    if (!foci_operand(g, op, "mask", mask, FOCI_REAL)) return false;
    if (mask->ndim == 2 && mask->shape[0] == k->shape[0] && mask->shape[1] == k->shape[2]) return true;
    foci_graph_fail(g, "%s: mask %s must be (%lld, %lld): a number per sample and key", op, foci_shape_text(g, mask),
                    (long long)k->shape[0], (long long)k->shape[2]);
    return false;
}

foci_node *foci_record_window(foci_graph *g, const foci_op *op, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                              const foci_window_options *o) {
    if (!foci_head_operand(g, op->name, "q", q, NULL) || !foci_head_operand(g, op->name, "k", k, NULL) ||
        !operand(g, op->name, "k", k, q, k->shape[2]) || !foci_head_operand(g, op->name, "v", v, k) ||
        !mask_operand(g, op->name, o->mask, k))
        return NULL;
    if (q->shape[2] > k->shape[2])
        return foci_graph_fail(g, "%s: more queries %s than keys %s", op->name, foci_shape_text(g, q),
                               foci_shape_text(g, k));
    const int64_t globals = o->globals < k->shape[2] ? o->globals : k->shape[2];
    if (o->query_global && (!operand(g, op->name, "query_global", o->query_global, q, globals) ||
                            !foci_head_operand(g, op->name, "key_global", o->key_global, k) ||
                            !foci_head_operand(g, op->name, "value_global", o->value_global, k)))
        return NULL;
    const attributes a = {o->scale, o->window, o->globals, o->causal};
    foci_tensor *const input[WINDOW_INPUTS] = {q, o->query_global, k, v, o->key_global, o->value_global, o->mask};
    return foci_record(g, op, WINDOW_INPUTS, input, &a, sizeof a);
}
