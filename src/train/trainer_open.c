/* Before the first step: from a config to task, data, model, optimiser and schedule; what an earlier sitting left; and
 * a word about all of it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/memory.h"
#include "core/load.h"
#include "task/schema.h"
#include "train/trainer_work.h"

/* ------------------------------------------------------------------------------------------ model and data */

const char *foci_trainer_dtype(const foci_trainer *t) { return t->programs.bf16 ? "bf16" : "fp32"; }

int foci_trainer_moments(const foci_trainer *t) { return t->train.optimizer == FOCI_SGD ? 1 : 2; }
int foci_trainer_arrays(const foci_trainer *t) { return foci_trainer_moments(t) + (t->train.ema_decay > 0); }

double foci_trainer_room_for(const foci_trainer *t) {
    return foci_trainer_arrays(t) + foci_gradient_sum_arrays(t->train.shards, foci_group_size(t->group));
}

static void ask(void *context, int shape, foci_request *r) {
    foci_trainer *t = context;
    t->task->prepare(t->data, shape, r);
    foci_teacher_ask(&t->teacher, t->config, t->feeds, sizeof t->feeds, r);
}

foci_status foci_trainer_open(foci_trainer *t) {
    const foci_config *c = t->config;
    FOCI_TRY(foci_task_open(c, &t->model, &t->task));
    t->train = foci_training_read(c);
    if (t->group) t->group->seconds = t->train.timeout;
    FOCI_TRY(foci_training_check(&t->train, c, t->group));
    t->micro = foci_training_micro(&t->train);
    FOCI_TRY(foci_task_open_data(t->task, &t->data, c, FOCI_TRAIN | FOCI_VALID | FOCI_TEST));
    FOCI_TRY(foci_teacher_open(&t->teacher, c, t->task, t->data, t->micro));
    t->updates_per_epoch = t->task->updates(t->data);
    t->steps = t->updates_per_epoch * t->train.epochs;
    if (t->train.max_steps && t->train.max_steps < t->steps) t->steps = t->train.max_steps;
    FOCI_TRY(
        foci_training_programs_record(&t->programs, t->model, c, t->micro, foci_task_shapes(t->task, t->data), ask, t));
    return foci_teacher_fits(&t->teacher, c, t->programs.program[0]);
}

/* ------------------------------------------------------------------------------------- what a config asks for */

static foci_optimizer_options optimizer_of(const foci_training *train, foci_group *group) {
    const foci_real_list betas = train->betas;
    return (foci_optimizer_options){.kind = train->optimizer,
                                    .beta1 = betas.count > 0 ? betas.value[0] : 0.9,
                                    .beta2 = betas.count > 1 ? betas.value[1] : 0.999,
                                    .eps = train->eps,
                                    .momentum = train->momentum,
                                    .nesterov = train->nesterov,
                                    .weight_decay = train->weight_decay,
                                    .clip = train->clip,
                                    .freeze = train->freeze,
                                    .lr_scale = train->lr_scale,
                                    .group = group};
}

static foci_schedule schedule_of(const foci_trainer *t) {
    const foci_training *train = &t->train;
    foci_schedule s = {.kind = train->schedule,
                       .lr = train->lr,
                       .min_lr = train->min_lr,
                       .warmup_lr = train->warmup_lr,
                       .power = train->power,
                       .lag = (double)train->schedule_lag,
                       .first_update_at_lr = train->first_update_at_lr,
                       .per_epoch = train->schedule_by == FOCI_BY_EPOCH};
    const foci_real_list betas = train->one_cycle_betas;
    s.cycle.first = train->lr / train->one_cycle_start;
    s.cycle.last = s.cycle.first / train->one_cycle_end;
    s.cycle.momentum = betas.count > 0 ? betas.value[0] : 0.95;
    s.cycle.at_peak = betas.count > 0 ? betas.value[betas.count - 1] : 0.85;
    const double per_epoch = (double)t->updates_per_epoch, warmup_steps = (double)train->warmup_steps;
    const int64_t steps = train->schedule_steps ? train->schedule_steps : train->epochs * t->updates_per_epoch;
    s.total = (double)(s.per_epoch ? train->epochs : steps);
    if (s.per_epoch) s.warmup = warmup_steps > 0 ? warmup_steps / per_epoch : train->warmup_epochs;
    else s.warmup = warmup_steps > 0 ? warmup_steps : train->warmup_epochs * per_epoch;
    return s;
}

