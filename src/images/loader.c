/* Batches of images made ahead of use (data/ahead.h). A thread takes with a sample those that follow from the same file
 * (repeats), which it reads once. Whoever makes the second sample of a pair mixes the two. */
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "data/ahead.h"
#include "data/order.h"
#include "images/mix.h"

typedef struct slot {
    foci_real *images;
    int32_t *labels;
    int64_t *index;
    int32_t *partners; /* of a loader that mixes */
    foci_real *shares;
    unsigned char *in; /* of a pair, at its first place: ONE or BAD for each of the two that is in */
} slot;
enum { ONE = 1, BAD = 4 };

struct foci_image_loader {
    const foci_image_set *set;
    foci_transform transform;
    int64_t batch, pixels; /* samples in a full batch; numbers in a sample */
    int64_t samples;       /* in an epoch, after drop_last */
    int64_t first, end;    /* places of a batch that are wanted */
    bool shuffle, drop_last, mixes;
    int repeats;
    foci_mix mix;
    uint64_t seed;
    int least_short_side;
    slot slot[FOCI_SLOTS];
    int64_t epoch, *order; /* samples of the set, in the order of the epoch */
    bool *bad;             /* files that could not be read and were replaced; NULL: such a file ends the epoch */
    int64_t bad_count;
    pthread_mutex_t mutex; /* of these two */
    foci_ahead *ahead;
    bool started;
};

/* ----------------------------------------------------------------------------------------------- samples */

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

/* Is it wanted, or mixed with one that is? */
static bool is_wanted(const foci_image_loader *l, int64_t ticket) {
    const int64_t at = place_of(l, ticket), other = l->mixes ? partner_of(l, at) : at;
    return (at >= l->first && at < l->end) || (other >= l->first && other < l->end);
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
        foci_log(FOCI_LOG_WARN, "%s; another of its class takes its place (%lld so far)", foci_error_message(),
                 (long long)++l->bad_count);
    l->bad[file] = true;
    pthread_mutex_unlock(&l->mutex);
}

/* The file, or where it cannot be read and may be replaced, the next of its class that can: the same one whenever it is
 * asked. */
static foci_status read_image(foci_image_loader *l, int64_t file, foci_image *image) {
    const int64_t count = foci_image_set_count(l->set);
    const int label = foci_image_set_label(l->set, file);
    foci_status status = foci_image_set_read(l->set, file, image, l->least_short_side);
    for (int64_t i = 1; status == FOCI_ERR_DATA && l->bad && i <= count; i++) {
        int64_t other = (file + i) % count;
        if (i == 1) note_bad(l, file);
        if (foci_image_set_label(l->set, other) == label)
            status = foci_image_set_read(l->set, other, image, l->least_short_side);
    }
    return status;
}

/* `count` samples from one file, each augmented by numbers of its own. */
static foci_status make_samples(foci_image_loader *l, slot *s, int64_t ticket, int64_t count) {
    foci_image image;
    int64_t file = l->order[ticket / l->repeats];
    bool wanted = false;
    for (int64_t i = 0; i < count; i++) {
        label_sample(l, s, ticket + i);
        wanted |= is_wanted(l, ticket + i);
    }
    if (!wanted) return FOCI_OK;
    FOCI_TRY(read_image(l, file, &image));
    foci_status status = FOCI_OK;
    for (int64_t i = 0; i < count && !status; i++)
        if (is_wanted(l, ticket + i))
            status = foci_transform_apply(&l->transform, &image, l->seed, l->epoch,
                                          file * l->repeats + (ticket + i) % l->repeats,
                                          s->images + place_of(l, ticket + i) * l->pixels);
    foci_image_free(&image);
    return status ? foci_context(status, "%s", foci_image_set_name(l->set, file)) : FOCI_OK;
}

/* A sample is in, or will never be (bad); the second of a pair is mixed with the first, where both are good. */
static void take_in(foci_image_loader *l, slot *s, int64_t ticket, bool bad) {
    int64_t at = place_of(l, ticket), other = partner_of(l, at);
    if (!l->mixes || at == other) return;
    unsigned char before = __atomic_fetch_add(&s->in[at < other ? at : other], bad ? BAD : ONE, __ATOMIC_ACQ_REL);
    if (before != ONE || bad) return;
    foci_mixture m = mixture_of(l, ticket / l->batch, at);
    foci_mix_pair(&m, l->transform.height, l->transform.width, s->images + at * l->pixels,
                  s->images + other * l->pixels);
}

static foci_status make(void *context, int at, int64_t ticket, int64_t count) {
    foci_image_loader *l = context;
    foci_status status = make_samples(l, &l->slot[at], ticket, count);
    for (int64_t i = 0; i < count; i++)
        if (is_wanted(l, ticket + i)) take_in(l, &l->slot[at], ticket + i, status != FOCI_OK);
    return status;
}

/* How many tickets from this one on are of the same file. */
static int64_t same_file(const void *context, int64_t ticket) {
    const foci_image_loader *l = context;
    return l->repeats - ticket % l->repeats;
}

static void clear(void *context, int at) {
    const foci_image_loader *l = context;
    if (l->slot[at].in) memset(l->slot[at].in, 0, (size_t)l->batch);
}

static const foci_ahead_kind images_ahead = {.make = make, .together = same_file, .clear = clear};

/* ------------------------------------------------------------------------------------------------- the user */

