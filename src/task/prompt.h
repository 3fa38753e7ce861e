/* The words, characters, bytes or subwords of a prompt. */
#ifndef FOCI_TASK_PROMPT_H
#define FOCI_TASK_PROMPT_H

#include "bpe/bpe.h"
#include "text/text.h"

/* Adds the words of `prompt`, with blanks between and an <eos> at every line's end, or all its characters or bytes,
 * behind an <eos>: the text begins at the beginning of a line. Of subwords all bytes, behind an end-of-text token where
 * there is one. FOCI_ERR_CONFIG where a word is not in the vocabulary and that has no <unk>. */
foci_status foci_prompt_read(foci_ids *ids, const foci_vocabulary *v, const char *prompt);

#endif
