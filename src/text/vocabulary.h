/* A vocabulary as text: in a run and its weights, and in the cache of those that were counted. */
#ifndef FOCI_TEXT_VOCABULARY_H
#define FOCI_TEXT_VOCABULARY_H

#include "text/text.h"

enum { FOCI_VOCABULARY_BYTES = 1 << 28 }; /* of a file: some 20 million words */

/* One line a word in order of ids, "WORD" or, with counts, "COUNT WORD". *text from malloc, ended by 0. */
foci_status foci_vocabulary_print(const foci_vocabulary *v, bool counts, char **text, size_t *size);
/* Those that the text had beside the vocabulary. */
void foci_vocabulary_set_rare(foci_vocabulary *v, foci_rare_words rare);
/* The reverse; `name` is for messages. FOCI_ERR_DATA with name:line. */
foci_status foci_vocabulary_parse(foci_vocabulary **v, const char *name, const char *text, size_t size, bool counts);

#endif
