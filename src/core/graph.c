/* Recording: nodes, tensors, scopes, and errors that stick. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "core/internal.h"

bool foci_grow_(void **array, int count, size_t size) {
    if (count & (count - 1)) return true; /* full only at powers of two */
    void *grown = realloc(*array, (size_t)(count ? 2 * count : 1) * size);
    if (grown) *array = grown;
    return grown;
}

foci_graph *foci_graph_new(foci_parameters *parameters, const foci_graph_options *options) {
    foci_graph *g = calloc(1, sizeof *g);
    if (!g) return NULL;
    g->parameters = parameters;
    g->options = *options;
    if (options->place) g->options.place = foci_arena_strdup(&g->arena, options->place);
    if (options->freeze) g->options.freeze = foci_arena_strdup(&g->arena, options->freeze);
    if (options->gradients) g->options.gradients = foci_arena_strdup(&g->arena, options->gradients);
    return g;
}

void foci_graph_free(foci_graph *g) {
    if (!g) return;
    foci_arena_free(&g->arena);
    free(g->node);
    free(g->tensor);
    free(g->slot);
    free(g->block);
    free(g->call);
    free(g);
}

bool foci_graph_ok(const foci_graph *g) { return g->error.status == FOCI_OK; }
bool foci_graph_trains(const foci_graph *g) { return g->options.train; }
bool foci_graph_bf16(const foci_graph *g) { return g->options.bf16; }
bool foci_graph_observes(const foci_graph *g) { return g->options.observe; }

void *foci_graph_fail(foci_graph *g, const char *fmt, ...) {
    if (!foci_graph_ok(g)) return NULL;
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    const char *place = g->options.place;
    foci_status s = foci_fail(FOCI_ERR_CONFIG, "%s%s%s%s%s%s", g->scope, *g->scope ? ": " : "", text,
                              place ? " (model at " : "", place ? place : "", place ? ")" : "");
    foci_error_take(&g->error, s);
    return NULL;
}

static void *out_of_memory(foci_graph *g) {
    foci_error_take(&g->error, foci_fail(FOCI_ERR_RUNTIME, "out of memory while recording the model"));
    return NULL;
}

void *foci_graph_alloc(foci_graph *g, size_t bytes) {
    void *memory = foci_arena_alloc(&g->arena, bytes);
    return memory ? memory : out_of_memory(g);
}

/* ------------------------------------------------------------------------------------------------- scopes */

static void open_scope(foci_graph *g, const char *fmt, va_list ap) {
    size_t used = strlen(g->scope);
    if (g->scopes == FOCI_MAX_SCOPES) {
        foci_graph_fail(g, "layer names nest too deep");
        return;
    }
    g->scope_start[g->scopes++] = used;
    if (used && used + 1 < sizeof g->scope) g->scope[used++] = '.';
    int n = vsnprintf(g->scope + used, sizeof g->scope - used, fmt, ap);
    if (n < 0 || (size_t)n >= sizeof g->scope - used) foci_graph_fail(g, "layer names are too long");
}

void foci_scope(foci_graph *g, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    open_scope(g, fmt, ap);
    va_end(ap);
}

void foci_segment(foci_graph *g, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    open_scope(g, fmt, ap);
    va_end(ap);
    if (g->segment) return;
    g->segment = ++g->segments;
    g->segment_scope = g->scopes;
}

void foci_end_scope(foci_graph *g) {
    if (g->scopes == g->segment_scope) g->segment = g->segment_scope = 0;
    if (g->scopes) g->scope[g->scope_start[--g->scopes]] = 0;
}

static const char *full_name(foci_graph *g, const char *name) {
    const char *full =
        *g->scope ? foci_arena_printf(&g->arena, "%s.%s", g->scope, name) : foci_arena_strdup(&g->arena, name);
    return full ? full : out_of_memory(g);
}

/* -------------------------------------------------------------------------------------------------- slots */

