/* robust_weights: the weights of points from their densities a (B, H, N), w'_i = psi(h_i) / sum_l psi(h_l) with the
 * distance h_i^2 = 1 + sign a_i + c, c = sum_i w_i a_i, and the influence psi of a robust loss. Without weights w =
 * 1/N.
 *
 * With dw' their gradient and P = sum psi: dpsi_i = (dw'_i - sum_l dw'_l w'_l) / P, dh_i^2 = psi'(h_i) / (2 h_i)
 * dpsi_i, da_i = sign dh_i^2 + w_i D, dw_i = a_i D, D = sum_i dh_i^2. */
#include "ops/gram.h"

enum { DENSITIES, WEIGHTS, INPUTS };

typedef struct head {
    const foci_robust_options *o;
    int64_t tokens;
    const real *a, *w, *out;
    double c;
} head;

static double weight(const head *o, int64_t i) { return o->w ? (double)o->w[i] : 1 / (double)o->tokens; }

static head head_of(const foci_node *n, int64_t task) {
    const int64_t tokens = foci_last_dim(n->output), at = task * tokens;
    head o = {.o = n->attributes, .tokens = tokens, .a = foci_data(n->input[DENSITIES]) + at};
    if (n->input[WEIGHTS]) o.w = foci_data(n->input[WEIGHTS]) + at;
    o.out = foci_data(n->output) + at;
    for (int64_t i = 0; i < tokens; i++) o.c += weight(&o, i) * (double)o.a[i];
    return o;
}

static double influence(const head *o, int64_t i, double *slope) {
    return foci_influence(o->o, foci_robust_distance(o->o, (double)o->a[i], o->c), slope);
}

static double sum_of_influences(const head *o) {
    double sum = 0, slope;
    for (int64_t i = 0; i < o->tokens; i++) sum += influence(o, i, &slope);
    return sum;
}

static void forward(const foci_node *n) {
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < foci_rows(n->output); task++) {
        const head o = head_of(n, task);
        const double sum = sum_of_influences(&o);
        double slope;
        for (int64_t i = 0; i < o.tokens; i++)
            foci_data(n->output)[task * o.tokens + i] = (real)(influence(&o, i, &slope) / sum);
    }
}

static void give(const foci_node *n, int input, int64_t at, double value) {
    if (!foci_wants(n, input)) return;
    real *to = foci_grad(n->input[input]) + at;
    *to = (n->accumulate[input] ? *to : 0) + (real)value;
}

/* dh_i^2 */
static double distance_gradient(const head *o, int64_t i, const real *dw, double along, double sum) {
    double slope;
    influence(o, i, &slope);
    return slope * ((double)dw[i] - along) / sum;
}

static void backward(const foci_node *n) {
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < foci_rows(n->output); task++) {
        const head o = head_of(n, task);
        const real *dw = foci_grad(n->output) + task * o.tokens;
        const double sum = sum_of_influences(&o);
        double along = 0, all = 0;
        for (int64_t i = 0; i < o.tokens; i++) along += (double)dw[i] * (double)o.out[i];
        for (int64_t i = 0; i < o.tokens; i++) all += distance_gradient(&o, i, dw, along, sum);
        for (int64_t i = 0; i < o.tokens; i++) {
            const double own = foci_robust_sign(o.o) * distance_gradient(&o, i, dw, along, sum);
            give(n, DENSITIES, task * o.tokens + i, own + weight(&o, i) * all);
            give(n, WEIGHTS, task * o.tokens + i, (double)o.a[i] * all);
        }
    }
}

/* ----------------------------------------------------------------------------------------- gradient check */

/* Densities of about 0.2, so that h lies around 1.2, or (rkhs) 0.9. */
static foci_tensor *densities(foci_graph *g, const char *name) {
    return foci_parameter(g, name, FOCI_NORMAL(0.2, 0.03), FOCI_SHAPE(2, 2, 6));
}
static foci_tensor *weigh(foci_graph *g, foci_tensor *w, foci_robust_loss loss, double a, bool published) {
    const foci_robust_options o = {.loss = loss, .a = a, .published = published};
    return foci_robust_weights(g, densities(g, "a"), w, &o);
}
static foci_tensor *huber(foci_graph *g) { return weigh(g, NULL, FOCI_HUBER, 0.2, true); }
static foci_tensor *huber_within(foci_graph *g) { return weigh(g, densities(g, "w"), FOCI_HUBER, 1.1, true); }
static foci_tensor *hampel(foci_graph *g) { return weigh(g, densities(g, "w"), FOCI_HAMPEL, 0.4, false); }
static foci_tensor *hampel_near(foci_graph *g) { return weigh(g, NULL, FOCI_HAMPEL, 0.6, true); }
static const foci_gradient_case gradients[] = {{"huber, equal weights", huber},
                                               {"huber, some below a", huber_within},
                                               {"hampel, third branch, rkhs", hampel},
                                               {"hampel, second branch", hampel_near},
                                               {0}};

const foci_op foci_op_robust_weights = {.name = "robust_weights",
                                        .summary = "weights of points from their densities, by a robust loss",
                                        .forward = forward,
                                        .backward = backward,
                                        .reads =
                                            FOCI_READS_INPUT(DENSITIES) | FOCI_READS_INPUT(WEIGHTS) | FOCI_READS_OUTPUT,
                                        .gradients = gradients};

foci_tensor *foci_robust_weights(foci_graph *g, foci_tensor *a, foci_tensor *w, const foci_robust_options *o) {
    const foci_op *op = &foci_op_robust_weights;
    if (!foci_operand(g, op->name, "densities", a, FOCI_REAL) ||
        (w && !foci_operand(g, op->name, "weights", w, FOCI_REAL)))
        return NULL;
    if (w && !foci_same_shape(a, w)) return foci_graph_fail(g, "%s: the shapes differ", op->name);
    if (!(o->a > 0)) return foci_graph_fail(g, "%s: a %g must be above 0", op->name, o->a);
    return foci_emit(foci_record(g, op, INPUTS, (foci_tensor *[]){a, w}, o, sizeof *o), FOCI_REAL, a->ndim, a->shape);
}
