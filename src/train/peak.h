/* The processor's peak, measured: the roof of training. */
#ifndef FOCI_TRAIN_PEAK_H
#define FOCI_TRAIN_PEAK_H

#include <stdbool.h>
#include <stdint.h>

/* GFLOP/s of float32 or bf16 products; a turn of a million rounds takes some 25 ms. */
double foci_peak_gflops(bool bf16, int turns, int64_t rounds);

#endif
