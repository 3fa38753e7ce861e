/* depthwise_conv2d: every channel of a picture by a 3 x 3 kernel of its own, over an edge of zeros. Pictures are
 * tokens, row by row, their channels side by side, so that every loop runs over channels. */
#include <string.h>

#include "ops/common.h"

enum { X, WEIGHT, BIAS };

typedef struct shape { /* x (B, N, C), N = rows * across */
    int64_t batch, rows, across, c;
    int64_t lines, line; /* batch * rows lines of across * C elements */
    int64_t size, tiles; /* of lines, which sums are made of */
} shape;

static shape shape_of(const foci_node *n) {
    const foci_tensor *x = n->output;
    shape s = {.batch = x->shape[0], .rows = *(const int64_t *)n->attributes, .c = x->shape[2]};
    s.across = x->shape[1] / s.rows;
    s.lines = s.batch * s.rows;
    s.line = s.across * s.c;
    s.size = foci_tiles(s.lines, 64);
    s.tiles = foci_tiles(s.lines, s.size);
    return s;
}

/* Line number `at` of all samples, with those above and below it in its sample. */
static foci_depthwise_line line_of(const shape *s, const real *x, int64_t at, const real *zeros) {
    const real *line = x + at * s->line;
    const int64_t row = at % s->rows;
    return (foci_depthwise_line){
        s->across, s->c, {row > 0 ? line - s->line : NULL, line, row + 1 < s->rows ? line + s->line : NULL}, zeros};
}

/* weight (C, 3, 3) -> (9, C), forwards or, for the way back, turned around. */
static void lay_out(int64_t c, const real *weight, real *to, bool turned) {
    for (int64_t i = 0; i < c; i++)
        for (int t = 0; t < 9; t++) to[(turned ? 8 - t : t) * c + i] = weight[i * 9 + t];
}

static void convolve(const shape *s, const real *x, const real *weight, const real *zeros, const real *bias, real *y,
                     bool accumulate) {
    FOCI_PARALLEL_FOR
    for (int64_t at = 0; at < s->lines; at++) {
        const foci_depthwise_line l = line_of(s, x, at, zeros);
        foci_kernel()->depthwise(&l, weight, bias, y + at * s->line, accumulate);
    }
}

/* workspace: zeros (C), weights (9, C) */
static void forward(const foci_node *n) {
    const shape s = shape_of(n);
    real *zeros = n->workspace, *weight = zeros + s.c;
    memset(zeros, 0, (size_t)s.c * sizeof *zeros);
    lay_out(s.c, foci_data(n->input[WEIGHT]), weight, false);
    convolve(&s, foci_data(n->input[X]), weight, zeros, foci_data(n->input[BIAS]), foci_data(n->output), false);
}

/* Every tile of lines leaves the sums of weights and bias in its row of `partial` (tiles, 10 C). */
static void parameter_gradients(const foci_node *n, const shape *s, const real *zeros, real *partial) {
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < s->tiles; tile++) {
        const foci_range r = foci_tile(s->lines, s->size, tile);
        memset(partial + tile * 10 * s->c, 0, (size_t)(10 * s->c) * sizeof *partial);
        for (int64_t at = r.first; at < r.end; at++) {
            const foci_depthwise_line l = line_of(s, foci_data(n->input[X]), at, zeros);
            foci_kernel()->depthwise_sums(&l, foci_grad(n->output) + at * s->line, partial + tile * 10 * s->c);
        }
    }
    real *sum = partial + s->tiles * 10 * s->c, *dweight = foci_grad(n->input[WEIGHT]),
         *dbias = foci_grad(n->input[BIAS]);
    foci_add_tiles(s->tiles, 10 * s->c, partial, sum, false);
    for (int64_t i = 0; dweight && i < 9 * s->c; i++)
        dweight[i] = (n->accumulate[WEIGHT] ? dweight[i] : 0) + sum[i % 9 * s->c + i / 9];
    for (int64_t i = 0; dbias && i < s->c; i++) dbias[i] = (n->accumulate[BIAS] ? dbias[i] : 0) + sum[9 * s->c + i];
}

