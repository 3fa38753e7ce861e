/* Trained models at work: foci_trained_* of foci/foci.h. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/config.h"
#include "run/open.h"
#include "task/corpus.h"
#include "task/image_data.h"
#include "task/load_model.h"
#include "task/generator.h"
#include "task/prompt.h"
#include "task/sampling.h"
#include "task/task.h"

struct foci_trained {
    foci_config *config;
    const foci_model *model;
    const foci_task *task;
    foci_trained_info about;
    foci_parameters parameters;
    foci_task_state *data; /* for scores; opened when the first is wanted */
    foci_labels labels;    /* images, pixels: the names of the classes; or, where the weights carry none, */
    foci_image_sets sets;  /* the validation set has them */
    foci_transform transform;
    foci_corpus corpus;        /* text: its vocabulary */
    foci_program_set programs; /* images: for the batch of the last call */
    foci_program *program;
    foci_real *input; /* (batch, channels, height, width) */
    int64_t batch;
};

/* -------------------------------------------------------------------------------------------------- opening */

static foci_status open_images(foci_trained *t) {
    FOCI_TRY(foci_transform_from_config(&t->transform, t->config, false));
    FOCI_TRY(foci_labels_open(&t->labels, t->config, foci_task_images.labels));
    if (!t->labels.count) FOCI_TRY(foci_image_sets_open(&t->sets, t->config, FOCI_VALID));
    t->about.classes = t->labels.count ? t->labels.count : foci_image_set_classes(t->sets.val);
    t->about.channels = 3;
    t->about.height = t->transform.height;
    t->about.width = t->transform.width;
    return FOCI_OK;
}

static foci_status open_names(foci_trained *t) {
    FOCI_TRY(foci_labels_open(&t->labels, t->config, t->task->labels));
    t->about.classes = t->labels.count;
    return FOCI_OK;
}

static foci_status open_text(foci_trained *t) {
    FOCI_TRY(foci_corpus_open(&t->corpus, t->config, 0));
    t->about.classes = foci_vocabulary_size(t->corpus.vocabulary);
    t->about.context = foci_config_int(t->config, "model.context");
    return FOCI_OK;
}

static foci_status open_run(foci_trained *t, const char *run, const char *weights) {
    char path[4200];
    FOCI_TRY(foci_find_weights(run, weights, path, sizeof path));
    FOCI_TRY(foci_config_open_trained(&t->config, run, path, NULL, 0));
    FOCI_TRY(foci_task_open(t->config, &t->model, &t->task));
    t->about.model = t->model->name;
    t->about.task = t->task->name;
    if (t->task == &foci_task_text) FOCI_TRY(open_text(t));
    if (t->task == &foci_task_images) FOCI_TRY(open_images(t));
    if (t->task == &foci_task_segmentation || t->task == &foci_task_sequences) FOCI_TRY(open_names(t));
    FOCI_TRY(foci_load_model(&t->parameters, t->model, t->config, t->about.classes, path));
    t->about.parameters = foci_parameters_numel(&t->parameters);
    return FOCI_OK;
}

foci_status foci_trained_open(foci_trained **trained, const char *run, const char *weights) {
    foci_trained *t = *trained = calloc(1, sizeof *t);
    if (!t) return foci_out_of_memory();
    foci_program_set_init(&t->programs, &t->parameters);
    foci_status s = open_run(t, run, weights);
    if (!s) return FOCI_OK;
    foci_trained_close(t);
    *trained = NULL;
    return s;
}

void foci_trained_close(foci_trained *t) {
    if (!t) return;
    foci_program_set_free(&t->programs);
    free(t->input);
    foci_task_close_data(t->task, t->data);
    foci_image_sets_close(&t->sets);
    foci_labels_close(&t->labels);
    foci_corpus_close(&t->corpus);
    foci_parameters_free(&t->parameters);
    foci_config_free(t->config);
    free(t);
}

foci_trained_info foci_trained_about(const foci_trained *t) { return t->about; }

