/* Householder reflections make the matrix tridiagonal, implicit QR steps with Wilkinson's shift make it diagonal (Golub
 * and Van Loan, "Matrix Computations", 8.3). No eigenvectors. */
#include "analyze/eigenvalues.h"

#include <float.h>
#include <math.h>

/* diagonal (n), beside (n - 1): from the lower triangle of a, column by column. */
static void tridiagonalise(int64_t n, double *a, double *diagonal, double *beside) {
    for (int64_t k = 0; k + 1 < n; k++) {
        const int64_t m = n - k - 1;   /* length of the column below the diagonal */
        double *v = a + k * n + k + 1; /* the reflection's vector, in row k, which is read no more */
        double *p = beside + k, *b = a + (k + 1) * n + k + 1; /* p (m): room that later steps fill; b: the rest */
        double square = 0;
        diagonal[k] = a[k * n + k];
        for (int64_t i = 0; i < m; i++) v[i] = b[i * n - 1];
        for (int64_t i = 0; i < m; i++) square += v[i] * v[i];
        const double length = v[0] > 0 ? -sqrt(square) : sqrt(square);
        if (square == 0 || m == 1) {
            beside[k] = v[0];
            continue;
        }
        v[0] -= length;
        const double factor = 1 / (-length * v[0]); /* 2 / |v|^2 */
        double along = 0;
        for (int64_t i = 0; i < m; i++) {
            double sum = 0;
            for (int64_t j = 0; j <= i; j++) sum += b[i * n + j] * v[j];
            for (int64_t j = i + 1; j < m; j++) sum += b[j * n + i] * v[j];
            p[i] = factor * sum;
            along += p[i] * v[i];
        }
        for (int64_t i = 0; i < m; i++) p[i] -= factor / 2 * along * v[i];
        for (int64_t i = 0; i < m; i++)
            for (int64_t j = 0; j <= i; j++) b[i * n + j] -= v[i] * p[j] + p[i] * v[j];
        beside[k] = length;
    }
    diagonal[n - 1] = a[n * n - 1];
}

/* One QR step on the block first .. last. */
static void chase(int64_t first, int64_t last, double *d, double *e) {
    const double half = (d[last - 1] - d[last]) / 2, b = e[last - 1];
    const double root = copysign(hypot(half, b), half);
    double x = d[first] - d[last] + b * (b / (half + root)), z = e[first];
    for (int64_t k = first; k < last; k++) {
        const double r = hypot(x, z), c = r > 0 ? x / r : 1, s = r > 0 ? z / r : 0;
        if (k > first) e[k - 1] = r;
        const double p = d[k], q = d[k + 1], o = e[k];
        d[k] = c * c * p + 2 * c * s * o + s * s * q;
        d[k + 1] = s * s * p - 2 * c * s * o + c * c * q;
        e[k] = c * s * (q - p) + (c * c - s * s) * o;
        if (k + 1 == last) return;
        x = e[k];
        z = s * e[k + 1];
        e[k + 1] *= c;
    }
}

static void diagonalise(int64_t n, double *d, double *e) {
    int64_t last = n - 1;
    /* about two a value; never so many where numbers are finite */
    for (int64_t step = 0; last > 0 && step < 60 * n; step++) {
        int64_t first = last;
        while (first > 0 && fabs(e[first - 1]) > DBL_EPSILON * (fabs(d[first - 1]) + fabs(d[first]))) first--;
        if (first == last) last--;
        else chase(first, last, d, e);
    }
}

void foci_eigenvalues(int64_t n, double *a, double *value, double *spare) {
    if (n < 1) return;
    tridiagonalise(n, a, value, spare);
    diagonalise(n, value, spare);
}
