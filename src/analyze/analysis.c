#include "analyze/analysis.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/parallel.h"
#include "config/config.h"
#include "task/load_model.h"
#include "task/task.h"

static foci_status no_memory(void) {
    return foci_fail(FOCI_ERR_RUNTIME, "out of memory for the analysis: lower --batch");
}

/* ------------------------------------------------------------------------------- what a program lets us see */

/* `shape` NULL: it does not; x: the numbers of the last run. */
typedef struct tap {
    const char *name;
    const int64_t *shape;
    int64_t numel; /* of one sample */
    const foci_real *x;
} tap;

typedef struct taps {
    char name[64];
    tap heads, out, block; /* (B, N, C) */
    tap map, metric, keys; /* (B, H, N, keys), (B, H, 1 or N, D), (B, H, N, D) */
} taps;

typedef struct view {
    taps *layer;
    int layers;
    int64_t heads; /* of all layers */
} view;

/* Length of "blocks.3" in "blocks.3.attn.metric": up to the first part that is a number; 0: there is none. */
static size_t layer_length(const char *name) {
    size_t end = 0;
    for (const char *at = name;; at += 1) {
        const size_t n = strcspn(at, ".");
        end = (size_t)(at - name) + n;
        if (n && strspn(at, "0123456789") == n) return end;
        if (!name[end]) return 0;
        at += n;
    }
}

/* Is layer b of the same stack as a, "blocks" of both "blocks.0" and "blocks.11"? */
static bool same_stack(const char *a, const char *b) {
    const char *a_number = strrchr(a, '.'), *b_number = b;
    while (*b_number && (b_number[0] != '.' || b_number[1] < '0' || b_number[1] > '9')) b_number++;
    return a_number && a_number - a == b_number - b && memcmp(a, b, (size_t)(a_number - a)) == 0;
}

static tap *tap_of(taps *t, const char *what) {
    if (strcmp(what, "heads") == 0) return &t->heads;
    if (strcmp(what, "out") == 0) return &t->out;
    if (strcmp(what, "output") == 0) return &t->block;
    if (strcmp(what, "prob") == 0) return &t->map;
    if (strcmp(what, "keys") == 0) return &t->keys;
    return strcmp(what, "metric") == 0 ? &t->metric : NULL;
}

/* The layers, by the names of what they offer: those of the first stack, not of a decoder behind it. */
static foci_status look(const foci_program *p, foci_arena *memory, view *v) {
    const foci_graph *g = foci_program_graph(p);
    const int n = foci_graph_slots(g);
    *v = (view){.layer = foci_arena_alloc(memory, ((size_t)n + 1) * sizeof *v->layer)};
    if (!v->layer) return no_memory();
    for (int i = 0; i < n; i++) {
        const foci_slot *s = foci_graph_slot(g, i);
        const char *name = s->name;
        const size_t length = s->kind == FOCI_SLOT_OBSERVED ? layer_length(name) : 0;
        taps *last = v->layers ? &v->layer[v->layers - 1] : NULL;
        if (!length || length >= sizeof v->layer->name || (last && !same_stack(v->layer->name, name))) continue;
        if (!last || strlen(last->name) != length || memcmp(last->name, name, length) != 0) {
            last = &v->layer[v->layers++];
            memcpy(last->name, name, length);
        }
        tap *t = tap_of(last, strrchr(name, '.') + 1);
        if (t) *t = (tap){name, s->tensor->shape, foci_numel(s->tensor) / s->tensor->shape[0], NULL};
        if (!v->heads && last->map.shape) v->heads = last->map.shape[1];
    }
    for (int i = 0; i < v->layers; i++)
        if (v->layer[i].map.shape && v->layer[i].map.shape[1] != v->heads)
            return foci_fail(FOCI_ERR_CONFIG,
                             "%s: %lld heads, %lld before: foci compares layers with as many heads as each other",
                             v->layer[i].name, (long long)v->layer[i].map.shape[1], (long long)v->heads);
    return v->layers ? FOCI_OK : foci_fail(FOCI_ERR_CONFIG, "the model offers no layers to look into");
}

