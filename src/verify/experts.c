/* Golden values of a layer of experts by itself, and how a case's choices are compared. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "nn/experts.h"
#include "verify/case.h"

/* The experts of a row by falling weight. */
static void chosen(const foci_real *a, int64_t experts, int64_t k, int32_t *index) {
    for (int64_t j = 0; j < k; j++) {
        index[j] = -1;
        for (int64_t e = 0; e < experts; e++) {
            bool taken = !(a[e] > 0);
            for (int64_t i = 0; i < j; i++) taken |= index[i] == e;
            if (!taken && (index[j] < 0 || a[e] > a[index[j]])) index[j] = (int32_t)e;
        }
    }
}

foci_status foci_verify_route(foci_case *c, const foci_case_run *r, const char *route, const char *index,
                              const char *score) {
    const foci_tensor *t = foci_program_find(r->program, route);
    const foci_safetensor *listed;
    const foci_real *a;
    int32_t *want, got[64];
    if (!t) return foci_case_fail(c, "%s: nothing was routed there", index);
    FOCI_TRY(foci_program_fetch(r->program, route, &a));
    FOCI_TRY(foci_case_tensor(c, index, -1, NULL, &listed));
    const int64_t experts = foci_last_dim(t), rows = foci_rows(t), k = listed->shape[listed->ndim - 1];
    if (k < 1 || k > 64 || k > experts || listed->numel != rows * k)
        return foci_case_fail(c, "tensor %s does not fit %lld rows", index, (long long)rows);
    FOCI_TRY(foci_case_ints(c, index, listed->ndim, listed->shape, experts, 0, &want));
    foci_real *weight = foci_arena_alloc(&c->arena, (size_t)(rows * k) * sizeof *weight);
    if (!weight) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", c->path);
    double wrong = 0;
    for (int64_t i = 0; i < rows; i++) {
        chosen(a + i * experts, experts, k, got);
        for (int64_t j = 0; j < k; j++) {
            wrong += got[j] != want[i * k + j];
            weight[i * k + j] = a[i * experts + want[i * k + j]];
        }
    }
    if (!foci_case_has_group(c, "index")) FOCI_TRY(foci_case_add_group(c, "index", 0));
    FOCI_TRY(foci_case_difference(c, "index", wrong, 1));
    return foci_case_compare(c, "score", weight, score, listed->ndim, listed->shape);
}

/* ------------------------------------------------------------------------------------------------- a variant */

typedef struct layer {
    foci_case *c;
    foci_case_run run;
    int number;
    int64_t tokens, width;
    double balance, balance_loss;
    foci_nn_experts_options options;
} layer;

static foci_status read_options(layer *v, const json_t *variant) {
    foci_case *c = v->c;
    foci_nn_experts_options *o = &v->options;
    char place[32];
    json_t *gate;
    snprintf(place, sizeof place, "variants[%d]", v->number);
    FOCI_TRY(foci_case_known_keys(c, variant, place,
                                  " tokens d_model d_inner n_expert top_k gate balance balance_loss margin counts "));
    FOCI_TRY(foci_case_int(c, variant, place, "tokens", 1, 1 << 20, &v->tokens));
    FOCI_TRY(foci_case_int(c, variant, place, "d_model", 1, 65536, &v->width));
    FOCI_TRY(foci_case_int(c, variant, place, "d_inner", 1, 65536, &o->hidden));
    FOCI_TRY(foci_case_int(c, variant, place, "n_expert", 1, 4096, &o->experts));
    FOCI_TRY(foci_case_int(c, variant, place, "top_k", 1, 64, &o->top_k));
    FOCI_TRY(foci_case_number(c, variant, place, "balance", &v->balance));
    FOCI_TRY(foci_case_number(c, variant, place, "balance_loss", &v->balance_loss));
    FOCI_TRY(foci_case_member(c, variant, place, "gate", JSON_STRING, &gate));
    o->gate = strcmp(json_string_value(gate), "all") == 0 ? FOCI_GATE_ALL : FOCI_GATE_TOPK;
    if (o->gate == FOCI_GATE_TOPK && strcmp(json_string_value(gate), "topk") != 0)
        return foci_case_fail(c, "%s.gate is %.40s, neither topk nor all", place, json_string_value(gate));
    o->balanced = true;
    return FOCI_OK;
}

