/* Operations run by a float graph: values against naive formulas, refusals, and the same bits for any number
 * of threads. (Gradients: double_gradients.c.) */
#include <math.h>

#include "base/philox.h"
#include "check.h"
#include "core/graph.h"

/* ------------------------------------------------------------------------------------ a graph to run things
 * in */

typedef struct lab {
    foci_parameters *parameters;
    foci_graph *g;
    void *memory;
} lab;

static lab open_lab(bool train, bool differentiate) {
    lab l = {.parameters = malloc(sizeof *l.parameters)};
    foci_parameters_init(l.parameters);
    l.g =
        foci_graph_new(l.parameters, &(foci_graph_options){.train = train, .differentiate = differentiate, .seed = 5});
    assert_non_null(l.g);
    return l;
}

static void run(lab *l, foci_tensor *out) {
    foci_keep(out);
    assert_ok(foci_graph_plan(l->g, out));
    assert_ok(foci_parameters_allocate(l->parameters, true));
    foci_parameters_initialise(l->parameters, 1);
    l->memory = aligned_alloc(64, foci_graph_bytes(l->g) + 64);
    memset(l->memory, 0xff, foci_graph_bytes(l->g) + 64);
    foci_graph_bind(l->g, l->memory);
    foci_graph_set_step(l->g, 3, 0);
    foci_graph_forward(l->g);
}

static void close_lab(lab *l) {
    foci_graph_free(l->g);
    foci_parameters_free(l->parameters);
    free(l->parameters);
    free(l->memory);
}

static foci_tensor *normal(foci_graph *g, const char *name, int ndim, const int64_t *shape) {
    return foci_parameter(g, name, FOCI_NORMAL(0, 1), ndim, shape);
}

static foci_tensor *random_ids(foci_graph *g, const char *name, int64_t batch, int64_t tokens, uint32_t below) {
    int32_t *ids = malloc((size_t)(batch * tokens) * sizeof *ids);
    foci_rng r = foci_rng_make(3, foci_stream(name), 0);
    for (int64_t i = 0; i < batch * tokens; i++) { /* small numbers are frequent, as in text */
        uint32_t u = foci_rng_below(&r, below);
        ids[i] = (int32_t)(foci_rng_below(&r, 2) ? u : u / 10);
    }
    foci_tensor *t = foci_constant(g, name, FOCI_INT, FOCI_SHAPE(batch, tokens), ids);
    free(ids);
    return t;
}

/* ---------------------------------------------------------------------------------------------- drawn buffers */

static void permute(foci_rng *random, int64_t of, const int64_t *shape, foci_real *x) {
    assert_int_equal(of, 17);
    for (int64_t i = 0; i < shape[0]; i++) x[i] = (foci_real)foci_rng_uniform(random);
}

enum { DRAWN = 6 };
typedef foci_real drawing[DRAWN];

/* What is used in step `step` of a pass of this kind, and what the buffer holds then; `buffer` is what it held before.
 */
static void draw(bool train, int64_t every, bool evaluation, uint64_t step, drawing buffer, drawing used) {
    lab l = open_lab(train, false);
    foci_tensor *held = foci_buffer(l.g, "held", FOCI_DRAWN(permute, 17), FOCI_SHAPE(DRAWN)),
                *now = foci_redraw(l.g, held, 1, every, evaluation);
    run(&l, foci_scale(l.g, now, 1));
    for (int pass = 0; pass < 2; pass++) { /* the parts of a batch */
        if (!pass && step) memcpy(foci_data(held), buffer, sizeof(drawing));
        foci_graph_set_step(l.g, step, (uint64_t)pass);
        foci_graph_forward(l.g);
    }
    memcpy(used, foci_data(now), sizeof(drawing));
    memcpy(buffer, foci_data(held), sizeof(drawing));
    close_lab(&l);
}

