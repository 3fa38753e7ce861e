#include "task/metrics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static double mean(double sum, double weight) { return sum / weight; }
static double percent(double sum, double weight) { return 100.0 * sum / weight; }
static double exp_of_mean(double sum, double weight) { return exp(sum / weight); }
static double bits_of_mean(double sum, double weight) { return sum / weight / log(2); }
static double count(double sum, double weight) { return (void)weight, sum; }

const foci_metric foci_metrics[] = {
    /* of an evaluation */
    {"top1", "top-1", "%", 2, 1, "val/top1", percent, .about = "accuracy, top-1"},
    {"top5", "top-5", "%", 2, 1, "val/top5", percent, .about = "accuracy, top-5"},
    {"miou", "mean IoU", "%", 2, 1, "val/miou", percent},
    {"class_accuracy", "mean class accuracy", "%", 2, 1, "val/class_accuracy", percent},
    {"pixel_accuracy", "pixel accuracy", "%", 2, 1, "val/pixel_accuracy", percent},
    {"loss", "loss", "", 4, -1, "train/loss", mean},
    {"nll", "nats per token", "", 4, -1, "val/loss", mean},
    {"bpc", "bits per character", "", 4, -1, "val/bpc", bits_of_mean, .of = "nll", .per = "characters", .brief = "bpc"},
    {"bpb", "bits per byte", "", 4, -1, "val/bpb", bits_of_mean, .of = "nll", .per = "bytes", .brief = "bpb"},
    {"ppl", "perplexity", "", 2, -1, "val/ppl", exp_of_mean, .of = "nll", .brief = "ppl"},
    {"images", "images", "", 0, 0, NULL, count},
    {"tokens", "tokens", "", 0, 0, NULL, count},
    {"characters", "characters", "", 0, 0, NULL, count},
    {"bytes", "bytes", "", 0, 0, NULL, count},
    {"sequences", "sequences", "", 0, 0, NULL, count},

    /* of training */
    {"step", "step", "", 0, 0, NULL},
    {"elapsed", "elapsed", "s", 1, 0, NULL},
    {"lr", "learning rate", "", 6, 0, "train/lr"},
    {"grad_norm", "norm of the gradient", "", 3, 0, "train/grad_norm"},
    {"items_per_s", "items/s", "", 1, 1, "train/items_per_s"},
    {"data_wait_ms", "waiting for data", "ms", 2, -1, "train/data_wait_ms"},
    {"mfu", "share of the peak", "", 3, 1, "train/mfu"},

    /* under attack and shift */
    {"clean_top1", "clean top-1", "%", 2, 1},
    {"contaminated_ppl", "swapped perplexity", "", 2, -1},
    {"corrupted_miou", "corrupted mean IoU", "%", 2, 1},
    {"corrupted_class_accuracy", "corrupted class accuracy", "%", 2, 1},
    {"corrupted_pixel_accuracy", "corrupted pixel accuracy", "%", 2, 1},
    {"mce", "mCE", "%", 2, -1},
    {"mean_error", "mean corrupted error", "%", 2, -1},
    {"error", "corrupted error", "%", 2, -1},
    {"clean_error", "clean error", "%", 2, -1},
    {"aupr", "AUPR", "%", 2, 1},
    {"auroc", "AUROC", "%", 2, 1},

    /* of collapse and redundancy */
    {"token_cosine", "token similarity", "", 4, -1},
    {"attention_cosine", "output similarity", "", 4, -1},
    {"key_change", "key change", "", 4, 0},
    {"head_distance", "head distance", "", 3, 1},
    {"effective_rank", "effective rank", "", 2, 1},

    /* of experts */
    {"experts_used", "experts used alike", "", 2, 1},
    {"gate_entropy", "entropy of the gate", "", 4, 0},

    /* of a step's speed and memory */
    {"step_ms", "step", "ms", 2, -1},
    {"rss_mb", "resident", "MB", 1, -1},
    {"plan_mb", "planned", "MB", 1, -1},
    {"gflop", "GFLOP/step", "", 2, -1},
    {"gflop_per_item", "GFLOP each", "", 3, -1},
    {"parameters", "parameters", "", 0, 0},
    {0}};

static const foci_metric *find(const char *name, size_t length) {
    for (const foci_metric *m = foci_metrics; m->name; m++)
        if (strlen(m->name) == length && memcmp(m->name, name, length) == 0) return m;
    return NULL;
}

const foci_metric *foci_metric_find(const char *name) { return find(name, strlen(name)); }
bool foci_metric_is_count(const foci_metric *m) { return m->value == count; }
bool foci_metric_is_better(const foci_metric *m, double x, double than) { return m->better > 0 ? x > than : x < than; }

static const char *behind_slash(const char *tag) { return strchr(tag, '/') + 1; }

const foci_metric *foci_metric_plain(const foci_metric *m) {
    const foci_metric *plain = m->tag ? foci_metric_find(behind_slash(m->tag)) : NULL;
    return plain ? plain : m;
}

void foci_metric_name(const foci_metric *m, foci_metric_place place, char name[FOCI_METRIC_NAME]) {
    const bool of_training = m->tag && strncmp(m->tag, "train/", 6) == 0;
    const char *before = place == FOCI_IN_AVERAGE ? "ema_" : place == FOCI_IN_TEST ? "test_" : "";
    if (place == FOCI_IN_VALIDATION && of_training) before = "val_";
    if (place == FOCI_IN_AVERAGE) m = foci_metric_plain(m);
    snprintf(name, FOCI_METRIC_NAME, "%s%s", before, m->name);
}

const char *foci_metric_tag(const char *name, char text[FOCI_METRIC_NAME]) {
    static const char *const groups[] = {"val", "ema", "test"};
    const foci_metric *m = foci_metric_find(name);
    if (m) return m->tag;
    for (size_t i = 0; i < sizeof groups / sizeof *groups; i++) {
        const size_t n = strlen(groups[i]);
        if (strncmp(name, groups[i], n) != 0 || name[n] != '_' || !(m = foci_metric_find(name + n + 1))) continue;
        if (m->tag) snprintf(text, FOCI_METRIC_NAME, "%s/%s", groups[i], behind_slash(m->tag));
        return m->tag ? text : NULL;
    }
    return name;
}

void foci_metric_text(const foci_metric *m, const char *title, double x, int decimals, char *text, size_t size) {
    snprintf(text, size, "%s %.*f%s%s", title, decimals, x, *m->unit ? " " : "", m->unit);
}