static foci_tensor *reshaped(foci_tensor *x, int64_t rows, int64_t columns) {
    return foci_view(x, 0, 2, (int64_t[]){rows, columns}, (int64_t[]){columns, 1});
}

/* objective = sum of out * dout + balance times the balance loss */
static void record(void *context, foci_graph *g) {
    const layer *v = context;
    const int64_t all = v->tokens * v->width;
    foci_tensor *x = foci_input(g, "x", FOCI_REAL, FOCI_SHAPE(v->tokens, v->width));
    foci_tensor *dout = foci_input(g, "dout", FOCI_REAL, FOCI_SHAPE(v->tokens, v->width));
    const foci_nn_mixture m = foci_nn_experts(g, x, &v->options);
    if (!foci_graph_ok(g)) return;
    foci_output(g, "mixture", m.y);
    foci_tensor *out = foci_nn_layer_norm(g, "layer_norm", foci_add(g, x, m.y), 1e-5, FOCI_ONES);
    if (!foci_graph_ok(g)) return;
    foci_output(g, "out", out);
    foci_tensor *sum = foci_matmul(g, reshaped(out, 1, all), reshaped(dout, all, 1));
    foci_tensor *balance = foci_scale(g, m.balance, v->balance);
    if (foci_graph_ok(g)) foci_output(g, "objective", foci_add(g, sum, reshaped(balance, 1, 1)));
}

static const char *numbered(const layer *v, const char *name) {
    const char *text = foci_arena_printf(&v->c->arena, "%d.%s", v->number, name);
    return text ? text : "";
}

static foci_status feed(const layer *v, const char *name) {
    foci_real *x;
    FOCI_TRY(foci_case_reals(v->c, numbered(v, name), FOCI_SHAPE(v->tokens, v->width), &x));
    return foci_program_feed(v->run.program, name, x);
}

static foci_status check_opened(layer *v) {
    const foci_real *x;
    FOCI_TRY(foci_case_run_open(v->c, &v->run, "x", record, v));
    FOCI_TRY(foci_case_run_ready(v->c, &v->run, numbered(v, "param."), "constant."));
    FOCI_TRY(feed(v, "x"));
    FOCI_TRY(feed(v, "dout"));
    FOCI_TRY(foci_program_forward(v->run.program));
    FOCI_TRY(foci_verify_route(v->c, &v->run, "route", numbered(v, "expected.index"), numbered(v, "expected.score")));
    FOCI_TRY(foci_case_run_compare(v->c, &v->run, "mixture", "mixture", numbered(v, "expected.mixture")));
    FOCI_TRY(foci_case_run_compare(v->c, &v->run, "out", "out", numbered(v, "expected.out")));
    FOCI_TRY(foci_program_fetch(v->run.program, "balance", &x));
    FOCI_TRY(foci_case_difference(v->c, "balance", fabs((double)x[0] - v->balance_loss), v->balance_loss));
    foci_program_backward(v->run.program, 1);
    FOCI_TRY(foci_program_fetch_gradient(v->run.program, "x", &x));
    FOCI_TRY(foci_case_compare(v->c, "grad", x, numbered(v, "grad.x"), FOCI_SHAPE(v->tokens, v->width)));
    return foci_case_run_gradients(v->c, &v->run, "grad", numbered(v, "grad."), NULL);
}

foci_status foci_verify_experts(foci_case *c) {
    json_t *variants;
    FOCI_TRY(foci_case_member(c, c->root, "case", "variants", JSON_ARRAY, &variants));
    for (size_t i = 0; i < json_array_size(variants); i++) {
        layer v = {.c = c, .number = (int)i};
        FOCI_TRY(read_options(&v, json_array_get(variants, i)));
        foci_status status = check_opened(&v);
        foci_case_run_close(&v.run);
        FOCI_TRY(status);
    }
    return FOCI_OK;
}