static void drawn_buffers(void **state) {
    (void)state;
    drawing first, held, used, again;
    draw(true, 0, false, 0, first, used);
    assert_memory_equal(first, used, sizeof first);
    memcpy(held, first, sizeof held);
    for (uint64_t step = 1; step < 9; step++) {
        memcpy(again, held, sizeof held);
        draw(true, 4, false, step, held, used);
        assert_memory_equal(held, used, sizeof held);
        assert_true((memcmp(held, again, sizeof held) == 0) == (step % 4 != 0));
    }
    memcpy(again, first, sizeof again); /* a function of the step alone */
    draw(true, 4, false, 8, again, used);
    assert_memory_equal(again, held, sizeof held);
    draw(false, 4, false, 8, first, used); /* evaluation leaves it */
    assert_memory_equal(first, used, sizeof first);
    draw(false, 4, true, 8, held, used);
    assert_memory_equal(held, again, sizeof held);
    assert_memory_not_equal(held, used, sizeof held);
    draw(false, 4, true, 9, held, again);
    assert_memory_equal(used, again, sizeof used);
}

/* ---------------------------------------------------------------------------------------------------
 * refusals */

static void refused(lab *l, const foci_tensor *t, const char *message) {
    assert_null(t);
    assert_fails(foci_graph_plan(l->g, NULL), FOCI_ERR_CONFIG, message);
    close_lab(l);
}

static void shapes_that_do_not_fit(void **state) {
    (void)state;
#define REFUSE(call, message) \
    do { \
        lab l = open_lab(true, false); \
        foci_graph *g = l.g; \
        foci_scope(g, "blocks.0"); \
        foci_tensor *x = normal(g, "x", FOCI_SHAPE(32, 65, 192)), *v = normal(g, "v", FOCI_SHAPE(190)); \
        foci_tensor *w = normal(g, "w", FOCI_SHAPE(576, 190)), *images = normal(g, "i", FOCI_SHAPE(2, 3, 33, 32)); \
        foci_tensor *ids = random_ids(g, "ids", 32, 65, 10), *t = (call); \
        (void)x, (void)v, (void)w, (void)images, (void)ids; \
        refused(&l, t, "blocks.0: " message); \
    } while (0)
    REFUSE(foci_linear(g, x, w, NULL), "linear: input (32, 65, 192) has 192 columns, weight (576, 190) takes 190");
    REFUSE(foci_linear(g, normal(g, "y", FOCI_SHAPE(3, 190)), w, v),
           "linear: weight (576, 190) has 576 outputs, bias (190) has 190");
    REFUSE(foci_linear(g, foci_heads(g, x, 1, 0, 3), w, NULL), "linear: input (32, 3, 65, 64) is a strided view");
    REFUSE(foci_linear(g, NULL, w, NULL), "linear: input is missing");
    REFUSE(foci_linear(g, ids, w, NULL), "linear: input (32, 65) must hold real numbers");
    REFUSE(foci_matmul(g, x, w), "matmul: (32, 65, 192) does not multiply (576, 190)");
    REFUSE(foci_add(g, x, w), "add: shapes (32, 65, 192) and (576, 190) differ");
    REFUSE(foci_add_position(g, x, w), "add_position: input (32, 65, 192) does not take positions (576, 190)");
    REFUSE(foci_layer_norm(g, x, v, NULL, 1e-5),
           "layer_norm: input (32, 65, 192) has 192 columns, weight (190) has not");
    REFUSE(foci_layer_norm(g, x, NULL, NULL, 0), "layer_norm: eps is 0, it must be positive");
    REFUSE(foci_dropout(g, x, 1), "dropout: p is 1, it must be at least 0 and below 1");
    REFUSE(foci_drop_path(g, x, NAN), "drop_path: p is");
    REFUSE(foci_embedding(g, x, w, 0, 1), "embedding: ids (32, 65, 192) must hold integers");
    REFUSE(foci_embedding(g, ids, v, 0, 1), "embedding: ids (32, 65) and weight (190) must be (B, T) and (n, C)");
    REFUSE(foci_patch_embed(g, images, normal(g, "k", FOCI_SHAPE(8, 3, 16, 16)), NULL),
           "patch_embed: images of 33 x 32 pixels do not divide into patches of 16 x 16");
    REFUSE(foci_patch_embed(g, images, w, NULL), "patch_embed: images (2, 3, 33, 32) do not fit weight (576, 190)");
    REFUSE(foci_class_token(g, v, x), "class_token: token (190) does not fit input (32, 65, 192)");
    REFUSE(foci_narrow(g, x, 60, 6), "narrow: 6 tokens from 60 on do not lie in input (32, 65, 192)");
    REFUSE(foci_select(g, x, 65), "narrow: 1 tokens from 65 on do not lie in input (32, 65, 192)");
    REFUSE(foci_select(g, x, -1), "narrow: 1 tokens from -1 on do not lie in input (32, 65, 192)");
    REFUSE(foci_mean(g, w), "mean: input (576, 190) must be (B, N, C)");
    REFUSE(foci_heads(g, x, 3, 0, 5), "heads: input (32, 65, 192) does not divide into 3 parts of 5 heads");
    REFUSE(foci_cross_entropy(g, x, NULL, NULL, 0, -1), "cross_entropy: either labels or soft targets are needed");
    REFUSE(foci_cross_entropy(g, w, ids, NULL, 0, -1),
           "cross_entropy: logits (576, 190) have 576 rows, labels (32, 65)");
    REFUSE(foci_cross_entropy(g, x, NULL, w, 0, -1),
           "cross_entropy: logits (32, 65, 192) and soft targets (576, 190) differ");
    REFUSE(foci_cross_entropy(g, x, ids, NULL, 1.5, -1), "cross_entropy: label smoothing is 1.5");
#undef REFUSE
}

