/* Text: words between white space (WikiText), characters or bytes, <eos> at the end of every line; the vocabulary is
 * that of the training text. Or subwords, whose vocabulary is a tokenizer's. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "data/pack.h"
#include "config/config.h"
#include "task/corpus.h"
#include "task/task.h"
#include "text/pack.h"
#include "text/vocabulary.h"

typedef struct options {
    foci_token_kind tokens;
    const char *train, *valid, *test;
    int64_t vocab_limit, min_count;
    const char *bpe;
    foci_documents documents;
    bool bare;
    foci_reading windows;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, tokens, "words", 0, 0, FOCI_TOKEN_KINDS(FOCI_CHOICE_WORD),
             "what a token is: words between white space, all characters (UTF-8), all bytes, or subwords (bpe)"),
    FOCI_KEY(options, train, "", 0, 0, NULL,
             "training text, plain or .gz, or a pack of it (foci data pack); its words, or characters, are the "
             "vocabulary; of subwords also token files, FILE.bin, a folder of them or train_*.bin",
             .may_change = true, .path = true),
    FOCI_KEY(options, valid, "", 0, 0, NULL, "validation text, likewise", .may_change = true, .path = true),
    FOCI_KEY(options, test, "", 0, 0, NULL, "test text, likewise", .may_change = true, .path = true),
    FOCI_KEY(options, vocab_limit, "0", 0, 1e8, NULL,
             "keep so many of the most frequent words (or characters), the others are <unk>; 0: all"),
    FOCI_KEY(options, min_count, "0", 0, 1e9, NULL,
             "words (or characters) seen less often are <unk>; 1: none is; 0: those seen once, where neither the text "
             "nor vocab_limit "
             "brings an <unk>"),
    FOCI_KEY(options, bpe, "", 0, 0, NULL,
             "the tokenizer of tokens bpe: a tokenizer.json, or a folder with one, with vocab.json and merges.txt, or "
             "with encoder.json and vocab.bpe (foci data bpe train); trained weights carry theirs",
             .may_change = true, .path = true),
    FOCI_KEY(options, documents, "file", 0, 0, FOCI_DOCUMENTS(FOCI_CHOICE_WORD),
             "of tokens bpe, what begins with the end-of-text token: whole texts, paragraphs (blank lines between), "
             "lines, or nothing"),
    FOCI_KEY(options, bare, "false", 0, 0, NULL,
             "of tokens bpe: token files that are called .bin have no header (nanoGPT)"),
    FOCI_KEY(options, windows, "columns", 0, 0, FOCI_READINGS(FOCI_CHOICE_WORD),
             "in training: the text in batch_size columns, each read from beginning to end; or windows that begin "
             "anywhere, drawn with replacement"),
    {0}};

/* Every byte is in the vocabulary, and a tokenizer has its own. */
static foci_status check_choice(const foci_config *config, const options *o) {
    const bool all = o->tokens == FOCI_BYTES || o->tokens == FOCI_SUBWORDS, other = o->tokens != FOCI_SUBWORDS;
    const char *key = all && o->vocab_limit ? "data.vocab_limit" : all && o->min_count ? "data.min_count" : NULL;
    if (other && o->documents != FOCI_FILE) key = "data.documents";
    if (other && *o->bpe) key = "data.bpe";
    if (other && o->bare) key = "data.bare";
    if (!key) return FOCI_OK;
    return foci_config_fail(config, key, "is not for data.tokens %s", foci_token_kinds[o->tokens]);
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

/* -------------------------------------------------------------------------------------------- subwords */

/* A tokenizer that the config names beside the weights' own must be the same. */
static foci_status check_tokenizer(const foci_config *config, const char *path, const foci_bpe *own) {
    char one[FOCI_BPE_HASH], other[FOCI_BPE_HASH];
    foci_bpe *named;
    if (!foci_path_kind(path)) return FOCI_OK;
    FOCI_TRY(foci_bpe_open(&named, path));
    foci_status s = foci_bpe_hash(named, other);
    foci_bpe_free(named);
    if (!s) s = foci_bpe_hash(own, one);
    if (s || strcmp(one, other) == 0) return s;
    return foci_config_fail(config, "data.bpe", "%s is another tokenizer (%s) than that of %s (%s)", path, other,
                            foci_config_string(config, "data.labels"), one);
}

static foci_status parse_tokenizer(const foci_config *config, const options *o, const char *json, foci_bpe **bpe) {
    FOCI_TRY(foci_bpe_parse(bpe, foci_config_string(config, "data.labels"), json, strlen(json)));
    const foci_status s = *o->bpe ? check_tokenizer(config, o->bpe, *bpe) : FOCI_OK;
    if (s) foci_bpe_free(*bpe);
    return s;
}

/* That of the weights, which data.labels names, else that of data.bpe. */
static foci_status open_tokenizer(const foci_config *config, const options *o, foci_bpe **bpe) {
    char *json;
    FOCI_TRY(check_kind(config, o));
    FOCI_TRY(foci_labels_note(config, "bpe", "", &json));
    if (json) {
        const foci_status s = parse_tokenizer(config, o, json, bpe);
        free(json);
        return s;
    }
    if (!*o->bpe) return foci_config_fail(config, "data.bpe", "names no tokenizer");
    FOCI_TRY(foci_config_path(config, "data.bpe"));
    return foci_bpe_open(bpe, o->bpe);
}

static foci_status check_documents(const foci_config *config, const options *o, const foci_bpe *bpe) {
    if (o->documents == FOCI_NO_DOCUMENTS || foci_bpe_end_of_text(bpe) >= 0) return FOCI_OK;
    return foci_config_fail(config, "data.documents",
                            "the tokenizer has no end-of-text token with which documents could begin: none");
}

static foci_status read_subwords(const foci_config *config, const options *o, foci_vocabulary **v) {
    const bool known = *o->bpe || *foci_config_string(config, "data.labels");
    foci_bpe *bpe;
    if (!known && foci_is_pack(o->train))
        return foci_text_pack_vocabulary(
            v, o->train, (foci_word_choice){.tokens = FOCI_SUBWORDS, .reading = {o->documents, o->bare}});
    FOCI_TRY(open_tokenizer(config, o, &bpe));
    const foci_status s = check_documents(config, o, bpe);
    if (s) return foci_bpe_free(bpe), s;
    return foci_vocabulary_of_bpe(v, bpe, (foci_subword_reading){o->documents, o->bare});
}

/* --------------------------------------------------------------------------------------------- opening */

/* Those of data.labels, or else those of the training text. */
static foci_status read_words(const foci_config *config, options *o, foci_vocabulary **v) {
    char *words;
    size_t size;
    foci_config_read(config, "data", keys, o);
    FOCI_TRY(check_choice(config, o));
    if (o->tokens == FOCI_SUBWORDS) return read_subwords(config, o, v);
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
    FOCI_TRY(foci_tokens_gather(&c->valid));
    FOCI_TRY(foci_tokens_gather(&c->test));
    return splits & FOCI_TRAIN ? read_tokens(config, "data.train", c->vocabulary, &c->train) : FOCI_OK;
}

/* Bytes are those of text: special tokens have none. */
static void add_up(const foci_bpe *bpe, const foci_tokens *t, int64_t *bytes, int64_t *documents) {
    enum { PART = 4096 };
    int32_t ids[PART];
    for (int64_t first = 0, n; first < t->count; first += n) {
        n = t->count - first < PART ? t->count - first : PART;
        foci_tokens_copy(t, first, n, ids);
        for (int64_t i = 0; i < n; i++) {
            const foci_token one = foci_bpe_token(bpe, ids[i]);
            *bytes += one.special ? 0 : one.size;
            *documents += ids[i] == foci_bpe_end_of_text(bpe);
        }
    }
}

static void say_subwords(const foci_config *config, const foci_lines *lines, const char *key, const foci_vocabulary *v,
                         const foci_tokens *t) {
    int64_t bytes = 0, documents = 0;
    add_up(foci_vocabulary_bpe(v), t, &bytes, &documents);
    foci_say(lines, "%-10s  %s: %lld token%s of %lld bytes, %.3f bytes a token, %lld document%s", key,
             foci_config_string(config, key), (long long)t->count, foci_plural(t->count, "s"), (long long)bytes,
             (double)bytes / (double)t->count, (long long)documents, foci_plural(documents, "s"));
}

static void say_words(const foci_config *config, const foci_lines *lines, const char *key, const foci_vocabulary *v,
                      const foci_tokens *t) {
    const double perplexity = foci_unigram_perplexity(v, t);
    char bits[64] = "";
    if (foci_vocabulary_tokens(v) != FOCI_WORDS) snprintf(bits, sizeof bits, ", %.4f bits a token", log2(perplexity));
    foci_say(lines, "%-10s  %s: %lld token%s, %lld line%s, %lld <unk>, unigram perplexity %.1f%s", key,
             foci_config_string(config, key), (long long)t->count, foci_plural(t->count, "s"), (long long)t->lines,
             foci_plural(t->lines, "s"), (long long)t->unknown, perplexity, bits);
}

static foci_status count_split(const foci_config *config, const foci_lines *lines, const char *key,
                               const foci_vocabulary *v) {
    foci_tokens t = {0};
    FOCI_TRY(read_tokens(config, key, v, &t));
    if (t.count) (foci_vocabulary_bpe(v) ? say_subwords : say_words)(config, lines, key, v, &t);
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
        "words between spaces, one paragraph a line (WikiText), characters, bytes or subwords, plain or gzip, or a "
        "pack of that",
    .task = "text",
    .keys = keys,
    .open = open,
    .count = count,
};
