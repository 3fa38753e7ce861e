#define _GNU_SOURCE
#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/analysis_show.h"
#include "cli/cli.h"

typedef struct settings {
    int64_t limit, batch, layer, pictures;
    const char *out;
    bool history;
} settings;

enum { STAGES = 200 };
static const foci_key rows[] = {
    FOCI_KEY(settings, limit, NULL, 1, 1e12, NULL,
             "images or windows of text, evenly spread over the validation data (default 256 images, 64 windows)"),
    FOCI_KEY(settings, batch, NULL, 1, 100000, NULL, "of them at once (default 32, 16); changes speed and memory only"),
    FOCI_KEY(settings, layer, "-1", -1, 10000, NULL, "whose attention is drawn over images, from 0; -1: the last",
             .placeholder = "L"),
    FOCI_KEY(settings, pictures, "6", 0, 1000, NULL, "images that attention is drawn over"),
    FOCI_KEY(settings, history, "false", 0, 0, NULL,
             "the run's step-N.safetensors too, which train.keep_every leaves: how it came to be"),
    FOCI_KEY(settings, out, NULL, 0, 0, NULL, "also as analysis.json, CSV files and pictures in this folder",
             .placeholder = "DIR"),
    {0}};

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
    return *stages ? FOCI_OK
                   : foci_fail(FOCI_ERR_CONFIG, "--history: %s has no step-N.safetensors; train.keep_every leaves some",
                               run);
}

static foci_status analyze_all(const foci_config *config, const char *run, const char *weights, const settings *o,
                               foci_stage *stage, int *stages) {
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

static foci_status write_folder(const foci_config *config, const foci_stage *stage, int stages, const settings *o,
                                const foci_report *r) {
    char path[4200];
    const bool images = stage[stages - 1].analysis.height;
    FOCI_TRY(foci_make_dirs(o->out));
    FOCI_TRY(foci_path_join(path, sizeof path, o->out, "analysis.json"));
    FOCI_TRY(foci_report_write(r, &foci_json_compact, path));
    FOCI_TRY(foci_analysis_write_csv(o->out, stage, stages));
    return foci_analysis_draw(o->out, stage, stages, images ? (int)foci_config_int(config, "model.patch_size") : 0);
}

static foci_status report(const foci_config *config, const foci_stage *stage, int stages, const settings *o,
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

static foci_status run(const foci_parsed *parsed) {
    static foci_stage stage[STAGES];
    int stages = 0;
    foci_status s = analyze_all(parsed->config, parsed->argument[0], parsed->weights, parsed->options, stage, &stages);
    if (!s) s = report(parsed->config, stage, stages, parsed->options, parsed->weights, parsed->json);
    for (int i = 0; i < STAGES; i++) foci_analysis_free(&stage[i].analysis);
    return s;
}

const foci_command foci_command_analyze = {
    .name = "analyze",
    .summary = "collapse of tokens, redundancy of heads, the metric, attention maps",
    .synopsis = "RUN_OR_CONFIG",
    .doc = "How far a model holds its tokens and heads apart, layer by layer: cosine similarity of tokens (attention "
           "output, joined "
           "heads, residual stream), effective rank, distance between the maps of heads, and the metric of elliptical "
           "attention. "
           "With --out also as pictures, attention and attention rollout over images among them.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_COMMON | FOCI_OPENS_WEIGHTS | FOCI_ENDS_BY_SIGNAL,
    .size = sizeof(settings),
    .options = {{rows}},
    .run = run,
};
