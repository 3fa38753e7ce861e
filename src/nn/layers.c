#include "nn/layers.h"

foci_tensor *foci_nn_linear(foci_graph *g, const char *name, foci_tensor *x, int64_t out, bool bias, foci_init weight) {
    if (!x) return NULL;
    foci_scope(g, "%s", name);
    foci_tensor *w = foci_parameter(g, "weight", weight, FOCI_SHAPE(out, foci_last_dim(x)));
    foci_tensor *b = bias ? foci_parameter(g, "bias", FOCI_ZEROS, FOCI_SHAPE(out)) : NULL;
    foci_tensor *y = foci_linear(g, x, w, b);
    foci_end_scope(g);
    return y;
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
