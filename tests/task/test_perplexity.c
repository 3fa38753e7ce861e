/* The two walks: counts, errors, and that the number of windows per pass does not matter. Their sums are
 * checked against golden values in tests/verify/test_verify.c. */
#include "check.h"

#include <math.h>

#include "attention/attention.h"
#include "base/philox.h"
#include "config/config.h"
#include "models/models.h"
#include "task/perplexity.h"

enum { VOCABULARY = 29, TOKENS = 200 };

typedef struct fixture {
    foci_config *config;
    foci_parameters p;
    int32_t token[TOKENS];
    foci_perplexity_options options;
} fixture;

static foci_program *record(foci_program_set *set, fixture *f, const foci_model *model, int64_t tokens) {
    foci_program *p;
    foci_program_set_init(set, &f->p);
    assert_ok(foci_program_open_model(
        &p, set, &(foci_graph_options){0}, model,
        &(foci_request){
            .config = f->config, .batch = 1, .feeds = "ids targets", .number = {{"tokens", (double)tokens}}}));
    assert_ok(foci_program_set_ready(set));
    return p;
}

static int set_up(void **state) {
    fixture *f = calloc(1, sizeof *f);
    const foci_model *lm = foci_model_find("lm");
    const foci_attention *softmax = foci_attention_find("softmax");
    static const char text[] =
        "model: {kind: lm, vocab: 29, d_model: 8, depth: 2, num_heads: 2, d_inner: 12, cutoffs: [10]}\n"
        "attention: {kind: softmax}\n";
    const foci_key model_kind[] = {{"kind", FOCI_KEY_CHOICE, NULL, 0, 0, "lm", "model"}, {0}};
    const foci_key attention_kind[] = {{"kind", FOCI_KEY_CHOICE, NULL, 0, 0, "softmax", "attention"}, {0}};
    const foci_section section[] = {{"model", NULL, model_kind},
                                    {"model", "lm", lm->keys},
                                    {"attention", NULL, attention_kind},
                                    {"attention", "softmax", softmax->keys}};
    assert_ok(foci_config_parse(&f->config, &(foci_schema){section, 4}, "test", text, strlen(text), NULL, 0));
    foci_parameters_init(&f->p);
    foci_program_set set;
    record(&set, f, lm, 4);
    foci_program_set_free(&set);
    foci_parameters_initialise(&f->p, 3);
    foci_rng rng = foci_rng_make(1, 2, 3);
    for (int i = 0; i < TOKENS; i++) f->token[i] = (int32_t)foci_rng_below(&rng, VOCABULARY);
    f->options = (foci_perplexity_options){.model = lm, .config = f->config, .window = 16, .columns = 3, .at_once = 4};
    *state = f;
    return 0;
}

static int tear_down(void **state) {
    fixture *f = *state;
    foci_config_free(f->config);
    foci_parameters_free(&f->p);
    free(f);
    return 0;
}

static double value(const foci_score *s, const char *metric) { return foci_score_value(s, metric); }

static void both_walks_predict_every_token_but_the_first(void **state) {
    fixture *f = *state;
    foci_score r;
    for (int walk = FOCI_WALK_DISJOINT; walk <= FOCI_WALK_SLIDING; walk++) {
        f->options.walk = (foci_walk)walk;
        assert_ok(foci_perplexity(&f->options, &f->p, f->token, TOKENS, &r));
        assert_int_equal(value(&r, "tokens"), 3 * (TOKENS / 3 - 1));
        assert_close(value(&r, "nll"), foci_score_sum(&r, "nll") / value(&r, "tokens"), 0);
        assert_close(value(&r, "ppl"), exp(value(&r, "nll")), 1e-12);
        assert_true(value(&r, "ppl") > 5 && value(&r, "ppl") < 100); /* about the vocabulary: nothing is learnt */
    }
}

static void windows_per_pass_do_not_matter(void **state) {
    fixture *f = *state;
    for (int walk = FOCI_WALK_DISJOINT; walk <= FOCI_WALK_SLIDING; walk++) {
        foci_score one, many;
        f->options.walk = (foci_walk)walk;
        f->options.at_once = 1;
        assert_ok(foci_perplexity(&f->options, &f->p, f->token, TOKENS, &one));
        f->options.at_once = 1000;
        assert_ok(foci_perplexity(&f->options, &f->p, f->token, TOKENS, &many));
        assert_close(value(&one, "nll"), value(&many, "nll"), 1e-6);
        assert_int_equal(value(&one, "tokens"), value(&many, "tokens"));
    }
}

/* The sliding walk scores the last token alone; the same from whole windows, one after another. */
static void the_last_token_is_that_of_the_window(void **state) {
    fixture *f = *state;
    enum { W = 16, N = 40 };
    foci_score sliding, whole;
    f->options.walk = FOCI_WALK_SLIDING;
    f->options.columns = 1;
    assert_ok(foci_perplexity(&f->options, &f->p, f->token, N, &sliding));
    double sum = 0;
    for (int start = 0; start + W < N; start++) {
        double all;
        f->options.walk = FOCI_WALK_DISJOINT;
        assert_ok(foci_perplexity(&f->options, &f->p, f->token + start, W + 1, &whole));
        all = foci_score_sum(&whole, "nll");
        foci_program_set set;
        foci_program *p = record(&set, f, f->options.model, W);
        const foci_real *nll;
        assert_ok(foci_program_feed(p, "ids", f->token + start));
        assert_ok(foci_program_feed(p, "targets", f->token + start + 1));
        assert_ok(foci_program_forward(p));
        assert_ok(foci_program_fetch(p, "nll", &nll));
        sum += start ? (double)nll[W - 1] : all;
        foci_program_set_free(&set);
    }
    assert_close(sum, foci_score_sum(&sliding, "nll"), 1e-4);
}

