/* gaussian_mixture: two attentions y_c, each an average over keys k of weights that are products of exp(2 f_c q k) and
 * what a key has of its own, and l_c, the logarithm of their sum, become one by their true weights,
 * S_c = exp(l_c - f_c |q|^2):
 *
 *     out = (S_0 y_0 + S_1 y_1) / (S_0 + S_1 + eps)
 *
 * Where both sums would be 0 as floats, eps decides as in exact arithmetic: out is 0 with eps > 0, and with eps = 0 it
 * is what the ratio of the sums says, in logarithms. Only where no key is seen at all is it 0 then, too. */
#include <math.h>

#include "ops/attention_head.h"
#include "ops/common.h"

enum { Y0, Y1, Q };

typedef struct attributes {
    double factor[2], log_eps;
} attributes;

/* A row of one head. */
typedef struct place {
    int64_t q, y, log_sum, out, row; /* offsets: in q, in y_c twice, in the output; number of the row */
} place;

static int64_t width_of(const foci_node *n) { return n->output->shape[2] / n->input[Q]->shape[1]; }

static place place_of(const foci_node *n, int64_t b, int64_t i, int64_t h) {
    const foci_tensor *q = n->input[Q];
    const int64_t heads = q->shape[1], width = width_of(n), token = b * q->shape[2] + i,
                  first = token * heads * (width + 1);
    return (place){foci_head_offset(q, b, h) + i * q->stride[2], first + h * width, first + heads * width + h,
                   (token * heads + h) * width, token * heads + h};
}

/* S_c / (S_0 + S_1 + eps) */
static void weigh(const foci_node *n, const place *p, real *w) {
    const attributes *a = n->attributes;
    double squares, l[2], top = a->log_eps;
    foci_kernel()->sum_squares(n->input[Q]->shape[3], foci_data(n->input[Q]) + p->q, &squares);
    for (int c = 0; c < 2; c++) {
        l[c] = (double)foci_data(n->input[c])[p->log_sum] - a->factor[c] * squares;
        top = fmax(top, l[c]);
    }
    if (top == -INFINITY) {
        w[0] = w[1] = 0;
        return;
    }
    const double s0 = exp(l[0] - top), s1 = exp(l[1] - top), sum = s0 + s1 + exp(a->log_eps - top);
    w[0] = (real)(s0 / sum), w[1] = (real)(s1 / sum);
}

static void mix(const foci_node *n, const place *p) {
    real *w = foci_data(n->saved[0]) + 2 * p->row;
    weigh(n, p, w);
    for (int c = 0; c < 2; c++)
        foci_kernel()->scale(width_of(n), w[c], foci_data(n->input[c]) + p->y, foci_data(n->output) + p->out, c > 0);
}

/* With a_c = dout y_c:  dy_c = w_c dout,  dl_c = w_c (a_c - w_0 a_0 - w_1 a_1),  dq = -2 q (f_0 dl_0 + f_1 dl_1) */
static void mix_backward(const foci_node *n, const place *p) {
    const attributes *o = n->attributes;
    const real *w = foci_data(n->saved[0]) + 2 * p->row, *dout = foci_grad(n->output) + p->out;
    double a[2], mean = 0, slope = 0;
    for (int c = 0; c < 2; c++) {
        foci_kernel()->dot(width_of(n), dout, foci_data(n->input[c]) + p->y, &a[c]);
        mean += (double)w[c] * a[c];
    }
    for (int c = 0; c < 2; c++) {
        const double dl = (double)w[c] * (a[c] - mean);
        slope += o->factor[c] * dl;
        if (!foci_wants(n, c)) continue;
        real *dy = foci_grad(n->input[c]);
        foci_kernel()->scale(width_of(n), w[c], dout, dy + p->y, n->accumulate[c]);
        dy[p->log_sum] = (n->accumulate[c] ? dy[p->log_sum] : 0) + (real)dl;
    }
    if (foci_wants(n, Q))
        foci_kernel()->scale(n->input[Q]->shape[3], (real)(-2 * slope), foci_data(n->input[Q]) + p->q,
                             foci_grad(n->input[Q]) + p->q, n->accumulate[Q]);
}

