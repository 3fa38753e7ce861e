/* conv2d: a convolution without bias over an edge of zeros, as products of matrices: of every place of the kernel the
 * pixels beneath it, laid out in a row (line, column, channel). Pictures have their channels side by side; x may be any
 * view of one (foci_channels_last). A group of pictures at a time is laid out. */
#include <string.h>

#include "kernels/gemm.h"
#include "ops/common.h"

enum { X, WEIGHT };
enum { GROUP_ROWS = 4096 }; /* rows that are laid out at once, or those of one picture */

typedef struct attributes {
    int64_t stride, padding;
} attributes;

typedef struct shape { /* x (B, H, W, I) by weight (O, I, k, k) -> (B, down, across, O) */
    int64_t batch, height, width, in, out, k, stride, padding, down, across;
    int64_t row;           /* elements: k * k * I */
    int64_t group, groups; /* pictures laid out at once */
} shape;

static int64_t places(int64_t pixels, int64_t k, const attributes *a) {
    return pixels + 2 * a->padding < k ? 0 : (pixels + 2 * a->padding - k) / a->stride + 1;
}

static shape shape_of(const foci_tensor *x, const foci_tensor *weight, const attributes *a) {
    const int64_t *d = x->shape, *w = weight->shape;
    shape s = {d[0], d[1], d[2], d[3], w[0], w[2], a->stride, a->padding, places(d[1], w[2], a), places(d[2], w[2], a)};
    s.row = s.k * s.k * s.in;
    s.group = s.down && s.across ? foci_tiles(GROUP_ROWS, s.down * s.across) : 1;
    if (s.group > s.batch) s.group = s.batch;
    s.groups = foci_tiles(s.batch, s.group);
    return s;
}
static shape shape_at(const foci_node *n) { return shape_of(n->input[X], n->input[WEIGHT], n->attributes); }

static int64_t rows_of(const shape *s, int64_t pictures) { return pictures * s->down * s->across; }

/* ---------------------------------------------------------------------------------------------- laying out */

static void copy_pixel(int64_t n, const real *x, int64_t stride, real *to) {
    if (stride == 1) memcpy(to, x, (size_t)n * sizeof *to);
    else
        for (int64_t c = 0; c < n; c++) to[c] = x[c * stride];
}

static void add_pixel(int64_t n, const real *from, real *x, int64_t stride) {
    if (stride == 1) foci_kernel()->scale(n, 1, from, x, true);
    else
        for (int64_t c = 0; c < n; c++) x[c * stride] += from[c];
}

/* Pictures first .. end - 1 of x -> (rows, k k I) */
static void lay_out(const shape *s, const foci_tensor *x, foci_range pictures, real *to) {
    FOCI_PARALLEL_FOR
    for (int64_t line = 0; line < (pictures.end - pictures.first) * s->down; line++) {
        const real *picture = foci_data(x) + (pictures.first + line / s->down) * x->stride[0];
        real *at = to + line * s->across * s->row;
        for (int64_t j = 0; j < s->across; j++)
            for (int64_t t = 0; t < s->k * s->k; t++, at += s->in) {
                const int64_t i = line % s->down * s->stride + t / s->k - s->padding;
                const int64_t l = j * s->stride + t % s->k - s->padding;
                if (i < 0 || i >= s->height || l < 0 || l >= s->width) memset(at, 0, (size_t)s->in * sizeof *at);
                else copy_pixel(s->in, picture + i * x->stride[1] + l * x->stride[2], x->stride[3], at);
            }
    }
}

/* The way back: every pixel of a line collects what the places of the kernel above it have of it. */
static void collect_line(const shape *s, const foci_tensor *x, int64_t picture, int64_t i, const real *from) {
    real *line = foci_grad(x) + picture * x->stride[0] + i * x->stride[1];
    for (int64_t ky = 0; ky < s->k; ky++) {
        const int64_t y = i + s->padding - ky;
        if (y < 0 || y % s->stride || y / s->stride >= s->down) continue;
        for (int64_t j = 0; j < s->across; j++)
            for (int64_t kx = 0; kx < s->k; kx++) {
                const int64_t l = j * s->stride + kx - s->padding;
                if (l < 0 || l >= s->width) continue;
                const int64_t place = y / s->stride * s->across + j;
                add_pixel(s->in, from + place * s->row + (ky * s->k + kx) * s->in, line + l * x->stride[2],
                          x->stride[3]);
            }
    }
}

