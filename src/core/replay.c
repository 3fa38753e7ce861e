/* Replaying a planned graph. Nothing here or in the operations allocates memory. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/parallel.h"
#include "core/internal.h"

static void *place(const foci_graph *g, int block) { return block < 0 ? NULL : g->memory + g->block[block].offset; }

static void bind_root(foci_graph *g, foci_tensor_info *info) {
    foci_tensor *t = info->tensor;
    if (info->role == FOCI_ROLE_PARAMETER) {
        int64_t offset = g->parameters->entry[info->entry].offset;
        t->host_data = g->parameters->value + offset;
        t->host_grad = t->requires_grad && g->parameters->grad ? g->parameters->grad + offset : NULL;
        return;
    }
    if (info->role == FOCI_ROLE_RESULT) t->host_data = place(g, info->value);
    t->host_grad = place(g, info->gradient);
}

static void *part_of(const foci_tensor *view, void *base) {
    return (char *)base + view->offset * (int64_t)foci_element_bytes(view);
}
static void point_view(foci_tensor *t) { t->host_data = part_of(t, t->base->host_data); }

void foci_graph_bind(foci_graph *g, void *memory) {
    g->memory = memory;
    for (int i = 0; i < g->tensors; i++)
        if (g->tensor[i].role != FOCI_ROLE_VIEW) bind_root(g, &g->tensor[i]);
    for (int i = 0; i < g->tensors; i++) {
        foci_tensor *t = g->tensor[i].tensor;
        if (g->tensor[i].role != FOCI_ROLE_VIEW) continue;
        point_view(t);
        t->host_grad = t->requires_grad && t->base->host_grad ? part_of(t, t->base->host_grad) : NULL;
    }
}

void foci_graph_feed(foci_graph *g, foci_tensor *input, const void *data) {
    input->host_data = (void *)(uintptr_t)data; /* but for foci_cached, operations do not write to inputs */
    for (int i = 0; i < g->tensors; i++)
        if (g->tensor[i].tensor->base == input) point_view(g->tensor[i].tensor);
}

void foci_graph_set_step(foci_graph *g, uint64_t step, uint64_t first_sample) {
    g->step = step;
    g->first_sample = first_sample;
}

void foci_graph_set_batch(foci_graph *g, int64_t batch) { g->batch = batch; }

void foci_graph_promise(foci_graph *g, foci_real seed) {
    g->promised = true;
    g->promised_seed = seed;
}

void foci_graph_profile(foci_graph *g, foci_span *spans) { g->span = spans; }

static void timed(const foci_node *n, void (*work)(const foci_node *), foci_span *span) {
    span->start_ms = foci_now_ms();
    work(n);
    span->last_ms = foci_now_ms() - span->start_ms;
    span->total_ms += span->last_ms;
}

static void run(foci_graph *g, int i) {
    const foci_call *c = &g->call[i];
    void (*work)(const foci_node *) = c->pass == FOCI_BACKWARD ? c->node->op->backward : c->node->op->forward;
    c->node->workspace = place(g, c->workspace);
    if (c->zero) memset(c->zero->host_grad, 0, (size_t)foci_numel(c->zero) * sizeof(foci_real));
    if (g->span) timed(c->node, work, &g->span[i]);
    else work(c->node);
}

void foci_graph_forward(foci_graph *g) {
    foci_limit_threads(g->threads);
    g->failure.status = FOCI_OK;
    for (int i = 0; i < g->nodes; i++) run(g, i);
}

foci_status foci_graph_failure(const foci_graph *g) {
    return g->failure.status ? foci_error_raise(&g->failure) : FOCI_OK;
}

void foci_node_fail(const foci_node *n, const char *fmt, ...) {
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const foci_status s = foci_fail(FOCI_ERR_RUNTIME, "%s: %s: %s", n->layer, n->op->name, text);
#pragma omp critical
    if (!n->graph->failure.status) foci_error_take(&n->graph->failure, s);
}

static void fill_gradient(const foci_tensor *t, foci_real seed) {
    for (int64_t i = 0; i < foci_numel(t); i++) foci_grad(t)[i] = seed;
}

static void backward(foci_graph *g, foci_real penalty) {
    foci_limit_threads(g->threads);
    for (int i = 0; i < g->tensors; i++)
        if (g->tensor[i].penalty && g->tensor[i].tensor != g->output) fill_gradient(g->tensor[i].tensor, penalty);
    for (int i = g->nodes; i < g->calls; i++) run(g, i);
}

void foci_graph_backward_from_output(foci_graph *g) { backward(g, 0); }

void foci_graph_backward(foci_graph *g, foci_real seed) {
    fill_gradient(g->output, seed);
    backward(g, seed);
}
