/* upsample: maps of numbers enlarged to pixels, bilinearly (PyTorch's interpolate, align_corners False) */
#include <string.h>

#include "ops/bilinear.h"

static const foci_bilinear *grid_of(const foci_node *n) { return n->attributes; }

/* workspace of a thread: a blended row (w, K) */
static void forward(const foci_node *n) {
    const foci_bilinear *b = grid_of(n);
    const int64_t row = b->across * b->classes, pixels = b->width * b->classes;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < b->images * b->height; task++) {
        real *blended = (real *)n->workspace + foci_thread() * row;
        foci_bilinear_blend_rows(b, foci_data(n->input[0]) + task / b->height * b->down * row, task % b->height,
                                 blended);
        foci_bilinear_blend_columns(b, blended, foci_data(n->output) + task * pixels);
    }
}

/* workspace: sums of all bands (B, h, 2, w, K), then a blended row a thread */
static void backward(const foci_node *n) {
    const foci_bilinear *b = grid_of(n);
    const int64_t row = b->across * b->classes, pixels = b->width * b->classes, bands = b->images * b->down;
    real *sums = n->workspace;
    FOCI_PARALLEL_FOR
    for (int64_t band = 0; band < bands; band++) {
        real *dblended = sums + (2 * bands + foci_thread()) * row;
        const foci_range r = foci_bilinear_band(b, band % b->down);
        memset(sums + 2 * band * row, 0, (size_t)(2 * row) * sizeof *sums);
        for (int64_t y = r.first; y < r.end; y++) {
            const real *dy = foci_grad(n->output) + (band / b->down * b->height + y) * pixels;
            foci_bilinear_unblend_columns(b, dy, dblended);
            foci_bilinear_unblend_rows(b, dblended, y, sums + 2 * band * row);
        }
    }
    foci_bilinear_collect(b, sums, foci_grad(n->input[0]), n->accumulate[0]);
}

/* Two multiplications and additions a number of every pixel. */
static foci_cost cost(const foci_node *n) {
    const double all = 4.0 * (double)foci_numel(n->output);
    return (foci_cost){all, all};
}

static foci_tensor *enlarged(foci_graph *g) {
    return foci_upsample(g, RANDOM(g, "x", 2, 6, 3), &(foci_pixels){2, 3, 8, 9, 8, 9});
}
static foci_tensor *cropped(foci_graph *g) {
    return foci_upsample(g, RANDOM(g, "x", 1, 1, 6, 2), &(foci_pixels){3, 2, 12, 8, 10, 7});
}
static foci_tensor *one_cell(foci_graph *g) {
    return foci_upsample(g, RANDOM(g, "x", 2, 1, 3), &(foci_pixels){1, 1, 3, 2, 3, 2});
}
static foci_tensor *reduced_used_twice(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 1, 20, 2));
    const foci_pixels half = {4, 5, 2, 3, 2, 3};
    return foci_add(g, foci_upsample(g, x, &half), foci_upsample(g, x, &half));
}
static const foci_gradient_case gradients[] = {{"2 x 3 to 8 x 9", enlarged},
                                               {"3 x 2 to 12 x 8, of which 10 x 7", cropped},
                                               {"one cell", one_cell},
                                               {"4 x 5 to 2 x 3, used twice", reduced_used_twice},
                                               {0}};

const foci_op foci_op_upsample = {.name = "upsample",
                                  .summary = "maps enlarged to pixels, bilinearly",
                                  .forward = forward,
                                  .backward = backward,
                                  .cost = cost,
                                  .gradients = gradients};

foci_tensor *foci_upsample(foci_graph *g, foci_tensor *x, const foci_pixels *to) {
    foci_bilinear b = foci_bilinear_of(to);
    if (!foci_bilinear_fits(g, "upsample", x, &b)) return NULL;
    const int64_t row = b.across * b.classes * (int64_t)sizeof(real);
    foci_node *n = foci_record(g, &foci_op_upsample, 1, &x, &b, sizeof b);
    foci_workspace(n, (size_t)(foci_threads() * row), (size_t)((2 * b.images * b.down + foci_threads()) * row));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(b.images, b.height, b.width, b.classes));
}
