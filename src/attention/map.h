/* The map of a variant that is not one softmax, for inspection: what attends to values of which each is one key. */
#ifndef FOCI_ATTENTION_MAP_H
#define FOCI_ATTENTION_MAP_H

#include "foci/plugin.h"

/* (B, H, N, N), the same for every sample and head: value j has 1 in place j, else 0. */
foci_tensor *foci_identity_values(const foci_attention_io *io);

/* Offers as `prob` what a variant made of them, (B, N, H*N). */
void foci_observe_map(const foci_attention_io *io, foci_tensor *joined);

#endif