static foci_adaptive_softmax_options adaptive(foci_graph *g, int64_t batch, int64_t tokens, int64_t width, int tails,
                                              const int64_t *cutoff) {
    int64_t words = cutoff[tails];
    foci_adaptive_softmax_options o = {.tails = tails, .shared = true};
    for (int i = 0; i <= tails; i++) o.cutoff[i] = cutoff[i];
    o.hidden = normal(g, "hidden", FOCI_SHAPE(batch, tokens, width));
    o.targets = random_ids(g, "targets", batch, tokens, (uint32_t)words);
    o.weight[0] = foci_parameter(g, "weight", FOCI_NORMAL(0, 0.3), FOCI_SHAPE(words, width));
    o.bias[0] = normal(g, "bias", FOCI_SHAPE(words));
    if (tails == 0) return o;
    o.cluster_weight = foci_parameter(g, "cluster_weight", FOCI_NORMAL(0, 0.3), FOCI_SHAPE(tails, width));
    o.cluster_bias = normal(g, "cluster_bias", FOCI_SHAPE(tails));
    return o;
}

static void adaptive_softmax_that_does_not_fit(void **state) {
    (void)state;
#define REFUSE(change, message) \
    do { \
        lab l = open_lab(true, false); \
        foci_graph *g = l.g; \
        foci_adaptive_softmax_options o = adaptive(g, 2, 3, 5, 2, (int64_t[]){4, 6, 9}); \
        change; \
        refused(&l, foci_adaptive_softmax(g, &o), "adaptive_softmax: " message); \
    } while (0)
    REFUSE(o.tails = 8, "8 tail clusters; at most 7 are possible");
    REFUSE(o.cutoff[1] = 4, "cutoffs must rise: 4 after 4");
    REFUSE(o.cutoff[2] = 10, "weight (9, 5) must have 10 rows");
    REFUSE(o.cluster_weight = NULL, "cluster weight is missing");
    REFUSE(o.cluster_bias = o.bias[0], "cluster bias (9) must have 2 elements");
    REFUSE(o.targets = random_ids(g, "t", 2, 2, 9), "hidden (2, 3, 5) has 6 rows, targets (2, 2)");
    REFUSE(o.targets = NULL, "targets is missing");
    REFUSE(o.hidden = normal(g, "h", FOCI_SHAPE(2, 3, 4)),
           "hidden (2, 3, 4) does not reach weight (9, 5) of cluster 0 without a projection");
    REFUSE(o.projection[1] = normal(g, "p", FOCI_SHAPE(4, 5)),
           "hidden (2, 3, 5) does not reach weight (9, 5) of cluster 1 through projection (4, 5)");
#undef REFUSE
}

