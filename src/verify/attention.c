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
        if (strcmp(foci_graph_node(g, i)->op->name, "scaled_dot_product_attention") == 0)
            return foci_graph_node(g, i);
    return NULL;
}

static foci_tensor *record_map(foci_graph *g) {
    const foci_node *n = find_attention(g);
    if (!n) return foci_graph_fail(g, "the variant records no scaled_dot_product_attention");
    const foci_attention_attributes *a = n->attributes;
    foci_tensor *map = foci_attention_map(
        g, n->input[ATTENTION_Q], n->input[ATTENTION_K],
        &(foci_sdpa_options){.scale = a->scale, .causal = a->causal, .metric = n->input[ATTENTION_METRIC]});
    foci_keep(map);
    return map;
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

static foci_status check_recorded(foci_case *c, foci_case_run *r, foci_config *config, const json_t *variant,
                                  int number, const int64_t *shape) {
    static const char *const names[] = {"q", "k", "v", "q_prev", "k_prev", "v_prev"};
    static const char *const gradients[] = {"dq", "dk", "dv"};
    foci_graph *g = r->graph;
    foci_tensor *t[6];
    bool elliptical = json_is_object(json_object_get(variant, "elliptical"));
    for (int i = 0; i < 6; i++) {
        t[i] = foci_parameter(g, names[i], FOCI_ZEROS, 4, shape);
        if (t[i]) t[i]->requires_grad = i < 3; /* the layer before is a constant here */
    }
    int layer = elliptical ? (int)foci_config_int(config, "attention.first") : 1;
    foci_attention_io io = {
        .graph = g,
        .config = config,
        .q = t[0],
        .k = t[1],
        .v = t[2],
        .q_before = t[3],
        .k_before = t[4],
        .v_before = t[5],
        .layer = layer,
        .depth = layer + 1,
        .causal = json_is_true(json_object_get(variant, "causal_mask")),
        .scale = 1 / sqrt((double)shape[3]),
    };
    foci_tensor *out = foci_graph_ok(g) ? foci_attend_once(&io) : NULL;
    foci_keep(out);
    foci_tensor *map = out ? record_map(g) : NULL;
    FOCI_TRY(foci_case_run_ready(c, r, out, ""));

    foci_real *dout, *split = foci_arena_alloc(&c->arena, (size_t)foci_numel(out) * sizeof *split);
    if (!split) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", c->path);
    FOCI_TRY(foci_case_reals(c, "dout", 4, shape, &dout));
    foci_graph_forward(g);
    swap_axes(shape[0], shape[2], shape[1], shape[3], foci_data(out), split);
    FOCI_TRY(compare(c, number, "out", split, 4, shape));
    FOCI_TRY(compare(c, number, "prob", foci_data(map), 4, map->shape));
    const foci_tensor *w = foci_graph_observed(g, "metric");
    if (elliptical && !w) return foci_case_fail(c, "variants[%d]: no metric was recorded", number);
    if (w) FOCI_TRY(compare(c, number, "w", foci_data(w), w->ndim, w->shape));

    swap_axes(shape[0], shape[1], shape[2], shape[3], dout, foci_grad(out));
    foci_parameters_zero_grad(&r->parameters);
    foci_graph_backward_from_output(g);
    for (int i = 0; i < 3; i++) FOCI_TRY(compare(c, number, gradients[i], foci_grad(t[i]), 4, shape));
    return FOCI_OK;
}

static foci_status check_variant(foci_case *c, const json_t *variant, int number, const int64_t *shape) {
    char place[32];
    foci_config *config;
    foci_case_run r;
    snprintf(place, sizeof place, "variants[%d]", number);
    FOCI_TRY(foci_case_known_keys(c, variant, place, " elliptical causal_mask "));
    const json_t *elliptical = json_object_get(variant, "elliptical");
    if (!elliptical || !json_is_boolean(json_object_get(variant, "causal_mask")))
        return foci_case_fail(c, "%s lacks elliptical or causal_mask", place);
    FOCI_TRY(foci_case_config(c, NULL, NULL, NULL, elliptical, &config));
    foci_status status = foci_case_run_open(c, &r);
    if (!status) status = check_recorded(c, &r, config, variant, number, shape);
    foci_case_run_close(&r);
    foci_config_free(config);
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
