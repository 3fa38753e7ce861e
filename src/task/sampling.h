/* One word drawn from a distribution over the vocabulary. */
#ifndef FOCI_TASK_SAMPLING_H
#define FOCI_TASK_SAMPLING_H

#include "base/error.h"
#include "foci/plugin.h"

typedef struct foci_sampling {
    double temperature;        /* log-probabilities are divided by it; 0: always the likeliest word */
    int64_t top_k;             /* only the so many likeliest words; 0: all */
    double top_p;              /* only the likeliest words that together reach this probability; 1: all */
    double repetition_penalty; /* log-probabilities of words that were seen are multiplied by it; 1: they are not */
    int64_t seed;
    int32_t never;       /* a word that is not drawn; -1: none */
    uint64_t text;       /* number of a text: each has draws of its own */
    const int32_t *seen; /* of the penalty, `seen_words` of them */
    int64_t seen_words;
} foci_sampling;
extern const foci_key foci_sampling_keys[]; /* bound to it, down to the seed */

/* The number of a word, of `words` with these log-probabilities; the draw is a function of the seed, the text and
 * `step`. Of equally likely words the first counts as the likelier. */
foci_status foci_sample(const foci_sampling *s, const foci_real *logprob, int64_t words, uint64_t step, int32_t *word);

#endif
