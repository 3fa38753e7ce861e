/* gaussian_bias: what of the logarithm of prior exp(-factor |q - k|^2) belongs to a key alone: log(prior) - factor
 * |k|^2. Priors are clamped to [0, 1], outside which they have no gradient; at 0 the key has no weight. */
#include <math.h>
#include <string.h>

#include "ops/attention_head.h"
#include "ops/common.h"

enum { K, PRIOR };

typedef struct attributes {
    double factor;
    bool complement;
} attributes;

/* A prior per head and key, (H, 1, 1, L) with L >= M, or one for all, (1). */
static bool one_for_all(const foci_node *n) { return foci_numel(n->input[PRIOR]) == 1; }

static real *prior_at(const foci_node *n, real *priors, int64_t head, int64_t key) {
    return one_for_all(n) ? priors : priors + head * foci_last_dim(n->input[PRIOR]) + key;
}

static double log_prior(const foci_node *n, int64_t head, int64_t key) {
    if (!n->input[PRIOR]) return 0;
    const double p = (double)*prior_at(n, foci_data(n->input[PRIOR]), head, key);
    return log(fmin(fmax(((const attributes *)n->attributes)->complement ? 1 - p : p, 0), 1));
}

/* workspace: the logarithms of the priors, (H, M) */
static void forward(const foci_node *n) {
    const foci_tensor *k = n->input[K];
    const int64_t heads = k->shape[1], tokens = k->shape[2];
    const double factor = ((const attributes *)n->attributes)->factor;
    double *logs = n->workspace;
    for (int64_t i = 0; i < heads * tokens; i++) logs[i] = log_prior(n, i / tokens, i % tokens);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < k->shape[0] * heads; task++) {
        const real *row = foci_data(k) + foci_head_offset(k, task / heads, task % heads);
        for (int64_t j = 0; j < tokens; j++, row += k->stride[2]) {
            double squares;
            foci_kernel()->sum_squares(k->shape[3], row, &squares);
            foci_data(n->output)[task * tokens + j] = (real)(logs[task % heads * tokens + j] - factor * squares);
        }
    }
}

/* The gradient of log(clamp(p)) is 1/p inside (0, 1]. */
static void add_prior_gradient(const foci_node *n, int64_t head, int64_t key, double dy) {
    const real p = *prior_at(n, foci_data(n->input[PRIOR]), head, key);
    if (p > 0 && p <= 1) *prior_at(n, foci_grad(n->input[PRIOR]), head, key) += (real)(dy / (double)p);
}

static void prior_gradients(const foci_node *n) {
    const int64_t batch = n->output->shape[0], heads = n->output->shape[1], tokens = n->output->shape[2];
    const foci_tensor *prior = n->input[PRIOR];
    double all = 0;
    if (!n->accumulate[PRIOR]) memset(foci_grad(prior), 0, (size_t)foci_numel(prior) * sizeof(real));
    for (int64_t i = 0; i < heads * tokens; i++) {
        double sum = 0;
        for (int64_t b = 0; b < batch; b++) sum += (double)foci_grad(n->output)[b * heads * tokens + i];
        if (one_for_all(n)) all += sum;
        else add_prior_gradient(n, i / tokens, i % tokens, sum);
    }
    if (one_for_all(n)) add_prior_gradient(n, 0, 0, all);
}

static void backward(const foci_node *n) {
    const foci_tensor *k = n->input[K];
    const int64_t heads = k->shape[1], tokens = k->shape[2];
    const double factor = ((const attributes *)n->attributes)->factor;
    if (foci_wants(n, PRIOR)) prior_gradients(n);
    if (!foci_wants(n, K)) return;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < k->shape[0] * heads; task++) {
        const int64_t offset = foci_head_offset(k, task / heads, task % heads);
        const real *dy = foci_grad(n->output) + task * tokens;
        for (int64_t j = 0; j < tokens; j++)
            foci_kernel()->scale(k->shape[3], (real)(-2 * factor * (double)dy[j]),
                                 foci_data(k) + offset + j * k->stride[2], foci_grad(k) + offset + j * k->stride[2],
                                 n->accumulate[K]);
    }
}

static foci_tensor *prior(foci_graph *g, int ndim, const int64_t *shape) {
    return foci_parameter(g, "prior", (foci_init){FOCI_INIT_UNIFORM, 0.5, 0.45}, ndim, shape);
}
static foci_tensor *bare(foci_graph *g) { return foci_gaussian_bias(g, RANDOM(g, "k", 2, 3, 5, 4), NULL, 0.4, false); }
static foci_tensor *of_positions(foci_graph *g) {
    foci_tensor *k = foci_heads(g, foci_scale(g, RANDOM(g, "k", 2, 3, 12), 2), 2, 1, 2);
    return foci_gaussian_bias(g, k, prior(g, FOCI_SHAPE(2, 1, 1, 5)), 0.3, false);
}
static foci_tensor *one_twice(foci_graph *g) {
    foci_tensor *k = RANDOM(g, "k", 2, 3, 5, 4);
    foci_tensor *second = foci_view(prior(g, FOCI_SHAPE(2)), 1, FOCI_SHAPE(1), (int64_t[]){1});
    return foci_add(g, foci_gaussian_bias(g, k, second, 0.4, false), foci_gaussian_bias(g, k, second, 0.2, false));
}
static foci_tensor *clamped(foci_graph *g) { /* outside there is no gradient */
    foci_tensor *p = foci_parameter(g, "prior", FOCI_NORMAL(1.5, 0.1), FOCI_SHAPE(2, 1, 1, 3));
    return foci_gaussian_bias(g, RANDOM(g, "k", 2, 2, 3, 4), p, 0.4, false);
}
static const foci_gradient_case gradients[] = {{"without priors", bare},
                                               {"priors of positions, k a view", of_positions},
                                               {"one prior twice", one_twice},
                                               {"priors above 1", clamped},
                                               {0}};

const foci_op foci_op_gaussian_bias = {.name = "gaussian_bias",
                                       .summary = "log(prior) - factor |k|^2 of every key",
                                       .forward = forward,
                                       .backward = backward,
                                       .reads = FOCI_READS_INPUT(K) | FOCI_READS_INPUT(PRIOR),
                                       .gradients = gradients};

foci_tensor *foci_gaussian_bias(foci_graph *g, foci_tensor *k, foci_tensor *prior_, double factor, bool complement) {
    const foci_op *op = &foci_op_gaussian_bias;
    const attributes a = {factor, complement};
    if (!foci_head_operand(g, op->name, "k", k, NULL)) return NULL;
    if (prior_ && !foci_operand(g, op->name, "prior", prior_, FOCI_REAL)) return NULL;
    if (prior_ && foci_numel(prior_) != 1 &&
        (prior_->ndim != 4 || prior_->shape[0] != k->shape[1] || foci_rows(prior_) != k->shape[1] ||
         foci_last_dim(prior_) < k->shape[2]))
        return foci_graph_fail(g, "%s: priors %s must be (1), or (%lld, 1, 1, %lld or more)", op->name,
                               foci_shape_text(g, prior_), (long long)k->shape[1], (long long)k->shape[2]);
    if (prior_ && complement && prior_->requires_grad)
        return foci_graph_fail(g, "%s: a prior's complement has no gradient", op->name);
    foci_node *n = foci_record(g, op, 2, (foci_tensor *[]){k, prior_}, &a, sizeof a);
    if (!n) return NULL;
    foci_workspace(n, (size_t)(k->shape[1] * k->shape[2]) * sizeof(double), 0);
    return foci_emit(n, FOCI_REAL, 3, k->shape);
}