bool foci_names_hold(const char *names, const char *name) {
    const size_t length = strlen(name);
    for (const char *at = names; at && *at; at += strspn(at, " ")) {
        const size_t n = strcspn(at, " ");
        if (n == length && memcmp(at, name, n) == 0) return true;
        at += n;
    }
    return false;
}

static void add_slot(foci_graph *g, foci_slot_kind kind, const char *name, foci_tensor *t) {
    if (foci_graph_find(g, name)) foci_graph_fail(g, "%s is the name of two inputs or outputs", name);
    else if (!foci_grow(g->slot, g->slots)) out_of_memory(g);
    else g->slot[g->slots++] = (foci_slot){name, kind, t};
}

int foci_graph_slots(const foci_graph *g) { return g->slots; }
const foci_slot *foci_graph_slot(const foci_graph *g, int i) { return &g->slot[i]; }

foci_tensor *foci_graph_find(const foci_graph *g, const char *name) {
    for (int i = 0; i < g->slots; i++)
        if (strcmp(g->slot[i].name, name) == 0) return g->slot[i].tensor;
    return NULL;
}

/* ------------------------------------------------------------------------------------------------ tensors */

static foci_tensor *new_tensor(foci_graph *g, foci_role role, foci_dtype dtype, int ndim, const int64_t *shape) {
    if (!foci_graph_ok(g)) return NULL;
    if (ndim < 1 || ndim > FOCI_MAX_DIMS) return foci_graph_fail(g, "a tensor of %d dimensions", ndim);
    int64_t numel = 1;
    for (int i = 0; i < ndim; i++) {
        if (shape[i] < 1) return foci_graph_fail(g, "dimension %d of a tensor is %lld", i, (long long)shape[i]);
        if (__builtin_mul_overflow(numel, shape[i], &numel) || numel > INT64_C(1) << 40)
            return foci_graph_fail(g, "a tensor of more than 2^40 elements");
    }
    foci_tensor *t = foci_arena_alloc(&g->arena, sizeof *t);
    if (!t || !foci_grow(g->tensor, g->tensors)) return out_of_memory(g);
    *t = (foci_tensor){.name = "", .dtype = dtype, .ndim = ndim, .graph = g, .id = g->tensors};
    int64_t stride = 1;
    for (int i = ndim - 1; i >= 0; i--) {
        t->shape[i] = shape[i];
        t->stride[i] = stride;
        stride *= shape[i];
    }
    g->tensor[g->tensors++] = (foci_tensor_info){.tensor = t, .role = role, .entry = -1, .value = -1, .gradient = -1};
    return t;
}

foci_tensor *foci_parameter(foci_graph *g, const char *name, foci_init init, int ndim, const int64_t *shape) {
    foci_tensor *t = new_tensor(g, FOCI_ROLE_PARAMETER, FOCI_REAL, ndim, shape);
    const char *full = t ? full_name(g, name) : NULL;
    if (!full) return NULL;
    int entry = foci_parameters_declare(g->parameters, full, init, ndim, shape);
    if (entry < 0) return foci_graph_fail(g, "%s", foci_error_message());
    g->tensor[t->id].entry = entry;
    t->name = full;
    t->requires_grad = g->options.differentiate && !g->options.frozen;
    return t;
}

static foci_parameter_entry *entry_of(const foci_tensor *parameter) {
    return parameter ? &parameter->graph->parameters->entry[parameter->graph->tensor[parameter->id].entry] : NULL;
}

foci_tensor *foci_buffer(foci_graph *g, const char *name, foci_init init, int ndim, const int64_t *shape) {
    foci_tensor *t = foci_parameter(g, name, init, ndim, shape);
    if (!t) return NULL;
    t->requires_grad = false;
    entry_of(t)->buffer = true;
    return t;
}

foci_init foci_init_of(const foci_tensor *parameter) { return entry_of(parameter)->init; }

void foci_no_decay(foci_tensor *parameter) {
    if (parameter) entry_of(parameter)->no_decay = true;
}

