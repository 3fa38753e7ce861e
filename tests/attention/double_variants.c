/* Attention variants, in double: every built-in one's gradients against central differences, and those that are not
 * made of dot products alone against their definition, written out plainly here. */
#include "attention/layer.h"

/* ------------------------------------------------------------------------------------------------ gradients */

static double output_times(const layer *l, const double *dout) {
    double sum = 0;
    foci_graph_forward(l->graph);
    for (int64_t i = 0; i < l->numel; i++) sum += foci_data(l->out)[i] * dout[i];
    return sum;
}

/* d/dx by differences of fourth order, against the gradient at hand */
static void compare(const layer *l, const double *dout, double *x, double gradient, const char *what) {
    const double h = 1e-5, at = *x, steps[4] = {-2 * h, -h, h, 2 * h};
    double f[4];
    for (int k = 0; k < 4; k++) {
        *x = at + steps[k];
        f[k] = output_times(l, dout);
    }
    *x = at;
    double numeric = (f[0] - 8 * f[1] + 8 * f[2] - f[3]) / (12 * h);
    if (!(fabs(numeric - gradient) <= 1e-6 * fmax(1, fabs(numeric))))
        fail_msg("%s: gradient %.9g, by differences %.9g", what, gradient, numeric);
}

static void gradients(const char *name, const char *attention, bool causal) {
    layer l;
    assert_ok(layer_open(&l, attention, (layer_sizes){2, 2, 7, 4}, causal, false, 1));
    layer_bind(&l);
    double *dout = malloc((size_t)l.numel * sizeof *dout);
    double *saved[LAYER_INPUTS] = {NULL};
    for (int64_t i = 0; i < l.numel; i++) dout[i] = sin((double)(3 * i + 1));
    foci_graph_forward(l.graph);
    memcpy(foci_grad(l.out), dout, (size_t)l.numel * sizeof *dout);
    foci_graph_backward_from_output(l.graph);
    for (int t = 0; t < LAYER_INPUTS; t++) {
        if (!l.in[t]) continue;
        saved[t] = malloc((size_t)l.numel * sizeof *saved[t]);
        memcpy(saved[t], foci_grad(l.in[t]), (size_t)l.numel * sizeof *saved[t]);
    }
    for (int t = 0; t < LAYER_INPUTS; t++)
        for (int64_t i = 0; i < (l.in[t] ? l.numel : 0); i++) compare(&l, dout, l.data[t] + i, saved[t][i], name);
    for (int e = 0; e < l.parameters.count; e++)
        for (int64_t i = 0; i < l.parameters.entry[e].numel && !l.parameters.entry[e].buffer; i++) {
            const int64_t at = l.parameters.entry[e].offset + i;
            compare(&l, dout, l.parameters.value + at, l.parameters.grad[at], name);
        }
    for (int t = 0; t < LAYER_INPUTS; t++) free(saved[t]);
    free(dout);
    layer_close(&l);
}

static void every_variant(void **state) {
    (void)state;
    for (int i = 0; foci_attentions[i]; i++)
        for (int causal = 0; causal < (foci_attentions[i]->whole ? 1 : 2); causal++) {
            char attention[128];
            layer_kind(attention, foci_attentions[i], true);
            gradients(foci_attentions[i]->name, attention, causal);
        }
}

static void other_options(void **state) {
    (void)state;
    static const char *const rows[] = {"{kind: cosine, learnt: false, temperature: 2}",
                                       "{kind: cosine, softmax: false}",
                                       "{kind: linear, divide: false}",
                                       "{kind: linear, denominator_eps: 0.5}",
                                       "{kind: performer, features: pair, denominator_eps: 0.1}",
                                       "{kind: performer, features: relu, eps: 0.5}",
                                       "{kind: mlk, keys: shift, weight: 0.7, scale_output: false, length: 9}",
                                       "{kind: cosformer, eps: 1}",
                                       "{kind: diff, affine: false}",
                                       "{kind: mgk, keys: shift, length: 9}",
                                       "{kind: mgk, prior: layer, precision: [0.5, 0.5], eps: 0}",
                                       "{kind: mgk, mode: hard, keys: shift}"};
    static const char *const whole[] = {"{kind: linformer, rank: 3}", "{kind: nystrom, landmarks: 3, conv: 5}",
                                        "{kind: nystrom, landmarks: 4, iterations: 2, init: original}",
                                        "{kind: rvt, normalise: true}"};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (int causal = 0; causal < 2; causal++) gradients(rows[i], rows[i], causal);
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) gradients(whole[i], whole[i], false);
}

/* ----------------------------------------------------------------------------------------------- references */

enum { B = 2, H = 3, N = 150, D = 5 }; /* tokens for more than two tiles */

typedef struct weighing {
    const double *w; /* (F, D) */
    int64_t features;
    double temperature;
    double plus, fixed; /* added to the sum of weights, or in its place */
} weighing;
typedef double weight_of(const weighing *c, const double *q, const double *k);

