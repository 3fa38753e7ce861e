#include "ops/gram.h"

#include <float.h>
#include <math.h>

#include "kernels/gemm.h"

static const real *rows_of(const foci_tensor *t, int64_t task) {
    return foci_data(t) + foci_head_offset(t, task / t->shape[1], task % t->shape[1]);
}

foci_gram foci_gram_of(const foci_tensor *k, const foci_tensor *v, int64_t task, double factor, real *lengths) {
    foci_gram o = {.tokens = k->shape[2],
                   .width = k->shape[3],
                   .k = rows_of(k, task),
                   .k_row = k->stride[2],
                   .factor = factor,
                   .lengths = lengths};
    if (v) o.v = rows_of(v, task), o.v_row = v->stride[2], o.value_width = v->shape[3];
    for (int64_t i = 0; i < o.tokens; i++) {
        double keys, values = 0;
        foci_kernel()->sum_squares(o.width, o.k + i * o.k_row, &keys);
        if (v) foci_kernel()->sum_squares(o.value_width, o.v + i * o.v_row, &values);
        lengths[i] = (real)(keys + values);
    }
    return o;
}

/* to (rows, N) = or += x xt */
static void products(int64_t tokens, foci_range rows, const real *x, int64_t row, int64_t width, real *to, int64_t ld,
                     bool add) {
    foci_gemm(&(foci_product){.rows = rows.end - rows.first,
                              .columns = tokens,
                              .depth = width,
                              .a = {x + rows.first * row, row},
                              .b = {x, row, true},
                              .c = to,
                              .ldc = ld,
                              .add = add});
}

void foci_gram_tile(const foci_gram *o, foci_range rows, real *tile, int64_t ld) {
    products(o->tokens, rows, o->k, o->k_row, o->width, tile, ld, false);
    if (o->v) products(o->tokens, rows, o->v, o->v_row, o->value_width, tile, ld, true);
    for (int64_t i = rows.first; i < rows.end; i++) {
        real *row = tile + (i - rows.first) * ld;
        foci_kernel()->gaussians(o->tokens, (real)o->factor, o->lengths[i], o->lengths, row);
        row[i] = 1;
    }
}

void foci_gram_gradient(const foci_gram *o, foci_range rows, const real *c, int64_t ld, bool value, real *dx,
                        int64_t dx_row, bool add) {
    const real *x = value ? o->v : o->k;
    const int64_t row = value ? o->v_row : o->k_row, width = value ? o->value_width : o->width;
    foci_gemm(&(foci_product){.rows = rows.end - rows.first,
                              .columns = width,
                              .depth = o->tokens,
                              .a = {c, ld},
                              .b = {x, row},
                              .c = dx,
                              .ldc = dx_row,
                              .add = add});
    for (int64_t i = 0; i < rows.end - rows.first; i++) {
        double sum;
        foci_kernel()->sum(o->tokens, c + i * ld, &sum);
        foci_kernel()->scale(width, -(real)sum, x + (rows.first + i) * row, dx + i * dx_row, true);
    }
}

double foci_influence(const foci_robust_options *o, double h2, double *slope) {
    const double least = sizeof(real) == sizeof(float) ? FLT_MIN : DBL_MIN, a = o->a;
    const double h = sqrt(h2 < least ? least : h2), by_h2 = h2 < least ? 0 : 1 / (2 * h * h * h);
    *slope = 0;
    if (h < a || (o->loss == FOCI_HUBER && h == a)) return 1;
    if (o->loss == FOCI_HUBER || h < 2 * a) {
        *slope = -a * by_h2;
        return a / h;
    }
    if (h >= 3 * a) return 0.01;
    *slope = -3 * a * by_h2;
    return (3 * a - h) / h;
}

/* The densities are S_j / seen, all points weighing the same; their mean is c. */
static double mean_density(int64_t seen, const double *sums) {
    double sum = 0;
    for (int64_t j = 0; j < seen; j++) sum += sums[j];
    return sum / ((double)seen * (double)seen);
}

double foci_prefix_weights(const foci_robust_options *o, int64_t seen, const double *sums, real *w) {
    const double c = mean_density(seen, sums);
    double total = 0, slope;
    for (int64_t j = 0; j < seen; j++) {
        const double psi = foci_influence(o, foci_robust_distance(o, sums[j] / (double)seen, c), &slope);
        total += psi;
        w[j] = (real)psi;
    }
    for (int64_t j = 0; j < seen; j++) w[j] = (real)((double)w[j] / total);
    return total;
}

void foci_prefix_gradient(const foci_robust_options *o, int64_t seen, const double *sums, double influences,
                          const real *w, const real *dw, double *dsums) {
    const double c = mean_density(seen, sums), count = (double)seen;
    double along = 0, all = 0, slope;
    for (int64_t j = 0; j < seen; j++) along += (double)dw[j] * (double)w[j];
    for (int64_t j = 0; j < seen; j++) {
        foci_influence(o, foci_robust_distance(o, sums[j] / count, c), &slope);
        const double distance = slope * ((double)dw[j] - along) / influences;
        dsums[j] = foci_robust_sign(o) * distance / count;
        all += distance;
    }
    for (int64_t j = 0; j < seen; j++) dsums[j] += all / (count * count);
}
