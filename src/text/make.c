/* The built-in corpus: articles in WikiText format, in an invented language with English grammar words.
 *
 * What a reader (or attention) can use, and counts of neighbouring words cannot:
 * - a verb agrees in number with its subject, past relative clauses, prepositional phrases and brackets
 * between them;
 * - reflexives, possessives and pronouns agree with the subject in number and gender;
 * - what is opened is closed: ( ), [ ], quotes, both ... and, if ... then;
 * - an article keeps to its subject: a field of meaning, a few lemmas and names of its own; a paragraph has
 * one noun that recurs. */
#include "text/text.h"

#include "base/file.h"
#include "data/generate.h"
#include "data/maker.h"
#include "text/lexicon.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OWN = 5, DEEPEST = 2, GRAMMAR_WORDS = 54 };

typedef struct author {
    const foci_lexicon *lexicon;
    foci_rng rng;
    foci_writer file;
    char buffer[1 << 16];
    size_t used;
    int64_t tokens;
    /* the article and paragraph at hand */
    int field, own[FOCI_SPEECH_COUNT][OWN], focus; /* lemmas; focus: the paragraph's noun */
    int depth;                                     /* of modifiers within modifiers */
} author;

/* Whom a verb, a reflexive or a pronoun agrees with. */
typedef enum gender { IT, HE, SHE, GENDERS } gender;
typedef struct person {
    bool plural;
    gender gender;
} person;

/* --------------------------------------------------------------------------------------------- writing */

static void put(author *a, const char *text) {
    size_t n = strlen(text);
    if (a->used + n > sizeof a->buffer) {
        foci_write(&a->file, a->buffer, a->used);
        a->used = 0;
    }
    memcpy(a->buffer + a->used, text, n);
    a->used += n;
}

static void say(author *a, const char *word) {
    put(a, " ");
    put(a, word);
    a->tokens++;
}

static void end_line(author *a) {
    put(a, " \n");
    a->tokens++;
}

static bool chance(author *a, double p) { return foci_rng_uniform(&a->rng) < p; }

/* One of a list ended by NULL, the first most likely: each next with half the probability. */
static const char *pick(author *a, const char *const *list) {
    int n = 0, i = 0;
    while (list[n]) n++;
    while (i < n - 1 && chance(a, 0.5)) i++;
    return list[i];
}
#define PICK(a, ...) pick(a, (const char *const[]){__VA_ARGS__, NULL})

/* ---------------------------------------------------------------------------------------------- words */

static int lemma(author *a, foci_speech s) {
    double u = foci_rng_uniform(&a->rng);
    if (s == FOCI_NOUN && u < 0.15) return a->focus;
    if (u < 0.40) return a->own[s][foci_rng_below(&a->rng, OWN)];
    return foci_lexicon_draw(a->lexicon, s, u < 0.70 ? a->field : -1, &a->rng);
}

static void word(author *a, foci_speech s, bool plural) { say(a, a->lexicon->form[s][2 * lemma(a, s) + plural]); }

static void adjective(author *a) {
    if (chance(a, 0.08)) say(a, "<unk>");
    else word(a, FOCI_ADJECTIVE, false);
}

static void verb(author *a, person subject) { word(a, FOCI_VERB, subject.plural); }

/* Lemmas have a gender; a plural has none. */
static person noun(author *a, bool plural) {
    int i = lemma(a, FOCI_NOUN);
    say(a, a->lexicon->form[FOCI_NOUN][2 * i + plural]);
    return (person){plural, (gender)(i / FOCI_FIELDS % GENDERS)};
}

static void agree(author *a, person p, const char *const form[GENDERS], const char *plural) {
    say(a, p.plural ? plural : form[p.gender]);
}
static void pronoun(author *a, person p) { agree(a, p, (const char *const[]){"it", "he", "she"}, "they"); }
static void possessive(author *a, person p) { agree(a, p, (const char *const[]){"its", "his", "her"}, "their"); }
static void reflexive(author *a, person p) {
    agree(a, p, (const char *const[]){"itself", "himself", "herself"}, "themselves");
}

