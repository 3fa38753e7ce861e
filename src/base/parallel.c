#include "base/parallel.h"

#include "base/error.h"

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

foci_status foci_each(int64_t n, foci_status (*one)(void *context, int64_t i), void *context) {
    foci_error error = {FOCI_OK, ""};
    int64_t failed = n;
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < n; i++) {
        int64_t before;
#pragma omp atomic read
        before = failed;
        foci_status status = i < before ? one(context, i) : FOCI_OK;
        if (!status) continue;
#pragma omp critical(foci_each)
        if (i < failed) {
            foci_error_take(&error, status);
#pragma omp atomic write
            failed = i;
        }
    }
    return error.status ? foci_error_raise(&error) : FOCI_OK;
}
