#include "core/program.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "core/internal.h"

struct foci_program {
    foci_program_set *set;
    foci_graph *graph;
    void *nothing; /* zeros: what a PAST holds that was not fed */
};

/* ------------------------------------------------------------------------------------------------- a set */

void foci_program_set_init(foci_program_set *set, foci_parameters *parameters) {
    *set = (foci_program_set){.parameters = parameters};
}

void foci_program_set_free(foci_program_set *set) {
    while (set->count) foci_program_close(set->program[set->count - 1]);
    free(set->program);
    free(set->memory);
    *set = (foci_program_set){.count = 0};
}

size_t foci_program_set_bytes(const foci_program_set *set, size_t *unshared) {
    const foci_graph *largest = NULL;
    for (int i = 0; i < set->count; i++)
        if (!largest || set->program[i]->graph->bytes > largest->bytes) largest = set->program[i]->graph;
    if (unshared) *unshared = largest ? largest->bytes_unshared : 0;
    return largest ? largest->bytes : 0;
}

static foci_status allocate_parameters(foci_program_set *set) {
    bool gradients = false;
    for (int i = 0; i < set->count; i++) {
        const foci_graph_options *o = &set->program[i]->graph->options;
        gradients |= o->differentiate && !o->frozen;
    }
    return foci_parameters_allocate(set->parameters, gradients);
}

/* Just what is needed at first; later twice that, for sets whose programs grow with a text. */
static foci_status reserve(foci_program_set *set, size_t bytes) {
    if (bytes <= set->room) return FOCI_OK;
    set->room = set->memory ? 2 * bytes : bytes;
    free(set->memory);
    set->memory = foci_large_alloc(set->room);
    if (set->memory) return FOCI_OK;
    set->room = 0;
    return foci_fail(FOCI_ERR_RUNTIME, "the plan needs %.0f MB of memory, which is not to be had%s%s",
                     (double)bytes / 1e6, set->advice ? ": " : "", set->advice ? set->advice : "");
}

/* Before the first window of a stream there is nothing. */
static foci_status feed_nothing(foci_program *p) {
    const foci_graph *g = p->graph;
    size_t most = 0;
    for (int i = 0; i < g->slots && !p->nothing; i++)
        if (g->slot[i].kind == FOCI_SLOT_PAST && foci_tensor_bytes(g->slot[i].tensor) > most)
            most = foci_tensor_bytes(g->slot[i].tensor);
    if (!most) return FOCI_OK;
    if (!(p->nothing = foci_large_calloc(most)))
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for the tokens before a window");
    for (int i = 0; i < g->slots; i++)
        if (g->slot[i].kind == FOCI_SLOT_PAST && !g->slot[i].tensor->host_data)
            foci_graph_feed(p->graph, g->slot[i].tensor, p->nothing);
    return FOCI_OK;
}

foci_status foci_program_set_ready(foci_program_set *set) {
    FOCI_TRY(allocate_parameters(set));
    FOCI_TRY(reserve(set, foci_program_set_bytes(set, NULL)));
    for (int i = 0; i < set->count; i++) {
        FOCI_TRY(feed_nothing(set->program[i]));
        foci_graph_bind(set->program[i]->graph, set->memory);
    }
    return FOCI_OK;
}

/* ----------------------------------------------------------------------------------------------- opening */

static foci_status add(foci_program **p, foci_program_set *set, const foci_graph_options *options) {
    foci_program *new = calloc(1, sizeof *new);
    if (new &&foci_grow(set->program, set->count) && (new->graph = foci_graph_new(set->parameters, options))) {
        new->set = set;
        *p = set->program[set->count++] = new;
        return FOCI_OK;
    }
    free(new);
    *p = NULL;
    return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a graph");
}

static foci_status plan(foci_program **p) {
    foci_status s = foci_graph_plan((*p)->graph, NULL);
    if (!s) return FOCI_OK;
    foci_program_close(*p);
    *p = NULL;
    return s;
}

foci_status foci_program_open(foci_program **p, foci_program_set *set, const foci_graph_options *options,
                              void (*record)(void *context, foci_graph *g), void *context) {
    FOCI_TRY(add(p, set, options));
    record(context, (*p)->graph);
    return plan(p);
}

static bool is_input(const foci_tensor *t) { return t && t->graph->tensor[t->id].role == FOCI_ROLE_INPUT; }

