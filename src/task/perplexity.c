#include "task/perplexity_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "config/config.h"
#include "task/training.h"

const foci_key foci_walk_keys[] = {
    FOCI_KEY(
        foci_walk_settings, walk, "disjoint", 0, 0, FOCI_WALKS(FOCI_CHOICE_WORD),
        "text: disjoint windows, or sliding by one token, each token but those of the first window predicted from a "
        "full window; of a model with a memory, its windows in order"),
    FOCI_KEY(foci_walk_settings, rows, "1", 1, 1e6, NULL,
             "text: it is cut into so many rows, each a text of its own that begins with nothing before it"),
    FOCI_KEY(foci_walk_settings, whole_windows, "false", 0, 0, NULL,
             "text: what is left of a row behind its whole windows is not scored"),
    {0}};

/* A recorded forward pass over `windows` windows of `length` tokens. */
typedef struct pass {
    foci_program_set set;
    foci_program *program;
    int64_t windows, length, counted;
    int32_t *ids, *targets; /* (windows, length), (windows, scored) */
    int64_t scored;         /* of each window, the last so many tokens: all, or the last alone */
} pass;

static void close_pass(pass *s) {
    foci_program_set_free(&s->set);
    free(s->ids);
    free(s->targets);
}

static foci_status open_pass(pass *s, const foci_perplexity_options *o, foci_parameters *p) {
    bool last_only = s->counted == 1 && s->length > 1;
    s->scored = last_only ? 1 : s->length;
    foci_program_set_init(&s->set, p);
    s->set.advice = "lower train.eval_batch";
    s->ids = malloc((size_t)(s->windows * s->length) * sizeof *s->ids);
    s->targets = malloc((size_t)(s->windows * s->scored) * sizeof *s->targets);
    if (!s->ids || !s->targets) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for an evaluation");
    FOCI_TRY(
        foci_program_open_model(&s->program, &s->set, &(foci_graph_options){0}, o->model,
                                &(foci_request){.config = o->config,
                                                .batch = s->windows,
                                                .classes = o->vocabulary,
                                                .feeds = "ids targets",
                                                .number = {{"tokens", (double)s->length}, {"last_only", last_only}}}));
    FOCI_TRY(foci_program_set_ready(&s->set));
    FOCI_TRY(foci_program_feed(s->program, "ids", s->ids));
    return foci_program_feed(s->program, "targets", s->targets);
}

/* Windows of one length: number k begins at token start + (k / columns) stride of row k % columns. */
typedef struct stretch {
    int64_t count;           /* windows, of all rows */
    int64_t start, stride;   /* tokens */
    int64_t length, counted; /* tokens of a window; the last so many count */
} stretch;

/* Windows first .. of the stretch, as many as a pass takes; behind the last window it is the last again, not counted.
 */
static foci_status run_pass(pass *s, const int32_t *token, int64_t row, int64_t columns, const stretch *w,
                            int64_t first, foci_nll_sum *all) {
    const int64_t here = w->count - first < s->windows ? w->count - first : s->windows;
    const foci_real *nll;
    for (int64_t i = 0; i < s->windows; i++) {
        int64_t k = first + (i < here ? i : here - 1);
        const int32_t *from = token + k % columns * row + w->start + k / columns * w->stride;
        memcpy(s->ids + i * w->length, from, (size_t)w->length * sizeof *from);
        memcpy(s->targets + i * s->scored, from + 1 + w->length - s->scored, (size_t)s->scored * sizeof *from);
    }
    FOCI_TRY(foci_program_forward(s->program));
    FOCI_TRY(foci_program_fetch(s->program, "nll", &nll));
    for (int64_t i = 0; i < here; i++)
        for (int64_t t = s->scored - w->counted; t < s->scored; t++) all->nll += (double)nll[i * s->scored + t];
    all->tokens += here * w->counted;
    return FOCI_OK;
}

bool foci_perplexity_done(foci_ledger *ledger, int64_t done, foci_nll_sum *all, foci_status *status) {
    if (!ledger || !foci_ledger_next(ledger)) return false;
    if (atoll(ledger->cell[0]) != done)
        *status =
            foci_fail(FOCI_ERR_DATA, "%s: a row of %s windows where %lld were expected: another text than before?",
                      ledger->path, ledger->cell[0], (long long)done);
    *all = (foci_nll_sum){atof(ledger->cell[2]), atoll(ledger->cell[1])};
    return true;
}

foci_status foci_perplexity_keep(foci_ledger *ledger, int64_t done, const foci_nll_sum *all) {
    if (!ledger) return FOCI_OK;
    fprintf(ledger->file, "%lld,%lld,%.17g\n", (long long)done, (long long)all->tokens, all->nll);
    return foci_ledger_keep(ledger);
}