/* ----------------------------------------------------------------------------------------------- starting */

static foci_status start_average(foci_trainer *t) {
    const foci_parameters *p = &t->programs.parameters;
    t->ema = foci_large_alloc((size_t)p->size * sizeof *t->ema);
    if (!t->ema)
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for averages of %lld parameters", (long long)p->size);
    memcpy(t->ema, p->value, (size_t)p->size * sizeof *t->ema);
    return FOCI_OK;
}

/* Memory, and initial weights; `from`: what --init says of them. */
static foci_status begin(foci_trainer *t, char *from, size_t size) {
    const uint64_t seed = (uint64_t)t->train.seed;
    const foci_optimizer_options options = optimizer_of(&t->train, t->group);
    const bool average = t->train.ema_decay > 0;
    FOCI_TRY(foci_training_programs_allocate(&t->programs, seed, foci_trainer_room_for(t)));
    FOCI_TRY(foci_carry_open(&t->carry, t->programs.program[0], t->train.batch_size));
    FOCI_TRY(foci_optimizer_init(&t->optimizer, &options, &t->programs.parameters));
    if (t->train.shards > 1)
        FOCI_TRY(foci_step_shards_open(&t->shards, &t->programs.parameters, t->train.shards, &t->optimizer));
    t->losses = calloc((size_t)(t->train.batch_size / t->micro), sizeof *t->losses);
    if (!t->losses) return foci_out_of_memory();
    t->schedule = schedule_of(t);
    t->state = (foci_run_state){
        .seed = seed, .best = NAN, .meaning = &t->meaning, .carry = &t->carry, .teacher = t->teacher.checksum};
    if (t->options->init) FOCI_TRY(foci_trainer_init(t, from, size));
    return average ? start_average(t) : FOCI_OK;
}

typedef struct differences {
    bool extends;    /* lengths may differ */
    char text[1024]; /* the others */
    bool lengths;    /* these differ alone */
} differences;

static void note_difference(void *context, const foci_difference *d) {
    differences *n = context;
    const size_t used = strlen(n->text);
    if (d->may_change || (n->extends && d->is_length)) return;
    n->lengths = (n->lengths || !used) && d->is_length;
    snprintf(n->text + used, sizeof n->text - used, "%s%s (%s there, %s now)", used ? ", " : "", d->key,
             d->a ? d->a : "absent", d->b ? d->b : "absent");
}

/* A run goes on with the config that it was begun with, but for keys that do not change where it ends. */
static foci_status check_same_config(const foci_trainer *t) {
    char path[4200];
    differences n = {.extends = t->options->extend};
    foci_config *before;
    FOCI_TRY(foci_path_join(path, sizeof path, t->folder.path, "config.yaml"));
    FOCI_TRY(foci_config_load(&before, foci_schema_all(), path, NULL, 0));
    foci_status s = foci_config_compare(before, t->config, note_difference, &n);
    foci_config_free(before);
    if (s || !*n.text) return s;
    return foci_fail(FOCI_ERR_CONFIG, "%s was begun with another config: %s; %s", t->folder.path, n.text,
                     n.lengths ? "--extend goes on to another length"
                               : "a new run may start from its weights with --init");
}

/* The last checkpoint, where there is one and the run is resumed. */
static foci_status restore(foci_trainer *t) {
    char saved[4200];
    FOCI_TRY(foci_path_join(saved, sizeof saved, t->folder.path, "state.safetensors"));
    const bool extend = t->options->extend;
    if (extend && !foci_path_kind(saved)) return foci_fail(FOCI_ERR_CHECKPOINT, "%s: nothing to extend", saved);
    if (!t->options->resume || !foci_path_kind(saved)) return FOCI_OK;
    FOCI_TRY(check_same_config(t));
    FOCI_TRY(foci_trainer_compare(t));
    FOCI_TRY(foci_state_load(t->folder.path, &t->programs.parameters, &t->optimizer, t->ema, &t->state));
    FOCI_TRY(foci_state_weights(t->folder.path, &t->programs.parameters, &t->optimizer, t->ema, &t->state,
                                t->train.keep_every));
    t->policy.saved = t->state.step;
    if (extend) FOCI_TRY(foci_trainer_check_extension(t));
    return foci_run_folder_rewind(&t->folder, t->state.step, t->state.evaluated == t->state.step);
}

