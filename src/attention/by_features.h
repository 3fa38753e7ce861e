/* What the variants whose scores are products of features have in common. */
#ifndef FOCI_ATTENTION_BY_FEATURES_H
#define FOCI_ATTENTION_BY_FEATURES_H

#include "foci/plugin.h"

/* Attends with these features of queries and keys, (B, H, N, F) each without gaps, to the values v. */
foci_tensor *foci_attend_by_features(const foci_attention_io *io, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                                     const foci_linear_options *options);

#endif
