/* Replaying a planned graph. Nothing here or in the operations allocates memory. */
#include <string.h>

#include "base/clock.h"
#include "base/parallel.h"
#include "core/internal.h"

static void *place(const foci_graph *g, int block) { return block < 0 ? NULL : g->memory + g->block[block].offset; }

static void bind_root(foci_graph *g, foci_tensor_info *info) {
    foci_tensor *t = info->tensor;
    if (info->role == FOCI_ROLE_PARAMETER) {
        int64_t offset = g->parameters->entry[info->entry].offset;
        t->data = g->parameters->value + offset;
        t->grad = t->requires_grad && g->parameters->grad ? g->parameters->grad + offset : NULL;
        return;
    }
    if (info->role == FOCI_ROLE_RESULT) t->data = place(g, info->value);
    t->grad = place(g, info->gradient);
}

void foci_graph_bind(foci_graph *g, void *memory) {
    g->memory = memory;
    for (int i = 0; i < g->tensors; i++)
        if (g->tensor[i].role != FOCI_ROLE_VIEW) bind_root(g, &g->tensor[i]);
    for (int i = 0; i < g->tensors; i++) {
        foci_tensor *t = g->tensor[i].tensor;
        if (g->tensor[i].role != FOCI_ROLE_VIEW) continue;
        t->data = t->dtype == FOCI_REAL ? (void *)(foci_data(t->base) + t->offset) : (void *)(foci_ints(t->base) + t->offset);
        t->grad = t->requires_grad && t->base->grad ? foci_grad(t->base) + t->offset : NULL;
    }
}

void foci_graph_set_step(foci_graph *g, uint64_t step, uint64_t first_sample) {
    g->step = step;
    g->first_sample = first_sample;
}

void foci_graph_promise(foci_graph *g, foci_real seed) {
    g->promised = true;
    g->promised_seed = seed;
}

void foci_graph_profile(foci_graph *g, foci_span *forward, foci_span *backward) {
    g->forward_span = forward;
    g->backward_span = backward;
}

/* A node's work, timed where somebody asked. */
static void run(const foci_node *n, void (*work)(const foci_node *), foci_span *span) {
    if (!span) {
        work(n);
        return;
    }
    span->start_ms = foci_now_ms();
    work(n);
    span->last_ms = foci_now_ms() - span->start_ms;
    span->total_ms += span->last_ms;
}

void foci_graph_forward(foci_graph *g) {
    foci_limit_threads(g->threads);
    for (int i = 0; i < g->nodes; i++) {
        g->node[i]->workspace = place(g, g->workspace[2 * i]);
        run(g->node[i], g->node[i]->op->forward, g->forward_span ? g->forward_span + i : NULL);
    }
}

static void clear(foci_tensor *t) {
    memset(t->grad, 0, (size_t)foci_numel(t) * sizeof(foci_real));
}

void foci_graph_backward_from_output(foci_graph *g) {
    foci_limit_threads(g->threads);
    for (int i = g->nodes - 1; i >= 0; i--) {
        foci_node *n = g->node[i];
        if (!n->reached) continue;
        if (g->zero[i]) clear(g->zero[i]);
        n->workspace = place(g, g->workspace[2 * i + 1]);
        run(n, n->op->backward, g->backward_span ? g->backward_span + i : NULL);
    }
}

void foci_graph_backward(foci_graph *g, foci_real seed) {
    foci_real *dout = foci_grad(g->output);
    for (int64_t i = 0; i < foci_numel(g->output); i++) dout[i] = seed;
    foci_graph_backward_from_output(g);
}
