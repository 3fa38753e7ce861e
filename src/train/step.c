#include "train/step.h"

static void end(const foci_step *s, foci_step_phase phase) {
    if (s->ended) s->ended(s->context, phase);
}

/* -------------------------------------------------------------------------------------------------- shards */

foci_status foci_step_shards_open(foci_step_shards *s, foci_parameters *p, int64_t shards, const foci_optimizer *o) {
    FOCI_TRY(foci_gradient_sum_open(&s->sum, p->size, shards, o->options.group, o->own));
    return foci_statistics_open(&s->statistics, p);
}

void foci_step_shards_close(foci_step_shards *s) {
    foci_gradient_sum_close(&s->sum);
    foci_statistics_close(&s->statistics);
}

static int64_t shards_of(const foci_step *s) { return s->shards ? s->shards->sum.shards : 1; }
static int64_t first_shard(const foci_step *s) { return s->shards ? s->shards->sum.first : 0; }
static int64_t end_shard(const foci_step *s) { return s->shards ? s->shards->sum.end : 1; }

foci_range foci_step_samples(const foci_step_shards *s, int64_t batch) {
    const int64_t shard = batch / s->sum.shards;
    return (foci_range){s->sum.first * shard, s->sum.end * shard};
}

/* --------------------------------------------------------------------------------------------------- parts */

static double share_of(const foci_step *s) { return (double)s->micro / (double)s->batch; }

/* Adds a part's gradients to those in the parameters, and its share of the loss. */
static foci_status run_part(const foci_step *s, int64_t number, int64_t first, double *loss) {
    const foci_real *mean;
    if (s->feed) FOCI_TRY(s->feed(s->context, s->program, first));
    if (s->carry) FOCI_TRY(foci_carry_feed(s->carry, s->program, first));
    foci_program_set_step(s->program, (uint64_t)number, (uint64_t)first);
    FOCI_TRY(foci_program_forward(s->program));
    FOCI_TRY(foci_program_fetch(s->program, "loss", &mean));
    *loss += share_of(s) * (double)mean[0];
    if (s->losses) s->losses[first / s->micro] = (double)mean[0];
    end(s, FOCI_STEP_FORWARD);
    foci_program_backward(s->program, (foci_real)share_of(s));
    if (s->carry) FOCI_TRY(foci_carry_take(s->carry, s->program, first));
    end(s, FOCI_STEP_BACKWARD);
    return FOCI_OK;
}

static foci_status run_shard(const foci_step *s, int64_t number, int64_t shard, double *loss) {
    const int64_t samples = s->batch / shards_of(s);
    for (int64_t first = shard * samples; first < (shard + 1) * samples; first += s->micro)
        FOCI_TRY(run_part(s, number, first, loss));
    if (!s->shards) return FOCI_OK;
    foci_statistics_take(&s->shards->statistics);
    foci_gradient_sum_take(&s->shards->sum, shard, s->parameters->grad);
    return FOCI_OK;
}

/* Here the parts of a batch are summed up, gradients and loss: what leaves this function is that of the whole batch, or
 * of this process's shards of it. */
foci_status foci_step_gradients(const foci_step *s, int64_t number, double *loss) {
    *loss = 0;
    foci_parameters_zero_grad(s->parameters);
    foci_program_promise(s->program, (foci_real)share_of(s));
    if (s->shards) foci_statistics_begin(&s->shards->statistics);
    end(s, FOCI_STEP_CLEAR);
    for (int64_t i = first_shard(s); i < end_shard(s); i++) FOCI_TRY(run_shard(s, number, i, loss));
    if (s->carry) foci_carry_advance(s->carry, s->program);
    return FOCI_OK;
}

double foci_step_loss(const foci_step *s) {
    double loss = 0;
    for (int64_t i = 0; i < s->batch / s->micro; i++) loss += share_of(s) * s->losses[i];
    return loss;
}

/* -------------------------------------------------------------------------------------------------- update */

foci_status foci_step_update(const foci_step *s, foci_optimizer *o, double lr, double *grad_norm) {
    if (s->shards) {
        foci_gradient_sum_finish(&s->shards->sum, s->parameters->grad);
        end(s, FOCI_STEP_EXCHANGE);
    }
    const foci_status status = foci_optimizer_step(o, s->parameters, lr, grad_norm);
    end(s, FOCI_STEP_UPDATE);
    if (status || !s->shards) return status;
    const foci_range own = foci_optimizer_stretch(o, s->parameters);
    foci_statistics_put(&s->shards->statistics, shards_of(s), own.first, own.end);
    foci_optimizer_share(o, s->parameters->value);
    end(s, FOCI_STEP_SHARE);
    return FOCI_OK;
}
