/* patch_embed: a convolution whose kernel is its stride, as one matrix product of patches laid out in rows */
#include <string.h>

#include "kernels/gemm.h"
#include "ops/common.h"

enum { IMAGES, WEIGHT, BIAS };

typedef struct shape {
    int64_t images, channels, p; /* patches are p x p */
    int64_t down, across;        /* patches in an image */
    int64_t rows, in, out;       /* of the product: rows = images * down * across, in = channels * p * p */
} shape;

static shape shape_of(const foci_node *n) {
    const int64_t *x = n->input[IMAGES]->shape, *w = n->input[WEIGHT]->shape;
    shape s = {x[0], x[1], w[2], x[2] / w[2], x[3] / w[2], 0, w[1] * w[2] * w[2], w[0]};
    s.rows = s.images * s.down * s.across;
    return s;
}

/* Place of the p pixels of channel c and line y of patch (image, i, j), in images (B, I, H, W). */
static int64_t pixels(const shape *s, int64_t image, int64_t i, int64_t j, int64_t c, int64_t y) {
    return ((image * s->channels + c) * s->down * s->p + i * s->p + y) * s->across * s->p + j * s->p;
}

/* images -> patches (rows, in), the order of a convolution weight: channel, line, column */
static void gather(const shape *s, const real *images, real *patches) {
    FOCI_PARALLEL_FOR
    for (int64_t strip = 0; strip < s->images * s->down; strip++)
        for (int64_t j = 0; j < s->across; j++) {
            real *row = patches + (strip * s->across + j) * s->in;
            for (int64_t c = 0; c < s->channels; c++)
                for (int64_t y = 0; y < s->p; y++, row += s->p)
                    memcpy(row, images + pixels(s, strip / s->down, strip % s->down, j, c, y),
                           (size_t)s->p * sizeof *row);
        }
}

/* The way back; every pixel belongs to one patch. */
static void scatter(const shape *s, const real *patches, real *images, bool accumulate) {
    FOCI_PARALLEL_FOR
    for (int64_t strip = 0; strip < s->images * s->down; strip++)
        for (int64_t j = 0; j < s->across; j++) {
            const real *row = patches + (strip * s->across + j) * s->in;
            for (int64_t c = 0; c < s->channels; c++)
                for (int64_t y = 0; y < s->p; y++, row += s->p)
                    foci_kernel()->scale(s->p, 1, row, images + pixels(s, strip / s->down, strip % s->down, j, c, y),
                                         accumulate);
        }
}

static void forward(const foci_node *n) {
    shape s = shape_of(n);
    gather(&s, foci_data(n->input[IMAGES]), n->workspace);
    foci_affine(n, s.rows, s.in, s.out, n->workspace, foci_data(n->input[WEIGHT]),
                n->input[BIAS] ? foci_data(n->input[BIAS]) : NULL, foci_data(n->output), s.out);
}

/* workspace: patches (or their gradients), then scratch memory of the sums */
static void backward(const foci_node *n) {
    shape s = shape_of(n);
    real *patches = n->workspace, *scratch = patches + s.rows * s.in;
    const real *dy = foci_grad(n->output);
    if (foci_wants(n, WEIGHT)) {
        gather(&s, foci_data(n->input[IMAGES]), patches);
        foci_gemm_long(&(foci_product){.rows = s.out,
                                       .columns = s.in,
                                       .depth = s.rows,
                                       .a = {dy, s.out, true},
                                       .b = {patches, s.in},
                                       .c = foci_grad(n->input[WEIGHT]),
                                       .ldc = s.in,
                                       .add = n->accumulate[WEIGHT],
                                       .bf16 = foci_graph_bf16(n->graph)},
                       scratch);
    }
    if (foci_wants(n, BIAS))
        foci_column_sums(s.rows, s.out, (foci_numbers){dy}, foci_grad(n->input[BIAS]), n->accumulate[BIAS], scratch);
    if (foci_wants(n, IMAGES)) {
        foci_gemm_parallel(&(foci_product){.rows = s.rows,
                                           .columns = s.in,
                                           .depth = s.out,
                                           .a = {dy, s.out},
                                           .b = {foci_data(n->input[WEIGHT]), s.in},
                                           .c = patches,
                                           .ldc = s.in,
                                           .bf16 = foci_graph_bf16(n->graph)});
        scatter(&s, patches, foci_grad(n->input[IMAGES]), n->accumulate[IMAGES]);
    }
}

