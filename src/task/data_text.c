/* Text in WikiText format: words between white space, <eos> at the end of every line; the vocabulary is that of the
 * training text. */
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "config/config.h"
#include "task/corpus.h"
#include "task/task.h"
#include "text/vocabulary.h"

typedef struct options {
    const char *train, *valid, *test;
    int64_t vocab_limit, min_count;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, train, "", 0, 0, NULL,
             "training text in WikiText format, plain or .gz, or a pack of it (foci data pack); its words are the "
             "vocabulary",
             .may_change = true, .path = true),
    FOCI_KEY(options, valid, "", 0, 0, NULL, "validation text, likewise", .may_change = true, .path = true),
    FOCI_KEY(options, test, "", 0, 0, NULL, "test text, likewise", .may_change = true, .path = true),
    FOCI_KEY(options, vocab_limit, "0", 0, 1e8, NULL,
             "keep so many of the most frequent words, the others are <unk>; 0: all"),
    FOCI_KEY(options, min_count, "0", 0, 1e9, NULL,
             "words seen less often are <unk>; 1: none is; 0: those seen once, where neither the text nor vocab_limit "
             "brings an <unk>"),
    {0}};

/* Those of data.labels, or else those of the training text. */
static foci_status read_words(const foci_config *config, options *o, foci_vocabulary **v) {
    char *words;
    size_t size;
    foci_config_read(config, "data", keys, o);
    FOCI_TRY(foci_labels_read(config, foci_task_text.labels, &words, &size));
    if (words) {
        const foci_status s = foci_vocabulary_parse(v, foci_config_string(config, "data.labels"), words, size, false);
        free(words);
        return s;
    }
    if (!*o->train) return foci_config_fail(config, "data.train", "names no text; the vocabulary comes from it");
    FOCI_TRY(foci_config_path(config, "data.train"));
    return foci_vocabulary_cached(v, o->train, (foci_word_choice){o->vocab_limit, o->min_count});
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
    snprintf(text, 160, "rare words, read as <unk>: %lld, in %lld of the tokens (data.min_count, data.vocab_limit)",
             (long long)rare.words, (long long)rare.tokens);
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
    foci_say(lines, "%-10s  %s: %lld token%s, %lld line%s, %lld <unk>, unigram perplexity %.1f", key,
             foci_config_string(config, key), (long long)t.count, foci_plural(t.count, "s"), (long long)t.lines,
             foci_plural(t.lines, "s"), (long long)t.unknown, foci_unigram_perplexity(v, &t));
    foci_tokens_free(&t);
    return FOCI_OK;
}

static foci_status count(const foci_config *config, const foci_lines *lines) {
    foci_vocabulary *v = NULL;
    options o;
    FOCI_TRY(read_words(config, &o, &v));
    char rare[160];
    foci_say(lines, "vocabulary  %lld words", (long long)foci_vocabulary_size(v));
    if (rare_words(v, rare)) foci_say(lines, "            %s", rare);
    foci_status s = count_split(config, lines, "data.train", v);
    if (!s) s = count_split(config, lines, "data.valid", v);
    if (!s) s = count_split(config, lines, "data.test", v);
    foci_vocabulary_free(v);
    return s;
}

const foci_data_set foci_data_set_text = {
    .name = "text",
    .summary = "words between spaces, one paragraph a line (WikiText), plain or gzip, or a pack of that",
    .task = "text",
    .keys = keys,
    .open = open,
    .count = count,
};
