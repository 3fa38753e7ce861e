#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "train/trainer.h"

typedef struct options {
    const char *checkpoint, *split;
    bool sliding;
} options;

enum { CHECKPOINT = 1, SPLIT, WALK };
static const struct argp_option table[] = {
    {"checkpoint", CHECKPOINT, "FILE", 0, "weights (default: the run's best.safetensors, else last.safetensors)", 0},
    {"split", SPLIT, "S", 0, "val (the default); text also has test", 0},
    {"walk", WALK, "WALK", 0, "text: disjoint windows (the default), or sliding by one token, each token but those of the "
                              "first window predicted from a full window", 0},
    {0}};

static foci_status set_option(void *state, int key, char *arg) {
    options *o = state;
    if (key == CHECKPOINT) o->checkpoint = arg;
    else if (key == SPLIT) o->split = arg;
    else if (strcmp(arg, "sliding") == 0 || strcmp(arg, "disjoint") == 0) o->sliding = *arg == 's';
    else return foci_fail(FOCI_ERR_CONFIG, "--walk: `%s` is not disjoint or sliding", arg);
    return FOCI_OK;
}

foci_status foci_find_weights(const char *run, const char *checkpoint, char *path, size_t size) {
    if (checkpoint) return foci_path_join(path, size, "", checkpoint);
    if (foci_path_kind(run) != 'd') return foci_fail(FOCI_ERR_CONFIG, "%s is no run folder: --checkpoint must name the weights", run);
    FOCI_TRY(foci_path_join(path, size, run, "best.safetensors"));
    if (foci_path_kind(path)) return FOCI_OK;
    FOCI_TRY(foci_path_join(path, size, run, "last.safetensors"));
    if (foci_path_kind(path)) return FOCI_OK;
    return foci_fail(FOCI_ERR_CHECKPOINT, "%s: no best.safetensors or last.safetensors here; --checkpoint names another file", run);
}

static void print_score(const foci_score *s, const char *split, bool sliding, bool json) {
    bool text = isnan(s->top1);
    if (json && text)
        printf("{\"split\": \"%s\", \"walk\": \"%s\", \"nll\": %.9g, \"loss\": %.9g, \"ppl\": %.9g, \"tokens\": %lld}\n", split,
               sliding ? "sliding" : "disjoint", s->loss, s->loss, s->ppl, (long long)s->items);
    else if (json)
        printf("{\"split\": \"%s\", \"loss\": %.9g, \"top1\": %.9g, \"top5\": %.9g, \"images\": %lld}\n", split, s->loss, s->top1,
               s->top5, (long long)s->items);
    else if (text)
        printf("%s, %s windows: perplexity %.3f (%.5f nats per token) over %lld tokens\n", split,
               sliding ? "sliding" : "disjoint", s->ppl, s->loss, (long long)s->items);
    else
        printf("%s: top-1 %.2f %%, top-5 %.2f %%, loss %.5f over %lld images\n", split, s->top1, s->top5, s->loss,
               (long long)s->items);
}

foci_status foci_cmd_eval(int argc, char **argv) {
    options o = {.split = "val"};
    foci_common common = {0};
    const char *path[1];
    int count;
    bool done;
    const foci_arguments a = {table, set_option, &o, "RUN_OR_CONFIG",
                              "Top-1 and top-5 accuracy over every image of a split, or perplexity over every token.", true, 1, 1};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, &common, path, &count, &done));
    if (done) return FOCI_OK;
    char weights[4200];
    FOCI_TRY(foci_find_weights(path[0], o.checkpoint, weights, sizeof weights));
    foci_config *config;
    FOCI_TRY(foci_open_config(&config, path[0], &common));
    foci_score score;
    foci_status s = foci_evaluate(config, weights, o.split, o.sliding, &score);
    foci_config_free(config);
    if (!s) print_score(&score, o.split, o.sliding, common.json);
    return s;
}
