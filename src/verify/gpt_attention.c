/* Golden values of attention with heads that share keys, norms of queries and keys, rotary positions, and metrics of
 * each kind between them: output, map, metric, gradients of sum(out * dout). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention/attend.h"
#include "attention/attention.h"
#include "verify/case.h"

enum { Q, K, V, Q_PREV, K_PREV, V_PREV, INPUTS };
static const char *const inputs[INPUTS] = {"q", "k", "v", "q_prev", "k_prev", "v_prev"};

typedef struct variant {
    foci_case *c;
    int number;
    foci_config *config;
    foci_case_run run;
    int64_t shape[4], keys[4]; /* (B, H, N, D), (B, G, N, D) */
    double theta, eps;
    int64_t first;
    bool norms, elliptical;
} variant;

static const char *numbered(const variant *v, const char *name) {
    const char *text = foci_arena_printf(&v->c->arena, "%d.%s", v->number, name);
    return text ? text : "";
}

static bool is_given(const variant *v, int input) { return input <= V || v->elliptical; }
static const int64_t *shape_of(const variant *v, int input) { return input % 3 ? v->keys : v->shape; }

static void record(void *context, foci_graph *g) {
    const variant *v = context;
    foci_tensor *t[INPUTS] = {NULL};
    for (int i = 0; i < INPUTS; i++)
        if (is_given(v, i)) t[i] = foci_input(g, inputs[i], FOCI_REAL, 4, shape_of(v, i));
    foci_attention_turning turning = {.theta = v->theta, .first = v->first, .eps = v->eps};
    if (v->norms) {
        turning.q_norm = foci_parameter(g, "q_norm", FOCI_ONES, FOCI_SHAPE(v->shape[3]));
        turning.k_norm = foci_parameter(g, "k_norm", FOCI_ONES, FOCI_SHAPE(v->shape[3]));
    }
    foci_attention_io io = {.graph = g,
                            .config = v->config,
                            .q = t[Q],
                            .k = t[K],
                            .v = t[V],
                            .q_before = t[Q_PREV],
                            .k_before = t[K_PREV],
                            .v_before = t[V_PREV],
                            .turning = &turning,
                            .layer = 1,
                            .depth = 2,
                            .longest = v->shape[2],
                            .causal = true,
                            .scale = 1 / sqrt((double)v->shape[3])};
    if (foci_graph_ok(g)) foci_output(g, "out", foci_attend_once(&io));
}

static foci_status compare(const variant *v, const char *what, const foci_real *got, int ndim, const int64_t *shape) {
    return foci_case_compare(v->c, what, got, numbered(v, what), ndim, shape);
}

static foci_status check_forward(const variant *v, foci_real *spare) {
    const int64_t *s = v->shape;
    const foci_real *x;
    FOCI_TRY(foci_program_forward(v->run.program));
    FOCI_TRY(foci_program_fetch(v->run.program, "out", &x));
    foci_case_swap_axes(s[0], s[2], s[1], s[3], x, spare);
    FOCI_TRY(compare(v, "out", spare, 4, s));
    FOCI_TRY(foci_program_fetch(v->run.program, "prob", &x));
    FOCI_TRY(compare(v, "prob", x, FOCI_SHAPE(s[0], s[1], s[2], s[2])));
    const foci_tensor *metric = foci_program_find(v->run.program, "metric");
    if (!metric) return v->elliptical ? foci_case_fail(v->c, "variants[%d]: no metric", v->number) : FOCI_OK;
    FOCI_TRY(foci_program_fetch(v->run.program, "metric", &x));
    return compare(v, "w", x, 4, metric->shape);
}

