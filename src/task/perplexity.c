#include "task/perplexity_work.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "config/config.h"
#include "task/pieces.h"
#include "task/training.h"
#include "task/load_model.h"

const foci_key foci_walk_keys[] = {
    FOCI_KEY(
        foci_walk_settings, walk, "disjoint", 0, 0, FOCI_WALKS(FOCI_CHOICE_WORD),
        "text: disjoint windows, or sliding by one token, each token but those of the first window predicted from a "
        "full window, or by `stride`; every document by itself; of a model with a memory, its windows in order"),
    FOCI_KEY(foci_walk_settings, stride, "0", 0, 1e9, NULL,
             "text: tokens from window to window of the walks strided and documents; 0: those of a window"),
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
    const foci_graph_options options = foci_run_options(o->config);
    FOCI_TRY(
        foci_program_open_model(&s->program, &s->set, &options, o->model,
                                &(foci_request){.config = o->config,
                                                .batch = s->windows,
                                                .classes = o->vocabulary,
                                                .feeds = "ids targets",
                                                .number = {{"tokens", (double)s->length}, {"last_only", last_only}}}));
    FOCI_TRY(foci_program_set_ready(&s->set));
    FOCI_TRY(foci_program_feed(s->program, "ids", s->ids));
    return foci_program_feed(s->program, "targets", s->targets);
}

/* Windows of one length: number k begins at token start + (k / columns) stride of row k % columns, or where it says. */
typedef struct stretch {
    int64_t count;           /* windows, of all rows */
    int64_t start, stride;   /* tokens */
    int64_t length, counted; /* tokens of a window; the last so many count */
    const struct piece *at;  /* (count), or NULL */
} stretch;

/* A window by itself. */
typedef struct piece {
    const int32_t *from;
    int64_t length, counted;
} piece;

static const int32_t *window_of(const stretch *w, const int32_t *token, int64_t row, int64_t columns, int64_t k) {
    return w->at ? w->at[k].from : token + k % columns * row + w->start + k / columns * w->stride;
}

/* Windows first .. of the stretch, as many as a pass takes; behind the last window it is the last again, not counted.
 */
static foci_status run_pass(pass *s, const foci_perplexity_options *o, const int32_t *token, int64_t row,
                            const stretch *w, int64_t first, foci_nll_sum *all) {
    const int64_t here = w->count - first < s->windows ? w->count - first : s->windows;
    const foci_real *nll;
    for (int64_t i = 0; i < s->windows; i++) {
        int64_t k = first + (i < here ? i : here - 1);
        const int32_t *from = window_of(w, token, row, o->columns, k);
        memcpy(s->ids + i * w->length, from, (size_t)w->length * sizeof *from);
        memcpy(s->targets + i * s->scored, from + 1 + w->length - s->scored, (size_t)s->scored * sizeof *from);
    }
    FOCI_TRY(foci_program_forward(s->program));
    FOCI_TRY(foci_program_fetch(s->program, "nll", &nll));
    for (int64_t i = 0; i < here; i++)
        for (int64_t t = s->scored - w->counted; t < s->scored; t++) {
            all->nll += (double)nll[i * s->scored + t];
            if (o->token_bytes) all->bytes += o->token_bytes[s->targets[i * s->scored + t]];
        }
    all->tokens += here * w->counted;
    return FOCI_OK;
}

/* -------------------------------------------------------------------------------------------------- in parts */

/* What an earlier sitting has summed up behind `done` windows; false: it did not come so far. */
static bool done_before(foci_ledger *ledger, int64_t done, foci_nll_sum *all, foci_status *status) {
    if (!ledger || !foci_ledger_next(ledger)) return false;
    if (atoll(ledger->cell[0]) != done)
        *status =
            foci_fail(FOCI_ERR_DATA, "%s: a row of %s windows where %lld were expected: another text than before?",
                      ledger->path, ledger->cell[0], (long long)done);
    *all = (foci_nll_sum){atof(ledger->cell[2]), atoll(ledger->cell[1]), atoll(ledger->cell[3])};
    return true;
}

