/* Image classification: batches from the loader, top-1 and top-5 over the exact number of images. */
#include <stdio.h>
#include <string.h>

#include "base/parallel.h"
#include "config/config.h"
#include "images/samples.h"
#include "models/models.h"
#include "task/classes.h"
#include "task/image_data.h"
#include "task/task.h"
#include "task/training.h"

struct foci_task_state {
    const foci_config *config;
    foci_image_sets sets;
    foci_image_loader *loader;
    foci_image_batch batch;
    foci_range own;      /* samples of a batch that this process reads */
    foci_training train; /* what the config says about it */
    int64_t classes;
    int64_t pixels; /* of one sample, all channels */
    int workers;
    foci_transform evaluation;
};

static foci_status check_class_names(const foci_image_set *a, const foci_image_set *b) {
    if (foci_image_set_classes(a) == foci_image_set_classes(b)) {
        int k = 0;
        while (k < foci_image_set_classes(a) &&
               strcmp(foci_image_set_class_name(a, k), foci_image_set_class_name(b, k)) == 0)
            k++;
        if (k == foci_image_set_classes(a)) return FOCI_OK;
    }
    return foci_fail(FOCI_ERR_DATA, "the classes of data.train and data.val differ (%d and %d folders)",
                     foci_image_set_classes(a), foci_image_set_classes(b));
}

static void close_images(foci_task_state *s) {
    foci_image_loader_close(s->loader);
    foci_image_sets_close(&s->sets);
}

static void warn(const char *key, const foci_image_set *set) {
    char text[512];
    if (foci_images_left_out(set, text)) foci_log(FOCI_LOG_WARN, "%s: %s", key, text);
}

static foci_status open_training(foci_task_state *s) {
    FOCI_TRY(foci_training_images_open(&s->sets, &s->loader, s->config));
    if (foci_image_set_same(s->sets.train, s->sets.val))
        return foci_config_fail(s->config, "data.val",
                                "%s has the images of data.train: name others, or none and data.val_split: 0.1",
                                foci_image_set_path(s->sets.val));
    warn("data.train", s->sets.train);
    if (strcmp(foci_image_set_path(s->sets.train), foci_image_set_path(s->sets.val)) != 0)
        warn("data.val", s->sets.val);
    return check_class_names(s->sets.train, s->sets.val);
}

static foci_status open_images(foci_task_state *s, const foci_config *c, unsigned splits) {
    foci_image_options o;
    foci_config_read(c, "data", foci_image_keys, &o);
    s->config = c;
    s->train = foci_training_read(c);
    s->own.end = s->train.batch_size;
    s->workers = (int)o.workers;
    FOCI_TRY(foci_validation_images_open(&s->sets, &s->evaluation, c));
    s->classes = foci_image_set_classes(s->sets.val);
    s->pixels = (int64_t)3 * s->evaluation.height * s->evaluation.width;
    return splits & FOCI_TRAIN ? open_training(s) : FOCI_OK;
}

static int64_t classes(const foci_task_state *s) { return s->classes; }
static void describe(const foci_task_state *s, char *text, size_t size) {
    int n = 0;
    const long long train = s->sets.train ? foci_image_set_count(s->sets.train) : 0,
                    val = foci_image_set_count(s->sets.val);
    if (s->sets.train) n = snprintf(text, size, "%lld training image%s, ", train, foci_plural(train, "s"));
    snprintf(text + n, size - (size_t)n, "%lld validation image%s, %lld class%s", val, foci_plural(val, "s"),
             (long long)s->classes, foci_plural(s->classes, "es"));
}

static foci_status mean(const foci_task_state *s, foci_meaning *m) {
    return foci_images_mean(s->sets.val, &s->evaluation, m);
}
static foci_status check(const foci_task_state *s) { return foci_image_set_check(s->sets.val); }
static foci_status list(const foci_task_state *s, foci_manifest *m) {
    if (s->sets.train) FOCI_TRY(foci_image_set_list(s->sets.train, "train", m));
    return foci_image_set_list(s->sets.val, "val", m);
}

static int64_t updates(const foci_task_state *s) { return foci_image_loader_batches(s->loader); }
static void prepare(const foci_task_state *s, int shape, foci_request *r) {
    (void)shape;
    r->classes = s->classes;
    r->feeds = foci_image_loader_mixes(s->loader) ? "images labels partners shares" : foci_task_images.feeds;
    const double smoothing = s->train.label_smoothing;
    if (smoothing > 0) r->number[0] = (foci_named_number){"label_smoothing", smoothing};
}
static void share(foci_task_state *s, foci_group *group, int64_t first, int64_t end) {
    (void)group;
    s->own = (foci_range){first, end};
    foci_image_loader_share(s->loader, first, end);
}
static foci_status seek(foci_task_state *s, int64_t epoch, int64_t update) {
    return foci_image_loader_seek(s->loader, epoch, update);
}
static foci_status next(foci_task_state *s, int64_t epoch, int64_t update) {
    (void)epoch, (void)update;
    return foci_image_loader_next(s->loader, &s->batch);
}
static foci_status feed_batch(const foci_image_batch *b, int64_t pixels, foci_program *p, int64_t first) {
    FOCI_TRY(foci_program_feed(p, "images", b->images + first * pixels));
    FOCI_TRY(foci_program_feed(p, "labels", b->labels + first));
    if (!foci_program_find(p, "partners")) return FOCI_OK;
    FOCI_TRY(foci_program_feed(p, "partners", b->partners + first));
    return foci_program_feed(p, "shares", b->shares + first);
}
static foci_status feed(const foci_task_state *s, foci_program *p, int64_t first) {
    return feed_batch(&s->batch, s->pixels, p, first);
}
static int64_t items_in(const foci_task_state *s, int64_t update) {
    (void)update;
    return s->train.batch_size;
}