/* -----------------------------------------------------------------------------------------------------
 * values */

static void dropout_is_off_outside_training(void **state) {
    (void)state;
    lab l = open_lab(false, false);
    foci_tensor *x = normal(l.g, "x", FOCI_SHAPE(2, 3));
    assert_ptr_equal(foci_dropout(l.g, x, 0.5), x);
    assert_ptr_equal(foci_drop_path(l.g, x, 0.5), x);
    close_lab(&l);
    l = open_lab(true, false);
    x = normal(l.g, "x", FOCI_SHAPE(2, 3));
    assert_ptr_equal(foci_dropout(l.g, x, 0), x);
    assert_ptr_equal(foci_drop_path(l.g, x, 0), x);
    close_lab(&l);
}

static foci_tensor *drop(foci_graph *g, bool path, int64_t batch) {
    foci_tensor *x = foci_parameter(g, "x", FOCI_ONES, FOCI_SHAPE(batch, 7, 11));
    return path ? foci_drop_path(g, x, 0.25) : foci_dropout(g, x, 0.25);
}

static void dropout_keeps_three_quarters(void **state) {
    (void)state;
    lab l = open_lab(true, false);
    foci_tensor *y = drop(l.g, false, 400);
    run(&l, y);
    int64_t kept = 0, n = foci_numel(y);
    for (int64_t i = 0; i < n; i++) {
        assert_true(foci_data(y)[i] == 0 || fabs((double)foci_data(y)[i] - 4 / 3.0) < 1e-6);
        kept += foci_data(y)[i] != 0;
    }
    assert_close((double)kept / (double)n, 0.75, 0.01);
    foci_real *first = malloc((size_t)n * sizeof *first);
    memcpy(first, foci_data(y), (size_t)n * sizeof *first);
    foci_graph_forward(l.g);
    assert_memory_equal(first, foci_data(y), (size_t)n * sizeof *first); /* the same step: the same mask */
    foci_graph_set_step(l.g, 4, 0);
    foci_graph_forward(l.g);
    assert_memory_not_equal(first, foci_data(y), (size_t)n * sizeof *first);
    free(first);
    close_lab(&l);
}

/* Samples 5, 6, 7 of a batch, run by themselves, get the masks they have in the whole. */
static void a_batch_in_parts_draws_the_same_masks(void **state) {
    (void)state;
    for (int path = 0; path < 2; path++) {
        lab whole = open_lab(true, false), part = open_lab(true, false);
        foci_tensor *a = drop(whole.g, path, 8), *b = drop(part.g, path, 3);
        run(&whole, a);
        run(&part, b);
        foci_graph_set_step(part.g, 3, 5);
        foci_graph_forward(part.g);
        assert_memory_equal(foci_data(a) + 5 * 77, foci_data(b), 3 * 77 * sizeof(foci_real));
        close_lab(&whole);
        close_lab(&part);
    }
}

static void drop_path_drops_samples(void **state) {
    (void)state;
    lab l = open_lab(true, false);
    foci_tensor *y = drop(l.g, true, 2000);
    run(&l, y);
    int kept = 0;
    for (int64_t b = 0; b < 2000; b++) {
        for (int64_t i = 1; i < 77; i++) assert_true(foci_data(y)[b * 77 + i] == foci_data(y)[b * 77]);
        kept += foci_data(y)[b * 77] != 0;
    }
    assert_close(kept / 2000.0, 0.75, 0.04);
    close_lab(&l);
}

static void tokens_outside_the_table_are_zero(void **state) {
    (void)state;
    lab l = open_lab(true, true);
    const int32_t ids[6] = {-1, 9, 10, 12, 13, INT32_MAX};
    foci_tensor *w = normal(l.g, "w", FOCI_SHAPE(3, 2));
    foci_tensor *y = foci_embedding(l.g, foci_constant(l.g, "ids", FOCI_INT, FOCI_SHAPE(2, 3), ids), w, 10, 2);
    run(&l, y);
    foci_graph_backward(l.g, 1);
    for (int i = 0; i < 6; i++)
        for (int c = 0; c < 2; c++) {
            double want = i == 2 || i == 3 ? 2 * (double)foci_data(w)[(ids[i] - 10) * 2 + c] : 0;
            assert_close(foci_data(y)[2 * i + c], want, 1e-6);
        }
    assert_close(foci_grad(w)[0], 2, 0);
    assert_close(foci_grad(w)[2], 0, 0);
    assert_close(foci_grad(w)[4], 2, 0);
    close_lab(&l);
}

