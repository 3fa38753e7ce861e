#include "nn/layers.h"

foci_tensor *foci_nn_channel_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v) {
    if (!q) return NULL;
    foci_tensor *temperature = foci_parameter(g, "temperature", FOCI_ONES, FOCI_SHAPE(q->shape[1], 1, 1));
    foci_tensor *gate = foci_channel_gate(g, q, k, temperature);
    foci_observe(g, "gate", gate);
    return foci_gate(g, v, gate);
}
