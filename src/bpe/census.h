/* The pieces of texts, counted; internal to this room. */
#ifndef FOCI_BPE_CENSUS_H
#define FOCI_BPE_CENSUS_H

#include "bpe/bpe.h"
#include "bpe/tables.h"

typedef struct foci_pieces {
    foci_strings piece;
    int64_t *count; /* (piece.count) how often each was seen */
    int64_t room, bytes;
} foci_pieces;

/* Of all texts, on all threads; a zeroed one is empty. */
foci_status foci_pieces_count(foci_pieces *p, const char *const *path, int paths, foci_documents documents);
void foci_pieces_free(foci_pieces *p); /* after a failure too */

#endif
