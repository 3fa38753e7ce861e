#include "task/schema.h"

#include <stdio.h>

#include "attention/attention.h"
#include "task/data_sets.h"
#include "models/models.h"
#include "task/recipes.h"

enum { MOST_SECTIONS = 64, NAMES = 1024 };
static char recipe_names[NAMES] = "none", model_names[NAMES], attention_names[NAMES], data_names[NAMES];

static const foci_key top_keys[] = {
    {"name", FOCI_KEY_STRING, "run", 0, 0, NULL, "of the run; its folder is runs/NAME unless --out says otherwise", true},
    {"recipe", FOCI_KEY_CHOICE, "none", 0, 0, recipe_names, "a published recipe as defaults for the keys below (foci list recipes); what files and --set say wins"},
    {0}};

static const foci_key train_keys[] = {
    {"batch_size", FOCI_KEY_INT, "128", 1, 1e6, NULL, "images, or columns of text, per update"},
    {"micro_batch", FOCI_KEY_INT, "0", 0, 1e6, NULL, "so many at once, gradients added up to batch_size; 0: all at once"},
    {"epochs", FOCI_KEY_INT, "10", 1, 1e6, NULL, "passes over the training data"},
    {"max_steps", FOCI_KEY_INT, "0", 0, 1e12, NULL, "ends the run early, after so many updates, the schedule unchanged; 0: after the epochs", true},
    {"optimizer", FOCI_KEY_CHOICE, "adamw", 0, 0, "adamw adam sgd", "adam adds the decay to the gradient, adamw shrinks the weights"},
    {"lr", FOCI_KEY_REAL, "1e-3", 0, 1e3, NULL, "peak learning rate"},
    {"betas", FOCI_KEY_REALS, "[0.9, 0.999]", 0, 0.999999, NULL, "Adam's decay rates of the two moments"},
    {"eps", FOCI_KEY_REAL, "1e-8", 0, 1, NULL, "Adam's addend to the root of the second moment"},
    {"momentum", FOCI_KEY_REAL, "0.9", 0, 0.999999, NULL, "of sgd"},
    {"weight_decay", FOCI_KEY_REAL, "0", 0, 10, NULL, "none on biases, 1-d tensors, class tokens and positions"},
    {"clip", FOCI_KEY_REAL, "0", 0, 1e6, NULL, "largest norm of the whole gradient; 0: no clipping"},
    {"schedule", FOCI_KEY_CHOICE, "cosine", 0, 0, "cosine linear polynomial constant", "how the learning rate falls"},
    {"schedule_by", FOCI_KEY_CHOICE, "step", 0, 0, "step epoch", "the rate changes at every update, or only with the epoch (DeiT)"},
    {"schedule_steps", FOCI_KEY_INT, "0", 0, 1e12, NULL, "schedule_by step: the updates it runs over; 0: those of all epochs"},
    {"schedule_lag", FOCI_KEY_INT, "0", 0, 1e9, NULL, "the rate is that of so many updates (or epochs) earlier; 1 by epoch as DeiT's loop has it: epochs 0 and 1 are alike"},
    {"first_update_at_lr", FOCI_KEY_BOOL, "false", 0, 0, NULL, "the first update runs at the full rate in spite of the warm-up, as in the paper's language model code"},
    {"power", FOCI_KEY_REAL, "0.9", 0.01, 10, NULL, "of the polynomial schedule"},
    {"min_lr", FOCI_KEY_REAL, "0", 0, 1e3, NULL, "learning rate at the end"},
    {"warmup_epochs", FOCI_KEY_REAL, "0", 0, 1e6, NULL, "linear warm-up, in epochs"},
    {"warmup_steps", FOCI_KEY_INT, "0", 0, 1e9, NULL, "linear warm-up, in updates, in place of warmup_epochs"},
    {"warmup_lr", FOCI_KEY_REAL, "0", 0, 1e3, NULL, "learning rate at the start of the warm-up"},
    {"freeze", FOCI_KEY_STRING, "", 0, 0, NULL, "parameters that are not trained: names, or what they begin with (patch_embed blocks.0), with blanks between"},
    {"lr_scale", FOCI_KEY_STRING, "", 0, 0, NULL, "factors of the learning rate, by what names begin with: head=10 blocks.0=0.1"},
    {"test_at_end", FOCI_KEY_BOOL, "false", 0, 0, NULL, "text: perplexity of the test text by the sliding walk, with the best weights, when the training is over", true},
    {"ema_decay", FOCI_KEY_REAL, "0", 0, 0.9999999, NULL, "an average of the weights follows them, w <- decay w + (1 - decay) weights at every update, and is evaluated beside them; 0: none"},
    {"on_nonfinite", FOCI_KEY_CHOICE, "stop", 0, 0, "stop skip rollback", "a loss or gradient that is no number: end the run; leave the update out; go back to the weights of the last checkpoint and leave out the updates since"},
    {"spike_zscore", FOCI_KEY_REAL, "0", 0, 1000, NULL, "an update whose loss is so many standard deviations above its running mean is left out; 0: none is"},
    {"label_smoothing", FOCI_KEY_REAL, "0", 0, 0.99, NULL, "images: share of the target spread over all classes"},
    {"seed", FOCI_KEY_INT, "0", 0, 9e15, NULL, "of initial weights, order, augmentation and dropout"},
    {"dtype", FOCI_KEY_CHOICE, "fp32", 0, 0, "fp32 bf16 auto", "operands of products in training; sums, weights, norms and losses are float32. auto: bf16 where the processor has it"},
    {"recompute", FOCI_KEY_CHOICE, "none", 0, 0, "none block", "block: what a block of the model computes is not kept for the backward pass but computed again, to the same bits: less memory, more time", true},
    {"checkpoint_every", FOCI_KEY_INT, "0", 0, 1e9, NULL, "updates between checkpoints; 0: at the end of each epoch", true},
    {"eval_every", FOCI_KEY_INT, "0", 0, 1e9, NULL, "updates between evaluations; 0: at the end of each epoch", true},
    {"checkpoint_minutes", FOCI_KEY_REAL, "0", 0, 1e6, NULL, "minutes of training after which a checkpoint is written too; 0: never", true},
    {"keep_every", FOCI_KEY_INT, "0", 0, 1e9, NULL, "the weights of every so many checkpoints stay, as step-N.safetensors; 0: of none", true},
    {"eval_batch", FOCI_KEY_INT, "0", 0, 1e6, NULL, "images, or columns of text, per evaluation pass; 0: as in training", true},
    {"log_every", FOCI_KEY_INT, "50", 1, 1e9, NULL, "updates between lines of metrics.jsonl", true},
    {"tensorboard", FOCI_KEY_BOOL, "false", 0, 0, NULL, "what goes to metrics.jsonl goes to event files for TensorBoard too, and a picture of the first batch of images", true},
    {0}};

