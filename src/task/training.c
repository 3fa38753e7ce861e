#include "task/training.h"

#include "config/config.h"
#include "kernels/bf16.h"

const foci_key foci_training_keys[] = {
    FOCI_KEY(foci_training, batch_size, "128", 1, 1e6, NULL, "images, sequences or columns of text, per update"),
    FOCI_KEY(foci_training, micro_batch, "0", 0, 1e6, NULL,
             "so many at once, gradients added up to batch_size; 0: all of a shard at once"),
    FOCI_KEY(
        foci_training, shards, "1", 1, 65536, NULL,
        "equal parts of a batch whose gradients are added in one fixed order, so that as many processes, or fewer, "
        "can share them to the same bits; the bits depend on this number"),
    FOCI_KEY(foci_training, epochs, "10", 1, 1e6, NULL, "passes over the training data", .is_length = true),
    FOCI_KEY(foci_training, max_steps, "0", 0, 1e12, NULL,
             "ends the run early, after so many updates, the schedule unchanged; 0: after the epochs",
             .may_change = true),
    FOCI_KEY(foci_training, optimizer, "adamw", 0, 0, FOCI_OPTIMIZERS(FOCI_CHOICE_WORD),
             "adam adds the decay to the gradient, adamw shrinks the weights"),
    FOCI_KEY(foci_training, lr, "1e-3", 0, 1e3, NULL, "peak learning rate"),
    FOCI_KEY(foci_training, betas, "[0.9, 0.999]", 0, 0.999999, NULL, "Adam's decay rates of the two moments"),
    FOCI_KEY(foci_training, eps, "1e-8", 0, 1, NULL, "Adam's addend to the root of the second moment"),
    FOCI_KEY(foci_training, momentum, "0.9", 0, 0.999999, NULL, "of sgd"),
    FOCI_KEY(foci_training, nesterov, "false", 0, 0, NULL, "sgd: Nesterov's momentum, a step ahead"),
    FOCI_KEY(foci_training, weight_decay, "0", 0, 10, NULL, "none on biases, 1-d tensors, class tokens and positions"),
    FOCI_KEY(foci_training, clip, "0", 0, 1e6, NULL, "largest norm of the whole gradient; 0: no clipping"),
    FOCI_KEY(foci_training, schedule, "cosine", 0, 0, FOCI_SCHEDULES(FOCI_CHOICE_WORD), "how the learning rate falls"),
    FOCI_KEY(foci_training, schedule_by, "step", 0, 0, FOCI_SCHEDULE_UNITS(FOCI_CHOICE_WORD),
             "the rate changes at every update, or only with the epoch (DeiT)"),
    FOCI_KEY(foci_training, schedule_steps, "0", 0, 1e12, NULL,
             "schedule_by step: the updates it runs over; 0: those of all epochs", .is_length = true),
    FOCI_KEY(foci_training, schedule_lag, "0", 0, 1e9, NULL,
             "the rate is that of so many updates (or epochs) earlier; 1 by epoch as DeiT's loop has it: epochs 0 "
             "and 1 are alike"),
    FOCI_KEY(foci_training, first_update_at_lr, "false", 0, 0, NULL,
             "the first update runs at the full rate in spite of the warm-up, as in the paper's language model code"),
    FOCI_KEY(foci_training, power, "0.9", 0.01, 10, NULL, "of the polynomial schedule"),
    FOCI_KEY(foci_training, one_cycle_start, "25", 1, 1e9, NULL,
             "one_cycle: the first rate is lr over this; from there it rises straight to lr at the end of the warm-up"),
    FOCI_KEY(foci_training, one_cycle_end, "1e4", 1, 1e12, NULL,
             "one_cycle: the last rate is the first over this; it falls straight to it"),
    FOCI_KEY(
        foci_training, one_cycle_betas, "[0.95, 0.85]", 0, 0.999999, NULL,
        "one_cycle: Adam's first decay rate, or sgd's momentum, at both ends and at the peak; one number: it stays "
        "so"),
    FOCI_KEY(foci_training, min_lr, "0", 0, 1e3, NULL, "learning rate at the end"),
    FOCI_KEY(foci_training, warmup_epochs, "0", 0, 1e6, NULL, "linear warm-up, in epochs"),
    FOCI_KEY(foci_training, warmup_steps, "0", 0, 1e9, NULL, "linear warm-up, in updates, in place of warmup_epochs"),
    FOCI_KEY(foci_training, warmup_lr, "0", 0, 1e3, NULL,
             "learning rate at the start of the warm-up; warmup_cosine begins at lr / (warm-up + 1)"),
    FOCI_KEY(foci_training, freeze, "", 0, 0, NULL,
             "parameters that are not trained: names, or what they begin with (patch_embed blocks.0), with blanks "
             "between"),
    FOCI_KEY(foci_training, fresh, "", 0, 0, NULL,
             "parameters that --init takes from no other weights, named likewise: they begin anew"),
    FOCI_KEY(foci_training, lr_scale, "", 0, 0, NULL,
             "factors of the learning rate, by what names begin with: head=10 blocks.0=0.1"),
    FOCI_KEY(foci_training, test_at_end, "false", 0, 0, NULL,
             "text, sequences, segmentation: the score of the test data, text's perplexity by the sliding walk, with "
             "the best "
             "weights, when the training is over",
             .may_change = true),
    FOCI_KEY(foci_training, ema_decay, "0", 0, 0.9999999, NULL,
             "an average of the weights follows them, w <- decay w + (1 - decay) weights at every update, and is "
             "evaluated beside them; 0: none"),
    FOCI_KEY(foci_training, on_nonfinite, "stop", 0, 0, FOCI_NONFINITE(FOCI_CHOICE_WORD),
             "a loss or gradient that is no number: end the run; leave the update out; go back to the weights of the "
             "last checkpoint and leave out the updates since"),
    FOCI_KEY(foci_training, spike_zscore, "0", 0, 1000, NULL,
             "an update whose loss is so many standard deviations above its running mean is left out; 0: none is"),
    FOCI_KEY(foci_training, balance, "0.01", 0, 1000, NULL,
             "models with experts: factor of the loss that balances their use, which is no part of the loss reported"),
    FOCI_KEY(foci_training, label_smoothing, "0", 0, 0.99, NULL, "images: share of the target spread over all classes"),
    FOCI_KEY(foci_training, teacher, "", 0, 0, NULL,
             "a run, or weights in one: what it takes the training images for is what the second head of a model with "
             "distilled: true learns; it may move, but not change",
             .may_change = true, .path = true),
    FOCI_KEY(foci_training, distillation_type, "hard", 0, 0, FOCI_DISTILLATIONS(FOCI_CHOICE_WORD),
             "with a teacher: its likeliest class is the label (DeiT); none: it is not asked"),
    FOCI_KEY(foci_training, distillation_alpha, "0.5", 0, 1, NULL,
             "with a teacher: its share of the loss, the labels have the rest"),
    FOCI_KEY(foci_training, seed, "0", 0, 9e15, NULL, "of initial weights, order, augmentation and dropout"),
    FOCI_KEY(foci_training, dtype, "fp32", 0, 0, FOCI_DTYPES(FOCI_CHOICE_WORD),
             "operands of products in training; sums, weights, norms and losses are float32. auto: bf16 where the "
             "processor has it"),
    FOCI_KEY(foci_training, eval_dtype, "fp32", 0, 0, FOCI_DTYPES(FOCI_CHOICE_WORD),
             "likewise where the model is only run: evaluations, attacks, analyses, predictions (--dtype there)"),
    FOCI_KEY(foci_training, recompute, "none", 0, 0, FOCI_RECOMPUTE(FOCI_CHOICE_WORD),
             "block: what a block of the model computes is not kept for the backward pass but computed again, to the "
             "same bits: less memory, more time",
             .may_change = true),
    FOCI_KEY(foci_training, checkpoint_every, "0", 0, 1e9, NULL,
             "updates between checkpoints; 0: at the end of each epoch", .may_change = true),
    FOCI_KEY(foci_training, eval_every, "0", 0, 1e9, NULL, "updates between evaluations; 0: at the end of each epoch",
             .may_change = true),
    FOCI_KEY(foci_training, checkpoint_minutes, "0", 0, 1e6, NULL,
             "minutes of training after which a checkpoint is written too; 0: never", .may_change = true),
    FOCI_KEY(foci_training, timeout, "600", 0, 1e9, NULL,
             "of several processes: seconds after which one that waits for the others ends all; 0: never",
             .may_change = true),
    FOCI_KEY(foci_training, keep_every, "0", 0, 1e9, NULL,
             "the weights of every so many checkpoints stay, as step-N.safetensors; 0: of none", .may_change = true),
    FOCI_KEY(foci_training, eval_batch, "0", 0, 1e6, NULL,
             "images, sequences or columns of text, per evaluation pass; 0: as in training", .may_change = true),
    FOCI_KEY(foci_training, log_every, "50", 1, 1e9, NULL, "updates between lines of metrics.jsonl",
             .may_change = true),
    FOCI_KEY(foci_training, tensorboard, "false", 0, 0, NULL,
             "what goes to metrics.jsonl goes to event files for TensorBoard too, and a picture of the first batch "
             "of images",
             .may_change = true),
    {0}};

