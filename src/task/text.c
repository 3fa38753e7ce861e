/* Language modelling: contiguous columns of a token stream, read window by window; perplexity by two walks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "models/models.h"
#include "task/corpus.h"
#include "task/perplexity.h"
#include "task/task.h"
#include "task/training.h"

struct foci_task_state {
    const foci_config *config;
    foci_corpus corpus;
    foci_windows windows;
    int64_t batch_size, window;
    bool drawn;   /* windows that begin anywhere (data.windows) */
    bool endless; /* the model goes on from window to window: how the text is read then (foci_windows_endless) */
    bool begins;  /* the current step reads elsewhere than behind the last one */
    uint64_t seed;
    int32_t *ids, *targets; /* of the current step, (batch, length) */
    int64_t length;
};

static void close_text(foci_task_state *s) {
    foci_corpus_close(&s->corpus);
    free(s->ids);
    free(s->targets);
}

static foci_status open_training(foci_task_state *s) {
    FOCI_TRY(foci_corpus_blame(s->config, FOCI_TRAIN,
                               foci_windows_make(&s->windows, &s->corpus.train, s->batch_size, s->window)));
    if (s->endless) FOCI_TRY(foci_corpus_blame(s->config, FOCI_TRAIN, foci_windows_check_endless(&s->windows)));
    if (s->drawn && s->corpus.train.count <= s->window)
        return foci_corpus_blame(s->config, FOCI_TRAIN,
                                 foci_fail(FOCI_ERR_DATA, "%lld tokens have no window of %lld and the token after it",
                                           (long long)s->corpus.train.count, (long long)s->window));
    size_t bytes = (size_t)(s->batch_size * s->window) * sizeof *s->ids;
    s->ids = malloc(bytes);
    s->targets = malloc(bytes);
    return s->ids && s->targets ? FOCI_OK : foci_out_of_memory();
}

/* Before the first step: can the evaluations be made? */
static foci_status check_validation(const foci_task_state *s) {
    const foci_tokens *tokens;
    FOCI_TRY(foci_corpus_tokens(&s->corpus, s->config, FOCI_VALID, &tokens));
    if (tokens->count > 1) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s: one token, from which none can be predicted",
                     foci_config_string(s->config, "data.valid"));
}

/* And the test at the end? */
static foci_status check_final_test(const foci_task_state *s, bool test_at_end) {
    const long long count = s->corpus.test.count, window = s->window;
    if (!test_at_end || count > window) return FOCI_OK;
    return foci_config_fail(s->config, "train.test_at_end",
                            "data.test has %lld tokens, fewer than a window of %lld and one more", count, window);
}

static const char *noun(const foci_task_state *s) {
    return foci_token_noun(foci_vocabulary_tokens(s->corpus.vocabulary));
}

static foci_status open_text(foci_task_state *s, const foci_config *c, unsigned splits) {
    const foci_training asked = foci_training_read(c);
    s->config = c;
    s->batch_size = asked.batch_size;
    s->seed = (uint64_t)asked.seed;
    const foci_model *model = foci_model_find(foci_config_string(c, "model.kind"));
    s->endless = model && model->carries;
    s->drawn = strcmp(foci_config_string(c, "data.windows"), "drawn") == 0;
    if (s->endless && s->drawn)
        return foci_config_fail(c, "data.windows", "drawn: %s goes on from window to window", model->name);
    s->window = foci_config_int(c, "model.context");
    FOCI_TRY(foci_corpus_open(&s->corpus, c, splits));
    int64_t words = foci_vocabulary_size(s->corpus.vocabulary), wanted = foci_config_int(c, "model.vocab");
    if (wanted && wanted != words)
        return foci_config_fail(c, "model.vocab", "%lld, but the training text has %lld %s", (long long)wanted,
                                (long long)words, noun(s));
    if (!(splits & FOCI_TRAIN)) return FOCI_OK;
    if (splits & FOCI_VALID) FOCI_TRY(check_validation(s));
    FOCI_TRY(check_final_test(s, asked.test_at_end));
    return open_training(s);
}

static int64_t classes(const foci_task_state *s) { return foci_vocabulary_size(s->corpus.vocabulary); }
static void describe(const foci_task_state *s, char *text, size_t size) {
    snprintf(text, size, "%lld training, %lld validation, %lld test tokens, %lld %s", (long long)s->corpus.train.count,
             (long long)s->corpus.valid.count, (long long)s->corpus.test.count,
             (long long)foci_vocabulary_size(s->corpus.vocabulary), noun(s));
}

static foci_status mean(const foci_task_state *s, foci_meaning *m) { return foci_corpus_mean(&s->corpus, m); }
static foci_status list(const foci_task_state *s, foci_manifest *m) {
    return foci_corpus_list(&s->corpus, s->config, m);
}

