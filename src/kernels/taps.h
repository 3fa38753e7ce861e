/* Antialiased resampling along one axis, as PIL and PyTorch (antialias=True) define it: which inputs make an output,
 * and with which weights. The filter widens by as much as it shrinks. */
#ifndef FOCI_KERNELS_TAPS_H
#define FOCI_KERNELS_TAPS_H

typedef enum foci_filter { FOCI_FILTER_CUBIC, FOCI_FILTER_TRIANGLE } foci_filter; /* Keys' cubic with a = -1/2 */

/* The most inputs that one of `out` outputs reads. */
int foci_taps_most(int in, int out, foci_filter filter);
/* Output i is made of inputs *first .. *first + count - 1; returns the count, and their weights, whose sum is 1. */
int foci_taps(int in, int out, foci_filter filter, int i, int *first, double *weight);

#endif
