/* A training by several processes, at every step: what became of it in all of them, and what any was asked for. */
#include <stdlib.h>

#include "base/clock.h"
#include "train/trainer_work.h"

foci_status foci_trainer_all(const foci_trainer *t, foci_status s) { return foci_group_agree(t->group, s); }

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
