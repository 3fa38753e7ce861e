/* A language model asked word by word: which word comes next?
 *
 * Positions are those of training: a window of `window` tokens counts them down to 0, so the first token of a text has
 * position window - 1, the second window - 2. As long as the text fits one window, no token moves, and where the
 * attention is incremental (foci/attention.h) no token changes what an earlier one got: keys and values are kept, and a
 * new token costs one row. What comes out is exactly what the whole window gives. A longer text is seen through its
 * last `window` tokens, as in the sliding walk; there every token moves by one position with each new word, nothing can
 * be kept, and the window is computed anew for each. So it is, from the start, with attention that is not incremental
 * (elliptical with scope sequence: its metric is made of all tokens).
 *
 * A model that carries something from window to window (foci_model.carries) reads word by word, in windows of one.
 *
 * Several texts of one length go side by side, as rows of one pass: what comes out for each is what it would be alone,
 * to the bit, since products do not depend on the rows beside. */
#ifndef FOCI_TASK_GENERATOR_H
#define FOCI_TASK_GENERATOR_H

#include "core/carry.h"

typedef struct foci_generator_options {
    const foci_model *model;
    const foci_config *config;
    int64_t vocabulary, window;
    bool recompute; /* keep nothing, whatever the attention; for comparison */
    int64_t rows;   /* texts; 0: one */
} foci_generator_options;

typedef struct foci_generator {
    foci_generator_options options;
    foci_parameters *parameters;
    bool incremental; /* while the text fits the window */
    int32_t *ids;     /* (rows, room): of the whole texts, `count` each */
    int64_t count, room;
    int32_t *batch;    /* (rows, window): of a pass */
    foci_real **cache; /* per foci_cached of the model: (rows, window, C) */
    int caches;
    int64_t held; /* words that are in the caches, or in what is carried */
    foci_carry carry;

    foci_program_set set;
    foci_program *program; /* of the last pass, over `tokens` tokens behind `past` others */
    int64_t past, tokens;
} foci_generator;

/* Will keys and values be kept from word to word? */
bool foci_generator_keeps(const foci_generator_options *o);
/* The parameters are filled already and stay the caller's. */
foci_status foci_generator_open(foci_generator *g, const foci_generator_options *options, foci_parameters *parameters);
void foci_generator_close(foci_generator *g);

/* Words of the texts, (rows, count), each below the vocabulary. */
foci_status foci_generator_add(foci_generator *g, const int32_t *ids, int64_t count);
static inline const int32_t *foci_generator_text(const foci_generator *g, int64_t row) {
    return g->ids + row * g->room;
}
/* The log-probability of every word to be the next, (rows, vocabulary); valid until the next call. The texts must have
 * a word. */
foci_status foci_generator_next(foci_generator *g, const foci_real **logprob);

#endif
