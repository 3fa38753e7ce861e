/* Streams of subwords; internal to this room. */
#ifndef FOCI_TEXT_SUBWORDS_H
#define FOCI_TEXT_SUBWORDS_H

#include "text/text.h"

/* From a text, encoded on all threads, or from token files, mapped and not gathered. */
foci_status foci_subwords_read(foci_tokens *t, const foci_vocabulary *v, const char *path);

#endif
