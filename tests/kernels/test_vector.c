/* Every vector kernel of every instruction set this machine has, against plain loops in double, at odd sizes.
 */
#include <math.h>

#include "base/philox.h"
#include "check.h"
#include "dropped.h"
#include "kernels/kernels.h"

enum { MOST = 5 * 300 };
static const int64_t sizes[] = {1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 127, 200, 300};
enum { SIZES = sizeof sizes / sizeof sizes[0] };

static const foci_kernels *k; /* the table under test */
static real x[MOST], y[MOST], z[MOST], w[MOST], out[MOST], before[MOST];

static void fill(real *a, uint64_t stream, double scale) {
    for (int i = 0; i < MOST; i++) {
        foci_u32x4 u = foci_philox(11, stream, 0, (uint64_t)i);
        a[i] = (real)(scale * foci_normal(u.v[0], u.v[1]));
    }
}

/* Runs `check(n)` at every size, with fresh random x, y, z, w and out. */
static void at_sizes(void (*check)(int64_t n)) {
    for (int i = 0; i < SIZES; i++) {
        fill(x, 1, 2);
        fill(y, 2, 1);
        fill(z, 3, 1);
        fill(w, 4, 1);
        fill(out, 5, 1);
        memcpy(before, out, sizeof out);
        check(sizes[i]);
        for (int64_t j = 5 * sizes[i]; j < MOST; j++) assert_true(out[j] == before[j]); /* nothing beyond */
    }
}

/* out[i] = want, on top of what was there where `accumulate` */
static void expect(int64_t i, double want, bool accumulate, double tolerance) {
    want += accumulate ? (double)before[i] : 0;
    assert_close(out[i], want, tolerance * (1 + fabs(want)));
}

static void spoil(bool accumulate) { /* an output that is overwritten may hold anything */
    memcpy(out, before, sizeof out);
    for (int i = 0; i < MOST && !accumulate; i++) out[i] = NAN;
}
static void restore(int64_t n) { memcpy(out + n, before + n, (size_t)(MOST - n) * sizeof *out); }

static double phi(double v) { return 0.5 * erfc(-v / sqrt(2)); }

static void check_elementwise(int64_t n) {
    k->add(n, x, y, out);
    for (int64_t i = 0; i < n; i++) expect(i, (double)x[i] + (double)y[i], false, 1e-7);
    k->sigmoid(n, x, out);
    for (int64_t i = 0; i < n; i++) expect(i, 1 / (1 + exp(-(double)x[i])), false, 1e-6);
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        spoil(accumulate);
        k->scale(n, (real)-1.5, x, out, accumulate);
        for (int64_t i = 0; i < n; i++) expect(i, -1.5 * (double)x[i], accumulate, 1e-6);
        spoil(accumulate);
        k->relu_backward(n, x, y, out, accumulate);
        for (int64_t i = 0; i < n; i++) expect(i, x[i] > 0 ? (double)y[i] : 0, accumulate, 1e-6);
        spoil(accumulate);
        k->sigmoid_backward(n, x, y, out, accumulate);
        for (int64_t i = 0; i < n; i++) expect(i, (double)y[i] * (double)x[i] * (1 - (double)x[i]), accumulate, 1e-5);
        spoil(accumulate);
        k->gelu_backward(n, x, y, out, accumulate);
        for (int64_t i = 0; i < n; i++) {
            double v = (double)x[i];
            expect(i, (double)y[i] * (phi(v) + v * exp(-v * v / 2) / sqrt(2 * M_PI)), accumulate, 1e-6);
        }
    }
    real dx[MOST];
    memcpy(dx, y, sizeof dx);
    k->gelu_again(n, x, dx, out, dx);
    for (int64_t i = 0; i < n; i++) expect(i, (double)x[i] * phi((double)x[i]), false, 1e-6);
    k->gelu_backward(n, x, y, out, false);
    for (int64_t i = 0; i < n; i++) assert_close(dx[i], out[i], 1e-6);
    real in_place[MOST];
    memcpy(in_place, x, sizeof in_place);
    k->gelu_again(n, in_place, y, in_place, dx);
    for (int64_t i = 0; i < n; i++) assert_close(dx[i], out[i], 1e-6);
    for (int64_t i = 0; i < n; i++) assert_close(in_place[i], (double)x[i] * phi((double)x[i]), 1e-6);
    k->relu(n, x, out);
    for (int64_t i = 0; i < n; i++) expect(i, x[i] > 0 ? (double)x[i] : 0, false, 0);
    k->gelu(n, x, out);
    for (int64_t i = 0; i < n; i++) expect(i, (double)x[i] * phi((double)x[i]), false, 1e-6);
    restore(n);
}

