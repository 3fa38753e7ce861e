/* The order of an epoch: samples 0 to n - 1, shuffled by Fisher and Yates with the numbers of (seed, epoch), or not. */
#ifndef FOCI_DATA_ORDER_H
#define FOCI_DATA_ORDER_H

#include "base/philox.h"

static inline void foci_epoch_order(int64_t *order, int64_t n, bool shuffle, uint64_t seed, int64_t epoch) {
    for (int64_t i = 0; i < n; i++) order[i] = i;
    if (!shuffle) return;
    foci_rng r = foci_rng_make(seed, foci_stream("shuffle"), (uint64_t)epoch);
    for (int64_t i = n - 1; i > 0; i--) {
        const int64_t j = foci_rng_below(&r, (uint32_t)(i + 1)), kept = order[i];
        order[i] = order[j];
        order[j] = kept;
    }
}

#endif
