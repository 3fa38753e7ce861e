#include "base/parallel.h"

#include <pthread.h>

#include "base/error.h"

static int chosen;

/* OMP_NUM_THREADS, or the cores this process may use: what OpenMP says before it is told otherwise. */
static int usual(void) {
    static int threads;
    if (!threads) threads = omp_get_max_threads();
    return threads;
}

void foci_set_threads(int threads) {
    const int otherwise = usual();
    chosen = threads > 0 ? threads : otherwise;
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

static void *wait_for(void *gate) {
    pthread_mutex_lock(gate);
    pthread_mutex_unlock(gate);
    return NULL;
}

/* How many of so many threads there can be at once, beside this one. */
static int can_start(int wanted) {
    enum { MOST = 1024, STACK = 4 << 20 };
    pthread_t thread[MOST];
    pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
    pthread_attr_t attributes;
    int n = 0;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    pthread_mutex_lock(&gate);
    while (n < wanted && n < MOST && pthread_create(&thread[n], &attributes, wait_for, &gate) == 0) n++;
    pthread_mutex_unlock(&gate);
    for (int i = 0; i < n; i++) pthread_join(thread[i], NULL);
    pthread_attr_destroy(&attributes);
    return n;
}

void foci_start_threads(void) {
    const int wanted = foci_threads(), most = 1 + can_start(wanted - 1);
    if (most < wanted) {
        foci_log(FOCI_LOG_WARN, "only %d of %d threads can be started (a limit on processes or memory)", most, wanted);
        foci_set_threads(most);
    }
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < 1; i++) {} /* which OpenMP keeps from here on */
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
