/* Classification of sequences: batches padded to the model's length, or to their longest, accuracy over the exact
 * number of samples. */
#include <stdio.h>

#include "config/config.h"
#include "models/models.h"
#include "task/classes.h"
#include "task/predict.h"
#include "task/sequence_data.h"
#include "task/task.h"
#include "task/training.h"

struct foci_task_state {
    const foci_config *config;
    foci_sequence_splits splits;
    foci_sequence_loader *loader;
    foci_sequence_batch batch;
    foci_training train;
    int64_t length, cut; /* of the model; tokens that it sees */
    bool fit;            /* rows are as long as the longest of a batch, */
    int64_t most;        /* which has at most so many tokens in training, */
    int shapes;          /* and so many lengths */
    int sides, workers;
    int64_t classes;
    bool padded;
};

static void close_sequences(foci_task_state *s) {
    foci_sequence_loader_close(s->loader);
    foci_sequence_splits_close(&s->splits);
}

static void warn(const foci_task_state *s, const char *what, const foci_sequences *set) {
    char text[160];
    if (!set) return;
    if (foci_sequences_cut_text(set, s->cut, text)) foci_log(FOCI_LOG_INFO, "%s: %s", what, text);
    if (foci_sequences_unknown_text(set, s->splits.words, text)) foci_log(FOCI_LOG_INFO, "%s: %s", what, text);
    if (foci_sequences_passed_over(set))
        foci_log(FOCI_LOG_WARN, "%s: %lld file%s of 0 bytes passed over", what,
                 (long long)foci_sequences_passed_over(set), foci_plural(foci_sequences_passed_over(set), "s"));
}

static foci_status open_loader(foci_sequence_loader **loader, const foci_task_state *s, const foci_sequences *set,
                               int64_t batch, bool training) {
    const foci_sequence_options o = {.longest = s->length,
                                     .cut = s->cut,
                                     .fit = s->fit,
                                     .batch = batch,
                                     .shuffle = training,
                                     .drop_last = training,
                                     .seed = (uint64_t)s->train.seed,
                                     .workers = s->workers};
    return foci_sequence_loader_open(loader, set, &o);
}

/* A program is recorded for every length that the longest of a batch may have. */
static void find_shapes(foci_task_state *s, const foci_sequences *set) {
    int64_t least = s->length;
    s->most = s->fit ? 1 : s->length;
    for (int64_t i = 0; i < foci_sequences_count(set) && s->fit; i++)
        for (int side = 0; side < s->sides; side++) {
            const int64_t all = foci_sequences_length(set, i, side), length = all < s->cut ? all : s->cut;
            least = length < least ? length : least;
            s->most = length > s->most ? length : s->most;
        }
    s->shapes = s->fit ? (int)(s->most - (least > 1 ? least : 1)) + 1 : 1;
}

static foci_status open_training(foci_task_state *s) {
    foci_sequences *set = s->splits.train;
    if (!set) return foci_config_fail(s->config, "data.kind", "names no sequences for training");
    if (!s->splits.val) return foci_config_fail(s->config, "data.kind", "names no sequences for validation");
    if (s->train.test_at_end && !s->splits.test)
        return foci_config_fail(s->config, "train.test_at_end", "the data names no sequences for test");
    if (foci_sequences_count(set) < s->train.batch_size)
        return foci_config_fail(s->config, "train.batch_size", "%lld is more than the %lld training sequences",
                                (long long)s->train.batch_size, (long long)foci_sequences_count(set));
    for (int i = 0; i < FOCI_SPLITS; i++) warn(s, foci_splits[i].what, s->splits.of[i]);
    find_shapes(s, set);
    return open_loader(&s->loader, s, set, s->train.batch_size, true);
}

/* One that is open. */
static foci_sequences *any(const foci_sequence_splits *s) { return s->val ? s->val : s->test ? s->test : s->train; }

static foci_status open_sequences(foci_task_state *s, const foci_config *c, unsigned splits) {
    foci_sequence_keys_of keys;
    foci_config_read(c, "data", foci_sequence_keys, &keys);
    s->config = c;
    s->train = foci_training_read(c);
    s->workers = (int)keys.workers;
    s->length = foci_config_int(c, "model.length");
    s->cut = foci_sequence_cut(c);
    s->fit = foci_sequences_fit(c);
    FOCI_TRY(foci_sequence_splits_open(&s->splits, c, splits));
    const foci_sequences *set = any(&s->splits);
    if (!set) return foci_config_fail(c, "data.kind", "names no sequences");
    s->classes = foci_sequences_classes(set);
    s->sides = foci_sequences_sides(set);
    s->padded = foci_sequences_padded(set, s->length);
    return splits & FOCI_TRAIN ? open_training(s) : FOCI_OK;
}

static int64_t classes(const foci_task_state *s) { return s->classes; }

static int64_t count_of(const foci_sequences *s) { return s ? foci_sequences_count(s) : 0; }
static void describe(const foci_task_state *s, char *text, size_t size) {
    snprintf(text, size, "%lld training, %lld validation, %lld test sequences, %lld class%s",
             (long long)count_of(s->splits.train), (long long)count_of(s->splits.val),
             (long long)count_of(s->splits.test), (long long)s->classes, foci_plural(s->classes, "es"));
}

static foci_status mean(const foci_task_state *s, foci_meaning *m) {
    return foci_sequences_mean(any(&s->splits), s->splits.words, m);
}
static foci_status check(const foci_task_state *s) {
    if (s->splits.val) FOCI_TRY(foci_sequences_look(s->splits.val));
    return s->splits.test && s->train.test_at_end ? foci_sequences_look(s->splits.test) : FOCI_OK;
}
static foci_status list(const foci_task_state *s, foci_manifest *m) { return foci_sequence_splits_list(&s->splits, m); }

