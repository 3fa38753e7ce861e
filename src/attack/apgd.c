/* APGD (Croce and Hein 2020, algorithm 1): gradient ascent with momentum from a random start, whose step is halved, and
 * which goes back to the best point found, wherever it has stopped rising. apgd_ce climbs the cross-entropy; apgd_t the
 * targeted DLR loss towards each of the best wrong classes in turn. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/parallel.h"
#include "attack/engine.h"

enum { TARGETS = 9 };
static const double MOMENTUM = 0.75, RISING = 0.75; /* alpha, rho */

/* One climb. Rows are slots. */
typedef struct climb {
    foci_attack_job *job;
    foci_head *head;
    const int32_t *target;
    foci_real *x, *before;     /* the point and the one before it */
    foci_real *best, *best_dx; /* the highest point and its gradient */
    double *best_loss, *last_loss, *checked_loss, *step;
    int64_t *rises;    /* since the last check */
    bool *halved;      /* at the last check */
    int64_t *which, n; /* still climbing */
} climb;

static bool allocate(climb *c) {
    const foci_attack_job *job = c->job;
    const int64_t images = job->slots * job->victim->pixels;
    c->x = foci_attack_alloc(job, foci_real, images);
    c->before = foci_attack_alloc(job, foci_real, images);
    c->best = foci_attack_alloc(job, foci_real, images);
    c->best_dx = foci_attack_alloc(job, foci_real, images);
    c->best_loss = foci_attack_alloc(job, double, 4 * job->slots);
    c->rises = foci_attack_alloc(job, int64_t, 2 * job->slots);
    c->halved = foci_attack_alloc(job, bool, job->slots);
    if (!c->x || !c->before || !c->best || !c->best_dx || !c->best_loss || !c->rises || !c->halved) return false;
    c->last_loss = c->best_loss + job->slots;
    c->checked_loss = c->last_loss + job->slots;
    c->step = c->checked_loss + job->slots;
    c->which = c->rises + job->slots;
    return true;
}

static size_t row_bytes(const climb *c) { return (size_t)c->job->victim->pixels * sizeof(foci_real); }
static foci_real *row(const climb *c, foci_real *x, int64_t slot) { return foci_row(c->job, x, slot); }

/* A direction on the sphere (in L-inf: a corner or side of the cube) of radius eps: the authors' start. */
static void start(climb *c, int64_t slot, const char *use) {
    const foci_attack_options *o = c->job->options;
    const foci_real *x = foci_clean_row(c->job, slot);
    foci_real *y = row(c, c->x, slot);
    foci_rng random = foci_attack_random(c->job, use, slot);
    double largest = 0, square = 0;
    const int64_t pixels = c->job->victim->pixels;
    for (int64_t j = 0; j < pixels; j++) {
        double d = o->norm == FOCI_LINF ? 2 * foci_rng_uniform(&random) - 1 : foci_rng_normal(&random);
        y[j] = (foci_real)d;
        largest = fmax(largest, fabs(d));
        square += d * d;
    }
    const double scale = o->eps / ((o->norm == FOCI_LINF ? largest : sqrt(square)) + 1e-12);
    for (int64_t j = 0; j < pixels; j++) y[j] = (foci_real)((double)x[j] + scale * (double)y[j]);
    foci_ball_project(c->job, slot, y);
    memcpy(row(c, c->before, slot), y, row_bytes(c));
}

/* z = project(x + step * direction);  x' = project(x + a (z - x) + (1 - a)(x - before)) */
static void move(climb *c, int64_t slot, bool first) {
    foci_real *x = row(c, c->x, slot), *before = row(c, c->before, slot), *z = row(c, c->job->adv, slot);
    const double a = first ? 1 : MOMENTUM;
    memcpy(z, x, row_bytes(c));
    foci_ball_step(c->job, row(c, c->job->dx, slot), c->step[slot], z);
    foci_ball_project(c->job, slot, z);
    for (int64_t j = 0; j < c->job->victim->pixels; j++) {
        const double now = (double)x[j];
        x[j] = (foci_real)(now + a * ((double)z[j] - now) + (1 - a) * (now - (double)before[j]));
        before[j] = (foci_real)now;
    }
    foci_ball_project(c->job, slot, x);
}

/* Gradients and losses at x; remembers the best; drops the images that are won. */
static void look(climb *c, bool first) {
    foci_attack_job *job = c->job;
    foci_victim_gradient(job->victim, c->n, c->which, c->x, c->head, job->label, c->target, job->logits, job->loss,
                         job->dx);
    int64_t left = 0;
    for (int64_t k = 0; k < c->n; k++) {
        const int64_t slot = c->which[k];
        const double loss = job->loss[slot];
        if (first || loss > c->best_loss[slot]) {
            c->best_loss[slot] = loss;
            memcpy(row(c, c->best, slot), row(c, c->x, slot), row_bytes(c));
            memcpy(row(c, c->best_dx, slot), row(c, job->dx, slot), row_bytes(c));
        }
        c->rises[slot] = first ? 0 : c->rises[slot] + (loss > c->last_loss[slot]);
        c->last_loss[slot] = loss;
        if (foci_attack_won(job, slot, job->logits + slot * job->victim->classes))
            memcpy(row(c, c->best, slot), row(c, c->x, slot), row_bytes(c));
        else c->which[left++] = slot;
    }
    c->n = left;
}