/* Read without an end, about a pass makes an epoch. */
static int64_t updates(const foci_task_state *s) {
    const int64_t drawn = (s->corpus.train.count - 1) / (s->batch_size * s->window);
    if (s->drawn) return drawn > 0 ? drawn : 1;
    return s->endless ? (s->windows.column - 1) / s->window : foci_windows_count(&s->windows);
}
static int64_t length_of(const foci_task_state *s, int64_t update) {
    return s->endless || s->drawn ? s->window : foci_windows_length(&s->windows, update);
}
static int shape_of(const foci_task_state *s, int64_t update) { return length_of(s, update) != length_of(s, 0); }
static int shapes(const foci_task_state *s) { return 1 + shape_of(s, updates(s) - 1); }
static void prepare(const foci_task_state *s, int shape, foci_request *r) {
    r->classes = classes(s);
    r->feeds = foci_task_text.feeds;
    r->number[0] = (foci_named_number){"tokens", (double)length_of(s, shape ? updates(s) - 1 : 0)};
}
static foci_status seek(foci_task_state *s, int64_t epoch, int64_t update) {
    (void)s, (void)epoch, (void)update; /* the order is the text's, the position is the update's */
    return FOCI_OK;
}
static foci_status next(foci_task_state *s, int64_t epoch, int64_t update) {
    int64_t start = update * s->window;
    if (s->endless) start = foci_windows_endless(&s->windows, s->seed, epoch * updates(s) + update, &s->begins);
    s->length = length_of(s, update);
    if (s->drawn)
        return foci_windows_draw(&s->windows, s->seed, epoch * updates(s) + update, s->ids, s->targets), FOCI_OK;
    foci_windows_copy(&s->windows, start, s->length, s->ids, s->targets);
    return FOCI_OK;
}
static bool begins(const foci_task_state *s) { return s->begins; }
static foci_status feed(const foci_task_state *s, foci_program *p, int64_t first) {
    FOCI_TRY(foci_program_feed(p, "ids", s->ids + first * s->length));
    return foci_program_feed(p, "targets", s->targets + first * s->length);
}
static int64_t items_in(const foci_task_state *s, int64_t update) { return s->batch_size * length_of(s, update); }

/* --------------------------------------------------------------------------------------------- evaluation */

static foci_status evaluate(foci_task_state *s, const foci_model *model, foci_parameters *p, const foci_evaluation *e,
                            const void *settings, const foci_watch *watch, foci_score *score) {
    const foci_walk_settings *how = settings;
    const foci_tokens *tokens;
    unsigned which;
    FOCI_TRY(foci_corpus_split(e->split, &which));
    FOCI_TRY(foci_corpus_tokens(&s->corpus, s->config, which, &tokens));
    return foci_corpus_blame(s->config, which,
                             foci_perplexity_as_configured(s->config, model, s->corpus.vocabulary, how, p, tokens->ids,
                                                           tokens->count, e->ledger, e->group, watch, score));
}

static const char *const sliding[] = {"walk=sliding"};
static const foci_task_test test = {{"test", sliding, 1}, .how = "sliding windows", .what = "the test text"};

/* ------------------------------------------------------------------------------------------------ samples */

/* Disjoint windows, from the first token on. */
static foci_status count_windows(const foci_task_state *s, int64_t *count) {
    const foci_tokens *tokens;
    FOCI_TRY(foci_corpus_tokens(&s->corpus, s->config, FOCI_VALID, &tokens));
    *count = tokens->count / s->window;
    if (*count > 0) return FOCI_OK;
    return foci_corpus_blame(s->config, FOCI_VALID,
                             foci_fail(FOCI_ERR_DATA,
                                       "%lld tokens, fewer than the %lld of a window: lower model.context",
                                       (long long)tokens->count, (long long)s->window));
}

static foci_status read_windows(const foci_task_state *s, int64_t count, int64_t first, int64_t n, void *out) {
    const foci_tokens *tokens = &s->corpus.valid;
    const int64_t all = tokens->count / s->window;
    int32_t *ids = out;
    for (int64_t i = 0; i < n; i++)
        memcpy(ids + i * s->window, tokens->ids + (first + i) * all / count * s->window,
               (size_t)s->window * sizeof *ids);
    return FOCI_OK;
}

static const foci_task_samples samples = {
    .items = "windows", .input = "ids", .few = 64, .at_once = 16, .count = count_windows, .read = read_windows};

const foci_task foci_task_text = {
    .name = "text",
    .summary = "language modelling",
    .item = "token",
    .items = "tokens",
    .feeds = "ids targets",
    .counted = "targets",
    .metric = "ppl",
    .labels = "vocabulary",
    .keeps_labels = true,
    .classes_key = "model.vocab",
    .classes_else = 20000,
    .settings = foci_walk_keys,
    .test = &test,
    .sums = "windows,tokens,nll,bytes",
    .samples = &samples,
    .size = sizeof(foci_task_state),
    .open = open_text,
    .close = close_text,
    .classes = classes,
    .describe = describe,
    .mean = mean,
    .list = list,
    .updates = updates,
    .shapes = shapes,
    .shape_of = shape_of,
    .prepare = prepare,
    .seek = seek,
    .next = next,
    .feed = feed,
    .begins = begins,
    .items_in = items_in,
    .evaluate = evaluate,
};
