/* Sentences of words with labels, and the vocabulary that they are read by. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "task/sequence_data.h"
#include "task/task.h"
#include "text/vocabulary.h"

typedef struct options {
    const char *train, *val, *test, *vocabulary;
    enum { LENGTH, BATCH } pad;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, train, "", 0, 0, NULL,
             "training sentences: lines \"SENTENCE<TAB>LABEL\" (SST-2), perhaps below GLUE's header, plain or .gz",
             .may_change = true, .path = true),
    FOCI_KEY(options, val, "", 0, 0, NULL, "validation sentences, likewise; their words are known too",
             .may_change = true, .path = true),
    FOCI_KEY(options, test, "", 0, 0, NULL, "test sentences, likewise", .may_change = true, .path = true),
    FOCI_KEY(options, vocabulary, "", 0, 0, NULL,
             "words that come before those of train and val: a list, or weights that carry one, a language model's; "
             "empty: none",
             .path = true),
    FOCI_KEY(
        options, pad, "length", 0, 0, "length batch",
        "sentences are padded to model.length, so that none depends on its batch; or, as published, to the longest "
        "of the batch"),
    {0}};

/* ----------------------------------------------------------------------------------------------- the vocabulary */

/* That of the weights that are run: it is complete. */
static foci_status carried(const foci_config *config, foci_vocabulary **v) {
    const char *weights = foci_config_string(config, "data.labels");
    char *text;
    *v = NULL;
    if (!*weights || foci_meaning_of_weights(weights, foci_task_sequences.words, &text)) return FOCI_OK;
    const foci_status s = foci_vocabulary_parse(v, weights, text, strlen(text), false);
    free(text);
    return s;
}

/* Weights of a model of characters or bytes have names of these. */
static foci_status check_words(const foci_config *config, const char *path) {
    char *tokens;
    if (!*path || foci_meaning_of_weights(path, "tokens", &tokens)) return FOCI_OK;
    const foci_status s = foci_config_fail(config, "data.vocabulary", "%s is of %s, not of words", path, tokens);
    free(tokens);
    return s;
}

static foci_status begin(const foci_config *config, foci_vocabulary **v) {
    char *text;
    size_t size;
    FOCI_TRY(foci_config_path(config, "data.vocabulary"));
    FOCI_TRY(check_words(config, foci_config_string(config, "data.vocabulary")));
    FOCI_TRY(foci_names_read(config, "data.vocabulary", foci_task_sequences.words, &text, &size));
    if (!text) return foci_vocabulary_begin(v);
    const foci_status s = foci_vocabulary_parse(v, foci_config_string(config, "data.vocabulary"), text, size, false);
    free(text);
    return s;
}

static foci_status count_words(const foci_config *config, foci_vocabulary *v) {
    foci_sequence_splits s = {.words = NULL};
    foci_status status = foci_sequence_files(&s, config, FOCI_TRAIN | FOCI_VALID, foci_sentences_open);
    for (int i = 0; i < FOCI_SPLITS && !status; i++)
        if (s.of[i]) status = foci_sentences_count(s.of[i], v);
    foci_sequence_splits_close(&s);
    return status ? status : foci_vocabulary_counted(v);
}

static foci_status words(const foci_config *config, foci_vocabulary **v) {
    FOCI_TRY(carried(config, v));
    if (*v) return FOCI_OK;
    FOCI_TRY(begin(config, v));
    const foci_status s = count_words(config, *v);
    if (!s) return FOCI_OK;
    foci_vocabulary_free(*v);
    *v = NULL;
    return s;
}

static foci_status open(const foci_config *config, unsigned splits, void *data) {
    foci_sequence_splits *s = data;
    FOCI_TRY(words(config, &s->words));
    FOCI_TRY(foci_sequence_files(s, config, splits, foci_sentences_open));
    for (int i = 0; i < FOCI_SPLITS; i++)
        if (s->of[i]) FOCI_TRY(foci_sentences_number(s->of[i], s->words));
    return FOCI_OK;
}

const foci_data_set foci_data_set_sentences = {
    .name = "sentences",
    .summary = "sentences of words with labels (SST-2), lines with a tab",
    .task = "sequences",
    .keys = keys,
    .shared = foci_sequence_keys,
    .open = open,
    .check = foci_sequences_check,
    .count = foci_sequences_count_all,
    .tell = foci_sequences_tell,
    .words = words,
    .line = foci_sentence_line,
    .in_front = true,
};
