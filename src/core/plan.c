/* The plan. Walking through the calls of the schedule, it finds for every tensor, gradient and workspace the first and
 * the last call of its life, and then lays all of them into one block of memory, so that two may share a place if
 * their lives do not overlap. */
#define _GNU_SOURCE /* qsort_r */
#include <stdlib.h>
#include <string.h>

#include "core/internal.h"

/* What becomes of the gradient of a root tensor. */
typedef struct gradient {
    bool written;   /* backward has begun to write it */
    bool read_only; /* it is another's memory, to be read once */
    bool clear;     /* the views that it arrives through leave gaps, so it starts at zero */
    int guarded;    /* only nodes before this one may add to its memory */
} gradient;

typedef struct planner {
    foci_graph *g;
    gradient *of; /* per tensor; roots only */
} planner;

static int new_block(foci_graph *g, size_t bytes, int first, int last) {
    if (!foci_grow(g->block, g->blocks)) return -1;
    g->block[g->blocks] = (foci_block){(bytes + 63) & ~(size_t)63, 0, first, last};
    return g->blocks++;
}

static void extend(foci_graph *g, int block, int call) {
    if (block < 0) return;
    foci_block *b = &g->block[block];
    if (call < b->first) b->first = call;
    if (call > b->last) b->last = call;
}

/* ---------------------------------------------------------------------------------- which gradients flow */

static void find_reached(foci_graph *g) {
    if (!g->options.differentiate) return;
    for (int id = 0; id < g->tensors; id++)
        if (foci_is_end(g, g->tensor[id].tensor)) g->tensor[id].reached = true;
    for (int i = g->nodes - 1; i >= 0; i--) {
        foci_node *n = g->node[i];
        n->reached = n->op->backward && n->output->requires_grad && g->tensor[n->output->id].reached;
        if (!n->reached) continue;
        for (int k = 0; k < n->inputs; k++)
            if (n->input[k] && n->input[k]->requires_grad) g->tensor[foci_root(n->input[k])->id].reached = true;
    }
}

/* Lists for every root tensor who gives it a gradient, in the order of the backward pass: the last node first. */
static bool list_uses(foci_graph *g) {
    for (int i = 0; i < g->nodes; i++) {
        const foci_node *n = g->node[i];
        for (int k = n->inputs - 1; k >= 0 && n->reached; k--) {
            if (!n->input[k]) continue;
            foci_tensor_info *root = &g->tensor[foci_root(n->input[k])->id];
            foci_use *u = foci_arena_alloc(&g->arena, sizeof *u);
            if (!u) return false;
            *u = (foci_use){n, k, root->uses};
            root->uses = u;
        }
    }
    return true;
}

static bool same_view(const foci_tensor *a, const foci_tensor *b) {
    return !a->base == !b->base && a->offset == b->offset && a->ndim == b->ndim &&
           memcmp(a->shape, b->shape, sizeof a->shape) == 0 && memcmp(a->stride, b->stride, sizeof a->stride) == 0;
}

/* Does another use of the root write the gradient of this very view before input k of node n does? */
static bool view_seen(const foci_tensor_info *root, const foci_node *n, int k) {
    for (const foci_use *u = root->uses; u->node->index != n->index || u->input != k; u = u->next)
        if (same_view(u->node->input[u->input], n->input[k])) return true;
    return false;
}

/* Where gradients arrive through views, the first writer of a part may overwrite only if the parts cover the whole. */
static bool leaves_gaps(const foci_tensor_info *root) {
    int64_t covered = 0;
    for (const foci_use *u = root->uses; u; u = u->next) {
        const foci_tensor *t = u->node->input[u->input];
        if (!t->base) return true;
        if (!view_seen(root, u->node, u->input)) covered += foci_numel(t);
    }
    return covered != foci_numel(root->tensor);
}

bool foci_gradient_is_written_once(const foci_tensor_info *root) {
    for (const foci_use *u = root->uses; u; u = u->next)
        if (view_seen(root, u->node, u->input)) return false;
    const foci_use *one = root->uses;
    return !one || (!one->next && one->node->input[one->input] == root->tensor) || !leaves_gaps(root);
}

static void find_gaps(planner *p) {
    const foci_graph *g = p->g;
    for (int id = 0; id < g->tensors; id++) { /* those that have views */
        const foci_tensor *base = g->tensor[id].tensor->base;
        if (base) p->of[base->id].clear = g->tensor[base->id].reached;
    }
    for (int id = 0; id < g->tensors; id++)
        if (p->of[id].clear) p->of[id].clear = leaves_gaps(&g->tensor[id]);
}

/* ---------------------------------------------------------- who writes a gradient first, and where it lies */

/* Does a node other than n, number `first` or later, give this root tensor a gradient? */
static bool others_use(const foci_graph *g, const foci_tensor *t, int first, const foci_node *n) {
    for (const foci_use *u = g->tensor[t->id].uses; u && u->node->index >= first; u = u->next)
        if (u->node->index != n->index) return true;
    return false;
}

