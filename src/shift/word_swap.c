/* word-swap: words of a text replaced by one that says nothing (the paper's contaminated text, TextAttack's WordSwap
 * with the augmenter's count).
 *
 * In every line with W words, max(floor(rate W), min) of them are replaced, or as many as may be. A word is a token
 * with a letter or a digit in it; stop words are spared. White space and the number of tokens stay. A replacement that
 * the vocabulary does not know is <unk>; <unk> itself, changed inside, stays <unk>. */
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "shift/contamination.h"

typedef struct settings {
    double rate;
    int64_t min, seed;
    enum { SPARE, SWAP } stop_words;
    const char *word;
} settings;

const foci_key foci_word_swap_keys[] = {
    FOCI_KEY(settings, rate, "0.015", 0, 1, NULL, "share of a line's words that is replaced, rounded down"),
    FOCI_KEY(settings, min, "1", 0, 1e6, NULL, "words of a line that are replaced at least"),
    FOCI_KEY(settings, stop_words, "spare", 0, 0, "spare swap",
             "spare: English stop words, as written here, are never replaced"),
    FOCI_KEY(settings, word, "AAA", 0, 0, NULL, "the replacement"),
    FOCI_KEY(settings, seed, "0", 0, 9e15, NULL, "of the choice of words"),
    {0}};

/* NLTK's English list, in order. */
static const char *const never[] = {
    "a",       "about",   "above",     "after",    "again",     "against", "ain",      "all",        "am",
    "an",      "and",     "any",       "are",      "aren",      "aren't",  "as",       "at",         "be",
    "because", "been",    "before",    "being",    "below",     "between", "both",     "but",        "by",
    "can",     "couldn",  "couldn't",  "d",        "did",       "didn",    "didn't",   "do",         "does",
    "doesn",   "doesn't", "doing",     "don",      "don't",     "down",    "during",   "each",       "few",
    "for",     "from",    "further",   "had",      "hadn",      "hadn't",  "has",      "hasn",       "hasn't",
    "have",    "haven",   "haven't",   "having",   "he",        "her",     "here",     "hers",       "herself",
    "him",     "himself", "his",       "how",      "i",         "if",      "in",       "into",       "is",
    "isn",     "isn't",   "it",        "it's",     "its",       "itself",  "just",     "ll",         "m",
    "ma",      "me",      "mightn",    "mightn't", "more",      "most",    "mustn",    "mustn't",    "my",
    "myself",  "needn",   "needn't",   "no",       "nor",       "not",     "now",      "o",          "of",
    "off",     "on",      "once",      "only",     "or",        "other",   "our",      "ours",       "ourselves",
    "out",     "over",    "own",       "re",       "s",         "same",    "shan",     "shan't",     "she",
    "she's",   "should",  "should've", "shouldn",  "shouldn't", "so",      "some",     "such",       "t",
    "than",    "that",    "that'll",   "the",      "their",     "theirs",  "them",     "themselves", "then",
    "there",   "these",   "they",      "this",     "those",     "through", "to",       "too",        "under",
    "until",   "up",      "ve",        "very",     "was",       "wasn",    "wasn't",   "we",         "were",
    "weren",   "weren't", "what",      "when",     "where",     "which",   "while",    "who",        "whom",
    "why",     "will",    "with",      "won",      "won't",     "wouldn",  "wouldn't", "y",          "you",
    "you'd",   "you'll",  "you're",    "you've",   "your",      "yours",   "yourself", "yourselves",
};

static int compare(const void *a, const void *b) { return strcmp(*(const char *const *)a, *(const char *const *)b); }

static bool is_stop_word(const char *word) {
    return bsearch(&word, never, sizeof never / sizeof *never, sizeof *never, compare);
}

/* Bytes beyond ASCII belong to letters. */
static bool is_word(const char *token) {
    for (; *token; token++) {
        const unsigned char c = (unsigned char)*token;
        if (c >= 0x80 || (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z')) return true;
    }
    return false;
}

typedef struct swap {
    const settings *o;
    int32_t replacement, unknown;
    const foci_vocabulary *vocabulary;
    int64_t *place; /* of words in a line that may be replaced */
} swap;

static void contaminate_line(const swap *s, int32_t *ids, int64_t count, foci_contamination_count *n) {
    int64_t words = 0, places = 0;
    for (int64_t i = 0; i < count; i++) {
        const char *token = foci_vocabulary_word(s->vocabulary, ids[i]);
        if (!is_word(token)) continue;
        words++;
        if (s->o->stop_words == SWAP || !is_stop_word(token)) s->place[places++] = i;
    }
    int64_t wanted = (int64_t)(s->o->rate * (double)words);
    if (wanted < s->o->min) wanted = s->o->min;
    if (wanted > places) wanted = places;
    foci_rng rng = foci_rng_make((uint64_t)s->o->seed, foci_stream("word-swap"), (uint64_t)n->lines);
    for (int64_t i = 0; i < wanted; i++) { /* the first of a shuffle */
        const int64_t k = i + foci_rng_below(&rng, (uint32_t)(places - i)), chosen = s->place[k];
        s->place[k] = s->place[i];
        if (ids[chosen] != s->unknown) ids[chosen] = s->replacement;
    }
    n->lines++;
    n->words += words;
    n->swapped += wanted;
}

static foci_status apply(const void *options, const foci_vocabulary *v, int32_t *ids, int64_t count,
                         foci_contamination_count *n) {
    const settings *o = options;
    swap s = {.o = o,
              .replacement = foci_vocabulary_id(v, o->word),
              .unknown = foci_vocabulary_id(v, "<unk>"),
              .vocabulary = v,
              .place = malloc((size_t)count * sizeof *s.place)};
    const int32_t end = foci_vocabulary_id(v, "<eos>");
    if (!s.place) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld tokens", (long long)count);
    if (s.replacement >= 0)
        for (int64_t first = 0, i = 0; i < count; i++) {
            if (ids[i] != end && i + 1 < count) continue;
            contaminate_line(&s, ids + first, i - first + (ids[i] != end), n);
            first = i + 1;
        }
    free(s.place);
    return s.replacement >= 0
               ? FOCI_OK
               : foci_fail(FOCI_ERR_CONFIG, "`%s` is not in the vocabulary, which has no <unk>", o->word);
}

const foci_contamination foci_contamination_word_swap = {
    .name = "word-swap",
    .summary = "some words of every line become AAA, stop words spared (the paper's)",
    .keys = foci_word_swap_keys,
    .apply = apply};
