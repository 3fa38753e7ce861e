#include "task/recipes.h"

/* DeiT (Touvron et al. 2021), main script and default arguments, as the paper trained its ImageNet models; timm of that
 * time. mix_groups, schedule_lag: its 4 processes of 256 images, and its loop, which sets the rate after the epoch. */
static const char deit[] = "model:\n"
                           "  drop_path: 0.1\n"
                           "data:\n"
                           "  scale: [0.08, 1]\n"
                           "  ratio: [0.75, 1.3333333]\n"
                           "  flip: 0.5\n"
                           "  interpolation: bicubic\n"
                           "  rand_augment: rand-m9-mstd0.5-inc1\n"
                           "  color_jitter: 0.4\n" /* without effect beside RandAugment */
                           "  random_erasing: 0.25\n"
                           "  mixup: 0.8\n"
                           "  cutmix: 1\n"
                           "  mix_prob: 1\n"
                           "  mix_switch: 0.5\n"
                           "  mix_groups: 4\n"
                           "  repeats: 3\n"
                           "  crop_pct: 0.875\n"
                           "train:\n"
                           "  batch_size: 1024\n"
                           "  epochs: 300\n"
                           "  optimizer: adamw\n"
                           "  lr: 1.0e-3\n" /* 5e-4 for every 512 images of the batch */
                           "  betas: [0.9, 0.999]\n"
                           "  eps: 1.0e-8\n"
                           "  weight_decay: 0.05\n"
                           "  clip: 0\n"
                           "  label_smoothing: 0.1\n"
                           "  schedule: cosine\n"
                           "  schedule_by: epoch\n"
                           "  schedule_lag: 1\n"
                           "  ema_decay: 0.99996\n"
                           "  warmup_epochs: 5\n"
                           "  warmup_lr: 1.0e-6\n"
                           "  min_lr: 1.0e-5\n"
                           "  seed: 0\n";

/* The paper's language models: its small one; the medium one has other sizes, epochs and steps (configs/wikitext103).
 */
static const char wikitext103[] = "model:\n"
                                  "  dropout: 0.1\n"
                                  "train:\n"
                                  "  batch_size: 96\n"
                                  "  epochs: 120\n"
                                  "  max_steps: 500000\n"
                                  "  optimizer: adam\n"
                                  "  lr: 2.5e-4\n"
                                  "  betas: [0.9, 0.999]\n"
                                  "  eps: 1.0e-8\n"
                                  "  weight_decay: 0\n"
                                  "  clip: 0.25\n"
                                  "  schedule: cosine\n"
                                  "  schedule_by: step\n"
                                  "  schedule_steps: 500000\n"
                                  "  warmup_steps: 2000\n"
                                  "  first_update_at_lr: true\n"
                                  "  min_lr: 0\n"
                                  "  eval_every: 4000\n"
                                  "  eval_batch: 10\n"
                                  "  log_every: 200\n"
                                  "  seed: 1111\n";

/* The Long Range Arena as the paper trained on it: sizes of the model, optimiser, schedule. Steps, warm-up and batch
 * are each task's own (configs/lra). */
static const char lra[] = "model:\n"
                          "  d_model: 64\n"
                          "  depth: 2\n"
                          "  num_heads: 2\n"
                          "  d_head: 32\n"
                          "  d_inner: 128\n"
                          "  dropout: 0.1\n"
                          "  attn_dropout: 0.1\n"
                          "train:\n"
                          "  optimizer: adamw\n"
                          "  lr: 1.0e-4\n"
                          "  betas: [0.9, 0.999]\n"
                          "  eps: 1.0e-6\n"
                          "  weight_decay: 0\n"
                          "  clip: 0\n"
                          "  schedule: one_cycle\n"
                          "  schedule_by: step\n"
                          "  one_cycle_start: 25\n"
                          "  one_cycle_end: 1.0e4\n"
                          "  one_cycle_betas: [0.95, 0.85]\n"
                          "  test_at_end: true\n"
                          "  seed: 1111\n";

const foci_recipe foci_recipes[] = {
    {"deit", "ImageNet training of DeiT: 300 epochs, RandAugment, mixup, cutmix, erasing, repeats", deit},
    {"lra", "Long Range Arena as in the paper: two layers, AdamW, one cycle of learning rate and beta1", lra},
    {"wikitext103", "language models on WikiText-103 as in the paper: Adam, clipping, 500,000 updates", wikitext103},
    {0}};