static double elu_one(double x) { return x > 0 ? x + 1 : exp(x); }

static double by_elu(const weighing *c, const double *q, const double *k) {
    (void)c;
    double sum = 0;
    for (int d = 0; d < D; d++) sum += elu_one(q[d]) * elu_one(k[d]);
    return sum;
}

static double by_plain_cosine(const weighing *c, const double *q, const double *k) {
    (void)c;
    double qk = 0, qq = 0, kk = 0;
    for (int d = 0; d < D; d++) qk += q[d] * k[d], qq += q[d] * q[d], kk += k[d] * k[d];
    return qk / sqrt(qq * kk);
}

static double by_cosine(const weighing *c, const double *q, const double *k) {
    return exp(c->temperature * by_plain_cosine(c, q, k));
}

/* The features of the paper, w (F, D). */
static double by_random_features(const weighing *c, const double *q, const double *k) {
    double sum = 0, qq = 0, kk = 0;
    for (int d = 0; d < D; d++) qq += q[d] * q[d] / sqrt(D), kk += k[d] * k[d] / sqrt(D);
    for (int64_t f = 0; f < c->features; f++) {
        double wq = 0, wk = 0;
        for (int d = 0; d < D; d++) wq += c->w[f * D + d] * q[d], wk += c->w[f * D + d] * k[d];
        sum += exp(wq / pow(D, 0.25) - qq / 2) * exp(wk / pow(D, 0.25) - kk / 2);
    }
    return sum / (double)c->features;
}

static double by_dot_product(const weighing *c, const double *q, const double *k) {
    (void)c;
    double sum = 0;
    for (int d = 0; d < D; d++) sum += q[d] * k[d];
    return exp(sum / sqrt(D));
}

/* Largest difference between the layer's output and sum_j weight(q_i, k_j) v_j / sum_j weight(q_i, k_j), or what c has
 * in place of that sum. */
static double apart(const layer *l, weight_of *weight, const weighing *c, bool causal) {
    double worst = 0;
    for (int head = 0; head < B * H; head++)
        for (int i = 0; i < N; i++) {
            const double *q = l->data[0] + (head * N + i) * D;
            double out[D] = {0}, sum = 0;
            for (int j = 0; j < (causal ? i + 1 : N); j++) {
                const double w = weight(c, q, l->data[1] + (head * N + j) * D);
                for (int d = 0; d < D; d++) out[d] += w * l->data[3][(head * N + j) * D + d];
                sum += w;
            }
            const double *got = foci_data(l->out) + ((head / H * N + i) * H + head % H) * D;
            sum = c->fixed > 0 ? c->fixed : sum + c->plus;
            for (int d = 0; d < D; d++) worst = fmax(worst, fabs(got[d] - out[d] / sum));
        }
    return worst;
}

static const double *features_of(const layer *l, int64_t *count) {
    for (int i = 0; i < foci_graph_nodes(l->graph); i++) {
        const foci_node *n = foci_graph_node(l->graph, i);
        if (strcmp(n->op->name, "random_features") == 0) {
            *count = n->input[1]->shape[0];
            return foci_data(n->input[1]);
        }
    }
    fail_msg("no features");
    return NULL;
}

static void check_definition(const char *attention, weight_of *weight, weighing c) {
    for (int causal = 0; causal < 2; causal++) {
        layer l;
        assert_ok(layer_open(&l, attention, (layer_sizes){B, H, N, D}, causal, false, 1));
        layer_bind(&l);
        if (weight == by_random_features) c.w = features_of(&l, &c.features);
        foci_graph_forward(l.graph);
        assert_close(apart(&l, weight, &c, causal), 0, 1e-10);
        layer_close(&l);
    }
}

static void linear(void **state) {
    (void)state;
    check_definition("{kind: linear}", by_elu, (weighing){0});
    check_definition("{kind: linear, denominator_eps: 0.3}", by_elu, (weighing){.plus = 0.3 * sqrt(D)});
    check_definition("{kind: linear, divide: false}", by_elu, (weighing){.fixed = sqrt(N)});
}
static void cosine(void **state) {
    (void)state;
    check_definition("{kind: cosine}", by_cosine, (weighing){.temperature = 10});
    check_definition("{kind: cosine, learnt: false, temperature: 3}", by_cosine, (weighing){.temperature = 3});
    check_definition("{kind: cosine, softmax: false}", by_plain_cosine, (weighing){.fixed = sqrt(N)});
}
static void performer(void **state) {
    (void)state;
    check_definition("{kind: performer, eps: 0, denominator_eps: 0, redraw: 0}", by_random_features, (weighing){0});
    check_definition("{kind: performer, eps: 0, denominator_eps: 0, redraw: 0, num_features: 7}", by_random_features,
                     (weighing){0});
}