/* Three rows of (1, 2, 3): the loss is known, lse = 3 + log(1 + e^-1 + e^-2). */
static double loss_of(const int32_t *labels, const foci_real *soft, double smoothing) {
    const foci_real logits[9] = {1, 2, 3, 1, 2, 3, 1, 2, 3};
    lab l = open_lab(true, false);
    foci_tensor *x = foci_constant(l.g, "x", FOCI_REAL, FOCI_SHAPE(3, 3), logits);
    foci_tensor *y = labels ? foci_constant(l.g, "labels", FOCI_INT, FOCI_SHAPE(3), labels) : NULL;
    foci_tensor *t = soft ? foci_constant(l.g, "soft", FOCI_REAL, FOCI_SHAPE(3, 3), soft) : NULL;
    foci_tensor *loss = foci_cross_entropy(l.g, x, y, t, smoothing, 255);
    run(&l, loss);
    double value = (double)foci_data(loss)[0];
    close_lab(&l);
    return value;
}

static void cross_entropy_values(void **state) {
    (void)state;
    const double lse = 3 + log(1 + exp(-1) + exp(-2));
    assert_close(loss_of((int32_t[]){0, 1, 2}, NULL, 0), lse - 2, 1e-6);
    assert_close(loss_of((int32_t[]){0, 255, 2}, NULL, 0), lse - 2, 1e-6);
    assert_close(loss_of((int32_t[]){0, 255, 255}, NULL, 0), lse - 1, 1e-6);
    assert_close(loss_of((int32_t[]){0, 255, 255}, NULL, 0.3), lse - (0.7 * 1 + 0.1 * 6), 1e-6);
    assert_close(loss_of((int32_t[]){255, 255, 255}, NULL, 0), 0, 0);
    const foci_real soft[9] = {1, 0, 0, (foci_real)0.5, 0, (foci_real)0.5, 0, 0, 1};
    assert_close(loss_of(NULL, soft, 0), lse - 2, 1e-6);
    assert_true(isnan(loss_of((int32_t[]){0, 3, 1}, NULL, 0))); /* no such class */
    assert_true(isnan(loss_of((int32_t[]){0, -1, 1}, NULL, 0.1)));
}

/* Mixed labels are the soft targets of timm: off s / K, on 1 - s + s / K, each one-hot row weighed by its share. */
static void mixed_labels_are_soft_targets(void **state) {
    (void)state;
    enum { ROWS = 4, K = 7 };
    const int32_t labels[ROWS] = {0, 6, 3, 2}, partners[ROWS] = {2, 3, 3, 5};
    const foci_real shares[ROWS] = {(foci_real)0.3, (foci_real)0.9, (foci_real)0.5, 1};
    const double smoothing = 0.1, off = smoothing / K, on = 1 - smoothing + off;
    foci_real soft[ROWS * K], logits[ROWS * K];
    for (int i = 0; i < ROWS * K; i++) {
        int row = i / K, k = i % K;
        double u = (double)shares[row];
        soft[i] = (foci_real)(u * (k == labels[row] ? on : off) + (1 - u) * (k == partners[row] ? on : off));
        logits[i] = (foci_real)(i * 37 % 11 - 5);
    }
    lab l = open_lab(true, false);
    foci_tensor *x = foci_constant(l.g, "x", FOCI_REAL, FOCI_SHAPE(ROWS, K), logits);
    foci_tensor *mixed =
        foci_mixed_cross_entropy(l.g, x, foci_constant(l.g, "labels", FOCI_INT, FOCI_SHAPE(ROWS), labels),
                                 foci_constant(l.g, "partners", FOCI_INT, FOCI_SHAPE(ROWS), partners),
                                 foci_constant(l.g, "shares", FOCI_REAL, FOCI_SHAPE(ROWS), shares), smoothing);
    foci_tensor *target = foci_constant(l.g, "soft", FOCI_REAL, FOCI_SHAPE(ROWS, K), soft);
    foci_tensor *wanted = foci_cross_entropy(l.g, x, NULL, target, 0, -1);
    foci_keep(mixed);
    run(&l, wanted);
    assert_close(foci_data(mixed)[0], foci_data(wanted)[0], 1e-6);
    close_lab(&l);
}

