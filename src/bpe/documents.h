/* A text of any length, plain or gzip, read on block by block: blocks are cut where no piece reaches across, so that
 * each can be cut into pieces, counted or encoded by itself. And what a document of it is; no piece spans two. */
#ifndef FOCI_BPE_DOCUMENTS_H
#define FOCI_BPE_DOCUMENTS_H

#include <zlib.h>

#include "bpe/bpe.h"

typedef struct foci_block {
    const char *text;
    size_t size;
    bool begins; /* a document begins with it */
    bool more;   /* the text goes on behind it: what could be another piece then is left */
    size_t used; /* to be filled in: the bytes that were read; without `more` all of them */
} foci_block;

/* The document that begins at `at` of a block, or goes on there, ends at *end: is it known to? */
bool foci_document_ends(foci_documents documents, const foci_block *b, size_t at, size_t *end);

typedef struct foci_blocks {
    const char *path;
    foci_documents documents;
    gzFile file;
    char *text; /* (room) that is read */
    size_t first, end, room;
    int64_t bytes; /* that were used */
    bool ended, begun;
    foci_block *block; /* (count) at hand */
    int64_t count, most;
} foci_blocks;

/* "-" is standard input. `whole`: one block at a time, cut nowhere, for who reads across cuts (special tokens).
 * FOCI_ERR_DATA, FOCI_ERR_IO; `path` must last. */
foci_status foci_blocks_open(foci_blocks *b, const char *path, foci_documents documents, bool whole);
/* The next blocks, once all of those at hand have been used; none: the end. */
foci_status foci_blocks_next(foci_blocks *b);
void foci_blocks_close(foci_blocks *b);

#endif
