/* Batches made ahead of use: threads take one sample after another, of whatever kind, and put each where it belongs.
 *
 * Samples are numbered through the epoch (`ticket`); batch b of them lies in slot b mod FOCI_SLOTS. A thread takes the
 * next ticket while its batch is at most FOCI_SLOTS - 1 ahead of the one in the user's hands. What a sample holds has
 * to depend on its ticket alone: then neither the number of threads nor their pace changes a bit. */
#ifndef FOCI_DATA_AHEAD_H
#define FOCI_DATA_AHEAD_H

#include "base/error.h"

enum { FOCI_SLOTS = 3 };

typedef struct foci_ahead foci_ahead;
typedef struct foci_ahead_kind {
    /* Makes samples ticket .. ticket + count - 1, all of one batch, while other threads make others of it. */
    foci_status (*make)(void *context, int slot, int64_t ticket, int64_t count);
    /* How many samples from this one on are best made by one thread; those beyond the batch are left to others. */
    int64_t (*together)(const void *context, int64_t ticket);
    /* Before the first sample of a batch: nobody reads or writes the slot. */
    void (*clear)(void *context, int slot);
} foci_ahead_kind;

/* `workers` threads (at least 1) and batches of `batch` samples; nothing is made before the start. Where no thread can
 * be started, foci_ahead_next makes the batch. */
foci_status foci_ahead_open(foci_ahead **ahead, const foci_ahead_kind *kind, void *context, int64_t batch, int workers);
void foci_ahead_close(foci_ahead *ahead);
/* Waits until no thread makes a sample, and none will before the next start: what `make` reads may change. */
void foci_ahead_pause(foci_ahead *ahead);
/* After a pause: an epoch of so many samples, from batch `first` on. */
void foci_ahead_start(foci_ahead *ahead, int64_t samples, int64_t first);
/* The next batch, in `slot` until the next call; behind the last `count` is 0. Where samples of it could not be made,
 * the failure of the first is returned; the batch behind it comes next. */
foci_status foci_ahead_next(foci_ahead *ahead, int *slot, int64_t *count);

#endif