static double tanh_gelu(double v) { return v / 2 * (1 + tanh(sqrt(2 / M_PI) * (v + 0.044715 * v * v * v))); }
static double silu_of(double v) { return v / (1 + exp(-v)); }
static double slope_of(double (*f)(double), double v) { return (f(v + 1e-5) - f(v - 1e-5)) / 2e-5; }

/* y may be x, and dx dy. */
static void check_activations(int64_t n) {
    real a[MOST], b[MOST];
    k->gelu_tanh(n, x, out);
    for (int64_t i = 0; i < n; i++) expect(i, tanh_gelu((double)x[i]), false, 1e-6);
    memcpy(a, x, sizeof a);
    memcpy(b, y, sizeof b);
    k->gelu_tanh_again(n, a, b, a, b);
    for (int64_t i = 0; i < n; i++) assert_close(a[i], tanh_gelu((double)x[i]), 1e-6);
    for (int64_t i = 0; i < n; i++) assert_close(b[i], (double)y[i] * slope_of(tanh_gelu, (double)x[i]), 1e-5);
    k->swiglu(n, x, y, out);
    for (int64_t i = 0; i < n; i++) expect(i, silu_of((double)x[i]) * (double)y[i], false, 1e-5);
    memcpy(a, y, sizeof a); /* up, then y; dy, then its gradient */
    memcpy(b, x, sizeof b);
    real dgate[MOST];
    k->swiglu_again(n, x, a, b, a, dgate, b);
    for (int64_t i = 0; i < n; i++) {
        const double gate = (double)x[i], up = (double)y[i], dy = (double)x[i];
        assert_close(a[i], silu_of(gate) * up, 1e-5);
        assert_close(b[i], silu_of(gate) * dy, 1e-5);
        assert_close(dgate[i], slope_of(silu_of, gate) * up * dy, 1e-4);
    }
    restore(n);
}

/* Pairs of numbers half a row apart, turned as complex numbers; and back. */
static void check_turning(int64_t n) {
    real angles[MOST], back[MOST];
    n -= n % 2;
    const int64_t half = n / 2;
    for (int64_t i = 0; i < half; i++) angles[i] = (real)cos((double)i), angles[half + i] = (real)sin((double)i);
    for (int metric = 0; metric < 2; metric++) {
        k->turn(n, metric ? y : NULL, angles, x, out);
        for (int64_t i = 0; i < half; i++) {
            const double a = (double)x[i] * (metric ? (double)y[i] : 1),
                         b = (double)x[half + i] * (metric ? (double)y[half + i] : 1);
            expect(i, a * cos((double)i) - b * sin((double)i), false, 1e-6);
            expect(half + i, a * sin((double)i) + b * cos((double)i), false, 1e-6);
        }
        k->turn(n, NULL, angles, x, out);
        k->turn_back(n, metric ? y : NULL, angles, out, back, false);
        for (int64_t i = 0; i < n; i++) assert_close(back[i], (double)x[i] * (metric ? (double)y[i] : 1), 2e-6);
        k->turn_back(n, metric ? y : NULL, angles, out, back, true);
        for (int64_t i = 0; i < n; i++) assert_close(back[i], 2 * (double)x[i] * (metric ? (double)y[i] : 1), 4e-6);
        k->turn(n, metric ? y : NULL, NULL, x, out);
        for (int64_t i = 0; i < n; i++) expect(i, (double)x[i] * (metric ? (double)y[i] : 1), false, 1e-6);
    }
    restore(n);
}

static void check_sums(int64_t n) {
    double sum = 0, squares = 0, inner = 0, got;
    for (int64_t i = 0; i < n; i++) {
        sum += (double)x[i];
        squares += (double)x[i] * (double)x[i];
        inner += (double)x[i] * (double)y[i];
    }
    k->sum(n, x, &got);
    assert_close(got, sum, 1e-12 * (double)n);
    k->sum_squares(n, x, &got);
    assert_close(got, squares, 1e-11 * (double)n);
    k->dot(n, x, y, &got);
    assert_close(got, inner, 1e-11 * (double)n);
    double a[300], b[300];
    for (int64_t i = 0; i < n; i++) a[i] = (double)x[i], b[i] = (double)y[i];
    k->double_dot(n, a, b, &got);
    assert_close(got, inner, 1e-11 * (double)n);
    if (n < 4) return;
    int64_t c = n - 3, rows = 5; /* rows n apart */
    k->column_sums(rows, c, x, n, out);
    for (int64_t i = 0; i < c; i++) {
        double s = 0;
        for (int64_t r = 0; r < rows; r++) s += (double)x[r * n + i];
        expect(i, s, true, 1e-6);
    }
}

