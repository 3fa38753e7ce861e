/* Generation: what is kept from word to word changes nothing, and words are drawn as asked. */
#include "check.h"

#include <math.h>

#include "base/philox.h"
#include "models/models.h"
#include "task/generator.h"
#include "task/sampling.h"
#include "task/schema.h"

enum { WORDS = 29, WINDOW = 12, LENGTH = 30 };

typedef struct fixture {
    foci_config *config;
    foci_parameters p;
    const foci_model *model;
    int32_t id[LENGTH];
} fixture;

static foci_program *record(fixture *f, foci_program_set *set, int64_t tokens) {
    foci_program *p;
    foci_program_set_init(set, &f->p);
    assert_ok(foci_program_open_model(&p, set, &(foci_graph_options){0}, f->model,
                                      &(foci_request){.config = f->config,
                                                      .batch = 1,
                                                      .classes = WORDS,
                                                      .feeds = "ids",
                                                      .number = {{"tokens", (double)tokens}}}));
    assert_ok(foci_program_set_ready(set));
    return p;
}

static const char lm[] = "kind: lm, context: 12, d_model: 8, depth: 3, num_heads: 2, d_inner: 12, cutoffs: [10, 20]",
                  gpt2[] = "kind: gpt, context: 12, d_model: 8, depth: 3, num_heads: 2",
                  llama[] = "kind: gpt, context: 12, d_model: 8, depth: 3, num_heads: 4, num_kv_heads: 2, d_inner: 12, "
                            "norm: rms, position: rotary, mlp: swiglu, bias: false, qk_norm: true, tie: false";

static void open_this(fixture *f, const char *model, const char *attention) {
    char text[1000];
    snprintf(text, sizeof text, "model: {%s}\ndata: {kind: text}\nattention: {%s}\n", model, attention);
    assert_ok(foci_config_parse(&f->config, foci_schema_all(), "test", text, strlen(text), NULL, 0));
    f->model = foci_model_find(foci_config_string(f->config, "model.kind"));
    foci_parameters_init(&f->p);
    foci_program_set programs;
    record(f, &programs, 4);
    foci_program_set_free(&programs);
    foci_parameters_initialise(&f->p, 3);
    for (int64_t i = 0; i < f->p.size; i++) f->p.value[i] *= 20; /* attention that chooses */
    foci_rng rng = foci_rng_make(1, 2, 3);
    for (int i = 0; i < LENGTH; i++) f->id[i] = (int32_t)foci_rng_below(&rng, WORDS);
}

static void open_model(fixture *f, const char *attention) { open_this(f, lm, attention); }

static void close_model(fixture *f) {
    foci_config_free(f->config);
    foci_parameters_free(&f->p);
}

static foci_generator generator(fixture *f, bool recompute) {
    foci_generator g;
    assert_ok(foci_generator_open(&g, &(foci_generator_options){f->model, f->config, WORDS, WINDOW, recompute}, &f->p));
    return g;
}

static double apart(const foci_real *a, const foci_real *b, int64_t n) {
    double d = 0;
    for (int64_t i = 0; i < n; i++) d = fmax(d, fabs((double)a[i] - (double)b[i]));
    return d;
}

/* Token by token, through the first window and beyond it. */
static void compare_this(const char *model, const char *attention, int prompt, bool incremental) {
    fixture f;
    open_this(&f, model, attention);
    foci_generator kept = generator(&f, false), anew = generator(&f, true);
    assert_int_equal(kept.incremental, incremental);
    assert_false(anew.incremental);
    assert_ok(foci_generator_add(&kept, f.id, prompt));
    assert_ok(foci_generator_add(&anew, f.id, prompt));
    for (int n = prompt; n < LENGTH; n++) {
        const foci_real *a, *b;
        assert_ok(foci_generator_next(&kept, &a));
        assert_ok(foci_generator_next(&anew, &b));
        assert_int_equal(kept.tokens, incremental && n > prompt && n <= WINDOW ? 1 : n < WINDOW ? n : WINDOW);
        assert_close(apart(a, b, WORDS), 0, 1e-5);
        double sum = 0, largest = -INFINITY;
        for (int i = 0; i < WORDS; i++) sum += exp((double)a[i]), largest = fmax(largest, (double)a[i]);
        assert_close(sum, 1, 1e-5);
        assert_true(largest > -2.5); /* not uniform: ln 29 is 3.4 */
        assert_ok(foci_generator_add(&kept, f.id + n, 1));
        assert_ok(foci_generator_add(&anew, f.id + n, 1));
    }
    foci_generator_close(&kept);
    foci_generator_close(&anew);
    close_model(&f);
}

