/* The text that a config names: a vocabulary, and the token streams of its splits. */
#ifndef FOCI_TASK_CORPUS_H
#define FOCI_TASK_CORPUS_H

#include "text/text.h"
#include "task/data_sets.h"
#include "task/meaning.h"

typedef struct foci_corpus {
    foci_vocabulary *vocabulary;
    foci_tokens train, valid, test; /* empty: not opened, or the config names none */
} foci_corpus;

/* The vocabulary, and the splits asked for (0: none) that the config names. FOCI_ERR_CONFIG where its data is no text.
 * Nothing is open after a failure. */
foci_status foci_corpus_open(foci_corpus *corpus, const foci_config *config, unsigned splits);
void foci_corpus_close(foci_corpus *corpus);

/* "val", "valid" or "test" as FOCI_VALID or FOCI_TEST. */
foci_status foci_corpus_split(const char *name, unsigned *split);
/* The tokens of a split that was opened; FOCI_ERR_CONFIG where the config names none. */
foci_status foci_corpus_tokens(const foci_corpus *corpus, const foci_config *config, unsigned split,
                               const foci_tokens **tokens);
/* A failure about the tokens of a split: its message gets the key and the file in front. */
foci_status foci_corpus_blame(const foci_config *config, unsigned split, foci_status status);

/* What weights trained on it mean: {"vocabulary", ...}, {"tokens", "bytes"} where these are not words, and of subwords
 * their tokenizer, {"bpe", a tokenizer.json in one line}. */
foci_status foci_corpus_mean(const foci_corpus *corpus, foci_meaning *m);
/* The files of the splits that are open. */
foci_status foci_corpus_list(const foci_corpus *corpus, const foci_config *config, foci_manifest *m);

#endif
