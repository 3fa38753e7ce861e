/* Text: words between white space (WikiText), characters or bytes, <eos> at the end of every line; the vocabulary is
 * that of the training text. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/config.h"
#include "task/corpus.h"
#include "task/task.h"
#include "text/vocabulary.h"

typedef struct options {
    foci_token_kind tokens;
    const char *train, *valid, *test;
    int64_t vocab_limit, min_count;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, tokens, "words", 0, 0, FOCI_TOKEN_KINDS(FOCI_CHOICE_WORD),
             "what a token is: words between white space, all characters (UTF-8), or all bytes"),
    FOCI_KEY(options, train, "", 0, 0, NULL,
             "training text, plain or .gz, or a pack of it (foci data pack); its words, or characters, are the "
             "vocabulary",
             .may_change = true, .path = true),
    FOCI_KEY(options, valid, "", 0, 0, NULL, "validation text, likewise", .may_change = true, .path = true),
    FOCI_KEY(options, test, "", 0, 0, NULL, "test text, likewise", .may_change = true, .path = true),
    FOCI_KEY(options, vocab_limit, "0", 0, 1e8, NULL,
             "keep so many of the most frequent words (or characters), the others are <unk>; 0: all"),
    FOCI_KEY(options, min_count, "0", 0, 1e9, NULL,
             "words (or characters) seen less often are <unk>; 1: none is; 0: those seen once, where neither the text "
             "nor vocab_limit "
             "brings an <unk>"),
    {0}};

/* Every byte is in the vocabulary. */
static foci_status check_choice(const foci_config *config, const options *o) {
    const char *key = o->vocab_limit ? "data.vocab_limit" : o->min_count ? "data.min_count" : NULL;
    return o->tokens == FOCI_BYTES && key ? foci_config_fail(config, key, "is not for data.tokens bytes") : FOCI_OK;
}

/* Weights say what their words are, unless these are words. */
static foci_status check_kind(const foci_config *config, const options *o) {
    char *found;
    FOCI_TRY(foci_labels_note(config, "tokens", foci_token_kinds[FOCI_WORDS], &found));
    foci_status s = FOCI_OK;
    if (found && strcmp(found, foci_token_kinds[o->tokens]) != 0)
        s = foci_config_fail(config, "data.tokens", "%s, but the weights %s are of %s", foci_token_kinds[o->tokens],
                             foci_config_string(config, "data.labels"), found);
    free(found);
    return s;
}

static foci_status parse_labels(const foci_config *config, const options *o, const char *words, size_t size,
                                foci_vocabulary **v) {
    const char *path = foci_config_string(config, "data.labels");
    FOCI_TRY(check_kind(config, o));
    FOCI_TRY(foci_vocabulary_parse(v, path, words, size, false));
    const foci_status s = foci_vocabulary_declare(*v, o->tokens, path);
    if (!s) return FOCI_OK;
    foci_vocabulary_free(*v);
    *v = NULL;
    return s;
}

/* Those of data.labels, or else those of the training text. */
static foci_status read_words(const foci_config *config, options *o, foci_vocabulary **v) {
    char *words;
    size_t size;
    foci_config_read(config, "data", keys, o);
    FOCI_TRY(check_choice(config, o));
    FOCI_TRY(foci_labels_read(config, foci_task_text.labels, &words, &size));
    if (words) {
        const foci_status s = parse_labels(config, o, words, size, v);
        free(words);
        return s;
    }
    if (!*o->train) return foci_config_fail(config, "data.train", "names no text; the vocabulary comes from it");
    FOCI_TRY(foci_config_path(config, "data.train"));
    return foci_vocabulary_cached(v, o->train, (foci_word_choice){o->vocab_limit, o->min_count, o->tokens});
}

/* Of the text that the key names, if any. */
static foci_status read_tokens(const foci_config *config, const char *key, const foci_vocabulary *v, foci_tokens *t) {
    const char *path = foci_config_string(config, key);
    FOCI_TRY(foci_config_path(config, key));
    return *path ? foci_tokens_read(t, v, path) : FOCI_OK;
}

/* A word about those that became <unk>; false: there are none. */
static bool rare_words(const foci_vocabulary *v, char text[160]) {
    const foci_rare_words rare = foci_vocabulary_rare(v);
    snprintf(text, 160, "rare %s, read as <unk>: %lld, in %lld of the tokens (data.min_count, data.vocab_limit)",
             foci_token_noun(foci_vocabulary_tokens(v)), (long long)rare.words, (long long)rare.tokens);
    return rare.words > 0;
}

static foci_status open(const foci_config *config, unsigned splits, void *data) {
    foci_corpus *c = data;
    options o;
    char rare[160];
    FOCI_TRY(read_words(config, &o, &c->vocabulary));
    if (splits & FOCI_TRAIN && rare_words(c->vocabulary, rare)) foci_log(FOCI_LOG_INFO, "%s: %s", o.train, rare);
    if (splits & FOCI_TRAIN && splits & FOCI_VALID && foci_same_file(o.train, o.valid))
        return foci_config_fail(config, "data.valid", "%s is data.train too: name a text that is not trained on",
                                o.valid);
    if (splits & FOCI_VALID) FOCI_TRY(read_tokens(config, "data.valid", c->vocabulary, &c->valid));
    if (splits & FOCI_TEST) FOCI_TRY(read_tokens(config, "data.test", c->vocabulary, &c->test));
    return splits & FOCI_TRAIN ? read_tokens(config, "data.train", c->vocabulary, &c->train) : FOCI_OK;
}

static foci_status count_split(const foci_config *config, const foci_lines *lines, const char *key,
                               const foci_vocabulary *v) {
    foci_tokens t = {0};
    FOCI_TRY(read_tokens(config, key, v, &t));
    if (!t.count) return FOCI_OK;
    const double perplexity = foci_unigram_perplexity(v, &t);
    char bits[64] = "";
    if (foci_vocabulary_tokens(v) != FOCI_WORDS) snprintf(bits, sizeof bits, ", %.4f bits a token", log2(perplexity));
    foci_say(lines, "%-10s  %s: %lld token%s, %lld line%s, %lld <unk>, unigram perplexity %.1f%s", key,
             foci_config_string(config, key), (long long)t.count, foci_plural(t.count, "s"), (long long)t.lines,
             foci_plural(t.lines, "s"), (long long)t.unknown, perplexity, bits);
    foci_tokens_free(&t);
    return FOCI_OK;
}

static foci_status count(const foci_config *config, const foci_lines *lines) {
    foci_vocabulary *v = NULL;
    options o;
    FOCI_TRY(read_words(config, &o, &v));
    char rare[160];
    foci_say(lines, "vocabulary  %lld %s", (long long)foci_vocabulary_size(v),
             foci_token_noun(foci_vocabulary_tokens(v)));
    if (rare_words(v, rare)) foci_say(lines, "            %s", rare);
    foci_status s = count_split(config, lines, "data.train", v);
    if (!s) s = count_split(config, lines, "data.valid", v);
    if (!s) s = count_split(config, lines, "data.test", v);
    foci_vocabulary_free(v);
    return s;
}

const foci_data_set foci_data_set_text = {
    .name = "text",
    .summary =
        "words between spaces, one paragraph a line (WikiText), characters or bytes, plain or gzip, or a pack of "
        "that",
    .task = "text",
    .keys = keys,
    .open = open,
    .count = count,
};
