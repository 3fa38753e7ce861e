/* The layers of a language model with a fixed span of attention and experts (Switch, GLaM), which lm_span.c predicts
 * words by and lm_span_classifier.c classifies sentences by. Parameter names of the published code.
 *
 *     h = in_emb[token]                                               (B, T, C)
 *     per layer:  x = [memory; h], the L tokens before the window and the window; the next memory is its last L rows
 *                 h = norm1(h + attention of h over the L rows of x before each token)
 *                 g:  h = norm2(h + layer_norm(h + experts(h)))
 *                 f:  h = norm3(h + W2 relu(W1 h + b1) + b2)
 *
 * Dropout on the attention's probabilities, behind the relus, and on what the experts give. */
#ifndef FOCI_MODELS_SPAN_LAYERS_H
#define FOCI_MODELS_SPAN_LAYERS_H

#include "nn/experts.h"
#include "nn/layers.h"

#define FOCI_SPAN_EMPTIES(X) X(FOCI_EMPTY_MASK, "mask") X(FOCI_EMPTY_ATTEND, "attend")
#define FOCI_EXPERT_INITS(X) X(FOCI_INIT_FAN_IN, "fan_in") X(FOCI_INIT_SMALL, "small")

typedef struct foci_span_settings {
    const char *architecture;
    int64_t span, d_model, num_heads, d_inner, experts, top_k;
    foci_gating gate;
    double capacity;
    enum { FOCI_SPAN_EMPTIES(FOCI_CHOICE_NUMBER) } empty;
    bool position_metric;
    enum { FOCI_EXPERT_INITS(FOCI_CHOICE_NUMBER) } expert_init;
    double dropout;
} foci_span_settings;
extern const foci_key foci_span_keys[]; /* "model.KEY" */

enum { FOCI_SPAN_MOST_LAYERS = 200 };

/* A layer of the architecture. */
typedef struct foci_span_layer {
    bool elliptical, experts, dense; /* elliptical: attends as attention.kind says */
} foci_span_layer;

typedef struct foci_span_layers {
    foci_span_settings o;
    foci_span_layer layer[FOCI_SPAN_MOST_LAYERS];
    int depth;
    bool carries; /* the memory is that of the windows before; else it is always empty */
    double balance;
} foci_span_layers;

/* As the config says; lives as long as the graph. NULL after an error, which the graph has. */
foci_span_layers *foci_span_layers_read(foci_request *r, bool carries);
/* ids (B, T) of `words` words -> (B, T, C) */
foci_tensor *foci_span_layers_record(foci_request *r, const foci_span_layers *l, foci_tensor *ids, int64_t words);

/* NAME.weight (out, in) and NAME.bias (out) with PyTorch's first values. */
foci_tensor *foci_span_biased(foci_graph *g, const char *name, int64_t out, int64_t in, foci_tensor **bias);

#endif