static foci_status fetch(const foci_program *p, view *v) {
    for (int i = 0; i < v->layers; i++) {
        taps *t = &v->layer[i];
        tap *const all[] = {&t->heads, &t->out, &t->block, &t->map, &t->metric, &t->keys};
        for (size_t k = 0; k < sizeof all / sizeof *all; k++)
            if (all[k]->shape) FOCI_TRY(foci_program_fetch(p, all[k]->name, &all[k]->x));
    }
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------- a sample, in numbers */

/* A layer is a row of numbers: these, then its pairs of heads, then a spread per head. Means over samples are means of
 * rows. */
enum { ATTENTION, HEADS, BLOCK, RANK, KEYS, PAIRS, SPREAD = sizeof(foci_spread) / sizeof(double) };
static int64_t row_length(const view *v) { return PAIRS + foci_head_pairs(v->heads) + SPREAD * v->heads; }

static const foci_real *sample_of(const tap *t, int64_t b) { return t->x + b * t->numel; }

/* Do its tokens attend to each other? */
static bool is_square(const tap *map) { return map->shape && map->shape[2] == map->shape[3]; }

static double cosine(const tap *t, int64_t b) {
    return t->shape ? foci_token_cosine(sample_of(t, b), t->shape[1], t->shape[2]) : (double)NAN;
}

/* The metric of one token or of every one, of which the mean is taken. */
static void spread_of_heads(const tap *m, int64_t b, double *row) {
    const int64_t tokens = m->shape[2], width = m->shape[3];
    for (int64_t h = 0; h < m->shape[1]; h++, row += SPREAD) {
        for (int k = 0; k < SPREAD; k++) row[k] = 0;
        for (int64_t i = 0; i < tokens; i++) {
            const foci_spread s = foci_metric_spread(sample_of(m, b) + (h * tokens + i) * width, width);
            const double number[SPREAD] = {s.min, s.mean, s.max, s.entropy, s.coordinates};
            for (int k = 0; k < SPREAD; k++) row[k] += number[k] / (double)tokens;
        }
    }
}

static bool measures_metric(const taps *t, int64_t heads) { return t->metric.shape && t->metric.shape[1] == heads; }

/* Mean |k - k of the layer before|; NAN where there is none, or of another size. */
static double key_change(const tap *now, const tap *before, int64_t b) {
    double sum = 0;
    if (!before || !now->shape || !before->shape || now->numel != before->numel) return (double)NAN;
    const foci_real *x = sample_of(now, b), *y = sample_of(before, b);
    for (int64_t i = 0; i < now->numel; i++) sum += fabs((double)(x[i] - y[i]));
    return sum / (double)now->numel;
}

static void measure_layer(const taps *t, const taps *before, int64_t heads, int64_t b, double *row) {
    const tap *block = &t->block, *map = &t->map;
    row[ATTENTION] = cosine(&t->out, b);
    row[HEADS] = cosine(&t->heads, b);
    row[BLOCK] = cosine(block, b);
    row[RANK] = block->shape ? foci_effective_rank(sample_of(block, b), block->shape[1], block->shape[2]) : (double)NAN;
    row[KEYS] = key_change(&t->keys, before ? &before->keys : NULL, b);
    row += PAIRS;
    if (map->shape) foci_head_distances(sample_of(map, b), heads, map->shape[2] * map->shape[3], row);
    else
        for (int64_t i = 0; i < foci_head_pairs(heads); i++) row[i] = (double)NAN;
    if (measures_metric(t, heads)) spread_of_heads(&t->metric, b, row + foci_head_pairs(heads));
}

/* sum (layers, row) += the rows of the first samples of the batch, in order. */
static foci_status measure_batch(const view *v, int64_t samples, double *sum) {
    const int64_t length = row_length(v), layers = v->layers;
    double *row = calloc((size_t)(samples * layers * length), sizeof *row);
    if (!row) return no_memory();
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < samples * layers; i++) {
        const taps *t = &v->layer[i % layers];
        measure_layer(t, i % layers ? t - 1 : NULL, v->heads, i / layers, row + i * length);
    }
    for (int64_t b = 0; b < samples; b++)
        for (int64_t k = 0; k < layers * length; k++) sum[k] += row[b * layers * length + k];
    free(row);
    return FOCI_OK;
}

static foci_status report_layer(const taps *t, int64_t heads, const double *sum, foci_analysis *a,
                                foci_layer_analysis *l) {
    const int64_t pairs = foci_head_pairs(heads);
    const double n = (double)a->samples, *spread = sum + PAIRS + pairs;
    *l = (foci_layer_analysis){.cosine_attention = sum[ATTENTION] / n,
                               .cosine_heads = sum[HEADS] / n,
                               .cosine_block = sum[BLOCK] / n,
                               .effective_rank = sum[RANK] / n,
                               .key_change = sum[KEYS] / n,
                               .pair = foci_arena_alloc(&a->memory, (size_t)pairs * sizeof *l->pair + 1)};
    memcpy(l->name, t->name, sizeof l->name);
    if (!l->pair) return no_memory();
    for (int64_t i = 0; i < pairs; i++) {
        l->pair[i] = sum[PAIRS + i] / n;
        l->head_distance += l->pair[i] / (double)pairs;
    }
    if (!pairs) l->head_distance = (double)NAN;
    if (!measures_metric(t, heads)) return FOCI_OK;
    if (!(l->metric = foci_arena_alloc(&a->memory, (size_t)heads * sizeof *l->metric))) return no_memory();
    for (int64_t h = 0; h < heads; h++, spread += SPREAD)
        l->metric[h] = (foci_spread){spread[0] / n, spread[1] / n, spread[2] / n, spread[3] / n, spread[4] / n};
    return FOCI_OK;
}

