/* Batches made ahead of use: threads take one sample after another, and put each where it belongs.
 *
 * Samples are numbered through the epoch (`ticket`); batch b of them lies in slot b mod SLOTS. A thread takes the next
 * ticket while its batch is at most SLOTS - 1 ahead of the one in the user's hands, and with it those that follow from the
 * same file (repeats), which it reads once. Whoever makes the second sample of a pair mixes the two. What a sample holds
 * depends on its number alone, so neither the number of threads nor their pace changes a bit. */
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"
#include "images/mix.h"

enum { SLOTS = 3, MOST_WORKERS = 64 };

typedef struct slot {
    foci_real *images;
    int32_t *labels;
    int64_t *index;
    int32_t *partners;  /* of a loader that mixes */
    foci_real *shares;
    bool *waits;        /* its partner is not in yet */
    int64_t done;       /* samples that are in, and mixed */
    int64_t failed_at;  /* the first ticket of the batch that could not be made, or -1 */
    foci_error error;
} slot;

struct foci_image_loader {
    const foci_image_set *set;
    foci_transform transform;
    int64_t batch, pixels; /* samples in a full batch; numbers in a sample */
    int64_t samples;       /* in an epoch, after drop_last */
    bool shuffle, drop_last, mixes;
    int repeats;
    foci_mix mix;
    uint64_t seed;
    int least_short_side;
    slot slot[SLOTS];
    int64_t *order; /* of the epoch */
    bool *bad;      /* files that could not be read and were replaced; NULL: such a file ends the epoch */
    int64_t bad_count;

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

/* The batch is dealt in turn: ticket t of it goes to hand t mod groups. */
static int64_t place_of(const foci_image_loader *l, int64_t ticket) {
    int64_t t = ticket % l->batch, hands = l->mix.groups;
    return t % hands * (l->batch / hands) + t / hands;
}
static int64_t ticket_at(const foci_image_loader *l, int64_t batch, int64_t place) {
    int64_t hand = l->batch / l->mix.groups;
    return batch * l->batch + place % hand * l->mix.groups + place / hand;
}
static int64_t partner_of(const foci_image_loader *l, int64_t place) {
    int64_t hand = l->batch / l->mix.groups, first = place / hand * hand;
    return first + hand - 1 - (place - first);
}

static foci_mixture mixture_of(const foci_image_loader *l, int64_t batch, int64_t place) {
    int64_t group = batch * l->mix.groups + place / (l->batch / l->mix.groups);
    return foci_mix_draw(&l->mix, l->transform.height, l->transform.width, l->seed, l->epoch, group);
}

static void label_sample(const foci_image_loader *l, slot *s, int64_t ticket) {
    int64_t at = place_of(l, ticket), batch = ticket / l->batch;
    s->index[at] = l->order[ticket / l->repeats];
    s->labels[at] = foci_image_set_label(l->set, s->index[at]);
    if (!l->mixes) return;
    int64_t partner = ticket_at(l, batch, partner_of(l, at));
    s->partners[at] = foci_image_set_label(l->set, l->order[partner / l->repeats]);
    s->shares[at] = (foci_real)mixture_of(l, batch, at).share;
}

/* Said once of each file; the threads take turns. */
static void note_bad(foci_image_loader *l, int64_t file) {
    pthread_mutex_lock(&l->mutex);
    if (!l->bad[file])
        foci_log(FOCI_LOG_WARN, "%s; another of its class takes its place (%lld so far)", foci_error_message(), (long long)++l->bad_count);
    l->bad[file] = true;
    pthread_mutex_unlock(&l->mutex);
}

/* The file, or where it cannot be read and may be replaced, the next of its class that can: the same one whenever it is asked. */
static foci_status read_image(foci_image_loader *l, int64_t file, foci_image *image) {
    const int64_t count = foci_image_set_count(l->set);
    const int label = foci_image_set_label(l->set, file);
    foci_status status = foci_image_set_read(l->set, file, image, l->least_short_side);
    for (int64_t i = 1; status == FOCI_ERR_DATA && l->bad && i <= count; i++) {
        int64_t other = (file + i) % count;
        if (i == 1) note_bad(l, file);
        if (foci_image_set_label(l->set, other) == label) status = foci_image_set_read(l->set, other, image, l->least_short_side);
    }
    return status;
}

/* `count` samples from one file, each augmented by numbers of its own. */
static foci_status make_samples(foci_image_loader *l, slot *s, int64_t ticket, int64_t count) {
    foci_image image;
    int64_t file = l->order[ticket / l->repeats];
    for (int64_t i = 0; i < count; i++) label_sample(l, s, ticket + i);
    FOCI_TRY(read_image(l, file, &image));
    foci_status status = FOCI_OK;
    for (int64_t i = 0; i < count && !status; i++)
        status = foci_transform_apply(&l->transform, &image, l->seed, l->epoch, file * l->repeats + (ticket + i) % l->repeats,
                                      s->images + place_of(l, ticket + i) * l->pixels);
    foci_image_free(&image);
    return status ? foci_context(status, "%s", foci_image_set_name(l->set, file)) : FOCI_OK;
}

/* The sample is in; the mutex is held. Its pair is mixed if the other is in as well. */
static void take_in(foci_image_loader *l, slot *s, int64_t ticket) {
    int64_t at = place_of(l, ticket), other = partner_of(l, at);
    if (!l->mixes || at == other) {
        s->done++;
        return;
    }
    s->waits[at] = !s->waits[other];
    if (s->waits[at]) return;
    if (s->failed_at < 0) {
        pthread_mutex_unlock(&l->mutex);
        foci_mixture m = mixture_of(l, ticket / l->batch, at);
        foci_mix_pair(&m, l->transform.height, l->transform.width, s->images + at * l->pixels, s->images + other * l->pixels);
        pthread_mutex_lock(&l->mutex);
    }
    s->done += 2;
}

/* May a ticket be taken? The batch in the user's hands (taken - 1) keeps its slot. */
static bool has_work(const foci_image_loader *l) {
    int64_t in_use = l->taken ? l->taken - 1 : 0;
    return l->started && l->ticket < l->samples && l->ticket / l->batch < in_use + SLOTS;
}

/* How many tickets from this one on are of the same file, and of the same batch. */
static int64_t same_file(const foci_image_loader *l, int64_t ticket) {
    int64_t next_file = (ticket / l->repeats + 1) * l->repeats, next_batch = (ticket / l->batch + 1) * l->batch;
    int64_t end = next_file < next_batch ? next_file : next_batch;
    return (end < l->samples ? end : l->samples) - ticket;
}

static void *work(void *loader) {
    foci_image_loader *l = loader;
    pthread_mutex_lock(&l->mutex);
    while (!l->closing) {
        if (!has_work(l)) {
            pthread_cond_wait(&l->work, &l->mutex);
            continue;
        }
        int64_t ticket = l->ticket, count = same_file(l, ticket);
        slot *s = &l->slot[ticket / l->batch % SLOTS];
        l->ticket += count;
        l->busy++;
        pthread_mutex_unlock(&l->mutex);
        foci_status status = make_samples(l, s, ticket, count);
        pthread_mutex_lock(&l->mutex);
        if (status && (s->failed_at < 0 || ticket < s->failed_at)) {
            s->failed_at = ticket;
            foci_error_take(&s->error, status);
        }
        for (int64_t i = 0; i < count; i++) take_in(l, s, ticket + i);
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
    l->drop_last = drop_last;
    l->repeats = 1;
    l->mix.groups = 1;
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

foci_status foci_image_loader_augment(foci_image_loader *l, int repeats, const foci_mix *mix) {
    int64_t count = foci_image_set_count(l->set), draws = repeats > 1 && count >= 256 ? count / 256 * 256 : count;
    if (!l->drop_last || draws < l->batch || l->batch % mix->groups)
        return foci_fail(FOCI_ERR_CONFIG, "batches of %lld from %lld images cannot be dealt to %d hands", (long long)l->batch, (long long)draws, mix->groups);
    l->samples = draws / l->batch * l->batch;
    l->repeats = repeats;
    l->mix = *mix;
    l->mixes = mix->probability > 0 && (mix->mixup > 0 || mix->cutmix > 0);
    bool ok = true;
    for (int i = 0; l->mixes && i < SLOTS; i++) {
        slot *s = &l->slot[i];
        ok &= (s->partners = malloc((size_t)l->batch * sizeof *s->partners)) != NULL;
        ok &= (s->shares = malloc((size_t)l->batch * sizeof *s->shares)) != NULL;
        ok &= (s->waits = malloc((size_t)l->batch * sizeof *s->waits)) != NULL;
    }
    return ok ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for %d batches of %lld labels", SLOTS, (long long)l->batch);
}

foci_status foci_image_loader_replace_bad(foci_image_loader *l) {
    l->bad = calloc((size_t)foci_image_set_count(l->set), sizeof *l->bad);
    return l->bad ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for a list of files");
}

bool foci_image_loader_mixes(const foci_image_loader *l) { return l->mixes; }

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

static void empty_slot(const foci_image_loader *l, slot *s) {
    s->done = 0;
    s->failed_at = -1;
    if (s->waits) memset(s->waits, 0, (size_t)l->batch * sizeof *s->waits);
}

foci_status foci_image_loader_seek(foci_image_loader *l, int64_t epoch, int64_t batch) {
    pthread_mutex_lock(&l->mutex);
    l->started = false;
    while (l->busy) pthread_cond_wait(&l->result, &l->mutex);
    l->epoch = epoch;
    order_epoch(l);
    l->ticket = batch * l->batch;
    l->taken = batch;
    for (int i = 0; i < SLOTS; i++) empty_slot(l, &l->slot[i]);
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
    if (b) empty_slot(l, &l->slot[(b - 1) % SLOTS]); /* the batch given out before */
    pthread_cond_broadcast(&l->work);
    while (s->done < count) pthread_cond_wait(&l->result, &l->mutex);
    pthread_mutex_unlock(&l->mutex);
    if (s->failed_at >= 0) return foci_error_raise(&s->error);
    *batch = (foci_image_batch){count, s->images, s->labels, s->partners, s->shares, s->index};
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
        free(l->slot[i].partners);
        free(l->slot[i].shares);
        free(l->slot[i].waits);
    }
    free(l->order);
    free(l->bad);
    free(l);
}
