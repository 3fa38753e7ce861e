/* Scenes made ahead of use (data/ahead.h): batches for training, whole images for evaluation. */
#include <stdlib.h>

#include "data/ahead.h"
#include "data/order.h"
#include "images/scene.h"

static int64_t one_by_one(const void *context, int64_t ticket) {
    (void)context, (void)ticket;
    return 1;
}
static void leave(void *context, int slot) { (void)context, (void)slot; }

/* ------------------------------------------------------------------------------------------------ training */

struct foci_scene_loader {
    const foci_pair_set *set;
    foci_label_meaning meaning;
    foci_scene_transform transform;
    int64_t batch, pixels, samples; /* pixels: of an image, one channel; samples: of an epoch */
    int64_t first, end;             /* places of a batch that are wanted */
    uint64_t seed;
    foci_real *images[FOCI_SLOTS];
    int32_t *labels[FOCI_SLOTS];
    int64_t *index[FOCI_SLOTS];
    int64_t *order, epoch;
    foci_ahead *ahead;
};

static foci_status make_sample(void *context, int slot, int64_t ticket, int64_t count) {
    foci_scene_loader *l = context;
    foci_image image;
    unsigned char *classes;
    const int64_t file = l->order[ticket], at = ticket % l->batch;
    (void)count;
    l->index[slot][at] = file;
    if (at < l->first || at >= l->end) return FOCI_OK;
    FOCI_TRY(foci_pair_set_read(l->set, file, &l->meaning, &image, &classes));
    const foci_status s = foci_scene_augment(&l->transform, &image, classes, l->seed, l->epoch, file,
                                             l->images[slot] + at * 3 * l->pixels, l->labels[slot] + at * l->pixels);
    foci_image_free(&image);
    free(classes);
    return s ? foci_context(s, "%s", foci_pair_set_name(l->set, file)) : FOCI_OK;
}

static const foci_ahead_kind training = {.make = make_sample, .together = one_by_one, .clear = leave};

static foci_status allocate(foci_scene_loader *l) {
    const size_t n = (size_t)(l->batch * l->pixels);
    bool ok = (l->order = malloc((size_t)foci_pair_set_count(l->set) * sizeof *l->order)) != NULL;
    for (int i = 0; i < FOCI_SLOTS; i++) {
        ok &= (l->images[i] = malloc(3 * n * sizeof *l->images[i])) != NULL;
        ok &= (l->labels[i] = malloc(n * sizeof *l->labels[i])) != NULL;
        ok &= (l->index[i] = malloc((size_t)l->batch * sizeof *l->index[i])) != NULL;
    }
    return ok ? FOCI_OK
              : foci_fail(FOCI_ERR_RUNTIME, "out of memory for %d batches of %lld images", FOCI_SLOTS,
                          (long long)l->batch);
}

foci_status foci_scene_loader_open(foci_scene_loader **loader, const foci_pair_set *set,
                                   const foci_label_meaning *meaning, const foci_scene_transform *t, int64_t batch,
                                   uint64_t seed, int workers) {
    foci_scene_loader *l = calloc(1, sizeof *l);
    *loader = NULL;
    if (!l) return foci_out_of_memory();
    l->set = set;
    l->meaning = *meaning;
    l->transform = *t;
    l->batch = l->end = batch;
    l->pixels = (int64_t)t->height * t->width;
    l->samples = foci_pair_set_count(set) / batch * batch;
    l->seed = seed;
    foci_status s = allocate(l);
    if (!s) s = foci_ahead_open(&l->ahead, &training, l, batch, workers);
    if (s) foci_scene_loader_close(l);
    else *loader = l;
    return s;
}

void foci_scene_loader_close(foci_scene_loader *l) {
    if (!l) return;
    foci_ahead_close(l->ahead);
    for (int i = 0; i < FOCI_SLOTS; i++) {
        free(l->images[i]);
        free(l->labels[i]);
        free(l->index[i]);
    }
    free(l->order);
    free(l);
}

