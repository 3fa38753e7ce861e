/* Batches made ahead of use: threads take one sample after another, and put each where it belongs.
 *
 * Samples are numbered through the epoch (`ticket`); batch b of them lies in slot b mod SLOTS. A thread takes the next
 * ticket while its batch is at most SLOTS - 1 ahead of the one in the user's hands. What a sample holds depends on its
 * number alone, so neither the number of threads nor their pace changes a bit. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "data/images.h"

enum { SLOTS = 3, MOST_WORKERS = 64 };

typedef struct slot {
    foci_real *images;
    int32_t *labels;
    int64_t *index;
    int64_t done;      /* samples that are in */
    int64_t failed_at; /* the first of the batch that could not be read, or -1 */
    foci_error error;
} slot;

struct foci_image_loader {
    const foci_image_set *set;
    foci_transform transform;
    int64_t batch, pixels; /* samples in a full batch; numbers in a sample */
    int64_t samples;       /* in an epoch, after drop_last */
    bool shuffle;
    uint64_t seed;
    int least_short_side;
    slot slot[SLOTS];
    int64_t *order; /* of the epoch */

    pthread_mutex_t mutex;
    pthread_cond_t work, result; /* there may be something to take; something was finished */
    pthread_t thread[MOST_WORKERS];
    int threads;
    int64_t epoch, ticket, taken; /* next sample to make; batches handed out */
    int busy;                     /* threads that are making a sample */
    bool started, closing;
};

/* ----------------------------------------------------------------------------------------------- threads */

static int64_t batch_size(const foci_image_loader *l, int64_t b) {
    int64_t left = l->samples - b * l->batch;
    return left < l->batch ? left : l->batch;
}

static foci_status make_sample(const foci_image_loader *l, slot *s, int64_t at, int64_t sample) {
    foci_image image;
    FOCI_TRY(foci_image_set_read(l->set, sample, &image, l->least_short_side));
    foci_status status = foci_transform_apply(&l->transform, &image, l->seed, l->epoch, sample, s->images + at * l->pixels);
    foci_image_free(&image);
    return status ? foci_context(status, "%s", foci_image_set_name(l->set, sample)) : FOCI_OK;
}

/* May a ticket be taken? The batch in the user's hands (taken - 1) keeps its slot. */
static bool has_work(const foci_image_loader *l) {
    int64_t in_use = l->taken ? l->taken - 1 : 0;
    return l->started && l->ticket < l->samples && l->ticket / l->batch < in_use + SLOTS;
}

static void *work(void *loader) {
    foci_image_loader *l = loader;
    pthread_mutex_lock(&l->mutex);
    while (!l->closing) {
        if (!has_work(l)) {
            pthread_cond_wait(&l->work, &l->mutex);
            continue;
        }
        int64_t ticket = l->ticket++, at = ticket % l->batch, sample = l->order[ticket];
        slot *s = &l->slot[ticket / l->batch % SLOTS];
        l->busy++;
        pthread_mutex_unlock(&l->mutex);
        foci_status status = make_sample(l, s, at, sample);
        s->labels[at] = foci_image_set_label(l->set, sample);
        s->index[at] = sample;
        pthread_mutex_lock(&l->mutex);
        if (status && (s->failed_at < 0 || at < s->failed_at)) {
            s->failed_at = at;
            foci_error_take(&s->error, status);
        }
        s->done++;
        l->busy--;
        pthread_cond_signal(&l->result);
    }
    pthread_mutex_unlock(&l->mutex);
    return NULL;
}

/* Signals are for the thread that trains. */
static foci_status start_threads(foci_image_loader *l, int workers) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = 0;
    while (!failed && l->threads < workers && l->threads < MOST_WORKERS) {
        failed = pthread_create(&l->thread[l->threads], NULL, work, l);
        l->threads += !failed;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return l->threads ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "cannot start a thread: %s", strerror(failed));
}

/* ------------------------------------------------------------------------------------------------- the user */

static foci_status allocate(foci_image_loader *l) {
    size_t count = (size_t)foci_image_set_count(l->set), n = (size_t)l->batch;
    bool ok = (l->order = malloc(count * sizeof *l->order)) != NULL;
    for (int i = 0; i < SLOTS; i++) {
        slot *s = &l->slot[i];
        ok &= (s->images = malloc(n * (size_t)l->pixels * sizeof *s->images)) != NULL;
        ok &= (s->labels = malloc(n * sizeof *s->labels)) != NULL;
        ok &= (s->index = malloc(n * sizeof *s->index)) != NULL;
    }
    return ok ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for %d batches of %lld images", SLOTS, (long long)l->batch);
}

