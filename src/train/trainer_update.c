/* The update of a step: made, left out, or answered by going back. */
#include <math.h>
#include <stdio.h>

#include "base/parallel.h"
#include "kernels/kernels.h"
#include "train/trainer_work.h"

/* A number that is none, said with the step and the last checkpoint. */
static foci_status diverged(const foci_trainer *t, foci_status s) {
    if (!t->policy.saved)
        return foci_context(s, "step %lld, before the first checkpoint", (long long)t->state.step + 1);
    return foci_context(s, "step %lld (the last good checkpoint is %s/state.safetensors, step %lld)",
                        (long long)t->state.step + 1, t->folder.path, (long long)t->policy.saved);
}

static foci_status leave_out(foci_trainer *t, const char *why) {
    t->state.left_out++;
    foci_run_log(&t->folder, "step %lld: %s: the update is left out (%lld so far)", (long long)t->state.step + 1, why,
                 (long long)t->state.left_out);
    if (foci_policy_bears(&t->policy)) return FOCI_OK;
    return diverged(t, foci_fail(FOCI_ERR_DIVERGED, "%d updates in a row had to be left out", FOCI_MOST_IN_A_ROW));
}

foci_status foci_trainer_bears(const foci_trainer *t) {
    if (2 * t->state.left_out > t->state.step)
        return foci_fail(FOCI_ERR_DIVERGED, "%lld of %lld updates were left out: this is no training",
                         (long long)t->state.left_out, (long long)t->state.step);
    return t->unsound ? foci_fail(FOCI_ERR_DIVERGED, "the last weights score no number on the validation data")
                      : FOCI_OK;
}

/* Weights, moments and averages of the last checkpoint; the step, the schedule and the data go on. */
static foci_status roll_back(foci_trainer *t, foci_status why) {
    foci_error reason;
    foci_error_take(&reason, why);
    foci_run_state then = {.step = 0, .teacher = t->state.teacher};
    foci_status s = FOCI_OK;
    if (foci_group_leads(t->group))
        s = foci_state_load(t->folder.path, &t->programs.parameters, &t->optimizer, t->ema, &then);
    FOCI_TRY(foci_trainer_all(t, s));
    foci_trainer_spread_weights(t);
    foci_group_broadcast(t->group, &then.watch, sizeof then.watch);
    t->state.left_out += t->state.step + 1 - t->policy.saved;
    t->state.watch = then.watch;
    foci_run_log(&t->folder, "step %lld: %s: back to the weights of step %lld, the updates since are left out",
                 (long long)t->state.step + 1, reason.message, (long long)t->policy.saved);
    return FOCI_OK;
}

static foci_status not_finite(foci_trainer *t, foci_status s) {
    switch (foci_policy_judge(&t->policy, &t->train)) {
    case FOCI_LEAVE_OUT:
        foci_carry_clear(&t->carry); /* it came out of the same pass */
        return leave_out(t, foci_error_message());
    case FOCI_ROLL_BACK: return roll_back(t, s);
    default: return diverged(t, s);
    }
}

enum { TILE = 1 << 15 };

static void follow(foci_trainer *t) {
    const foci_parameters *p = &t->programs.parameters;
    const double decay = t->train.ema_decay;
    const foci_range own = foci_optimizer_stretch(&t->optimizer, p);
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < foci_tiles(own.end - own.first, TILE); i++) {
        const foci_range r = foci_tile(own.end - own.first, TILE, i);
        const int64_t first = own.first + r.first;
        foci_kernel()->lerp(r.end - r.first, (foci_real)(1 - decay), p->value + first, t->ema + first);
    }
    foci_parameters_take_drawn(p, t->ema);
}

foci_status foci_trainer_update(foci_trainer *t, const foci_step *step, double loss) {
    foci_status s = FOCI_OK;
    if (!isfinite(loss)) s = foci_fail(FOCI_ERR_DIVERGED, "the loss is %s", isnan(loss) ? "not a number" : "infinite");
    else if (foci_loss_spikes(&t->state.watch, loss, t->train.spike_zscore)) {
        char text[128];
        snprintf(text, sizeof text, "the loss is %.4f after a mean of %.4f", loss, t->state.watch.mean);
        return leave_out(t, text);
    }
    if (!s) s = foci_step_update(step, &t->optimizer, t->pace.lr, &t->pace.grad_norm);
    if (s == FOCI_ERR_DIVERGED) return not_finite(t, s);
    if (s) return s;
    foci_policy_update(&t->policy);
    foci_loss_take(&t->state.watch, loss);
    if (t->ema) follow(t);
    return FOCI_OK;
}