void foci_scene_loader_share(foci_scene_loader *l, int64_t first, int64_t end) {
    l->first = first;
    l->end = end;
}

int64_t foci_scene_loader_batches(const foci_scene_loader *l) { return l->samples / l->batch; }

foci_status foci_scene_loader_seek(foci_scene_loader *l, int64_t epoch, int64_t batch) {
    foci_ahead_pause(l->ahead);
    l->epoch = epoch;
    foci_epoch_order(l->order, foci_pair_set_count(l->set), true, l->seed, epoch);
    foci_ahead_start(l->ahead, l->samples, batch);
    return FOCI_OK;
}

foci_status foci_scene_loader_next(foci_scene_loader *l, foci_scene_batch *batch) {
    int slot = 0;
    int64_t count = 0;
    *batch = (foci_scene_batch){0};
    FOCI_TRY(foci_ahead_next(l->ahead, &slot, &count));
    if (count) *batch = (foci_scene_batch){count, l->images[slot], l->labels[slot], l->index[slot]};
    return FOCI_OK;
}

/* ---------------------------------------------------------------------------------------------- evaluation */

struct foci_scene_reader {
    foci_scene_source source;
    int64_t batch, at, count; /* scenes of a slot; which of the slot in hand comes next, of how many */
    int slot;
    foci_scene *scene[FOCI_SLOTS];
    foci_ahead *ahead;
};

void foci_scene_free(foci_scene *s) {
    foci_image_free(&s->image);
    free(s->classes);
    free(s->pixels);
    *s = (foci_scene){0};
}

static foci_status read_scene(void *context, int slot, int64_t ticket, int64_t count) {
    foci_scene_reader *r = context;
    foci_scene *s = &r->scene[slot][ticket % r->batch];
    (void)count;
    foci_scene_free(s);
    s->number = ticket;
    FOCI_TRY(r->source.read(r->source.context, ticket, &s->image, &s->classes));
    FOCI_TRY(r->source.fit(r->source.context, &s->image, &s->pixels, &s->width, &s->height));
    if (r->source.keeps_image) return FOCI_OK;
    free(s->image.pixels);
    s->image.pixels = NULL;
    return FOCI_OK;
}

static const foci_ahead_kind reading = {.make = read_scene, .together = one_by_one, .clear = leave};

foci_status foci_scene_reader_open(foci_scene_reader **reader, const foci_scene_source *source, int64_t ahead,
                                   int workers) {
    foci_scene_reader *r = calloc(1, sizeof *r);
    *reader = NULL;
    if (!r) return foci_out_of_memory();
    r->source = *source;
    r->batch = ahead > 0 ? ahead : 1;
    foci_status s = FOCI_OK;
    for (int i = 0; i < FOCI_SLOTS && !s; i++)
        if (!(r->scene[i] = calloc((size_t)r->batch, sizeof *r->scene[i]))) s = foci_out_of_memory();
    if (!s) s = foci_ahead_open(&r->ahead, &reading, r, r->batch, workers);
    if (!s) foci_ahead_start(r->ahead, source->count, 0);
    if (s) foci_scene_reader_close(r);
    else *reader = r;
    return s;
}

void foci_scene_reader_close(foci_scene_reader *r) {
    if (!r) return;
    foci_ahead_close(r->ahead);
    for (int i = 0; i < FOCI_SLOTS; i++) {
        for (int64_t k = 0; k < r->batch && r->scene[i]; k++) foci_scene_free(&r->scene[i][k]);
        free(r->scene[i]);
    }
    free(r);
}

foci_status foci_scene_reader_next(foci_scene_reader *r, foci_scene *scene) {
    *scene = (foci_scene){0};
    if (r->at == r->count) {
        r->at = r->count = 0;
        FOCI_TRY(foci_ahead_next(r->ahead, &r->slot, &r->count));
        if (!r->count) return FOCI_OK;
    }
    *scene = r->scene[r->slot][r->at];
    r->scene[r->slot][r->at++] = (foci_scene){0};
    return FOCI_OK;
}