static void clear_line(const shape *s, const foci_tensor *x, int64_t picture, int64_t i) {
    real *line = foci_grad(x) + picture * x->stride[0] + i * x->stride[1];
    for (int64_t l = 0; l < s->width; l++)
        for (int64_t c = 0; c < s->in; c++) line[l * x->stride[2] + c * x->stride[3]] = 0;
}

static void collect(const shape *s, const foci_tensor *x, foci_range pictures, const real *from, bool accumulate) {
    FOCI_PARALLEL_FOR
    for (int64_t line = 0; line < (pictures.end - pictures.first) * s->height; line++) {
        const int64_t picture = line / s->height, i = line % s->height;
        if (!accumulate) clear_line(s, x, pictures.first + picture, i);
        collect_line(s, x, pictures.first + picture, i, from + rows_of(s, picture) * s->row);
    }
}

/* weight (O, I, k k) <-> (O, k k, I) */
static void turn_weight(const shape *s, const real *weight, real *to) {
    const int64_t taps = s->k * s->k;
    for (int64_t o = 0; o < s->out; o++)
        for (int64_t i = 0; i < s->in; i++)
            for (int64_t t = 0; t < taps; t++) to[(o * taps + t) * s->in + i] = weight[(o * s->in + i) * taps + t];
}

static void turn_gradient(const shape *s, const real *from, real *weight, bool accumulate) {
    const int64_t taps = s->k * s->k;
    for (int64_t o = 0; o < s->out; o++)
        for (int64_t i = 0; i < s->in; i++)
            for (int64_t t = 0; t < taps; t++) {
                real *w = weight + (o * s->in + i) * taps + t;
                *w = (accumulate ? *w : 0) + from[(o * taps + t) * s->in + i];
            }
}

/* ------------------------------------------------------------------------------------------------- the two */

/* workspace: weights (O, k k I), then rows */
static void forward(const foci_node *n) {
    const shape s = shape_at(n);
    real *weight = n->workspace, *rows = weight + s.out * s.row;
    turn_weight(&s, foci_data(n->input[WEIGHT]), weight);
    for (int64_t i = 0; i < s.groups; i++) {
        const foci_range r = foci_tile(s.batch, s.group, i);
        lay_out(&s, n->input[X], r, rows);
        foci_affine(n, rows_of(&s, r.end - r.first), s.row, s.out, rows, weight, NULL,
                    foci_data(n->output) + rows_of(&s, r.first) * s.out, s.out);
    }
}

static void weight_gradient(const foci_node *n, const shape *s, foci_range r, real *rows, real *dweight,
                            real *partial) {
    lay_out(s, n->input[X], r, rows);
    foci_gemm_long(&(foci_product){.rows = s->out,
                                   .columns = s->row,
                                   .depth = rows_of(s, r.end - r.first),
                                   .a = {foci_grad(n->output) + rows_of(s, r.first) * s->out, s->out, true},
                                   .b = {rows, s->row},
                                   .c = dweight,
                                   .ldc = s->row,
                                   .add = r.first > 0,
                                   .bf16 = foci_graph_bf16(n->graph)},
                   partial);
}

static void input_gradient(const foci_node *n, const shape *s, foci_range r, const real *weight, real *rows) {
    foci_gemm_parallel(&(foci_product){.rows = rows_of(s, r.end - r.first),
                                       .columns = s->row,
                                       .depth = s->out,
                                       .a = {foci_grad(n->output) + rows_of(s, r.first) * s->out, s->out},
                                       .b = {weight, s->row},
                                       .c = rows,
                                       .ldc = s->row,
                                       .bf16 = foci_graph_bf16(n->graph)});
    collect(s, n->input[X], r, rows, n->accumulate[X]);
}

/* workspace: weights and their gradient (O, k k I), rows, scratch memory of the long sums */
static void backward(const foci_node *n) {
    const shape s = shape_at(n);
    real *weight = n->workspace, *dweight = weight + s.out * s.row, *rows = dweight + s.out * s.row;
    turn_weight(&s, foci_data(n->input[WEIGHT]), weight);
    for (int64_t i = 0; i < s.groups; i++) {
        const foci_range r = foci_tile(s.batch, s.group, i);
        if (foci_wants(n, WEIGHT)) weight_gradient(n, &s, r, rows, dweight, rows + rows_of(&s, s.group) * s.row);
        if (foci_wants(n, X)) input_gradient(n, &s, r, weight, rows);
    }
    if (foci_wants(n, WEIGHT)) turn_gradient(&s, dweight, foci_grad(n->input[WEIGHT]), n->accumulate[WEIGHT]);
}

