/* Batches of sequences made ahead of use (data/ahead.h). */
#include <stdlib.h>
#include <string.h>

#include "data/ahead.h"
#include "data/order.h"
#include "sequences/sequences.h"

typedef struct slot {
    int32_t *ids, *labels;
    foci_real *mask;
    int64_t *index;
} slot;

struct foci_sequence_loader {
    const foci_sequences *set;
    foci_sequence_options options;
    int64_t samples, row; /* in an epoch; ids of a sample */
    int64_t epoch, *order;
    slot slot[FOCI_SLOTS];
    foci_ahead *ahead;
};

static foci_status make(void *context, int at, int64_t ticket, int64_t count) {
    foci_sequence_loader *l = context;
    slot *s = &l->slot[at];
    for (int64_t i = ticket; i < ticket + count; i++) {
        const int64_t place = i % l->options.batch, sample = l->order[i];
        s->index[place] = sample;
        s->labels[place] = foci_sequences_label(l->set, sample);
        FOCI_TRY(foci_sequences_read(l->set, sample, l->options.longest, l->options.cut, s->ids + place * l->row,
                                     s->mask + place * l->row));
    }
    return FOCI_OK;
}

static int64_t together(const void *context, int64_t ticket) { return (void)context, (void)ticket, 1; }
static void clear(void *context, int at) { (void)context, (void)at; }

static const foci_ahead_kind sequences_ahead = {.make = make, .together = together, .clear = clear};

static foci_status allocate(foci_sequence_loader *l) {
    const size_t batch = (size_t)l->options.batch, ids = batch * (size_t)l->row;
    bool ok = (l->order = malloc((size_t)foci_sequences_count(l->set) * sizeof *l->order)) != NULL;
    for (int i = 0; i < FOCI_SLOTS; i++) {
        slot *s = &l->slot[i];
        ok &= (s->ids = malloc(ids * sizeof *s->ids)) != NULL;
        ok &= (s->mask = malloc(ids * sizeof *s->mask)) != NULL;
        ok &= (s->labels = malloc(batch * sizeof *s->labels)) != NULL;
        ok &= (s->index = malloc(batch * sizeof *s->index)) != NULL;
    }
    return ok ? FOCI_OK
              : foci_fail(FOCI_ERR_RUNTIME, "out of memory for %d batches of %lld sequences", FOCI_SLOTS,
                          (long long)l->options.batch);
}

foci_status foci_sequence_loader_open(foci_sequence_loader **loader, const foci_sequences *set,
                                      const foci_sequence_options *options) {
    const int64_t count = foci_sequences_count(set), batch = options->batch;
    *loader = NULL;
    if (batch < 1 || (options->drop_last && batch > count))
        return foci_fail(FOCI_ERR_CONFIG, "a batch of %lld from %lld sequences", (long long)batch, (long long)count);
    foci_sequence_loader *l = calloc(1, sizeof *l);
    if (!l) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    l->set = set;
    l->options = *options;
    l->samples = options->drop_last ? count / batch * batch : count;
    l->row = options->longest * foci_sequences_sides(set);
    foci_status status = allocate(l);
    if (!status) status = foci_ahead_open(&l->ahead, &sequences_ahead, l, batch, options->workers);
    if (status) foci_sequence_loader_close(l);
    else *loader = l;
    return status;
}

int64_t foci_sequence_loader_batches(const foci_sequence_loader *l) {
    return (l->samples + l->options.batch - 1) / l->options.batch;
}

foci_status foci_sequence_loader_seek(foci_sequence_loader *l, int64_t epoch, int64_t batch) {
    foci_ahead_pause(l->ahead);
    l->epoch = epoch;
    foci_epoch_order(l->order, foci_sequences_count(l->set), l->options.shuffle, l->options.seed, epoch);
    foci_ahead_start(l->ahead, l->samples, batch);
    return FOCI_OK;
}

foci_status foci_sequence_loader_next(foci_sequence_loader *l, foci_sequence_batch *batch) {
    int at = 0;
    int64_t count = 0;
    *batch = (foci_sequence_batch){0};
    FOCI_TRY(foci_ahead_next(l->ahead, &at, &count));
    const slot *s = &l->slot[at];
    if (count) *batch = (foci_sequence_batch){count, s->ids, s->mask, s->labels, s->index};
    return FOCI_OK;
}

void foci_sequence_loader_close(foci_sequence_loader *l) {
    if (!l) return;
    foci_ahead_close(l->ahead);
    for (int i = 0; i < FOCI_SLOTS; i++) {
        free(l->slot[i].ids);
        free(l->slot[i].mask);
        free(l->slot[i].labels);
        free(l->slot[i].index);
    }
    free(l->order);
    free(l);
}
