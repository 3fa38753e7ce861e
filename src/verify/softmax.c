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
    if (n >= FOCI_MAX_CLUSTERS) return foci_case_fail(c, "%s.cutoffs: at most %d", place, FOCI_MAX_CLUSTERS - 1);
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

static void record(void *context, foci_graph *g) {
    const foci_adaptive_softmax_options a = declare(g, context);
    if (!foci_graph_ok(g)) return;
    foci_output(g, "logprob", foci_adaptive_log_prob(g, &a));
    foci_tensor *nll = foci_adaptive_softmax(g, &a);
    foci_output(g, "nll", nll);
    foci_output(g, "loss", foci_average(g, nll));
}

/* The name of a tensor of the variant: "3.targets". */
static const char *name_of(foci_case *c, int number, const char *what) {
    const char *name = foci_arena_printf(&c->arena, "%d.%s", number, what);
    return name ? name : "";
}

static foci_status feed(foci_case *c, foci_case_run *r, const sizes *s, int number) {
    foci_real *hidden;
    int32_t *targets;
    FOCI_TRY(foci_case_ints(c, name_of(c, number, "targets"), FOCI_SHAPE(s->rows), s->vocabulary, 0, &targets));
    FOCI_TRY(foci_case_reals(c, name_of(c, number, "hidden"), FOCI_SHAPE(s->rows, s->width), &hidden));
    FOCI_TRY(foci_program_feed(r->program, "targets", targets));
    return foci_program_feed(r->program, "hidden", hidden);
}

static foci_status check_pass(foci_case *c, foci_case_run *r, const sizes *s, int number, double expected_loss) {
    const foci_real *nll, *logprob, *gradient;
    double loss = 0;
    FOCI_TRY(foci_program_forward(r->program));
    FOCI_TRY(foci_program_fetch(r->program, "nll", &nll));
    FOCI_TRY(foci_program_fetch(r->program, "logprob", &logprob));
    FOCI_TRY(foci_case_compare(c, "expected.nll", nll, name_of(c, number, "expected.nll"), FOCI_SHAPE(s->rows)));
    for (int64_t i = 0; i < s->rows; i++) loss += (double)nll[i] / (double)s->rows;
    FOCI_TRY(foci_case_difference(c, "expected.nll", fabs(loss - expected_loss), fabs(expected_loss)));
    FOCI_TRY(foci_case_compare(c, "expected.logprob", logprob, name_of(c, number, "expected.logprob"),
                               FOCI_SHAPE(s->rows, s->vocabulary)));
    foci_program_backward(r->program, 1);
    FOCI_TRY(foci_program_fetch_gradient(r->program, "hidden", &gradient));
    FOCI_TRY(foci_case_compare(c, "grad", gradient, name_of(c, number, "grad.hidden"), FOCI_SHAPE(s->rows, s->width)));
    return foci_case_run_gradients(c, r, "grad", name_of(c, number, "grad."), NULL);
}

static foci_status check_variant(foci_case *c, foci_case_run *r, const json_t *variant, int number) {
    char place[32];
    sizes s = {0};
    const foci_safetensor *t;
    double expected_loss;
    snprintf(place, sizeof place, "variants[%d]", number);
    FOCI_TRY(read_sizes(c, variant, place, &s));
    FOCI_TRY(foci_case_number(c, variant, place, "loss", &expected_loss));
    FOCI_TRY(foci_case_tensor(c, name_of(c, number, "targets"), -1, NULL, &t));
    s.rows = t->numel;
    FOCI_TRY(foci_case_run_open(c, r, "hidden", record, &s));
    FOCI_TRY(foci_case_run_ready(c, r, name_of(c, number, "param."), "constant."));
    FOCI_TRY(feed(c, r, &s, number));
    return check_pass(c, r, &s, number, expected_loss);
}

foci_status foci_verify_softmax(foci_case *c) {
    json_t *variants;
    FOCI_TRY(foci_case_member(c, c->root, "case", "variants", JSON_ARRAY, &variants));
    for (size_t i = 0; i < json_array_size(variants); i++) {
        foci_case_run r = {.program = NULL};
        foci_status status = check_variant(c, &r, json_array_get(variants, i), (int)i);
        foci_case_run_close(&r);
        FOCI_TRY(status);
    }
    return FOCI_OK;
}