/* ------------------------------------------------------------------------------------------------ training */

static int64_t updates(const foci_task_state *s) { return foci_sequence_loader_batches(s->loader); }
static const char *feeds_of(const foci_task_state *s) { return s->padded ? "ids mask labels" : "ids labels"; }
static int64_t words_of(const foci_task_state *s) {
    return s->splits.words ? foci_vocabulary_size(s->splits.words) : 0;
}
static int shapes(const foci_task_state *s) { return s->shapes; }
static int shape_of(const foci_task_state *s, int64_t update) {
    (void)update;
    return s->batch.count ? (int)(s->most - s->batch.longest) : 0;
}
static void prepare(const foci_task_state *s, int shape, foci_request *r) {
    r->classes = s->classes;
    r->vocabulary = words_of(s);
    r->feeds = feeds_of(s);
    r->number[0] = (foci_named_number){"tokens", (double)(s->most - shape)};
}
static void share(foci_task_state *s, foci_group *group, int64_t first, int64_t end) {
    (void)group;
    foci_sequence_loader_share(s->loader, first, end);
}
static foci_status seek(foci_task_state *s, int64_t epoch, int64_t update) {
    return foci_sequence_loader_seek(s->loader, epoch, update);
}
static foci_status next(foci_task_state *s, int64_t epoch, int64_t update) {
    (void)epoch, (void)update;
    return foci_sequence_loader_next(s->loader, &s->batch);
}
static foci_status feed_batch(const foci_task_state *s, const foci_sequence_batch *b, foci_program *p, int64_t first) {
    const int64_t row = first * s->sides * b->longest;
    FOCI_TRY(foci_program_feed(p, "ids", b->ids + row));
    if (s->padded) FOCI_TRY(foci_program_feed(p, "mask", b->mask + row));
    return foci_program_feed(p, "labels", b->labels + first);
}
static foci_status feed(const foci_task_state *s, foci_program *p, int64_t first) {
    return feed_batch(s, &s->batch, p, first);
}
static int64_t items_in(const foci_task_state *s, int64_t update) { return (void)update, s->train.batch_size; }

/* ---------------------------------------------------------------------------------------------- evaluation */

typedef struct evaluating {
    const foci_task_state *state;
    foci_sequences *set;
    foci_sequence_loader *loader;
    foci_sequence_batch batch;
} evaluating;

static foci_status seek_sequences(void *of, int64_t batch) {
    return foci_sequence_loader_seek(((evaluating *)of)->loader, 0, batch);
}
static foci_status next_sequences(void *of, foci_labelled *batch) {
    evaluating *e = of;
    FOCI_TRY(foci_sequence_loader_next(e->loader, &e->batch));
    *batch = (foci_labelled){e->batch.count, e->batch.labels, e->batch.index, e->batch.longest};
    return FOCI_OK;
}
static foci_status feed_sequences(const void *of, foci_program *p) {
    const evaluating *e = of;
    return feed_batch(e->state, &e->batch, p, 0);
}
static void name_of(const void *of, int64_t index, char *text, size_t size) {
    foci_sequences_name(((const evaluating *)of)->set, index, text, size);
}
static const char *class_name(const void *of, int label) {
    return foci_sequences_class_name(((const evaluating *)of)->set, label);
}

static foci_status evaluate(foci_task_state *s, const foci_model *model, foci_parameters *p, const foci_evaluation *how,
                            const void *settings, const foci_watch *watch, foci_score *score) {
    evaluating all = {.state = s};
    foci_labelled_source source = {.classes = s->classes,
                                   .vocabulary = words_of(s),
                                   .feeds = feeds_of(s),
                                   .counted = "sequences",
                                   .seek = seek_sequences,
                                   .next = next_sequences,
                                   .feed = feed_sequences,
                                   .name = name_of,
                                   .class_name = class_name,
                                   .of = &all};
    (void)settings;
    FOCI_TRY(foci_sequences_check_words(s->splits.words, s->config, model, p));
    FOCI_TRY(foci_sequence_split(&s->splits, s->config, how->split, &all.set));
    source.count = foci_sequences_count(all.set);
    source.batch = foci_eval_batch(&s->train, s->train.batch_size, source.count);
    FOCI_TRY(foci_group_agree(how->group, open_loader(&all.loader, s, all.set, source.batch, false)));
    const foci_status status = foci_classes_evaluate(&source, s->config, model, p, how, watch, score);
    foci_sequence_loader_close(all.loader);
    return status;
}

static const foci_task_test test = {{"test", NULL, 0}, .how = "accuracy", .what = "the test sequences"};

const foci_task foci_task_sequences = {
    .name = "sequences",
    .summary = "classification of sequences",
    .item = "sequence",
    .items = "sequences",
    .feeds = "ids labels",
    .counted = "labels",
    .metric = "top1",
    .labels = "classes",
    .words = "vocabulary",
    .classes_key = "model.num_classes",
    .classes_else = 10,
    .predicts = true,
    .predictor = &foci_sequence_predictor,
    .test = &test,
    .size = sizeof(foci_task_state),
    .open = open_sequences,
    .close = close_sequences,
    .classes = classes,
    .describe = describe,
    .mean = mean,
    .check = check,
    .list = list,
    .updates = updates,
    .shapes = shapes,
    .shape_of = shape_of,
    .prepare = prepare,
    .share = share,
    .seek = seek,
    .next = next,
    .feed = feed,
    .items_in = items_in,
    .evaluate = evaluate,
};