static void check_layer_norm(int64_t c) {
    enum { ROWS = 5 };
    const double eps = 1e-3;
    real mean[ROWS], rstd[ROWS], dweight[MOST] = {0}, dbias[MOST] = {0};
    for (int with = 0; with < 2; with++) {
        k->layer_norm(ROWS, c, x, with ? y : NULL, with ? z : NULL, eps, out, mean, rstd);
        for (int64_t r = 0; r < ROWS; r++) {
            double m = 0, v = 0;
            for (int64_t i = 0; i < c; i++) m += (double)x[r * c + i] / (double)c;
            for (int64_t i = 0; i < c; i++) v += ((double)x[r * c + i] - m) * ((double)x[r * c + i] - m) / (double)c;
            assert_close(mean[r], m, 1e-6);
            assert_close(rstd[r], 1 / sqrt(v + eps), 1e-5 / sqrt(v + eps));
            for (int64_t i = 0; i < c; i++) {
                double n = ((double)x[r * c + i] - m) / sqrt(v + eps);
                expect(r * c + i, with ? n * (double)y[i] + (double)z[i] : n, false, 1e-5);
            }
        }
    }
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        spoil(accumulate);
        k->layer_norm_backward(ROWS, c, x, y, mean, rstd, w, out, accumulate);
        for (int64_t r = 0; r < ROWS; r++) {
            double g_mean = 0, gz_mean = 0;
            for (int64_t i = 0; i < c; i++) {
                double g = (double)w[r * c + i] * (double)y[i];
                g_mean += g / (double)c;
                gz_mean += g * ((double)x[r * c + i] - (double)mean[r]) * (double)rstd[r] / (double)c;
            }
            for (int64_t i = 0; i < c; i++) {
                double n = ((double)x[r * c + i] - (double)mean[r]) * (double)rstd[r];
                double d = (double)rstd[r] * ((double)w[r * c + i] * (double)y[i] - g_mean - n * gz_mean);
                expect(r * c + i, d, accumulate, 2e-5 * (double)rstd[r]);
            }
        }
    }
    k->layer_norm_sums(ROWS, c, x, mean, rstd, w, dweight, dbias);
    for (int64_t i = 0; i < c; i++) {
        double a = 0, b = 0;
        for (int64_t r = 0; r < ROWS; r++) {
            a += (double)w[r * c + i] * ((double)x[r * c + i] - (double)mean[r]) * (double)rstd[r];
            b += (double)w[r * c + i];
        }
        assert_close(dweight[i], a, 1e-5 * (1 + fabs(a)));
        assert_close(dbias[i], b, 1e-5);
    }
    restore(ROWS * c);
}

static void check_rms_norm(int64_t c) {
    enum { ROWS = 5 };
    const double eps = 1e-3;
    real rstd[ROWS], dweight[MOST] = {0};
    for (int with = 0; with < 2; with++) {
        k->rms_norm(ROWS, c, x, with ? y : NULL, eps, 2, out, rstd);
        for (int64_t r = 0; r < ROWS; r++) {
            double squares = 0;
            for (int64_t i = 0; i < c; i++) squares += (double)x[r * c + i] * (double)x[r * c + i] / (double)c;
            const double s = 1 / sqrt(squares + eps);
            assert_close(rstd[r], s, 1e-5 * s);
            for (int64_t i = 0; i < c; i++)
                expect(r * c + i, 2 * (double)x[r * c + i] * s * (with ? (double)y[i] : 1), false, 2e-5);
        }
    }
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        spoil(accumulate);
        k->rms_norm_backward(ROWS, c, x, y, 2, rstd, w, out, accumulate, accumulate ? dweight : NULL);
        for (int64_t r = 0; r < ROWS; r++) {
            double gz = 0;
            for (int64_t i = 0; i < c; i++)
                gz += (double)w[r * c + i] * (double)y[i] * (double)x[r * c + i] * (double)rstd[r] / (double)c;
            for (int64_t i = 0; i < c; i++) {
                const double norm = (double)x[r * c + i] * (double)rstd[r];
                expect(r * c + i, 2 * (double)rstd[r] * ((double)w[r * c + i] * (double)y[i] - norm * gz), accumulate,
                       4e-5 * (double)rstd[r]);
            }
        }
    }
    for (int64_t i = 0; i < c; i++) {
        double a = 0;
        for (int64_t r = 0; r < ROWS; r++) a += 2 * (double)w[r * c + i] * (double)x[r * c + i] * (double)rstd[r];
        assert_close(dweight[i], a, 2e-5 * (1 + fabs(a)));
    }
    restore(ROWS * c);
}

