#include "analyze/samples.h"

#include <string.h>

#include "base/parallel.h"
#include "config/config.h"
#include "models/models.h"

static foci_status open_text(foci_samples *s, const foci_config *c) {
    FOCI_TRY(foci_corpus_open(&s->corpus, c, FOCI_VALID));
    FOCI_TRY(foci_corpus_tokens(&s->corpus, c, FOCI_VALID, &s->tokens));
    s->classes = foci_vocabulary_size(s->corpus.vocabulary);
    s->window = foci_config_int(c, "model.context");
    s->windows = s->tokens->count / s->window;
    if (s->windows > 0) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s: %lld tokens, fewer than the %lld of a window",
                     foci_config_string(c, "data.valid"), (long long)s->tokens->count, (long long)s->window);
}

static foci_status open_images(foci_samples *s, const foci_config *c) {
    FOCI_TRY(foci_task_images.open(&s->images, c, false));
    s->transform = foci_task_images_evaluation(s->images);
    s->classes = foci_task_images.classes(s->images);
    return FOCI_OK;
}

foci_status foci_samples_open(foci_samples *s, const foci_config *config, int64_t limit) {
    *s = (foci_samples){.model = foci_model_find(foci_config_string(config, "model.kind"))};
    s->text = s->model->task == FOCI_TASK_TEXT;
    if (foci_data_set_of(config)->task != s->model->task)
        return foci_config_fail(config, "data.kind", "model.kind %s wants other data", s->model->name);
    FOCI_TRY(s->text ? open_text(s, config) : open_images(s, config));
    const int64_t all = s->text ? s->windows : foci_image_set_count(foci_task_images_val(s->images));
    s->count = limit ? limit : s->text ? 64 : 256;
    if (s->count > all) s->count = all;
    return FOCI_OK;
}

void foci_samples_close(foci_samples *s) {
    if (s->images) foci_task_images.close(s->images);
    foci_corpus_close(&s->corpus);
}

static foci_status read_image(const foci_samples *s, int64_t i, foci_real *out) {
    const foci_image_set *set = foci_task_images_val(s->images);
    foci_image image;
    i = i * foci_image_set_count(set) / s->count;
    FOCI_TRY(foci_image_set_read(set, i, &image, 0));
    foci_status status = foci_transform_apply(s->transform, &image, 0, 0, i, out);
    foci_image_free(&image);
    return status ? foci_context(status, "%s", foci_image_set_name(set, i)) : FOCI_OK;
}

foci_status foci_samples_images(const foci_samples *s, int64_t first, int64_t n, foci_real *images) {
    const int64_t pixels = (int64_t)3 * s->transform->height * s->transform->width;
    foci_error error = {FOCI_OK, ""};
    int64_t failed = n; /* the first of them is reported */
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < n; i++) {
        foci_status status = read_image(s, first + i, images + i * pixels);
        if (!status) continue;
#pragma omp critical(foci_samples)
        if (i < failed) {
            failed = i;
            foci_error_take(&error, status);
        }
    }
    return error.status ? foci_error_raise(&error) : FOCI_OK;
}

void foci_samples_ids(const foci_samples *s, int64_t first, int64_t n, int32_t *ids) {
    for (int64_t i = 0; i < n; i++) {
        const int64_t window = (first + i) * s->windows / s->count;
        memcpy(ids + i * s->window, s->tokens->ids + window * s->window, (size_t)s->window * sizeof *ids);
    }
}
