/* A pack of a text: its token ids, and the vocabulary they belong to. data/pack.h tells the frame, whose kind says what
 * the tokens are; the ids are the one block of data, 4 bytes each, at byte 64; byte 40 of the header has the XXH3 of
 * the words, one a line; the table is
 *
 *     byte 0    8   XXH3 of the ids
 *          8    8   lines of the text
 *         16    8   how many of the ids are <unk>
 *         24        the vocabulary: COUNT WORD, one line a word, in order of ids
 *
 * Of subwords the vocabulary is the tokenizer, a tokenizer.json in one line, byte 40 of the header has its XXH3, and
 * lines are documents. */
#ifndef FOCI_TEXT_PACK_H
#define FOCI_TEXT_PACK_H

#include "text/text.h"

/* The vocabulary that the text was packed with. What is asked for expressly, the number of words or how often they were
 * seen, must be so. */
foci_status foci_text_pack_vocabulary(foci_vocabulary **v, const char *path, foci_word_choice choice);
/* The ids, mapped; every one is known to be a word of `v`, whose words must be the pack's. */
foci_status foci_text_pack_tokens(foci_tokens *t, const foci_vocabulary *v, const char *path);

#endif