/* Rows of usual and of small length, and one below what a row is divided by at least, 1e-12. */
static void check_normalise(int64_t c) {
    static const real size[] = {1, (real)1e-7, (real)1e-14};
    for (int s = 0; s < 3; s++) {
        double squares = 0, along = 0;
        real inner;
        for (int64_t i = 0; i < c; i++) w[i] = x[i] * size[s];
        for (int64_t i = 0; i < c; i++) squares += (double)w[i] * (double)w[i], along += (double)w[i] * (double)y[i];
        const double norm = fmax(sqrt(squares), 1e-12), r = 1 / norm;
        k->normalise(c, 2, w, out);
        for (int64_t i = 0; i < c; i++) expect(i, 2 * (double)w[i] * r, false, 1e-5);
        k->normalise_backward(c, 2, w, y, out, false, &inner);
        assert_close(inner, 2 * along * r, 1e-5 * (1 + fabs(along) * r));
        for (int64_t i = 0; i < c; i++)
            assert_close(out[i], 2 * r * ((double)y[i] - (s < 2 ? (double)w[i] * r * along * r : 0)),
                         4e-5 * r * (1 + fabs((double)y[i]) + fabs(along) * r));
    }
    restore(c);
}

static double log_sum_exp(int64_t c, const real *a) {
    double m = (double)a[0], s = 0;
    for (int64_t i = 1; i < c; i++) m = fmax(m, (double)a[i]);
    for (int64_t i = 0; i < c; i++) s += exp((double)a[i] - m);
    return m + log(s);
}

static void check_batch_norm(int64_t c) {
    enum { ROWS = 5 };
    real squares[MOST] = {0}, sum[MOST] = {0}, moment[MOST] = {0};
    k->column_squares(ROWS, c, x, y, squares);
    k->batch_norm_sums(ROWS, c, x, y, w, sum, moment);
    for (int64_t i = 0; i < c; i++) {
        double a = 0, b = 0, m = 0;
        for (int64_t r = 0; r < ROWS; r++) {
            const double apart = (double)x[r * c + i] - (double)y[i];
            a += apart * apart, b += (double)w[r * c + i], m += (double)w[r * c + i] * apart;
        }
        assert_close(squares[i], a, 1e-5 * (1 + a));
        assert_close(sum[i], b, 1e-5 * (1 + fabs(b)));
        assert_close(moment[i], m, 1e-5 * (1 + a));
    }
    k->batch_norm(ROWS, c, x, y, z, w, out);
    for (int64_t e = 0; e < ROWS * c; e++)
        expect(e, ((double)x[e] - (double)y[e % c]) * (double)z[e % c] + (double)w[e % c], false, 2e-6);
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        spoil(accumulate);
        k->batch_norm_backward(ROWS, c, x, y, w, z, sum, moment, out, accumulate);
        for (int64_t e = 0; e < ROWS * c; e++) {
            const double apart = (double)x[e] - (double)y[e % c], even = (double)sum[e % c];
            expect(e, (double)z[e % c] * ((double)w[e] - even - apart * (double)moment[e % c]), accumulate, 5e-5);
        }
    }
}

/* Rows of x two channels further apart than they are wide. */
static void check_gate(int64_t c) {
    const int64_t rows = c > 2 ? 3 : 1, far = c + 2;
    real sum[MOST] = {0};
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        spoil(accumulate);
        k->gate(rows, c, x, far, y, out, c, accumulate);
        for (int64_t r = 0; r < rows; r++)
            for (int64_t i = 0; i < c; i++) expect(r * c + i, (double)x[r * far + i] * (double)y[i], accumulate, 1e-6);
    }
    restore(5 * c);
    k->gate_sums(rows, c, x, far, w, c, sum);
    for (int64_t i = 0; i < c; i++) {
        double want = 0;
        for (int64_t r = 0; r < rows; r++) want += (double)x[r * far + i] * (double)w[r * c + i];
        assert_close(sum[i], want, 1e-5 * (1 + fabs(want)));
    }
}

