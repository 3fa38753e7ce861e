/* Layers: parameters and operations together. `name` is the scope the parameters live in, below the current one. */
#ifndef FOCI_NN_LAYERS_H
#define FOCI_NN_LAYERS_H

#include "foci/plugin.h"

/* NAME.weight (out, in) and, with bias, NAME.bias (out), zero at first: x (.., in) -> (.., out). */
foci_tensor *foci_nn_linear(foci_graph *g, const char *name, foci_tensor *x, int64_t out, bool bias, foci_init weight);

/* Two such layers with biases, `hidden` wide between them, and an activation and dropout in the middle: x (.., C) ->
 * same. */
foci_tensor *foci_nn_mlp(foci_graph *g, const char *first, const char *second, foci_tensor *x, int64_t hidden,
                         foci_activation activation, double dropout, foci_init weight);

/* NAME.weight, NAME.bias (C): x (.., C) -> same. */
foci_tensor *foci_nn_layer_norm(foci_graph *g, const char *name, foci_tensor *x, double eps, foci_init weight);

/* NAME.weight, NAME.bias, and buffers NAME.running_mean, NAME.running_var (C): x (.., C) -> same; PyTorch's eps 1e-5
 * and momentum 0.1. */
foci_tensor *foci_nn_batch_norm(foci_graph *g, const char *name, foci_tensor *x);

/* temperature (H, 1, 1); q, k, v (B, H, N, D) -> (B, N, H*D): every channel of v times a gate, offered for inspection
 * as `gate`. */
foci_tensor *foci_nn_channel_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v);

/* Width of one head. Fails the graph, naming the key, where heads do not divide
 * the width. */
int64_t foci_nn_head_width(foci_graph *g, int64_t width, int64_t heads, const char *width_key);

#endif
