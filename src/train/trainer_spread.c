/* A training by several processes: process 0 alone reads and writes the run's folder. What it read goes to all; before
 * a checkpoint it gets what only others have. */
#include <xxhash.h>

#include "train/trainer_work.h"

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

/* ---------------------------------------------------------------------------------------------- to process 0 */

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
