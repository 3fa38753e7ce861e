/* From a config to what a training needs: task, data, model, optimiser, schedule. */
#include <stdlib.h>
#include <string.h>

#include "train/trainer_work.h"

foci_status foci_trainer_task(const foci_config *c, const foci_model **model, const foci_task_kind **task) {
    *model = foci_model_find(foci_config_string(c, "model.kind"));
    const foci_data_set *set = foci_data_set_find(foci_config_string(c, "data.kind"));
    if (set->task != (*model)->task)
        return foci_config_fail(c, "data.kind", "%s is %s, but model.kind %s wants %s", set->name, foci_task_kind_of(set->task)->items,
                                (*model)->name, foci_task_kind_of((*model)->task)->items);
    *task = foci_task_kind_of((*model)->task);
    return FOCI_OK;
}

const char *foci_trainer_dtype(const foci_trainer *t) { return t->programs.bf16 ? "bf16" : "fp32"; }

static void prepare_io(void *context, int shape, foci_model_io *io) {
    const foci_trainer *t = context;
    t->task->prepare(t->data, shape, io);
}

foci_status foci_trainer_open(foci_trainer *t) {
    const foci_config *c = t->config;
    FOCI_TRY(foci_trainer_task(c, &t->model, &t->task));
    t->batch = foci_config_int(c, "train.batch_size");
    t->micro = foci_config_int(c, "train.micro_batch");
    if (!t->micro) t->micro = t->batch;
    if (t->batch % t->micro)
        return foci_config_fail(c, "train.micro_batch", "%lld does not divide train.batch_size %lld", (long long)t->micro, (long long)t->batch);
    FOCI_TRY(t->task->open(&t->data, c, true));
    t->updates_per_epoch = t->task->updates(t->data);
    t->steps = t->updates_per_epoch * foci_config_int(c, "train.epochs");
    int64_t most = foci_config_int(c, "train.max_steps");
    if (most && most < t->steps) t->steps = most;
    return foci_programs_record(&t->programs, t->model, c, t->micro, t->task->shapes(t->data), prepare_io, t);
}

foci_optimizer_options foci_trainer_optimizer(const foci_config *c) {
    const char *name = foci_config_string(c, "train.optimizer");
    foci_optimizer_options o = {.eps = foci_config_real(c, "train.eps"),
                                .momentum = foci_config_real(c, "train.momentum"),
                                .weight_decay = foci_config_real(c, "train.weight_decay"),
                                .clip = foci_config_real(c, "train.clip"),
                                .freeze = foci_config_string(c, "train.freeze"),
                                .lr_scale = foci_config_string(c, "train.lr_scale")};
    while (strcmp(foci_optimizer_name(o.kind), name) != 0) o.kind++;
    const double *betas;
    int n = foci_config_reals(c, "train.betas", &betas);
    o.beta1 = n > 0 ? betas[0] : 0.9;
    o.beta2 = n > 1 ? betas[1] : 0.999;
    return o;
}

foci_schedule foci_trainer_schedule(const foci_trainer *t) {
    const foci_config *c = t->config;
    static const char *const kinds[] = {"constant", "cosine", "linear", "polynomial"};
    foci_schedule s = {.lr = foci_config_real(c, "train.lr"),
                       .min_lr = foci_config_real(c, "train.min_lr"),
                       .warmup_lr = foci_config_real(c, "train.warmup_lr"),
                       .power = foci_config_real(c, "train.power"),
                       .lag = (double)foci_config_int(c, "train.schedule_lag"),
                       .first_update_at_lr = foci_config_bool(c, "train.first_update_at_lr"),
                       .per_epoch = strcmp(foci_config_string(c, "train.schedule_by"), "epoch") == 0};
    while (strcmp(kinds[s.kind], foci_config_string(c, "train.schedule")) != 0) s.kind++;
    double per_epoch = (double)t->updates_per_epoch, warmup_steps = (double)foci_config_int(c, "train.warmup_steps");
    double warmup_epochs = foci_config_real(c, "train.warmup_epochs");
    int64_t epochs = foci_config_int(c, "train.epochs"), steps = foci_config_int(c, "train.schedule_steps");
    if (s.per_epoch) s.total = (double)epochs;
    else s.total = (double)(steps ? steps : epochs * t->updates_per_epoch);
    if (s.per_epoch) s.warmup = warmup_steps > 0 ? warmup_steps / per_epoch : warmup_epochs;
    else s.warmup = warmup_steps > 0 ? warmup_steps : warmup_epochs * per_epoch;
    return s;
}

void foci_trainer_close(foci_trainer *t) {
    if (t->data) t->task->close(t->data);
    foci_optimizer_free(&t->optimizer);
    free(t->ema);
    foci_programs_free(&t->programs);
    foci_run_folder_close(&t->folder);
}