/* After `interval` moves: where too few of them rose, or nothing better was found with an unchanged step, halves the
 * step and goes back to the best point. */
static void check(climb *c, int64_t interval) {
    for (int64_t k = 0; k < c->n; k++) {
        const int64_t slot = c->which[k];
        const bool few = (double)c->rises[slot] <= RISING * (double)interval;
        const bool stuck = !c->halved[slot] && c->checked_loss[slot] >= c->best_loss[slot];
        c->halved[slot] = few || stuck;
        c->checked_loss[slot] = c->best_loss[slot];
        c->rises[slot] = 0;
        if (!c->halved[slot]) continue;
        c->step[slot] /= 2;
        memcpy(row(c, c->x, slot), row(c, c->best, slot), row_bytes(c));
        memcpy(row(c, c->job->dx, slot), row(c, c->best_dx, slot), row_bytes(c));
    }
}

static int64_t share(double part, int64_t steps) {
    return (int64_t)(part * (double)steps) > 1 ? (int64_t)(part * (double)steps) : 1;
}

/* Climbs with the images of c->which; c->best is the answer, and c->which what was not won. */
static void run_climb(climb *c, const char *use) {
    const int64_t steps = c->job->options->steps, least = share(0.06, steps), less = share(0.03, steps);
    int64_t interval = share(0.22, steps), since = 0;
    FOCI_PARALLEL_FOR
    for (int64_t k = 0; k < c->n; k++) start(c, c->which[k], use);
    look(c, true);
    for (int64_t k = 0; k < c->n; k++) {
        const int64_t slot = c->which[k];
        c->checked_loss[slot] = c->best_loss[slot];
        c->step[slot] = 2 * c->job->options->eps;
        c->halved[slot] = true;
    }
    for (int64_t t = 0; t < steps && c->n && !foci_victim_stopped(c->job->victim); t++) {
        FOCI_PARALLEL_FOR
        for (int64_t k = 0; k < c->n; k++) move(c, c->which[k], t == 0);
        look(c, false);
        if (++since < interval) continue;
        check(c, interval);
        interval = interval - less > least ? interval - less : least;
        since = 0;
    }
}

static void answer(const climb *c, int64_t n, const int64_t *which) {
    for (int64_t k = 0; k < n; k++) memcpy(row(c, c->job->adv, which[k]), row(c, c->best, which[k]), row_bytes(c));
}

static foci_status run_ce(foci_attack_job *job) {
    climb c = {.job = job, .head = foci_head_cross_entropy, .target = NULL, .n = job->n};
    if (!allocate(&c)) return foci_attack_out_of_memory();
    memcpy(c.which, job->which, (size_t)job->n * sizeof *c.which);
    run_climb(&c, "apgd_ce");
    answer(&c, job->n, job->which);
    return FOCI_OK;
}

static foci_status run_t(foci_attack_job *job) {
    const int64_t classes = job->victim->classes, targets = TARGETS < classes - 1 ? TARGETS : classes - 1;
    int32_t *target = foci_attack_alloc(job, int32_t, job->slots);
    climb c = {.job = job, .head = foci_head_dlr_target, .target = target, .n = job->n};
    if (!target || !allocate(&c)) return foci_attack_out_of_memory();
    memcpy(c.which, job->which, (size_t)job->n * sizeof *c.which);
    for (int64_t r = 1; r <= targets; r++) {
        char use[32];
        snprintf(use, sizeof use, "apgd_t %d", (int)r);
        for (int64_t k = 0; k < c.n; k++) target[c.which[k]] = foci_attack_runner_up(job, c.which[k], r);
        run_climb(&c, use);
    }
    answer(&c, job->n, job->which);
    return FOCI_OK;
}

const foci_attack foci_attack_apgd_ce = {
    .name = "apgd_ce",
    .summary = "gradient ascent that sets its own step, on the cross-entropy (AutoAttack)",
    .run = run_ce,
    .standing = true,
    .reads = "steps restarts",
    .steps = 100};
const foci_attack foci_attack_apgd_t = {
    .name = "apgd_t",
    .summary = "the same on the targeted DLR loss, for the 9 best wrong classes (AutoAttack)",
    .run = run_t,
    .standing = true,
    .reads = "steps restarts",
    .steps = 100,
    .least_classes = 4};
