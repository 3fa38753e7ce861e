/* SPSA (Uesato et al. 2018): the gradient of the margin is estimated from queries at x + delta v and x - delta v for
 * random signs v; Adam climbs it, projected to the ball. An image that is won is left alone. */
#include <math.h>
#include <string.h>

#include "base/parallel.h"
#include "attack/engine.h"

/* The climb of one image; pixels each. */
typedef struct climb {
    foci_attack_job *job;
    int64_t slot;
    foci_rng random;
    foci_real *probes, *logits; /* (2 * pairs, pixels) and (2 * pairs, classes): plus and minus in turn */
    int64_t pairs;              /* at once */
    double *gradient, *m, *v;   /* Adam's moments */
} climb;

/* The signs of probe pair number i of this step: bit j % 128 of the numbers of block j / 128. */
static foci_u32x4 signs(const climb *c, int64_t i, int64_t block) {
    return foci_philox(c->random.seed, c->random.stream, c->random.step,
                       c->random.next + (uint64_t)(i * ((c->job->victim->pixels + 127) / 128) + block));
}
static bool up(const foci_u32x4 *bits, int64_t j) { return bits->v[j / 32 % 4] >> (j % 32) & 1; }

static void fill_pair(const climb *c, int64_t i, int64_t row) {
    const int64_t pixels = c->job->victim->pixels;
    const double delta = c->job->options->delta;
    const foci_real *x = foci_row(c->job, c->job->adv, c->slot);
    foci_real *plus = c->probes + 2 * row * pixels, *minus = plus + pixels;
    foci_u32x4 bits = {{0}};
    for (int64_t j = 0; j < pixels; j++) {
        if (j % 128 == 0) bits = signs(c, i, j / 128);
        const double d = up(&bits, j) ? delta : -delta;
        plus[j] = (foci_real)((double)x[j] + d);
        minus[j] = (foci_real)((double)x[j] - d);
    }
}

static double margin(const climb *c, const foci_real *z) {
    const foci_attack_job *job = c->job;
    /* the gradient by the logits is not needed */
    for (int64_t k = 0; k < job->victim->classes; k++) job->logits[k] = 0;
    return (job->options->targeted ? foci_head_margin_target : foci_head_margin)(
        z, job->victim->classes, job->label[c->slot], job->target[c->slot], job->logits);
}

/* mean over the pairs of (loss(plus) - loss(minus)) / (2 delta) v */
static void estimate(climb *c) {
    const foci_attack_job *job = c->job;
    const int64_t pixels = job->victim->pixels, classes = job->victim->classes, samples = job->options->samples;
    memset(c->gradient, 0, (size_t)pixels * sizeof *c->gradient);
    for (int64_t first = 0; first < samples; first += c->pairs) {
        const int64_t n = samples - first < c->pairs ? samples - first : c->pairs;
        FOCI_PARALLEL_FOR
        for (int64_t i = 0; i < n; i++) fill_pair(c, first + i, i);
        foci_victim_logits(job->victim, 2 * n, NULL, c->probes, c->logits);
        for (int64_t i = 0; i < n; i++) {
            const foci_real *z = c->logits + 2 * i * classes;
            const double slope = (margin(c, z) - margin(c, z + classes)) / (2 * job->options->delta * (double)samples);
            foci_u32x4 bits = {{0}};
            for (int64_t j = 0; j < pixels; j++) {
                if (j % 128 == 0) bits = signs(c, first + i, j / 128);
                c->gradient[j] += up(&bits, j) ? slope : -slope;
            }
        }
    }
    c->random.next += (uint64_t)(samples * ((pixels + 127) / 128));
}

/* Adam (beta 0.9, 0.999), uphill */
static void adam(climb *c, int64_t t) {
    const foci_attack_job *job = c->job;
    foci_real *x = foci_row(job, job->adv, c->slot);
    const double correct1 = 1 - pow(0.9, (double)t), correct2 = 1 - pow(0.999, (double)t);
    for (int64_t j = 0; j < job->victim->pixels; j++) {
        const double g = c->gradient[j];
        c->m[j] = 0.9 * c->m[j] + 0.1 * g;
        c->v[j] = 0.999 * c->v[j] + 0.001 * g * g;
        x[j] = (foci_real)((double)x[j] +
                           job->options->step_size * (c->m[j] / correct1) / (sqrt(c->v[j] / correct2) + 1e-8));
    }
    foci_ball_project(job, c->slot, x);
}

static void attack(climb *c) {
    foci_attack_job *job = c->job;
    const int64_t pixels = job->victim->pixels;
    foci_real *x = foci_row(job, job->adv, c->slot);
    foci_rng begin = foci_attack_random(job, "spsa start", c->slot);
    c->random = foci_attack_random(job, "spsa", c->slot);
    memset(c->m, 0, (size_t)pixels * sizeof *c->m);
    memset(c->v, 0, (size_t)pixels * sizeof *c->v);
    if (job->options->start == FOCI_START_IMAGE) memcpy(x, foci_clean_row(job, c->slot), (size_t)pixels * sizeof *x);
    else foci_ball_start(job, c->slot, &begin, x);
    for (int64_t t = 0; t < job->options->steps && !foci_victim_stopped(job->victim); t++) {
        foci_victim_logits(job->victim, 1, NULL, x, c->logits);
        if (foci_attack_won(job, c->slot, c->logits)) return;
        estimate(c);
        adam(c, t + 1);
    }
}

static foci_status run(foci_attack_job *job) {
    const int64_t pixels = job->victim->pixels, fit = job->victim->capacity / 2 > 0 ? job->victim->capacity / 2 : 1;
    climb c = {.job = job, .pairs = fit < job->options->samples ? fit : job->options->samples};
    c.probes = foci_attack_alloc(job, foci_real, 2 * c.pairs * pixels);
    c.logits = foci_attack_alloc(job, foci_real, 2 * c.pairs * job->victim->classes);
    c.gradient = foci_attack_alloc(job, double, 3 * pixels);
    if (!c.probes || !c.logits || !c.gradient) return foci_attack_out_of_memory();
    c.m = c.gradient + pixels;
    c.v = c.m + pixels;
    for (int64_t k = 0; k < job->n && !foci_victim_stopped(job->victim); k++) {
        c.slot = job->which[k];
        attack(&c);
    }
    return FOCI_OK;
}

const foci_attack foci_attack_spsa = {
    .name = "spsa",
    .summary = "queries only: gradients of the margin from random differences, climbed by Adam",
    .run = run,
    .reads = "targeted steps step_size start restarts samples delta",
    .steps = 40,
    .step_size = 0.01,
    .absolute = true,
    .samples = 128,
    .delta = 0.01};
