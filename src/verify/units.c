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

static foci_status layer_norm(foci_case *c, foci_case_run *r, const char *prefix, double eps) {
    int64_t shape[2];
    foci_real *dout;
    FOCI_TRY(shape_of(c, "x", shape));
    foci_tensor *x = foci_parameter(r->graph, "x", FOCI_ZEROS, 2, shape);
    foci_tensor *weight = foci_parameter(r->graph, "weight", FOCI_ZEROS, 1, shape + 1);
    foci_tensor *bias = foci_parameter(r->graph, "bias", FOCI_ZEROS, 1, shape + 1);
    foci_tensor *y = foci_layer_norm(r->graph, x, weight, bias, eps);
    foci_keep(y);
    FOCI_TRY(foci_case_run_ready(c, r, y, ""));
    FOCI_TRY(foci_case_reals(c, "dout", 2, shape, &dout));
    foci_graph_forward(r->graph);
    memcpy(y->grad, dout, (size_t)foci_numel(y) * sizeof *dout);
    FOCI_TRY(compare(c, prefix, "out", foci_data(y), 2, shape));
    foci_graph_backward_from_output(r->graph);
    FOCI_TRY(compare(c, prefix, "dx", gradient(r, "x"), 2, shape));
    FOCI_TRY(compare(c, prefix, "dweight", gradient(r, "weight"), 1, shape + 1));
    return compare(c, prefix, "dbias", gradient(r, "bias"), 1, shape + 1);
}

static foci_status layer_norm_5(foci_case *c, foci_case_run *r) {
    return layer_norm(c, r, "layernorm.eps5", 1e-5);
}
static foci_status layer_norm_6(foci_case *c, foci_case_run *r) {
    return layer_norm(c, r, "layernorm.eps6", 1e-6);
}

/* Of 3 dout; dx is the gradient of the sum by that argument. */
static foci_status gelu(foci_case *c, foci_case_run *r) {
    int64_t shape[2];
    FOCI_TRY(shape_of(c, "dout", shape));
    foci_tensor *y = foci_gelu(r->graph, foci_parameter(r->graph, "dout", FOCI_ZEROS, 2, shape));
    foci_keep(y);
    FOCI_TRY(foci_case_run_ready(c, r, y, ""));
    foci_real *x = value(r, "dout");
    for (int64_t i = 0; i < foci_numel(y); i++) x[i] *= 3;
    foci_graph_forward(r->graph);
    FOCI_TRY(compare(c, "gelu", "out", foci_data(y), 2, shape));
    foci_graph_backward(r->graph, 1);
    return compare(c, "gelu", "dx", gradient(r, "dout"), 2, shape);
}

static foci_status cross_entropy(foci_case *c, foci_case_run *r) {
    int64_t shape[2];
    int32_t *label;
    FOCI_TRY(shape_of(c, "logits", shape));
    FOCI_TRY(foci_case_ints(c, "labels", 1, shape, shape[1], 255, &label));
    foci_tensor *logits = foci_parameter(r->graph, "logits", FOCI_ZEROS, 2, shape);
    foci_tensor *labels = foci_input(r->graph, "labels", FOCI_INT, 1, shape);
    foci_tensor *loss = foci_cross_entropy(r->graph, logits, labels, NULL, 0, 255);
    foci_keep(loss);
    FOCI_TRY(foci_case_run_ready(c, r, loss, ""));
    labels->data = label;
    foci_graph_forward(r->graph);
    FOCI_TRY(compare(c, "cross_entropy", "loss", foci_data(loss), FOCI_SHAPE(1)));
    foci_graph_backward(r->graph, 1);
    return compare(c, "cross_entropy", "dlogits", gradient(r, "logits"), 2, shape);
}

foci_status foci_verify_units(foci_case *c) {
    foci_status (*const unit[])(foci_case *, foci_case_run *) = {layer_norm_5, layer_norm_6, gelu,
                                                                 cross_entropy};
    c->relative = true;
    for (size_t i = 0; i < sizeof unit / sizeof *unit; i++) {
        foci_case_run r;
        foci_status status = foci_case_run_open(c, &r);
        if (!status) status = unit[i](c, &r);
        foci_case_run_close(&r);
        FOCI_TRY(status);
    }
    return FOCI_OK;
}
