/* The bytes of a piece, merged: of all pairs of neighbours the one of the lowest rank, at all its places from left to
 * right, and again, until none has a rank. Internal to this room. */
#ifndef FOCI_BPE_MERGE_H
#define FOCI_BPE_MERGE_H

#include "bpe/tokenizer.h"

/* Room for the tokens of a piece, and what long ones need besides. A zeroed one is ready. */
typedef struct foci_merger {
    int32_t *id, *rank; /* (room) of tokens, and of each with its right neighbour */
    int32_t *left, *right;
    size_t room;
    struct foci_places {
        struct foci_place {
            int32_t rank, at;
        } * place;
        size_t count, room;
    } heap, later; /* pairs that could merge; those that arose in this round */
} foci_merger;
void foci_merger_free(foci_merger *m);

/* `*id`, valid until the next call, has `*count` tokens. At most FOCI_PIECE_MAX bytes. */
foci_status foci_merge_bytes(foci_merger *m, const foci_bpe *bpe, const char *piece, size_t size, const int32_t **id,
                             int64_t *count);
/* The same by one of the two ways, for tests. */
foci_status foci_merge_in_rounds(foci_merger *m, const foci_bpe *bpe, const char *piece, size_t size,
                                 const int32_t **id, int64_t *count);
foci_status foci_merge_by_heap(foci_merger *m, const foci_bpe *bpe, const char *piece, size_t size, const int32_t **id,
                               int64_t *count);

#endif
