#include "ops/bilinear.h"

#include <string.h>

bool foci_bilinear_fits(foci_graph *g, const char *op, const foci_tensor *x, foci_bilinear *grid) {
    if (!foci_operand(g, op, "input", x, FOCI_REAL)) return false;
    grid->images = x->shape[0];
    grid->classes = foci_last_dim(x);
    if (x->ndim > 2 && foci_rows(x) == grid->images * grid->down * grid->across && grid->height >= 1 &&
        grid->width >= 1 && grid->height <= grid->full_height && grid->width <= grid->full_width)
        return true;
    foci_graph_fail(g, "%s: input %s is not %lld x %lld cells an image, for %lld x %lld of %lld x %lld pixels", op,
                    foci_shape_text(g, x), (long long)grid->down, (long long)grid->across, (long long)grid->height,
                    (long long)grid->width, (long long)grid->full_height, (long long)grid->full_width);
    return false;
}

static int64_t band_of(const foci_bilinear *b, int64_t y) { return foci_neighbours_of(b->down, b->full_height, y).low; }

foci_range foci_bilinear_band(const foci_bilinear *b, int64_t band) {
    foci_range r = {0, 0};
    while (r.first < b->height && band_of(b, r.first) < band) r.first++;
    for (r.end = r.first; r.end < b->height && band_of(b, r.end) == band;) r.end++;
    return r;
}

void foci_bilinear_blend_rows(const foci_bilinear *b, const real *cells, int64_t y, real *blended) {
    const foci_neighbours n = foci_neighbours_of(b->down, b->full_height, y);
    const int64_t row = b->across * b->classes;
    foci_kernel()->scale(row, (real)(1 - n.share), cells + n.low * row, blended, false);
    foci_kernel()->scale(row, (real)n.share, cells + n.high * row, blended, true);
}

void foci_bilinear_blend_columns(const foci_bilinear *b, const real *blended, real *pixels) {
    for (int64_t x = 0; x < b->width; x++) {
        const foci_neighbours n = foci_neighbours_of(b->across, b->full_width, x);
        real *to = pixels + x * b->classes;
        foci_kernel()->scale(b->classes, (real)(1 - n.share), blended + n.low * b->classes, to, false);
        foci_kernel()->scale(b->classes, (real)n.share, blended + n.high * b->classes, to, true);
    }
}

void foci_bilinear_unblend_columns(const foci_bilinear *b, const real *dpixels, real *dblended) {
    memset(dblended, 0, (size_t)(b->across * b->classes) * sizeof *dblended);
    for (int64_t x = 0; x < b->width; x++) {
        const foci_neighbours n = foci_neighbours_of(b->across, b->full_width, x);
        const real *from = dpixels + x * b->classes;
        foci_kernel()->scale(b->classes, (real)(1 - n.share), from, dblended + n.low * b->classes, true);
        foci_kernel()->scale(b->classes, (real)n.share, from, dblended + n.high * b->classes, true);
    }
}

void foci_bilinear_unblend_rows(const foci_bilinear *b, const real *dblended, int64_t y, real *sums) {
    const foci_neighbours n = foci_neighbours_of(b->down, b->full_height, y);
    const int64_t row = b->across * b->classes;
    foci_kernel()->scale(row, (real)(1 - n.share), dblended, sums, true);
    foci_kernel()->scale(row, (real)n.share, dblended, sums + row, true);
}

/* Row i of cells is the upper one of band i and the lower one of the band before; the last is both of its own. */
void foci_bilinear_collect(const foci_bilinear *b, const real *sums, real *dcells, bool accumulate) {
    const int64_t row = b->across * b->classes;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < b->images * b->down; task++) {
        const int64_t i = task % b->down;
        const real *own = sums + task * 2 * row;
        real *to = dcells + task * row;
        foci_kernel()->scale(row, 1, own, to, accumulate);
        if (i > 0) foci_kernel()->scale(row, 1, own - row, to, true);
        if (i == b->down - 1) foci_kernel()->scale(row, 1, own + row, to, true);
    }
}
