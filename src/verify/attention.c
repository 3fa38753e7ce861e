/* Golden values of attention by itself: output, map, metric, and the gradients of sum(out * dout). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention/attend.h"
#include "ops/attention_head.h"
#include "verify/case.h"

/* The attention that the variant has recorded, to ask for the map of the very same. */
static const foci_node *find_attention(const foci_graph *g) {
    for (int i = foci_graph_nodes(g) - 1; i >= 0; i--)
        if (strcmp(foci_graph_node(g, i)->op->name, "scaled_dot_product_attention") == 0) return foci_graph_node(g, i);
    return NULL;
}

static foci_tensor *record_map(foci_graph *g) {
    const foci_node *n = find_attention(g);
    if (!n) return foci_graph_fail(g, "the variant records no scaled_dot_product_attention");
    const foci_attention_attributes *a = n->attributes;
    return foci_attention_map(
        g, n->input[ATTENTION_Q], n->input[ATTENTION_K],
        &(foci_sdpa_options){.scale = a->scale, .causal = a->causal, .metric = n->input[ATTENTION_METRIC]});
}

/* (B, X, Y, D) -> (B, Y, X, D): between heads apart and heads joined. */
static void swap_axes(int64_t b, int64_t x, int64_t y, int64_t d, const foci_real *from, foci_real *to) {
    for (int64_t i = 0; i < b * x * y; i++) {
        int64_t row = (i / (x * y) * y + i % y) * x + i / y % x;
        memcpy(to + row * d, from + i * d, (size_t)d * sizeof *to);
    }
}

static foci_status compare(foci_case *c, int variant, const char *what, const foci_real *got, int ndim,
                           const int64_t *shape) {
    char name[64];
    snprintf(name, sizeof name, "%d.%s", variant, what);
    return foci_case_compare(c, what, got, name, ndim, shape);
}

typedef struct variant_case {
    foci_case *c;
    foci_case_run run;
    foci_config *config;
    const char *name; /* of the variant */
    int number;
    const int64_t *shape; /* (B, H, N, D) */
    bool causal;
} variant_case;

enum { INPUTS = 6 };
static const char *const inputs[INPUTS] = {"q", "k", "v", "q_prev", "k_prev", "v_prev"};

static void record(void *context, foci_graph *g) {
    const variant_case *v = context;
    foci_tensor *t[INPUTS];
    for (int i = 0; i < INPUTS; i++) t[i] = foci_input(g, inputs[i], FOCI_REAL, 4, v->shape);
    int layer = strcmp(v->name, "elliptical") == 0 ? (int)foci_config_int(v->config, "attention.first") : 1;
    foci_attention_io io = {
        .graph = g,
        .config = v->config,
        .q = t[0],
        .k = t[1],
        .v = t[2],
        .q_before = t[3],
        .k_before = t[4],
        .v_before = t[5],
        .layer = layer,
        .depth = layer + 1,
        .causal = v->causal,
        .scale = 1 / sqrt((double)v->shape[3]),
    };
    if (!foci_graph_ok(g)) return;
    foci_tensor *out = foci_attend_once(&io);
    foci_output(g, "map", out ? record_map(g) : NULL);
    foci_output(g, "out", out);
}

static foci_status feed(const variant_case *v) {
    foci_real *x;
    for (int i = 0; i < INPUTS; i++) {
        FOCI_TRY(foci_case_reals(v->c, inputs[i], 4, v->shape, &x));
        FOCI_TRY(foci_program_feed(v->run.program, inputs[i], x));
    }
    return FOCI_OK;
}

static foci_status check_forward(const variant_case *v, foci_real *spare) {
    const int64_t *shape = v->shape;
    const foci_real *out, *map, *w;
    FOCI_TRY(foci_program_forward(v->run.program));
    FOCI_TRY(foci_program_fetch(v->run.program, "out", &out));
    FOCI_TRY(foci_program_fetch(v->run.program, "map", &map));
    swap_axes(shape[0], shape[2], shape[1], shape[3], out, spare);
    FOCI_TRY(compare(v->c, v->number, "out", spare, 4, shape));
    FOCI_TRY(compare(v->c, v->number, "prob", map, FOCI_SHAPE(shape[0], shape[1], shape[2], shape[2])));
    const foci_tensor *metric = foci_program_find(v->run.program, "metric");
    if (!metric && strcmp(v->name, "elliptical") == 0)
        return foci_case_fail(v->c, "variants[%d]: no metric was recorded", v->number);
    if (!metric) return FOCI_OK;
    FOCI_TRY(foci_program_fetch(v->run.program, "metric", &w));
    return compare(v->c, v->number, "w", w, metric->ndim, metric->shape);
}

static foci_status check_backward(const variant_case *v, foci_real *spare) {
    static const char *const gradients[] = {"dq", "dk", "dv"};
    const int64_t *shape = v->shape;
    foci_real *dout;
    FOCI_TRY(foci_case_reals(v->c, "dout", 4, shape, &dout));
    swap_axes(shape[0], shape[1], shape[2], shape[3], dout, spare);
    foci_program_backward_from(v->run.program, spare);
    for (int i = 0; i < 3; i++) {
        const foci_real *gradient;
        FOCI_TRY(foci_program_fetch_gradient(v->run.program, inputs[i], &gradient));
        FOCI_TRY(compare(v->c, v->number, gradients[i], gradient, 4, shape));
    }
    return FOCI_OK;
}

/* The layer before is a constant here. */
static foci_status check_opened(variant_case *v) {
    const int64_t *shape = v->shape;
    FOCI_TRY(foci_case_run_open(v->c, &v->run, "q k v", record, v));
    foci_real *spare =
        foci_arena_alloc(&v->c->arena, (size_t)(shape[0] * shape[1] * shape[2] * shape[3]) * sizeof *spare);
    if (!spare) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", v->c->path);
    FOCI_TRY(foci_case_run_ready(v->c, &v->run, ""));
    FOCI_TRY(feed(v));
    FOCI_TRY(check_forward(v, spare));
    return check_backward(v, spare);
}

static foci_status check_variant(foci_case *c, const json_t *variant, int number, const int64_t *shape) {
    char place[32];
    variant_case v = {
        .c = c, .number = number, .shape = shape, .causal = json_is_true(json_object_get(variant, "causal_mask"))};
    snprintf(place, sizeof place, "variants[%d]", number);
    FOCI_TRY(foci_case_known_keys(c, variant, place, " elliptical causal_mask "));
    const json_t *elliptical = json_object_get(variant, "elliptical");
    if (!elliptical || !json_is_boolean(json_object_get(variant, "causal_mask")))
        return foci_case_fail(c, "%s lacks elliptical or causal_mask", place);
    FOCI_TRY(foci_case_config(c, NULL, NULL, NULL, elliptical, &v.config));
    v.name = foci_config_string(v.config, "attention.kind");
    foci_status status = check_opened(&v);
    foci_case_run_close(&v.run);
    foci_config_free(v.config);
    return status;
}

foci_status foci_verify_attention(foci_case *c) {
    json_t *variants;
    const foci_safetensor *q;
    FOCI_TRY(foci_case_member(c, c->root, "case", "variants", JSON_ARRAY, &variants));
    FOCI_TRY(foci_case_tensor(c, "q", -1, NULL, &q));
    if (q->ndim != 4) return foci_case_fail(c, "tensor q has %d dimensions, not 4", q->ndim);
    for (size_t i = 0; i < json_array_size(variants); i++)
        FOCI_TRY(check_variant(c, json_array_get(variants, i), (int)i, q->shape));
    return FOCI_OK;
}