/* May the gradient of input k of a node that passes its gradient on (add) be the very memory of the output's gradient?
 * The first input's may: later writers then add to that memory. Another input's may too if only its own producer reads
 * it, before anybody writes to that memory again; from then on the memory is guarded until that producer has run. */
static bool may_share(const planner *p, const foci_node *n, int k) {
    const foci_graph *g = p->g;
    const foci_tensor *t = n->input[k], *out = n->output;
    if (t->base || g->tensor[t->id].role != FOCI_ROLE_RESULT) return false;
    if (p->of[t->id].written || p->of[t->id].clear) return false;
    if (foci_numel(t) != foci_numel(out) || p->of[out->id].read_only || foci_is_end(g, out)) return false;
    for (int j = 0; j < n->inputs; j++)
        if (j != k && n->input[j] && foci_root(n->input[j]) == t) return false;
    if (k == 0) return !others_use(g, t, p->of[out->id].guarded, n);
    return !others_use(g, t, 0, n) && !others_use(g, n->input[0], t->producer->index, n);
}

static void share(planner *p, const foci_node *n, int k) {
    const foci_tensor *t = n->input[k], *first = n->input[0];
    p->g->tensor[t->id].gradient = p->g->tensor[n->output->id].gradient;
    p->of[t->id] = (gradient){.written = true, .read_only = k > 0, .guarded = p->of[n->output->id].guarded};
    if (k > 0 && !first->base && t->producer->index < p->of[first->id].guarded)
        p->of[first->id].guarded = t->producer->index;
}

/* Does this call write the gradient of the node's input k? */
static bool wants(const foci_call *c, int k) {
    return c->pass == FOCI_BACKWARD && c->node->input[k] && c->node->input[k]->requires_grad;
}

static bool plan_gradient_of(planner *p, int now, int k) {
    foci_graph *g = p->g;
    foci_node *n = g->call[now].node;
    foci_tensor *t = n->input[k], *root = foci_root(t);
    foci_tensor_info *info = &g->tensor[root->id];
    gradient *d = &p->of[root->id];
    if (info->role == FOCI_ROLE_PARAMETER) { /* the flat array, cleared before the step */
        n->accumulate[k] = true;
        return true;
    }
    if (n->op->passes_gradient && may_share(p, n, k)) {
        share(p, n, k);
        n->accumulate[k] = true;
        return true;
    }
    if (info->gradient < 0) {
        info->gradient = new_block(g, foci_tensor_bytes(root), now, now);
        if (info->gradient < 0) return false;
        if (d->clear) g->call[now].zero = root;
    }
    extend(g, info->gradient, now);
    n->accumulate[k] = d->clear || (t->base ? view_seen(info, n, k) : d->written);
    d->written = true;
    return true;
}

static bool plan_gradients(planner *p) {
    foci_graph *g = p->g;
    if (!g->options.differentiate) return true;
    for (int id = 0; id < g->tensors; id++) {
        const foci_tensor *end = g->tensor[id].tensor;
        if (!foci_is_end(g, end)) continue;
        g->tensor[id].gradient = new_block(g, foci_tensor_bytes(end), g->nodes - 1, g->nodes);
        if (g->tensor[id].gradient < 0) return false;
        p->of[id].written = true;
    }
    for (int i = g->nodes; i < g->calls; i++) {
        const foci_call *c = &g->call[i];
        if (c->pass != FOCI_BACKWARD) continue;
        extend(g, g->tensor[c->node->output->id].gradient, i);
        for (int k = 0; k < c->node->inputs; k++)
            if (wants(c, k) && !plan_gradient_of(p, i, k)) return false;
    }
    for (int id = 0; id < g->tensors; id++) /* an input's gradient is for the caller */
        if (g->tensor[id].role == FOCI_ROLE_INPUT || g->tensor[id].keep) extend(g, g->tensor[id].gradient, g->calls);
    return true;
}

/* ------------------------------------------------------------------------------------------------- values */

static int value_of(const foci_graph *g, foci_tensor *t) { return g->tensor[foci_root(t)->id].value; }

static bool write_value(foci_graph *g, const foci_tensor *t, int now) {
    foci_tensor_info *info = &g->tensor[t->id];
    info->value = new_block(g, foci_tensor_bytes(t), now, now);
    bool stays = info->keep || t == foci_root(g->output);
    extend(g, info->value, stays ? g->calls : now);
    return info->value >= 0;
}

static bool plan_forward(foci_graph *g, const foci_node *n, int now) {
    bool ok = write_value(g, n->output, now);
    for (int i = 0; i < n->saves; i++) ok = ok && write_value(g, n->saved[i], now);
    for (int k = 0; k < n->inputs; k++)
        if (n->input[k]) extend(g, value_of(g, n->input[k]), now);
    return ok;
}

