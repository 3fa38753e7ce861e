#include "train/schedule.h"

#include <math.h>

/* What is left of lr - min_lr when the share x of the time is over: 1 at x = 0, 0 at x = 1. */
static double share_left(const foci_schedule *s, double x) {
    switch (s->kind) {
    case FOCI_SCHEDULE_COSINE: return (1 + cos(3.14159265358979323846 * x)) / 2;
    case FOCI_SCHEDULE_LINEAR: return 1 - x;
    case FOCI_SCHEDULE_POLYNOMIAL: return pow(1 - x, s->power);
    default: return 1;
    }
}

double foci_schedule_lr(const foci_schedule *s, int64_t update, int64_t updates_per_epoch) {
    if (update == 0 && s->first_update_at_lr) return s->lr;
    double t = fmax(0, (double)(s->per_epoch ? update / updates_per_epoch : update) - s->lag);
    if (t < s->warmup) return s->warmup_lr + (s->lr - s->warmup_lr) * t / s->warmup;
    double x = s->total > 0 ? fmin(t / s->total, 1) : 0;
    return s->min_lr + (s->lr - s->min_lr) * share_left(s, x);
}