/* Both ways: what will be fed is an input, and what is an input will be fed; all that was said was heard. */
static void check_request(foci_graph *g, const foci_model *model, const foci_request *r) {
    for (int i = 0; i < g->slots; i++)
        if (g->slot[i].kind == FOCI_SLOT_INPUT && !foci_request_feeds(r, g->slot[i].name))
            foci_graph_fail(g, "model %s wants %s, which nobody feeds here", model->name, g->slot[i].name);
    for (const char *at = r->feeds; at && *at; at += strspn(at, " ")) {
        const char *name = foci_arena_printf(&g->arena, "%.*s", (int)strcspn(at, " "), at);
        if (name && !is_input(foci_graph_find(g, name))) foci_graph_fail(g, "model %s takes no %s", model->name, name);
        at += strcspn(at, " ");
    }
    for (int i = 0; i < FOCI_MAX_NUMBERS && r->number[i].name; i++)
        if (!r->number[i].heard)
            foci_graph_fail(g, "model %s does not know what %s is", model->name, r->number[i].name);
}

foci_status foci_program_open_model(foci_program **p, foci_program_set *set, const foci_graph_options *options,
                                    const foci_model *model, const foci_request *request) {
    foci_request r = *request;
    FOCI_TRY(add(p, set, options));
    r.graph = (*p)->graph;
    foci_graph_set_batch(r.graph, r.batch);
    model->record(&r);
    if (foci_graph_ok(r.graph)) check_request(r.graph, model, &r);
    return plan(p);
}

void foci_program_close(foci_program *p) {
    if (!p) return;
    foci_program_set *set = p->set;
    int i = 0;
    while (set->program[i] != p) i++;
    for (set->count--; i < set->count; i++) set->program[i] = set->program[i + 1];
    foci_graph_free(p->graph);
    free(p->nothing);
    free(p);
}

bool foci_request_feeds(const foci_request *r, const char *name) { return foci_names_hold(r->feeds, name); }

double foci_request_number(foci_request *r, const char *name, double otherwise) {
    for (int i = 0; i < FOCI_MAX_NUMBERS && r->number[i].name; i++) {
        if (strcmp(r->number[i].name, name) != 0) continue;
        r->number[i].heard = true;
        return r->number[i].value;
    }
    return otherwise;
}

/* ------------------------------------------------------------------------------------- inputs and outputs */

const foci_tensor *foci_program_find(const foci_program *p, const char *name) {
    return foci_graph_find(p->graph, name);
}

foci_status foci_program_feed(foci_program *p, const char *name, const void *data) {
    foci_tensor *t = foci_graph_find(p->graph, name);
    if (!is_input(t)) return foci_fail(FOCI_ERR_RUNTIME, "the program has no input %s", name);
    foci_graph_feed(p->graph, t, data);
    return FOCI_OK;
}

foci_status foci_program_fetch(const foci_program *p, const char *name, const foci_real **data) {
    const foci_tensor *t = foci_graph_find(p->graph, name);
    if (!t || is_input(t)) return foci_fail(FOCI_ERR_RUNTIME, "the program has no output %s", name);
    *data = foci_data(t);
    return FOCI_OK;
}

foci_status foci_program_fetch_gradient(const foci_program *p, const char *name, const foci_real **data) {
    const foci_tensor *t = foci_graph_find(p->graph, name);
    if (!t || !t->host_grad) return foci_fail(FOCI_ERR_RUNTIME, "the program makes no gradient of %s", name);
    *data = foci_grad(t);
    return FOCI_OK;
}

/* ----------------------------------------------------------------------------------------------- running */

static foci_status check(const foci_program *p) {
    const foci_graph *g = p->graph;
    if (!g->memory) return foci_fail(FOCI_ERR_RUNTIME, "the program has no memory yet");
    for (int i = 0; i < g->slots; i++)
        if (is_input(g->slot[i].tensor) && !g->slot[i].tensor->host_data)
            return foci_fail(FOCI_ERR_RUNTIME, "the input %s was not fed", g->slot[i].name);
    return FOCI_OK;
}

foci_status foci_program_forward(foci_program *p) {
    FOCI_TRY(check(p));
    foci_graph_forward(p->graph);
    return foci_graph_failure(p->graph);
}

void foci_program_backward(foci_program *p, foci_real seed) { foci_graph_backward(p->graph, seed); }

void foci_program_backward_from(foci_program *p, const foci_real *gradient) {
    const foci_tensor *out = p->graph->output;
    memcpy(out->host_grad, gradient, (size_t)foci_numel(out) * sizeof *gradient);
    foci_graph_backward_from_output(p->graph);
}

void foci_program_set_step(foci_program *p, uint64_t step, uint64_t first_sample) {
    foci_graph_set_step(p->graph, step, first_sample);
}
void foci_program_promise(foci_program *p, foci_real seed) { foci_graph_promise(p->graph, seed); }
void foci_program_profile(foci_program *p, foci_span *spans) { foci_graph_profile(p->graph, spans); }

const foci_graph *foci_program_graph(const foci_program *p) { return p->graph; }
