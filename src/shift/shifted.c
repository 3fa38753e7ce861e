#include "shift/shifted.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/parallel.h"
#include "task/rank.h"

static foci_status out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory for evaluation"); }

/* Images and labels of one batch, and how many of them the model gets wrong. */
typedef struct batch {
    foci_image *image; /* (batch) */
    int32_t *label;
    int64_t n;
} batch;

static foci_status batch_make(batch *b, const foci_classifier *c) {
    *b = (batch){calloc((size_t)c->batch, sizeof *b->image), calloc((size_t)c->batch, sizeof *b->label), 0};
    return b->image && b->label ? FOCI_OK : out_of_memory();
}

static void batch_empty(batch *b) {
    for (int64_t i = 0; i < b->n; i++) foci_image_free(&b->image[i]);
    b->n = 0;
}

static void batch_free(batch *b) {
    batch_empty(b);
    free(b->image);
    free(b->label);
}

static foci_status batch_read(batch *b, const foci_classifier *c, const foci_images_of *images, const foci_transform *t,
                              int64_t first) {
    const int64_t n = images->samples.count - first < c->batch ? images->samples.count - first : c->batch;
    FOCI_TRY(foci_image_samples_cut(&images->samples, t, first, n, b->image));
    b->n = n;
    for (int64_t i = 0; i < n; i++) b->label[i] = foci_images_of_label(images, first + i);
    return FOCI_OK;
}

static foci_status classify(foci_classifier *c, const batch *b) {
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < b->n; i++) foci_transform_normalise(&c->transform, &b->image[i], c->input + i * c->pixels);
    return foci_classifier_run(c);
}

static int64_t within(const foci_classifier *c, const batch *b, int64_t rank, const bool *mask) {
    int64_t n = 0;
    for (int64_t i = 0; i < b->n; i++) n += foci_rank(c->logits + i * c->classes, c->classes, b->label[i], mask) < rank;
    return n;
}

/* ---------------------------------------------------------------------------------------------- corrupted */

typedef struct corrupting {
    foci_classifier *classifier;
    const foci_images_of *images;
    const batch *batch;
    int64_t first; /* of the images: the batch's */
    const foci_corruption *corruption;
    int severity;
    foci_corrupt_how how;
} corrupting;

static foci_status corrupt_one(void *context, int64_t i) {
    const corrupting *k = context;
    const foci_classifier *c = k->classifier;
    const int64_t number = foci_image_samples_at(&k->images->samples, k->first + i);
    foci_image made;
    FOCI_TRY(foci_corrupt(k->corruption, k->severity, k->how, number, &k->batch->image[i], &made));
    foci_transform_normalise(&c->transform, &made, c->input + i * c->pixels);
    foci_image_free(&made);
    return FOCI_OK;
}

/* The batch's images, corrupted, through the model. */
static foci_status classify_corrupted(corrupting *k) {
    FOCI_TRY(foci_each(k->batch->n, corrupt_one, k));
    return foci_classifier_run(k->classifier);
}

typedef struct tally {
    int64_t clean, right[FOCI_CORRUPTIONS][FOCI_SEVERITIES];
} tally;

static foci_status corrupt_batch(foci_classifier *c, const foci_images_of *images, const batch *b, int64_t first,
                                 const foci_corruption_choice chosen, foci_corrupt_how how, const foci_watch *watch,
                                 tally *t) {
    FOCI_TRY(classify(c, b));
    t->clean += within(c, b, 1, NULL);
    for (int k = 0; k < FOCI_CORRUPTIONS; k++)
        for (int s = 0; s < FOCI_SEVERITIES; s++) {
            if (!chosen[k][s]) continue;
            FOCI_TRY(foci_watch_stopped(watch));
            FOCI_TRY(classify_corrupted(&(corrupting){c, images, b, first, foci_corruptions[k], s + 1, how}));
            t->right[k][s] += within(c, b, 1, NULL);
        }
    return FOCI_OK;
}

static double percent_wrong(int64_t right, int64_t images) { return 100.0 * (double)(images - right) / (double)images; }

static int choices(const foci_corruption_choice chosen) {
    int n = 0;
    for (int i = 0; i < FOCI_CORRUPTIONS * FOCI_SEVERITIES; i++) n += chosen[i / FOCI_SEVERITIES][i % FOCI_SEVERITIES];
    return n;
}

static void start(foci_corrupted *r) {
    *r = (foci_corrupted){.clean = NAN, .seconds = foci_now_ms() / 1e3};
    for (int k = 0; k < FOCI_CORRUPTIONS; k++)
        for (int s = 0; s < FOCI_SEVERITIES; s++) r->error[k][s] = NAN;
}

