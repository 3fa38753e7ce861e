/* Antialiased resampling along one axis, as PIL and PyTorch (antialias=True) define it: which inputs make an output,
 * and with which weights. The filter widens by as much as it shrinks. */
#ifndef FOCI_KERNELS_TAPS_H
#define FOCI_KERNELS_TAPS_H

#include <stdint.h>

typedef enum foci_filter { FOCI_FILTER_CUBIC, FOCI_FILTER_TRIANGLE } foci_filter; /* Keys' cubic with a = -1/2 */

/* The most inputs that one of `out` outputs reads. */
int foci_taps_most(int in, int out, foci_filter filter);
/* Output i is made of inputs *first .. *first + count - 1; returns the count, and their weights, whose sum is 1. */
int foci_taps(int in, int out, foci_filter filter, int i, int *first, double *weight);

/* Not antialiased, PyTorch's interpolate (align_corners False): output i of `out` lies between two inputs of `in`, of
 * which the second has this share. They are the same beyond the outermost centres. */
typedef struct foci_neighbours {
    int64_t low, high;
    double share;
} foci_neighbours;
static inline foci_neighbours foci_neighbours_of(int64_t in, int64_t out, int64_t i) {
    const double at = ((double)i + 0.5) * ((double)in / (double)out) - 0.5, x = at > 0 ? at : 0;
    const int64_t low = (int64_t)x < in ? (int64_t)x : in - 1;
    return (foci_neighbours){low, low + 1 < in ? low + 1 : low, low + 1 < in ? x - (double)low : 0};
}

#endif
