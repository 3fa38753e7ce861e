/* What the two robust kernel density estimates share: softmax-like attention with weights of keys. */
#ifndef FOCI_ATTENTION_ROBUST_H
#define FOCI_ATTENTION_ROBUST_H

#include "attention/refuse.h"

/* sum_j joint_j e^s_ij v_j / sum_j marginal_j e^s_ij, s = 2 q k / sqrt(D), keys of length 1. */
foci_tensor *foci_attend_by_weights(const foci_attention_io *io, foci_tensor *k, foci_weights w);

/* Offers the weights, (B, H, 1, N) as a rule, and the map that they make. */
void foci_observe_weights(const foci_attention_io *io, foci_tensor *k, foci_weights w);

#endif
