/* Maps of K numbers a cell, enlarged to pixels by bilinear interpolation, (B, h w, K) -> (B, H, W, K): what operations
 * on them share. Pixels of rows between the same two rows of cells make a band: it reads those two, and its gradient
 * flows to them alone. */
#ifndef FOCI_OPS_BILINEAR_H
#define FOCI_OPS_BILINEAR_H

#include "kernels/taps.h"
#include "ops/common.h"

typedef struct foci_bilinear {
    int64_t images, down, across, classes; /* B, h, w, K */
    int64_t full_height, full_width;       /* what h x w cells are enlarged to */
    int64_t height, width;                 /* H, W: the part of it at the top left */
} foci_bilinear;

static inline foci_bilinear foci_bilinear_of(const foci_pixels *p) {
    return (foci_bilinear){0, p->down, p->across, 0, p->full_height, p->full_width, p->height, p->width};
}
/* Checks that x (B, .., K) has grid.down x grid.across cells an image; fills in images and classes. */
bool foci_bilinear_fits(foci_graph *g, const char *op, const foci_tensor *x, foci_bilinear *grid);

/* Pixel rows of band `band` of an image. */
foci_range foci_bilinear_band(const foci_bilinear *grid, int64_t band);
/* Row y of an image's cells (h w, K) as (w, K): blended of two rows. */
void foci_bilinear_blend_rows(const foci_bilinear *grid, const real *cells, int64_t y, real *blended);
/* Its pixels (W, K). */
void foci_bilinear_blend_columns(const foci_bilinear *grid, const real *blended, real *pixels);

/* The way back, of a band: gradients of a row of pixels (W, K) -> dblended (w, K), overwritten; and added to
 * sums (2, w, K), those of the two rows of cells. */
void foci_bilinear_unblend_columns(const foci_bilinear *grid, const real *dpixels, real *dblended);
void foci_bilinear_unblend_rows(const foci_bilinear *grid, const real *dblended, int64_t y, real *sums);
/* Where all bands of all images have left their sums (B, h, 2, w, K): the gradients of all cells (B, h w, K). */
void foci_bilinear_collect(const foci_bilinear *grid, const real *sums, real *dcells, bool accumulate);

#endif