/* Of the first few that are read here; the transform of the evaluation has the same size and colours. */
static foci_status draw(const foci_task_state *s, foci_image *image) {
    enum { MOST = 16 };
    foci_sheet sheet;
    const int64_t first = s->own.first, rows = s->own.end - first;
    const int count = rows < MOST ? (int)rows : MOST;
    FOCI_TRY(foci_sheet_make(&sheet, &s->evaluation, count, 0));
    for (int i = 0; i < count; i++)
        foci_training_images_show(&sheet, i, &s->evaluation, s->sets.train, &s->batch, first + i);
    *image = sheet.image;
    return FOCI_OK;
}

/* --------------------------------------------------------------------------------------------- evaluation */

typedef struct evaluating {
    const foci_task_state *state;
    foci_image_loader *loader;
    foci_image_batch batch;
} evaluating;

static foci_status seek_images(void *of, int64_t batch) {
    return foci_image_loader_seek(((evaluating *)of)->loader, 0, batch);
}
static foci_status next_images(void *of, foci_labelled *batch) {
    evaluating *e = of;
    FOCI_TRY(foci_image_loader_next(e->loader, &e->batch));
    *batch = (foci_labelled){e->batch.count, e->batch.labels, e->batch.index};
    return FOCI_OK;
}
static foci_status feed_images(const void *of, foci_program *p) {
    const evaluating *e = of;
    return feed_batch(&e->batch, e->state->pixels, p, 0);
}
static void name_of(const void *of, int64_t index, char *text, size_t size) {
    snprintf(text, size, "%s", foci_image_set_name(((const evaluating *)of)->state->sets.val, index));
}
static const char *class_name(const void *of, int label) {
    return foci_image_set_class_name(((const evaluating *)of)->state->sets.val, label);
}

static foci_status evaluate(foci_task_state *s, const foci_model *model, foci_parameters *p, const foci_evaluation *e,
                            const void *settings, const foci_watch *watch, foci_score *score) {
    evaluating all = {.state = s};
    foci_labelled_source source = {.count = foci_image_set_count(s->sets.val),
                                   .classes = s->classes,
                                   .feeds = foci_task_images.feeds,
                                   .counted = "images",
                                   .top5 = true,
                                   .seek = seek_images,
                                   .next = next_images,
                                   .feed = feed_images,
                                   .name = name_of,
                                   .class_name = class_name,
                                   .of = &all};
    source.batch = foci_eval_batch(&s->train, FOCI_IMAGES_AT_ONCE, source.count);
    (void)settings;
    if (strcmp(e->split, "val") != 0) return foci_fail(FOCI_ERR_CONFIG, "images have the split val, not %s", e->split);
    FOCI_TRY(foci_group_agree(e->group, foci_image_loader_open(&all.loader, s->sets.val, &s->evaluation, source.batch,
                                                               false, false, 0, s->workers)));
    const foci_status status = foci_classes_evaluate(&source, s->config, model, p, e, watch, score);
    foci_image_loader_close(all.loader);
    return status;
}

/* ------------------------------------------------------------------------------------------------ samples */

static foci_status count_samples(const foci_task_state *s, int64_t *count) {
    *count = foci_image_set_count(s->sets.val);
    return FOCI_OK;
}

static foci_status read_samples(const foci_task_state *s, int64_t count, int64_t first, int64_t n, void *out) {
    const foci_image_samples chosen = foci_image_samples_of(s->sets.val, count);
    return foci_image_samples_read(&chosen, &s->evaluation, first, n, out);
}

static const foci_transform *transform(const foci_task_state *s) { return &s->evaluation; }

static const foci_task_samples samples = {.items = "images",
                                          .input = "images",
                                          .few = 256,
                                          .at_once = 32,
                                          .count = count_samples,
                                          .read = read_samples,
                                          .transform = transform};

const foci_task foci_task_images = {
    .name = "images",
    .summary = "classification of images",
    .item = "image",
    .items = "images",
    .feeds = "images labels",
    .counted = "labels",
    .metric = "top1",
    .predicts = true,
    .labels = "classes",
    .classes_key = "model.num_classes",
    .classes_else = 1000,
    .samples = &samples,
    .predictor = &foci_image_predictor,
    .size = sizeof(foci_task_state),
    .open = open_images,
    .close = close_images,
    .classes = classes,
    .describe = describe,
    .mean = mean,
    .check = check,
    .list = list,
    .updates = updates,
    .prepare = prepare,
    .share = share,
    .seek = seek,
    .next = next,
    .feed = feed,
    .items_in = items_in,
    .sheet = draw,
    .evaluate = evaluate,
};