static foci_status keep(foci_ledger *ledger, int64_t done, const foci_nll_sum *all) {
    if (!ledger) return FOCI_OK;
    fprintf(ledger->file, "%lld,%lld,%.17g,%lld\n", (long long)done, (long long)all->tokens, all->nll,
            (long long)all->bytes);
    return foci_ledger_keep(ledger);
}

static void add(foci_nll_sum *all, const foci_nll_sum *part) {
    all->nll += part->nll;
    all->tokens += part->tokens;
    all->bytes += part->bytes;
}

/* This process's; without others, they are added as they come. */
static foci_status work_on(const foci_perplexity_options *o, const foci_perplexity_parts *parts, foci_pieces *pieces,
                           foci_nll_sum *all) {
    foci_status s = FOCI_OK;
    for (int64_t i = pieces->first; i < pieces->end && !s; i++) {
        const int64_t behind = (i + 1) * parts->at_once, done = behind < parts->windows ? behind : parts->windows;
        if (done_before(o->ledger, done, all, &s)) continue;
        s = parts->work(parts->context, i, foci_piece(pieces, i));
        if (!s && !o->group) {
            add(all, foci_piece(pieces, i));
            s = keep(o->ledger, done, all);
        }
        foci_watch_tell(o->watch, foci_pieces_done(pieces, done - pieces->first * parts->at_once, parts->windows),
                        parts->windows);
        if (!s) s = foci_pieces_meet(pieces, i, foci_watch_stopped(o->watch));
    }
    return s;
}

foci_status foci_perplexity_sum(const foci_perplexity_options *o, const foci_perplexity_parts *parts,
                                foci_nll_sum *all) {
    foci_pieces pieces;
    foci_status s = foci_pieces_open(&pieces, o->group, foci_tiles(parts->windows, parts->at_once), sizeof *all);
    if (!s) s = foci_pieces_gather(&pieces, work_on(o, parts, &pieces, all));
    for (int64_t i = 0; i < pieces.count && !s && o->group; i++) add(all, foci_piece(&pieces, i));
    foci_pieces_close(&pieces);
    return s;
}

/* ---------------------------------------------------------------------------------------------------- walks */

typedef struct stretch_walk {
    pass pass;
    const foci_perplexity_options *o;
    const int32_t *token;
    int64_t row;
    const stretch *windows;
} stretch_walk;

static foci_status run_part(void *context, int64_t i, foci_nll_sum *part) {
    stretch_walk *w = context;
    return run_pass(&w->pass, w->o, w->token, w->row, w->windows, i * w->pass.windows, part);
}

static foci_status run(const foci_perplexity_options *o, foci_parameters *p, const int32_t *token, int64_t row,
                       const stretch *w, foci_nll_sum *all) {
    if (!w->count) return FOCI_OK;
    stretch_walk walk = {.o = o, .token = token, .row = row, .windows = w};
    walk.pass =
        (pass){.length = w->length, .counted = w->counted, .windows = o->at_once < w->count ? o->at_once : w->count};
    foci_status s = foci_group_agree(o->group, open_pass(&walk.pass, o, p));
    const foci_perplexity_parts parts = {w->count, walk.pass.windows, run_part, &walk};
    if (!s) s = foci_perplexity_sum(o, &parts, all);
    close_pass(&walk.pass);
    return s;
}

/* The first window of each row, those behind it, and what is left. */
static foci_status walk_strided(const foci_perplexity_options *o, foci_parameters *p, const int32_t *token, int64_t row,
                                int64_t stride, foci_nll_sum *all) {
    const int64_t w = o->window, columns = o->columns, behind = row - 1 - w;
    const int64_t whole = behind < 0 ? 0 : 1 + behind / stride, start = whole * stride,
                  rest = behind < 0 ? row - 1 : behind % stride;
    const bool alike = stride == w; /* the first window is as the others */
    const stretch first = {.count = whole && !alike ? columns : 0, .length = w, .counted = w};
    const stretch others = {.count = (whole - !alike) * columns,
                            .start = alike ? 0 : stride,
                            .stride = stride,
                            .length = w,
                            .counted = stride};
    const stretch last = {
        .count = rest && !o->whole_windows ? columns : 0, .start = start, .length = row - 1 - start, .counted = rest};
    FOCI_TRY(run(o, p, token, row, &first, all));
    if (whole) FOCI_TRY(run(o, p, token, row, &others, all));
    return run(o, p, token, row, &last, all);
}

