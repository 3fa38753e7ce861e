/* Masks of photographs: which class every pixel has, at the image's own size, computed as in an evaluation. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "config/config.h"
#include "images/label_map.h"
#include "task/predict.h"
#include "task/scene_data.h"
#include "task/sliding.h"

typedef struct work {
    const foci_predicting *p;
    foci_photographs files;
    foci_scene_transform transform;
} work;

static foci_status read(void *context, int64_t i, foci_image *image, unsigned char **classes) {
    *classes = NULL;
    return foci_photograph_read(&((work *)context)->files, i, image);
}

static foci_status fit(void *context, const foci_image *image, foci_real **pixels, int *width, int *height) {
    return foci_scene_fit(&((const work *)context)->transform, image, pixels, width, height);
}

/* ------------------------------------------------------------------------------------------------ pictures */

/* OUT/BESIDE.png; folders on the way are made. */
static foci_status path_of(const work *w, int64_t i, const char *ending, char path[4096]) {
    const int n = snprintf(path, 4096, "%s/%s%s", w->p->options->out, w->p->sample[i].beside, ending);
    if (n < 0 || n >= 4096) return foci_fail(FOCI_ERR_CONFIG, "--out: path too long");
    for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        const foci_status s = foci_make_dirs(path);
        *slash = '/';
        FOCI_TRY(s);
    }
    return FOCI_OK;
}

/* Label 0 is kept for pixels without a class, as in the files that foci reads: class k is k + 1. */
static foci_status write_mask(const char *path, const foci_segmented *made) {
    const foci_image *image = &made->scene->image;
    const int64_t pixels = (int64_t)image->width * image->height;
    foci_label_map map = {image->width, image->height, malloc((size_t)pixels * sizeof *map.value)};
    if (!map.value) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
    for (int64_t i = 0; i < pixels; i++) map.value[i] = (uint16_t)(made->predicted[i] + 1);
    const foci_status s = foci_label_map_write(path, &map);
    foci_label_map_free(&map);
    return s;
}

static foci_status write_overlay(const char *path, const foci_segmented *made) {
    const foci_image *image = &made->scene->image;
    const int64_t pixels = (int64_t)image->width * image->height;
    foci_image blended = {image->width, image->height, malloc((size_t)(3 * pixels))};
    if (!blended.pixels) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
    memcpy(blended.pixels, image->pixels, (size_t)(3 * pixels));
    for (int64_t i = 0; i < pixels; i++) foci_label_blend(made->predicted[i], blended.pixels + 3 * i);
    const foci_status s = foci_image_write(path, &blended, 90);
    foci_image_free(&blended);
    return s;
}

static foci_status write_pictures(const work *w, const foci_segmented *made, foci_report *one) {
    const int64_t i = made->scene->number;
    char mask[4096], overlay[4096];
    FOCI_TRY(path_of(w, i, ".png", mask));
    FOCI_TRY(path_of(w, i, "-overlay.jpg", overlay));
    foci_report_text(one, "mask", mask);
    foci_report_text(one, "overlay", overlay);
    FOCI_TRY(write_mask(mask, made));
    return write_overlay(overlay, made);
}

/* ------------------------------------------------------------------------------------------------- reports */

/* "classes": those with the most pixels, and their shares. */
static void report_shares(const work *w, const foci_segmented *made, foci_report *one) {
    int64_t count[FOCI_NO_CLASS + 1] = {0};
    const int64_t pixels = (int64_t)made->scene->image.width * made->scene->image.height;
    foci_report *list = foci_report_list(one, "classes");
    for (int64_t i = 0; i < pixels; i++) count[made->predicted[i]]++;
    for (int64_t n = 0; n < w->p->options->top; n++) {
        int64_t most = 0;
        for (int64_t k = 1; k < made->classes; k++) most = count[k] > count[most] ? k : most;
        if (!count[most]) return;
        foci_report *class = foci_report_part(list, NULL);
        foci_report_text(class, "class", w->p->labels->name[most]);
        foci_report_number(class, "share", (double)count[most] / (double)pixels);
        count[most] = 0;
    }
}

static foci_status describe(const work *w, const foci_segmented *made, foci_report *one) {
    foci_report_whole(one, "width", made->scene->image.width);
    foci_report_whole(one, "height", made->scene->image.height);
    report_shares(w, made, one);
    return w->p->options->out ? write_pictures(w, made, one) : FOCI_OK;
}

static foci_status take(void *context, const foci_segmented *made) {
    const work *w = context;
    const int64_t i = made->scene->number;
    foci_report one = {NULL};
    foci_status s = FOCI_OK;
    foci_report_text(&one, "file", w->p->sample[i].text);
    if (w->files.wrong[i]) foci_report_text(&one, "error", w->files.wrong[i]);
    else s = describe(w, made, &one);
    if (!s) s = w->p->take(w->p->context, i, &one);
    foci_report_free(&one);
    return s;
}

static foci_status slide(work *w, foci_program_set *set) {
    foci_scene_reader *reader;
    foci_sliding sliding = {
        .classes = w->p->labels->count, .end = w->p->count, .watch = w->p->watch, .take = take, .context = w};
    const foci_scene_source source = {
        .read = read, .fit = fit, .context = w, .count = w->p->count, .keeps_image = w->p->options->out != NULL};
    FOCI_TRY(foci_sliding_open(&sliding, w->p->config, w->p->model, set));
    FOCI_TRY(
        foci_scene_reader_open(&reader, &source, sliding.batch, (int)foci_config_int(w->p->config, "data.workers")));
    const foci_status s = foci_slide(&sliding, reader);
    foci_scene_reader_close(reader);
    return s;
}

static foci_status predict(const foci_predicting *p) {
    work w = {.p = p, .files = {p->sample, calloc((size_t)p->count, sizeof *w.files.wrong)}};
    foci_program_set set;
    if (!w.files.wrong) return foci_out_of_memory();
    foci_status s = foci_scene_transform_from_config(&w.transform, p->config);
    foci_program_set_init(&set, p->parameters);
    set.advice = "lower train.eval_batch";
    if (!s) s = slide(&w, &set);
    foci_program_set_free(&set);
    foci_photographs_free(&w.files, p->count);
    return s;
}

/* "street.jpg  0.4102 road, 0.2211 sky" */
static void print(const foci_report *one, FILE *f) {
    fputs(foci_report_text_of(one, "file"), f);
    foci_predict_print_classes(one, "share", f);
    fputc('\n', f);
}

const foci_predictor foci_scene_predictor = {.pictures = true, .run = predict, .print = print};
