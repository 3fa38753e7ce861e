/* A run that gets another length. Weights, moments, averages and the place in the data are those of its state; the
 * schedule is that of the new length, as if the run had been begun with it. */
#include "train/trainer_work.h"

foci_status foci_trainer_check_extension(const foci_trainer *t) {
    const long long made = (long long)t->state.step, all = (long long)t->steps;
    if (all > made) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG,
                     "%s has made %lld update%s, and with this config it has %lld in all: raise train.epochs%s",
                     t->folder.path, made, foci_plural(made, "s"), all,
                     t->train.max_steps ? ", or train.max_steps, which ends it" : "");
}

foci_status foci_trainer_note_extension(foci_trainer *t) {
    const double rate = foci_schedule_lr(&t->schedule, t->state.step, t->updates_per_epoch);
    foci_run_log(
        &t->folder,
        "extended after step %lld: %lld updates in all, over %lld epochs; the schedule is theirs, its rate %.4g "
        "from here",
        (long long)t->state.step, (long long)t->steps, (long long)t->train.epochs, rate);
    foci_report line = {NULL};
    foci_report_whole(&line, "step", t->state.step);
    foci_report_number(&line, "epoch", (double)t->state.step / (double)t->updates_per_epoch);
    foci_report_whole(&line, "extended_to", t->steps);
    foci_report_number(&line, "lr", rate);
    foci_status s = foci_run_metrics(&t->folder, &line);
    foci_report_free(&line);
    return s;
}