static void describe(foci_trainer *t, const char *from) {
    char text[512];
    size_t unshared, bytes = foci_program_set_bytes(&t->programs.set, &unshared);
    t->task->describe(t->data, text, sizeof text);
    foci_run_log(&t->folder, "%s: %s, %s attention, %lld parameters, products in %s", t->folder.path, t->model->name,
                 foci_config_string(t->config, "attention.kind"),
                 (long long)foci_parameters_numel(&t->programs.parameters), foci_trainer_dtype(t));
    foci_run_log(&t->folder, "data: %s", text);
    foci_run_log(&t->folder,
                 "plan: %.1f MB for a pass of %lld (%.1f MB without sharing); %lld update%s an epoch, %lld in all",
                 (double)bytes / 1e6, (long long)t->micro, (double)unshared / 1e6, (long long)t->updates_per_epoch,
                 foci_plural(t->updates_per_epoch, "s"), (long long)t->steps);
    if (t->teacher.program)
        foci_run_log(&t->folder, "teacher: %s, checksum %s", t->teacher.weights, t->teacher.checksum);
    if (*from && !t->state.step) foci_run_log(&t->folder, "%s", from);
    if (t->state.step) foci_run_log(&t->folder, "resuming after step %lld", (long long)t->state.step);
}

/* The run's folder, or nothing of it: a run that is refused leaves none behind. */
static foci_status enter(foci_trainer *t, const char *from) {
    if (!foci_group_leads(t->group)) return FOCI_OK;
    FOCI_TRY(foci_run_folder_open(&t->folder, t->options->out, t->options->resume, t->options->force));
    FOCI_TRY(restore(t));
    FOCI_TRY(foci_trainer_room(t));
    if (t->train.tensorboard) FOCI_TRY(foci_run_events(&t->folder, t->state.step));
    FOCI_TRY(foci_run_folder_describe(&t->folder, t->config, t->options->command));
    FOCI_TRY(foci_trainer_keep(t));
    describe(t, from);
    return t->options->extend ? foci_trainer_note_extension(t) : FOCI_OK;
}

/* Samples of a batch that this process makes ready. */
static void take_share(foci_trainer *t) {
    if (!t->group || !t->task->share) return;
    const foci_range own = foci_step_samples(&t->shards, t->train.batch_size);
    t->task->share(t->data, t->group, own.first, own.end);
}

foci_status foci_trainer_start(foci_trainer *t) {
    char from[2048] = "";
    foci_status s = foci_trainer_know(t);
    if (!s) s = begin(t, from, sizeof from);
    FOCI_TRY(foci_trainer_all(t, s));
    FOCI_TRY(foci_trainer_shake_hands(t));
    s = foci_trainer_all(t, enter(t, from));
    if (!s) foci_trainer_spread_state(t);
    if (!s) take_share(t);
    if (!s) s = foci_trainer_all(t, t->task->seek(t->data, t->state.epoch, t->state.position));
    if (s && foci_group_leads(t->group)) foci_run_folder_give_back(&t->folder);
    return s;
}

void foci_trainer_close(foci_trainer *t) {
    foci_task_close_data(t->task, t->data);
    foci_teacher_close(&t->teacher);
    foci_step_shards_close(&t->shards);
    foci_optimizer_free(&t->optimizer);
    free(t->losses);
    free(t->peer);
    foci_carry_close(&t->carry);
    free(t->ema);
    foci_training_programs_free(&t->programs);
    foci_manifest_free(&t->files);
    foci_meaning_free(&t->meaning);
    foci_run_folder_close(&t->folder);
}