static foci_status report(const view *v, const double *sum, foci_analysis *a) {
    const tap *map = &v->layer[0].map, *block = &v->layer[0].block;
    a->layers = v->layers;
    a->heads = v->heads;
    a->tokens = map->shape ? map->shape[2] : block->shape ? block->shape[1] : 0;
    a->width = block->shape ? block->shape[2] : 0;
    for (int i = 0; i < v->layers; i++)
        if (v->layer[i].metric.shape) a->head_width = v->layer[i].metric.shape[3];
    a->of = foci_arena_alloc(&a->memory, (size_t)v->layers * sizeof *a->of);
    if (!a->of) return no_memory();
    for (int i = 0; i < v->layers; i++) {
        FOCI_TRY(report_layer(&v->layer[i], v->heads, sum + i * row_length(v), a, &a->of[i]));
        a->head_distance_mean += a->of[i].head_distance / (double)v->layers;
    }
    return FOCI_OK;
}

foci_status foci_analyze_program(const foci_program *p, int64_t samples, foci_analysis *a) {
    view v;
    *a = (foci_analysis){.samples = samples};
    FOCI_TRY(look(p, &a->memory, &v));
    FOCI_TRY(fetch(p, &v));
    double *sum = foci_arena_alloc(&a->memory, (size_t)(v.layers * row_length(&v)) * sizeof *sum);
    if (!sum) return no_memory();
    FOCI_TRY(measure_batch(&v, samples, sum));
    return report(&v, sum, a);
}

double foci_metric_coordinates(const foci_analysis *a, int layer) {
    double sum = 0;
    if (!a->of[layer].metric) return (double)NAN;
    for (int64_t h = 0; h < a->heads; h++) sum += a->of[layer].metric[h].coordinates / (double)a->heads;
    return sum;
}

/* ----------------------------------------------------------------------------------------------- pictures */

/* Sample b of the batch, whose input has been copied already. */
static foci_status keep_picture(const view *v, const foci_analysis *a, int64_t b, foci_attention_picture *p,
                                foci_arena *memory) {
    const tap *map = &v->layer[a->layer].map;
    const int64_t tokens = map->shape[2], size = tokens * tokens;
    p->map = foci_arena_alloc(memory, (size_t)(v->heads * size) * sizeof *p->map);
    p->rollout = foci_arena_alloc(memory, (size_t)size * sizeof *p->rollout);
    double *spare = malloc((size_t)size * sizeof *spare);
    if (!p->map || !p->rollout || !spare) {
        free(spare);
        return no_memory();
    }
    memcpy(p->map, sample_of(map, b), (size_t)(v->heads * size) * sizeof *p->map);
    foci_rollout_start(tokens, p->rollout);
    for (int i = 0; i < v->layers; i++) {
        const tap *other = &v->layer[i].map;
        if (is_square(other) && other->shape[2] == tokens)
            foci_rollout_layer(sample_of(other, b), v->heads, tokens, p->rollout, spare);
    }
    free(spare);
    return FOCI_OK;
}

