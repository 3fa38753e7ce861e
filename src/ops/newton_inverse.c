/* newton_inverse: an approximate inverse of the map between landmarks (Xiong et al., "Nystromformer", 2021, after
 * Razavi et al., 2014), for rows of sum 1:
 *
 *     z <- z/4 (13 - f z (15 - f z (7 - f z))),   from ft over its largest sum of a column.
 *
 * Backward makes the steps again. The gradient flows through that sum; where it is the largest of all heads and
 * samples, to the one head that has it. */
#include <string.h>

#include "kernels/gemm.h"
#include "ops/attention_head.h"
#include "ops/common.h"

typedef struct attributes {
    int64_t iterations;
    bool over_all;
} attributes;

/* One head's matrices, (m, m) each. */
typedef struct head {
    int64_t m, iterations;
    const real *f;
    real top;          /* what the start is divided by */
    real *steps, *out; /* z before each step, one behind the other; after the last */
    real *a, *b1, *b2, *b3, *da, *db, *dz;
} head;

enum { SCRATCH = 7 };

static int64_t size_of(const foci_node *n) { return n->output->shape[2] * n->output->shape[2]; }

static head head_of(const foci_node *n, int64_t task) {
    const attributes *o = n->attributes;
    const int64_t size = size_of(n);
    real *scratch = (real *)n->workspace + foci_thread() * (SCRATCH + o->iterations) * size;
    head h = {.m = n->output->shape[2], .iterations = o->iterations, .f = foci_data(n->input[0]) + task * size};
    real **const part[SCRATCH] = {&h.a, &h.b1, &h.b2, &h.b3, &h.da, &h.db, &h.dz};
    for (int i = 0; i < SCRATCH; i++) *part[i] = scratch + i * size;
    h.steps = scratch + SCRATCH * size;
    h.top = foci_data(n->saved[0])[task];
    h.out = foci_data(n->output) + task * size; /* forward alone */
    return h;
}

/* c = or += factor a b; t: the transpose is meant */
static void product(const head *h, double factor, const real *a, bool ta, const real *b, bool tb, real *c, bool add) {
    foci_gemm(&(foci_product){.rows = h->m,
                              .columns = h->m,
                              .depth = h->m,
                              .a = {a, h->m, ta},
                              .b = {b, h->m, tb},
                              .c = c,
                              .ldc = h->m,
                              .add = add});
    if (factor != 1) foci_kernel()->scale(h->m * h->m, (real)factor, c, c, false);
}

/* c = diagonal - c */
static void from_diagonal(const head *h, real diagonal, real *c) {
    foci_kernel()->scale(h->m * h->m, -1, c, c, false);
    for (int64_t i = 0; i < h->m; i++) c[i * h->m + i] += diagonal;
}

/* a = f z, b1 = 7 - a, b2 = 15 - a b1, b3 = 13 - a b2 */
static void factors(const head *h, const real *z) {
    product(h, 1, h->f, false, z, false, h->a, false);
    foci_kernel()->scale(h->m * h->m, 1, h->a, h->b1, false);
    from_diagonal(h, 7, h->b1);
    product(h, 1, h->a, false, h->b1, false, h->b2, false);
    from_diagonal(h, 15, h->b2);
    product(h, 1, h->a, false, h->b2, false, h->b3, false);
    from_diagonal(h, 13, h->b3);
}

static void begin(const head *h, real *z) {
    for (int64_t i = 0; i < h->m; i++)
        for (int64_t j = 0; j < h->m; j++) z[i * h->m + j] = h->f[j * h->m + i] / h->top;
}

static real *step_of(const head *h, int64_t i) { return i < h->iterations ? h->steps + i * h->m * h->m : h->out; }

/* z before step 0, .., `last`; before the one behind the last it is the output. */
static void make_steps(const head *h, int64_t last) {
    begin(h, step_of(h, 0));
    for (int64_t i = 0; i < last; i++) {
        const real *z = step_of(h, i);
        factors(h, z);
        product(h, 0.25, z, false, h->b3, false, step_of(h, i + 1), false);
    }
}

/* The largest sum of a column, the first of equal ones. */
static real largest_sum(int64_t m, const real *f, int64_t *column) {
    real most = 0;
    *column = 0;
    for (int64_t j = 0; j < m; j++) {
        real sum = 0;
        for (int64_t i = 0; i < m; i++) sum += f[i * m + j];
        if (sum > most) most = sum, *column = j;
    }
    return most;
}

static int64_t all_heads(const foci_node *n) { return n->output->shape[0] * n->output->shape[1]; }

/* Fills saved[0]: what each head's start is divided by, then the head that has the largest of all. */
static void find_tops(const foci_node *n) {
    real *top = foci_data(n->saved[0]);
    const int64_t heads = all_heads(n);
    int64_t first = 0;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < heads; task++) {
        int64_t column;
        top[task] = largest_sum(n->output->shape[2], foci_data(n->input[0]) + task * size_of(n), &column);
    }
    for (int64_t task = 1; task < heads; task++)
        if (top[task] > top[first]) first = task;
    top[heads] = (real)first;
    for (int64_t task = 0; task < heads && ((const attributes *)n->attributes)->over_all; task++)
        if (task != first) top[task] = top[first];
}

static void forward(const foci_node *n) {
    find_tops(n);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < all_heads(n); task++) {
        const head h = head_of(n, task);
        make_steps(&h, h.iterations);
    }
}

