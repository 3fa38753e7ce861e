/* upsampled_cross_entropy: cross-entropy of maps that are enlarged to the pixels of labels, whose logits are never
 * stored: of 150 classes and 512 x 512 pixels they would be 157 MB an image. Forward goes through the rows of pixels
 * once, from stretch to stretch between two cells, makes their loss and its gradient with respect to the maps, which it
 * saves. */
#include <math.h>
#include <string.h>

#include "ops/bilinear.h"

enum { MAPS, LABELS, COUNTED };
enum { GRADIENT }; /* saved, (B, h w, K): of the sum over pixels, over their number */

typedef struct attributes {
    foci_bilinear grid;
    int32_t ignore;
} attributes;

static const attributes *of(const foci_node *n) { return n->attributes; }

/* K filled up */
static int64_t lanes(const foci_bilinear *b) { return foci_tiles(b->classes, FOCI_STRETCH) * FOCI_STRETCH; }

/* workspace of a thread, in reals: a blended row (w, K) and its gradient; the same with K filled up; a kernel's */
static int64_t scratch_of(const foci_bilinear *b) {
    return 2 * b->across * (b->classes + lanes(b)) + (2 + FOCI_STRETCH) * lanes(b);
}

/* A pixel of a row: its cells, and the share of the second. */
typedef struct columns {
    int64_t *low, *high; /* (W) */
    real *share;
} columns;

static columns columns_of(const foci_bilinear *b, int64_t *room) {
    const columns c = {room, room + b->width, (real *)(room + 2 * b->width)};
    for (int64_t x = 0; x < b->width; x++) {
        const foci_neighbours n = foci_neighbours_of(b->across, b->full_width, x);
        c.low[x] = n.low, c.high[x] = n.high, c.share[x] = (real)n.share;
    }
    return c;
}

/* Pixels from `first` on between the same cells. */
static int64_t stretch_at(const columns *c, int64_t first, int64_t width) {
    int64_t end = first + 1;
    while (end < width && end - first < FOCI_STRETCH && c->low[end] == c->low[first]) end++;
    return end - first;
}

/* (w, K) with K filled up by logits that weigh nothing, and the way back. */
static void fill_up(const foci_bilinear *b, const real *row, real *filled) {
    for (int64_t i = 0; i < b->across; i++, row += b->classes, filled += lanes(b)) {
        memcpy(filled, row, (size_t)b->classes * sizeof *row);
        for (int64_t k = b->classes; k < lanes(b); k++) filled[k] = (real)-1e30;
    }
}
static void take_out(const foci_bilinear *b, const real *filled, real *row) {
    for (int64_t i = 0; i < b->across; i++)
        memcpy(row + i * b->classes, filled + i * lanes(b), (size_t)b->classes * sizeof *row);
}

/* One row of pixels: its loss; where there is a band's sums (2, w, K), the gradient is added to it. */
static double pass_row(const foci_node *n, const columns *c, int64_t image, int64_t y, real *scratch, real *sums) {
    const foci_bilinear *b = &of(n)->grid;
    const int64_t row = b->across * b->classes, filled = b->across * lanes(b);
    const int32_t *label = foci_ints(n->input[LABELS]) + (image * b->height + y) * b->width;
    real *blended = scratch, *dblended = scratch + row, *cells = scratch + 2 * row, *dcells = cells + filled;
    double loss = 0;
    foci_bilinear_blend_rows(b, foci_data(n->input[MAPS]) + image * b->down * row, y, blended);
    fill_up(b, blended, cells);
    memset(dcells, 0, (size_t)filled * sizeof *dcells);
    for (int64_t x = 0, pixels; x < b->width; x += pixels) {
        const int64_t low = c->low[x] * lanes(b), high = c->high[x] * lanes(b);
        pixels = stretch_at(c, x, b->width);
        foci_kernel()->stretch_cross_entropy(&(foci_stretch){.pixels = pixels,
                                                             .classes = b->classes,
                                                             .low = cells + low,
                                                             .high = cells + high,
                                                             .share = c->share + x,
                                                             .label = label + x,
                                                             .ignore = of(n)->ignore,
                                                             .dlow = sums ? dcells + low : NULL,
                                                             .dhigh = sums ? dcells + high : NULL},
                                             &loss, dcells + filled);
    }
    if (!sums) return loss;
    take_out(b, dcells, dblended);
    foci_bilinear_unblend_rows(b, dblended, y, sums);
    return loss;
}

/* Pixels that the sum is divided by. */
static double counted(const foci_node *n) {
    const int32_t *label = foci_ints(n->input[LABELS]);
    int64_t count = 0;
    if (n->input[COUNTED]) return (double)foci_data(n->input[COUNTED])[0];
    for (int64_t i = 0; i < foci_numel(n->input[LABELS]); i++) count += label[i] != of(n)->ignore;
    return (double)count;
}

/* workspace: losses of all bands; where pixels lie in a row; scratch of every thread; sums of all bands (B, h, 2, w, K)
 */
