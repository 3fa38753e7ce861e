#include "base/parallel.h"

#include "foci/foci.h"

static int chosen;

void foci_set_threads(int threads) {
    chosen = threads > 0 ? threads : omp_get_num_procs();
    omp_set_dynamic(0);
    omp_set_num_threads(chosen);
}

int foci_threads(void) {
    if (!chosen) foci_set_threads(0);
    return chosen;
}

void foci_limit_threads(int most) {
    int threads = foci_threads();
    omp_set_num_threads(threads < most ? threads : most);
}
