/* From a config to what a training needs: task, data, model, optimiser, schedule. */
#include <stdlib.h>
#include <string.h>

#include "train/trainer_work.h"

const char *foci_trainer_dtype(const foci_trainer *t) { return t->programs.bf16 ? "bf16" : "fp32"; }

static void ask(void *context, int shape, foci_request *r) {
    const foci_trainer *t = context;
    t->task->prepare(t->data, shape, r);
}

foci_status foci_trainer_open(foci_trainer *t) {
    const foci_config *c = t->config;
    FOCI_TRY(foci_task_open(c, &t->model, &t->task));
    t->train = foci_training_read(c);
    t->micro = t->train.micro_batch ? t->train.micro_batch : t->train.batch_size;
    if (t->train.batch_size % t->micro)
        return foci_config_fail(c, "train.micro_batch", "%lld does not divide train.batch_size %lld", (long long)t->micro,
                                (long long)t->train.batch_size);
    FOCI_TRY(t->task->open(&t->data, c, FOCI_TRAIN | FOCI_VALID | FOCI_TEST));
    t->updates_per_epoch = t->task->updates(t->data);
    t->steps = t->updates_per_epoch * t->train.epochs;
    if (t->train.max_steps && t->train.max_steps < t->steps) t->steps = t->train.max_steps;
    return foci_training_programs_record(&t->programs, t->model, c, t->micro, foci_task_shapes(t->task, t->data), ask, t);
}

foci_optimizer_options foci_trainer_optimizer(const foci_training *train) {
    const foci_real_list betas = train->betas;
    return (foci_optimizer_options){.kind = train->optimizer,
                                    .beta1 = betas.count > 0 ? betas.value[0] : 0.9,
                                    .beta2 = betas.count > 1 ? betas.value[1] : 0.999,
                                    .eps = train->eps,
                                    .momentum = train->momentum,
                                    .weight_decay = train->weight_decay,
                                    .clip = train->clip,
                                    .freeze = train->freeze,
                                    .lr_scale = train->lr_scale};
}

foci_schedule foci_trainer_schedule(const foci_trainer *t) {
    const foci_training *train = &t->train;
    foci_schedule s = {.kind = train->schedule,
                       .lr = train->lr,
                       .min_lr = train->min_lr,
                       .warmup_lr = train->warmup_lr,
                       .power = train->power,
                       .lag = (double)train->schedule_lag,
                       .first_update_at_lr = train->first_update_at_lr,
                       .per_epoch = train->schedule_by == FOCI_BY_EPOCH};
    const double per_epoch = (double)t->updates_per_epoch, warmup_steps = (double)train->warmup_steps;
    const int64_t steps = train->schedule_steps ? train->schedule_steps : train->epochs * t->updates_per_epoch;
    s.total = (double)(s.per_epoch ? train->epochs : steps);
    if (s.per_epoch) s.warmup = warmup_steps > 0 ? warmup_steps / per_epoch : train->warmup_epochs;
    else s.warmup = warmup_steps > 0 ? warmup_steps : train->warmup_epochs * per_epoch;
    return s;
}

void foci_trainer_close(foci_trainer *t) {
    if (t->data) t->task->close(t->data);
    foci_optimizer_free(&t->optimizer);
    free(t->ema);
    foci_training_programs_free(&t->programs);
    foci_run_folder_close(&t->folder);
}
