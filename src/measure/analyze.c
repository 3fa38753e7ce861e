/* analyze: how far a model holds its tokens and heads apart, layer by layer. */
#define _GNU_SOURCE
#include "measure/analyze.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"
#include "images/png.h"

const foci_key foci_analyze_keys[] = {
    FOCI_KEY(foci_analyze_options, limit, NULL, 1, 1e12, NULL,
             "images or windows of text, evenly spread over the validation data (default 256 images, 64 windows)"),
    FOCI_KEY(foci_analyze_options, batch, NULL, 1, 100000, NULL,
             "of them at once (default 32, 16); changes speed and memory only"),
    FOCI_KEY(foci_analyze_options, layer, "-1", -1, 10000, NULL,
             "whose attention is drawn over images, and whose tokens a table tells of, from 0; -1: the last",
             .placeholder = "L"),
    FOCI_KEY(foci_analyze_options, maps, "0", 0, 100, NULL,
             "images that the report itself holds, each with what the class token attends to in --layer"),
    FOCI_KEY(foci_analyze_options, history, "false", 0, 0, NULL,
             "the run's step-N.safetensors too, which train.keep_every leaves: how it came to be"),
    {0}};

/* ---------------------------------------------------------------------------------------- weights of a run
 */

static int by_step(const void *a, const void *b) {
    const foci_stage *x = a, *y = b;
    return (x->step > y->step) - (x->step < y->step);
}

/* The steps whose weights were kept, in order. */
static foci_status find_steps(const char *run, foci_stages *all) {
    DIR *d = opendir(run);
    const struct dirent *e;
    int end = 0;
    while (d && (e = readdir(d)) && all->count < FOCI_STAGES - 1)
        if (sscanf(e->d_name, "step-%lld.safetensors%n", &all->stage[all->count].step, &end) == 1 && !e->d_name[end])
            all->count++;
    if (d) closedir(d);
    qsort(all->stage, (size_t)all->count, sizeof *all->stage, by_step);
    return all->count ? FOCI_OK
                      : foci_fail(FOCI_ERR_CONFIG,
                                  "--history: %s has no step-N.safetensors; train.keep_every leaves some", run);
}

static foci_status analyze_step(const foci_subject *subject, const foci_analysis_options *a, foci_stage *stage) {
    char path[4200], name[64];
    snprintf(name, sizeof name, "step-%lld.safetensors", stage->step);
    FOCI_TRY(foci_path_join(path, sizeof path, subject->run, name));
    return foci_analyze(subject->config, path, a, &stage->analysis);
}

foci_status foci_analyze_stages(const foci_subject *subject, const foci_analyze_options *o, int pictures,
                                const foci_watch *watch, foci_stages *all) {
    foci_analysis_options a = {
        .limit = o->limit, .batch = o->batch, .layer = (int)o->layer, .stop = watch ? watch->stop : NULL};
    *all = (foci_stages){.count = 0};
    if (o->history) FOCI_TRY(find_steps(subject->run, all));
    for (int i = 0; i < all->count; i++) FOCI_TRY(analyze_step(subject, &a, &all->stage[i]));
    a.pictures = pictures > (int)o->maps ? pictures : (int)o->maps;
    all->stage[all->count].step = -1;
    return foci_analyze(subject->config, subject->weights, &a, &all->stage[all->count++].analysis);
}

void foci_stages_free(foci_stages *all) {
    for (int i = 0; i < FOCI_STAGES; i++) foci_analysis_free(&all->stage[i].analysis);
}

/* ------------------------------------------------------------------------------------------------ the report
 */

static void tell_spread(const foci_spread *s, foci_report *r) {
    foci_report_number(r, "min", s->min);
    foci_report_number(r, "mean", s->mean);
    foci_report_number(r, "max", s->max);
    foci_report_number(r, "entropy", s->entropy);
    foci_report_number(r, "coordinates", s->coordinates);
}

static void tell_metric(const foci_analysis *a, const foci_layer_analysis *l, foci_report *r) {
    if (!l->metric) {
        foci_report_text(r, "metric", NULL);
        return;
    }
    foci_report *heads = foci_report_list(r, "metric");
    for (int64_t h = 0; h < a->heads; h++) tell_spread(&l->metric[h], foci_report_part(heads, NULL));
}

static void tell_layer(const foci_analysis *a, const foci_layer_analysis *l, foci_report *r) {
    foci_report_text(r, "name", l->name);
    foci_report_number(r, "cosine_attention", l->cosine_attention);
    foci_report_number(r, "cosine_heads", l->cosine_heads);
    foci_report_number(r, "cosine_block", l->cosine_block);
    foci_report_number(r, "effective_rank", l->effective_rank);
    foci_report_number(r, "head_distance", l->head_distance);
    foci_report_number(r, "key_change", l->key_change);
    foci_report_numbers(r, "head_distances", foci_head_pairs(a->heads), l->pair);
    tell_metric(a, l, r);
}

