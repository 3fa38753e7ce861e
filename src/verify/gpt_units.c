/* Golden values of what decoders of today are made of: activations, gates, RMS norms, rotary positions. */
#include <stdio.h>
#include <string.h>

#include "verify/case.h"

typedef struct unit {
    foci_case *c;
    foci_case_run run;
    int64_t shape[4]; /* (rows, C); of rotary (B, H, N, D) */
    foci_activation activation;
    int64_t branches; /* columns of the input are so many times C */
    double eps, theta;
    int64_t first;
} unit;

static foci_status shape_of(unit *u, const char *name, int ndim) {
    const foci_safetensor *t;
    FOCI_TRY(foci_case_tensor(u->c, name, -1, NULL, &t));
    if (t->ndim != ndim || !t->numel) return foci_case_fail(u->c, "tensor %s has not %d dimensions", name, ndim);
    memcpy(u->shape, t->shape, (size_t)ndim * sizeof *t->shape);
    return FOCI_OK;
}

static const foci_parameter_entry *entry(const unit *u, const char *name) {
    return &u->run.parameters.entry[foci_parameters_find(&u->run.parameters, name)];
}
static foci_real *value(unit *u, const char *name) { return u->run.parameters.value + entry(u, name)->offset; }
static foci_real *gradient(unit *u, const char *name) { return u->run.parameters.grad + entry(u, name)->offset; }

static foci_status compare(unit *u, const char *of, const char *what, const foci_real *got, int ndim,
                           const int64_t *shape) {
    char name[80];
    snprintf(name, sizeof name, "expected.%s.%s", of, what);
    return foci_case_compare(u->c, name + strlen("expected."), got, name, ndim, shape);
}