foci_training foci_training_read(const foci_config *c) {
    foci_training t;
    foci_config_read(c, "train", foci_training_keys, &t);
    return t;
}

static bool in_bf16(foci_operands dtype) { return dtype != FOCI_DTYPE_FP32 && foci_bf16_supported(); }

bool foci_training_bf16(const foci_config *config) { return in_bf16(foci_training_read(config).dtype); }
bool foci_eval_bf16(const foci_config *config) { return in_bf16(foci_training_read(config).eval_dtype); }

static foci_status check_dtype(const foci_config *config, const char *key, foci_operands dtype) {
    if (dtype != FOCI_DTYPE_BF16 || foci_bf16_supported()) return FOCI_OK;
    return foci_config_fail(config, key,
                            "this processor has no products in bf16 (AVX512-BF16); auto falls back to fp32");
}

foci_status foci_training_check_dtype(const foci_config *config) {
    return check_dtype(config, "train.dtype", foci_training_read(config).dtype);
}
foci_status foci_eval_check_dtype(const foci_config *config) {
    return check_dtype(config, "train.eval_dtype", foci_training_read(config).eval_dtype);
}

int64_t foci_training_micro(const foci_training *t) {
    const int64_t shard = t->batch_size / t->shards;
    return !t->micro_batch || (t->shards > 1 && t->micro_batch > shard) ? shard : t->micro_batch;
}

foci_status foci_training_check(const foci_training *t, const foci_config *config, const foci_group *group) {
    const long long batch = t->batch_size, shards = t->shards, micro = foci_training_micro(t);
    if (batch % shards)
        return foci_config_fail(config, "train.shards", "%lld does not divide train.batch_size %lld", shards, batch);
    if (batch / shards % micro)
        return foci_config_fail(config, "train.micro_batch", "%lld does not divide %s %lld", micro,
                                shards > 1 ? "a shard, train.batch_size / train.shards," : "train.batch_size",
                                batch / shards);
    if (foci_group_size(group) > shards)
        return foci_config_fail(config, "train.shards",
                                "%lld, fewer than the %d processes: shards decide the bits and processes do not, so "
                                "name a number that will do for all machines to come, 64 perhaps",
                                shards, foci_group_size(group));
    return FOCI_OK;
}

int64_t foci_eval_batch(const foci_training *t, int64_t most, int64_t count) {
    const int64_t asked = t->eval_batch ? t->eval_batch : t->batch_size < most ? t->batch_size : most;
    return asked < count ? asked : count;
}