static void mixed_labels_that_do_not_fit(void **state) {
    (void)state;
    lab l = open_lab(true, false);
    foci_tensor *x = foci_input(l.g, "x", FOCI_REAL, FOCI_SHAPE(4, 7)),
                *y = foci_input(l.g, "y", FOCI_INT, FOCI_SHAPE(4));
    refused(&l, foci_mixed_cross_entropy(l.g, x, y, y, foci_input(l.g, "u", FOCI_REAL, FOCI_SHAPE(3)), 0),
            "cross_entropy: logits (4, 7) have 4 rows, labels (4), partners (4), shares (3)");
}

/* nll of every target is minus its log-probability, and the probabilities of all words sum to one. */
static void check_adaptive(int tails, const int64_t *cutoff) {
    lab a = open_lab(false, false), b = open_lab(false, false);
    foci_adaptive_softmax_options oa = adaptive(a.g, 3, 41, 9, tails, cutoff),
                                  ob = adaptive(b.g, 3, 41, 9, tails, cutoff);
    foci_tensor *nll = foci_adaptive_softmax(a.g, &oa), *log_prob = foci_adaptive_log_prob(b.g, &ob);
    run(&a, nll);
    run(&b, log_prob);
    int64_t words = cutoff[tails];
    for (int64_t row = 0; row < 123; row++) {
        const foci_real *p = foci_data(log_prob) + row * words;
        double sum = 0;
        for (int64_t i = 0; i < words; i++) sum += exp((double)p[i]);
        assert_close(sum, 1, 1e-5);
        assert_close(foci_data(nll)[row], -p[foci_ints(oa.targets)[row]], 1e-5);
    }
    close_lab(&a);
    close_lab(&b);
}

static void adaptive_softmax_agrees_with_log_prob(void **state) {
    (void)state;
    check_adaptive(0, (int64_t[]){1300});
    check_adaptive(1, (int64_t[]){30, 1300});
    check_adaptive(3, (int64_t[]){20, 25, 700, 2222});
}

static void a_target_that_is_no_word(void **state) {
    (void)state;
    lab l = open_lab(true, true);
    foci_adaptive_softmax_options o = adaptive(l.g, 1, 3, 4, 1, (int64_t[]){4, 9});
    o.targets = foci_constant(l.g, "t", FOCI_INT, FOCI_SHAPE(1, 3), (int32_t[]){9, -1, 8});
    foci_tensor *nll = foci_adaptive_softmax(l.g, &o);
    run(&l, nll);
    foci_graph_backward(l.g, 1);
    assert_true(isnan(foci_data(nll)[0]) && isnan(foci_data(nll)[1]) && isfinite(foci_data(nll)[2]));
    for (int i = 0; i < 8; i++) assert_close(foci_grad(o.hidden)[i], 0, 0);
    assert_true(foci_grad(o.hidden)[8] != 0);
    close_lab(&l);
}

static void heads_are_views(void **state) {
    (void)state;
    lab l = open_lab(false, false);
    foci_tensor *x = foci_scale(l.g, normal(l.g, "x", FOCI_SHAPE(2, 5, 24)), 1), *v = foci_heads(l.g, x, 3, 2, 4);
    foci_tensor *last = foci_scale(l.g, x, 1);
    foci_keep(x);
    run(&l, last);
    assert_int_equal(v->ndim, 4);
    for (int64_t b = 0; b < 2; b++)
        for (int64_t h = 0; h < 4; h++)
            for (int64_t n = 0; n < 5; n++)
                for (int64_t d = 0; d < 2; d++)
                    assert_true(
                        foci_data(v)[b * v->stride[0] + h * v->stride[1] + n * v->stride[2] + d * v->stride[3]] ==
                        foci_data(x)[(b * 5 + n) * 24 + 16 + h * 2 + d]);
    close_lab(&l);
}

