/* Perplexity of a model with a memory: window after window of all rows at once, what it carries taken along. */
#include <stdlib.h>
#include <string.h>

#include "base/group.h"
#include "base/parallel.h"
#include "core/carry.h"
#include "task/perplexity_work.h"
#include "task/load_model.h"

typedef struct walk {
    const foci_perplexity_options *o;
    const int32_t *token;
    int64_t row;
    foci_program_set set;
    foci_program *whole, *last; /* windows of full length, and the shorter rest; NULL: there is none */
    foci_carry carry;
    int32_t *ids, *targets; /* (rows, length) */
    int64_t held;           /* the window that follows what is carried */
} walk;

static int64_t length_of(const walk *w, int64_t window) {
    const int64_t left = w->row - 1 - window * w->o->window;
    return left < w->o->window ? left : w->o->window;
}

static foci_status open_program(walk *w, foci_program **p, int64_t length) {
    const foci_perplexity_options *o = w->o;
    const foci_graph_options options = foci_run_options(o->config);
    return foci_program_open_model(p, &w->set, &options, o->model,
                                   &(foci_request){.config = o->config,
                                                   .batch = o->columns,
                                                   .classes = o->vocabulary,
                                                   .feeds = "ids targets",
                                                   .number = {{"tokens", (double)length}}});
}

static foci_status open_walk(walk *w, foci_parameters *p, int64_t windows) {
    const int64_t rest = length_of(w, windows - 1);
    const size_t bytes = (size_t)(w->o->columns * w->o->window) * sizeof *w->ids;
    foci_program_set_init(&w->set, p);
    w->set.advice = "score fewer rows at once";
    if (!(w->ids = malloc(bytes)) || !(w->targets = malloc(bytes)))
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for an evaluation");
    if (rest < w->o->window) FOCI_TRY(open_program(w, &w->last, rest));
    if (windows > 1 || !w->last) FOCI_TRY(open_program(w, &w->whole, w->o->window));
    FOCI_TRY(foci_program_set_ready(&w->set));
    return foci_carry_open(&w->carry, w->whole ? w->whole : w->last, w->o->columns);
}

static void close_walk(walk *w) {
    foci_carry_close(&w->carry);
    foci_program_set_free(&w->set);
    free(w->ids);
    free(w->targets);
}

/* Window number i of all rows; `all`: where it counts. */
static foci_status run_window(walk *w, int64_t i, foci_nll_sum *all) {
    const int64_t length = length_of(w, i), rows = w->o->columns;
    foci_program *p = length < w->o->window ? w->last : w->whole;
    const foci_real *nll;
    for (int64_t r = 0; r < rows; r++) {
        const int32_t *from = w->token + r * w->row + i * w->o->window;
        memcpy(w->ids + r * length, from, (size_t)length * sizeof *from);
        memcpy(w->targets + r * length, from + 1, (size_t)length * sizeof *from);
    }
    FOCI_TRY(foci_program_feed(p, "ids", w->ids));
    FOCI_TRY(foci_program_feed(p, "targets", w->targets));
    FOCI_TRY(foci_carry_feed(&w->carry, p, 0));
    FOCI_TRY(foci_program_forward(p));
    FOCI_TRY(foci_program_fetch(p, "nll", &nll));
    for (int64_t k = 0; k < rows * length && all; k++) {
        all->nll += (double)nll[k];
        if (w->o->token_bytes) all->bytes += w->o->token_bytes[w->targets[k]];
    }
    if (all) all->tokens += rows * length;
    FOCI_TRY(foci_carry_take(&w->carry, p, 0));
    foci_carry_advance(&w->carry, p);
    return FOCI_OK;
}

/* What an earlier sitting carried to window `next`: made again by the windows before, as far as they reach. */
static foci_status catch_up(walk *w, int64_t next) {
    const int64_t reach = w->whole ? foci_carry_reach(&w->carry, w->whole) : 0;
    for (int64_t i = next > reach ? next - reach : 0; i < next; i++) FOCI_TRY(run_window(w, i, NULL));
    return FOCI_OK;
}

static foci_status run(void *context, int64_t i, foci_nll_sum *part) {
    walk *w = context;
    if (w->held != i) FOCI_TRY(catch_up(w, i));
    FOCI_TRY(run_window(w, i, part));
    w->held = i + 1;
    return FOCI_OK;
}

foci_status foci_walk_carried(const foci_perplexity_options *o, foci_parameters *p, const int32_t *token, int64_t row,
                              foci_nll_sum *all) {
    const int64_t windows = o->whole_windows ? (row - 1) / o->window : foci_tiles(row - 1, o->window);
    if (!windows)
        return foci_fail(FOCI_ERR_DATA,
                         "rows of %lld tokens have no window of %lld and the token after it: lower model.context or "
                         "the number of rows, or score the tail too",
                         (long long)row, (long long)o->window);
    walk w = {.o = o, .token = token, .row = row};
    foci_status s = foci_group_agree(o->group, open_walk(&w, p, windows));
    const foci_perplexity_parts parts = {windows, 1, run, &w};
    if (!s) s = foci_perplexity_sum(o, &parts, all);
    close_walk(&w);
    return s;
}
