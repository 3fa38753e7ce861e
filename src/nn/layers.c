#include "nn/layers.h"

typedef struct affine {
    foci_tensor *weight, *bias;
} affine;

static affine declare(foci_graph *g, const char *name, int64_t in, int64_t out, bool bias, foci_init weight) {
    foci_scope(g, "%s", name);
    affine a = {foci_parameter(g, "weight", weight, FOCI_SHAPE(out, in)),
                bias ? foci_parameter(g, "bias", FOCI_ZEROS, FOCI_SHAPE(out)) : NULL};
    foci_end_scope(g);
    return a;
}

foci_tensor *foci_nn_linear(foci_graph *g, const char *name, foci_tensor *x, int64_t out, bool bias, foci_init weight) {
    if (!x) return NULL;
    affine a = declare(g, name, foci_last_dim(x), out, bias, weight);
    foci_scope(g, "%s", name);
    foci_tensor *y = foci_linear(g, x, a.weight, a.bias);
    foci_end_scope(g);
    return y;
}

foci_tensor *foci_nn_mlp(foci_graph *g, const char *first, const char *second, foci_tensor *x, int64_t hidden,
                         foci_activation activation, double dropout, foci_init weight) {
    if (!x) return NULL;
    affine a = declare(g, first, foci_last_dim(x), hidden, true, weight),
           b = declare(g, second, hidden, foci_last_dim(x), true, weight);
    return foci_mlp(g, x, a.weight, a.bias, b.weight, b.bias, activation, dropout);
}

foci_tensor *foci_nn_layer_norm(foci_graph *g, const char *name, foci_tensor *x, double eps, foci_init weight) {
    if (!x) return NULL;
    foci_scope(g, "%s", name);
    foci_tensor *w = foci_parameter(g, "weight", weight, FOCI_SHAPE(foci_last_dim(x)));
    foci_tensor *b = foci_parameter(g, "bias", FOCI_ZEROS, FOCI_SHAPE(foci_last_dim(x)));
    foci_tensor *y = foci_layer_norm(g, x, w, b, eps);
    foci_end_scope(g);
    return y;
}

int64_t foci_nn_head_width(foci_graph *g, int64_t width, int64_t heads, const char *width_key) {
    if (width % heads == 0) return width / heads;
    foci_graph_fail(g, "%s %lld is not divisible by num_heads %lld", width_key, (long long)width, (long long)heads);
    return 1;
}
