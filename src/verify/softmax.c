/* Golden values of the adaptive softmax by itself: nothing is tied. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "verify/case.h"

typedef struct sizes {
    int64_t rows, vocabulary, embed, width, div_val; /* rows: positions M */
    int clusters;
    int64_t end[FOCI_MAX_CLUSTERS];
} sizes;

static foci_status read_sizes(foci_case *c, const json_t *variant, const char *place, sizes *s) {
    json_t *cutoffs;
    FOCI_TRY(foci_case_known_keys(c, variant, place, " n_token d_embed d_model cutoffs div_val loss "));
    FOCI_TRY(foci_case_int(c, variant, place, "n_token", 1, INT32_MAX, &s->vocabulary));
    FOCI_TRY(foci_case_int(c, variant, place, "d_embed", 1, 65536, &s->embed));
    FOCI_TRY(foci_case_int(c, variant, place, "d_model", 1, 65536, &s->width));
    FOCI_TRY(foci_case_int(c, variant, place, "div_val", 1, 65536, &s->div_val));
    FOCI_TRY(foci_case_member(c, variant, place, "cutoffs", JSON_ARRAY, &cutoffs));
    size_t n = json_array_size(cutoffs);
    if (n >= FOCI_MAX_CLUSTERS)
        return foci_case_fail(c, "%s.cutoffs: at most %d", place, FOCI_MAX_CLUSTERS - 1);
    s->clusters = (int)n + 1;
    for (size_t i = 0; i < n; i++) {
        s->end[i] = json_integer_value(json_array_get(cutoffs, i));
        if (s->end[i] <= (i ? s->end[i - 1] : 0) || s->end[i] >= s->vocabulary)
            return foci_case_fail(c, "%s.cutoffs do not rise from above 0 to below n_token", place);
    }
    s->end[n] = s->vocabulary;
    return FOCI_OK;
}

static foci_tensor *parameter(foci_graph *g, const char *fmt, int i, int ndim, const int64_t *shape) {
    char name[64];
    snprintf(name, sizeof name, fmt, i);
    return foci_parameter(g, name, FOCI_ZEROS, ndim, shape);
}

static foci_adaptive_softmax_options declare(foci_graph *g, const sizes *s) {
    foci_adaptive_softmax_options a = {.tails = s->clusters - 1, .shared = s->div_val == 1};
    memcpy(a.cutoff, s->end, sizeof s->end);
    a.hidden = foci_input(g, "hidden", FOCI_REAL, FOCI_SHAPE(1, s->rows, s->width));
    foci_require_grad(a.hidden);
    a.targets = foci_input(g, "targets", FOCI_INT, FOCI_SHAPE(1, s->rows));
    int64_t d = s->embed;
    for (int i = 0; i < s->clusters; i++, d /= s->div_val) {
        int64_t words = a.shared ? s->vocabulary : s->end[i] - (i ? s->end[i - 1] : 0);
        if (i == 0 || !a.shared) {
            a.weight[i] = parameter(g, "out_layers.%d.weight", i, FOCI_SHAPE(words, d));
            a.bias[i] = parameter(g, "out_layers.%d.bias", i, FOCI_SHAPE(words));
        }
        if (!a.shared || s->embed != s->width)
            a.projection[i] = parameter(g, "out_projs.%d", i, FOCI_SHAPE(s->width, d));
    }
    if (a.tails) {
        a.cluster_weight = foci_parameter(g, "cluster_weight", FOCI_ZEROS, FOCI_SHAPE(a.tails, s->embed));
        a.cluster_bias = foci_parameter(g, "cluster_bias", FOCI_ZEROS, FOCI_SHAPE(a.tails));
    }
    return a;
}

static foci_status check_variant(foci_case *c, foci_case_run *r, const json_t *variant, int number) {
    char place[32], name[64], prefix[32];
    sizes s = {0};
    const foci_safetensor *t;
    double expected_loss, loss = 0;
    snprintf(place, sizeof place, "variants[%d]", number);
    FOCI_TRY(read_sizes(c, variant, place, &s));
    FOCI_TRY(foci_case_number(c, variant, place, "loss", &expected_loss));
    snprintf(name, sizeof name, "%d.targets", number);
    FOCI_TRY(foci_case_tensor(c, name, -1, NULL, &t));
    s.rows = t->numel;

    foci_adaptive_softmax_options a = declare(r->graph, &s);
    foci_tensor *logprob = foci_graph_ok(r->graph) ? foci_adaptive_log_prob(r->graph, &a) : NULL;
    foci_tensor *nll = foci_graph_ok(r->graph) ? foci_adaptive_softmax(r->graph, &a) : NULL;
    foci_tensor *mean = foci_average(r->graph, nll);
    foci_keep(logprob);
    foci_keep(nll);
    snprintf(prefix, sizeof prefix, "%d.param.", number);
    FOCI_TRY(foci_case_run_ready(c, r, mean, prefix));
    foci_real *hidden;
    int32_t *targets;
    FOCI_TRY(foci_case_ints(c, name, FOCI_SHAPE(s.rows), s.vocabulary, 0, &targets));
    snprintf(name, sizeof name, "%d.hidden", number);
    FOCI_TRY(foci_case_reals(c, name, FOCI_SHAPE(s.rows, s.width), &hidden));
    a.hidden->data = hidden;
    a.targets->data = targets;

    foci_graph_forward(r->graph);
    snprintf(name, sizeof name, "%d.expected.nll", number);
    FOCI_TRY(foci_case_compare(c, "expected.nll", foci_data(nll), name, FOCI_SHAPE(s.rows)));
    for (int64_t i = 0; i < s.rows; i++) loss += (double)foci_data(nll)[i] / (double)s.rows;
    FOCI_TRY(foci_case_difference(c, "expected.nll", fabs(loss - expected_loss), fabs(expected_loss)));
    snprintf(name, sizeof name, "%d.expected.logprob", number);
    FOCI_TRY(
        foci_case_compare(c, "expected.logprob", foci_data(logprob), name, FOCI_SHAPE(s.rows, s.vocabulary)));
    foci_graph_backward(r->graph, 1);
    snprintf(name, sizeof name, "%d.grad.hidden", number);
    FOCI_TRY(foci_case_compare(c, "grad", foci_grad(a.hidden), name, FOCI_SHAPE(s.rows, s.width)));
    snprintf(prefix, sizeof prefix, "%d.grad.", number);
    return foci_case_run_gradients(c, r, "grad", prefix, NULL);
}

foci_status foci_verify_softmax(foci_case *c) {
    json_t *variants;
    FOCI_TRY(foci_case_member(c, c->root, "case", "variants", JSON_ARRAY, &variants));
    for (size_t i = 0; i < json_array_size(variants); i++) {
        foci_case_run r;
        foci_status status = foci_case_run_open(c, &r);
        if (!status) status = check_variant(c, &r, json_array_get(variants, i), (int)i);
        foci_case_run_close(&r);
        FOCI_TRY(status);
    }
    return FOCI_OK;
}
