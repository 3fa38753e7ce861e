#include "analyze/expert_load.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/carry.h"
#include "task/load_model.h"
#include "task/task.h"

/* A layer's slots, and what is counted so far. */
typedef struct tap {
    const char *route, *gate; /* (.., E) */
    double *chosen;           /* (E) */
    double entropy;
} tap;

typedef struct study {
    const foci_model *model;
    const foci_task *task;
    foci_task_state *data;
    foci_parameters parameters;
    foci_program_set set;
    foci_program *program;
    foci_carry carry;
    void *input;
    int64_t windows;
    tap *tap;
} study;

static foci_status no_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory for the load of experts"); }

static bool ends_with(const char *name, const char *end) {
    const size_t n = strlen(name), k = strlen(end);
    return n > k && strcmp(name + n - k, end) == 0;
}

/* "layers.3.smoe.route" is that of "layers.3". */
static const char *layer_name(foci_arena *memory, const char *route) {
    size_t n = strlen(route) - strlen(".route");
    while (n && route[n - 1] != '.') n--;
    return foci_arena_printf(memory, "%.*s", (int)(n ? n - 1 : 0), route);
}

static foci_status look(study *s, foci_expert_load *load) {
    const foci_graph *g = foci_program_graph(s->program);
    const int slots = foci_graph_slots(g);
    load->layer = foci_arena_alloc(&load->memory, (size_t)slots * sizeof *load->layer + 1);
    s->tap = foci_arena_alloc(&load->memory, (size_t)slots * sizeof *s->tap + 1);
    if (!load->layer || !s->tap) return no_memory();
    for (int i = 0; i < slots; i++) {
        const foci_slot *slot = foci_graph_slot(g, i);
        if (slot->kind != FOCI_SLOT_OBSERVED || !ends_with(slot->name, ".route")) continue;
        foci_expert_layer *l = &load->layer[load->layers];
        tap *t = &s->tap[load->layers++];
        load->experts = foci_last_dim(slot->tensor);
        t->route = slot->name;
        t->gate = foci_arena_printf(&load->memory, "%.*sgate", (int)(strlen(slot->name) - strlen("route")), slot->name);
        t->chosen = foci_arena_alloc(&load->memory, (size_t)load->experts * sizeof *t->chosen);
        l->share = t->chosen;
        l->name = layer_name(&load->memory, slot->name);
        if (!t->gate || !t->chosen || !l->name) return no_memory();
    }
    return load->layers ? FOCI_OK : foci_fail(FOCI_ERR_CONFIG, "the model has no experts");
}

static foci_status open_study(study *s, const foci_config *config, const char *weights, int64_t windows,
                              foci_expert_load *load) {
    FOCI_TRY(foci_task_open(config, &s->model, &s->task));
    const foci_task_samples *samples = s->task->samples;
    if (!samples) return foci_config_fail(config, "model.kind", "%s has no samples to look at", s->model->name);
    FOCI_TRY(foci_task_open_data(s->task, &s->data, config, FOCI_VALID));
    FOCI_TRY(samples->count(s->data, &s->windows));
    FOCI_TRY(foci_load_model(&s->parameters, s->model, config, s->task->classes(s->data), weights));
    foci_program_set_init(&s->set, &s->parameters);
    const foci_request r = {
        .config = config, .batch = 1, .classes = s->task->classes(s->data), .feeds = samples->input};
    foci_graph_options options = foci_run_options(config);
    options.observe = true;
    FOCI_TRY(foci_program_open_model(&s->program, &s->set, &options, s->model, &r));
    FOCI_TRY(look(s, load));
    FOCI_TRY(foci_program_set_ready(&s->set));
    FOCI_TRY(foci_carry_open(&s->carry, s->program, 1));
    const foci_tensor *fed = foci_program_find(s->program, samples->input);
    s->input = calloc((size_t)foci_numel(fed), sizeof(foci_real));
    load->windows = windows && windows < s->windows ? windows : s->windows;
    return s->input ? foci_program_feed(s->program, samples->input, s->input) : no_memory();
}

static foci_status count_layer(const study *s, tap *t, foci_expert_load *load) {
    const foci_real *route, *gate;
    const foci_tensor *shape = foci_program_find(s->program, t->route);
    FOCI_TRY(foci_program_fetch(s->program, t->route, &route));
    FOCI_TRY(foci_program_fetch(s->program, t->gate, &gate));
    for (int64_t i = 0; i < foci_numel(shape); i++) {
        t->chosen[i % load->experts] += route[i] > 0;
        if (gate[i] > 0) t->entropy -= (double)gate[i] * log((double)gate[i]);
    }
    if (t == s->tap) load->tokens += foci_rows(shape);
    return FOCI_OK;
}

/* In order, so that each goes on from the one before. */
static foci_status run_windows(study *s, const foci_watch *watch, foci_expert_load *load) {
    for (int64_t i = 0; i < load->windows; i++) {
        FOCI_TRY(s->task->samples->read(s->data, s->windows, i, 1, s->input));
        FOCI_TRY(foci_carry_feed(&s->carry, s->program, 0));
        FOCI_TRY(foci_program_forward(s->program));
        for (int k = 0; k < load->layers; k++) FOCI_TRY(count_layer(s, &s->tap[k], load));
        FOCI_TRY(foci_carry_take(&s->carry, s->program, 0));
        foci_carry_advance(&s->carry, s->program);
        foci_watch_tell(watch, i + 1, load->windows);
        FOCI_TRY(foci_watch_stopped(watch));
    }
    return FOCI_OK;
}

static void report(const study *s, foci_expert_load *load) {
    for (int k = 0; k < load->layers; k++) {
        foci_expert_layer *l = &load->layer[k];
        double all = 0, entropy = 0;
        for (int64_t e = 0; e < load->experts; e++) all += l->share[e];
        for (int64_t e = 0; e < load->experts; e++) {
            l->share[e] /= all;
            if (l->share[e] > 0) entropy -= l->share[e] * log(l->share[e]);
        }
        load->top_k = (int64_t)(all / (double)load->tokens + 0.5);
        l->used = exp(entropy);
        l->gate_entropy = s->tap[k].entropy / (double)load->tokens;
        load->used += l->used / load->layers;
        load->gate_entropy += l->gate_entropy / load->layers;
    }
}

foci_status foci_expert_load_measure(const foci_config *config, const char *weights, int64_t windows,
                                     const foci_watch *watch, foci_expert_load *load) {
    study s = {.model = NULL};
    *load = (foci_expert_load){.layers = 0};
    foci_status status = open_study(&s, config, weights, windows, load);
    if (!status) status = run_windows(&s, watch, load);
    if (!status) report(&s, load);
    foci_carry_close(&s.carry);
    foci_program_set_free(&s.set);
    foci_parameters_free(&s.parameters);
    foci_task_close_data(s.task, s.data);
    free(s.input);
    return status;
}

void foci_expert_load_free(foci_expert_load *load) { foci_arena_free(&load->memory); }
