/* Views of whole tensors, no nodes: the same elements under another shape, or images with their channels last. */
#include "ops/common.h"

foci_tensor *foci_reshape(foci_graph *g, foci_tensor *x, int ndim, const int64_t *shape) {
    int64_t stride[FOCI_MAX_DIMS], elements = 1;
    if (!foci_operand(g, "reshape", "input", x, x ? x->dtype : FOCI_REAL)) return NULL;
    for (int i = ndim - 1; i >= 0; i--) {
        stride[i] = elements;
        elements *= shape[i];
    }
    if (elements != foci_numel(x))
        return foci_graph_fail(g, "reshape: %s does not have %lld elements", foci_shape_text(g, x),
                               (long long)elements);
    return foci_view(x, 0, ndim, shape, stride);
}

foci_tensor *foci_channels_last(foci_graph *g, foci_tensor *images) {
    if (!foci_operand(g, "channels_last", "images", images, FOCI_REAL)) return NULL;
    if (images->ndim != 4)
        return foci_graph_fail(g, "channels_last: images %s must be (B, C, H, W)", foci_shape_text(g, images));
    const int64_t *d = images->shape, *s = images->stride;
    return foci_view(images, 0, 4, (int64_t[]){d[0], d[2], d[3], d[1]}, (int64_t[]){s[0], s[2], s[3], s[1]});
}