/* dx is dy by the kernels turned around. workspace: zeros (C), weights (9, C), sums (tiles + 1, 10 C) */
static void backward(const foci_node *n) {
    const shape s = shape_of(n);
    real *zeros = n->workspace, *weight = zeros + s.c;
    memset(zeros, 0, (size_t)s.c * sizeof *zeros);
    if (foci_wants(n, WEIGHT) || foci_wants(n, BIAS)) parameter_gradients(n, &s, zeros, weight + 9 * s.c);
    if (!foci_wants(n, X)) return;
    lay_out(s.c, foci_data(n->input[WEIGHT]), weight, true);
    convolve(&s, foci_grad(n->output), weight, zeros, NULL, foci_grad(n->input[X]), n->accumulate[X]);
}

static foci_cost cost(const foci_node *n) {
    const double taps = 18 * (double)foci_numel(n->output);
    return (foci_cost){taps, taps * (n->input[X]->requires_grad + n->input[WEIGHT]->requires_grad)};
}

static foci_tensor *picture(foci_graph *g, int64_t batch, int64_t tokens, int64_t rows, int64_t c) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", batch, tokens, c), 2);
    return foci_depthwise_conv2d(g, x, rows, RANDOM(g, "weight", c, 1, 3, 3), RANDOM(g, "bias", c));
}
static foci_tensor *oblong(foci_graph *g) { return picture(g, 2, 12, 3, 5); }
static foci_tensor *one_line(foci_graph *g) { return picture(g, 2, 4, 1, 3); }
static foci_tensor *one_pixel(foci_graph *g) { return picture(g, 3, 1, 1, 2); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 1, 4, 3)), *w = RANDOM(g, "weight", 3, 1, 3, 3),
                *b = RANDOM(g, "bias", 3);
    return foci_depthwise_conv2d(g, foci_add(g, foci_depthwise_conv2d(g, x, 2, w, b), x), 2, w, b);
}
static foci_tensor *many_lines(foci_graph *g) { return picture(g, 70, 2, 1, 1); }
static const foci_gradient_case gradients[] = {{"3 x 4 pixels", oblong},
                                               {"one line", one_line},
                                               {"one pixel", one_pixel},
                                               {"input, weight and bias used twice", used_twice},
                                               {"several tiles of lines", many_lines},
                                               {0}};

const foci_op foci_op_depthwise_conv2d = {.name = "depthwise_conv2d",
                                          .summary = "every channel by a 3 x 3 kernel of its own",
                                          .forward = forward,
                                          .backward = backward,
                                          .reads = FOCI_READS_INPUT(X) | FOCI_READS_INPUT(WEIGHT),
                                          .cost = cost,
                                          .gradients = gradients};

foci_tensor *foci_depthwise_conv2d(foci_graph *g, foci_tensor *x, int64_t rows, foci_tensor *weight,
                                   foci_tensor *bias) {
    const char *op = foci_op_depthwise_conv2d.name;
    if (!foci_operand(g, op, "input", x, FOCI_REAL) || !foci_operand(g, op, "weight", weight, FOCI_REAL) ||
        !foci_operand(g, op, "bias", bias, FOCI_REAL))
        return NULL;
    if (x->ndim != 3 || rows < 1 || x->shape[1] % rows)
        return foci_graph_fail(g, "%s: tokens %s are no picture of %lld rows", op, foci_shape_text(g, x),
                               (long long)rows);
    const int64_t c = x->shape[2], *w = weight->shape;
    if (weight->ndim != 4 || w[0] != c || w[1] != 1 || w[2] != 3 || w[3] != 3 || foci_numel(bias) != c)
        return foci_graph_fail(g, "%s: weight %s and bias %s must be (%lld, 1, 3, 3) and (%lld)", op,
                               foci_shape_text(g, weight), foci_shape_text(g, bias), (long long)c, (long long)c);
    foci_node *n = foci_record(g, &foci_op_depthwise_conv2d, 3, (foci_tensor *[]){x, weight, bias}, &rows, sizeof rows);
    const int64_t lines = x->shape[0] * rows, tiles = foci_tiles(lines, foci_tiles(lines, 64));
    foci_workspace(n, (size_t)(10 * c) * sizeof(real), (size_t)((10 + 10 * (tiles + 1)) * c) * sizeof(real));
    return foci_emit(n, FOCI_REAL, 3, x->shape);
}
