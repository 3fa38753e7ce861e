/* An invented vocabulary by parts of speech, for the built-in corpus. */
#ifndef FOCI_TEXT_LEXICON_H
#define FOCI_TEXT_LEXICON_H

#include "base/arena.h"
#include "base/error.h"
#include "base/philox.h"

typedef enum foci_speech {
    FOCI_NOUN,
    FOCI_VERB,
    FOCI_ADJECTIVE,
    FOCI_ADVERB,
    FOCI_NAME,
    FOCI_SPEECH_COUNT
} foci_speech;

/* Meanings fall into fields; lemma i of a part of speech belongs to field i % FOCI_FIELDS. */
enum { FOCI_FIELDS = 16 };

typedef struct foci_lexicon {
    foci_arena arena;
    int count[FOCI_SPEECH_COUNT];   /* lemmas, the most frequent first */
    char **form[FOCI_SPEECH_COUNT]; /* [2 * lemma + plural]; both alike where there is no number */
} foci_lexicon;

/* `words` different forms, about. Distinct by construction, the same for the same seed. */
foci_status foci_lexicon_make(foci_lexicon *l, int64_t words, uint64_t seed);
void foci_lexicon_free(foci_lexicon *l);

/* A lemma with the probability of a Zipf-Mandelbrot law, 1 / (rank + 8); with field >= 0 one of that field.
 */
int foci_lexicon_draw(const foci_lexicon *l, foci_speech s, int field, foci_rng *rng);

#endif