static foci_status run(unit *u, const foci_real *dout, const foci_real **out) {
    FOCI_TRY(foci_program_forward(u->run.program));
    FOCI_TRY(foci_program_fetch(u->run.program, "out", out));
    foci_program_backward_from(u->run.program, dout);
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------- activations */

/* They are inside an MLP: its matrices let columns through as they are. */
static void record_activation(void *context, foci_graph *g) {
    const unit *u = context;
    const int64_t c = u->shape[1], in = u->branches * c;
    foci_tensor *x = foci_parameter(g, "input", FOCI_ZEROS, FOCI_SHAPE(u->shape[0], in)),
                *up = foci_parameter(g, "up", FOCI_ZEROS, FOCI_SHAPE(c, in)),
                *bias = foci_parameter(g, "up_bias", FOCI_ZEROS, FOCI_SHAPE(c)),
                *down = foci_parameter(g, "down", FOCI_ZEROS, FOCI_SHAPE(c, c));
    if (u->activation != FOCI_SWIGLU) {
        foci_output(g, "out", foci_mlp(g, x, up, bias, down, NULL, u->activation, 0));
        return;
    }
    foci_tensor *gate = foci_parameter(g, "gate", FOCI_ZEROS, FOCI_SHAPE(c, in));
    foci_output(g, "out", foci_gated_mlp(g, x, gate, NULL, up, bias, down, NULL, 0));
}

/* Column i of a matrix takes column first + i of the input. */
static void let_through(unit *u, const char *matrix, int64_t first) {
    const foci_parameter_entry *e = entry(u, matrix);
    for (int64_t i = 0; i < e->shape[0]; i++) value(u, matrix)[i * e->shape[1] + first + i] = 1;
}

/* Columns first .. of the input become a tensor of the case, times a factor. */
static foci_status give(unit *u, const char *tensor, int64_t first, double factor) {
    const int64_t c = u->shape[1];
    foci_real *x;
    FOCI_TRY(foci_case_reals(u->c, tensor, 2, u->shape, &x));
    for (int64_t i = 0; i < u->shape[0] * c; i++)
        value(u, "input")[i / c * u->branches * c + first + i % c] = (foci_real)factor * x[i];
    return FOCI_OK;
}

static foci_status compare_columns(unit *u, const char *of, const char *what, int64_t first) {
    const int64_t c = u->shape[1];
    foci_real *part = foci_arena_alloc(&u->c->arena, (size_t)(u->shape[0] * c) * sizeof *part);
    if (!part) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", u->c->path);
    for (int64_t i = 0; i < u->shape[0] * c; i++)
        part[i] = gradient(u, "input")[i / c * u->branches * c + first + i % c];
    return compare(u, of, what, part, 2, u->shape);
}

static foci_status open_activation(unit *u, foci_activation activation, int64_t branches) {
    u->activation = activation;
    u->branches = branches;
    FOCI_TRY(shape_of(u, "x", 2));
    FOCI_TRY(foci_case_run_open(u->c, &u->run, NULL, record_activation, u));
    u->run.own = "input up down gate";
    FOCI_TRY(foci_case_run_ready(u->c, &u->run, "", "constant."));
    let_through(u, "down", 0);
    return FOCI_OK;
}

static foci_status of_three_x(unit *u, const char *name) {
    foci_real *dout;
    const foci_real *out;
    FOCI_TRY(give(u, "x", 0, 3));
    FOCI_TRY(foci_case_reals(u->c, "dout", 2, u->shape, &dout));
    FOCI_TRY(run(u, dout, &out));
    FOCI_TRY(compare(u, name, "out", out, 2, u->shape));
    return compare_columns(u, name, "dx", 0);
}

static foci_status gelu_tanh(unit *u) {
    FOCI_TRY(open_activation(u, FOCI_GELU_TANH, 1));
    let_through(u, "up", 0);
    return of_three_x(u, "gelu_tanh");
}

/* A gate of ones. */
static foci_status silu(unit *u) {
    FOCI_TRY(open_activation(u, FOCI_SWIGLU, 1));
    let_through(u, "gate", 0);
    for (int64_t i = 0; i < u->shape[1]; i++) value(u, "up_bias")[i] = 1;
    return of_three_x(u, "silu");
}

static foci_status gated(unit *u) {
    foci_real *dout;
    const foci_real *out;
    FOCI_TRY(open_activation(u, FOCI_SWIGLU, 2));
    const int64_t c = u->shape[1];
    let_through(u, "gate", 0);
    let_through(u, "up", c);
    FOCI_TRY(give(u, "x", 0, 1));
    FOCI_TRY(give(u, "up", c, 1));
    FOCI_TRY(foci_case_reals(u->c, "dout", 2, u->shape, &dout));
    FOCI_TRY(run(u, dout, &out));
    FOCI_TRY(compare(u, "gated", "out", out, 2, u->shape));
    FOCI_TRY(compare_columns(u, "gated", "dgate", 0));
    return compare_columns(u, "gated", "dup", c);
}

/* ----------------------------------------------------------------------------------------------- RMS norm */

static void record_rms(void *context, foci_graph *g) {
    const unit *u = context;
    foci_tensor *x = foci_parameter(g, "small", FOCI_ZEROS, 2, u->shape),
                *weight = foci_parameter(g, "weight", FOCI_ZEROS, 1, u->shape + 1);
    foci_output(g, "out", foci_rms_norm(g, x, weight, u->eps, 1));
}

static foci_status rms(unit *u, const char *name, double eps) {
    foci_real *dout;
    const foci_real *out;
    u->eps = eps;
    FOCI_TRY(shape_of(u, "small", 2));
    FOCI_TRY(foci_case_run_open(u->c, &u->run, NULL, record_rms, u));
    FOCI_TRY(foci_case_run_ready(u->c, &u->run, "", "constant."));
    FOCI_TRY(foci_case_reals(u->c, "dout", 2, u->shape, &dout));
    FOCI_TRY(run(u, dout, &out));
    FOCI_TRY(compare(u, name, "out", out, 2, u->shape));
    FOCI_TRY(compare(u, name, "dx", gradient(u, "small"), 2, u->shape));
    return compare(u, name, "dweight", gradient(u, "weight"), 1, u->shape + 1);
}
static foci_status rms_5(unit *u) { return rms(u, "rms.eps5", 1e-5); }
static foci_status rms_6(unit *u) { return rms(u, "rms.eps6", 1e-6); }

/* ----------------------------------------------------------------------------------------------- rotary */

static void record_rotary(void *context, foci_graph *g) {
    const unit *u = context;
    foci_tensor *x = foci_parameter(g, "x", FOCI_ZEROS, 4, u->shape),
                *angles = foci_rotary_angles(g, u->first, u->shape[2], u->shape[3], u->theta);
    foci_output(g, "out", foci_rotary(g, x, &(foci_rotary_options){.angles = angles}));
}

/* Pairs that are neighbours: coordinate d of half-split heads is number `there` of theirs. */
static int64_t neighbour(int64_t d, int64_t width) { return d < width / 2 ? 2 * d : 2 * (d - width / 2) + 1; }

/* (B, H, N, D), perhaps with neighbours as pairs, to (B, H, N, D) of halves, or to (B, N, H, D). */
static void arrange(const unit *u, bool neighbours, bool joined, bool back, const foci_real *from, foci_real *to) {
    const int64_t *s = u->shape;
    for (int64_t i = 0; i < s[0] * s[1] * s[2]; i++) {
        const int64_t b = i / (s[1] * s[2]), h = i / s[2] % s[1], n = i % s[2];
        const int64_t row = joined ? (b * s[2] + n) * s[1] + h : i;
        for (int64_t d = 0; d < s[3]; d++) {
            const int64_t there = i * s[3] + (neighbours ? neighbour(d, s[3]) : d), here = row * s[3] + d;
            if (back) to[there] = from[here];
            else to[here] = from[there];
        }
    }
}

static foci_status rotary(unit *u, int number, bool neighbours) {
    char x_name[32], dout_name[32], name[48];
    foci_real *x, *dout;
    const foci_real *out;
    snprintf(x_name, sizeof x_name, "rotary.%d.x", number);
    snprintf(dout_name, sizeof dout_name, "rotary.%d.dout", number);
    snprintf(name, sizeof name, "rotary.%d.%s", number, neighbours ? "interleaved" : "half");
    FOCI_TRY(shape_of(u, x_name, 4));
    FOCI_TRY(foci_case_run_open(u->c, &u->run, NULL, record_rotary, u));
    u->run.own = "x";
    FOCI_TRY(foci_case_run_ready(u->c, &u->run, "", "constant."));
    FOCI_TRY(foci_case_reals(u->c, x_name, 4, u->shape, &x));
    FOCI_TRY(foci_case_reals(u->c, dout_name, 4, u->shape, &dout));
    foci_real *spare =
        foci_arena_alloc(&u->c->arena, (size_t)(u->shape[0] * u->shape[1] * u->shape[2] * u->shape[3]) * sizeof *spare);
    if (!spare) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", u->c->path);
    arrange(u, neighbours, false, false, x, value(u, "x"));
    arrange(u, neighbours, true, false, dout, spare);
    FOCI_TRY(run(u, spare, &out));
    arrange(u, neighbours, true, true, out, spare);
    FOCI_TRY(compare(u, name, "out", spare, 4, u->shape));
    arrange(u, neighbours, false, true, gradient(u, "x"), spare);
    return compare(u, name, "dx", spare, 4, u->shape);
}

static foci_status check_rotary(foci_case *c, const json_t *of, int number, bool neighbours) {
    unit u = {.c = c};
    FOCI_TRY(foci_case_number(c, of, "rotary", "theta", &u.theta));
    FOCI_TRY(foci_case_int(c, of, "rotary", "first", 0, 1 << 20, &u.first));
    const foci_status status = rotary(&u, number, neighbours);
    foci_case_run_close(&u.run);
    return status;
}

foci_status foci_verify_gpt_units(foci_case *c) {
    foci_status (*const check[])(unit *) = {gelu_tanh, silu, gated, rms_5, rms_6};
    json_t *rotaries;
    c->relative = true;
    for (size_t i = 0; i < sizeof check / sizeof *check; i++) {
        unit u = {.c = c};
        const foci_status status = check[i](&u);
        foci_case_run_close(&u.run);
        FOCI_TRY(status);
    }
    FOCI_TRY(foci_case_member(c, c->root, "case", "rotary", JSON_ARRAY, &rotaries));
    for (size_t i = 0; i < 2 * json_array_size(rotaries); i++)
        FOCI_TRY(check_rotary(c, json_array_get(rotaries, i / 2), (int)(i / 2), i % 2));
    return FOCI_OK;
}