/* More features come closer to the softmax, which is what they estimate. */
static void performer_estimates_the_softmax(void **state) {
    (void)state;
    static const struct {
        const char *attention;
        double error;
    } rows[] = {{"{kind: performer, eps: 0, num_features: 16}", 0.05},
                {"{kind: performer, eps: 0, num_features: 1024}", 0.01},
                {"{kind: performer, eps: 0, num_features: 65536}", 0.002}};
    double before = INFINITY;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        layer l;
        assert_ok(layer_open(&l, rows[i].attention, (layer_sizes){B, H, N, D}, false, false, 0.4));
        layer_bind(&l);
        foci_graph_forward(l.graph);
        double error = apart(&l, by_dot_product, &(weighing){0}, false);
        printf("%s: off by at most %.4f\n", rows[i].attention, error);
        assert_true(error < rows[i].error && error < before);
        before = error;
        layer_close(&l);
    }
}

/* `blocks` times, or fewer, vectors of n numbers, `step` apart: orthogonal in blocks of n. Returns the sum of their
 * squares. */
static double orthogonal(const double *w, int64_t vectors, int64_t vector, int64_t n, int64_t step) {
    double squares = 0;
    for (int64_t a = 0; a < vectors; a++)
        for (int64_t b = a / n * n; b <= a; b++) {
            double sum = 0;
            for (int64_t i = 0; i < n; i++) sum += w[a * vector + i * step] * w[b * vector + i * step];
            if (a == b) squares += sum;
            else assert_close(sum, 0, 1e-12);
        }
    return squares;
}

/* Blocks of D orthogonal vectors, of lengths like those of normal ones; pairs: orthogonal columns of a given length.
 * Another seed, others. */
static void performer_draws_orthogonal_features(void **state) {
    (void)state;
    layer l;
    int64_t f = 0;
    assert_ok(
        layer_open(&l, "{kind: performer, num_features: 1000, redraw: 0}", (layer_sizes){1, 1, 2, D}, false, false, 1));
    layer_bind(&l);
    const double *w = features_of(&l, &f), first = w[0];
    assert_int_equal(f, 1000);
    /* of chi squared: mean D, deviation sqrt(2 D / 1000) = 0.1 */
    assert_close(orthogonal(w, f, D, D, 1) / (double)f, D, 0.3);
    foci_parameters_initialise(&l.parameters, 2);
    assert_true(w[0] != first);
    layer_close(&l);
    assert_ok(layer_open(&l, "{kind: performer, features: pair, num_features: 3, redraw: 0}", (layer_sizes){1, 1, 2, D},
                         false, false, 1));
    layer_bind(&l);
    assert_close(orthogonal(features_of(&l, &f), D, 1, 3, D), D * 3, 1e-12);
    layer_close(&l);
}

/* exp(-precision |q - k|^2 / sqrt(D)) of rows i and j of a head */
static double by_gaussian(const layer *l, int input, double precision, int head, int i, int j) {
    double squares = 0;
    for (int d = 0; d < D; d++)
        squares += pow(l->data[0][(head * N + i) * D + d] - l->data[input][(head * N + j) * D + d], 2);
    return exp(-precision * squares / sqrt(D));
}

/* Of mode soft, mgk's prior becomes the mean share of the first key over samples and queries, those of the past too. */
static void mgk_priors_follow_in_training(void **state) {
    (void)state;
    for (int causal = 0; causal < 2; causal++) {
        layer l;
        double pi[H][N];
        assert_ok(layer_open(&l, "{kind: mgk, mode: soft}", (layer_sizes){B, H, N, D}, causal, false, 1));
        layer_bind(&l);
        const int entry = foci_parameters_find(&l.parameters, "attn.pi");
        assert_true(entry >= 0);
        const double *got = l.parameters.value + l.parameters.entry[entry].offset;
        for (int i = 0; i < H * N; i++) assert_true((pi[i / N][i % N] = got[i]) == 0.5);
        for (int pass = 0; pass < 2; pass++) {
            double now[H][N] = {0};
            for (int head = 0; head < B * H; head++)
                for (int i = 0; i < N; i++)
                    for (int j = 0; j < N; j++) {
                        const double p = pi[head % H][j], first = p * by_gaussian(&l, 1, 0.5, head, i, j);
                        now[head % H][j] +=
                            first / (first + (1 - p) * by_gaussian(&l, 2, 1.5, head, i, j) + 1e-6) / (B * N);
                    }
            foci_graph_forward(l.graph);
            for (int i = 0; i < H * N; i++) assert_close(pi[i / N][i % N] = got[i], now[i / N][i % N], 1e-12);
        }
        layer_close(&l);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_variant),
        cmocka_unit_test(other_options),
        cmocka_unit_test(linear),
        cmocka_unit_test(cosine),
        cmocka_unit_test(performer),
        cmocka_unit_test(performer_estimates_the_softmax),
        cmocka_unit_test(performer_draws_orthogonal_features),
        cmocka_unit_test(mgk_priors_follow_in_training),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