/* A line of 3 pixels and that below it; above is the edge. */
static void check_depthwise(int64_t c) {
    enum { WIDTH = 3 };
    static real weight[9 * 300], zeros[300], sum[10 * 300];
    const foci_depthwise_line line = {WIDTH, c, {NULL, x, y}, zeros};
    for (int64_t i = 0; i < 9 * c; i++) weight[i] = (real)sin((double)(3 * i + 1));
    memset(sum, 0, sizeof sum);
    k->depthwise_sums(&line, w, sum);
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        spoil(accumulate);
        k->depthwise(&line, weight, z, out, accumulate);
        for (int64_t e = 0; e < WIDTH * c; e++) {
            double want = (double)z[e % c];
            for (int t = 3; t < 9; t++) {
                const int64_t at = e / c + t % 3 - 1;
                if (at < 0 || at >= WIDTH) continue;
                want += (double)weight[t * c + e % c] * (double)line.line[t / 3][at * c + e % c];
            }
            expect(e, want, accumulate, 1e-5);
        }
    }
    restore(WIDTH * c);
    for (int64_t i = 0; i < 10 * c; i++) {
        const int64_t t = i / c;
        double want = 0;
        for (int64_t j = 0; j < WIDTH; j++) {
            const int64_t at = j + t % 3 - 1;
            const bool inside = t >= 3 && at >= 0 && at < WIDTH;
            const double pixel = t == 9 ? 1 : inside ? (double)line.line[t / 3][at * c + i % c] : 0;
            want += pixel * (double)w[j * c + i % c];
        }
        assert_close(sum[i], want, 1e-5 * (1 + fabs(want)));
    }
}

static void check_softmax(int64_t c) {
    enum { ROWS = 5 };
    k->softmax(ROWS, c, x, out);
    for (int64_t j = 0; j < ROWS * c; j++) expect(j, exp((double)x[j] - log_sum_exp(c, x + j / c * c)), false, 1e-6);
    memcpy(y, out, sizeof y);
    k->log_softmax(ROWS, c, x, out);
    for (int64_t j = 0; j < ROWS * c; j++) expect(j, (double)x[j] - log_sum_exp(c, x + j / c * c), false, 1e-6);
    memcpy(z, out, sizeof z);
    for (int accumulate = 0; accumulate < 2; accumulate++) {
        spoil(accumulate);
        k->softmax_backward(ROWS, c, y, w, out, accumulate);
        for (int64_t j = 0; j < ROWS * c; j++) {
            double inner = 0;
            for (int64_t i = j / c * c; i < j / c * c + c; i++) inner += (double)w[i] * (double)y[i];
            expect(j, (double)y[j] * ((double)w[j] - inner), accumulate, 1e-6);
        }
        spoil(false);
        k->softmax_dropout_backward(c, y, x, w, out);
        for (int64_t j = 0; j < c; j++) {
            double inner = 0;
            for (int64_t i = 0; i < c; i++) inner += (double)w[i] * (double)x[i];
            expect(j, (double)x[j] * (double)w[j] - (double)y[j] * inner, false, 3e-6 * (1 + fabs(inner)));
        }
        spoil(accumulate);
        k->log_softmax_backward(ROWS, c, z, w, out, accumulate);
        for (int64_t j = 0; j < ROWS * c; j++) {
            double sum = 0;
            for (int64_t i = j / c * c; i < j / c * c + c; i++) sum += (double)w[i];
            expect(j, (double)w[j] - exp((double)z[j]) * sum, accumulate, 3e-6);
        }
        for (int with = 0; with < 2; with++) {
            spoil(accumulate);
            k->cross_entropy_backward(c, x, (real)1.5, (real)0.75, with ? w : NULL, (real)0.125, 2, out, accumulate);
            for (int64_t j = 0; j < c; j++)
                expect(j, 2 * (0.75 * exp((double)x[j] - 1.5) - (with ? (double)w[j] : 0) - 0.125), accumulate, 2e-6);
        }
    }
    restore(ROWS * c);
}

/* The running log-sum-exp over two halves is that of the whole; and back to probabilities. */
static void check_exp_sums(int64_t c) {
    enum { ROWS = 5 };
    real max[ROWS], sum[ROWS];
    int64_t half = c / 2;
    for (int r = 0; r < ROWS; r++) {
        max[r] = -INFINITY;
        sum[r] = 0;
    }
    if (half) k->exp_sums(ROWS, half, x, c, max, sum);
    k->exp_sums(ROWS, c - half, x + half, c, max, sum);
    for (int r = 0; r < ROWS; r++) assert_close(max[r] + (real)log((double)sum[r]), log_sum_exp(c, x + r * c), 2e-6);
}