void foci_resize_as_grid(foci_tensor *parameter, int64_t leading, int64_t columns, foci_grid_resizing how) {
    if (!parameter) return;
    entry_of(parameter)->columns = columns;
    entry_of(parameter)->leading = leading;
    entry_of(parameter)->resizing = how;
}

void foci_tie_interleaved(foci_graph *g, const char *second_name, const foci_tensor *parameter, int64_t heads) {
    if (!foci_graph_ok(g)) return;
    if (foci_parameters_alias_interleaved(g->parameters, second_name, g->tensor[parameter->id].entry, heads))
        foci_graph_fail(g, "%s", foci_error_message());
}

void foci_tie(foci_graph *g, const char *second_name, const foci_tensor *parameter) {
    foci_tie_interleaved(g, second_name, parameter, 0);
}

void foci_stored_transposed(foci_tensor *parameter, foci_axes read) {
    if (!parameter) return;
    foci_parameter_entry *e = entry_of(parameter);
    e->transposed = true;
    e->axes = read;
}

void foci_stored_longer(foci_tensor *parameter) {
    if (parameter) entry_of(parameter)->longer = true;
}

void foci_tie_here(foci_graph *g, const char *name, const foci_tensor *parameter) {
    const char *full = foci_graph_ok(g) ? full_name(g, name) : NULL;
    if (full) foci_tie(g, full, parameter);
}

void foci_ignore(foci_graph *g, const char *name) {
    if (!foci_graph_ok(g)) return;
    if (foci_parameters_alias(g->parameters, name, -1)) foci_graph_fail(g, "%s", foci_error_message());
}

void foci_adopt(foci_graph *g, const char *scope) {
    if (!foci_graph_ok(g)) return;
    if (foci_parameters_adopt(g->parameters, scope)) foci_graph_fail(g, "%s", foci_error_message());
}

foci_tensor *foci_input(foci_graph *g, const char *name, foci_dtype dtype, int ndim, const int64_t *shape) {
    foci_tensor *t = new_tensor(g, FOCI_ROLE_INPUT, dtype, ndim, shape);
    if (!t || !(t->name = full_name(g, name))) return NULL;
    t->requires_grad = g->options.differentiate && foci_names_hold(g->options.gradients, t->name);
    add_slot(g, FOCI_SLOT_INPUT, t->name, t);
    return t;
}

foci_tensor *foci_constant(foci_graph *g, const char *name, foci_dtype dtype, int ndim, const int64_t *shape,
                           const void *data) {
    foci_tensor *t = new_tensor(g, FOCI_ROLE_CONSTANT, dtype, ndim, shape);
    if (!t) return NULL;
    const size_t bytes = foci_tensor_bytes(t);
    t->host_data = foci_arena_alloc(&g->arena, bytes);
    if (!t->host_data || !(t->name = foci_arena_strdup(&g->arena, name))) return out_of_memory(g);
    memcpy(t->host_data, data, bytes);
    return t;
}

foci_tensor *foci_view(foci_tensor *base, int64_t offset, int ndim, const int64_t *shape, const int64_t *stride) {
    if (!base) return NULL;
    foci_graph *g = base->graph;
    foci_tensor *t = new_tensor(g, FOCI_ROLE_VIEW, base->dtype, ndim, shape);
    if (!t) return NULL;
    int64_t end = offset;
    for (int i = 0; i < ndim; i++) {
        t->stride[i] = stride[i];
        end += (shape[i] - 1) * stride[i];
    }
    foci_tensor *root = foci_root(base);
    t->offset = offset + (base->base ? base->offset : 0);
    if (offset < 0 || end + (base->base ? base->offset : 0) >= foci_numel(root))
        return foci_graph_fail(g, "a view reaches beyond its tensor %s", foci_shape_text(g, base));
    t->base = root;
    t->name = base->name;
    t->producer = base->producer;
    t->requires_grad = base->requires_grad;
    return t;
}