/* dz becomes the gradient of the z that a step began with; df += what the step says of f. */
static void step_backward(const head *h, const real *z, real *df) {
    const int64_t size = h->m * h->m;
    factors(h, z);
    product(h, 0.25, z, true, h->dz, false, h->db, false); /* of b3 */
    product(h, -1, h->db, false, h->b2, true, h->da, false);
    product(h, 0.25, h->dz, false, h->b3, true, h->b2, false); /* of z, but for f z; b2 has been read */
    foci_kernel()->scale(size, 1, h->b2, h->dz, false);
    product(h, -1, h->a, true, h->db, false, h->b2, false); /* of b2 */
    product(h, 1, h->b2, false, h->b1, true, h->b3, false);
    foci_kernel()->scale(size, -1, h->b3, h->da, true);
    product(h, 1, h->a, true, h->b2, false, h->b3, false); /* minus that of b1, which is minus a's */
    foci_kernel()->scale(size, 1, h->b3, h->da, true);
    product(h, 1, h->da, false, z, true, df, true);
    product(h, 1, h->f, true, h->da, false, h->dz, true);
}

/* df of a head; returns the gradient of its top. */
static double head_backward(const head *h, const real *dout, real *df, bool add) {
    const int64_t size = h->m * h->m;
    double inner;
    if (h->iterations) make_steps(h, h->iterations - 1);
    foci_kernel()->scale(size, 1, dout, h->dz, false);
    if (!add) memset(df, 0, (size_t)size * sizeof *df);
    for (int64_t i = h->iterations - 1; i >= 0; i--) step_backward(h, step_of(h, i), df);
    for (int64_t i = 0; i < h->m; i++)
        for (int64_t j = 0; j < h->m; j++) df[j * h->m + i] += h->dz[i * h->m + j] / h->top;
    begin(h, h->a);
    foci_kernel()->dot(size, h->dz, h->a, &inner);
    return -inner / (double)h->top;
}

static void add_to_column(const foci_node *n, int64_t task, double gradient) {
    const int64_t m = n->output->shape[2], at = task * size_of(n);
    int64_t column;
    largest_sum(m, foci_data(n->input[0]) + at, &column);
    for (int64_t i = 0; i < m; i++) foci_grad(n->input[0])[at + i * m + column] += (real)gradient;
}

static void backward(const foci_node *n) {
    const attributes *o = n->attributes;
    const int64_t heads = all_heads(n), size = size_of(n);
    real *of_top = (real *)n->workspace + foci_threads() * (SCRATCH + o->iterations) * size;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < heads; task++) {
        const head h = head_of(n, task);
        of_top[task] = (real)head_backward(&h, foci_grad(n->output) + task * size, foci_grad(n->input[0]) + task * size,
                                           n->accumulate[0]);
        if (!o->over_all) add_to_column(n, task, (double)of_top[task]);
    }
    if (!o->over_all) return;
    double sum = 0;
    for (int64_t task = 0; task < heads; task++) sum += (double)of_top[task];
    add_to_column(n, (int64_t)foci_data(n->saved[0])[heads], sum);
}

/* Four products a step; backward makes the steps again, which is no part of the work, and has nine. */
static foci_cost cost(const foci_node *n) {
    const double product = 2.0 * (double)(all_heads(n) * size_of(n)) * (double)n->output->shape[2];
    const double steps = (double)((const attributes *)n->attributes)->iterations;
    return (foci_cost){4 * product * steps, 8 * product * steps};
}

/* ----------------------------------------------------------------------------------------- gradient check */

static foci_tensor *inverse(foci_graph *g, int64_t iterations, bool over_all) {
    return foci_newton_inverse(g, foci_softmax(g, foci_scale(g, RANDOM(g, "x", 2, 2, 4, 4), 2)), iterations, over_all);
}
static foci_tensor *of_each_head(foci_graph *g) { return inverse(g, 6, false); }
static foci_tensor *over_all_heads(foci_graph *g) { return inverse(g, 2, true); }
static foci_tensor *no_step(foci_graph *g) { return inverse(g, 0, false); }
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *f = foci_softmax(g, RANDOM(g, "x", 1, 2, 3, 3));
    return foci_add(g, foci_newton_inverse(g, f, 3, false), foci_newton_inverse(g, f, 1, true));
}
static const foci_gradient_case gradients[] = {{"6 steps", of_each_head},
                                               {"2 steps, over all heads", over_all_heads},
                                               {"no step", no_step},
                                               {"used twice", used_twice},
                                               {0}};

const foci_op foci_op_newton_inverse = {.name = "newton_inverse",
                                        .summary = "an approximate inverse of square maps, by iteration",
                                        .forward = forward,
                                        .backward = backward,
                                        .reads = FOCI_READS_INPUT(0),
                                        .cost = cost,
                                        .gradients = gradients};

foci_tensor *foci_newton_inverse(foci_graph *g, foci_tensor *f, int64_t iterations, bool over_all) {
    const foci_op *op = &foci_op_newton_inverse;
    if (!foci_head_operand(g, op->name, "input", f, NULL) || !foci_operand(g, op->name, "input", f, FOCI_REAL))
        return NULL;
    if (f->shape[2] != f->shape[3] || iterations < 0)
        return foci_graph_fail(g, "%s: input %s is not square, or %lld iterations", op->name, foci_shape_text(g, f),
                               (long long)iterations);
    const attributes o = {iterations, over_all};
    const int64_t heads = f->shape[0] * f->shape[1], size = f->shape[2] * f->shape[3];
    foci_node *n = foci_record(g, op, 1, &f, &o, sizeof o);
    foci_save(n, FOCI_REAL, heads + 1);
    const size_t steps = (size_t)(foci_threads() * (SCRATCH + iterations) * size) * sizeof(real);
    foci_workspace(n, steps, steps + (size_t)heads * sizeof(real));
    return foci_emit(n, FOCI_REAL, 4, f->shape);
}