/* A softmax down the columns, its words in two tiles of 3 and 2; and its gradient but for the targets. */
static void check_column_softmax(int64_t c) {
    enum { WORDS = 5, SPLIT = 3 };
    const real bias[WORDS] = {0.5, -1, 2, 0, 0.25};
    real *max = calloc((size_t)(6 * c), sizeof *max), *sum = max + 2 * c, *lse = max + 4 * c, *d = max + 5 * c;
    for (int64_t i = 0; i < c; i++) d[i] = (real)(i % 5 - 2);
    for (int with_bias = 0; with_bias < 2; with_bias++) {
        real sums[WORDS] = {1, 2, 3, 4, 5};
        memcpy(out, x, (size_t)(WORDS * c) * sizeof *out);
        k->column_exp(SPLIT, c, out, c, with_bias ? bias : NULL, max, sum);
        k->column_exp(WORDS - SPLIT, c, out + SPLIT * c, c, with_bias ? bias + SPLIT : NULL, max + c, sum + c);
        k->column_lse(2, c, max, sum, lse);
        k->column_softmax(SPLIT, c, out, c, max, lse, d, sums);
        k->column_softmax(WORDS - SPLIT, c, out + SPLIT * c, c, max + c, lse, d, NULL);
        double total[WORDS] = {1, 2, 3};
        for (int64_t i = 0; i < c; i++) {
            real logit[WORDS];
            for (int j = 0; j < WORDS; j++) logit[j] = x[j * c + i] + (with_bias ? bias[j] : 0);
            const double want = log_sum_exp(WORDS, logit);
            assert_close(lse[i], want, 2e-6);
            for (int j = 0; j < WORDS; j++) {
                const double g = (double)d[i] * exp((double)logit[j] - want);
                expect(j * c + i, g, false, 2e-6);
                total[j] += g;
            }
        }
        for (int j = 0; j < SPLIT; j++) assert_close(sums[j], total[j], 1e-5 * (double)(c + 1));
        assert_true(sums[SPLIT] == 4); /* not wanted */
    }
    restore(WORDS * c);
    free(max);
}

static void check_dropout(int64_t n) {
    const uint64_t firsts[] = {0, 1, 2, 3, 7, 125, 0xffffffffu * UINT64_C(8) + 6};
    for (int f = 0; f < 7; f++)
        for (int accumulate = 0; accumulate < 2; accumulate++) {
            foci_dropout_mask mask = {5, 9, 77, firsts[f], 0x6000, (real)1.6};
            spoil(accumulate);
            k->dropout(n, &mask, x, out, accumulate);
            for (int64_t i = 0; i < n; i++) {
                const bool zero = dropped(&mask, firsts[f] + (uint64_t)i);
                expect(i, zero ? 0 : 1.6 * (double)x[i], accumulate, 1e-6);
            }
        }
    restore(n);
}

static void check_adam(int64_t n) {
    for (int decoupled = 0; decoupled < 2; decoupled++) {
        foci_adam_step s = {.lr = 0.01,
                            .beta1 = 0.9,
                            .beta2 = 0.99,
                            .eps = 1e-3,
                            .decay = 0.1,
                            .decoupled = decoupled,
                            .correction1 = 1 - pow(0.9, 3),
                            .correction2 = 1 - pow(0.99, 3),
                            .grad_scale = 0.5};
        real m[MOST], v[MOST];
        for (int i = 0; i < MOST; i++) {
            m[i] = y[i];
            v[i] = z[i] * z[i];
        }
        memcpy(out, before, sizeof out);
        k->adam(n, out, x, m, v, &s);
        for (int64_t i = 0; i < n; i++) {
            double theta = (double)before[i], g = 0.5 * (double)x[i] + (decoupled ? 0 : 0.1 * theta);
            double m1 = 0.9 * (double)y[i] + 0.1 * g, v1 = 0.99 * (double)z[i] * (double)z[i] + 0.01 * g * g;
            double want = theta * (decoupled ? 1 - 0.01 * 0.1 : 1) -
                          0.01 / s.correction1 * m1 / (sqrt(v1 / s.correction2) + 1e-3);
            expect(i, want, false, 2e-6);
            assert_close(m[i], m1, 1e-6 * (1 + fabs(m1)));
            assert_close(v[i], v1, 1e-6 * (1 + fabs(v1)));
        }
    }
    restore(n);
}

static void check_sgd(int64_t n) {
    foci_sgd_step s = {.lr = 0.1, .momentum = 0.9, .decay = 0.01, .grad_scale = 2};
    real momentum[MOST];
    for (int nesterov = 0; nesterov < 2; nesterov++) {
        s.nesterov = nesterov;
        memcpy(momentum, y, sizeof y);
        k->sgd(n, out, x, momentum, &s);
        for (int64_t i = 0; i < n; i++) {
            double g = 2 * (double)x[i] + 0.01 * (double)before[i], b = 0.9 * (double)y[i] + g;
            assert_close(momentum[i], b, 1e-6 * (1 + fabs(b)));
            expect(i, (double)before[i] - 0.1 * (nesterov ? g + 0.9 * b : b), false, 1e-6);
        }
        memcpy(out, before, (size_t)n * sizeof *out);
    }
}

/* Whole numbers: no tolerance. The weights sum to 1 and reach below 0 and above 1, so that sums leave the range of a
 * byte. */