static foci_cost cost(const foci_node *n) {
    const shape s = shape_at(n);
    const double product = 2.0 * (double)rows_of(&s, s.batch) * (double)s.row * (double)s.out;
    return (foci_cost){product, product * (n->input[X]->requires_grad + n->input[WEIGHT]->requires_grad)};
}

static foci_tensor *halved(foci_graph *g) {
    return foci_conv2d(g, RANDOM(g, "x", 2, 5, 6, 3), RANDOM(g, "weight", 4, 3, 3, 3), 2, 1);
}
static foci_tensor *kept(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 2, 3, 4, 2)), *w = RANDOM(g, "weight", 2, 2, 3, 3);
    return foci_conv2d(g, foci_add(g, foci_conv2d(g, x, w, 1, 1), x), w, 1, 1);
}
static foci_tensor *without_edge(foci_graph *g) {
    return foci_conv2d(g, RANDOM(g, "x", 1, 4, 5, 1), RANDOM(g, "weight", 2, 1, 2, 2), 3, 0);
}
static foci_tensor *channels_first(foci_graph *g) {
    foci_tensor *images = foci_channels_last(g, RANDOM(g, "images", 2, 3, 4, 5)), *w = RANDOM(g, "weight", 2, 3, 3, 3);
    return foci_add(g, foci_conv2d(g, images, w, 2, 1), foci_conv2d(g, images, w, 2, 1));
}
static foci_tensor *several_groups(foci_graph *g) {
    return foci_conv2d(g, RANDOM(g, "x", 2, 65, 65, 1), RANDOM(g, "weight", 1, 1, 1, 1), 1, 0);
}
static const foci_gradient_case gradients[] = {
    {"3 x 3 of 5 x 6 pixels, stride 2", halved},    {"stride 1, input and weight used twice", kept},
    {"2 x 2, stride 3, no edge", without_edge},     {"a view of images, used twice", channels_first},
    {"several groups of pictures", several_groups}, {0}};

const foci_op foci_op_conv2d = {.name = "conv2d",
                                .summary = "convolution of pictures over an edge of zeros",
                                .forward = forward,
                                .backward = backward,
                                .reads = FOCI_READS_INPUT(X) | FOCI_READS_INPUT(WEIGHT),
                                .cost = cost,
                                .gradients = gradients};

foci_tensor *foci_conv2d(foci_graph *g, foci_tensor *x, foci_tensor *weight, int64_t stride, int64_t padding) {
    if (!foci_graph_ok(g) || !foci_operand(g, "conv2d", "weight", weight, FOCI_REAL)) return NULL;
    if (!x) return foci_graph_fail(g, "conv2d: the input is missing");
    const attributes a = {stride, padding};
    if (x->ndim != 4 || x->dtype != FOCI_REAL || weight->ndim != 4 || weight->shape[1] != x->shape[3] ||
        weight->shape[2] != weight->shape[3] || stride < 1 || padding < 0)
        return foci_graph_fail(g, "conv2d: input %s does not fit weight %s; (B, H, W, I) and (O, I, k, k) are needed",
                               foci_shape_text(g, x), foci_shape_text(g, weight));
    const shape s = shape_of(x, weight, &a);
    if (!s.down || !s.across)
        return foci_graph_fail(g, "conv2d: the kernel %s does not fit into pictures %s", foci_shape_text(g, weight),
                               foci_shape_text(g, x));
    const int64_t weights = s.out * s.row, rows = rows_of(&s, s.group);
    foci_node *n = foci_record(g, &foci_op_conv2d, 2, (foci_tensor *[]){x, weight}, &a, sizeof a);
    foci_workspace(n, (size_t)(weights + rows * s.row) * sizeof(real),
                   (size_t)((2 + foci_gemm_chunks(s.out, s.row, rows)) * weights + rows * s.row) * sizeof(real));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s.batch, s.down, s.across, s.out));
}
