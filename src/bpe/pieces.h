/* Text is cut into pieces before anything is merged, and no token reaches across a cut. */
#ifndef FOCI_BPE_PIECES_H
#define FOCI_BPE_PIECES_H

#include <stdbool.h>
#include <stddef.h>

#include "bpe/bpe.h"

/* The piece that `text` begins with. The end of the text counts: where more may follow, the piece is sure only if
 * foci_piece_is_sure says so. */
typedef struct foci_piece {
    size_t length;
    size_t seen; /* where the last character begins that was looked at; the text's size: there was none behind it */
} foci_piece;
foci_piece foci_piece_of(foci_bpe_rule rule, const unsigned char *text, size_t size); /* size: at least 1 */

static inline bool foci_piece_is_sure(foci_piece piece, size_t size) {
    enum { LONGEST = 4 }; /* bytes of a character: those that were looked at were whole */
    return piece.seen + LONGEST <= size;
}

/* The length of the piece that `text` begins with; 0: what may follow it (`more`) could still change it.
 * FOCI_ERR_DATA: it is longer than 2^24 bytes. */
enum { FOCI_PIECE_MAX = 1 << 24 };
foci_status foci_piece_take(foci_bpe_rule rule, const char *text, size_t size, bool more, size_t *length);

extern const char foci_llama3_pattern[]; /* as tokenizer.json has it */

#endif