static void check_resample(int64_t n) {
    enum { ROWS = 9 };
    static const int64_t shares[ROWS] = {-3, 5, 1, -2, 4, 7, -6, 8, 2}; /* 16ths */
    unsigned char bytes[ROWS * 300], sums[301];
    int weight[ROWS];
    for (int64_t i = 0; i < ROWS * n; i++)
        bytes[i] = (unsigned char)(x[i % MOST] > 1 ? 255 : x[i % MOST] < -1 ? 0 : 97 * i);
    for (int64_t count = 1; count <= ROWS; count++) {
        int64_t rest = 16;
        for (int64_t r = 0; r < count; r++) {
            int64_t share = r + 1 < count ? shares[r] : rest;
            weight[r] = (int)(share * (1 << (FOCI_RESAMPLE_BITS - 4)));
            rest -= share;
        }
        memset(sums, 77, sizeof sums);
        k->resample(n, count, weight, bytes, sums);
        for (int64_t i = 0; i < n; i++) {
            double sum = 0;
            for (int64_t r = 0; r < count; r++) sum += weight[r] * (double)bytes[r * n + i];
            sum = floor(sum / (1 << FOCI_RESAMPLE_BITS) + 0.5);
            assert_int_equal(sums[i], sum < 0 ? 0 : sum > 255 ? 255 : (int)sum);
        }
        assert_int_equal(sums[n], 77);
    }
}

/* Of four coordinates, near and far (radius 40): products with their signs, their powers, and the slopes. */
static double argument(int64_t n, int64_t d, int64_t j, real radius) {
    return (double)(radius * (y[d] - x[d * n + j]));
}

static void check_sinc_product(int64_t n, real radius) {
    const real radii[4] = {radius, radius, radius, radius};
    real exponent[300], weight[301];
    x[0] = y[0], x[n] = y[1]; /* where sin x / x is 1 */
    k->sinc_product(n, 4, y, radii, x, n, out, exponent);
    for (int64_t j = 0; j < n; j++) {
        double want = 1, size = 1;
        for (int64_t d = 0; d < 4; d++) {
            const double a = argument(n, d, j, radius);
            want *= a == 0 ? 1 : sin(a) / a;
            size /= fmax(1, fabs(a));
        }
        assert_true(fabs((double)out[j]) >= 1 && fabs((double)out[j]) < 2);
        assert_close(ldexp((double)out[j], (int)exponent[j]), want, 1e-6 * size);
    }
    weight[n] = 77;
    k->sinc_weights(n, 3, 2, out, exponent, weight);
    for (int64_t j = 0; j < n; j++) {
        const double want = pow(ldexp((double)out[j], (int)exponent[j] - 2), 3);
        assert_close(weight[j], want, fabs(want) < 0x1p-126 ? 0x1p-123 : 1e-6 * fabs(want));
    }
    assert_true(weight[n] == 77);
}

static void check_sinc(int64_t n) {
    const real radii[4] = {(real)0.05, (real)0.1, (real)0.15, (real)0.2};
    real dq[4], dk[4 * 300];
    double dradius[4] = {1, 1, 1, 1};
    check_sinc_product(n, 1);
    check_sinc_product(n, 40);
    memset(dk, 0, sizeof dk);
    k->sinc_gradient(n, 4, y, radii, x, n, z, dq, dk, dradius);
    for (int64_t d = 0; d < 4; d++) {
        double sum = 0, along = 1, size = 1;
        for (int64_t j = 0; j < n; j++) {
            const double a = argument(n, d, j, radii[d]), c = a == 0 ? 0 : (1 / tan(a) - 1 / a) * (double)z[j];
            assert_close(dk[d * n + j], -c, 1e-6 * (1 + fabs(c)));
            sum += c;
            along += c * a / (double)radii[d];
            size += fabs(c) * (1 + fabs(a) / (double)radii[d]);
        }
        assert_close(dq[d], sum, 1e-6 * size);
        assert_close(dradius[d], along, 1e-6 * size);
    }
    restore(n);
}

/* x y / 4 as an inner product between lengths of about 1; what rounding makes a negative distance is 0. */
static void check_gaussians(int64_t n) {
    for (int64_t i = 0; i < n; i++) out[i] = x[i] * y[i] / 4, w[i] = 1 + w[i] * w[i];
    out[0] = 3, w[0] = 4;
    real given[300];
    memcpy(given, out, sizeof given);
    k->gaussians(n, (real)0.3, (real)1.5, w, out);
    for (int64_t i = 0; i < n; i++) {
        const double near = 0.3 * (2 * (double)given[i] - 1.5 - (double)w[i]);
        assert_close(out[i], near > 0 ? 1 : exp(near), 1e-6);
    }
    assert_true(out[0] == 1);
    restore(n);
}

