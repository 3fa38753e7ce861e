#include "kernels/types.h"

static int64_t place(int64_t *reals, int64_t n) {
    const int64_t at = *reals;
    *reals += (n + FOCI_ALIGN - 1) / FOCI_ALIGN * FOCI_ALIGN;
    return at;
}

/* Copies of operands: pairs in bfloat16 of everything; reals only of what is read down a column, where its rows are not
 * whole vectors of any instruction set. */
foci_attention_layout foci_attention_layout_of(int64_t tokens, int64_t width, bool backward, bool bf16) {
    const int64_t row = (width + 15) / 16 * 16, tile = FOCI_ATTENTION_QUERIES * row;
    const int64_t scores = FOCI_ATTENTION_QUERIES * FOCI_ATTENTION_KEYS, all = tokens * row,
                  pairs = (tokens + 1) / 2 * row;
    const int64_t down = bf16 ? pairs : width == row ? 0 : all;
    foci_attention_layout l = {0};
    l.queries = place(&l.reals, tile);
    l.queries_across = place(&l.reals, bf16 ? tile / 2 : tile);
    l.rows = place(&l.reals, bf16 ? tile / 2 : 0);
    l.sums = place(&l.reals, tile);
    l.scores = place(&l.reals, scores);
    l.factor = place(&l.reals, scores);
    l.copy = place(&l.reals, bf16 ? scores / 2 : 0);
    l.keys = place(&l.reals, bf16 ? pairs : 0);
    l.values = place(&l.reals, backward ? bf16 ? pairs : 0 : down);
    if (!backward) return l;
    l.douts = place(&l.reals, tile);
    l.douts_across = place(&l.reals, bf16 ? tile / 2 : tile);
    l.queries_down = place(&l.reals, bf16 ? tile / 2 : 0);
    l.douts_down = place(&l.reals, bf16 ? tile / 2 : 0);
    l.dscores = place(&l.reals, scores);
    l.keys_down = place(&l.reals, down);
    l.dkeys = place(&l.reals, all);
    l.dvalues = place(&l.reals, all);
    return l;
}
