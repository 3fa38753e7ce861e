/* Batches of sequences made ahead of use (data/ahead.h). */
#include <stdlib.h>
#include <string.h>

#include "data/ahead.h"
#include "data/order.h"
#include "sequences/sequences.h"

typedef struct slot {
    int64_t longest; /* ids of a row */
    int32_t *ids, *labels;
    foci_real *mask;
    int64_t *index;
} slot;

struct foci_sequence_loader {
    const foci_sequences *set;
    foci_sequence_options options;
    int64_t samples;    /* in an epoch */
    int64_t first, end; /* places of a batch that are wanted */
    int sides;
    int64_t epoch, *order;
    slot slot[FOCI_SLOTS];
    foci_ahead *ahead;
};

static int64_t seen_of(const foci_sequence_loader *l, int64_t sample) {
    int64_t most = 0;
    for (int side = 0; side < l->sides; side++) {
        const int64_t length = foci_sequences_length(l->set, sample, side);
        most = length > most ? length : most;
    }
    return most < l->options.cut ? most : l->options.cut;
}

/* Rows of the batch that this ticket is in; whoever makes a part of it finds the same. */
static int64_t longest_of(const foci_sequence_loader *l, int64_t ticket) {
    const int64_t first = ticket - ticket % l->options.batch, end = first + l->options.batch;
    int64_t longest = 1;
    if (!l->options.fit) return l->options.longest;
    for (int64_t i = first; i < end && i < l->samples; i++) {
        const int64_t length = seen_of(l, l->order[i]);
        longest = length > longest ? length : longest;
    }
    return longest;
}

static foci_status make(void *context, int at, int64_t ticket, int64_t count) {
    foci_sequence_loader *l = context;
    slot *s = &l->slot[at];
    const int64_t longest = longest_of(l, ticket), row = longest * l->sides, cut = l->options.cut;
    if (ticket % l->options.batch == 0) s->longest = longest;
    for (int64_t i = ticket; i < ticket + count; i++) {
        const int64_t place = i % l->options.batch, sample = l->order[i];
        s->index[place] = sample;
        s->labels[place] = foci_sequences_label(l->set, sample);
        if (place < l->first || place >= l->end) continue;
        FOCI_TRY(foci_sequences_read(l->set, sample, longest, cut < longest ? cut : longest, s->ids + place * row,
                                     s->mask + place * row));
    }
    return FOCI_OK;
}

static int64_t together(const void *context, int64_t ticket) { return (void)context, (void)ticket, 1; }
static void clear(void *context, int at) { (void)context, (void)at; }

static const foci_ahead_kind sequences_ahead = {.make = make, .together = together, .clear = clear};

static foci_status allocate(foci_sequence_loader *l) {
    const size_t batch = (size_t)l->options.batch, ids = batch * (size_t)(l->options.longest * l->sides);
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
    if (!l) return foci_out_of_memory();
    l->set = set;
    l->options = *options;
    l->end = batch;
    l->samples = options->drop_last ? count / batch * batch : count;
    l->sides = foci_sequences_sides(set);
    foci_status status = allocate(l);
    if (!status) status = foci_ahead_open(&l->ahead, &sequences_ahead, l, batch, options->workers);
    if (status) foci_sequence_loader_close(l);
    else *loader = l;
    return status;
}

void foci_sequence_loader_share(foci_sequence_loader *l, int64_t first, int64_t end) {
    l->first = first;
    l->end = end;
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
    if (count) *batch = (foci_sequence_batch){count, s->longest, s->ids, s->mask, s->labels, s->index};
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