static void for_all_isas(void (*check)(int64_t n)) {
    for (int isa = 0; isa < FOCI_ISA_COUNT; isa++) {
        k = foci_kernels_of((foci_isa)isa);
        if (k) at_sizes(check);
    }
}

static void elementwise(void **state) {
    (void)state;
    for_all_isas(check_elementwise);
}
static void sums(void **state) {
    (void)state;
    for_all_isas(check_sums);
}
static void rms_norm(void **state) {
    (void)state;
    for_all_isas(check_rms_norm);
}
static void normalise(void **state) {
    (void)state;
    for_all_isas(check_normalise);
}
static void layer_norm(void **state) {
    (void)state;
    for_all_isas(check_layer_norm);
}
static void batch_norm(void **state) {
    (void)state;
    for_all_isas(check_batch_norm);
}
static void gate(void **state) {
    (void)state;
    for_all_isas(check_gate);
}
static void depthwise(void **state) {
    (void)state;
    for_all_isas(check_depthwise);
}
static void softmax(void **state) {
    (void)state;
    for_all_isas(check_softmax);
}
static void exp_sums(void **state) {
    (void)state;
    for_all_isas(check_exp_sums);
}
static void column_softmax(void **state) {
    (void)state;
    for_all_isas(check_column_softmax);
}
static void dropout(void **state) {
    (void)state;
    for_all_isas(check_dropout);
}
static void adam(void **state) {
    (void)state;
    for_all_isas(check_adam);
}
static void sgd(void **state) {
    (void)state;
    for_all_isas(check_sgd);
}

static void resample(void **state) {
    (void)state;
    for_all_isas(check_resample);
}

static void activations(void **state) {
    (void)state;
    for_all_isas(check_activations);
}
static void turning(void **state) {
    (void)state;
    for_all_isas(check_turning);
}

/* GELU to float accuracy over its whole range, tails included. */
static void gelu_is_exact(void **state) {
    (void)state;
    for (int isa = 0; isa < FOCI_ISA_COUNT; isa++) {
        k = foci_kernels_of((foci_isa)isa);
        if (!k) continue;
        for (int start = -12000; start < 12000; start += 1000) {
            for (int i = 0; i < 1000; i++) x[i] = (real)(start + i) / 1000;
            k->gelu(1000, x, out);
            for (int i = 0; i < 1000; i++) {
                double want = (double)x[i] * phi((double)x[i]);
                assert_close(out[i], want, 2e-7 * fabs((double)x[i])); /* Phi to 2e-7 */
                assert_close(out[i], want, 1e-5 * fabs(want) + 1e-36); /* and the tail to 1e-5 of itself */
            }
        }
    }
}

static void infinities_and_nan(void **state) {
    (void)state;
    for (int isa = 0; isa < FOCI_ISA_COUNT; isa++) {
        k = foci_kernels_of((foci_isa)isa);
        if (!k) continue;
        for (int i = 0; i < 40; i++) x[i] = -INFINITY;
        x[7] = 3;
        k->softmax(1, 40, x, out); /* masked entries get exactly nothing */
        for (int i = 0; i < 40; i++) assert_true(out[i] == (i == 7));
        x[39] = NAN;
        k->softmax(1, 40, x, out);
        assert_true(isnan(out[0]));
        k->relu(40, x, out);
        assert_true(isnan(out[39]));
        k->gelu(40, x, out);
        assert_true(isnan(out[39]));
    }
}

static void gaussians(void **state) {
    (void)state;
    for_all_isas(check_gaussians);
}

static void sinc(void **state) {
    (void)state;
    for_all_isas(check_sinc);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(elementwise),
                                       cmocka_unit_test(activations),
                                       cmocka_unit_test(turning),
                                       cmocka_unit_test(sums),
                                       cmocka_unit_test(layer_norm),
                                       cmocka_unit_test(rms_norm),
                                       cmocka_unit_test(normalise),
                                       cmocka_unit_test(softmax),
                                       cmocka_unit_test(exp_sums),
                                       cmocka_unit_test(dropout),
                                       cmocka_unit_test(column_softmax),
                                       cmocka_unit_test(adam),
                                       cmocka_unit_test(sgd),
                                       cmocka_unit_test(resample),
                                       cmocka_unit_test(gelu_is_exact),
                                       cmocka_unit_test(infinities_and_nan),
                                       cmocka_unit_test(gaussians),
                                       cmocka_unit_test(sinc),
                                       cmocka_unit_test(batch_norm),
                                       cmocka_unit_test(gate),
                                       cmocka_unit_test(depthwise)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