static void tell_stage(const foci_analysis *a, foci_report *r) {
    const foci_layer_analysis *layer = &a->of[a->layer];
    foci_report_whole(r, a->items, a->samples);
    foci_report_whole(r, "heads", a->heads);
    foci_report_whole(r, "tokens", a->tokens);
    foci_report_number(r, "token_cosine", layer->cosine_block);
    foci_report_number(r, "attention_cosine", layer->cosine_attention);
    foci_report_number(r, "key_change", layer->key_change);
    foci_report_number(r, "effective_rank", layer->effective_rank);
    foci_report_number(r, "head_distance", a->head_distance_mean);
    foci_report *layers = foci_report_list(r, "layers");
    for (int i = 0; i < a->layers; i++) tell_layer(a, &a->of[i], foci_report_part(layers, NULL));
}

/* -------------------------------------------------------------------------------------------- attention maps */

static foci_status tell_photograph(const foci_analysis *a, const foci_attention_picture *p, foci_report *r) {
    const int64_t plane = (int64_t)a->height * a->columns;
    foci_image image = {a->columns, a->height, malloc((size_t)(3 * plane))};
    for (int64_t i = 0; image.pixels && i < 3 * plane; i++)
        image.pixels[i] = (unsigned char)lrint(255 * fmin(1, fmax(0, (double)p->input[i % 3 * plane + i / 3])));
    char *text = image.pixels ? foci_png_text(&image) : NULL;
    if (text) foci_report_text(r, "photograph", text);
    free(text);
    free(image.pixels);
    return text ? FOCI_OK : foci_out_of_memory();
}

static void tell_attention(const foci_analysis *a, const foci_attention_picture *p, int64_t columns, foci_report *r) {
    foci_report *rows = foci_report_list(r, "attention"), *row = NULL;
    for (int64_t i = 0; i + 1 < a->tokens; i++) {
        double sum = 0;
        for (int64_t h = 0; h < a->heads; h++) sum += (double)p->map[h * a->tokens * a->tokens + 1 + i];
        if (i % columns == 0) row = foci_report_list(rows, NULL);
        foci_report_number(row, NULL, sum / (double)a->heads);
    }
}

/* Of images, by a model with a class token before their patches. */
static foci_status tell_maps(const foci_subject *subject, const foci_analysis *a, int64_t count, foci_report *r) {
    if (!a->height) return foci_fail(FOCI_ERR_CONFIG, "--maps: attention maps are drawn over images");
    const int64_t patch = foci_config_int(subject->config, "model.patch_size"), columns = a->columns / patch;
    if (a->tokens != a->height / patch * columns + 1)
        return foci_fail(FOCI_ERR_CONFIG, "--maps: the model has no class token alone before its patches");
    foci_report *maps = foci_report_list(r, "maps");
    for (int64_t i = 0; i < count && i < a->pictures; i++) {
        foci_report *one = foci_report_part(maps, NULL);
        FOCI_TRY(tell_photograph(a, &a->picture[i], one));
        tell_attention(a, &a->picture[i], columns, one);
    }
    return FOCI_OK;
}

foci_status foci_analyze_tell(const foci_subject *subject, const foci_analyze_options *options, const foci_stages *all,
                              foci_report *r) {
    const foci_analysis *last = &all->stage[all->count - 1].analysis;
    tell_stage(last, r);
    if (options->maps) FOCI_TRY(tell_maps(subject, last, options->maps, r));
    foci_report_text(r, "checkpoint", subject->weights);
    if (all->count == 1) return FOCI_OK;
    foci_report *history = foci_report_list(r, "history");
    for (int i = 0; i + 1 < all->count; i++) {
        foci_report *one = foci_report_part(history, NULL);
        tell_stage(&all->stage[i].analysis, one);
        foci_report_whole(one, "step", all->stage[i].step);
    }
    return FOCI_OK;
}

static foci_status run(const foci_subject *subject, const void *options, const foci_watch *watch, foci_report *r) {
    foci_stages *all = calloc(1, sizeof *all);
    if (!all) return foci_out_of_memory();
    foci_status s = foci_analyze_stages(subject, options, 0, watch, all);
    if (!s) s = foci_analyze_tell(subject, options, all, r);
    foci_stages_free(all);
    free(all);
    return s;
}

const foci_measure foci_measure_analyze = {
    .name = "analyze",
    .summary = "collapse of tokens and redundancy of heads",
    .size = sizeof(foci_analyze_options),
    .options = {{foci_analyze_keys}},
    .metrics = {"token_cosine", "attention_cosine", "key_change", "head_distance", "effective_rank"},
    .run = run,
    .form = &foci_json_compact,
    .command = "analyze"};
