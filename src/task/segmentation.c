/* Segmentation: a class for every pixel. Batches of augmented crops; evaluation by sliding windows at the images' own
 * size. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "config/config.h"
#include "images/sheet.h"
#include "models/models.h"
#include "task/pieces.h"
#include "task/scene_data.h"
#include "task/scene_score.h"
#include "task/task.h"
#include "task/training.h"

struct foci_task_state {
    const foci_config *config;
    foci_scene_sets sets;
    foci_scene_loader *loader;
    foci_scene_batch batch;
    foci_group *group; /* of processes that have a share of the batch each; NULL: one alone */
    foci_range own;    /* samples of a batch that this one reads */
    foci_real counted; /* pixels of the batch that have a class, of a sample on average times those of a part */
    foci_training train;
    foci_scene_transform transform;
    foci_transform shown; /* the same size and colours */
    foci_labels labels;
    int workers;
};

static void close_scenes(foci_task_state *s) {
    foci_scene_loader_close(s->loader);
    foci_scene_sets_close(&s->sets);
    foci_labels_close(&s->labels);
}

static foci_status open_scenes(foci_task_state *s, const foci_config *c, unsigned splits) {
    s->config = c;
    s->train = foci_training_read(c);
    s->own.end = s->train.batch_size;
    s->workers = (int)foci_config_int(c, "data.workers");
    FOCI_TRY(foci_scene_transform_from_config(&s->transform, c));
    s->shown = (foci_transform){.height = s->transform.height, .width = s->transform.width};
    memcpy(s->shown.mean, s->transform.mean, sizeof s->shown.mean);
    memcpy(s->shown.std, s->transform.std, sizeof s->shown.std);
    FOCI_TRY(foci_scene_sets_open(&s->sets, c, splits));
    FOCI_TRY(foci_scene_labels(&s->labels, c, s->sets.meaning.classes));
    return splits & FOCI_TRAIN ? foci_scene_loader_from_config(&s->loader, &s->sets, c) : FOCI_OK;
}

static int64_t classes(const foci_task_state *s) { return s->sets.meaning.classes; }

static void describe(const foci_task_state *s, char *text, size_t size) {
    size_t used = 0;
    for (int i = 0; i < FOCI_SPLITS; i++)
        if (s->sets.of[i] && used < size)
            used += (size_t)snprintf(text + used, size - used, "%lld %s images, ",
                                     (long long)foci_pair_set_count(s->sets.of[i]), foci_splits[i].what);
    if (used < size) snprintf(text + used, size - used, "%lld classes of pixels", (long long)classes(s));
}

