#include "train/schedule.h"

#include <math.h>

/* What is left of lr - min_lr when the share x of the time is over: 1 at x = 0, 0 at x = 1. */
static double share_left(const foci_schedule *s, double x) {
    switch (s->kind) {
    case FOCI_SCHEDULE_WARMUP_COSINE:
    case FOCI_SCHEDULE_COSINE: return (1 + cos(3.14159265358979323846 * x)) / 2;
    case FOCI_SCHEDULE_LINEAR: return 1 - x;
    case FOCI_SCHEDULE_POLYNOMIAL: return pow(1 - x, s->power);
    default: return 1;
    }
}

static double time_of(const foci_schedule *s, int64_t update, int64_t updates_per_epoch) {
    return fmax(0, (double)(s->per_epoch ? update / updates_per_epoch : update) - s->lag);
}

/* Of a cycle that begins at `ends`, is at `peak` at the end of the warm-up, and comes to `last`. */
static double cycle(const foci_schedule *s, double t, double ends, double peak, double last) {
    const double top = s->warmup - 1, end = s->total - 1;
    if (t < top) return ends + (peak - ends) * t / top;
    const double x = end > top ? fmin((t - top) / (end - top), 1) : 1;
    return peak + (last - peak) * x;
}

static double warmup_cosine(const foci_schedule *s, double t) {
    if (t < s->warmup) return s->lr * (t + 1) / (s->warmup + 1);
    const double x = s->total > s->warmup ? fmin((t - s->warmup) / (s->total - s->warmup), 1) : 1;
    return s->min_lr + (s->lr - s->min_lr) * share_left(s, x);
}

double foci_schedule_momentum(const foci_schedule *s, int64_t update, int64_t updates_per_epoch, double otherwise) {
    if (s->kind != FOCI_SCHEDULE_ONE_CYCLE) return otherwise;
    return cycle(s, time_of(s, update, updates_per_epoch), s->cycle.momentum, s->cycle.at_peak, s->cycle.momentum);
}

double foci_schedule_lr(const foci_schedule *s, int64_t update, int64_t updates_per_epoch) {
    if (update == 0 && s->first_update_at_lr) return s->lr;
    const double t = time_of(s, update, updates_per_epoch);
    if (s->kind == FOCI_SCHEDULE_ONE_CYCLE) return cycle(s, t, s->cycle.first, s->lr, s->cycle.last);
    if (s->kind == FOCI_SCHEDULE_WARMUP_COSINE) return warmup_cosine(s, t);
    if (t < s->warmup) return s->warmup_lr + (s->lr - s->warmup_lr) * t / s->warmup;
    double x = s->total > 0 ? fmin(t / s->total, 1) : 0;
    return s->min_lr + (s->lr - s->min_lr) * share_left(s, x);
}
