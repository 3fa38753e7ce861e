#include "kernels/openblas.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/parallel.h"

/* What it reserves at its start, and again for each thread that calls it. */
static const size_t room_each = (size_t)160 << 20;

enum { SERIAL, THREADS, OPENMP, KINDS }; /* as openblas_get_parallel has them */

static struct {
    foci_openblas blas;
    foci_error error;
} loaded;

static foci_status check_room(void) {
    const size_t left = foci_address_space_left(), needed = room_each * (size_t)(foci_threads() + 1);
    if (left >= needed) return FOCI_OK;
    return foci_fail(FOCI_ERR_RUNTIME, "OpenBLAS takes %zu MB of address space with %d threads, and %zu MB are left",
                     needed >> 20, foci_threads(), left >> 20);
}

/* The OpenMP build, where the distribution keeps it; else what the system calls OpenBLAS. */
static void *open_library(void) {
    void *library = dlopen(FOCI_OPENBLAS, RTLD_LAZY | RTLD_LOCAL);
    return library ? library : dlopen("libopenblas.so.0", RTLD_LAZY | RTLD_LOCAL);
}

static foci_status load(foci_openblas *blas) {
    static const char *const kinds[KINDS] = {"serial", "pthread", "OpenMP"};
    FOCI_TRY(check_room());
    void *library = open_library();
    if (!library)
        return foci_fail(FOCI_ERR_RUNTIME, "OpenBLAS is not here (%s); install libopenblas0-openmp", dlerror());
#ifdef FOCI_DOUBLE
    *(void **)&blas->gemm = dlsym(library, "cblas_dgemm");
#else
    *(void **)&blas->gemm = dlsym(library, "cblas_sgemm");
#endif
    int (*parallel)(void);
    char *(*config)(void);
    void (*set_threads)(int);
    *(void **)&parallel = dlsym(library, "openblas_get_parallel");
    *(void **)&config = dlsym(library, "openblas_get_config");
    *(void **)&set_threads = dlsym(library, "openblas_set_num_threads");
    if (!blas->gemm || !parallel || !config || !set_threads)
        return foci_fail(FOCI_ERR_RUNTIME, "what is called OpenBLAS here is another library");
    const int kind = parallel();
    char version[32] = "?";
    sscanf(config(), "OpenBLAS %31s", version);
    snprintf(blas->name, sizeof blas->name, "OpenBLAS %s (%s)", version, kind >= 0 && kind < KINDS ? kinds[kind] : "?");
    if (kind == THREADS) set_threads(1); /* its pool stays asleep */
    if (kind == OPENMP || kind == THREADS) return FOCI_OK;
    return foci_fail(FOCI_ERR_RUNTIME, "%s is not safe to call from several threads: install libopenblas0-openmp",
                     blas->name);
}

static void load_once(void) { foci_error_take(&loaded.error, load(&loaded.blas)); }

foci_status foci_openblas_load(const foci_openblas **blas) {
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, load_once);
    *blas = &loaded.blas;
    return loaded.error.status ? foci_error_raise(&loaded.error) : FOCI_OK;
}
