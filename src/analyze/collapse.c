#include "analyze/collapse.h"

#include <math.h>
#include <stdlib.h>

#include "analyze/eigenvalues.h"

/* The unit vectors' sum s has |s|^2 = their number + twice the sum of all pairs' cosines. */
double foci_token_cosine(const foci_real *x, int64_t tokens, int64_t width) {
    double *sum = calloc((size_t)width, sizeof *sum), square = 0;
    int64_t units = 0;
    if (!sum) return (double)NAN;
    for (int64_t i = 0; i < tokens; i++) {
        const foci_real *row = x + i * width;
        double length = 0;
        for (int64_t c = 0; c < width; c++) length += (double)row[c] * (double)row[c];
        if (length == 0) continue;
        units++;
        length = sqrt(length);
        for (int64_t c = 0; c < width; c++) sum[c] += (double)row[c] / length;
    }
    for (int64_t c = 0; c < width; c++) square += sum[c] * sum[c];
    free(sum);
    return tokens < 2 ? (double)NAN : (square - (double)units) / (double)(tokens * (tokens - 1));
}

void foci_head_distances(const foci_real *map, int64_t heads, int64_t size, double *distance) {
    for (int64_t g = 0; g < heads; g++)
        for (int64_t h = g + 1; h < heads; h++) {
            const foci_real *a = map + g * size, *b = map + h * size;
            double square = 0;
            for (int64_t i = 0; i < size; i++) {
                const double d = (double)a[i] - (double)b[i];
                square += d * d;
            }
            *distance++ = sqrt(square);
        }
}

static double entropy_of_share(double p) { return p > 0 ? -p * log(p) : 0; }

/* The smaller of x xt and xt x: the same eigenvalues but zeros. */
static void gram(const foci_real *x, int64_t tokens, int64_t width, double *a) {
    const int64_t n = tokens < width ? tokens : width, depth = tokens < width ? width : tokens;
    const int64_t row = tokens < width ? width : 1, step = tokens < width ? 1 : width;
    for (int64_t i = 0; i < n; i++)
        for (int64_t j = 0; j <= i; j++) {
            double sum = 0;
            for (int64_t k = 0; k < depth; k++) sum += (double)x[i * row + k * step] * (double)x[j * row + k * step];
            a[i * n + j] = a[j * n + i] = sum;
        }
}

double foci_effective_rank(const foci_real *x, int64_t tokens, int64_t width) {
    const int64_t n = tokens < width ? tokens : width;
    double *a = malloc((size_t)(n * (n + 2)) * sizeof *a), sum = 0, entropy = 0;
    if (!a) return (double)NAN;
    double *value = a + n * n;
    gram(x, tokens, width, a);
    foci_eigenvalues(n, a, value, value + n);
    for (int64_t i = 0; i < n; i++) sum += value[i] = value[i] > 0 ? sqrt(value[i]) : 0;
    for (int64_t i = 0; i < n; i++) entropy += entropy_of_share(value[i] / sum);
    free(a);
    return sum > 0 ? exp(entropy) : (double)NAN;
}

foci_spread foci_metric_spread(const foci_real *m, int64_t width) {
    foci_spread s = {.min = (double)m[0], .max = (double)m[0]};
    double sum = 0;
    for (int64_t d = 0; d < width; d++) {
        s.min = fmin(s.min, (double)m[d]);
        s.max = fmax(s.max, (double)m[d]);
        sum += (double)m[d];
    }
    s.mean = sum / (double)width;
    for (int64_t d = 0; d < width; d++) s.entropy += entropy_of_share((double)m[d] / sum);
    s.coordinates = exp(s.entropy);
    return s;
}

void foci_rollout_start(int64_t tokens, double *rollout) {
    for (int64_t i = 0; i < tokens * tokens; i++) rollout[i] = i % (tokens + 1) == 0;
}

void foci_rollout_layer(const foci_real *map, int64_t heads, int64_t tokens, double *rollout, double *spare) {
    const int64_t size = tokens * tokens;
    for (int64_t i = 0; i < tokens; i++) {
        double *row = spare + i * tokens;
        for (int64_t c = 0; c < tokens; c++) row[c] = rollout[i * tokens + c] / 2;
        for (int64_t j = 0; j < tokens; j++) {
            double share = 0;
            for (int64_t h = 0; h < heads; h++) share += (double)map[h * size + i * tokens + j];
            share /= 2 * (double)heads;
            if (share == 0) continue; /* a causal map is half empty */
            for (int64_t c = 0; c < tokens; c++) row[c] += share * rollout[j * tokens + c];
        }
    }
    for (int64_t i = 0; i < size; i++) rollout[i] = spare[i];
}
