/* heads: one part (q, k or v) of a packed projection, seen as heads. A view: nothing is computed or copied.
 */
#include "ops/common.h"

/* (B, N, C) with C without gaps: of a cache, texts stand apart. */
static bool rows_of_texts(foci_graph *g, const foci_tensor *x) {
    if (foci_graph_ok(g) && x && x->base && x->ndim == 3 && x->dtype == FOCI_REAL && x->stride[2] == 1) return true;
    return foci_operand(g, "heads", "input", x, FOCI_REAL);
}

foci_tensor *foci_heads(foci_graph *g, foci_tensor *x, int parts, int part, int heads) {
    if (!rows_of_texts(g, x)) return NULL;
    if (x->ndim != 3 || parts < 1 || part < 0 || part >= parts || heads < 1 ||
        x->shape[2] % ((int64_t)parts * heads) != 0)
        return foci_graph_fail(g, "heads: input %s does not divide into %d parts of %d heads", foci_shape_text(g, x),
                               parts, heads);
    const int64_t width = x->shape[2] / parts;
    return foci_heads_from(g, x, part * width, heads, width / heads);
}

foci_tensor *foci_heads_from(foci_graph *g, foci_tensor *x, int64_t first, int64_t heads, int64_t width) {
    if (!rows_of_texts(g, x)) return NULL;
    if (x->ndim != 3 || first < 0 || heads < 1 || width < 1 || first + heads * width > x->shape[2])
        return foci_graph_fail(g, "heads: input %s has no %lld heads of width %lld from column %lld on",
                               foci_shape_text(g, x), (long long)heads, (long long)width, (long long)first);
    return foci_view(x, first, 4, (int64_t[]){x->shape[0], heads, x->shape[1], width},
                     (int64_t[]){x->stride[0], width, x->stride[1], 1});
}