static void plan_backward(foci_graph *g, const foci_node *n, int now) {
    if (n->op->reads & FOCI_READS_OUTPUT) extend(g, value_of(g, n->output), now);
    for (int i = 0; i < n->saves; i++) extend(g, value_of(g, n->saved[i]), now);
    for (int k = 0; k < n->inputs; k++)
        if (n->input[k] && n->op->reads & FOCI_READS_INPUT(k)) extend(g, value_of(g, n->input[k]), now);
}

static bool plan_values(foci_graph *g) {
    for (int i = 0; i < g->calls; i++) {
        foci_call *c = &g->call[i];
        bool backward = c->pass == FOCI_BACKWARD;
        if (backward) plan_backward(g, c->node, i);
        else if (!plan_forward(g, c->node, i)) return false;
        size_t scratch = backward ? c->node->workspace_backward : c->node->workspace_forward;
        if (scratch && (c->workspace = new_block(g, scratch, i, i)) < 0) return false;
    }
    return true;
}

/* ------------------------------------------------------------------------------------------------- layout */

static int larger_first(const void *a, const void *b, void *blocks) {
    const foci_block *x = (foci_block *)blocks + *(const int *)a, *y = (foci_block *)blocks + *(const int *)b;
    if (x->bytes != y->bytes) return x->bytes > y->bytes ? -1 : 1;
    return *(const int *)a - *(const int *)b;
}

/* Largest blocks first, each at the lowest place that is free during all its calls. */
static bool lay_out(foci_graph *g) {
    int *order = malloc((size_t)(g->blocks + 1) * sizeof *order);
    int *placed = malloc((size_t)(g->blocks + 1) * sizeof *placed); /* by rising offset */
    if (!order || !placed) {
        free(order);
        free(placed);
        return false;
    }
    for (int i = 0; i < g->blocks; i++) order[i] = i;
    qsort_r(order, (size_t)g->blocks, sizeof *order, larger_first, g->block);
    g->bytes = g->bytes_unshared = 0;
    for (int i = 0; i < g->blocks; i++) {
        foci_block *b = &g->block[order[i]];
        size_t at = 0;
        for (int j = 0; j < i; j++) {
            const foci_block *other = &g->block[placed[j]];
            if (other->last < b->first || other->first > b->last) continue;
            if (other->offset >= at + b->bytes) break;
            if (other->offset + other->bytes > at) at = other->offset + other->bytes;
        }
        b->offset = at;
        int j = i;
        for (; j > 0 && g->block[placed[j - 1]].offset > at; j--) placed[j] = placed[j - 1];
        placed[j] = order[i];
        g->bytes_unshared += b->bytes;
        if (at + b->bytes > g->bytes) g->bytes = at + b->bytes;
    }
    free(order);
    free(placed);
    return true;
}

/* Parameters that the loss does not depend on are most often a mistake in a model: say so once. */
static void report_unreached(const foci_graph *g) {
    for (int id = 0; id < g->tensors; id++) {
        const foci_tensor_info *t = &g->tensor[id];
        if (t->role == FOCI_ROLE_PARAMETER && t->tensor->requires_grad && !t->reached)
            foci_log(FOCI_LOG_WARN, "parameter %s gets no gradient: the loss does not depend on it", t->tensor->name);
    }
}

foci_status foci_graph_plan(foci_graph *g, foci_tensor *output) {
    if (!foci_graph_ok(g)) return foci_error_raise(&g->error);
    for (int i = 0; i < g->slots && !output; i++)
        if (g->slot[g->slots - 1 - i].kind == FOCI_SLOT_OUTPUT) output = g->slot[g->slots - 1 - i].tensor;
    if (!output || g->nodes == 0) return foci_fail(FOCI_ERR_RUNTIME, "nothing is an output of this graph");
    g->output = output;
    foci_graph_freeze(g);
    if (g->options.differentiate && !output->requires_grad)
        return foci_fail(FOCI_ERR_CONFIG, "the loss needs no gradient: it depends on no parameter%s",
                         g->options.freeze && *g->options.freeze ? " that is trained" : "");
    g->threads = foci_threads();
    bool ok = foci_graph_spare_rows(g);
    find_reached(g);
    ok = ok && list_uses(g) && foci_graph_round(g) && foci_graph_schedule(g);
    planner p = {.g = g, .of = calloc((size_t)g->tensors, sizeof *p.of)};
    ok = ok && p.of;
    if (ok) {
        for (int id = 0; id < g->tensors; id++) p.of[id].guarded = g->nodes;
        find_gaps(&p);
        ok = plan_gradients(&p) && plan_values(g) && lay_out(g);
        if (g->options.differentiate) report_unreached(g);
    }
    free(p.of);
    return ok ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory while planning the graph");
}

size_t foci_graph_bytes(const foci_graph *g) { return g->bytes; }
size_t foci_graph_bytes_unshared(const foci_graph *g) { return g->bytes_unshared; }
