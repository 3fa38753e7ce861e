#include "task/generator.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "attention/attend.h"

foci_status foci_generator_open(foci_generator *g, const foci_generator_options *options, foci_parameters *parameters) {
    *g = (foci_generator){.options = *options, .parameters = parameters};
    g->incremental = !options->recompute && foci_attention_abilities(options->config) & FOCI_INCREMENTAL;
    return FOCI_OK;
}

static void close_graph(foci_generator *g) {
    foci_graph_free(g->graph);
    g->graph = NULL;
}

void foci_generator_close(foci_generator *g) {
    close_graph(g);
    for (int i = 0; i < g->caches; i++) free(g->cache[i]);
    free(g->cache);
    free(g->memory);
    free(g->ids);
    *g = (foci_generator){.count = 0};
}

foci_status foci_generator_add(foci_generator *g, const int32_t *ids, int64_t count) {
    if (g->count + count > g->room) {
        int64_t room = 2 * (g->count + count);
        int32_t *grown = realloc(g->ids, (size_t)room * sizeof *grown);
        if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a text of %lld words", (long long)room);
        g->ids = grown;
        g->room = room;
    }
    memcpy(g->ids + g->count, ids, (size_t)count * sizeof *ids);
    g->count += count;
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------- a pass */

static foci_status reserve(foci_generator *g, size_t bytes) {
    if (bytes <= g->bytes) return FOCI_OK;
    free(g->memory);
    g->bytes = 2 * bytes; /* passes grow with the text */
    g->memory = foci_large_alloc(g->bytes);
    if (g->memory) return FOCI_OK;
    g->bytes = 0;
    return foci_fail(FOCI_ERR_RUNTIME, "out of memory: a window takes %zu bytes", bytes);
}

/* One row for every token of the window, for every layer that caches. */
static foci_status make_caches(foci_generator *g) {
    int count = foci_graph_caches(g->graph);
    if (g->cache || !count) return FOCI_OK;
    g->cache = calloc((size_t)count, sizeof *g->cache);
    for (g->caches = 0; g->cache && g->caches < count; g->caches++) {
        size_t row = (size_t)foci_last_dim(foci_graph_cache(g->graph, g->caches)->now) * sizeof(foci_real);
        if (!(g->cache[g->caches] = malloc((size_t)g->options.window * row))) break;
    }
    return g->cache && g->caches == count ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for keys and values");
}

/* Recording and planning take little beside the pass itself, so every length has its own graph. */
static foci_status open_pass(foci_generator *g, int64_t past, int64_t tokens) {
    const foci_generator_options *o = &g->options;
    if (g->graph && g->past == past && g->tokens == tokens) return FOCI_OK;
    close_graph(g);
    g->graph = foci_graph_new(g->parameters, &(foci_graph_options){.cache = g->incremental, .past = past});
    if (!g->graph) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    g->past = past;
    g->tokens = tokens;
    g->io = (foci_model_io){.graph = g->graph, .config = o->config, .batch = 1, .tokens = tokens, .window = o->window,
                            .classes = o->vocabulary, .last_only = true, .distribution = true};
    o->model->record(&g->io);
    FOCI_TRY(foci_graph_plan(g->graph, g->io.logprob));
    FOCI_TRY(reserve(g, foci_graph_bytes(g->graph)));
    foci_graph_bind(g->graph, g->memory);
    return make_caches(g);
}

/* The pass over `tokens` tokens from number `first` on, behind `past` others whose keys and values are held. */
static foci_status pass(foci_generator *g, int64_t first, int64_t past, int64_t tokens) {
    FOCI_TRY(open_pass(g, past, tokens));
    g->io.ids->data = g->ids + first;
    for (int i = 0; past && i < g->caches; i++) foci_graph_cache(g->graph, i)->past->data = g->cache[i];
    foci_graph_forward(g->graph);
    for (int i = 0; i < foci_graph_caches(g->graph); i++) {
        const foci_tensor *now = foci_graph_cache(g->graph, i)->now;
        int64_t row = foci_last_dim(now);
        memcpy(g->cache[i] + past * row, foci_data(now) + past * row, (size_t)(tokens * row) * sizeof(foci_real));
    }
    return FOCI_OK;
}

foci_status foci_generator_next(foci_generator *g, const foci_real **logprob) {
    if (!g->count) return foci_fail(FOCI_ERR_RUNTIME, "a text without words has no next word");
    if (g->count > g->options.window) {
        g->incremental = false;
        g->held = 0;
    }
    if (g->held && g->held < g->count - 1) g->held = 0; /* several words at once: all anew */
    int64_t tokens = g->count - g->held, most = g->options.window;
    if (tokens > most) tokens = most;
    FOCI_TRY(pass(g, g->count - tokens, g->held, tokens));
    if (g->incremental) g->held = g->count;
    *logprob = foci_data(g->io.logprob);
    return FOCI_OK;
}
