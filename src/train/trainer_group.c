/* A training by several processes: what they must agree about before the first step, at every step, and at every
 * checkpoint. Process 0 alone reads and writes the run's folder; the others get from it what it read. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xxhash.h>

#include "base/clock.h"
#include "kernels/bf16.h"
#include "train/trainer_work.h"

foci_status foci_trainer_all(const foci_trainer *t, foci_status s) { return foci_group_agree(t->group, s); }

/* ------------------------------------------------------------------------------------------- before the first step */

/* All that decides bits, line by line. */
static foci_status describe(const foci_trainer *t, char **text) {
    const char *data = foci_meaning_find(&t->meaning, "data");
    size_t size;
    *text = NULL;
    char *config = foci_config_dump(t->config);
    FILE *f = config ? open_memstream(text, &size) : NULL;
    if (f) {
        fprintf(f, "foci %s\ninstruction set: %s\nproducts in %s\n", FOCI_VERSION, foci_bf16_isa(),
                foci_trainer_dtype(t));
        fprintf(f, "data: %s\nteacher: %s\n%s", data ? data : "", t->teacher.checksum, config);
        fclose(f);
    }
    free(config);
    return *text ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory");
}

/* The first line in which two texts differ. */
static foci_status compare(const char *mine, const char *first) {
    for (;;) {
        const size_t a = strcspn(mine, "\n"), b = strcspn(first, "\n");
        if (a != b || memcmp(mine, first, a) != 0) {
            while (a && b && *mine == ' ' && *first == ' ') mine++, first++;
            return foci_fail(FOCI_ERR_CONFIG,
                             "`%.*s` here and `%.*s` in process 0: together they would train to bits of "
                             "no one kind",
                             (int)strcspn(mine, "\n"), mine, (int)strcspn(first, "\n"), first);
        }
        if (!mine[a] || !first[b]) return FOCI_OK;
        mine += a + 1;
        first += b + 1;
    }
}

