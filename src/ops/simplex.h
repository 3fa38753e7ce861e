/* A quadratic programme on the simplex, in double: minimise w G w / 2 - beta/N 1 G w over w >= 0, sum w = 1.
 *
 * With w = beta/N + y that is y G y / 2 over y >= -beta/N, sum y = 1 - beta. An active-set method: on the free
 * variables G y + nu = 0 is solved by Cholesky's factor; what would fall below its bound is held there, what would gain
 * from being freed is freed, until neither happens: an exact method, with G + 1e-12 in place of G, which is close to
 * singular where points lie close together, and multipliers of held variables to 1e-12. */
#ifndef FOCI_OPS_SIMPLEX_H
#define FOCI_OPS_SIMPLEX_H

#include "foci/foci.h"
#include "foci/real.h"

/* Doubles of scratch memory. */
int64_t foci_simplex_scratch(int64_t n);
/* w (n) from g (n, n), symmetric. The number of systems solved, or -1 where 10 n + 100 of them did not settle it. */
int64_t foci_simplex(int64_t n, const double *g, double beta, double *w, double *scratch);

#endif