/* ------------------------------------------------------------------------------------------- sentences */

static person noun_phrase(author *a, const person *owner);
static void predicate(author *a, person subject);

/* What stands between a noun and its verb. */
static void modifiers(author *a, person p) {
    if (a->depth == DEEPEST) return;
    a->depth++;
    double u = foci_rng_uniform(&a->rng);
    if (u < 0.16) { /* of the X */
        say(a, PICK(a, "of", "in", "with", "near", "from", "under", "behind"));
        noun_phrase(a, NULL);
    } else if (u < 0.24) { /* that sees the X */
        say(a, "that");
        verb(a, p);
        noun_phrase(a, NULL);
    } else if (u < 0.32) { /* that the X sees */
        say(a, "that");
        verb(a, noun_phrase(a, NULL));
    } else if (u < 0.38) { /* ( a X ) */
        bool round = chance(a, 0.7);
        say(a, round ? "(" : "[");
        predicate(a, p);
        say(a, round ? ")" : "]");
    }
    a->depth--;
}

/* owner: whose possessive may stand for the article. */
static person noun_phrase(author *a, const person *owner) {
    double u = foci_rng_uniform(&a->rng);
    if (u < 0.07) {
        word(a, FOCI_NAME, false);
        person named = {false, (gender)(a->own[FOCI_NAME][0] % GENDERS)}; /* an article's names share a gender */
        return named;
    }
    if (u < 0.12 && a->depth < DEEPEST) {
        a->depth++;
        say(a, "both");
        noun_phrase(a, owner);
        say(a, "and");
        noun_phrase(a, owner);
        a->depth--;
        return (person){.plural = true};
    }
    bool plural = chance(a, 0.4);
    if (owner && chance(a, 0.3)) possessive(a, *owner);
    else say(a, plural ? PICK(a, "the", "some", "these", "most") : PICK(a, "the", "a", "this", "every"));
    if (chance(a, 0.3)) adjective(a);
    person p = noun(a, plural);
    modifiers(a, p);
    return p;
}

static void predicate(author *a, person subject) {
    double u = foci_rng_uniform(&a->rng);
    if (u < 0.52) {
        verb(a, subject);
        noun_phrase(a, &subject);
    } else if (u < 0.66) {
        verb(a, subject);
        reflexive(a, subject);
    } else if (u < 0.82) {
        verb(a, subject);
        word(a, FOCI_ADVERB, false);
    } else {
        say(a, subject.plural ? "are" : "is");
        adjective(a);
    }
    if (a->depth < DEEPEST && chance(a, 0.12)) {
        say(a, PICK(a, "and", "or", "but"));
        predicate(a, subject);
    }
}

static person clause(author *a) {
    person subject = noun_phrase(a, NULL);
    predicate(a, subject);
    return subject;
}

static void sentence(author *a) {
    double u = foci_rng_uniform(&a->rng);
    if (u < 0.08) {
        say(a, "if");
        clause(a);
        say(a, "then");
    } else if (u < 0.15) {
        say(a, PICK(a, "when", "while", "because"));
        clause(a);
        say(a, ",");
    } else if (u < 0.22) {
        say(a, PICK(a, "in", "near", "after", "before"));
        noun_phrase(a, NULL);
        say(a, ",");
    }
    person subject = clause(a);
    if (u > 0.92) {
        say(a, ":");
        say(a, "\"");
        clause(a);
        say(a, "\"");
    } else if (u > 0.75) {
        say(a, ",");
        say(a, PICK(a, "and", "but", "so"));
        pronoun(a, subject);
        predicate(a, subject);
    }
    say(a, ".");
}

static void heading(author *a, int level, foci_speech s, int subject) {
    for (int i = 0; i < level; i++) say(a, "=");
    say(a, a->lexicon->form[s][2 * subject]);
    for (int i = 0; i < level; i++) say(a, "=");
    end_line(a);
    end_line(a);
}