const char *foci_trained_class(const foci_trained *t, int64_t k) {
    if (k < 0 || k >= t->about.classes) return NULL;
    if (t->corpus.vocabulary) return foci_vocabulary_word(t->corpus.vocabulary, (int32_t)k);
    return t->labels.count ? t->labels.name[k] : foci_image_set_class_name(t->sets.val, (int)k);
}

/* --------------------------------------------------------------------------------------------------- scores */

foci_status foci_trained_evaluate(foci_trained *t, const char *split, foci_figure *figures, int room, int *count) {
    foci_score score;
    const foci_metric *metric[FOCI_SCORE_METRICS];
    *count = 0;
    if (!t->data) FOCI_TRY(foci_task_open_data(t->task, &t->data, t->config, FOCI_VALID | FOCI_TEST));
    const foci_evaluation how = {.split = split};
    FOCI_TRY(foci_task_evaluate(t->task, t->data, t->model, &t->parameters, &how, NULL, &score));
    for (int i = 0, n = foci_score_metrics(&score, metric); i < n && *count < room; i++) {
        foci_figure *f = &figures[(*count)++];
        snprintf(f->name, sizeof f->name, "%s", metric[i]->name);
        f->value = foci_score_value(&score, metric[i]->name);
    }
    return FOCI_OK;
}

/* --------------------------------------------------------------------------------------------------- images */

static foci_status wants(const foci_trained *t, bool text) {
    if (t->task == (text ? &foci_task_text : &foci_task_images)) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG, "a model of %s takes no %s", t->about.task, text ? "words" : "images");
}

foci_status foci_trained_read_image(const foci_trained *t, const char *path, float *image) {
    enum { MOST = 1 << 28 }; /* bytes of a file */
    char *bytes;
    size_t size;
    foci_image picture;
    FOCI_TRY(wants(t, false));
    const size_t n = (size_t)(t->about.channels * t->about.height * t->about.width);
    FOCI_TRY(foci_read_file(path, MOST, &bytes, &size, FOCI_ERR_DATA));
    foci_status s = foci_image_decode(&picture, (const unsigned char *)bytes, size, path, 0);
    free(bytes);
    if (s) return s;
    foci_real *x = malloc(n * sizeof *x);
    s = x ? foci_transform_apply(&t->transform, &picture, 0, 0, 0, x) : foci_out_of_memory();
    for (size_t i = 0; i < n && !s; i++) image[i] = (float)x[i];
    free(x);
    foci_image_free(&picture);
    return s;
}

/* The program and the input for n images. */
static foci_status prepare_batch(foci_trained *t, int64_t n) {
    if (t->program && t->batch == n) return FOCI_OK;
    foci_program_close(t->program);
    t->program = NULL;
    free(t->input);
    t->input = calloc((size_t)n, (size_t)(t->about.channels * t->about.height * t->about.width) * sizeof *t->input);
    if (!t->input) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld images", (long long)n);
    t->batch = n;
    const foci_graph_options options = foci_run_options(t->config);
    FOCI_TRY(foci_program_open_model(
        &t->program, &t->programs, &options, t->model,
        &(foci_request){.config = t->config, .batch = n, .classes = t->about.classes, .feeds = "images"}));
    return foci_program_set_ready(&t->programs);
}

foci_status foci_trained_logits(foci_trained *t, const float *images, int64_t n, float *logits) {
    const foci_real *z;
    FOCI_TRY(wants(t, false));
    if (n < 1) return FOCI_OK;
    FOCI_TRY(prepare_batch(t, n));
    const int64_t pixels = t->about.channels * t->about.height * t->about.width;
    for (int64_t i = 0; i < n * pixels; i++) t->input[i] = (foci_real)images[i];
    FOCI_TRY(foci_program_feed(t->program, "images", t->input));
    FOCI_TRY(foci_program_forward(t->program));
    FOCI_TRY(foci_program_fetch(t->program, "logits", &z));
    for (int64_t i = 0; i < n * t->about.classes; i++) logits[i] = (float)z[i];
    return FOCI_OK;
}