static void forward(const foci_node *n) {
    const foci_bilinear *b = &of(n)->grid;
    const int64_t row = b->across * b->classes, bands = b->images * b->down;
    double *loss = n->workspace, total = 0;
    const columns c = columns_of(b, (int64_t *)(loss + bands));
    real *scratch = c.share + b->width, *sums = scratch + foci_threads() * scratch_of(b);
    const bool differentiate = n->reached && n->input[MAPS]->requires_grad;
    FOCI_PARALLEL_FOR
    for (int64_t band = 0; band < bands; band++) {
        const foci_range r = foci_bilinear_band(b, band % b->down);
        real *own = differentiate ? sums + 2 * band * row : NULL;
        if (own) memset(own, 0, (size_t)(2 * row) * sizeof *own);
        loss[band] = 0;
        for (int64_t y = r.first; y < r.end; y++)
            loss[band] += pass_row(n, &c, band / b->down, y, scratch + foci_thread() * scratch_of(b), own);
    }
    for (int64_t band = 0; band < bands; band++) total += loss[band];
    const double count = counted(n), each = count > 0 ? 1 / count : 0;
    foci_data(n->output)[0] = (real)(total * each);
    if (!differentiate) return;
    real *saved = foci_data(n->saved[GRADIENT]);
    foci_bilinear_collect(b, sums, saved, false);
    foci_kernel()->scale(bands * row, (real)each, saved, saved, false);
}

static void backward(const foci_node *n) {
    const int64_t size = foci_numel(n->input[MAPS]), tiles = foci_tiles(size, FOCI_TILE_ELEMENTS);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < tiles; tile++) {
        const foci_range r = foci_tile(size, FOCI_TILE_ELEMENTS, tile);
        foci_kernel()->scale(r.end - r.first, foci_grad(n->output)[0], foci_data(n->saved[GRADIENT]) + r.first,
                             foci_grad(n->input[MAPS]) + r.first, n->accumulate[MAPS]);
    }
}

/* As upsample costs, there and back. */
static foci_cost cost(const foci_node *n) {
    const double pixels = (double)foci_numel(n->input[LABELS]) * (double)of(n)->grid.classes;
    return (foci_cost){4 * pixels, 4 * pixels};
}

static foci_tensor *loss_of(foci_graph *g, foci_tensor *x, bool fed) {
    static const int32_t label[2 * 5 * 4] = {0, 1, 2, 255, 1, 1, 0, 2, 255, 255, 2, 1, 0};
    static const foci_real count = 11;
    foci_tensor *counted = fed ? foci_constant(g, "counted", FOCI_REAL, FOCI_SHAPE(1), &count) : NULL;
    return foci_upsampled_cross_entropy(g, x, foci_constant(g, "labels", FOCI_INT, FOCI_SHAPE(2, 5, 4), label), counted,
                                        &(foci_pixels){3, 2, 6, 4, 5, 4}, 255);
}
static foci_tensor *ignoring(foci_graph *g) { return loss_of(g, RANDOM(g, "x", 2, 6, 3), false); }
static foci_tensor *count_given(foci_graph *g) { return loss_of(g, RANDOM(g, "x", 2, 1, 6, 3), true); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 2, 6, 3));
    return foci_add(g, loss_of(g, x, false), foci_scale(g, loss_of(g, x, true), 3));
}
static foci_tensor *all_ignored(foci_graph *g) {
    static const int32_t none[4] = {-1, -1, -1, -1};
    return foci_upsampled_cross_entropy(g, RANDOM(g, "x", 1, 1, 3),
                                        foci_constant(g, "labels", FOCI_INT, FOCI_SHAPE(1, 2, 2), none), NULL,
                                        &(foci_pixels){1, 1, 2, 2, 2, 2}, -1);
}
static const foci_gradient_case gradients[] = {{"some pixels ignored", ignoring},
                                               {"their number given", count_given},
                                               {"all ignored", all_ignored},
                                               {"maps used twice", used_twice},
                                               {0}};

const foci_op foci_op_upsampled_cross_entropy = {.name = "upsampled_cross_entropy",
                                                 .summary = "cross-entropy of maps enlarged to pixels",
                                                 .forward = forward,
                                                 .backward = backward,
                                                 .cost = cost,
                                                 .gradients = gradients};

foci_tensor *foci_upsampled_cross_entropy(foci_graph *g, foci_tensor *maps, foci_tensor *labels, foci_tensor *count,
                                          const foci_pixels *to, int32_t ignore_index) {
    static const char *const op = "upsampled_cross_entropy";
    attributes a = {foci_bilinear_of(to), ignore_index};
    const foci_bilinear *b = &a.grid;
    if (!foci_bilinear_fits(g, op, maps, &a.grid)) return NULL;
    if (!foci_operand(g, op, "labels", labels, FOCI_INT)) return NULL;
    if (count && !foci_operand(g, op, "count", count, FOCI_REAL)) return NULL;
    if (foci_numel(labels) != b->images * b->height * b->width || (count && foci_numel(count) != 1))
        return foci_graph_fail(g, "%s: labels %s are not %lld images of %lld x %lld pixels", op,
                               foci_shape_text(g, labels), (long long)b->images, (long long)b->height,
                               (long long)b->width);
    foci_node *n =
        foci_record(g, &foci_op_upsampled_cross_entropy, 3, (foci_tensor *[]){maps, labels, count}, &a, sizeof a);
    const int64_t cells = foci_numel(maps), bands = b->images * b->down;
    foci_save(n, FOCI_REAL, cells);
    foci_workspace(n,
                   (size_t)bands * sizeof(double) + (size_t)b->width * (2 * sizeof(int64_t) + sizeof(real)) +
                       (size_t)(foci_threads() * scratch_of(b) + 2 * cells) * sizeof(real),
                   0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(1));
}