/* ------------------------------------------------------------------------------------------ the same bits */

/* Every operation that sums over rows, big enough for several tiles. */
static foci_tensor *vision(foci_graph *g) {
    foci_tensor *images = normal(g, "images", FOCI_SHAPE(40, 3, 32, 32));
    foci_tensor *x =
        foci_patch_embed(g, images, normal(g, "conv", FOCI_SHAPE(24, 3, 4, 4)), normal(g, "conv_bias", FOCI_SHAPE(24)));
    x = foci_class_token(g, normal(g, "token", FOCI_SHAPE(1, 1, 24)), x);
    x = foci_dropout(g, foci_add_position(g, x, normal(g, "position", FOCI_SHAPE(1, 65, 24))), 0.1);
    foci_tensor *y =
        foci_layer_norm(g, x, normal(g, "norm", FOCI_SHAPE(24)), normal(g, "norm_bias", FOCI_SHAPE(24)), 1e-6);
    y = foci_gelu(g, foci_linear(g, y, normal(g, "fc1", FOCI_SHAPE(50, 24)), normal(g, "fc1_bias", FOCI_SHAPE(50))));
    y = foci_linear(g, y, normal(g, "fc2", FOCI_SHAPE(24, 50)), normal(g, "fc2_bias", FOCI_SHAPE(24)));
    x = foci_add(g, x, foci_drop_path(g, y, 0.2));
    foci_tensor *pooled = foci_add(g, foci_select(g, x, 0), foci_mean(g, foci_narrow(g, x, 1, 64)));
    pooled = foci_softmax(g, foci_matmul(g, pooled, normal(g, "w", FOCI_SHAPE(24, 24))));
    return foci_cross_entropy(g, pooled, random_ids(g, "labels", 40, 1, 24), NULL, 0.1, -1);
}

static foci_tensor *text(foci_graph *g) {
    foci_adaptive_softmax_options o = adaptive(g, 20, 300, 16, 2, (int64_t[]){1500, 1600, 4000});
    foci_tensor *e = foci_embedding(g, random_ids(g, "ids", 20, 300, 4000), o.weight[0], 0, 4);
    o.hidden = foci_relu(g, foci_add(g, e, o.hidden));
    o.projection[1] = normal(g, "projection", FOCI_SHAPE(16, 16));
    return foci_average(g, foci_adaptive_softmax(g, &o));
}

static void same_bits(foci_tensor *(*build)(foci_graph *g)) {
    foci_real *first = NULL, loss = 0;
    for (int threads = 1; threads <= 4; threads++) {
        foci_set_threads(threads);
        lab l = open_lab(true, true);
        foci_tensor *out = build(l.g);
        run(&l, out);
        foci_graph_backward(l.g, 1);
        size_t bytes = (size_t)l.parameters->size * sizeof(foci_real);
        assert_true(isfinite(foci_data(out)[0]));
        if (threads == 1) {
            first = malloc(bytes);
            memcpy(first, l.parameters->grad, bytes);
            loss = foci_data(out)[0];
        }
        assert_memory_equal(&loss, foci_data(out), sizeof loss);
        assert_memory_equal(first, l.parameters->grad, bytes);
        close_lab(&l);
    }
    free(first);
    foci_set_threads(0);
}

static void vision_has_the_same_bits(void **state) {
    (void)state;
    same_bits(vision);
}
static void text_has_the_same_bits(void **state) {
    (void)state;
    same_bits(text);
}

/* The adaptive softmax makes its gradients in forward where the seed is promised. */
static foci_tensor *promised_text(foci_graph *g) {
    foci_graph_promise(g, 1);
    return text(g);
}
static void promised_text_has_the_same_bits(void **state) {
    (void)state;
    same_bits(promised_text);
}

