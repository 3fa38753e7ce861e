/* What a training leaves behind along the way: progress, lines of metrics, summaries, checkpoints. */
#include <math.h>
#include <sys/statvfs.h>

#include "base/clock.h"
#include "run/record.h"
#include "train/peak.h"
#include "train/trainer_work.h"

void foci_trainer_expect(foci_trainer *t) {
    const foci_program *p = t->programs.program[0];
    const foci_cost cost = foci_graph_cost(foci_program_graph(p));
    const double items = (double)foci_task_items(t->task, p);
    if (!t->options->progress) return;
    t->gflop_per_item = (cost.forward + cost.backward + foci_teacher_flop(&t->teacher)) / items / 1e9;
    t->peak = foci_group_size(t->group) * foci_peak_gflops(t->programs.bf16, 4, 400000);
}

void foci_trainer_progress(foci_trainer *t) {
    if (!t->options->progress) return;
    const foci_pace *p = &t->pace;
    double seconds = foci_pace_seconds(p), rate = seconds > 0 ? (double)p->items / seconds : 0;
    /* measured in a moment when the machine was busy with other things */
    t->peak = fmax(t->peak, rate * t->gflop_per_item);
    double per_step = p->steps ? seconds / (double)p->steps : 0;
    t->options->progress(t->options->context,
                         &(foci_progress){t->state.step, t->steps, t->state.epoch, t->train.epochs, foci_pace_loss(p),
                                          p->lr, rate, per_step * (double)(t->steps - t->state.step),
                                          rate * t->gflop_per_item / t->peak, seconds > 0 ? p->wait / seconds : 0,
                                          t->task->items});
}

double foci_trainer_elapsed(const foci_trainer *t) { return foci_pace_elapsed(&t->pace, t->state.elapsed); }

foci_status foci_trainer_line(foci_trainer *t) {
    if (!t->pace.steps) return FOCI_OK;
    foci_trainer_name_slow(t);
    foci_report line = {NULL};
    foci_report_whole(&line, "step", t->state.step);
    foci_report_number(&line, "epoch", (double)t->state.step / (double)t->updates_per_epoch);
    foci_pace_report(&t->pace, &line);
    foci_report_number(&line, "elapsed", foci_trainer_elapsed(t));
    foci_status s = foci_run_metrics(&t->folder, &line);
    foci_report_free(&line);
    foci_pace_line(&t->pace);
    return s;
}

foci_status foci_trainer_lose(foci_trainer *t, foci_status s) {
    if (s != FOCI_ERR_IO) return s;
    foci_log(FOCI_LOG_WARN, "%s; training goes on", foci_error_message());
    t->lost = true;
    return FOCI_OK;
}

/* What was written here a moment ago: where it is gone, that is the disk's failure, or the folder was moved. */
static foci_status read_record(const foci_trainer *t, json_t **lines) {
    foci_status s = foci_run_record_read(t->folder.path, lines);
    return s == FOCI_ERR_DATA ? foci_fail(FOCI_ERR_IO, "%s", foci_error_message()) : s;
}

foci_status foci_trainer_summarise(foci_trainer *t, foci_run_status status, const char *message) {
    json_t *lines;
    if (!foci_group_leads(t->group)) return FOCI_OK;
    const foci_run_summary summary = {status,
                                      message,
                                      t->state.step,
                                      t->steps,
                                      foci_parameters_numel(&t->programs.parameters),
                                      t->state.left_out,
                                      (int64_t)t->state.seed,
                                      foci_trainer_elapsed(t)};
    FOCI_TRY(read_record(t, &lines));
    foci_status s = foci_run_record_csv(t->folder.path, lines);
    if (!s) s = foci_run_summary_write(t->folder.path, &summary, lines);
    json_decref(lines);
    return s;
}

foci_status foci_trainer_conclude(foci_trainer *t) {
    json_t *lines;
    char text[64];
    if (!foci_group_leads(t->group)) return FOCI_OK;
    FOCI_TRY(read_record(t, &lines));
    const json_t *best = foci_run_record_score(lines, false);
    const foci_metric *m = best ? foci_run_record_metric(best) : NULL;
    if (m) {
        foci_metric_text(m, m->title, json_number_value(json_object_get(best, m->name)), m->decimals, text,
                         sizeof text);
        foci_run_log(&t->folder, "best: %s, in epoch %.2f (step %lld)", text,
                     json_number_value(json_object_get(best, "epoch")),
                     (long long)json_integer_value(json_object_get(best, "step")));
    }
    json_decref(lines);
    return FOCI_OK;
}

foci_status foci_trainer_room(const foci_trainer *t) {
    struct statvfs disk;
    const double arrays = foci_trainer_arrays(t), average = t->ema ? 1 : 0;
    /* as float32: the state, twice while a new one takes the place of the old; the last, best and averaged weights */
    const double bytes = (2 * (1 + arrays) + 2 + average) * (double)t->programs.parameters.size * 4;
    if (statvfs(t->folder.path, &disk) < 0) return FOCI_OK;
    const double free = (double)disk.f_bavail * (double)disk.f_frsize;
    if (free >= bytes) return FOCI_OK;
    return foci_fail(FOCI_ERR_IO, "%s: %.1f MB of the disk are free, checkpoints take %.1f MB", t->folder.path,
                     free / 1e6, bytes / 1e6);
}

/* Process 0 has all of it. A checkpoint that cannot be written is tried again with the next one, as long as there is an
 * older one to go back to: *written is false then. */
static foci_status write_state(foci_trainer *t, bool last, bool *written) {
    foci_status s =
        foci_state_save(t->folder.path, &t->programs.parameters, &t->optimizer, t->ema, &t->state, t->train.keep_every);
    *written = !s;
    if (!s) return FOCI_OK;
    if (s != FOCI_ERR_IO || !t->policy.saved || last)
        return t->policy.saved
                   ? foci_context(s, "the last complete checkpoint is that of step %lld", (long long)t->policy.saved)
                   : s;
    foci_run_log(&t->folder,
                 "the checkpoint of step %lld was not written (%s); training goes on, that of step %lld is intact",
                 (long long)t->state.step, foci_error_message(), (long long)t->policy.saved);
    return FOCI_OK;
}

foci_status foci_trainer_save(foci_trainer *t, bool counted, bool last) {
    bool written = false;
    t->state.elapsed = foci_trainer_elapsed(t);
    t->pace.started = foci_now();
    if (counted) {
        t->state.checkpoints++;
        t->state.counted = t->state.step;
    }
    FOCI_TRY(foci_trainer_gather(t));
    FOCI_TRY(foci_trainer_all(t, foci_group_leads(t->group) ? write_state(t, last, &written) : FOCI_OK));
    foci_group_broadcast(t->group, &written, sizeof written);
    foci_optimizer_forget(&t->optimizer);
    foci_pace_checkpoint(&t->pace);
    if (written) foci_policy_checkpoint(&t->policy, t->state.step);
    return FOCI_OK;
}
