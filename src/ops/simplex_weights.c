/* simplex_weights: the weights of a sparse robust density estimate (Vandermeulen & Scott's scaled and projected one, in
 * Han et al., "Designing Robust Transformers using Robust Kernel Density Estimation", NeurIPS 2023): for the Gram
 * matrix K_ij = exp(-factor |x_i - x_j|^2) of a head's points
 *
 *     minimise w K w / 2 - beta/N 1 K w over w >= 0, sum w = 1,   beta = 1 / (1 - outlier),
 *
 * once for x = keys of length 1 and values side by side, once for keys alone: (2, B, H, N), or with K averaged over
 * samples and heads first (2, 1, 1, N). All of it in double, since what lies close together makes K almost singular. A
 * constant in the backward pass. */
#include <math.h>
#include <string.h>

#include "ops/gram.h"
#include "ops/simplex.h"

enum { KEYS, VALUES, INPUTS };
enum { JOINT, MARGINAL, BOTH };

typedef struct attributes {
    double factor, outlier;
    bool pool; /* one problem for all heads and samples */
} attributes;

/* Doubles of the points of a head; of a thread's problem. */
static int64_t points_of(const foci_node *n) {
    return n->input[KEYS]->shape[2] * (n->input[KEYS]->shape[3] + n->input[VALUES]->shape[3] + 2);
}

/* (N, D) and (N, E) in double, keys divided by their length; behind them |x|^2 of both. */
static void load_points(const foci_node *n, int64_t task, double *points) {
    const foci_tensor *k = n->input[KEYS], *v = n->input[VALUES];
    const int64_t tokens = k->shape[2], d = k->shape[3], e = v->shape[3];
    const real *keys = foci_data(k) + foci_head_offset(k, task / k->shape[1], task % k->shape[1]);
    const real *values = foci_data(v) + foci_head_offset(v, task / v->shape[1], task % v->shape[1]);
    double *to = points, *to_values = points + tokens * d, *lengths = to_values + tokens * e;
    for (int64_t i = 0; i < tokens; i++) {
        double squares = 1e-24;
        for (int64_t c = 0; c < d; c++)
            squares += (double)keys[i * k->stride[2] + c] * (double)keys[i * k->stride[2] + c];
        for (int64_t c = 0; c < d; c++) to[i * d + c] = (double)keys[i * k->stride[2] + c] / sqrt(squares);
        for (int64_t c = 0; c < e; c++) to_values[i * e + c] = (double)values[i * v->stride[2] + c];
        foci_kernel()->double_dot(d, to + i * d, to + i * d, lengths + 2 * i);
        foci_kernel()->double_dot(e, to_values + i * e, to_values + i * e, lengths + 2 * i + 1);
    }
}

/* Row i of either K up to the diagonal, times `share`, added to g[JOINT], g[MARGINAL] (N, N) */
static void add_row(const foci_node *n, const double *points, int64_t i, double share, double *const g[BOTH]) {
    const attributes *a = n->attributes;
    const int64_t tokens = n->input[KEYS]->shape[2], d = n->input[KEYS]->shape[3], e = n->input[VALUES]->shape[3];
    const double *values = points + tokens * d, *lengths = values + tokens * e;
    for (int64_t j = 0; j <= i; j++) {
        double keys, along;
        foci_kernel()->double_dot(d, points + i * d, points + j * d, &keys);
        foci_kernel()->double_dot(e, values + i * e, values + j * e, &along);
        const double near = lengths[2 * i] + lengths[2 * j] - 2 * keys,
                     far = lengths[2 * i + 1] + lengths[2 * j + 1] - 2 * along;
        const double marginal = exp(-a->factor * near);
        g[MARGINAL][i * tokens + j] += share * marginal;
        g[JOINT][i * tokens + j] += share * marginal * exp(-a->factor * far);
    }
}

static void mirror(int64_t tokens, double *g) {
    for (int64_t i = 0; i < tokens; i++)
        for (int64_t j = 0; j < i; j++) g[j * tokens + i] = g[i * tokens + j];
}

/* Where points are not numbers the pass is lost, and the weights do not matter. */
static void solve(const foci_node *n, double *g, double *w, double *scratch, real *to) {
    const double beta = 1 / (1 - ((const attributes *)n->attributes)->outlier);
    const int64_t tokens = foci_last_dim(n->output);
    double sum = 0;
    for (int64_t i = 0; i < tokens * tokens; i++) sum += g[i];
    if (foci_simplex(tokens, g, beta, w, scratch) < 0 && isfinite(sum))
        foci_node_fail(n, "the weights of %lld tokens were not found: their quadratic programme does not settle",
                       (long long)tokens);
    for (int64_t i = 0; i < tokens; i++) to[i] = (real)w[i];
}

static int64_t square(const foci_node *n) { return foci_last_dim(n->output) * foci_last_dim(n->output); }
static int64_t problem_scratch(const foci_node *n) {
    return foci_last_dim(n->output) + foci_simplex_scratch(foci_last_dim(n->output));
}

