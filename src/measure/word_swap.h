/* What is asked about contaminated text: the rows that `foci eval` shares with the measure. */
#ifndef FOCI_MEASURE_WORD_SWAP_H
#define FOCI_MEASURE_WORD_SWAP_H

#include "measure/score.h"

typedef struct foci_swap_options {
    foci_score_options score;
    const char *contaminate; /* "word-swap:rate=0.015,min=1"; NULL: not asked */
} foci_swap_options;
extern const foci_key foci_contaminate_keys[]; /* bound to it, but for the score's */

#endif
