/* What attention within a window and the map of it share. */
#ifndef FOCI_OPS_WINDOW_H
#define FOCI_OPS_WINDOW_H

#include "foci/plugin.h"

/* The inputs of both; queries before keys, since their gradients are written first. */
enum {
    WINDOW_Q,
    WINDOW_QUERY_GLOBAL,
    WINDOW_K,
    WINDOW_V,
    WINDOW_KEY_GLOBAL,
    WINDOW_VALUE_GLOBAL,
    WINDOW_MASK,
    WINDOW_INPUTS
};

typedef struct foci_window {
    double scale;
    bool causal;
    int64_t tokens, queries, before; /* keys; query i is token before + i */
    int64_t window, globals;         /* at most `tokens` both */
    int64_t global_queries;          /* the first ones */
} foci_window;
/* From the attributes and shapes of either. */
foci_window foci_window_of(const foci_node *n);

/* Checks the operands and starts the node: NULL after an error. */
foci_node *foci_record_window(foci_graph *g, const foci_op *op, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                              const foci_window_options *options);

#endif
