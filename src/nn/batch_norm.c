#include <stdio.h>
#include <string.h>

#include "nn/layers.h"

/* PyTorch counts its updates in a tensor of the name below, which nothing depends on where there is a momentum. */
static void ignore_count(foci_graph *g, const foci_tensor *running) {
    char name[300];
    if (!running) return;
    snprintf(name, sizeof name, "%.*snum_batches_tracked", (int)(strlen(running->name) - strlen("running_mean")),
             running->name);
    foci_ignore(g, name);
}

foci_tensor *foci_nn_batch_norm(foci_graph *g, const char *name, foci_tensor *x) {
    if (!x) return NULL;
    const int64_t c = foci_last_dim(x);
    foci_scope(g, "%s", name);
    foci_tensor *weight = foci_parameter(g, "weight", FOCI_ONES, FOCI_SHAPE(c));
    foci_tensor *bias = foci_parameter(g, "bias", FOCI_ZEROS, FOCI_SHAPE(c));
    foci_tensor *mean = foci_buffer(g, "running_mean", FOCI_ZEROS, FOCI_SHAPE(c));
    foci_tensor *variance = foci_buffer(g, "running_var", FOCI_ONES, FOCI_SHAPE(c));
    ignore_count(g, mean);
    foci_tensor *y = foci_batch_norm(g, x, weight, bias, mean, variance, 1e-5, 0.1);
    foci_end_scope(g);
    return y;
}
