#define _GNU_SOURCE
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/analysis_show.h"
#include "cli/cli.h"

typedef struct options {
    const char *checkpoint, *out;
    bool history;
    long long limit, batch, layer, pictures;
} options;

enum { CHECKPOINT = 1, LIMIT, BATCH, LAYER, PICTURES, OUT, HISTORY, STAGES = 200 };
static const struct argp_option table[] = {
    {"checkpoint", CHECKPOINT, "FILE", 0, "weights (default: the run's best.safetensors, else last.safetensors)", 0},
    {"limit", LIMIT, "N", 0, "images or windows of text, evenly spread over the validation data (default 256 images, 64 windows)", 0},
    {"batch", BATCH, "B", 0, "of them at once (default 32, 16); changes speed and memory only", 0},
    {"history", HISTORY, NULL, 0, "the run's step-N.safetensors too, which train.keep_every leaves: how it came to be", 0},
    {"out", OUT, "DIR", 0, "also as analysis.json, CSV files and pictures in this folder", 0},
    {"layer", LAYER, "L", 0, "whose attention is drawn over images, from 0 (default: the last)", 0},
    {"pictures", PICTURES, "N", 0, "images that attention is drawn over (default 6)", 0},
    {0}};

static foci_status set_option(void *state, int key, char *arg) {
    options *o = state;
    switch (key) {
    case CHECKPOINT: o->checkpoint = arg; return FOCI_OK;
    case OUT: o->out = arg; return FOCI_OK;
    case HISTORY: o->history = true; return FOCI_OK;
    case LIMIT: return foci_parse_int("--limit", arg, 1, 1LL << 40, &o->limit);
    case BATCH: return foci_parse_int("--batch", arg, 1, 100000, &o->batch);
    case LAYER: return foci_parse_int("--layer", arg, 0, 10000, &o->layer);
    default: return foci_parse_int("--pictures", arg, 0, 1000, &o->pictures);
    }
}

/* ---------------------------------------------------------------------------------------- weights of a run */

static int by_step(const void *a, const void *b) {
    const foci_stage *x = a, *y = b;
    return (x->step > y->step) - (x->step < y->step);
}

/* The steps whose weights were kept, in order. */
static foci_status find_steps(const char *run, foci_stage *stage, int *stages) {
    DIR *d = opendir(run);
    const struct dirent *e;
    int end = 0;
    while (d && (e = readdir(d)) && *stages < STAGES - 1)
        if (sscanf(e->d_name, "step-%lld.safetensors%n", &stage[*stages].step, &end) == 1 && !e->d_name[end]) ++*stages;
    if (d) closedir(d);
    qsort(stage, (size_t)*stages, sizeof *stage, by_step);
    return *stages ? FOCI_OK : foci_fail(FOCI_ERR_CONFIG, "--history: %s has no step-N.safetensors; train.keep_every leaves some", run);
}

static foci_status analyze_all(const foci_config *config, const char *run, const char *weights, const options *o, foci_stage *stage, int *stages) {
    foci_analysis_options a = {.limit = o->limit, .batch = o->batch, .layer = (int)o->layer, .stop = &foci_stop};
    if (o->history) FOCI_TRY(find_steps(run, stage, stages));
    for (int i = 0; i < *stages; i++) {
        char path[4200], name[64];
        snprintf(name, sizeof name, "step-%lld.safetensors", stage[i].step);
        FOCI_TRY(foci_path_join(path, sizeof path, run, name));
        FOCI_TRY(foci_analyze(config, path, &a, &stage[i].analysis));
    }
    a.pictures = o->out ? (int)o->pictures : 0;
    stage[*stages].step = -1;
    return foci_analyze(config, weights, &a, &stage[(*stages)++].analysis);
}

/* ------------------------------------------------------------------------------------------------ results */

static void report_all(foci_report *r, const foci_stage *stage, int stages, const char *weights) {
    foci_analysis_report(&stage[stages - 1].analysis, r);
    foci_report_text(r, "checkpoint", weights);
    foci_report *history = stages > 1 ? foci_report_list(r, "history") : NULL;
    for (int i = 0; i + 1 < stages; i++) {
        foci_report *one = foci_report_part(history, NULL);
        foci_analysis_report(&stage[i].analysis, one);
        foci_report_whole(one, "step", stage[i].step);
    }
}

static foci_status write_folder(const foci_config *config, const foci_stage *stage, int stages, const options *o,
                                const foci_report *r) {
    char path[4200];
    const bool images = stage[stages - 1].analysis.height;
    FOCI_TRY(foci_make_dirs(o->out));
    FOCI_TRY(foci_path_join(path, sizeof path, o->out, "analysis.json"));
    FOCI_TRY(foci_report_write(r, &foci_json_compact, path));
    FOCI_TRY(foci_analysis_write_csv(o->out, stage, stages));
    return foci_analysis_draw(o->out, stage, stages, images ? (int)foci_config_int(config, "model.patch_size") : 0);
}

static foci_status report(const foci_config *config, const foci_stage *stage, int stages, const options *o,
                          const char *weights, bool json) {
    foci_report r = {NULL};
    report_all(&r, stage, stages, weights);
    foci_status s = o->out ? write_folder(config, stage, stages, o, &r) : FOCI_OK;
    foci_status printed = FOCI_OK;
    if (json) printed = foci_print_report(&r, &foci_json_compact);
    else foci_analysis_print(&stage[stages - 1].analysis);
    foci_report_free(&r);
    return s ? s : printed;
}

foci_status foci_cmd_analyze(int argc, char **argv) {
    static foci_stage stage[STAGES];
    options o = {.layer = -1, .pictures = 6};
    foci_common common = {0};
    const char *path[1];
    int count, stages = 0;
    bool done;
    const foci_arguments a = {table, set_option, &o, "RUN_OR_CONFIG",
                              "How far a model holds its tokens and heads apart, layer by layer: cosine similarity of tokens (attention output, joined "
                              "heads, residual stream), effective rank, distance between the maps of heads, and the metric of elliptical attention. "
                              "With --out also as pictures, attention and attention rollout over images among them.",
                              true, 1, 1};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, &common, path, &count, &done));
    if (done) return FOCI_OK;
    char weights[4200];
    foci_config *config;
    FOCI_TRY(foci_find_weights(path[0], o.checkpoint, weights, sizeof weights));
    FOCI_TRY(foci_open_config(&config, path[0], &common));
    foci_catch_signals();
    foci_status s = analyze_all(config, path[0], weights, &o, stage, &stages);
    if (!s) s = report(config, stage, stages, &o, weights, common.json);
    for (int i = 0; i < STAGES; i++) foci_analysis_free(&stage[i].analysis);
    foci_config_free(config);
    return s;
}
