/* For those who extend foci: tensors, the recorded graph, and the descriptors of operations, attention
 * variants, models and data sets.
 *
 * Record once, plan once, replay. A model's record function calls operations (foci_linear, foci_gelu, ...);
 * each checks its shapes and appends a node to the graph. Nothing is computed yet and no tensor has memory.
 * foci_graph_plan then lays all tensors into one block of memory, and foci_graph_forward / _backward replay
 * the nodes in recording order and in reverse.
 *
 * Errors while recording are sticky: the failing call notes the message (with the layer's name and the place
 * in the config), returns NULL, and every later call returns NULL as well. Record functions need no checks;
 * whoever plans the graph sees the first error.
 *
 * Shapes are written (B, N, C): B batch, N or T tokens, H heads, D head width, C model width. */
#ifndef FOCI_PLUGIN_H
#define FOCI_PLUGIN_H

#include "foci/attention.h"
#include "foci/foci.h"
#include "foci/keys.h"
#include "foci/model.h"
#include "foci/op.h"
#include "foci/ops.h"
#include "foci/tensor.h"

#endif