static foci_status run(const foci_perplexity_options *o, foci_parameters *p, const int32_t *token, int64_t row,
                       const stretch *w, foci_nll_sum *all) {
    if (!w->count) return FOCI_OK;
    pass s = {.length = w->length, .counted = w->counted, .windows = o->at_once < w->count ? o->at_once : w->count};
    foci_status status = open_pass(&s, o, p);
    for (int64_t first = 0; first < w->count && !status; first += s.windows) {
        const int64_t done = first + s.windows < w->count ? first + s.windows : w->count;
        if (foci_perplexity_done(o->ledger, done, all, &status)) continue;
        status = run_pass(&s, token, row, o->columns, w, first, all);
        if (!status) status = foci_perplexity_keep(o->ledger, done, all);
        foci_watch_tell(o->watch, done, w->count);
        if (!status) status = foci_watch_stopped(o->watch);
    }
    close_pass(&s);
    return status;
}

/* The first window wholly, then the last token of each that begins one further on. */
static foci_status walk_sliding(const foci_perplexity_options *o, foci_parameters *p, const int32_t *token, int64_t row,
                                foci_nll_sum *all) {
    const int64_t w = o->window, columns = o->columns;
    if (row <= w)
        return foci_fail(FOCI_ERR_DATA,
                         "rows of %lld tokens are too short for a window of %lld and the token after it: lower "
                         "model.context, or walk in disjoint windows",
                         (long long)row, (long long)w);
    const stretch first = {.count = columns, .length = w, .counted = w};
    const stretch others = {.count = (row - 1 - w) * columns, .start = 1, .stride = 1, .length = w, .counted = 1};
    FOCI_TRY(run(o, p, token, row, &first, all));
    return run(o, p, token, row, &others, all);
}

static foci_status walk_disjoint(const foci_perplexity_options *o, foci_parameters *p, const int32_t *token,
                                 int64_t row, foci_nll_sum *all) {
    const int64_t w = o->window, columns = o->columns, whole = (row - 1) / w, rest = (row - 1) % w;
    const stretch windows = {.count = whole * columns, .stride = w, .length = w, .counted = w};
    const stretch last = {
        .count = rest && !o->whole_windows ? columns : 0, .start = whole * w, .length = rest, .counted = rest};
    FOCI_TRY(run(o, p, token, row, &windows, all));
    return run(o, p, token, row, &last, all);
}

foci_status foci_perplexity(const foci_perplexity_options *o, foci_parameters *p, const int32_t *token, int64_t count,
                            foci_score *score) {
    const int64_t row = count / o->columns;
    foci_nll_sum all = {0, 0};
    *score = (foci_score){0};
    if (row < 2)
        return foci_fail(FOCI_ERR_DATA, "%lld tokens are too few for %lld rows", (long long)count,
                         (long long)o->columns);
    if (o->model->carries) FOCI_TRY(foci_walk_carried(o, p, token, row, &all));
    else FOCI_TRY((o->walk == FOCI_WALK_SLIDING ? walk_sliding : walk_disjoint)(o, p, token, row, &all));
    FOCI_TRY(foci_score_put(score, "nll", all.nll, (double)all.tokens));
    return foci_score_put(score, o->counted ? o->counted : "tokens", (double)all.tokens, (double)all.tokens);
}

enum { SLIDING_TOKENS = 16384 }; /* of the windows of one pass */

foci_status foci_perplexity_as_configured(const foci_config *config, const foci_model *model,
                                          const foci_vocabulary *vocabulary, const foci_walk_settings *how,
                                          foci_parameters *p, const int32_t *token, int64_t count, foci_ledger *ledger,
                                          const foci_watch *watch, foci_score *score) {
    static const char *const counted[] = {"tokens", "characters", "bytes"};
    const foci_training train = foci_training_read(config);
    const int64_t window = foci_config_int(config, "model.context");
    const int64_t batch = train.eval_batch ? train.eval_batch : train.batch_size;
    foci_perplexity_options o = {.model = model,
                                 .config = config,
                                 .vocabulary = foci_vocabulary_size(vocabulary),
                                 .counted = counted[foci_vocabulary_tokens(vocabulary)],
                                 .window = window,
                                 .walk = how->walk,
                                 .columns = how->rows, /* not those of training */
                                 .whole_windows = how->whole_windows,
                                 .at_once = batch,
                                 .ledger = ledger,
                                 .watch = watch};
    /* Each window brings only one token before the large weights of the softmax. */
    if (how->walk == FOCI_WALK_SLIDING && o.at_once < foci_tiles(SLIDING_TOKENS, window))
        o.at_once = foci_tiles(SLIDING_TOKENS, window);
    return foci_perplexity(&o, p, token, count, score);
}
