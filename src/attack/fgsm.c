/* FGSM (Goodfellow et al. 2015): one step of length eps uphill. In L2 along the gradient itself. */
#include <string.h>

#include "base/parallel.h"
#include "attack/engine.h"

static foci_status run(foci_attack_job *job) {
    for (int64_t k = 0; k < job->n; k++)
        memcpy(foci_row(job, job->adv, job->which[k]), foci_clean_row(job, job->which[k]),
               (size_t)job->victim->pixels * sizeof(foci_real));
    foci_pgd(job, 1, job->options->eps);
    return FOCI_OK;
}

const foci_attack foci_attack_fgsm = {.name = "fgsm",
                                      .summary = "one step of length eps along the sign of the gradient",
                                      .run = run,
                                      .reads = "loss targeted"};
