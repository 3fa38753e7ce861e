/* The most probable classes of photographs, prepared and computed as in an evaluation. */
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "core/program.h"
#include "images/scene.h"
#include "task/image_data.h"
#include "task/predict.h"
#include "task/training.h"
#include "task/load_model.h"

typedef struct work {
    const foci_predicting *p;
    foci_photographs files;
    foci_transform transform;
    foci_program *program;
    int64_t batch, pixels;
    foci_real *input; /* (batch, 3, height, width) */
    int64_t first;    /* sample of the batch */
} work;

static foci_status read(void *context, int64_t i, foci_image *image, unsigned char **classes) {
    *classes = NULL;
    return foci_photograph_read(&((work *)context)->files, i, image);
}

static foci_status fit(void *context, const foci_image *image, foci_real **pixels, int *width, int *height) {
    const work *w = context;
    *width = w->transform.width;
    *height = w->transform.height;
    *pixels = malloc((size_t)w->pixels * sizeof **pixels);
    if (!*pixels) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for an image");
    return foci_transform_apply(&w->transform, image, 0, 0, 0, *pixels);
}

/* The n images of the input; the places behind them hold what was there before. */
static foci_status run_batch(work *w, int64_t n) {
    const foci_real *logits;
    FOCI_TRY(foci_program_feed(w->program, "images", w->input));
    FOCI_TRY(foci_program_forward(w->program));
    FOCI_TRY(foci_program_fetch(w->program, "logits", &logits));
    for (int64_t end = w->first + n; w->first < end; w->first++, logits += w->p->labels->count)
        FOCI_TRY(foci_predict_tell(w->p, w->first, "file", w->files.wrong[w->first], logits));
    foci_watch_tell(w->p->watch, w->first, w->p->count);
    return foci_watch_stopped(w->p->watch);
}

static foci_status run_all(work *w, foci_scene_reader *reader) {
    for (int64_t n = 0;;) {
        foci_scene scene;
        FOCI_TRY(foci_scene_reader_next(reader, &scene));
        const bool over = !scene.pixels;
        if (!over) memcpy(w->input + n++ * w->pixels, scene.pixels, (size_t)w->pixels * sizeof *w->input);
        foci_scene_free(&scene);
        if (n == w->batch || (over && n)) FOCI_TRY(run_batch(w, n));
        if (over) return FOCI_OK;
        n %= w->batch;
    }
}

static foci_status open_program(work *w, foci_program_set *set) {
    const foci_training train = foci_training_read(w->p->config);
    w->batch = foci_eval_batch(&train, FOCI_IMAGES_AT_ONCE, w->p->count);
    w->pixels = (int64_t)3 * w->transform.height * w->transform.width;
    const foci_request r = {
        .config = w->p->config, .batch = w->batch, .classes = w->p->labels->count, .feeds = "images"};
    const foci_graph_options options = foci_run_options(w->p->config);
    FOCI_TRY(foci_program_open_model(&w->program, set, &options, w->p->model, &r));
    w->input = calloc((size_t)(w->batch * w->pixels), sizeof *w->input);
    w->files.wrong = calloc((size_t)w->p->count, sizeof *w->files.wrong);
    if (!w->input || !w->files.wrong) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for images");
    return foci_program_set_ready(set);
}

static foci_status predict(const foci_predicting *p) {
    work w = {.p = p, .files = {.sample = p->sample}};
    foci_program_set set;
    foci_scene_reader *reader = NULL;
    FOCI_TRY(foci_transform_from_config(&w.transform, p->config, false));
    foci_program_set_init(&set, p->parameters);
    set.advice = "lower train.eval_batch";
    foci_status s = open_program(&w, &set);
    if (!s)
        s = foci_scene_reader_open(&reader,
                                   &(foci_scene_source){.read = read, .fit = fit, .context = &w, .count = p->count},
                                   w.batch, (int)foci_config_int(p->config, "data.workers"));
    if (!s) s = run_all(&w, reader);
    foci_scene_reader_close(reader);
    foci_program_set_free(&set);
    foci_photographs_free(&w.files, p->count);
    free(w.input);
    return s;
}

/* "dog.jpg  0.9312 dog, 0.0411 cat" */
static void print(const foci_report *one, FILE *f) {
    fputs(foci_report_text_of(one, "file"), f);
    foci_predict_print_classes(one, "probability", f);
    fputc('\n', f);
}

const foci_predictor foci_image_predictor = {.run = predict, .print = print};