/* A stride of the window is the disjoint walk, a stride of 1 the sliding one; between, every token counts once. */
static void strides_between_the_two(void **state) {
    fixture *f = *state;
    foci_score two[2], r;
    for (int walk = FOCI_WALK_DISJOINT; walk <= FOCI_WALK_SLIDING; walk++) {
        f->options.walk = (foci_walk)walk;
        assert_ok(foci_perplexity(&f->options, &f->p, f->token, TOKENS, &two[walk]));
    }
    f->options.walk = FOCI_WALK_STRIDED;
    for (int64_t stride = 1; stride <= 16; stride++) {
        f->options.stride = stride;
        assert_ok(foci_perplexity(&f->options, &f->p, f->token, TOKENS, &r));
        assert_int_equal(value(&r, "tokens"), 3 * (TOKENS / 3 - 1));
        if (stride == 1) assert_close(value(&r, "nll"), value(&two[FOCI_WALK_SLIDING], "nll"), 1e-6);
        if (stride == 16) assert_close(value(&r, "nll"), value(&two[FOCI_WALK_DISJOINT], "nll"), 1e-6);
    }
    f->options.stride = 17;
    assert_fails(foci_perplexity(&f->options, &f->p, f->token, TOKENS, &r), FOCI_ERR_CONFIG,
                 "a stride of 17 tokens is longer than the window of 16");
}

/* Documents are scored by themselves, wherever they stand; an empty one is none. */
static void documents_know_no_neighbours(void **state) {
    fixture *f = *state;
    enum { END = 28, A = 20, B = 37 };
    static int32_t bytes[VOCABULARY];
    int32_t text[A + B + 4], one[B + 1];
    for (int i = 0; i < TOKENS; i++) f->token[i] %= END;
    for (int i = 0; i < VOCABULARY; i++) bytes[i] = i;
    f->options.walk = FOCI_WALK_DOCUMENTS;
    f->options.end_of_text = END;
    f->options.token_bytes = bytes;
    f->options.stride = 5;
    memcpy(text, f->token, A * sizeof *text);
    text[A] = text[A + 1] = END;
    memcpy(text + A + 2, f->token + A, B * sizeof *text);
    text[A + B + 2] = END;
    foci_score all, a, b;
    assert_ok(foci_perplexity(&f->options, &f->p, text, A + B + 3, &all));
    assert_ok(foci_perplexity(&f->options, &f->p, f->token, A, &a));
    one[0] = END;
    memcpy(one + 1, f->token + A, B * sizeof *one);
    assert_ok(foci_perplexity(&f->options, &f->p, one, B + 1, &b));
    assert_int_equal(value(&all, "tokens"), A + B);
    assert_close(foci_score_sum(&all, "nll"), foci_score_sum(&a, "nll") + foci_score_sum(&b, "nll"), 1e-4);
    double sum = 0;
    for (int i = 0; i < A + B; i++) sum += f->token[i];
    assert_close(value(&all, "bytes"), sum, 0);
    assert_close(value(&all, "bpb"), foci_score_sum(&all, "nll") / log(2) / sum, 1e-12);
    f->options.end_of_text = -1;
    assert_fails(foci_perplexity(&f->options, &f->p, text, A, &all), FOCI_ERR_CONFIG, "needs tokens with an end");
    text[0] = f->options.end_of_text = END;
    assert_fails(foci_perplexity(&f->options, &f->p, (int32_t[]){END, END, END}, 3, &all), FOCI_ERR_DATA,
                 "there is no document");
}

static void windows_that_end_exactly(void **state) {
    fixture *f = *state;
    foci_score r;
    f->options.columns = 1;
    assert_ok(foci_perplexity(&f->options, &f->p, f->token, 33, &r)); /* two whole windows, no rest */
    assert_int_equal(value(&r, "tokens"), 32);
    f->options.walk = FOCI_WALK_SLIDING;
    assert_ok(foci_perplexity(&f->options, &f->p, f->token, 17, &r)); /* one window */
    assert_int_equal(value(&r, "tokens"), 16);
}

static void too_few_tokens_are_an_error(void **state) {
    fixture *f = *state;
    foci_score r;
    assert_fails(foci_perplexity(&f->options, &f->p, f->token, 5, &r), FOCI_ERR_DATA,
                 "5 tokens are too few for 3 rows");
    f->options.walk = FOCI_WALK_SLIDING;
    assert_fails(foci_perplexity(&f->options, &f->p, f->token, 48, &r), FOCI_ERR_DATA,
                 "rows of 16 tokens are too short for a window of 16 and the token after it: lower model.context");
}

int main(void) {
#define WITH_MODEL(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_MODEL(both_walks_predict_every_token_but_the_first),
        WITH_MODEL(windows_per_pass_do_not_matter),
        WITH_MODEL(the_last_token_is_that_of_the_window),
        WITH_MODEL(strides_between_the_two),
        WITH_MODEL(documents_know_no_neighbours),
        WITH_MODEL(windows_that_end_exactly),
        WITH_MODEL(too_few_tokens_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
