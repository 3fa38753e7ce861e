/* The training loop: a step (step.h), and what is written between two of them. */
#include "train/trainer.h"

#include <stdio.h>

#include "base/clock.h"
#include "train/final_test.h"
#include "train/trainer_work.h"

/* ------------------------------------------------------------------------------------------------- a step */

static foci_status feed(const void *context, foci_program *p, int64_t first) {
    const foci_trainer *t = context;
    FOCI_TRY(t->task->feed(t->data, p, first));
    return foci_teacher_feed(&t->teacher, t->data, p, first);
}

/* The batch at hand is read, and its gradients made. */
static foci_status make_gradients(foci_trainer *t, foci_step *s, double *loss) {
    const int64_t update = t->state.position;
    const double asked = foci_now();
    foci_group_doing(t->group, "step %lld: its batch", (long long)t->state.step + 1);
    FOCI_TRY(t->task->next(t->data, t->state.epoch, update));
    t->pace.wait += foci_now() - asked;
    *s = (foci_step){.program = t->programs.program[foci_task_shape_of(t->task, t->data, update)],
                     .parameters = &t->programs.parameters,
                     .batch = t->train.batch_size,
                     .micro = t->micro,
                     .shards = t->train.shards > 1 ? &t->shards : NULL,
                     .losses = t->losses,
                     .feed = feed,
                     .carry = &t->carry,
                     .context = t};
    if (t->task->begins && t->task->begins(t->data)) foci_carry_clear(&t->carry);
    foci_run_picture(&t->folder, t->state.step + 1, t->task, t->data);
    return foci_step_gradients(s, t->state.step, loss);
}

static foci_status step(foci_trainer *t) {
    foci_step s;
    double loss = 0;
    const double begun = foci_now();
    const foci_status made = make_gradients(t, &s, &loss);
    FOCI_TRY(foci_trainer_vote(t, &s, made, foci_now() - begun, &loss));
    t->pace.lr = foci_schedule_lr(&t->schedule, t->state.step, t->updates_per_epoch);
    foci_optimizer_options *o = &t->optimizer.options;
    o->beta1 = foci_schedule_momentum(&t->schedule, t->state.step, t->updates_per_epoch, o->beta1);
    o->momentum = foci_schedule_momentum(&t->schedule, t->state.step, t->updates_per_epoch, o->momentum);
    FOCI_TRY(foci_trainer_update(t, &s, loss));
    foci_pace_step(&t->pace, loss, t->task->items_in(t->data, t->state.position));
    t->state.step++;
    t->state.position++;
    if (t->state.position == t->updates_per_epoch) {
        t->state.position = 0;
        t->state.epoch++;
        FOCI_TRY(foci_trainer_all(t, t->task->seek(t->data, t->state.epoch, 0)));
    }
    return FOCI_OK;
}

/* Is it time, `every` updates or (0) an epoch after the last time? */
static bool due(const foci_trainer *t, int64_t every) {
    return every ? t->state.step % every == 0 : t->state.position == 0;
}

/* An evaluation that is due at this step and was not made: one who stops a run does not wait for it, and gets it at the
 * resume. */
static bool owes_evaluation(const foci_trainer *t) {
    return t->state.evaluated < t->state.step && (due(t, t->train.eval_every) || t->state.step >= t->steps);
}

static foci_status stop_here(const foci_trainer *t) {
    return foci_fail(FOCI_INTERRUPTED, "stopped after step %lld of %lld; --resume goes on from there",
                     (long long)t->state.step, (long long)t->steps);
}

/* The steps are on disk by now, whatever an evaluation may meet; then that it was made is, too, but where its figures
 * are no numbers: who resumes the run is to be told again. */
static foci_status evaluate(foci_trainer *t) {
    FOCI_TRY(foci_trainer_evaluate(t));
    if (t->unsound) return FOCI_OK;
    return foci_trainer_save(t, false, t->state.step >= t->steps);
}

static foci_status between_steps(foci_trainer *t) {
    foci_trainer_look_at_flags(t);
    const bool last = t->state.step >= t->steps;
    bool stopped = t->asked.stop;
    bool evaluation = owes_evaluation(t);
    if (due(t, t->train.log_every) || evaluation || stopped)
        FOCI_TRY(foci_trainer_all(t, foci_trainer_lose(t, foci_trainer_line(t))));
    const bool checkpoint = due(t, t->train.checkpoint_every) || t->asked.save || last || stopped || t->asked.late;
    if (checkpoint || evaluation) FOCI_TRY(foci_trainer_save(t, checkpoint, last || stopped));
    if (evaluation && !stopped) {
        foci_status s = evaluate(t);
        if (s && s != FOCI_INTERRUPTED) return s;
        stopped = s;
        /* the step's checkpoint may have been given up as one of many; now it is the last */
        if (stopped && t->policy.saved < t->state.step) FOCI_TRY(foci_trainer_save(t, false, true));
    }
    if (!stopped || (last && !owes_evaluation(t))) return FOCI_OK;
    return stop_here(t);
}

/* --------------------------------------------------------------------------------------------------- runs */

static foci_status run(foci_trainer *t) {
    FOCI_TRY(foci_trainer_all(t, foci_trainer_open(t)));
    FOCI_TRY(foci_trainer_start(t));
    foci_pace_start(&t->pace);
    foci_trainer_expect(t);
    foci_pace_line(&t->pace);
    FOCI_TRY(foci_trainer_all(t, foci_trainer_lose(t, foci_trainer_summarise(t, FOCI_RUN_RUNNING, NULL))));
    if (owes_evaluation(t)) {
        foci_status s = evaluate(t);
        if (s) return s == FOCI_INTERRUPTED ? stop_here(t) : s;
    }
    while (t->state.step < t->steps) {
        FOCI_TRY(step(t));
        foci_trainer_progress(t);
        FOCI_TRY(between_steps(t));
    }
    FOCI_TRY(foci_trainer_bears(t));
    FOCI_TRY(foci_final_test(t->config, t->task, t->data, t->model, &t->programs.parameters, &t->folder, t->state.step,
                             t->group, t->watch));
    foci_status s = foci_trainer_lose(t, foci_trainer_conclude(t));
    if (!s && t->lost)
        s = foci_fail(FOCI_ERR_IO,
                      "%s: the run is over and its last checkpoint complete, but metrics or best weights could not be "
                      "written on the way",
                      t->folder.path);
    return foci_trainer_all(t, s);
}

/* The last word of a run, which does not hide how it ended. */
static foci_status conclude(foci_trainer *t, foci_status s) {
    foci_error end = {FOCI_OK, ""};
    if (s) foci_error_take(&end, s);
    const foci_run_status status = !s                       ? FOCI_RUN_FINISHED
                                   : s == FOCI_INTERRUPTED  ? FOCI_RUN_INTERRUPTED
                                   : s == FOCI_ERR_DIVERGED ? FOCI_RUN_DIVERGED
                                                            : FOCI_RUN_FAILED;
    foci_status written = foci_trainer_summarise(t, status, s ? end.message : NULL);
    return s ? foci_error_raise(&end) : written;
}

foci_status foci_train(const foci_config *config, const foci_train_options *options) {
    const foci_watch watch = {options->evaluating, options->context, options->stop};
    foci_trainer t = {
        .config = config, .options = options, .watch = &watch, .group = options->group, .folder.lock = -1};
    foci_status s = run(&t);
    if (s && t.folder.log) fprintf(t.folder.log, "%s\n", foci_error_message());
    if (t.pace.started > 0) s = conclude(&t, s);
    foci_trainer_close(&t);
    return s;
}
