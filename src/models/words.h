/* What becomes of the words that a language model says. */
#ifndef FOCI_MODELS_WORDS_H
#define FOCI_MODELS_WORDS_H

#include "foci/plugin.h"

/* Gives `logprob` (B*T, V) to the caller where there are no targets; else `nll` (B*T) and the loss, its mean. */
void foci_words_scored(foci_graph *g, const foci_adaptive_softmax_options *softmax);

#endif
