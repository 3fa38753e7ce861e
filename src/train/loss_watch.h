/* Is a loss out of the ordinary? Kept as running mean and variance of the losses of ordinary steps. */
#ifndef FOCI_TRAIN_LOSS_WATCH_H
#define FOCI_TRAIN_LOSS_WATCH_H

#include "foci/foci.h"

typedef struct foci_loss_watch {
    int64_t losses; /* taken in so far */
    double mean, variance;
} foci_loss_watch;

/* More than `zscore` standard deviations above the mean? Never before FOCI_WATCH_LEAST losses; 0: never. */
enum { FOCI_WATCH_LEAST = 50 };
bool foci_loss_spikes(const foci_loss_watch *w, double loss, double zscore);

/* mean += (loss - mean) / n with n = 1, 2, ... 100, 100, ...: the last hundred or so count; the variance likewise. */
void foci_loss_take(foci_loss_watch *w, double loss);

#endif
