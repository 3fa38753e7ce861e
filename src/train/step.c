#include "train/step.h"

static void end(const foci_step *s, foci_step_phase phase) {
    if (s->ended) s->ended(s->context, phase);
}

/* Adds a part's gradients to those in the parameters, and its share of the loss. */
static foci_status run_part(const foci_step *s, int64_t number, int64_t first, double share, double *loss) {
    const foci_real *mean;
    if (s->feed) FOCI_TRY(s->feed(s->context, s->program, first));
    if (s->carry) FOCI_TRY(foci_carry_feed(s->carry, s->program, first));
    foci_program_set_step(s->program, (uint64_t)number, (uint64_t)first);
    FOCI_TRY(foci_program_forward(s->program));
    FOCI_TRY(foci_program_fetch(s->program, "loss", &mean));
    *loss += share * (double)mean[0];
    end(s, FOCI_STEP_FORWARD);
    foci_program_backward(s->program, (foci_real)share);
    if (s->carry) FOCI_TRY(foci_carry_take(s->carry, s->program, first));
    end(s, FOCI_STEP_BACKWARD);
    return FOCI_OK;
}

/* Here the parts of a batch are summed up, gradients and loss: what leaves this function is that of the whole batch. */
foci_status foci_step_gradients(const foci_step *s, int64_t number, double *loss) {
    const double share = (double)s->micro / (double)s->batch;
    *loss = 0;
    foci_parameters_zero_grad(s->parameters);
    foci_program_promise(s->program, (foci_real)share);
    end(s, FOCI_STEP_CLEAR);
    for (int64_t first = 0; first < s->batch; first += s->micro) FOCI_TRY(run_part(s, number, first, share, loss));
    if (s->carry) foci_carry_advance(s->carry, s->program);
    return FOCI_OK;
}

foci_status foci_step_update(const foci_step *s, foci_optimizer *o, double lr, double *grad_norm) {
    foci_status status = foci_optimizer_step(o, s->parameters, lr, grad_norm);
    end(s, FOCI_STEP_UPDATE);
    return status;
}