/* A head at a time on every thread. */
static void of_each_head(const foci_node *n) {
    const int64_t heads = foci_numel(n->output) / BOTH / foci_last_dim(n->output), tokens = foci_last_dim(n->output);
    const int64_t each = points_of(n) + BOTH * square(n) + problem_scratch(n);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < heads; task++) {
        double *points = (double *)n->workspace + foci_thread() * each, *g = points + points_of(n);
        double *w = g + BOTH * square(n);
        memset(g, 0, (size_t)(BOTH * square(n)) * sizeof *g);
        load_points(n, task, points);
        for (int64_t i = 0; i < tokens; i++) add_row(n, points, i, 1, (double *const[]){g, g + square(n)});
        for (int x = 0; x < BOTH; x++) {
            mirror(tokens, g + x * square(n));
            solve(n, g + x * square(n), w, w + tokens, foci_data(n->output) + (x * heads + task) * tokens);
        }
    }
}

/* Head after head, the rows of each on all threads; then the two problems. */
static void of_all_heads(const foci_node *n) {
    const foci_tensor *k = n->input[KEYS];
    const int64_t heads = k->shape[0] * k->shape[1], tokens = k->shape[2];
    double *g = n->workspace, *points = g + BOTH * square(n), *scratch = points + points_of(n);
    memset(g, 0, (size_t)(BOTH * square(n)) * sizeof *g);
    for (int64_t task = 0; task < heads; task++) {
        load_points(n, task, points);
        FOCI_PARALLEL_FOR
        for (int64_t i = 0; i < tokens; i++)
            add_row(n, points, tokens - 1 - i, 1 / (double)heads, (double *const[]){g, g + square(n)});
    }
    FOCI_PARALLEL_FOR
    for (int x = 0; x < BOTH; x++) {
        double *w = scratch + x * problem_scratch(n);
        mirror(tokens, g + x * square(n));
        solve(n, g + x * square(n), w, w + tokens, foci_data(n->output) + x * tokens);
    }
}

static void forward(const foci_node *n) {
    if (((const attributes *)n->attributes)->pool) of_all_heads(n);
    else of_each_head(n);
}

/* The Gram matrices' products, half of each, and about one Cholesky factor for each problem. */
static foci_cost cost(const foci_node *n) {
    const int64_t *s = n->input[KEYS]->shape;
    const double tokens = (double)s[2], heads = (double)(s[0] * s[1]),
                 problems = (double)foci_numel(n->output) / tokens;
    return (foci_cost){heads * tokens * tokens * (double)(s[3] + n->input[VALUES]->shape[3]) +
                           problems * tokens * tokens * tokens / 3,
                       0};
}

const foci_op foci_op_simplex_weights = {.name = "simplex_weights",
                                         .summary = "weights of points by a quadratic programme on the simplex",
                                         .forward = forward,
                                         .detaches = true,
                                         .cost = cost};

/* Part x of the output, (B, H, 1, N) or (1, 1, 1, N) */
static foci_tensor *part_of(foci_tensor *y, int x) {
    const int64_t *s = y->shape;
    return foci_view(y, x * s[1] * s[2] * s[3], 4, (int64_t[]){s[1], s[2], 1, s[3]},
                     (int64_t[]){s[2] * s[3], s[3], s[3], 1});
}

foci_weights foci_simplex_weights(foci_graph *g, foci_tensor *k, foci_tensor *v, double factor, double outlier,
                                  bool pool) {
    const foci_op *op = &foci_op_simplex_weights;
    const foci_weights none = {NULL, NULL};
    if (!foci_head_operand(g, op->name, "k", k, NULL) || !foci_head_operand(g, op->name, "v", v, NULL)) return none;
    if (memcmp(k->shape, v->shape, 3 * sizeof k->shape[0]))
        foci_graph_fail(g, "%s: v %s must agree with k %s in all but the width", op->name, foci_shape_text(g, v),
                        foci_shape_text(g, k));
    else if (!(outlier >= 0 && outlier < 1)) foci_graph_fail(g, "%s: outlier %g must lie in [0, 1)", op->name, outlier);
    const attributes a = {factor, outlier, pool};
    const int64_t *s = k->shape;
    foci_node *n = foci_record(g, op, INPUTS, (foci_tensor *[]){k, v}, &a, sizeof a);
    foci_tensor *y = foci_emit(n, FOCI_REAL, FOCI_SHAPE(BOTH, pool ? 1 : s[0], pool ? 1 : s[1], s[2]));
    if (!y) return none;
    const int64_t problems = pool ? BOTH : foci_threads(), matrices = pool ? 1 : foci_threads();
    foci_workspace(
        n, (size_t)(matrices * (points_of(n) + BOTH * square(n)) + problems * problem_scratch(n)) * sizeof(double), 0);
    return (foci_weights){part_of(y, JOINT), part_of(y, MARGINAL)};
}