static void article(author *a) {
    a->field = (int)foci_rng_below(&a->rng, FOCI_FIELDS);
    for (int s = 0; s < FOCI_SPEECH_COUNT; s++)
        for (int i = 0; i < OWN; i++) a->own[s][i] = foci_lexicon_draw(a->lexicon, (foci_speech)s, a->field, &a->rng);
    end_line(a);
    heading(a, 1, FOCI_NAME, a->own[FOCI_NAME][0]);
    int paragraphs = 2 + (int)foci_rng_below(&a->rng, 4);
    for (int i = 0; i < paragraphs; i++) {
        a->focus = a->own[FOCI_NOUN][foci_rng_below(&a->rng, OWN)];
        if (i) heading(a, 2, FOCI_NOUN, a->focus);
        for (int n = 3 + (int)foci_rng_below(&a->rng, 6); n > 0; n--) sentence(a);
        end_line(a);
        end_line(a);
    }
}

/* ----------------------------------------------------------------------------------------------- files */

static foci_status write_split(const char *path, int split, int64_t tokens, const foci_lexicon *l, uint64_t seed) {
    author a = {.lexicon = l, .rng = foci_rng_make(seed, foci_stream("corpus"), (uint64_t)split)};
    FOCI_TRY(foci_writer_open(&a.file, path));
    while (a.tokens < tokens && !a.file.status) article(&a);
    foci_write(&a.file, a.buffer, a.used);
    return foci_writer_commit(&a.file);
}

static foci_status write_all(const char *dir, const void *options) {
    static const char *const files[] = {"train.txt", "valid.txt", "test.txt"};
    const foci_grammar_options *o = options;
    const int64_t tokens[] = {o->train, o->valid, o->test};
    foci_lexicon lexicon;
    FOCI_TRY(foci_lexicon_make(&lexicon, o->words - GRAMMAR_WORDS, (uint64_t)o->seed));
    foci_status status = FOCI_OK;
    for (int i = 0; i < 3 && !status; i++) {
        char path[4096];
        status = foci_path_join(path, sizeof path, dir, files[i]);
        if (!status) status = write_split(path, i, tokens[i], &lexicon, (uint64_t)o->seed);
    }
    foci_lexicon_free(&lexicon);
    return status;
}

foci_status foci_make_text(const char *dir, const foci_grammar_options *o) {
    const int64_t most = INT32_MAX;
    if (o->train < 1 || o->valid < 1 || o->test < 1 || o->train > most || o->valid > most || o->test > most)
        return foci_fail(FOCI_ERR_CONFIG, "a built-in text has 1 to %" PRId64 " tokens in every split", most);
    if (o->words < 300 || o->words > 50000)
        return foci_fail(FOCI_ERR_CONFIG, "a built-in text of %" PRId64 " words: 300 to 50000 are possible", o->words);
    char marker[512];
    snprintf(marker, sizeof marker,
             "{\"foci_text\": 1, \"train\": %" PRId64 ", \"valid\": %" PRId64 ", \"test\": %" PRId64
             ", \"words\": %" PRId64 ", \"seed\": %" PRId64 "}\n",
             o->train, o->valid, o->test, o->words, o->seed);
    return foci_generate(dir, "foci-text.json", marker, write_all, o);
}

static const foci_key keys[] = {
    FOCI_KEY(foci_grammar_options, train, "400000", 1, INT32_MAX, NULL, "words for training, about"),
    FOCI_KEY(foci_grammar_options, valid, "20000", 1, INT32_MAX, NULL, "words for validation, about"),
    FOCI_KEY(foci_grammar_options, test, "20000", 1, INT32_MAX, NULL, "words for the test, about"),
    FOCI_KEY(foci_grammar_options, words, "2000", 300, 50000, NULL, "size of the vocabulary, about"),
    FOCI_KEY(foci_grammar_options, seed, "0", 0, 9e15, NULL, "of what is drawn"),
    {0}};

static foci_status make(const char *dir, const void *options) { return foci_make_text(dir, options); }

const foci_maker foci_maker_text = {
    .name = "text",
    .summary = "a text in WikiText format, of a grammar with agreement over long distances",
    .keys = keys,
    .size = sizeof(foci_grammar_options),
    .make = make,
};
