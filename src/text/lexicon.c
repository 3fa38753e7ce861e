#include "text/lexicon.h"

#include <math.h>

/* A stem is consonant, vowel, consonant, vowel, consonant. Endings tell the parts of speech apart:
 * noun STEM, STEMs; verb (plural first, as in English) STEMe, STEMes; adjective STEMy; adverb STEMly; name
 * Stem. */
static const char onsets[] = "bdfghjklmnprstvwzc", vowels[] = "aeiou", codas[] = "bdgklmnprtvf";
enum { ONSETS = sizeof onsets - 1, VOWELS = sizeof vowels - 1, CODAS = sizeof codas - 1 };
enum { STEMS = ONSETS * VOWELS * ONSETS * VOWELS * CODAS }; /* 97,200 = 2^4 3^5 5^2 */

static void spell(char stem[6], uint32_t number) {
    stem[0] = onsets[number % ONSETS], number /= ONSETS;
    stem[1] = vowels[number % VOWELS], number /= VOWELS;
    stem[2] = onsets[number % ONSETS], number /= ONSETS;
    stem[3] = vowels[number % VOWELS], number /= VOWELS;
    stem[4] = codas[number % CODAS];
    stem[5] = 0;
}

static const struct {
    double share; /* of the forms */
    int forms;    /* of a lemma */
    const char *ending[2];
} parts[FOCI_SPEECH_COUNT] = {
    [FOCI_NOUN] = {0.46, 2, {"", "s"}},       [FOCI_VERB] = {0.30, 2, {"es", "e"}},
    [FOCI_ADJECTIVE] = {0.14, 1, {"y", "y"}}, [FOCI_ADVERB] = {0.04, 1, {"ly", "ly"}},
    [FOCI_NAME] = {0.06, 1, {"", ""}},
};

foci_status foci_lexicon_make(foci_lexicon *l, int64_t words, uint64_t seed) {
    *l = (foci_lexicon){0};
    /* Stem i has the number (first + i * step) mod STEMS: all different, since step shares no factor with
     * STEMS. */
    foci_rng rng = foci_rng_make(seed, foci_stream("lexicon"), 0);
    uint32_t first = foci_rng_below(&rng, STEMS), step;
    do step = 1000 + foci_rng_below(&rng, STEMS - 2000);
    while (step % 2 == 0 || step % 3 == 0 || step % 5 == 0);
    uint64_t stems = 0;
    for (int s = 0; s < FOCI_SPEECH_COUNT; s++) {
        int count = (int)(parts[s].share * (double)words) / parts[s].forms;
        l->count[s] = count > FOCI_FIELDS ? count : FOCI_FIELDS;
        l->form[s] = foci_arena_alloc(&l->arena, 2 * (size_t)l->count[s] * sizeof(char *));
        for (int i = 0; l->form[s] && i < 2 * l->count[s]; i++) {
            char stem[6];
            spell(stem, (uint32_t)((first + (stems + (uint64_t)i / 2) * step) % STEMS));
            if (s == FOCI_NAME) stem[0] = (char)(stem[0] - 'a' + 'A');
            l->form[s][i] = foci_arena_printf(&l->arena, "%s%s", stem, parts[s].ending[i % 2]);
            if (!l->form[s][i]) l->form[s] = NULL;
        }
        if (!l->form[s]) {
            foci_lexicon_free(l);
            return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld words", (long long)words);
        }
        stems += (uint64_t)l->count[s];
    }
    return FOCI_OK;
}

void foci_lexicon_free(foci_lexicon *l) {
    foci_arena_free(&l->arena);
    *l = (foci_lexicon){0};
}

int foci_lexicon_draw(const foci_lexicon *l, foci_speech s, int field, foci_rng *rng) {
    /* Inverse of the continuous law of density 1 / (x + 8) on [0, count). */
    const double shift = 8;
    int count = l->count[s];
    int rank = (int)(shift * (pow((count + shift) / shift, foci_rng_uniform(rng)) - 1));
    if (rank >= count) rank = count - 1;
    if (field < 0) return rank;
    int member = rank - rank % FOCI_FIELDS + field; /* the field's lemma of about this rank */
    return member < count ? member : member - FOCI_FIELDS;
}