bool foci_is_contiguous(const foci_tensor *t) {
    int64_t stride = 1;
    for (int i = t->ndim - 1; i >= 0; i--) {
        if (t->shape[i] != 1 && t->stride[i] != stride) return false;
        stride *= t->shape[i];
    }
    return true;
}

const char *foci_shape_text(foci_graph *g, const foci_tensor *t) {
    char text[128];
    int n = 0;
    for (int i = 0; i < t->ndim; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "%s%lld", i ? ", " : "(", (long long)t->shape[i]);
    const char *kept = foci_arena_printf(&g->arena, "%s)", text);
    return kept ? kept : "(?)";
}

void foci_keep(foci_tensor *t) {
    if (t) t->graph->tensor[foci_root(t)->id].keep = true;
}

void foci_penalty(foci_graph *g, foci_tensor *x) {
    if (!x || !x->requires_grad || !g->options.train || !foci_graph_ok(g)) return;
    if (x->base || x->dtype != FOCI_REAL) {
        foci_graph_fail(g, "a penalty must be the result of an operation, in real numbers");
        return;
    }
    g->tensor[x->id].penalty = true;
    foci_keep(x);
}

/* Results that the caller reads under a name. */
static void offer(foci_graph *g, foci_slot_kind kind, const char *name, foci_tensor *t) {
    const char *full = t && foci_graph_ok(g) ? full_name(g, name) : NULL;
    if (!full) return;
    if (t->dtype != FOCI_REAL || !foci_is_contiguous(t)) {
        foci_graph_fail(g, "%s cannot be read by its name: it holds integers, or is a view with gaps", name);
        return;
    }
    add_slot(g, kind, full, t);
    foci_keep(t);
}

void foci_output(foci_graph *g, const char *name, foci_tensor *t) { offer(g, FOCI_SLOT_OUTPUT, name, t); }

void foci_observe(foci_graph *g, const char *name, foci_tensor *t) {
    if (g->options.observe) offer(g, FOCI_SLOT_OBSERVED, name, t);
}

int64_t foci_graph_past(const foci_graph *g) { return g->options.past; }
int64_t foci_graph_room(const foci_graph *g) { return g->options.room; }

static void become(foci_graph *g, const foci_tensor *input, foci_slot_kind kind) {
    for (int i = 0; i < g->slots && input; i++)
        if (g->slot[i].tensor == input) g->slot[i].kind = kind;
}

void foci_graph_carry(foci_graph *g, foci_tensor *past, foci_tensor *now) {
    if (!foci_graph_ok(g)) return;
    become(g, past, FOCI_SLOT_PAST);
    if (now) offer(g, FOCI_SLOT_NOW, "now", now);
}

void foci_graph_cache(foci_graph *g, const foci_tensor *input) { become(g, input, FOCI_SLOT_CACHE); }

/* -------------------------------------------------------------------------------------------------- nodes */

foci_node *foci_record(foci_graph *g, const foci_op *op, int inputs, foci_tensor *const *input, const void *attributes,
                       size_t attribute_bytes) {
    if (!foci_graph_ok(g)) return NULL;
    foci_node *n = foci_arena_alloc(&g->arena, sizeof *n);
    void *own = foci_arena_alloc(&g->arena, attribute_bytes);
    if (!n || !own) return out_of_memory(g);
    if (attribute_bytes) memcpy(own, attributes, attribute_bytes);
    n->op = op;
    n->graph = g;
    n->attributes = own;
    n->inputs = inputs;
    n->segment = g->segment;
    n->input = foci_arena_alloc(&g->arena, (size_t)inputs * sizeof *n->input);
    n->accumulate = foci_arena_alloc(&g->arena, (size_t)inputs * sizeof *n->accumulate);
    n->layer = foci_arena_strdup(&g->arena, g->scope);
    if (!n->input || !n->accumulate || !n->layer) return out_of_memory(g);
    for (int i = 0; i < inputs; i++) {
        n->input[i] = input[i];
        if (input[i] && input[i]->requires_grad && !op->backward && !op->detaches)
            return foci_graph_fail(g, "%s has no gradient, but its input %s%s needs one", op->name, input[i]->name,
                                   foci_shape_text(g, input[i]));
    }
    return n;
}