static foci_cost cost(const foci_node *n) {
    shape s = shape_of(n);
    double product = 2.0 * (double)s.rows * (double)s.in * (double)s.out;
    return (foci_cost){product, product * (n->input[IMAGES]->requires_grad + n->input[WEIGHT]->requires_grad)};
}

static foci_tensor *oblong(foci_graph *g) {
    return foci_patch_embed(g, RANDOM(g, "images", 2, 3, 4, 6), RANDOM(g, "weight", 5, 3, 2, 2), RANDOM(g, "bias", 5));
}
static foci_tensor *grey_without_bias(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "images", 1, 1, 6, 3)), *weight = RANDOM(g, "weight", 2, 1, 3, 3);
    return foci_add(g, foci_patch_embed(g, x, weight, NULL), foci_patch_embed(g, x, weight, NULL));
}
static foci_tensor *single_pixels(foci_graph *g) {
    return foci_patch_embed(g, RANDOM(g, "images", 1, 2, 3, 3), RANDOM(g, "weight", 3, 2, 1, 1), RANDOM(g, "bias", 3));
}
static const foci_gradient_case gradients[] = {{"4 x 6 pixels, patch 2", oblong},
                                               {"grey, patch 3, used twice, without bias", grey_without_bias},
                                               {"patch 1", single_pixels},
                                               {0}};

const foci_op foci_op_patch_embed = {.name = "patch_embed",
                                     .summary = "image patches to tokens: a convolution with kernel = stride",
                                     .forward = forward,
                                     .backward = backward,
                                     .reads = FOCI_READS_INPUT(IMAGES) | FOCI_READS_INPUT(WEIGHT),
                                     .cost = cost,
                                     .gradients = gradients};

foci_tensor *foci_patch_embed(foci_graph *g, foci_tensor *images, foci_tensor *weight, foci_tensor *bias) {
    if (!foci_operand(g, "patch_embed", "images", images, FOCI_REAL) ||
        !foci_operand(g, "patch_embed", "weight", weight, FOCI_REAL))
        return NULL;
    if (bias && !foci_operand(g, "patch_embed", "bias", bias, FOCI_REAL)) return NULL;
    const int64_t *x = images->shape, *w = weight->shape;
    if (images->ndim != 4 || weight->ndim != 4 || w[1] != x[1] || w[2] != w[3])
        return foci_graph_fail(g,
                               "patch_embed: images %s do not fit weight %s; (B, I, H, W) and (C, I, p, p) are needed",
                               foci_shape_text(g, images), foci_shape_text(g, weight));
    if (x[2] % w[2] || x[3] % w[2])
        return foci_graph_fail(g, "patch_embed: images of %lld x %lld pixels do not divide into patches of %lld x %lld",
                               (long long)x[2], (long long)x[3], (long long)w[2], (long long)w[2]);
    if (bias && foci_numel(bias) != w[0])
        return foci_graph_fail(g, "patch_embed: weight %s has %lld outputs, bias %s", foci_shape_text(g, weight),
                               (long long)w[0], foci_shape_text(g, bias));
    int64_t tokens = (x[2] / w[2]) * (x[3] / w[2]), rows = x[0] * tokens, in = w[1] * w[2] * w[2];
    int64_t partial = foci_gemm_chunks(w[0], in, rows) * w[0] * in, sums = foci_column_scratch(rows, w[0]);
    foci_node *n = foci_record(g, &foci_op_patch_embed, 3, (foci_tensor *[]){images, weight, bias}, NULL, 0);
    foci_workspace(n, (size_t)(rows * in) * sizeof(real),
                   (size_t)(rows * in + (partial > sums ? partial : sums)) * sizeof(real));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(x[0], tokens, w[0]));
}
