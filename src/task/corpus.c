#include "task/corpus.h"

#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "task/task.h"
#include "text/vocabulary.h"

foci_status foci_corpus_open(foci_corpus *corpus, const foci_config *config, unsigned splits) {
    const foci_data_set *set = foci_data_set_of(config);
    *corpus = (foci_corpus){.vocabulary = NULL};
    if (strcmp(set->task, "text") != 0) return foci_config_fail(config, "data.kind", "%s is no text", set->name);
    foci_status status = set->open(config, splits, corpus);
    if (status) foci_corpus_close(corpus);
    return status;
}

void foci_corpus_close(foci_corpus *corpus) {
    foci_vocabulary_free(corpus->vocabulary);
    foci_tokens_free(&corpus->train);
    foci_tokens_free(&corpus->valid);
    foci_tokens_free(&corpus->test);
    corpus->vocabulary = NULL;
}

/* ------------------------------------------------------------------------------------------------- meaning */

static foci_status add_tokenizer(const foci_corpus *corpus, foci_meaning *m) {
    char *json;
    FOCI_TRY(foci_bpe_print(foci_vocabulary_bpe(corpus->vocabulary), true, &json));
    const foci_status s = foci_meaning_add(m, "bpe", json);
    free(json);
    return s;
}

foci_status foci_corpus_mean(const foci_corpus *corpus, foci_meaning *m) {
    char *text;
    size_t size;
    FOCI_TRY(foci_vocabulary_print(corpus->vocabulary, false, &text, &size));
    foci_status s = foci_meaning_add(m, foci_task_text.labels, text);
    free(text);
    const foci_token_kind tokens = foci_vocabulary_tokens(corpus->vocabulary);
    if (s || tokens == FOCI_WORDS) return s;
    FOCI_TRY(foci_meaning_add(m, "tokens", foci_token_kinds[tokens]));
    return tokens == FOCI_SUBWORDS ? add_tokenizer(corpus, m) : FOCI_OK;
}

static const char *name_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static foci_status list_split(const foci_tokens *t, const char *part, const char *path, foci_manifest *m) {
    if (!t->count) return FOCI_OK;
    if (!t->shards)
        return foci_manifest_add(m, &(foci_manifest_file){.part = part, .name = name_of(path), .path = path});
    for (const foci_shard *s = t->shards->shard; s < t->shards->shard + t->shards->shards; s++)
        FOCI_TRY(foci_manifest_add(m, &(foci_manifest_file){.part = part, .name = name_of(s->path), .path = s->path}));
    return FOCI_OK;
}

foci_status foci_corpus_list(const foci_corpus *corpus, const foci_config *config, foci_manifest *m) {
    static const char *const part[] = {"train", "valid", "test"}, *const key[] = {"data.train", "data.valid",
                                                                                  "data.test"};
    const foci_tokens *const split[] = {&corpus->train, &corpus->valid, &corpus->test};
    for (int i = 0; i < 3; i++) FOCI_TRY(list_split(split[i], part[i], foci_config_string(config, key[i]), m));
    return FOCI_OK;
}

/* -------------------------------------------------------------------------------------------------- splits */

foci_status foci_corpus_split(const char *name, unsigned *split) {
    *split = FOCI_TEST;
    if (strcmp(name, "test") == 0) return FOCI_OK;
    *split = FOCI_VALID;
    if (strcmp(name, "val") == 0 || strcmp(name, "valid") == 0) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG, "text has the splits valid and test, not %s", name);
}

static const char *key_of(unsigned split) {
    return split == FOCI_TRAIN ? "data.train" : split == FOCI_VALID ? "data.valid" : "data.test";
}

foci_status foci_corpus_tokens(const foci_corpus *corpus, const foci_config *config, unsigned split,
                               const foci_tokens **tokens) {
    *tokens = split == FOCI_TRAIN ? &corpus->train : split == FOCI_VALID ? &corpus->valid : &corpus->test;
    if ((*tokens)->count) return FOCI_OK;
    return foci_config_fail(config, key_of(split), "names no text");
}

foci_status foci_corpus_blame(const foci_config *config, unsigned split, foci_status status) {
    if (status != FOCI_ERR_DATA) return status;
    return foci_context(status, "%s: %s", key_of(split), foci_config_string(config, key_of(split)));
}