/* Decoding may shrink a large photograph as long as no random crop has to be enlarged; evaluation sees every pixel. */
static int least_side(const foci_transform *t) {
    int longer = t->width > t->height ? t->width : t->height;
    return t->train && !t->padding ? (int)ceil(longer / sqrt(t->scale_min)) : 0;
}

foci_status foci_image_loader_open(foci_image_loader **loader, const foci_image_set *set, const foci_transform *t, int64_t batch,
                                   bool shuffle, bool drop_last, uint64_t seed, int workers) {
    int64_t count = foci_image_set_count(set);
    *loader = NULL;
    if (batch < 1 || (drop_last && batch > count))
        return foci_fail(FOCI_ERR_CONFIG, "a batch of %lld from %lld images", (long long)batch, (long long)count);
    foci_image_loader *l = calloc(1, sizeof *l);
    if (!l) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    l->set = set;
    l->transform = *t;
    l->batch = batch;
    l->pixels = (int64_t)3 * t->height * t->width;
    l->samples = drop_last ? count / batch * batch : count;
    l->shuffle = shuffle;
    l->seed = seed;
    l->least_short_side = least_side(t);
    pthread_mutex_init(&l->mutex, NULL);
    pthread_cond_init(&l->work, NULL);
    pthread_cond_init(&l->result, NULL);
    foci_status status = allocate(l);
    if (!status) status = start_threads(l, workers < 1 ? 1 : workers);
    if (status) foci_image_loader_close(l);
    else *loader = l;
    return status;
}

int64_t foci_image_loader_batches(const foci_image_loader *l) { return (l->samples + l->batch - 1) / l->batch; }

/* Fisher and Yates, from the numbers of (seed, epoch). */
static void order_epoch(foci_image_loader *l) {
    int64_t n = foci_image_set_count(l->set);
    for (int64_t i = 0; i < n; i++) l->order[i] = i;
    if (!l->shuffle) return;
    foci_rng r = foci_rng_make(l->seed, foci_stream("shuffle"), (uint64_t)l->epoch);
    for (int64_t i = n - 1; i > 0; i--) {
        int64_t j = foci_rng_below(&r, (uint32_t)(i + 1)), kept = l->order[i];
        l->order[i] = l->order[j];
        l->order[j] = kept;
    }
}

static void empty_slot(slot *s) {
    s->done = 0;
    s->failed_at = -1;
}

foci_status foci_image_loader_seek(foci_image_loader *l, int64_t epoch, int64_t batch) {
    pthread_mutex_lock(&l->mutex);
    l->started = false;
    while (l->busy) pthread_cond_wait(&l->result, &l->mutex);
    l->epoch = epoch;
    order_epoch(l);
    l->ticket = batch * l->batch;
    l->taken = batch;
    for (int i = 0; i < SLOTS; i++) empty_slot(&l->slot[i]);
    l->started = true;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->mutex);
    return FOCI_OK;
}

foci_status foci_image_loader_next(foci_image_loader *l, foci_image_batch *batch) {
    *batch = (foci_image_batch){0};
    if (!l->started) FOCI_TRY(foci_image_loader_seek(l, 0, 0));
    if (l->taken >= foci_image_loader_batches(l)) return FOCI_OK;
    pthread_mutex_lock(&l->mutex);
    int64_t b = l->taken++, count = batch_size(l, b);
    slot *s = &l->slot[b % SLOTS];
    if (b) empty_slot(&l->slot[(b - 1) % SLOTS]); /* the batch given out before */
    pthread_cond_broadcast(&l->work);
    while (s->done < count) pthread_cond_wait(&l->result, &l->mutex);
    pthread_mutex_unlock(&l->mutex);
    if (s->failed_at >= 0) return foci_error_raise(&s->error);
    *batch = (foci_image_batch){count, s->images, s->labels, s->index};
    return FOCI_OK;
}

void foci_image_loader_close(foci_image_loader *l) {
    if (!l) return;
    pthread_mutex_lock(&l->mutex);
    l->closing = true;
    pthread_cond_broadcast(&l->work);
    pthread_mutex_unlock(&l->mutex);
    for (int i = 0; i < l->threads; i++) pthread_join(l->thread[i], NULL);
    pthread_mutex_destroy(&l->mutex);
    pthread_cond_destroy(&l->work);
    pthread_cond_destroy(&l->result);
    for (int i = 0; i < SLOTS; i++) {
        free(l->slot[i].images);
        free(l->slot[i].labels);
        free(l->slot[i].index);
    }
    free(l->order);
    free(l);
}