static foci_status check_backward(variant *v, foci_real *spare) {
    const int64_t *s = v->shape;
    foci_real *dout;
    FOCI_TRY(foci_case_reals(v->c, numbered(v, "dout"), 4, s, &dout));
    foci_case_swap_axes(s[0], s[1], s[2], s[3], dout, spare);
    foci_parameters_zero_grad(&v->run.parameters);
    foci_program_backward_from(v->run.program, spare);
    for (int i = Q; i <= V; i++) {
        const foci_real *gradient;
        char name[8];
        snprintf(name, sizeof name, "d%s", inputs[i]);
        FOCI_TRY(foci_program_fetch_gradient(v->run.program, inputs[i], &gradient));
        FOCI_TRY(compare(v, name, gradient, 4, shape_of(v, i)));
    }
    const foci_parameters *p = &v->run.parameters;
    for (int i = 0; i < p->count; i++) {
        char name[32];
        snprintf(name, sizeof name, "d%s", p->entry[i].name);
        FOCI_TRY(compare(v, name, p->grad + p->entry[i].offset, 1, p->entry[i].shape));
    }
    return FOCI_OK;
}

static foci_status check_opened(variant *v) {
    const int64_t *s = v->shape;
    FOCI_TRY(foci_case_run_open(v->c, &v->run, "q k v", record, v));
    FOCI_TRY(foci_case_run_ready(v->c, &v->run, numbered(v, ""), ""));
    foci_real *x, *spare = foci_arena_alloc(&v->c->arena, (size_t)(s[0] * s[1] * s[2] * s[3]) * sizeof *spare);
    if (!spare) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", v->c->path);
    for (int i = 0; i < INPUTS; i++) {
        if (!is_given(v, i)) continue;
        FOCI_TRY(foci_case_reals(v->c, numbered(v, inputs[i]), 4, shape_of(v, i), &x));
        FOCI_TRY(foci_program_feed(v->run.program, inputs[i], x));
    }
    FOCI_TRY(check_forward(v, spare));
    return check_backward(v, spare);
}

static foci_status read_shape(const variant *v, const char *name, int64_t shape[4]) {
    const foci_safetensor *t;
    FOCI_TRY(foci_case_tensor(v->c, numbered(v, name), -1, NULL, &t));
    if (t->ndim != 4) return foci_case_fail(v->c, "tensor %s has %d dimensions, not 4", t->name, t->ndim);
    memcpy(shape, t->shape, 4 * sizeof *shape);
    return FOCI_OK;
}

static foci_status check_variant(foci_case *c, const json_t *json, int number) {
    static const char place[] = "variants";
    const json_t *elliptical = json_object_get(json, "elliptical"), *theta = json_object_get(json, "rope_theta");
    variant v = {.c = c, .number = number, .elliptical = json_is_object(elliptical)};
    FOCI_TRY(
        foci_case_known_keys(c, json, place, " num_heads num_kv_heads elliptical rope_theta first qk_norm norm_eps "));
    FOCI_TRY(read_shape(&v, "q", v.shape));
    FOCI_TRY(read_shape(&v, "k", v.keys));
    FOCI_TRY(foci_case_int(c, json, place, "first", 0, 1 << 20, &v.first));
    FOCI_TRY(foci_case_number(c, json, place, "norm_eps", &v.eps));
    if (!json_is_null(theta)) FOCI_TRY(foci_case_number(c, json, place, "rope_theta", &v.theta));
    v.norms = json_is_true(json_object_get(json, "qk_norm"));
    if (!elliptical) return foci_case_fail(c, "variants[%d].elliptical is missing", number);
    FOCI_TRY(foci_case_config(c, &(foci_case_settings){.elliptical = elliptical}, &v.config));
    const foci_status status = check_opened(&v);
    foci_case_run_close(&v.run);
    foci_config_free(v.config);
    return status;
}

foci_status foci_verify_gpt_attention(foci_case *c) {
    json_t *variants;
    FOCI_TRY(foci_case_member(c, c->root, "case", "variants", JSON_ARRAY, &variants));
    for (size_t i = 0; i < json_array_size(variants); i++)
        FOCI_TRY(check_variant(c, json_array_get(variants, i), (int)i));
    return FOCI_OK;
}
