/* The section `train` of a config: its keys, and the struct that they fill. */
#ifndef FOCI_TASK_TRAINING_H
#define FOCI_TASK_TRAINING_H

#include "base/group.h"
#include "foci/plugin.h"

#define FOCI_OPTIMIZERS(X) X(FOCI_ADAMW, "adamw") X(FOCI_ADAM, "adam") X(FOCI_SGD, "sgd")
typedef enum foci_optimizer_kind { FOCI_OPTIMIZERS(FOCI_CHOICE_NUMBER) } foci_optimizer_kind;

#define FOCI_SCHEDULES(X) \
    X(FOCI_SCHEDULE_COSINE, "cosine") /* min + (lr - min) (1 + cos(pi t / total)) / 2 */ \
    /* the same over the time behind the warm-up, which begins at lr / (warmup + 1), as nanoGPT has it */ \
    X(FOCI_SCHEDULE_WARMUP_COSINE, "warmup_cosine") \
    X(FOCI_SCHEDULE_LINEAR, "linear")         /* min + (lr - min) (1 - t / total) */ \
    X(FOCI_SCHEDULE_POLYNOMIAL, "polynomial") /* min + (lr - min) (1 - t / total)^power */ \
    X(FOCI_SCHEDULE_CONSTANT, "constant")     /* lr */ \
    X(FOCI_SCHEDULE_ONE_CYCLE, "one_cycle")   /* up, and down to next to nothing */
typedef enum foci_schedule_kind { FOCI_SCHEDULES(FOCI_CHOICE_NUMBER) } foci_schedule_kind;

#define FOCI_SCHEDULE_UNITS(X) X(FOCI_BY_STEP, "step") X(FOCI_BY_EPOCH, "epoch")
#define FOCI_NONFINITE(X) \
    X(FOCI_NONFINITE_STOP, "stop") X(FOCI_NONFINITE_SKIP, "skip") X(FOCI_NONFINITE_ROLLBACK, "rollback")
#define FOCI_DISTILLATIONS(X) X(FOCI_DISTILL_HARD, "hard") X(FOCI_DISTILL_NONE, "none")
#define FOCI_DTYPES(X) X(FOCI_DTYPE_FP32, "fp32") X(FOCI_DTYPE_BF16, "bf16") X(FOCI_DTYPE_AUTO, "auto")
typedef enum foci_operands { FOCI_DTYPES(FOCI_CHOICE_NUMBER) } foci_operands;
#define FOCI_RECOMPUTE(X) X(FOCI_RECOMPUTE_NONE, "none") X(FOCI_RECOMPUTE_BLOCK, "block")

/* Strings and lists are the config's. */
typedef struct foci_training {
    int64_t batch_size, micro_batch, shards, epochs, max_steps;
    foci_optimizer_kind optimizer;
    double lr, eps, momentum, weight_decay, clip;
    bool nesterov;
    foci_real_list betas;
    foci_schedule_kind schedule;
    enum { FOCI_SCHEDULE_UNITS(FOCI_CHOICE_NUMBER) } schedule_by;
    int64_t schedule_steps, schedule_lag;
    bool first_update_at_lr;
    double power, min_lr, warmup_epochs, warmup_lr, one_cycle_start, one_cycle_end;
    foci_real_list one_cycle_betas;
    int64_t warmup_steps;
    const char *freeze, *fresh, *lr_scale;
    bool test_at_end;
    double ema_decay;
    enum { FOCI_NONFINITE(FOCI_CHOICE_NUMBER) } on_nonfinite;
    double spike_zscore, balance, label_smoothing;
    const char *teacher;
    enum { FOCI_DISTILLATIONS(FOCI_CHOICE_NUMBER) } distillation_type;
    double distillation_alpha;
    int64_t seed;
    foci_operands dtype, eval_dtype;
    enum { FOCI_RECOMPUTE(FOCI_CHOICE_NUMBER) } recompute;
    int64_t checkpoint_every, eval_every, keep_every, eval_batch, log_every;
    double checkpoint_minutes, timeout;
    bool tensorboard;
} foci_training;

extern const foci_key foci_training_keys[];
foci_training foci_training_read(const foci_config *c);
/* Are operands of products in bf16, in training or in what only runs the model, as the config says? */
bool foci_training_bf16(const foci_config *config);
bool foci_eval_bf16(const foci_config *config);
/* FOCI_ERR_CONFIG where the config insists on it and the processor has no such products. */
foci_status foci_training_check_dtype(const foci_config *config);
foci_status foci_eval_check_dtype(const foci_config *config);
/* Samples of a pass: train.micro_batch, or all of a shard, where it has no more. */
int64_t foci_training_micro(const foci_training *t);
/* FOCI_ERR_CONFIG where the batch cannot be cut into shards, these into passes, or there are more processes. */
foci_status foci_training_check(const foci_training *t, const foci_config *config, const foci_group *group);
/* Samples of a pass of an evaluation of `count`: train.eval_batch, or as in training but at most `most`. */
int64_t foci_eval_batch(const foci_training *t, int64_t most, int64_t count);

#endif
