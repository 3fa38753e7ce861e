#include "analyze/samples.h"

#include <string.h>

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
    FOCI_TRY(foci_validation_images_open(&s->sets, &s->transform, c));
    s->classes = foci_image_set_classes(s->sets.val);
    return FOCI_OK;
}

foci_status foci_samples_open(foci_samples *s, const foci_config *config, int64_t limit) {
    *s = (foci_samples){.model = foci_model_find(foci_config_string(config, "model.kind"))};
    s->text = s->model->task == FOCI_TASK_TEXT;
    if (foci_data_set_of(config)->task != s->model->task)
        return foci_config_fail(config, "data.kind", "model.kind %s wants other data", s->model->name);
    FOCI_TRY(s->text ? open_text(s, config) : open_images(s, config));
    if (!limit) limit = s->text ? 64 : 256;
    if (s->text) s->count = limit < s->windows ? limit : s->windows;
    else s->count = (s->images = foci_image_samples_of(s->sets.val, limit)).count;
    return FOCI_OK;
}

void foci_samples_close(foci_samples *s) {
    foci_image_sets_close(&s->sets);
    foci_corpus_close(&s->corpus);
}

foci_status foci_samples_images(const foci_samples *s, int64_t first, int64_t n, foci_real *images) {
    return foci_image_samples_read(&s->images, &s->transform, first, n, images);
}

void foci_samples_ids(const foci_samples *s, int64_t first, int64_t n, int32_t *ids) {
    for (int64_t i = 0; i < n; i++) {
        const int64_t window = (first + i) * s->windows / s->count;
        memcpy(ids + i * s->window, s->tokens->ids + window * s->window, (size_t)s->window * sizeof *ids);
    }
}