static void each(const foci_node *n, void (*work)(const foci_node *, const place *)) {
    const int64_t tokens = n->output->shape[1], heads = n->input[Q]->shape[1], rows = n->output->shape[0] * tokens;
    const int64_t size = foci_tile_rows(foci_last_dim(n->output));
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(rows, size); tile++) {
        const foci_range r = foci_tile(rows, size, tile);
        for (int64_t t = r.first * heads; t < r.end * heads; t++) {
            const place p = place_of(n, t / heads / tokens, t / heads % tokens, t % heads);
            work(n, &p);
        }
    }
}

static void forward(const foci_node *n) { each(n, mix); }
static void backward(const foci_node *n) { each(n, mix_backward); }

static foci_cost cost(const foci_node *n) {
    const double out = (double)foci_numel(n->output), q = (double)foci_numel(n->input[Q]);
    return (foci_cost){4 * out + 2 * q, 8 * out + 2 * q};
}

static foci_tensor *mixture(foci_graph *g, foci_tensor *q, int64_t width, double eps) {
    const int64_t *s = q->shape;
    foci_tensor *const y[] = {RANDOM(g, "y0", s[0], s[2], s[1] * (width + 1)),
                              RANDOM(g, "y1", s[0], s[2], s[1] * (width + 1))};
    return foci_gaussian_mixture(g, y, q, (double[]){0.2, 0.3}, eps);
}
static foci_tensor *plain(foci_graph *g) { return mixture(g, RANDOM(g, "q", 2, 3, 5, 4), 6, 0.3); }
static foci_tensor *no_eps(foci_graph *g) { return mixture(g, RANDOM(g, "q", 2, 1, 3, 4), 2, 0); }
static foci_tensor *view(foci_graph *g) {
    foci_tensor *q = foci_heads(g, foci_scale(g, RANDOM(g, "q", 2, 5, 12), 2), 2, 1, 2);
    return foci_add(g, mixture(g, q, 3, 0.3), mixture(g, q, 3, 0.1));
}
static const foci_gradient_case gradients[] = {
    {"(2, 3, 5, 4), values of 6", plain}, {"eps 0", no_eps}, {"all twice, q a view", view}, {0}};

const foci_op foci_op_gaussian_mixture = {
    .name = "gaussian_mixture",
    .summary = "two attentions by Gaussian kernels, weighed by their sums",
    .forward = forward,
    .backward = backward,
    .reads = FOCI_READS_INPUT(Y0) | FOCI_READS_INPUT(Y1) | FOCI_READS_INPUT(Q),
    .cost = cost,
    .gradients = gradients,
};

foci_tensor *foci_gaussian_mixture(foci_graph *g, foci_tensor *const y[2], foci_tensor *q, const double factor[2],
                                   double eps) {
    const foci_op *op = &foci_op_gaussian_mixture;
    const attributes a = {{factor[0], factor[1]}, log(eps)};
    if (!foci_operand(g, op->name, "first attention", y[0], FOCI_REAL) ||
        !foci_operand(g, op->name, "second attention", y[1], FOCI_REAL) ||
        !foci_head_operand(g, op->name, "q", q, NULL))
        return NULL;
    const int64_t *s = y[0]->shape, heads = q->shape[1];
    if (!foci_same_shape(y[0], y[1]) || y[0]->ndim != 3 || s[0] != q->shape[0] || s[1] != q->shape[2] || s[2] % heads)
        return foci_graph_fail(g, "%s: attentions %s and %s must be those of q %s, with log sums", op->name,
                               foci_shape_text(g, y[0]), foci_shape_text(g, y[1]), foci_shape_text(g, q));
    foci_node *n = foci_record(g, op, 3, (foci_tensor *[]){y[0], y[1], q}, &a, sizeof a);
    if (!n) return NULL;
    foci_save(n, FOCI_REAL, 2 * s[0] * s[1] * heads);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s[0], s[1], s[2] - heads));
}
