/* What mixtures of keys have in common: two keys of every position, and weights that depend on the position. */
#ifndef FOCI_ATTENTION_KEY_PAIR_H
#define FOCI_ATTENTION_KEY_PAIR_H

#include "foci/plugin.h"

/* Two projections, or one that is shifted: k - mu_0 and k - mu_1, mu (2, H, D). */
#define FOCI_KEY_PAIRS(X) X(FOCI_KEYS_TWO, "two") X(FOCI_KEYS_SHIFT, "shift")
typedef enum foci_key_pair_kind { FOCI_KEY_PAIRS(FOCI_CHOICE_NUMBER) } foci_key_pair_kind;

#define FOCI_KEY_PAIR_DOC "two: a second projection of keys; shift: one, minus each of two vectors mu per head"
#define FOCI_LENGTH_DOC "positions that have weights of their own; 0: as many as the model takes tokens"

unsigned foci_key_pair_projections(foci_key_pair_kind kind);
/* Fills pair, (B, H, N, D) each; false after an error. */
bool foci_key_pair(const foci_attention_io *io, foci_key_pair_kind kind, foci_tensor *pair[2]);
/* Positions that have weights, of attention.length; 0 and an error where these are fewer than the tokens. */
int64_t foci_key_weights(const foci_attention_io *io, int64_t length);

#endif
