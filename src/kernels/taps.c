#include "kernels/taps.h"

#include <math.h>

static double triangle(double x) { return x < 1 ? 1 - x : 0; }

static double cubic(double x) {
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? ((-0.5 * x + 2.5) * x - 4) * x + 2 : 0;
}

static double widening(int in, int out) { return in > out ? (double)in / out : 1; }
static double support(int in, int out, foci_filter filter) {
    return (filter == FOCI_FILTER_CUBIC ? 2.0 : 1.0) * widening(in, out);
}

int foci_taps_most(int in, int out, foci_filter filter) { return 2 * (int)ceil(support(in, out, filter)) + 1; }

int foci_taps(int in, int out, foci_filter filter, int i, int *first, double *weight) {
    const double centre = (i + 0.5) * ((double)in / out), reach = support(in, out, filter), wide = widening(in, out);
    const int begin = (int)fmax(centre - reach + 0.5, 0), end = (int)fmin(centre + reach + 0.5, in);
    double sum = 0;
    for (int k = begin; k < end; k++) {
        const double x = fabs((k + 0.5 - centre) / wide);
        sum += weight[k - begin] = filter == FOCI_FILTER_CUBIC ? cubic(x) : triangle(x);
    }
    for (int k = begin; k < end; k++) weight[k - begin] /= sum;
    *first = begin;
    return end - begin;
}