/* And they are those that backward would have made: of parameters, and of what is before it. */
static foci_tensor *long_text(foci_graph *g) {
    foci_adaptive_softmax_options o = adaptive(g, 3, 300, 16, 2, (int64_t[]){1500, 1600, 4000});
    o.hidden = foci_layer_norm(g, o.hidden, normal(g, "norm", FOCI_SHAPE(16)), NULL, 1e-5);
    for (int i = 0; i < 3; i++) {
        foci_scope(g, "%d", i);
        o.projection[i] = normal(g, "projection", FOCI_SHAPE(16, 16));
        foci_end_scope(g);
    }
    return foci_average(g, foci_adaptive_softmax(g, &o));
}
static void a_promise_changes_no_gradient(void **state) {
    (void)state;
    lab a = open_lab(true, true), b = open_lab(true, true);
    foci_tensor *loss_a = long_text(a.g), *loss_b = long_text(b.g);
    foci_graph_promise(b.g, (foci_real)0.25);
    run(&a, loss_a);
    run(&b, loss_b);
    double made = 0;
    for (int64_t i = 0; i < b.parameters->size; i++) made += fabs((double)b.parameters->grad[i]);
    assert_true(made > 0); /* in forward */
    foci_graph_backward(a.g, (foci_real)0.25);
    foci_graph_backward(b.g, (foci_real)0.25);
    assert_true(foci_data(loss_a)[0] == foci_data(loss_b)[0]);
    for (int64_t i = 0; i < b.parameters->size; i++)
        assert_close(b.parameters->grad[i], a.parameters->grad[i], 1e-9 + 1e-5 * fabs((double)a.parameters->grad[i]));
    close_lab(&a);
    close_lab(&b);
}

/* Where the gradient is not one number, or a weight is a result, forward makes none. */
static void promises_that_do_not_hold(void **state) {
    (void)state;
    for (int weight_is_result = 0; weight_is_result < 2; weight_is_result++) {
        lab l = open_lab(true, true);
        foci_graph_promise(l.g, 1);
        foci_adaptive_softmax_options o = adaptive(l.g, 2, 3, 5, 2, (int64_t[]){4, 6, 9});
        if (weight_is_result) o.weight[0] = foci_scale(l.g, o.weight[0], 1);
        foci_tensor *nll = foci_adaptive_softmax(l.g, &o);
        run(&l, foci_average(l.g, weight_is_result ? nll : foci_gelu(l.g, nll)));
        for (int64_t i = 0; i < l.parameters->size; i++) assert_true(l.parameters->grad[i] == 0);
        foci_graph_backward(l.g, 1);
        double made = 0;
        for (int64_t i = 0; i < l.parameters->size; i++) made += fabs((double)l.parameters->grad[i]);
        assert_true(made > 0);
        close_lab(&l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(drawn_buffers),
                                       cmocka_unit_test(shapes_that_do_not_fit),
                                       cmocka_unit_test(adaptive_softmax_that_does_not_fit),
                                       cmocka_unit_test(dropout_is_off_outside_training),
                                       cmocka_unit_test(dropout_keeps_three_quarters),
                                       cmocka_unit_test(a_batch_in_parts_draws_the_same_masks),
                                       cmocka_unit_test(drop_path_drops_samples),
                                       cmocka_unit_test(tokens_outside_the_table_are_zero),
                                       cmocka_unit_test(cross_entropy_values),
                                       cmocka_unit_test(mixed_labels_are_soft_targets),
                                       cmocka_unit_test(mixed_labels_that_do_not_fit),
                                       cmocka_unit_test(adaptive_softmax_agrees_with_log_prob),
                                       cmocka_unit_test(a_target_that_is_no_word),
                                       cmocka_unit_test(heads_are_views),
                                       cmocka_unit_test(vision_has_the_same_bits),
                                       cmocka_unit_test(text_has_the_same_bits),
                                       cmocka_unit_test(promised_text_has_the_same_bits),
                                       cmocka_unit_test(a_promise_changes_no_gradient),
                                       cmocka_unit_test(promises_that_do_not_hold)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
