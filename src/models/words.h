/* What becomes of the words that a language model says. */
#ifndef FOCI_MODELS_WORDS_H
#define FOCI_MODELS_WORDS_H

#include "foci/plugin.h"

/* (T, C): token t has position r = first + t step; sines of r 10000^(-2i/C) in the first half, cosines in the second.
 */
foci_tensor *foci_words_sines(foci_graph *g, int64_t first, int64_t step, int64_t tokens, int64_t width);

/* Gives `logprob` (B*T, V) to the caller where there are no targets; else `nll` (B*T) and the loss, its mean. */
void foci_words_scored(foci_graph *g, const foci_adaptive_softmax_options *softmax);

#endif