static foci_status walk_rows(const foci_perplexity_options *o, foci_parameters *p, const int32_t *token, int64_t row,
                             foci_nll_sum *all) {
    const int64_t w = o->window, asked = o->stride ? o->stride : w;
    if (o->walk == FOCI_WALK_SLIDING && row <= w)
        return foci_fail(FOCI_ERR_DATA,
                         "rows of %lld tokens are too short for a window of %lld and the token after it: lower "
                         "model.context, or walk in disjoint windows",
                         (long long)row, (long long)w);
    if (asked > w)
        return foci_fail(FOCI_ERR_CONFIG, "a stride of %lld tokens is longer than the window of %lld", (long long)asked,
                         (long long)w);
    const int64_t stride = o->walk == FOCI_WALK_SLIDING ? 1 : o->walk == FOCI_WALK_STRIDED ? asked : w;
    return walk_strided(o, p, token, row, stride, all);
}

/* Longest first, so that the first program needs the most memory. */
static int by_shape(const void *a, const void *b) {
    const piece *x = a, *y = b;
    if (x->length != y->length) return x->length < y->length ? 1 : -1;
    if (x->counted != y->counted) return x->counted < y->counted ? 1 : -1;
    return (x->from > y->from) - (x->from < y->from);
}

/* Windows of all documents of a stream that begins with an end of text; `windows` NULL: only counted. */
static int64_t cut_documents(const foci_perplexity_options *o, const int32_t *token, int64_t count, piece *windows) {
    const int64_t w = o->window, stride = o->stride ? o->stride : w;
    int64_t found = 0;
    for (int64_t first = 0, end; first < count; first = end) {
        for (end = first + 1; end < count && token[end] != o->end_of_text;) end++;
        for (int64_t at = first, done = 0; done < end - first - 1; at += stride, found++) {
            const int64_t length = end - 1 - at < w ? end - 1 - at : w;
            if (windows) windows[found] = (piece){token + at, length, at + length - first - done};
            done = at + length - first;
        }
    }
    return found;
}

static foci_status run_documents(const foci_perplexity_options *o, foci_parameters *p, const piece *windows,
                                 int64_t count, foci_nll_sum *all) {
    for (int64_t first = 0, end; first < count; first = end) {
        const piece *w = &windows[first];
        for (end = first + 1; end < count && windows[end].length == w->length && windows[end].counted == w->counted;)
            end++;
        const stretch alike = {.count = end - first, .length = w->length, .counted = w->counted, .at = w};
        FOCI_TRY(run(o, p, NULL, 0, &alike, all));
    }
    return FOCI_OK;
}

static foci_status walk_documents(const foci_perplexity_options *o, foci_parameters *p, const int32_t *token,
                                  int64_t count, foci_nll_sum *all) {
    if (o->end_of_text < 0)
        return foci_fail(FOCI_ERR_CONFIG, "the walk over documents needs tokens with an end of text");
    if (o->stride > o->window)
        return foci_fail(FOCI_ERR_CONFIG, "a stride of %lld tokens is longer than the window of %lld",
                         (long long)o->stride, (long long)o->window);
    int32_t *stream = malloc((size_t)(count + 1) * sizeof *stream);
    if (stream) memcpy(stream + 1, token, (size_t)count * sizeof *stream), stream[0] = o->end_of_text;
    const int64_t found = stream ? cut_documents(o, stream, count + 1, NULL) : 0;
    piece *windows = malloc((size_t)(found + 1) * sizeof *windows);
    foci_status s = stream && windows ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for an evaluation");
    if (!s && !found) s = foci_fail(FOCI_ERR_DATA, "there is no document with a token");
    if (!s) {
        cut_documents(o, stream, count + 1, windows);
        qsort(windows, (size_t)found, sizeof *windows, by_shape);
        s = run_documents(o, p, windows, found, all);
    }
    free(windows);
    free(stream);
    return s;
}