/* A row "kind" whose choices are the names of a registry. */
static foci_key model_kind[] = {{"kind", FOCI_KEY_CHOICE, NULL, 0, 0, model_names, "which model; its keys are below"}, {0}};
static foci_key attention_kind[] = {{"kind", FOCI_KEY_CHOICE, "softmax", 0, 0, attention_names, "which attention; its keys are below"}, {0}};
static foci_key data_kind[] = {{"kind", FOCI_KEY_CHOICE, "image_folder", 0, 0, data_names, "which kind of data set; its keys are below"}, {0}};

static void append_name(char *names, const char *name) {
    size_t used = 0;
    while (names[used]) used++;
    snprintf(names + used, NAMES - used, "%s%s", used ? " " : "", name);
}

const foci_schema *foci_schema_all(void) {
    static foci_section section[MOST_SECTIONS];
    static foci_schema schema;
    if (schema.count) return &schema;
    int n = 0;
    for (const foci_recipe *r = foci_recipes; r->name; r++) append_name(recipe_names, r->name);
    section[n++] = (foci_section){"", NULL, top_keys};
    section[n++] = (foci_section){"model", NULL, model_kind};
    for (int i = 0; foci_models[i] && n < MOST_SECTIONS; i++) {
        append_name(model_names, foci_models[i]->name);
        section[n++] = (foci_section){"model", foci_models[i]->name, foci_models[i]->keys};
    }
    section[n++] = (foci_section){"attention", NULL, attention_kind};
    for (int i = 0; foci_attentions[i] && n < MOST_SECTIONS; i++) {
        append_name(attention_names, foci_attentions[i]->name);
        if (foci_attentions[i]->keys)
            section[n++] = (foci_section){"attention", foci_attentions[i]->name, foci_attentions[i]->keys};
    }
    section[n++] = (foci_section){"data", NULL, data_kind};
    for (int i = 0; foci_data_sets[i] && n < MOST_SECTIONS; i++) {
        append_name(data_names, foci_data_sets[i]->name);
        section[n++] = (foci_section){"data", foci_data_sets[i]->name, foci_data_sets[i]->keys};
    }
    section[n++] = (foci_section){"train", NULL, train_keys};
    schema = (foci_schema){section, n, foci_recipes};
    return &schema;
}