foci_status foci_measure_corrupted(foci_classifier *c, const char *dir, const foci_corruption_choice chosen,
                                   foci_corrupt_how how, int64_t limit, const foci_watch *watch, foci_corrupted *r) {
    foci_images_of images;
    batch b;
    tally t = {0};
    start(r);
    FOCI_TRY(foci_images_of_open(&images, c, dir, NULL, limit));
    foci_status status = batch_make(&b, c);
    for (int64_t first = 0; first < images.samples.count && !status; first += c->batch) {
        status = batch_read(&b, c, &images, &c->transform, first);
        if (!status) status = corrupt_batch(c, &images, &b, first, chosen, how, watch, &t);
        if (!status) foci_watch_tell(watch, first + b.n, images.samples.count);
        batch_empty(&b);
    }
    r->images = images.samples.count;
    r->clean = percent_wrong(t.clean, r->images);
    r->seen = r->images * (1 + choices(chosen));
    for (int k = 0; k < FOCI_CORRUPTIONS; k++)
        for (int s = 0; s < FOCI_SEVERITIES; s++)
            if (chosen[k][s]) r->error[k][s] = percent_wrong(t.right[k][s], r->images);
    r->seconds = foci_now_ms() / 1e3 - r->seconds;
    batch_free(&b);
    foci_images_of_close(&images);
    return status;
}

/* ---------------------------------------------------------------------------------------- a folder's images */

/* Every batch of the folder, classified; `visit` sees the labels and logits. */
typedef void visitor(void *context, const foci_classifier *c, const batch *b);

static foci_status go_through(foci_classifier *c, const foci_images_of *images, const foci_transform *t,
                              const foci_watch *watch, visitor *visit, void *context) {
    batch b;
    foci_status status = batch_make(&b, c);
    for (int64_t first = 0; first < images->samples.count && !status; first += c->batch) {
        status = foci_watch_stopped(watch);
        if (!status) status = batch_read(&b, c, images, t, first);
        if (!status) status = classify(c, &b);
        if (status) break;
        visit(context, c, &b);
        foci_watch_tell(watch, first + b.n, images->samples.count);
        batch_empty(&b);
    }
    batch_free(&b);
    return status;
}

typedef struct counting {
    const bool *mask;
    int64_t top1, top5;
} counting;

static void count_right(void *context, const foci_classifier *c, const batch *b) {
    counting *n = context;
    n->top1 += within(c, b, 1, n->mask);
    n->top5 += within(c, b, 5, n->mask);
}

static foci_status measure_folder(foci_classifier *c, const char *dir, int corruption, int severity, int64_t limit,
                                  const foci_transform *t, const foci_watch *watch, foci_corrupted *r) {
    char path[4096];
    foci_images_of images;
    counting n = {NULL, 0, 0};
    if (snprintf(path, sizeof path, "%s/%s/%d", dir, foci_corruptions[corruption]->name, severity) >= (int)sizeof path)
        return foci_fail(FOCI_ERR_DATA, "%.64s...: path too long", dir);
    FOCI_TRY(foci_images_of_open(&images, c, path, NULL, limit));
    foci_status s = go_through(c, &images, t, watch, count_right, &n);
    r->error[corruption][severity - 1] = percent_wrong(n.top1, images.samples.count);
    r->images = images.samples.count;
    r->seen += images.samples.count;
    foci_images_of_close(&images);
    return s;
}

foci_status foci_measure_corrupted_folders(foci_classifier *c, const char *dir, const foci_corruption_choice chosen,
                                           int64_t limit, const foci_watch *watch, foci_corrupted *r) {
    foci_transform t = c->transform;
    t.crop_pct = 1;
    start(r);
    for (int k = 0; k < FOCI_CORRUPTIONS; k++)
        for (int s = 1; s <= FOCI_SEVERITIES; s++)
            if (chosen[k][s - 1]) FOCI_TRY(measure_folder(c, dir, k, s, limit, &t, watch, r));
    r->seconds = foci_now_ms() / 1e3 - r->seconds;
    return FOCI_OK;
}

/* -------------------------------------------------------------------------------------- corruption errors */

double foci_corrupted_error(const foci_corrupted *r, int corruption) {
    double sum = 0;
    int n = 0;
    for (int s = 0; s < FOCI_SEVERITIES; s++)
        if (!isnan(r->error[corruption][s])) {
            sum += r->error[corruption][s];
            n++;
        }
    return n ? sum / n : (double)NAN;
}

double foci_corruption_error(const foci_corrupted *r, const foci_corrupted *reference, int corruption) {
    double sum = 0, other = 0;
    int n = 0;
    for (int s = 0; s < FOCI_SEVERITIES; s++) {
        if (isnan(r->error[corruption][s])) continue;
        sum += r->error[corruption][s];
        other += reference ? reference->error[corruption][s] : 100 * foci_corruptions[corruption]->alexnet;
        n++;
    }
    return other > 0 && (reference || n == FOCI_SEVERITIES) ? 100 * sum / other : (double)NAN;
}

/* The mean over the 15, and NAN where one of them is. */
double foci_corrupted_mean(const foci_corrupted *r) {
    double sum = 0;
    int n = 0;
    for (int k = 0; k < FOCI_CORRUPTIONS; k++)
        if (foci_corruptions[k]->alexnet > 0) {
            sum += foci_corrupted_error(r, k);
            n++;
        }
    return sum / n;
}

