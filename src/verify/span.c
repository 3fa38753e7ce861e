/* Golden values of attention over a span with a memory: output, probabilities, metric, and the gradients of
 * sum(out * dout). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention/attend.h"
#include "verify/case.h"

typedef struct variant_case {
    foci_case *c;
    foci_case_run run;
    foci_config *config;
    int number, layer;
    int64_t batch, heads, window, width, span, filled;
    bool plain_position, masked;
} variant_case;

static foci_status read_sizes(variant_case *v, const json_t *variant) {
    foci_case *c = v->c;
    char place[32];
    json_t *empty;
    snprintf(place, sizeof place, "variants[%d]", v->number);
    FOCI_TRY(foci_case_known_keys(c, variant, place,
                                  " batch heads window d_head span elliptical position_metric empty filled "));
    FOCI_TRY(foci_case_int(c, variant, place, "batch", 1, 4096, &v->batch));
    FOCI_TRY(foci_case_int(c, variant, place, "heads", 1, 4096, &v->heads));
    FOCI_TRY(foci_case_int(c, variant, place, "window", 1, 65536, &v->window));
    FOCI_TRY(foci_case_int(c, variant, place, "d_head", 1, 4096, &v->width));
    FOCI_TRY(foci_case_int(c, variant, place, "span", 1, 65536, &v->span));
    FOCI_TRY(foci_case_int(c, variant, place, "filled", 0, v->span, &v->filled));
    FOCI_TRY(foci_case_member(c, variant, place, "empty", JSON_STRING, &empty));
    v->masked = strcmp(json_string_value(empty), "mask") == 0;
    v->plain_position = json_is_false(json_object_get(variant, "position_metric"));
    if (v->masked || strcmp(json_string_value(empty), "attend") == 0) return FOCI_OK;
    return foci_case_fail(c, "%s.empty is %.40s, neither attend nor mask", place, json_string_value(empty));
}

static foci_tensor *heads(foci_graph *g, const variant_case *v, const char *name, int64_t rows) {
    return foci_input(g, name, FOCI_REAL, FOCI_SHAPE(v->batch, v->heads, rows, v->width));
}

static void record(void *context, foci_graph *g) {
    const variant_case *v = context;
    const int64_t rows = v->span + v->window;
    const int32_t filled = (int32_t)v->filled;
    const foci_attention_span span = {.length = v->span,
                                      .position = foci_input(g, "pe", FOCI_REAL, FOCI_SHAPE(1, v->width, v->span)),
                                      .filled = v->masked ? foci_constant(g, "filled", FOCI_INT, FOCI_SHAPE(1), &filled)
                                                          : NULL,
                                      .plain_position = v->plain_position};
    foci_attention_io io = {.graph = g,
                            .config = v->config,
                            .q = heads(g, v, "q", v->window),
                            .k = heads(g, v, "k", rows),
                            .v = heads(g, v, "v", rows),
                            .k_before = heads(g, v, "k_prev", rows),
                            .v_before = heads(g, v, "v_prev", rows),
                            .layer = 1,
                            .depth = 2,
                            .longest = v->window,
                            .causal = true,
                            .span = &span,
                            .scale = 1 / sqrt((double)v->width)};
    if (foci_graph_ok(g)) foci_output(g, "out", foci_attend_once(&io));
}

/* (B, H, T, D) <-> (B, T, H, D) */
static void swap(const variant_case *v, int64_t outer, int64_t inner, const foci_real *from, foci_real *to) {
    for (int64_t i = 0; i < v->batch * outer * inner; i++) {
        const int64_t row = (i / (outer * inner) * inner + i % inner) * outer + i / inner % outer;
        memcpy(to + row * v->width, from + i * v->width, (size_t)v->width * sizeof *to);
    }
}

static const char *numbered(const variant_case *v, const char *name) {
    const char *text = foci_arena_printf(&v->c->arena, "%d.%s", v->number, name);
    return text ? text : "";
}

static foci_status feed(const variant_case *v, const char *name) {
    const foci_tensor *t = foci_program_find(v->run.program, name);
    int64_t shape[FOCI_MAX_DIMS];
    foci_real *x;
    memcpy(shape, t->shape, sizeof shape);
    const bool position = t->ndim == 3; /* the file has it without the leading 1 */
    FOCI_TRY(foci_case_reals(v->c, numbered(v, name), t->ndim - position, shape + position, &x));
    return foci_program_feed(v->run.program, name, x);
}

static foci_status check_gradient(const variant_case *v, const char *name) {
    const foci_tensor *t = foci_program_find(v->run.program, name);
    const foci_real *x;
    char group[16];
    snprintf(group, sizeof group, "d%s", name);
    FOCI_TRY(foci_program_fetch_gradient(v->run.program, name, &x));
    const bool position = t->ndim == 3;
    return foci_case_compare(v->c, group, x, numbered(v, group), t->ndim - position, t->shape + position);
}

static foci_status check_pass(const variant_case *v) {
    const int64_t shape[] = {v->batch, v->heads, v->window, v->width};
    foci_real *dout,
        *spare = foci_arena_alloc(&v->c->arena, (size_t)(v->batch * v->heads * v->window * v->width) * sizeof *spare);
    const foci_real *out;
    if (!spare) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", v->c->path);
    FOCI_TRY(foci_program_forward(v->run.program));
    FOCI_TRY(foci_program_fetch(v->run.program, "out", &out));
    swap(v, v->window, v->heads, out, spare);
    FOCI_TRY(foci_case_compare(v->c, "out", spare, numbered(v, "out"), 4, shape));
    FOCI_TRY(foci_case_run_compare(v->c, &v->run, "prob", "prob", numbered(v, "prob")));
    if (foci_program_find(v->run.program, "metric"))
        FOCI_TRY(foci_case_run_compare(v->c, &v->run, "w", "metric", numbered(v, "w")));
    FOCI_TRY(foci_case_reals(v->c, numbered(v, "dout"), 4, shape, &dout));
    swap(v, v->heads, v->window, dout, spare);
    foci_program_backward_from(v->run.program, spare);
    return FOCI_OK;
}

static foci_status check_opened(variant_case *v) {
    static const char *const input[] = {"q", "k", "v", "pe", "k_prev", "v_prev"};
    FOCI_TRY(foci_case_run_open(v->c, &v->run, "q k v pe", record, v));
    FOCI_TRY(foci_case_run_ready(v->c, &v->run, "", ""));
    for (int i = 0; i < 6; i++) FOCI_TRY(feed(v, input[i]));
    FOCI_TRY(check_pass(v));
    for (int i = 0; i < 4; i++) FOCI_TRY(check_gradient(v, input[i]));
    return FOCI_OK;
}

static foci_status check_variant(foci_case *c, const json_t *variant, int number) {
    variant_case v = {.c = c, .number = number};
    FOCI_TRY(read_sizes(&v, variant));
    FOCI_TRY(foci_case_config(
        c, &(foci_case_settings){.elliptical = json_object_get(variant, "elliptical"), .tensors = numbered(&v, "")},
        &v.config));
    foci_status status = check_opened(&v);
    foci_case_run_close(&v.run);
    foci_config_free(v.config);
    return status;
}

foci_status foci_verify_span(foci_case *c) {
    json_t *variants;
    FOCI_TRY(foci_case_member(c, c->root, "case", "variants", JSON_ARRAY, &variants));
    for (size_t i = 0; i < json_array_size(variants); i++)
        FOCI_TRY(check_variant(c, json_array_get(variants, i), (int)i));
    return FOCI_OK;
}
