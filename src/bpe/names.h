/* Tokens as vocabulary files name them: a character for every byte; internal to this room. */
#ifndef FOCI_BPE_NAMES_H
#define FOCI_BPE_NAMES_H

#include "bpe/tokenizer.h"

/* The bytes of a name of `size` bytes into `text`, and how many. FOCI_ERR_DATA: a character that stands for none. */
foci_status foci_name_bytes(const char *name, size_t size, char text[FOCI_TOKEN_MAX], uint32_t *length);

#endif
