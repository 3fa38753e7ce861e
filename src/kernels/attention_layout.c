#include "kernels/types.h"

static int64_t place(int64_t *reals, int64_t n) {
    const int64_t at = *reals;
    *reals += (n + FOCI_ALIGN - 1) / FOCI_ALIGN * FOCI_ALIGN;
    return at;
}

/* Copies of operands: pairs in bfloat16 of everything; reals of keys and values that many queries read, and of what is
 * read down a column where its rows are not whole vectors of any instruction set. */
foci_attention_layout foci_attention_layout_of(int64_t keys, int64_t width, int64_t value_width, bool backward,
                                               bool bf16) {
    enum { TILE = FOCI_ATTENTION_QUERIES };
    const int64_t row = (width + 15) / 16 * 16, value_row = (value_width + 15) / 16 * 16;
    const int64_t scores = TILE * FOCI_ATTENTION_KEYS, pairs = (keys + 1) / 2,
                  longest = row > value_row ? row : value_row;
    const int64_t copied = bf16 ? pairs : keys;
    foci_attention_layout l = {0};
    l.queries = place(&l.reals, TILE * row);
    l.queries_across = place(&l.reals, bf16 ? TILE / 2 * row : TILE * row);
    l.rows = place(&l.reals, bf16 ? TILE / 2 * longest : 0);
    l.sums = place(&l.reals, TILE * (backward ? row : value_row));
    l.scores = place(&l.reals, scores);
    l.factor = place(&l.reals, scores);
    l.copy = place(&l.reals, bf16 ? scores / 2 : 0);
    l.keys = place(&l.reals, copied * row);
    l.values = place(&l.reals, copied * value_row);
    if (!backward) return l;
    l.douts = place(&l.reals, TILE * value_row);
    l.outs = place(&l.reals, TILE * value_row);
    l.douts_across = place(&l.reals, bf16 ? TILE / 2 * value_row : TILE * value_row);
    l.queries_down = place(&l.reals, bf16 ? TILE / 2 * row : 0);
    l.douts_down = place(&l.reals, bf16 ? TILE / 2 * value_row : 0);
    l.dscores = place(&l.reals, scores);
    l.keys_down = place(&l.reals, bf16 || width != row ? copied * row : 0);
    l.dkeys = place(&l.reals, keys * row);
    l.dvalues = place(&l.reals, keys * value_row);
    l.dkey_bias = place(&l.reals, keys * 16);
    l.raw = place(&l.reals, scores);
    return l;
}

foci_pieces_layout foci_pieces_layout_of(int64_t width) {
    const int64_t row = (width + 15) / 16 * 16, tile = FOCI_ATTENTION_QUERIES * row;
    const int64_t scores = FOCI_ATTENTION_QUERIES * FOCI_ATTENTION_KEYS;
    foci_pieces_layout l = {0};
    l.queries = place(&l.reals, tile);
    l.across = place(&l.reals, tile);
    l.rows = place(&l.reals, tile);
    l.douts = place(&l.reals, tile);
    l.douts_across = place(&l.reals, tile);
    l.scores = place(&l.reals, scores);
    l.dscores = place(&l.reals, scores);
    l.copy = place(&l.reals, width == row ? 0 : FOCI_ATTENTION_KEYS * row);
    return l;
}