static foci_status meet(foci_trainer *t) {
    foci_peer mine = {.seconds = 0};
    if (gethostname(mine.machine, sizeof mine.machine - 1) < 0) snprintf(mine.machine, sizeof mine.machine, "?");
    t->peer = calloc((size_t)t->group->size, sizeof *t->peer);
    FOCI_TRY(foci_trainer_all(t, t->peer ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory")));
    foci_group_share(t->group, &mine, sizeof mine, t->peer);
    t->named = -1;
    return FOCI_OK;
}

foci_status foci_trainer_shake_hands(foci_trainer *t) {
    if (!t->group) return FOCI_OK;
    char *mine, *first;
    foci_group_doing(t->group, "before the first step: version, instruction set, config and data of all");
    FOCI_TRY(meet(t));
    FOCI_TRY(foci_trainer_all(t, describe(t, &mine)));
    size_t size = strlen(mine) + 1;
    foci_group_broadcast(t->group, &size, sizeof size);
    first = calloc(1, size);
    foci_status s = foci_trainer_all(t, first ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory"));
    if (!s) {
        memcpy(first, mine, t->group->rank ? 0 : size);
        foci_group_broadcast(t->group, first, size);
        s = foci_trainer_all(t, compare(mine, first));
    }
    free(first);
    free(mine);
    return s;
}

static size_t flat_bytes(const foci_trainer *t) { return (size_t)t->programs.parameters.size * sizeof(foci_real); }

void foci_trainer_spread_weights(foci_trainer *t) {
    foci_optimizer *o = &t->optimizer;
    foci_group_doing(t->group, "step %lld: weights and moments of process 0", (long long)t->state.step);
    foci_group_broadcast(t->group, t->programs.parameters.value, flat_bytes(t));
    if (t->ema) foci_group_broadcast(t->group, t->ema, flat_bytes(t));
    foci_group_broadcast(t->group, &o->updates, sizeof o->updates);
    foci_optimizer_scatter(o);
    foci_optimizer_forget(o);
}

void foci_trainer_spread_state(foci_trainer *t) {
    foci_run_state *s = &t->state, own = *s;
    foci_trainer_spread_weights(t);
    foci_group_broadcast(t->group, s, sizeof *s);
    s->teacher = own.teacher;
    s->meaning = own.meaning;
    s->carry = own.carry;
    foci_group_broadcast(t->group, &t->policy, sizeof t->policy);
    foci_group_broadcast(t->group, &t->carry.filled, sizeof t->carry.filled);
    for (int i = 0; i < t->carry.count; i++) {
        const foci_carried_rows *r = &t->carry.slot[i];
        foci_group_broadcast(t->group, r->data, (size_t)(t->carry.batch * r->rows * r->width) * sizeof *r->data);
    }
}

/* -------------------------------------------------------------------------------------------------- at every step */

typedef struct vote {
    int status, stop, save, late;
    double seconds; /* that the gradients took */
} vote;

static bool set(const volatile sig_atomic_t *flag) { return flag && *flag; }

/* Minutes of training after the last checkpoint, more than the config allows? */
static bool late(const foci_trainer *t) {
    const double minutes = t->train.checkpoint_minutes;
    return minutes > 0 && foci_now() - t->pace.saved >= 60 * minutes;
}

void foci_trainer_look_at_flags(foci_trainer *t) {
    if (t->group) return;
    t->asked = (foci_asked){set(t->options->stop), set(t->options->save), late(t)};
    if (t->asked.save) *t->options->save = 0;
}

/* Losses of the parts of all processes. */
static void gather_losses(const foci_trainer *t, const foci_step *step) {
    const int64_t parts = step->batch / step->micro, shards = t->train.shards;
    size_t at[t->group->size + 1];
    for (int r = 0; r <= t->group->size; r++)
        at[r] = (size_t)(foci_group_first(t->group, shards, r) * (parts / shards)) * sizeof *step->losses;
    foci_group_collect(t->group, step->losses, at);
}

/* Seconds of gradients since the last line of metrics. */
static void clock_all(foci_trainer *t, const vote *all) {
    for (int r = 0; r < t->group->size; r++) t->peer[r].seconds += all[r].seconds;
}

static int rising(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* All wait for the slowest: where it takes notably longer than the middle one, it is named, once. */
void foci_trainer_name_slow(foci_trainer *t) {
    const double NOTABLE = 1.25;
    if (!t->group) return;
    const int n = t->group->size;
    int slowest = 0;
    double sorted[n];
    for (int r = 0; r < n; r++) {
        sorted[r] = t->peer[r].seconds;
        slowest = t->peer[r].seconds > t->peer[slowest].seconds ? r : slowest;
    }
    qsort(sorted, (size_t)n, sizeof *sorted, rising);
    const double middle = sorted[(n - 1) / 2], most = sorted[n - 1];
    if (most > NOTABLE * middle && middle > 0 && slowest != t->named) {
        t->named = slowest;
        foci_run_log(&t->folder, "process %d on %s is slow: gradients take it %.2f times as long as the middle one",
                     slowest, t->peer[slowest].machine, most / middle);
    }
    for (int r = 0; r < n; r++) t->peer[r].seconds = 0;
}

foci_status foci_trainer_vote(foci_trainer *t, const foci_step *step, foci_status status, double seconds,
                              double *loss) {
    if (!t->group) return status;
    const vote mine = {(int)status, set(t->options->stop), set(t->options->save), late(t), seconds};
    vote all[t->group->size];
    bool failed = false;
    foci_group_doing(t->group, "step %lld: the losses of all", (long long)t->state.step + 1);
    foci_group_share(t->group, &mine, sizeof mine, all);
    t->asked = (foci_asked){.late = all[0].late};
    for (int r = 0; r < t->group->size; r++) {
        failed |= all[r].status != FOCI_OK;
        t->asked.stop |= all[r].stop;
        t->asked.save |= all[r].save;
    }
    if (mine.save) *t->options->save = 0;
    if (failed) return foci_trainer_all(t, status);
    clock_all(t, all);
    gather_losses(t, step);
    *loss = foci_step_loss(step);
    foci_group_doing(t->group, "step %lld: gradients and weights", (long long)t->state.step + 1);
    return FOCI_OK;
}

/* --------------------------------------------------------------------------------------------- at every checkpoint */

/* The same weights everywhere: what else there were, nobody could say. */
static foci_status compare_weights(const foci_trainer *t) {
    const uint64_t mine = XXH3_64bits(t->programs.parameters.value, flat_bytes(t));
    uint64_t all[t->group->size];
    foci_group_doing(t->group, "step %lld: the weights of all, compared", (long long)t->state.step);
    foci_group_share(t->group, &mine, sizeof mine, all);
    for (int r = 1; r < t->group->size; r++)
        if (all[r] != all[0])
            return foci_fail(FOCI_ERR_RUNTIME,
                             "the weights of process %d are not those of process 0 after step %lld: a fault of memory, "
                             "or of what carries the messages; nothing was written",
                             r, (long long)t->state.step);
    return FOCI_OK;
}

/* Rows of the samples of each process, which they go on from. */
static void gather_carried(const foci_trainer *t) {
    size_t at[t->group->size + 1];
    for (int i = 0; i < t->carry.count; i++) {
        const foci_carried_rows *r = &t->carry.slot[i];
        const int64_t shard = t->train.batch_size / t->train.shards;
        for (int k = 0; k <= t->group->size; k++)
            at[k] =
                (size_t)(foci_group_first(t->group, t->train.shards, k) * shard * r->rows * r->width) * sizeof *r->data;
        foci_group_gather(t->group, r->data, at);
    }
}

foci_status foci_trainer_gather(foci_trainer *t) {
    if (!t->group) return FOCI_OK;
    FOCI_TRY(compare_weights(t));
    foci_group_doing(t->group, "step %lld: moments and averages, to process 0", (long long)t->state.step);
    foci_optimizer_gather(&t->optimizer);
    if (t->ema) foci_group_gather(t->group, t->ema, t->optimizer.bytes);
    gather_carried(t);
    return FOCI_OK;
}
