/* The schedule: all nodes forward in the order of recording, then those that a gradient reaches backward in reverse.
 *
 * Results of cheap operations and, with `recompute`, of segments are forgotten once the forward pass has used them, and
 * computed again when the backward pass wants them. The second run is that of a twin: a copy of the node that writes
 * copies of its tensors. So every tensor is still written by one call, and the planner, which sees two short lives in
 * place of a long one, need not know. A twin has its node's index, hence draws the same random numbers: the bits are
 * those of what was forgotten. */
#include <stdlib.h>

#include "core/internal.h"

typedef struct scheduler {
    foci_graph *g;
    bool *forgotten;       /* per node: its results do not outlive the forward pass */
    bool *again;           /* per node: it has been run again */
    foci_node **node_twin; /* per node and per tensor: NULL where there is none yet */
    foci_tensor **tensor_twin;
} scheduler;

static bool append(foci_graph *g, foci_node *n, foci_pass pass) {
    if (!n || !foci_grow(g->call, g->calls)) return false;
    g->call[g->calls++] = (foci_call){.node = n, .pass = pass, .workspace = -1};
    return true;
}

static foci_node *producer_of(const foci_tensor *t) { return t ? foci_root((foci_tensor *)t)->producer : NULL; }

/* -------------------------------------------------------------------------------------- what is forgotten */

/* Segments that forget: but the last, with which the backward pass begins. */
static bool forgets(const foci_graph *g, const foci_node *n) {
    return g->options.recompute && n->segment && n->segment < g->segments;
}

/* All their results, except
 * - what detaches: a metric is small, and it may be made from the segment before;
 * - what others than that read outside their segment.
 * Elsewhere those of cheap operations, whose inputs are kept for their own backward. What the caller reads is kept. */
static void find_forgotten(scheduler *s) {
    foci_graph *g = s->g;
    for (int i = 0; i < g->nodes; i++) {
        const foci_node *n = g->node[i];
        bool kept = g->tensor[n->output->id].keep || n->output == foci_root(g->output);
        s->forgotten[i] = !kept && (forgets(g, n) ? !n->op->detaches : n->op->cheap && n->reached);
        for (int k = 0; k < n->inputs; k++) {
            const foci_node *from = producer_of(n->input[k]);
            if (from && forgets(g, from) && from->segment != n->segment && !n->op->detaches)
                s->forgotten[from->index] = false;
        }
    }
}

/* -------------------------------------------------------------------------------------------------- twins */

static foci_tensor *copy_tensor(foci_graph *g, const foci_tensor *t) {
    foci_tensor *twin = foci_arena_alloc(&g->arena, sizeof *twin);
    if (!twin || !foci_grow(g->tensor, g->tensors)) return NULL;
    *twin = *t;
    twin->id = g->tensors;
    g->tensor[g->tensors] = g->tensor[t->id];
    g->tensor[g->tensors++].tensor = twin;
    return twin;
}

/* A tensor as the backward pass knows it: itself, or the twin of what was forgotten. NULL: out of memory. */
static foci_tensor *later(scheduler *s, foci_tensor *t) {
    const foci_node *from = producer_of(t);
    if (!from || !s->forgotten[from->index]) return t;
    foci_tensor *twin = s->tensor_twin[t->id];
    if (twin) return twin;
    twin = s->tensor_twin[t->id] = copy_tensor(s->g, t);
    if (twin && t->base && !(twin->base = later(s, t->base))) return NULL;
    return twin;
}

static bool fill_twin(scheduler *s, foci_node *twin, const foci_node *n) {
    twin->input = foci_arena_alloc(&s->g->arena, (size_t)n->inputs * sizeof *n->input);
    twin->accumulate = foci_arena_alloc(&s->g->arena, (size_t)n->inputs * sizeof *n->accumulate);
    if (!twin->input || !twin->accumulate) return false;
    for (int k = 0; k < n->inputs; k++)
        if (n->input[k] && !(twin->input[k] = later(s, n->input[k]))) return false;
    for (int i = 0; i < n->saves && s->forgotten[n->index]; i++)
        if (!(twin->saved[i] = copy_tensor(s->g, n->saved[i]))) return false;
    return (twin->output = later(s, n->output));
}

static bool meets_twins(const scheduler *s, const foci_node *n) {
    bool meets = s->forgotten[n->index];
    for (int k = 0; k < n->inputs; k++)
        meets |= producer_of(n->input[k]) && s->forgotten[producer_of(n->input[k])->index];
    return meets;
}

/* The node that stands for n in the backward pass: it reads, and gives gradients to, what the backward pass knows. */
static foci_node *node_later(scheduler *s, foci_node *n) {
    if (!meets_twins(s, n)) return n;
    foci_node *twin = s->node_twin[n->index];
    if (twin) return twin;
    if (!(twin = foci_arena_alloc(&s->g->arena, sizeof *twin))) return NULL;
    *twin = *n;
    return fill_twin(s, twin, n) ? s->node_twin[n->index] = twin : NULL;
}

/* ------------------------------------------------------------------------------------------ what runs when */

/* If n's results were forgotten, makes them again, and first whatever it needs for that. */
static bool run_again(scheduler *s, foci_node *n, bool spare_output) {
    if (!n || !s->forgotten[n->index] || s->again[n->index]) return true;
    s->again[n->index] = true;
    for (int k = 0; k < n->inputs; k++)
        if (!run_again(s, producer_of(n->input[k]), false)) return false;
    foci_node *twin = node_later(s, n);
    if (twin) twin->again = true, twin->spared = spare_output;
    return append(s->g, twin, FOCI_AGAIN);
}

static bool run_backward(scheduler *s, foci_node *n) {
    for (int k = 0; k < n->inputs; k++)
        if (n->op->reads & FOCI_READS_INPUT(k) && !run_again(s, producer_of(n->input[k]), false)) return false;
    bool output = n->op->reads & FOCI_READS_OUTPUT; /* others that read it are behind us, and had it made */
    if ((n->saves || output) && !run_again(s, n, !output)) return false;
    return append(s->g, node_later(s, n), FOCI_BACKWARD);
}

static bool schedule(scheduler *s) {
    foci_graph *g = s->g;
    find_forgotten(s);
    for (int i = 0; i < g->nodes; i++)
        if (!append(g, g->node[i], FOCI_FORWARD)) return false;
    for (int i = g->nodes - 1; i >= 0; i--)
        if (g->node[i]->reached && !run_backward(s, g->node[i])) return false;
    return true;
}

bool foci_graph_schedule(foci_graph *g) {
    size_t nodes = (size_t)g->nodes, tensors = (size_t)g->tensors;
    scheduler s = {.g = g,
                   .forgotten = calloc(nodes, sizeof *s.forgotten),
                   .again = calloc(nodes, sizeof *s.again),
                   .node_twin = calloc(nodes, sizeof *s.node_twin),
                   .tensor_twin = calloc(tensors, sizeof *s.tensor_twin)};
    bool ok = s.forgotten && s.again && s.node_twin && s.tensor_twin && schedule(&s);
    free(s.forgotten);
    free(s.again);
    free(s.node_twin);
    free(s.tensor_twin);
    return ok;
}
