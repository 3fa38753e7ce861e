#include "task/generator.h"

#include <stdlib.h>
#include <string.h>

#include "attention/attend.h"
#include "base/memory.h"
#include "task/load_model.h"

bool foci_generator_keeps(const foci_generator_options *o) {
    return !o->recompute && !o->model->carries && foci_attention_abilities(o->config) & FOCI_INCREMENTAL;
}

foci_status foci_generator_open(foci_generator *g, const foci_generator_options *options, foci_parameters *parameters) {
    *g = (foci_generator){.options = *options, .parameters = parameters};
    foci_program_set_init(&g->set, parameters);
    if (!g->options.rows) g->options.rows = 1;
    g->batch = malloc((size_t)(g->options.rows * options->window) * sizeof *g->batch);
    if (!g->batch) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld texts", (long long)g->options.rows);
    g->incremental = foci_generator_keeps(options);
    return FOCI_OK;
}

void foci_generator_close(foci_generator *g) {
    for (int i = 0; i < g->caches; i++) free(g->cache[i]);
    free(g->cache);
    foci_carry_close(&g->carry);
    foci_program_set_free(&g->set);
    free(g->ids);
    free(g->batch);
    *g = (foci_generator){.count = 0};
}

/* `count` words of every text. */
static void copy_rows(const foci_generator *g, const int32_t *from, int64_t from_row, int32_t *to, int64_t to_row,
                      int64_t count) {
    for (int64_t i = 0; i < g->options.rows && count; i++)
        memcpy(to + i * to_row, from + i * from_row, (size_t)count * sizeof *to);
}

foci_status foci_generator_add(foci_generator *g, const int32_t *ids, int64_t count) {
    if (g->count + count > g->room) {
        int64_t room = 2 * (g->count + count);
        int32_t *grown = malloc((size_t)(g->options.rows * room) * sizeof *grown);
        if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a text of %lld words", (long long)room);
        copy_rows(g, g->ids, g->room, grown, room, g->count);
        free(g->ids);
        g->ids = grown;
        g->room = room;
    }
    copy_rows(g, ids, count, g->ids + g->count, g->room, count);
    g->count += count;
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------- a pass */

static const foci_graph *graph(const foci_generator *g) { return foci_program_graph(g->program); }

/* One row for every token of every window, for all that the model caches, which has the same order in every program. */
static foci_status feed_caches(foci_generator *g) {
    const int slots = foci_graph_slots(graph(g));
    if (!g->cache && !(g->cache = calloc((size_t)slots, sizeof *g->cache)))
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for keys and values");
    for (int i = 0, n = 0; i < slots; i++) {
        const foci_slot *s = foci_graph_slot(graph(g), i);
        if (s->kind != FOCI_SLOT_CACHE) continue;
        if (n == g->caches &&
            !(g->cache[g->caches++] = foci_large_alloc((size_t)foci_numel(s->tensor) * sizeof(foci_real))))
            return foci_fail(FOCI_ERR_RUNTIME, "out of memory for keys and values");
        FOCI_TRY(foci_program_feed(g->program, s->name, g->cache[n++]));
    }
    return FOCI_OK;
}

/* Recording and planning take little beside the pass itself, so every length has its own program. */
static foci_status open_pass(foci_generator *g, int64_t past, int64_t tokens) {
    const foci_generator_options *o = &g->options;
    if (g->program && g->past == past && g->tokens == tokens) return FOCI_OK;
    foci_program_close(g->program);
    g->past = past;
    g->tokens = tokens;
    foci_graph_options options = foci_run_options(o->config);
    options.room = g->incremental ? o->window : 0;
    options.past = past;
    FOCI_TRY(foci_program_open_model(
        &g->program, &g->set, &options, o->model,
        &(foci_request){.config = o->config,
                        .batch = o->rows,
                        .classes = o->vocabulary,
                        .feeds = "ids",
                        .number = {{"tokens", (double)tokens}, {"window", (double)o->window}, {"last_only", 1}}}));
    return foci_program_set_ready(&g->set);
}

/* The pass over `tokens` tokens from number `first` on, behind `past` others whose keys and values are held. */
static foci_status pass(foci_generator *g, int64_t first, int64_t past, int64_t tokens) {
    FOCI_TRY(open_pass(g, past, tokens));
    copy_rows(g, g->ids + first, g->room, g->batch, tokens, tokens);
    FOCI_TRY(foci_program_feed(g->program, "ids", g->batch));
    FOCI_TRY(feed_caches(g));
    return foci_program_forward(g->program);
}

/* Words that are not held yet, one by one, each a window behind all that is carried. */
static foci_status read_on(foci_generator *g) {
    const foci_generator_options *o = &g->options;
    if (!g->program) {
        const foci_request r = {
            .config = o->config, .batch = o->rows, .classes = o->vocabulary, .feeds = "ids", .number = {{"tokens", 1}}};
        const foci_graph_options options = foci_run_options(o->config);
        FOCI_TRY(foci_program_open_model(&g->program, &g->set, &options, o->model, &r));
        FOCI_TRY(foci_program_set_ready(&g->set));
        FOCI_TRY(foci_carry_open(&g->carry, g->program, o->rows));
    }
    if (o->recompute) {
        foci_carry_clear(&g->carry);
        g->held = 0;
    }
    for (; g->held < g->count; g->held++) {
        copy_rows(g, g->ids + g->held, g->room, g->batch, 1, 1);
        FOCI_TRY(foci_program_feed(g->program, "ids", g->batch));
        FOCI_TRY(foci_carry_feed(&g->carry, g->program, 0));
        FOCI_TRY(foci_program_forward(g->program));
        FOCI_TRY(foci_carry_take(&g->carry, g->program, 0));
        foci_carry_advance(&g->carry, g->program);
    }
    return FOCI_OK;
}

foci_status foci_generator_next(foci_generator *g, const foci_real **logprob) {
    if (g->count && g->options.model->carries) {
        FOCI_TRY(read_on(g));
        return foci_program_fetch(g->program, "logprob", logprob);
    }
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
    return foci_program_fetch(g->program, "logprob", logprob);
}
