/* The oracle of dropout: what kernels/types.h says of its mask, an element at a time. */
#ifndef FOCI_TESTS_DROPPED_H
#define FOCI_TESTS_DROPPED_H

#include "base/philox.h"
#include "kernels/types.h"

/* Is the element with this number dropped? */
static bool dropped(const foci_dropout_mask *m, uint64_t e) {
    const uint32_t word = foci_philox(m->seed, m->stream, m->step, e / 8).v[e % 8 / 2];
    return (e % 2 ? word >> 16 : word & 0xffff) < m->threshold;
}

#endif
