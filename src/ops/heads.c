/* heads: one part (q, k or v) of a packed projection, seen as heads. A view: nothing is computed or copied.
 */
#include "ops/common.h"

foci_tensor *foci_heads(foci_graph *g, foci_tensor *x, int parts, int part, int heads) {
    if (!foci_operand(g, "heads", "input", x, FOCI_REAL)) return NULL;
    if (x->ndim != 3 || parts < 1 || part < 0 || part >= parts || heads < 1 ||
        x->shape[2] % ((int64_t)parts * heads) != 0)
        return foci_graph_fail(g, "heads: input %s does not divide into %d parts of %d heads", foci_shape_text(g, x),
                               parts, heads);
    int64_t batch = x->shape[0], tokens = x->shape[1], packed = x->shape[2];
    int64_t width = packed / parts, d = width / heads;
    return foci_view(x, part * width, 4, (int64_t[]){batch, heads, tokens, d},
                     (int64_t[]){tokens * packed, d, packed, 1});
}