foci_status foci_perplexity(const foci_perplexity_options *o, foci_parameters *p, const int32_t *token, int64_t count,
                            foci_score *score) {
    const int64_t row = count / o->columns;
    foci_nll_sum all = {0};
    *score = (foci_score){0};
    if (row < 2 && o->walk != FOCI_WALK_DOCUMENTS)
        return foci_fail(FOCI_ERR_DATA, "%lld tokens are too few for %lld rows", (long long)count,
                         (long long)o->columns);
    if (o->model->carries) FOCI_TRY(foci_walk_carried(o, p, token, row, &all));
    else if (o->walk == FOCI_WALK_DOCUMENTS) FOCI_TRY(walk_documents(o, p, token, count, &all));
    else FOCI_TRY(walk_rows(o, p, token, row, &all));
    FOCI_TRY(foci_score_put(score, "nll", all.nll, (double)all.tokens));
    if (o->token_bytes) FOCI_TRY(foci_score_put(score, "bytes", (double)all.bytes, (double)all.bytes));
    return foci_score_put(score, o->counted ? o->counted : "tokens", (double)all.tokens, (double)all.tokens);
}

/* An end-of-text token has no bytes, nor has another special one: they are no text. */
static foci_status bytes_of_tokens(const foci_vocabulary *v, int32_t **bytes) {
    const foci_bpe *bpe = foci_vocabulary_bpe(v);
    const int64_t size = foci_vocabulary_size(v);
    *bytes = NULL;
    if (!bpe) return FOCI_OK;
    if (!(*bytes = malloc((size_t)size * sizeof **bytes)))
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for an evaluation");
    for (int32_t id = 0; id < size; id++) {
        const foci_token t = foci_bpe_token(bpe, id);
        (*bytes)[id] = t.special ? 0 : (int32_t)t.size;
    }
    return FOCI_OK;
}

enum { SLIDING_TOKENS = 16384 }; /* of the windows of one pass */

foci_status foci_perplexity_as_configured(const foci_config *config, const foci_model *model,
                                          const foci_vocabulary *vocabulary, const foci_walk_settings *how,
                                          foci_parameters *p, const int32_t *token, int64_t count, foci_ledger *ledger,
                                          foci_group *group, const foci_watch *watch, foci_score *score) {
    static const char *const counted[] = {"tokens", "characters", "bytes", "tokens"};
    const foci_training train = foci_training_read(config);
    const int64_t window = foci_config_int(config, "model.context");
    const int64_t batch = train.eval_batch ? train.eval_batch : train.batch_size;
    foci_perplexity_options o = {.model = model,
                                 .config = config,
                                 .vocabulary = foci_vocabulary_size(vocabulary),
                                 .counted = counted[foci_vocabulary_tokens(vocabulary)],
                                 .window = window,
                                 .walk = how->walk,
                                 .stride = how->stride,
                                 .end_of_text = foci_vocabulary_end_of_text(vocabulary),
                                 .columns = how->rows, /* not those of training */
                                 .whole_windows = how->whole_windows,
                                 .at_once = batch,
                                 .ledger = ledger,
                                 .group = group,
                                 .watch = watch};
    /* Each window brings only one token before the large weights of the softmax. */
    if (how->walk == FOCI_WALK_SLIDING && o.at_once < foci_tiles(SLIDING_TOKENS, window))
        o.at_once = foci_tiles(SLIDING_TOKENS, window);
    int32_t *bytes;
    FOCI_TRY(bytes_of_tokens(vocabulary, &bytes));
    o.token_bytes = bytes;
    const foci_status status = foci_perplexity(&o, p, token, count, score);
    free(bytes);
    return status;
}
