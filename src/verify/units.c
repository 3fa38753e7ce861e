/* Golden values of single operations. Tensors there are 2-d: rows and the width C or the classes K. */
#include <string.h>

#include "verify/case.h"

/* (rows, width) of a 2-d tensor of the file. */
static foci_status shape_of(foci_case *c, const char *name, int64_t shape[2]) {
    const foci_safetensor *t;
    FOCI_TRY(foci_case_tensor(c, name, -1, NULL, &t));
    if (t->ndim != 2 || !t->numel) return foci_case_fail(c, "tensor %s is not a matrix", name);
    memcpy(shape, t->shape, 2 * sizeof *shape);
    return FOCI_OK;
}

static foci_real *gradient(foci_case_run *r, const char *parameter) {
    return r->parameters.grad + r->parameters.entry[foci_parameters_find(&r->parameters, parameter)].offset;
}

static foci_real *value(foci_case_run *r, const char *parameter) {
    return r->parameters.value + r->parameters.entry[foci_parameters_find(&r->parameters, parameter)].offset;
}

/* Compares with tensor expected.NAME, group NAME. */
static foci_status compare(foci_case *c, const char *prefix, const char *what, const foci_real *got, int ndim,
                           const int64_t *shape) {
    char name[80];
    snprintf(name, sizeof name, "expected.%s.%s", prefix, what);
    return foci_case_compare(c, name + strlen("expected."), got, name, ndim, shape);
}

/* A unit at work; its operation gives the output `out`. */
typedef struct unit {
    foci_case *c;
    foci_case_run run;
    int64_t shape[2];
    double eps; /* layer norm */
} unit;

static foci_status forward(unit *u, const foci_real **out) {
    FOCI_TRY(foci_program_forward(u->run.program));
    return foci_program_fetch(u->run.program, "out", out);
}

static void record_layer_norm(void *context, foci_graph *g) {
    const unit *u = context;
    foci_tensor *x = foci_parameter(g, "x", FOCI_ZEROS, 2, u->shape);
    foci_tensor *weight = foci_parameter(g, "weight", FOCI_ZEROS, 1, u->shape + 1);
    foci_tensor *bias = foci_parameter(g, "bias", FOCI_ZEROS, 1, u->shape + 1);
    foci_output(g, "out", foci_layer_norm(g, x, weight, bias, u->eps));
}

static foci_status layer_norm(unit *u, const char *prefix, double eps) {
    foci_case *c = u->c;
    const int64_t *shape = u->shape;
    const foci_real *out;
    foci_real *dout;
    u->eps = eps;
    FOCI_TRY(shape_of(c, "x", u->shape));
    FOCI_TRY(foci_case_run_open(c, &u->run, NULL, record_layer_norm, u));
    FOCI_TRY(foci_case_run_ready(c, &u->run, "", "constant."));
    FOCI_TRY(foci_case_reals(c, "dout", 2, shape, &dout));
    FOCI_TRY(forward(u, &out));
    FOCI_TRY(compare(c, prefix, "out", out, 2, shape));
    foci_program_backward_from(u->run.program, dout);
    FOCI_TRY(compare(c, prefix, "dx", gradient(&u->run, "x"), 2, shape));
    FOCI_TRY(compare(c, prefix, "dweight", gradient(&u->run, "weight"), 1, shape + 1));
    return compare(c, prefix, "dbias", gradient(&u->run, "bias"), 1, shape + 1);
}

static foci_status layer_norm_5(unit *u) { return layer_norm(u, "layernorm.eps5", 1e-5); }
static foci_status layer_norm_6(unit *u) { return layer_norm(u, "layernorm.eps6", 1e-6); }

static void record_gelu(void *context, foci_graph *g) {
    const unit *u = context;
    foci_output(g, "out", foci_gelu(g, foci_parameter(g, "dout", FOCI_ZEROS, 2, u->shape)));
}

/* Of 3 dout; dx is the gradient of the sum by that argument. */
static foci_status gelu(unit *u) {
    foci_case *c = u->c;
    const foci_real *out;
    FOCI_TRY(shape_of(c, "dout", u->shape));
    FOCI_TRY(foci_case_run_open(c, &u->run, NULL, record_gelu, u));
    FOCI_TRY(foci_case_run_ready(c, &u->run, "", "constant."));
    foci_real *x = value(&u->run, "dout");
    for (int64_t i = 0; i < u->shape[0] * u->shape[1]; i++) x[i] *= 3;
    FOCI_TRY(forward(u, &out));
    FOCI_TRY(compare(c, "gelu", "out", out, 2, u->shape));
    foci_program_backward(u->run.program, 1);
    return compare(c, "gelu", "dx", gradient(&u->run, "dout"), 2, u->shape);
}

static void record_cross_entropy(void *context, foci_graph *g) {
    const unit *u = context;
    foci_tensor *logits = foci_parameter(g, "logits", FOCI_ZEROS, 2, u->shape);
    foci_tensor *labels = foci_input(g, "labels", FOCI_INT, 1, u->shape);
    foci_output(g, "out", foci_cross_entropy(g, logits, labels, NULL, 0, 255));
}

static foci_status cross_entropy(unit *u) {
    foci_case *c = u->c;
    const foci_real *out;
    int32_t *label;
    FOCI_TRY(shape_of(c, "logits", u->shape));
    FOCI_TRY(foci_case_ints(c, "labels", 1, u->shape, u->shape[1], 255, &label));
    FOCI_TRY(foci_case_run_open(c, &u->run, NULL, record_cross_entropy, u));
    FOCI_TRY(foci_case_run_ready(c, &u->run, "", "constant."));
    FOCI_TRY(foci_program_feed(u->run.program, "labels", label));
    FOCI_TRY(forward(u, &out));
    FOCI_TRY(compare(c, "cross_entropy", "loss", out, FOCI_SHAPE(1)));
    foci_program_backward(u->run.program, 1);
    return compare(c, "cross_entropy", "dlogits", gradient(&u->run, "logits"), 2, u->shape);
}

foci_status foci_verify_units(foci_case *c) {
    foci_status (*const check[])(unit *) = {layer_norm_5, layer_norm_6, gelu, cross_entropy};
    c->relative = true;
    for (size_t i = 0; i < sizeof check / sizeof *check; i++) {
        unit u = {.c = c};
        foci_status status = check[i](&u);
        foci_case_run_close(&u.run);
        FOCI_TRY(status);
    }
    return FOCI_OK;
}