/* ----------------------------------------------------------------------------------------------------- text */

static foci_status open_generator(foci_trained *t, foci_generator *g) {
    FOCI_TRY(wants(t, true));
    const foci_generator_options o = {
        .model = t->model, .config = t->config, .vocabulary = t->about.classes, .window = t->about.context};
    return foci_generator_open(g, &o, &t->parameters);
}

static foci_status next_word(const foci_trained *t, foci_generator *g, const int32_t *words, int64_t count,
                             float *logprob) {
    const foci_real *next;
    for (int64_t i = 0; i < count; i++)
        if (words[i] < 0 || words[i] >= t->about.classes)
            return foci_fail(FOCI_ERR_CONFIG, "word %lld has the number %ld of %lld words", (long long)i,
                             (long)words[i], (long long)t->about.classes);
    FOCI_TRY(foci_generator_add(g, words, count));
    FOCI_TRY(foci_generator_next(g, &next));
    for (int64_t i = 0; i < t->about.classes; i++) logprob[i] = (float)next[i];
    return FOCI_OK;
}

foci_status foci_trained_words(const foci_trained *t, const char *text, int32_t *words, int64_t room, int64_t *count) {
    foci_ids ids = {0};
    FOCI_TRY(wants(t, true));
    const foci_status s = foci_prompt_read(&ids, t->corpus.vocabulary, text);
    if (!s) {
        *count = ids.count;
        memcpy(words, ids.id, (size_t)(ids.count < room ? ids.count : room) * sizeof *words);
    }
    free(ids.id);
    return s;
}

size_t foci_trained_spell(const foci_trained *t, int64_t k, char text[FOCI_WORD_BYTES]) {
    char word[FOCI_WORD_MAX + 1];
    if (!t->corpus.vocabulary || k < 0 || k >= t->about.classes) return 0;
    const size_t size = foci_vocabulary_spell(t->corpus.vocabulary, (int32_t)k, word);
    memcpy(text, word, size);
    return size;
}

foci_status foci_trained_logprob(foci_trained *t, const int32_t *words, int64_t count, float *logprob) {
    foci_generator g;
    FOCI_TRY(open_generator(t, &g));
    foci_status s = next_word(t, &g, words, count, logprob);
    foci_generator_close(&g);
    return s;
}

static foci_status begin(foci_generator *g, const foci_vocabulary *v, const char *prompt) {
    foci_ids ids = {0};
    foci_status s = foci_prompt_read(&ids, v, prompt);
    if (!s) s = foci_generator_add(g, ids.id, ids.count);
    free(ids.id);
    return s;
}

static foci_status generate(const foci_trained *t, foci_generator *g, const foci_generate_options *o,
                            bool (*word)(void *context, const char *word, double logprob), void *context) {
    const foci_vocabulary *v = t->corpus.vocabulary;
    const foci_sampling sampling = {.temperature = o->temperature,
                                    .top_k = o->top_k,
                                    .top_p = o->top_p > 0 ? o->top_p : 1,
                                    .never = foci_vocabulary_id(v, "<unk>"),
                                    .seed = o->seed};
    FOCI_TRY(begin(g, v, o->prompt ? o->prompt : ""));
    for (int64_t i = 0; i < o->words; i++) {
        const foci_real *logprob;
        int32_t id;
        FOCI_TRY(foci_generator_next(g, &logprob));
        FOCI_TRY(foci_sample(&sampling, logprob, t->about.classes, (uint64_t)i, &id));
        if (!word(context, foci_vocabulary_word(v, id), (double)logprob[id])) break;
        FOCI_TRY(foci_generator_add(g, &id, 1));
    }
    return FOCI_OK;
}

foci_status foci_trained_generate(foci_trained *t, const foci_generate_options *options,
                                  bool (*word)(void *context, const char *word, double logprob), void *context) {
    foci_generator g;
    FOCI_TRY(open_generator(t, &g));
    foci_status s = generate(t, &g, options, word, context);
    foci_generator_close(&g);
    return s;
}