static void compare(const char *attention, int prompt, bool incremental) {
    compare_this(lm, attention, prompt, incremental);
}

static void decoders_of_today(void **state) {
    (void)state;
    compare_this(gpt2, "kind: softmax", 1, true);
    compare_this(gpt2, "kind: softmax", 5, true);
    compare_this(gpt2, "kind: elliptical, scope: causal", 3, true);
    compare_this(gpt2, "kind: elliptical, scope: sequence", 3, false);
    compare_this(llama, "kind: softmax", WINDOW + 4, true);
    compare_this(llama, "kind: softmax", 2, true);
    for (int i = 0; i < 3; i++) {
        static const char *const on[] = {"pair", "rotated", "unrotated"};
        char attention[80];
        snprintf(attention, sizeof attention, "kind: elliptical, scope: causal, metric_on: %s", on[i]);
        compare_this(llama, attention, 2, true);
    }
    compare_this(llama, "kind: elliptical, scope: causal, den: k, scale: none, delta: 2", 2, true);
    compare_this(llama, "kind: elliptical, scope: causal, num: q", 2, false);
}

static void the_cache_is_exact(void **state) {
    (void)state;
    compare("kind: softmax", 1, true);
    compare("kind: softmax", 5, true);
    compare("kind: softmax", WINDOW + 4, true);
    compare("kind: elliptical, scope: causal", 1, true);
    compare("kind: elliptical, scope: causal, keep_scale: false, scale: mean, first: 2", 3, true);
    compare("kind: elliptical, scope: causal, den: k, scale: none", 2, true);
}

static void attention_that_is_not_incremental_is_computed_anew(void **state) {
    (void)state;
    compare("kind: elliptical", 3, false);
    compare("kind: elliptical, reduce: median", 3, false);
    compare("kind: elliptical, metric: finite_difference", 3, false);
    compare("kind: elliptical, scope: causal, num: q", 3, false);
}

/* The training pass over a whole window says the same at each of its positions. */
static void words_are_those_of_training(const char *attention) {
    fixture f;
    open_model(&f, attention);
    foci_program_set set;
    foci_program *p = record(&f, &set, WINDOW);
    const foci_real *all;
    assert_ok(foci_program_feed(p, "ids", f.id));
    assert_ok(foci_program_forward(p));
    assert_ok(foci_program_fetch(p, "logprob", &all));
    foci_generator kept = generator(&f, false);
    for (int n = 0; n < WINDOW; n++) {
        const foci_real *a;
        assert_ok(foci_generator_add(&kept, f.id + n, 1));
        assert_ok(foci_generator_next(&kept, &a));
        assert_close(apart(a, all + n * WORDS, WORDS), 0, 1e-5);
    }
    foci_generator_close(&kept);
    foci_program_set_free(&set);
    close_model(&f);
}
static void a_whole_window_says_the_same(void **state) {
    (void)state;
    words_are_those_of_training("kind: softmax");
    words_are_those_of_training("kind: elliptical, scope: causal");
}

static void several_words_may_come_at_once(void **state) {
    (void)state;
    fixture f;
    open_model(&f, "kind: softmax");
    foci_generator one = generator(&f, false), some = generator(&f, false);
    const foci_real *a, *b;
    assert_fails(foci_generator_next(&one, &a), FOCI_ERR_RUNTIME, "without words");
    for (int n = 0; n < 9; n++) {
        assert_ok(foci_generator_add(&one, f.id + n, 1));
        assert_ok(foci_generator_next(&one, &a));
        if (n % 3 < 2) continue;
        assert_ok(foci_generator_add(&some, f.id + n - 2, 3));
        assert_ok(foci_generator_next(&some, &b));
        assert_close(apart(a, b, WORDS), 0, 1e-5);
    }
    foci_generator_close(&one);
    foci_generator_close(&some);
    close_model(&f);
}