void foci_save(foci_node *n, foci_dtype dtype, int64_t elements) {
    if (!n) return;
    foci_tensor *t = new_tensor(n->graph, FOCI_ROLE_RESULT, dtype, FOCI_SHAPE(elements));
    if (t && n->saves == FOCI_MAX_SAVED)
        foci_graph_fail(n->graph, "%s saves more than %d tensors", n->op->name, FOCI_MAX_SAVED);
    else if (t) n->saved[n->saves++] = t;
}

void foci_workspace(foci_node *n, size_t forward_bytes, size_t backward_bytes) {
    if (!n) return;
    n->workspace_forward = forward_bytes;
    n->workspace_backward = backward_bytes;
}

foci_tensor *foci_emit(foci_node *n, foci_dtype dtype, int ndim, const int64_t *shape) {
    if (!n) return NULL;
    foci_graph *g = n->graph;
    foci_tensor *t = new_tensor(g, FOCI_ROLE_RESULT, dtype, ndim, shape);
    if (!t) return NULL;
    if (!foci_grow(g->node, g->nodes)) return out_of_memory(g);
    t->name = n->layer;
    t->producer = n;
    if (n->op->backward)
        for (int i = 0; i < n->inputs; i++) t->requires_grad |= n->input[i] && n->input[i]->requires_grad;
    n->output = t;
    n->index = n->number = g->nodes;
    g->node[g->nodes++] = n;
    return t;
}

foci_random foci_node_random(const foci_node *n) {
    const foci_graph *g = n->graph;
    const int64_t rows = n->output->shape[0], here = foci_numel(n->output) / rows;
    const int64_t per_row = n->rows.of ? here / n->rows.count * n->rows.of : here;
    const int64_t each = g->batch && rows % g->batch == 0 ? rows / g->batch : 1; /* rows of a sample */
    const uint64_t first = g->first_sample * (uint64_t)each;
    return (foci_random){g->options.seed, (uint64_t)n->number + 1, g->step, first * (uint64_t)per_row, first};
}

unsigned foci_rows_of_first(const foci_node *n, foci_some_rows rows) {
    (void)n, (void)rows;
    return FOCI_READS_INPUT(0);
}
unsigned foci_rows_of_all(const foci_node *n, foci_some_rows rows) {
    (void)n, (void)rows;
    return ~0u;
}

bool foci_is_parameter(const foci_tensor *t) { return t->graph->tensor[t->id].role == FOCI_ROLE_PARAMETER; }

/* The only node that this one's output gets a gradient from; NULL where there are several, or views between. */
static const foci_node *only_consumer(const foci_node *n) {
    const foci_use *u = n->graph->tensor[n->output->id].uses;
    return u && !u->next && u->node->input[u->input] == n->output ? u->node : NULL;
}

bool foci_gradient_known(const foci_node *n, foci_real *dy) {
    const foci_graph *g = n->graph;
    if (!g->promised || n->segment) return false; /* forward of a segment may run twice */
    *dy = g->promised_seed;
    if (n->output == g->output) return true;
    if (g->tensor[n->output->id].penalty) return false;
    const foci_node *consumer = only_consumer(n);
    if (!consumer || !consumer->op->even || !foci_gradient_known(consumer, dy)) return false;
    *dy = consumer->op->even(consumer, *dy);
    return true;
}

int foci_graph_nodes(const foci_graph *g) { return g->nodes; }
const foci_node *foci_graph_node(const foci_graph *g, int i) { return g->node[i]; }
int foci_graph_calls(const foci_graph *g) { return g->calls; }
const foci_call *foci_graph_call(const foci_graph *g, int i) { return &g->call[i]; }
