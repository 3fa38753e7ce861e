/* The number type of all computing. The product is float; the same sources compiled with -DFOCI_DOUBLE are the oracle
 * of the tests (gradient checks to 1e-6). */
#ifndef FOCI_REAL_H
#define FOCI_REAL_H

#ifdef FOCI_DOUBLE
typedef double foci_real;
#else
typedef float foci_real;
#endif

#endif