static foci_status mean(const foci_task_state *s, foci_meaning *m) {
    return foci_scenes_mean(&s->labels, &s->transform, m);
}
static foci_status check(const foci_task_state *s) {
    if (s->sets.val) FOCI_TRY(foci_pair_set_check(s->sets.val, &s->sets.meaning));
    return s->sets.test && s->train.test_at_end ? foci_pair_set_check(s->sets.test, &s->sets.meaning) : FOCI_OK;
}
static foci_status list(const foci_task_state *s, foci_manifest *m) {
    for (int i = 0; i < FOCI_SPLITS; i++)
        if (s->sets.of[i]) FOCI_TRY(foci_pair_set_list(s->sets.of[i], foci_splits[i].name, m));
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------ training */

static int64_t pixels_of(const foci_task_state *s) { return (int64_t)s->transform.height * s->transform.width; }
static int64_t updates(const foci_task_state *s) { return foci_scene_loader_batches(s->loader); }
static int64_t items_in(const foci_task_state *s, int64_t update) { return (void)update, s->train.batch_size; }
static void prepare(const foci_task_state *s, int shape, foci_request *r) {
    (void)shape;
    r->classes = classes(s);
    r->feeds = foci_task_segmentation.feeds;
}
static foci_status seek(foci_task_state *s, int64_t epoch, int64_t update) {
    return foci_scene_loader_seek(s->loader, epoch, update);
}

static void share(foci_task_state *s, foci_group *group, int64_t first, int64_t end) {
    s->group = group;
    s->own = (foci_range){first, end};
    foci_scene_loader_share(s->loader, first, end);
}

/* Pixels of the batch that have a class, in all processes; one that could not read its share says 0, and ends the step
 * for all. */
static int64_t count_pixels(const foci_task_state *s) {
    int64_t own = 0, all = 0, of[foci_group_size(s->group)];
    for (int64_t i = s->own.first * pixels_of(s); i < s->own.end * pixels_of(s) && s->batch.count; i++)
        own += s->batch.labels[i] != FOCI_NO_CLASS;
    foci_group_share(s->group, &own, sizeof own, of);
    for (int r = 0; r < foci_group_size(s->group); r++) all += of[r];
    return all;
}

/* The loss of a batch is a mean over its pixels, wherever they are: each part of it is divided by its share of them. */
static foci_status next(foci_task_state *s, int64_t epoch, int64_t update) {
    const foci_training *t = &s->train;
    const foci_status status = foci_scene_loader_next(s->loader, &s->batch);
    (void)epoch, (void)update;
    s->counted = (foci_real)((double)count_pixels(s) * (double)foci_training_micro(t) / (double)t->batch_size);
    return status;
}
static foci_status feed(const foci_task_state *s, foci_program *p, int64_t first) {
    FOCI_TRY(foci_program_feed(p, "images", s->batch.images + first * 3 * pixels_of(s)));
    FOCI_TRY(foci_program_feed(p, "labels", s->batch.labels + first * pixels_of(s)));
    return foci_program_feed(p, "counted", &s->counted);
}

static foci_status draw(const foci_task_state *s, foci_image *image) {
    enum { MOST = 16 };
    foci_sheet sheet;
    const int64_t first = s->own.first, rows = s->own.end - first;
    const int count = rows < MOST ? (int)rows : MOST;
    FOCI_TRY(foci_sheet_make(&sheet, &s->shown, count, 0));
    for (int i = 0; i < count; i++)
        foci_scene_show(&sheet, i, &s->transform, &s->batch, first + i,
                        foci_pair_set_name(s->sets.train, s->batch.index[first + i]));
    *image = sheet.image;
    return FOCI_OK;
}

/* ---------------------------------------------------------------------------------------------- evaluation */

typedef struct evaluating {
    const foci_task_state *state;
    const foci_pair_set *set;
    const foci_shifting *shifting;
    foci_scene_tally tally;
    foci_pieces images; /* the loss of each */
} evaluating;

static foci_status read_scene(void *context, int64_t i, foci_image *image, unsigned char **labels) {
    const evaluating *e = context;
    foci_image shifted;
    FOCI_TRY(foci_pair_set_read(e->set, i, &e->state->sets.meaning, image, labels));
    if (!e->shifting) return FOCI_OK;
    const foci_status s = e->shifting->shift(e->shifting->context, i, image, &shifted);
    if (s) return foci_context(s, "%s", foci_pair_set_name(e->set, i));
    foci_image_free(image);
    *image = shifted;
    return FOCI_OK;
}

static foci_status fit_scene(void *context, const foci_image *image, foci_real **pixels, int *width, int *height) {
    return foci_scene_fit(&((const evaluating *)context)->state->transform, image, pixels, width, height);
}

static foci_status count_scene(void *context, const foci_segmented *done) {
    evaluating *e = context;
    foci_scene_tally_add(&e->tally, done);
    *(double *)foci_piece(&e->images, done->number) = done->loss;
    return foci_pieces_meet(&e->images, done->number, FOCI_OK);
}

static foci_status slide(const foci_task_state *s, const foci_model *model, foci_program_set *set,
                         foci_scene_reader *reader, evaluating *e, const foci_watch *watch) {
    foci_sliding sliding = {.classes = classes(s),
                            .first = e->images.first,
                            .end = e->images.end,
                            .watch = watch,
                            .take = count_scene,
                            .context = e};
    FOCI_TRY(foci_sliding_open(&sliding, s->config, model, set));
    return foci_slide(&sliding, reader);
}

/* Counts have no order, losses are added in that of the images. */
static foci_status gather(evaluating *e, foci_status status) {
    FOCI_TRY(foci_pieces_gather(&e->images, status));
    FOCI_TRY(foci_scene_tally_gather(&e->tally, e->images.group));
    for (int64_t i = 0; i < e->images.count; i++) e->tally.loss += *(double *)foci_piece(&e->images, i);
    return FOCI_OK;
}

static foci_status choose(const foci_task_state *s, const char *split, const foci_pair_set **set) {
    int place;
    FOCI_TRY(foci_split_of("scenes", split, &place));
    *set = s->sets.of[place];
    return *set ? FOCI_OK : foci_config_fail(s->config, foci_splits[place].key, "names no images");
}

static foci_status evaluate(foci_task_state *s, const foci_model *model, foci_parameters *p, const foci_evaluation *e,
                            const void *settings, const foci_watch *watch, foci_score *score) {
    evaluating all = {.state = s, .shifting = e->shifting};
    foci_scene_reader *reader;
    foci_program_set set;
    (void)settings;
    FOCI_TRY(choose(s, e->split, &all.set));
    const foci_scene_source source = {
        .read = read_scene, .fit = fit_scene, .context = &all, .count = foci_pair_set_count(all.set)};
    FOCI_TRY(foci_group_agree(e->group,
                              foci_scene_reader_open(&reader, &source, foci_windows_at_once(s->config), s->workers)));
    foci_program_set_init(&set, p);
    set.advice = "lower train.eval_batch";
    foci_status status = foci_pieces_open(&all.images, e->group, foci_pair_set_count(all.set), sizeof(double));
    if (!status) status = gather(&all, slide(s, model, &set, reader, &all, watch));
    foci_pieces_close(&all.images);
    foci_program_set_free(&set);
    foci_scene_reader_close(reader);
    return status ? status : foci_scene_tally_score(&all.tally, &s->labels, e, score);
}

static const foci_task_test test = {{.split = "test"}, .how = "sliding windows", .what = "the test images"};

/* ------------------------------------------------------------------------------------------------ samples */

static foci_status count_samples(const foci_task_state *s, int64_t *count) {
    *count = foci_pair_set_count(s->sets.val);
    return FOCI_OK;
}

/* The window at the top left of an image. */
static foci_status read_sample(const foci_task_state *s, int64_t i, foci_real *out) {
    const foci_scene_transform *t = &s->transform;
    foci_image image;
    foci_real *pixels;
    unsigned char *labels;
    int width, height;
    FOCI_TRY(foci_pair_set_read(s->sets.val, i, &s->sets.meaning, &image, &labels));
    const foci_status fitted = foci_scene_fit(t, &image, &pixels, &width, &height);
    foci_image_free(&image);
    free(labels);
    FOCI_TRY(fitted);
    memset(out, 0, (size_t)(3 * pixels_of(s)) * sizeof *out);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < height && y < t->height; y++)
            memcpy(out + ((int64_t)c * t->height + y) * t->width, pixels + ((int64_t)c * height + y) * width,
                   (size_t)(width < t->width ? width : t->width) * sizeof *out);
    free(pixels);
    return FOCI_OK;
}

static foci_status read_samples(const foci_task_state *s, int64_t count, int64_t first, int64_t n, void *out) {
    const int64_t all = foci_pair_set_count(s->sets.val);
    for (int64_t i = 0; i < n; i++)
        FOCI_TRY(read_sample(s, (first + i) * all / count, (foci_real *)out + i * 3 * pixels_of(s)));
    return FOCI_OK;
}

static const foci_transform *transform(const foci_task_state *s) { return &s->shown; }

static const foci_task_samples samples = {.items = "images",
                                          .input = "images",
                                          .few = 64,
                                          .at_once = 8,
                                          .count = count_samples,
                                          .read = read_samples,
                                          .transform = transform};

const foci_task foci_task_segmentation = {
    .name = "segmentation",
    .summary = "classes of the pixels of images",
    .item = "image",
    .items = "images",
    .feeds = "images labels counted",
    .counted = "images",
    .counts_rows = true,
    .metric = "miou",
    .scores_classes = true,
    .labels = "classes",
    .classes_key = "model.num_classes",
    .classes_else = 150,
    .test = &test,
    .samples = &samples,
    .predictor = &foci_scene_predictor,
    .size = sizeof(foci_task_state),
    .open = open_scenes,
    .close = close_scenes,
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