/* The image as it was before normalisation. */
static foci_status keep_image(const foci_transform *t, const foci_real *x, foci_attention_picture *p,
                              foci_arena *memory) {
    const int64_t plane = (int64_t)t->height * t->width;
    p->input = foci_arena_alloc(memory, (size_t)(3 * plane) * sizeof *p->input);
    if (!p->input) return no_memory();
    for (int64_t i = 0; i < 3 * plane; i++)
        p->input[i] = (foci_real)((double)x[i] * t->std[i / plane] + t->mean[i / plane]);
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------ a trained model */

typedef struct study {
    const foci_analysis_options *options;
    const foci_model *model;
    const foci_task *task;
    foci_task_state *data;
    int64_t count;                   /* samples */
    const foci_transform *transform; /* of images; NULL: they are none */
    foci_parameters parameters;
    foci_program_set set;
    foci_program *program;
    void *input;          /* of a batch */
    int64_t batch, numel; /* of a sample's input */
    view view;
} study;

static foci_status record(study *s, const foci_config *config) {
    const char *input = s->task->samples->input;
    foci_program_set_init(&s->set, &s->parameters);
    s->set.advice = "lower --batch";
    foci_graph_options options = foci_run_options(config);
    options.observe = true;
    FOCI_TRY(foci_program_open_model(
        &s->program, &s->set, &options, s->model,
        &(foci_request){.config = config, .batch = s->batch, .classes = s->task->classes(s->data), .feeds = input}));
    FOCI_TRY(foci_program_set_ready(&s->set));
    const foci_tensor *fed = foci_program_find(s->program, input);
    s->numel = foci_numel(fed) / s->batch;
    s->input =
        foci_large_calloc((size_t)foci_numel(fed) * (fed->dtype == FOCI_INT ? sizeof(int32_t) : sizeof(foci_real)));
    return s->input ? foci_program_feed(s->program, input, s->input) : no_memory();
}

static foci_status choose_layer(const study *s, foci_analysis *a) {
    const int layers = s->view.layers;
    if (s->options->layer >= layers)
        return foci_fail(FOCI_ERR_CONFIG, "--layer: the model has layers 0 to %d", layers - 1);
    a->layer = s->options->layer < 0 ? layers - 1 : s->options->layer;
    a->pictures = is_square(&s->view.layer[a->layer].map) ? s->options->pictures : 0;
    if (a->pictures > s->count) a->pictures = (int)s->count;
    a->picture = foci_arena_alloc(&a->memory, (size_t)a->pictures * sizeof *a->picture + 1);
    return a->picture ? FOCI_OK : no_memory();
}

static foci_status run_batch(study *s, int64_t first, int64_t n, double *sum, foci_analysis *a) {
    FOCI_TRY(s->task->samples->read(s->data, s->count, first, n, s->input));
    FOCI_TRY(foci_program_forward(s->program)); /* rows beyond n hold samples of the batch before */
    FOCI_TRY(fetch(s->program, &s->view));
    FOCI_TRY(measure_batch(&s->view, n, sum));
    for (int64_t i = 0; i < n; i++) { /* the pictures, too, are evenly spread */
        const int64_t k = ((first + i) * a->pictures + s->count - 1) / s->count;
        if (k >= a->pictures || k * s->count / a->pictures != first + i) continue;
        foci_attention_picture *p = &a->picture[k];
        if (s->transform) FOCI_TRY(keep_image(s->transform, (foci_real *)s->input + i * s->numel, p, &a->memory));
        FOCI_TRY(keep_picture(&s->view, a, i, p, &a->memory));
    }
    return FOCI_OK;
}

static foci_status open_samples(study *s, const foci_config *config) {
    const int64_t limit = s->options->limit;
    FOCI_TRY(foci_task_open(config, &s->model, &s->task));
    const foci_task_samples *samples = s->task->samples;
    if (!samples) return foci_config_fail(config, "model.kind", "%s has no samples to look at", s->model->name);
    FOCI_TRY(foci_task_open_data(s->task, &s->data, config, FOCI_VALID));
    FOCI_TRY(samples->count(s->data, &s->count));
    const int64_t wanted = limit ? limit : samples->few;
    if (s->count > wanted) s->count = wanted;
    s->transform = samples->transform ? samples->transform(s->data) : NULL;
    return FOCI_OK;
}

static foci_status run(study *s, const foci_config *config, const char *weights, foci_analysis *a) {
    const foci_analysis_options *o = s->options;
    FOCI_TRY(open_samples(s, config));
    FOCI_TRY(foci_load_model(&s->parameters, s->model, config, s->task->classes(s->data), weights));
    const int64_t count = s->count, batch = o->batch ? o->batch : s->task->samples->at_once;
    s->batch = batch < count ? batch : count;
    FOCI_TRY(record(s, config));
    FOCI_TRY(look(s->program, &a->memory, &s->view));
    FOCI_TRY(choose_layer(s, a));
    a->samples = count;
    a->items = s->task->samples->items;
    if (s->transform) {
        a->height = s->transform->height;
        a->columns = s->transform->width;
    }
    double *sum = foci_arena_alloc(&a->memory, (size_t)(s->view.layers * row_length(&s->view)) * sizeof *sum);
    if (!sum) return no_memory();
    for (int64_t first = 0; first < count; first += s->batch) {
        if (o->stop && *o->stop)
            return foci_fail(FOCI_INTERRUPTED, "stopped after %lld of %lld samples", (long long)first,
                             (long long)count);
        FOCI_TRY(run_batch(s, first, count - first < s->batch ? count - first : s->batch, sum, a));
    }
    return report(&s->view, sum, a);
}

foci_status foci_analyze(const foci_config *config, const char *weights, const foci_analysis_options *options,
                         foci_analysis *a) {
    study s = {.options = options};
    *a = (foci_analysis){.layers = 0};
    foci_status status = run(&s, config, weights, a);
    foci_program_set_free(&s.set);
    foci_parameters_free(&s.parameters);
    foci_task_close_data(s.task, s.data);
    free(s.input);
    return status;
}

void foci_analysis_free(foci_analysis *a) {
    foci_arena_free(&a->memory);
    *a = (foci_analysis){.layers = 0};
}
