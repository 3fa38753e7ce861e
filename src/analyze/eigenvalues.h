/* Eigenvalues of symmetric matrices, small ones: for spectra of tokens. */
#ifndef FOCI_ANALYZE_EIGENVALUES_H
#define FOCI_ANALYZE_EIGENVALUES_H

#include <stdint.h>

/* a (n, n), symmetric, is overwritten; value (n), in no order. `spare` holds n numbers. */
void foci_eigenvalues(int64_t n, double *a, double *value, double *spare);

#endif
