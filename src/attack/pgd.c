/* PGD (Madry et al. 2018): x_{t+1} = clip(x + ball(clip(x_t + step * sign of the gradient) - x)) from a random start.
 * The answer is the last point, as published. */
#include <string.h>

#include "base/parallel.h"
#include "attack/engine.h"

void foci_pgd(foci_attack_job *job, int64_t steps, double step) {
    for (int64_t t = 0; t < steps && !foci_victim_stopped(job->victim); t++) {
        foci_victim_gradient(job->victim, job->n, job->which, job->adv, job->head, job->label, job->target, NULL,
                             job->loss, job->dx);
        FOCI_PARALLEL_FOR
        for (int64_t k = 0; k < job->n; k++) {
            foci_real *y = foci_row(job, job->adv, job->which[k]);
            foci_ball_step(job, foci_row(job, job->dx, job->which[k]), step, y);
            foci_clip_to_valid(job->victim, y);
            foci_ball_project(job, job->which[k], y);
        }
    }
}

static foci_status run(foci_attack_job *job) {
    const foci_attack_options *o = job->options;
    FOCI_PARALLEL_FOR
    for (int64_t k = 0; k < job->n; k++) {
        const int64_t slot = job->which[k];
        foci_rng random = foci_attack_random(job, "pgd", slot);
        foci_real *y = foci_row(job, job->adv, slot);
        if (o->start == FOCI_START_IMAGE) memcpy(y, foci_clean_row(job, slot), (size_t)job->victim->pixels * sizeof *y);
        else foci_ball_start(job, slot, &random, y);
    }
    foci_pgd(job, o->steps, o->step_size * o->eps);
    return FOCI_OK;
}

const foci_attack foci_attack_pgd = {
    .name = "pgd",
    .summary = "steps along the sign of the gradient, projected to the ball, from a random start",
    .run = run,
    .reads = "loss targeted steps step_size start restarts",
    .steps = 20,
    .step_size = 0.15};
