/* FAB (Croce and Hein 2020, "Minimally distorted adversarial examples with a fast adaptive boundary attack"), targeted
 * form: for each of the best wrong classes, steps to the linearised boundary between label and target that stay near
 * the image. An image is won where a point beyond the boundary lies within eps of it. */
#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "attack/engine.h"

enum { TARGETS = 9 };
static const double MOST_ALPHA = 0.1, BEYOND = 1.05, BACK = 0.9; /* alpha_max, eta, beta */

typedef struct search {
    foci_attack_job *job;
    int32_t *target;
    foci_real *x;      /* (slots, pixels) */
    int64_t *which, n; /* not yet won */
} search;

/* The shortest way d (in the norm) from z to the hyperplane w (z + d) = w z + rise within valid images. Every
 * coordinate moves towards it, by min(length * v, room): v = 1 in L-inf, |w| in L2. What that gains is concave in the
 * length, so Newton's method from 0 rises to the answer and ends where no further coordinate meets its bound. */
typedef struct shift {
    double length; /* INFINITY: the bounds do not let z get there; as near as can be */
    double norm;
} shift;

static double room(const foci_victim *v, int64_t j, double z, bool up) {
    const int64_t c = j / (v->height * v->width);
    const double left = up ? v->units.high[c] - z : z - v->units.low[c];
    return left > 0 ? left : 0;
}
static double way(const foci_attack_job *job, int64_t j, double z, double w, double rise, double length) {
    const bool up = (w > 0) == (rise > 0);
    const double most = room(job->victim, j, z, up), d = length * (job->options->norm == FOCI_LINF ? 1 : fabs(w));
    if (!(fabs(w) > 0)) return 0;
    return (d < most ? d : most) * (up ? 1 : -1);
}

static shift find_shift(const foci_attack_job *job, const foci_real *z, const foci_real *w, double rise) {
    const int64_t pixels = job->victim->pixels;
    const bool linf = job->options->norm == FOCI_LINF;
    shift s = {0, 0};
    for (int64_t round = 0; round < pixels + 2; round++) {
        double bounded = 0, slope = 0; /* gained by those at their bound; by the others per unit of length */
        for (int64_t j = 0; j < pixels; j++) {
            const double a = fabs((double)w[j]), v = linf ? 1 : a;
            if (!(a > 0)) continue;
            const double most = room(job->victim, j, (double)z[j], (w[j] > 0) == (rise > 0));
            if (most <= s.length * v) bounded += a * most;
            else slope += a * v;
        }
        const double next = slope > 0 ? (fabs(rise) - bounded) / slope : (double)INFINITY;
        if (!(next > s.length)) break;
        s.length = next;
        if (isinf(next)) break;
    }
    double largest = 0, square = 0;
    for (int64_t j = 0; j < pixels; j++) {
        const double d = fabs(way(job, j, (double)z[j], (double)w[j], rise, s.length));
        largest = fmax(largest, d);
        square += d * d;
    }
    s.norm = linf ? largest : sqrt(square);
    return s;
}

/* One step for one image: from x1 and from the image itself to the hyperplane, then between the two. f = logit of the
 * target
 * - logit of the label at x1, w its gradient. */
static void step(const search *s, int64_t slot) {
    const foci_attack_job *job = s->job;
    const int64_t pixels = job->victim->pixels;
    const foci_real *x0 = foci_clean_row(job, slot), *w = foci_row(job, job->dx, slot);
    foci_real *x1 = foci_row(job, s->x, slot);
    const double f = job->loss[slot];
    double between = 0; /* w (x1 - x0) */
    for (int64_t j = 0; j < pixels; j++) between += (double)w[j] * ((double)x1[j] - (double)x0[j]);
    const double rise1 = -f, rise0 = between - f;
    const shift s1 = find_shift(job, x1, w, rise1), s0 = find_shift(job, x0, w, rise0);
    const double a1 = fmax(s1.norm, 1e-8), a0 = fmax(s0.norm, 1e-8), alpha = fmin(a1 / (a1 + a0), MOST_ALPHA);
    for (int64_t j = 0; j < pixels; j++) {
        const double d1 = way(job, j, (double)x1[j], (double)w[j], rise1, s1.length);
        const double d0 = way(job, j, (double)x0[j], (double)w[j], rise0, s0.length);
        x1[j] = (foci_real)((1 - alpha) * ((double)x1[j] + BEYOND * d1) + alpha * ((double)x0[j] + BEYOND * d0));
    }
    foci_clip_to_valid(job->victim, x1);
}

/* Beyond the boundary: near enough, it is the answer; else a little back to the image. Returns whether it is won. */
static bool settle(const search *s, int64_t slot) {
    const foci_attack_job *job = s->job;
    const foci_real *x0 = foci_clean_row(job, slot);
    foci_real *x1 = foci_row(job, s->x, slot);
    if (!foci_attack_won(job, slot, job->logits + slot * job->victim->classes)) return false;
    if (foci_ball_norm(job->options->norm, job->victim->pixels, x0, x1) <= job->options->eps) {
        memcpy(foci_row(job, job->adv, slot), x1, (size_t)job->victim->pixels * sizeof *x1);
        return true;
    }
    for (int64_t j = 0; j < job->victim->pixels; j++)
        x1[j] = (foci_real)((double)x0[j] + BACK * ((double)x1[j] - (double)x0[j]));
    return false;
}

static void run_target(search *s, int64_t r) {
    foci_attack_job *job = s->job;
    for (int64_t k = 0; k < s->n; k++) {
        const int64_t slot = s->which[k];
        s->target[slot] = foci_attack_runner_up(job, slot, r);
        memcpy(foci_row(job, s->x, slot), foci_clean_row(job, slot), (size_t)job->victim->pixels * sizeof(foci_real));
    }
    for (int64_t t = 0; t < job->options->steps && s->n && !foci_victim_stopped(job->victim); t++) {
        foci_victim_gradient(job->victim, s->n, s->which, s->x, foci_head_difference, job->label, s->target, NULL,
                             job->loss, job->dx);
        FOCI_PARALLEL_FOR
        for (int64_t k = 0; k < s->n; k++) step(s, s->which[k]);
        foci_victim_logits(job->victim, s->n, s->which, s->x, job->logits);
        int64_t left = 0;
        for (int64_t k = 0; k < s->n; k++)
            if (!settle(s, s->which[k])) s->which[left++] = s->which[k];
        s->n = left;
    }
}

static foci_status run(foci_attack_job *job) {
    const int64_t classes = job->victim->classes, targets = TARGETS < classes - 1 ? TARGETS : classes - 1;
    search s = {.job = job, .n = job->n};
    s.target = foci_attack_alloc(job, int32_t, job->slots);
    s.x = foci_attack_alloc(job, foci_real, job->slots * job->victim->pixels);
    s.which = foci_attack_alloc(job, int64_t, job->slots);
    if (!s.target || !s.x || !s.which) return foci_attack_out_of_memory();
    for (int64_t k = 0; k < job->n; k++) {
        const int64_t slot = s.which[k] = job->which[k];
        memcpy(foci_row(job, job->adv, slot), foci_clean_row(job, slot),
               (size_t)job->victim->pixels * sizeof(foci_real));
    }
    for (int64_t r = 1; r <= targets; r++) run_target(&s, r);
    return FOCI_OK;
}

const foci_attack foci_attack_fab_t = {
    .name = "fab_t",
    .summary = "steps to the nearest boundary of each of the 9 best wrong classes (AutoAttack)",
    .run = run,
    .reads = "steps",
    .standing = true,
    .steps = 100};
