/* The learning rate as a function of time.
 *
 * Time runs per update (language models) or per epoch (DeiT: the rate is constant within an epoch) and is
 * counted from 0, warm-up included: the decay does not start anew where warm-up ends, so the rate may step
 * there, as in both published recipes.
 *
 * WARMUP_COSINE is nanoGPT's: lr (t + 1) / (warmup + 1) for t < warmup, then half a cosine down to min_lr at `total`.
 *
 * ONE_CYCLE is PyTorch's OneCycleLR with straight lines: over times 0 .. warmup - 1 the rate goes from `first` to lr,
 * over warmup - 1 .. total - 1 from lr to `last`, and momentum the other way round. */
#ifndef FOCI_TRAIN_SCHEDULE_H
#define FOCI_TRAIN_SCHEDULE_H

#include "task/training.h"

typedef struct foci_schedule {
    foci_schedule_kind kind;
    double lr, min_lr;        /* at time 0 and at time total */
    double warmup_lr, warmup; /* for t < warmup: from warmup_lr straight to lr */
    double total;             /* updates or epochs; later times have min_lr */
    double power;             /* of POLYNOMIAL */
    bool per_epoch;           /* warmup and total are epochs, else updates */
    struct {
        double first, last;       /* rates of the first and the last time */
        double momentum, at_peak; /* Adam's beta1 at both, and where the rate is lr */
    } cycle;                      /* of ONE_CYCLE */
    /* Accidents of the published loops, which set the rate after the update or the epoch it was meant for. */
    double lag;              /* time runs so much late, and stands still at 0 meanwhile (DeiT: 1 epoch) */
    bool first_update_at_lr; /* update 0 runs at lr, not at the start of the warm-up (the paper's language models) */
} foci_schedule;

/* The rate of update 0, 1, ... where an epoch has so many updates. */
double foci_schedule_lr(const foci_schedule *s, int64_t update, int64_t updates_per_epoch);

/* ONE_CYCLE also moves the momentum, against the rate: that of an update, or `otherwise` with any other kind. */
double foci_schedule_momentum(const foci_schedule *s, int64_t update, int64_t updates_per_epoch, double otherwise);

#endif
