#include "data/ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WORKERS = 64 };

typedef struct slot {
    int64_t done;      /* samples that are in */
    int64_t failed_at; /* the first ticket of the batch that could not be made, or -1 */
    foci_error error;
} slot;

struct foci_ahead {
    const foci_ahead_kind *kind;
    void *context;
    int64_t batch, samples; /* in a full batch; in the epoch */
    slot slot[FOCI_SLOTS];

    pthread_mutex_t mutex;
    pthread_cond_t work, result; /* there may be something to take; something was finished */
    pthread_t thread[MOST_WORKERS];
    int threads;
    int64_t ticket, taken; /* next sample to make; batches handed out */
    int busy;              /* threads that are making a sample */
    bool started, closing;
};

/* ----------------------------------------------------------------------------------------------- threads */

/* May a ticket be taken? The batch in the user's hands (taken - 1) keeps its slot. */
static bool has_work(const foci_ahead *a) {
    int64_t in_use = a->taken ? a->taken - 1 : 0;
    return a->started && a->ticket < a->samples && a->ticket / a->batch < in_use + FOCI_SLOTS;
}

static int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

/* How many tickets from the next on this thread takes. */
static int64_t portion(const foci_ahead *a) {
    int64_t end = least((a->ticket / a->batch + 1) * a->batch, a->samples);
    return least(a->kind->together(a->context, a->ticket), end - a->ticket);
}

/* The mutex is held, but while samples are made. */
static void make_portion(foci_ahead *a) {
    int64_t ticket = a->ticket, count = portion(a);
    int at = (int)(ticket / a->batch % FOCI_SLOTS);
    slot *s = &a->slot[at];
    a->ticket += count;
    a->busy++;
    pthread_mutex_unlock(&a->mutex);
    foci_status status = a->kind->make(a->context, at, ticket, count);
    pthread_mutex_lock(&a->mutex);
    if (status && (s->failed_at < 0 || ticket < s->failed_at)) {
        s->failed_at = ticket;
        foci_error_take(&s->error, status);
    }
    s->done += count;
    a->busy--;
    pthread_cond_signal(&a->result);
}

static void *work(void *ahead) {
    foci_ahead *a = ahead;
    pthread_mutex_lock(&a->mutex);
    while (!a->closing) {
        if (has_work(a)) make_portion(a);
        else pthread_cond_wait(&a->work, &a->mutex);
    }
    pthread_mutex_unlock(&a->mutex);
    return NULL;
}

/* Signals are for the thread that trains. The stack holds what threads have of their own, and does not depend on the
 * limit of the process's stack, which may be far smaller. */
static void start_threads(foci_ahead *a, int workers) {
    enum { STACK = 4 << 20 };
    pthread_attr_t attributes;
    sigset_t all, before;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, STACK);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = 0;
    while (!failed && a->threads < workers && a->threads < MOST_WORKERS) {
        failed = pthread_create(&a->thread[a->threads], &attributes, work, a);
        a->threads += !failed;
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    if (!a->threads)
        foci_log(FOCI_LOG_WARN, "no thread can be started (%s): batches are made when they are needed, not ahead",
                 strerror(failed));
}

/* ---------------------------------------------------------------------------------------------- the user */

foci_status foci_ahead_open(foci_ahead **ahead, const foci_ahead_kind *kind, void *context, int64_t batch,
                            int workers) {
    foci_ahead *a = *ahead = calloc(1, sizeof *a);
    if (!a) return foci_out_of_memory();
    a->kind = kind;
    a->context = context;
    a->batch = batch;
    pthread_mutex_init(&a->mutex, NULL);
    pthread_cond_init(&a->work, NULL);
    pthread_cond_init(&a->result, NULL);
    start_threads(a, workers < 1 ? 1 : workers);
    return FOCI_OK;
}

void foci_ahead_close(foci_ahead *a) {
    if (!a) return;
    pthread_mutex_lock(&a->mutex);
    a->closing = true;
    pthread_cond_broadcast(&a->work);
    pthread_mutex_unlock(&a->mutex);
    for (int i = 0; i < a->threads; i++) pthread_join(a->thread[i], NULL);
    pthread_mutex_destroy(&a->mutex);
    pthread_cond_destroy(&a->work);
    pthread_cond_destroy(&a->result);
    free(a);
}

static void clear(foci_ahead *a, int at) {
    a->slot[at].done = 0;
    a->slot[at].failed_at = -1;
    a->kind->clear(a->context, at);
}

void foci_ahead_pause(foci_ahead *a) {
    pthread_mutex_lock(&a->mutex);
    a->started = false;
    while (a->busy) pthread_cond_wait(&a->result, &a->mutex);
    pthread_mutex_unlock(&a->mutex);
}

void foci_ahead_start(foci_ahead *a, int64_t samples, int64_t first) {
    pthread_mutex_lock(&a->mutex);
    a->samples = samples;
    a->ticket = first * a->batch;
    a->taken = first;
    for (int i = 0; i < FOCI_SLOTS; i++) clear(a, i);
    a->started = true;
    pthread_cond_broadcast(&a->work);
    pthread_mutex_unlock(&a->mutex);
}

foci_status foci_ahead_next(foci_ahead *a, int *at, int64_t *count) {
    *count = 0;
    if (a->taken * a->batch >= a->samples) return FOCI_OK;
    pthread_mutex_lock(&a->mutex);
    int64_t b = a->taken++, size = least(a->samples - b * a->batch, a->batch);
    slot *s = &a->slot[ *at = (int)(b % FOCI_SLOTS)];
    if (b) clear(a, (int)((b - 1) % FOCI_SLOTS)); /* the batch given out before */
    pthread_cond_broadcast(&a->work);
    while (!a->threads && s->done < size) make_portion(a);
    while (s->done < size) pthread_cond_wait(&a->result, &a->mutex);
    pthread_mutex_unlock(&a->mutex);
    if (s->failed_at >= 0) return foci_error_raise(&s->error);
    *count = size;
    return FOCI_OK;
}