double foci_corrupted_mean_of_all(const foci_corrupted *r) {
    double sum = 0;
    int n = 0;
    for (int k = 0; k < FOCI_CORRUPTIONS; k++) {
        const double error = foci_corrupted_error(r, k);
        if (isnan(error)) continue;
        sum += error;
        n++;
    }
    return sum / n;
}

double foci_mean_corruption_error(const foci_corrupted *r, const foci_corrupted *reference) {
    double sum = 0;
    int n = 0;
    for (int k = 0; k < FOCI_CORRUPTIONS; k++)
        if (foci_corruptions[k]->alexnet > 0) {
            sum += foci_corruption_error(r, reference, k);
            n++;
        }
    return sum / n;
}

/* ----------------------------------------------------------------------------------- some of the classes */

static int count_classes(const foci_images_of *images) { return foci_image_set_classes(images->set); }

foci_status foci_score_classes(foci_classifier *c, const char *dir, int64_t limit, const foci_watch *watch,
                               foci_masked_score *score) {
    foci_images_of images;
    FOCI_TRY(foci_images_of_open(&images, c, dir, NULL, limit));
    counting n = {images.present, 0, 0};
    foci_status s = go_through(c, &images, &c->transform, watch, count_right, &n);
    *score = (foci_masked_score){images.samples.count, count_classes(&images),
                                 100.0 * (double)n.top1 / (double)images.samples.count,
                                 100.0 * (double)n.top5 / (double)images.samples.count};
    foci_images_of_close(&images);
    return s;
}

/* ------------------------------------------------------------------------------------ none of the classes */

typedef struct scoring {
    const bool *mask;
    foci_scored *scored;
    int64_t n;
    bool positive;
} scoring;

/* Minus the largest softmax probability over the classes of the mask. */
static double anomaly(const foci_real *logits, int64_t classes, const bool *mask) {
    double largest = -INFINITY, sum = 0;
    for (int64_t k = 0; k < classes; k++)
        if (mask[k]) largest = fmax(largest, (double)logits[k]);
    for (int64_t k = 0; k < classes; k++)
        if (mask[k]) sum += exp((double)logits[k] - largest);
    return -1 / sum;
}

static void score_batch(void *context, const foci_classifier *c, const batch *b) {
    scoring *s = context;
    for (int64_t i = 0; i < b->n; i++)
        s->scored[s->n++] = (foci_scored){anomaly(c->logits + i * c->classes, c->classes, s->mask), s->positive};
}

static foci_status score_outliers(foci_classifier *c, const foci_images_of *out, const foci_images_of *in,
                                  const foci_watch *watch, foci_outlier_score *score) {
    scoring s = {out->present, calloc((size_t)(out->samples.count + in->samples.count), sizeof *s.scored), 0, true};
    if (!s.scored) return out_of_memory();
    foci_status status = go_through(c, out, &c->transform, watch, score_batch, &s);
    s.positive = false;
    if (!status) status = go_through(c, in, &c->transform, watch, score_batch, &s);
    *score = (foci_outlier_score){out->samples.count, in->samples.count, count_classes(out), NAN, NAN};
    if (!status) foci_precision_recall(s.scored, s.n, &score->aupr, &score->auroc);
    free(s.scored);
    return status;
}

foci_status foci_score_outliers(foci_classifier *c, const char *dir, const char *in_dir, int64_t limit,
                                const foci_watch *watch, foci_outlier_score *score) {
    foci_images_of out, in;
    FOCI_TRY(foci_images_of_open(&out, c, dir, NULL, limit));
    foci_status s = foci_images_of_open(&in, c, in_dir, out.present, limit);
    if (!s) {
        s = score_outliers(c, &out, &in, watch, score);
        foci_images_of_close(&in);
    }
    foci_images_of_close(&out);
    return s;
}

/* Falling scores; a NaN, of a model that computes none, is the most anomalous. */
static int by_score(const void *x, const void *y) {
    const double a = ((const foci_scored *)x)->score, b = ((const foci_scored *)y)->score;
    if (isnan(a) || isnan(b)) return isnan(b) - isnan(a);
    return (a < b) - (a > b);
}

void foci_precision_recall(foci_scored *scored, int64_t n, double *aupr, double *auroc) {
    int64_t all = 0, hits = 0, false_alarms = 0;
    double precision = 0, area = 0;
    qsort(scored, (size_t)n, sizeof *scored, by_score);
    for (int64_t i = 0; i < n; i++) all += scored[i].positive;
    for (int64_t i = 0; i < n;) {
        const int64_t hits_before = hits, alarms_before = false_alarms, first = i;
        for (; i < n && by_score(&scored[first], &scored[i]) == 0; i++) {
            hits += scored[i].positive;
            false_alarms += !scored[i].positive;
        }
        precision += (double)(hits - hits_before) * (double)hits / (double)(hits + false_alarms);
        area += (double)(false_alarms - alarms_before) * 0.5 * (double)(hits + hits_before);
    }
    *aupr = 100 * precision / (double)all;
    *auroc = 100 * area / ((double)all * (double)(n - all));
}