static foci_status allocate(foci_image_loader *l) {
    size_t count = (size_t)foci_image_set_count(l->set), n = (size_t)l->batch;
    bool ok = (l->order = malloc(count * sizeof *l->order)) != NULL;
    for (int i = 0; i < FOCI_SLOTS; i++) {
        slot *s = &l->slot[i];
        ok &= (s->images = malloc(n * (size_t)l->pixels * sizeof *s->images)) != NULL;
        ok &= (s->labels = malloc(n * sizeof *s->labels)) != NULL;
        ok &= (s->index = malloc(n * sizeof *s->index)) != NULL;
    }
    return ok ? FOCI_OK
              : foci_fail(FOCI_ERR_RUNTIME, "out of memory for %d batches of %lld images", FOCI_SLOTS,
                          (long long)l->batch);
}

/* Decoding may shrink a large photograph as long as no random crop has to be enlarged; evaluation sees every pixel. */
static int least_side(const foci_transform *t) {
    int longer = t->width > t->height ? t->width : t->height;
    return t->train && !t->padding ? (int)ceil(longer / sqrt(t->scale_min)) : 0;
}

foci_status foci_image_loader_open(foci_image_loader **loader, const foci_image_set *set, const foci_transform *t,
                                   int64_t batch, bool shuffle, bool drop_last, uint64_t seed, int workers) {
    int64_t count = foci_image_set_count(set);
    *loader = NULL;
    if (batch < 1 || (drop_last && batch > count))
        return foci_fail(FOCI_ERR_CONFIG, "a batch of %lld from %lld images", (long long)batch, (long long)count);
    foci_image_loader *l = calloc(1, sizeof *l);
    if (!l) return foci_out_of_memory();
    l->set = set;
    l->transform = *t;
    l->batch = l->end = batch;
    l->pixels = (int64_t)3 * t->height * t->width;
    l->samples = drop_last ? count / batch * batch : count;
    l->shuffle = shuffle;
    l->drop_last = drop_last;
    l->repeats = 1;
    l->mix.groups = 1;
    l->seed = seed;
    l->least_short_side = least_side(t);
    pthread_mutex_init(&l->mutex, NULL);
    foci_status status = allocate(l);
    if (!status) status = foci_ahead_open(&l->ahead, &images_ahead, l, batch, workers);
    if (status) foci_image_loader_close(l);
    else *loader = l;
    return status;
}

foci_status foci_image_loader_augment(foci_image_loader *l, int repeats, const foci_mix *mix) {
    int64_t count = foci_image_set_count(l->set), draws = repeats > 1 && count >= 256 ? count / 256 * 256 : count;
    if (!l->drop_last || draws < l->batch || l->batch % mix->groups)
        return foci_fail(FOCI_ERR_CONFIG, "batches of %lld from %lld images cannot be dealt to %d hands",
                         (long long)l->batch, (long long)draws, mix->groups);
    l->samples = draws / l->batch * l->batch;
    l->repeats = repeats;
    l->mix = *mix;
    l->mixes = mix->probability > 0 && (mix->mixup > 0 || mix->cutmix > 0);
    bool ok = true;
    for (int i = 0; l->mixes && i < FOCI_SLOTS; i++) {
        slot *s = &l->slot[i];
        ok &= (s->partners = malloc((size_t)l->batch * sizeof *s->partners)) != NULL;
        ok &= (s->shares = malloc((size_t)l->batch * sizeof *s->shares)) != NULL;
        ok &= (s->in = malloc((size_t)l->batch)) != NULL;
    }
    return ok ? FOCI_OK
              : foci_fail(FOCI_ERR_RUNTIME, "out of memory for %d batches of %lld labels", FOCI_SLOTS,
                          (long long)l->batch);
}

foci_status foci_image_loader_replace_bad(foci_image_loader *l) {
    l->bad = calloc((size_t)foci_image_set_count(l->set), sizeof *l->bad);
    return l->bad ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for a list of files");
}

bool foci_image_loader_mixes(const foci_image_loader *l) { return l->mixes; }

void foci_image_loader_share(foci_image_loader *l, int64_t first, int64_t end) {
    l->first = first;
    l->end = end;
}

int64_t foci_image_loader_batches(const foci_image_loader *l) { return (l->samples + l->batch - 1) / l->batch; }

foci_status foci_image_loader_seek(foci_image_loader *l, int64_t epoch, int64_t batch) {
    foci_ahead_pause(l->ahead);
    l->epoch = epoch;
    foci_epoch_order(l->order, foci_image_set_count(l->set), l->shuffle, l->seed, epoch);
    l->started = true;
    foci_ahead_start(l->ahead, l->samples, batch);
    return FOCI_OK;
}

foci_status foci_image_loader_next(foci_image_loader *l, foci_image_batch *batch) {
    int at = 0;
    int64_t count = 0;
    *batch = (foci_image_batch){0};
    if (!l->started) FOCI_TRY(foci_image_loader_seek(l, 0, 0));
    FOCI_TRY(foci_ahead_next(l->ahead, &at, &count));
    const slot *s = &l->slot[at];
    if (count) *batch = (foci_image_batch){count, s->images, s->labels, s->partners, s->shares, s->index};
    return FOCI_OK;
}

void foci_image_loader_close(foci_image_loader *l) {
    if (!l) return;
    foci_ahead_close(l->ahead);
    pthread_mutex_destroy(&l->mutex);
    for (int i = 0; i < FOCI_SLOTS; i++) {
        free(l->slot[i].images);
        free(l->slot[i].labels);
        free(l->slot[i].index);
        free(l->slot[i].partners);
        free(l->slot[i].shares);
        free(l->slot[i].in);
    }
    free(l->order);
    free(l->bad);
    free(l);
}