/* ------------------------------------------------------------------------------------------------- drawing */

static const double chance[5] = {0.1, 0.4, 0.2, 0.25, 0.05};
static foci_real logprob[5];

static void draw(const foci_sampling *s, int count[5]) {
    memset(count, 0, 5 * sizeof *count);
    for (int i = 0; i < 5; i++) logprob[i] = (foci_real)log(chance[i]);
    for (uint64_t i = 0; i < 20000; i++) {
        int32_t word;
        assert_ok(foci_sample(s, logprob, 5, i, &word));
        count[word]++;
    }
}

static void expect(foci_sampling s, const double share[5]) {
    int count[5];
    draw(&s, count);
    for (int i = 0; i < 5; i++) {
        if (share[i] == 0) assert_int_equal(count[i], 0);
        assert_close(count[i] / 20000.0, share[i], 0.012);
    }
}

static void words_are_drawn_as_likely_as_they_are(void **state) {
    (void)state;
    const foci_sampling all = {.temperature = 1, .top_p = 1, .never = -1, .seed = 7};
    foci_sampling s = all;
    expect(s, chance);
    s.never = 1;
    expect(s, (double[]){0.1 / 0.6, 0, 0.2 / 0.6, 0.25 / 0.6, 0.05 / 0.6});
    s = all;
    s.top_k = 2;
    expect(s, (double[]){0, 0.4 / 0.65, 0, 0.25 / 0.65, 0});
    s = all;
    s.top_p = 0.8; /* 0.4, 0.65, 0.85 */
    expect(s, (double[]){0, 0.4 / 0.85, 0.2 / 0.85, 0.25 / 0.85, 0});
    s = all;
    s.temperature = 0.5; /* squares: 0.01, 0.16, 0.04, 0.0625, 0.0025; their sum is 0.275 */
    expect(s, (double[]){0.01 / 0.275, 0.16 / 0.275, 0.04 / 0.275, 0.0625 / 0.275, 0.0025 / 0.275});
    s.temperature = 0;
    expect(s, (double[]){0, 1, 0, 0, 0});
    s = all;
    s.top_k = 1;
    s.never = 1;
    expect(s, (double[]){0, 0, 0, 1, 0});
}

static void seeds_reproduce_and_differ(void **state) {
    (void)state;
    int a[5], b[5], c[5];
    foci_sampling s = {.temperature = 1, .top_p = 1, .never = -1, .seed = 7};
    draw(&s, a);
    draw(&s, b);
    s.seed = 8;
    draw(&s, c);
    assert_memory_equal(a, b, sizeof a);
    assert_memory_not_equal(a, c, sizeof a);
}

static void weights_that_are_no_numbers_are_an_error(void **state) {
    (void)state;
    int32_t word;
    foci_real bad[2] = {(foci_real)NAN, (foci_real)NAN};
    assert_fails(foci_sample(&(foci_sampling){.temperature = 1, .top_p = 1, .never = -1}, bad, 2, 0, &word),
                 FOCI_ERR_CHECKPOINT, "not finite");
    foci_real one[2] = {(foci_real)NAN, -1};
    assert_ok(foci_sample(&(foci_sampling){.temperature = 1, .top_p = 0.5, .never = -1}, one, 2, 0, &word));
    assert_int_equal(word, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cache_is_exact),
        cmocka_unit_test(decoders_of_today),
        cmocka_unit_test(attention_that_is_not_incremental_is_computed_anew),
        cmocka_unit_test(a_whole_window_says_the_same),
        cmocka_unit_test(several_words_may_come_at_once),
        cmocka_unit_test(words_are_drawn_as_likely_as_they_are),
        cmocka_unit_test(seeds_reproduce_and_differ),
        cmocka_unit_test(weights_that_are_no_numbers_are_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
