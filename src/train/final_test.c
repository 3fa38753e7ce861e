#include "train/final_test.h"

#include "core/load.h"
#include "run/record.h"

/* By this very training, which was resumed when it was over. */
static bool made_before(const foci_task *task, const foci_run_folder *folder, int64_t step) {
    char metric[FOCI_METRIC_NAME];
    json_t *lines, *line;
    size_t i;
    bool made = false;
    foci_metric_name(foci_metric_find(task->metric), FOCI_IN_TEST, metric);
    if (foci_run_record_read(folder->path, &lines)) return false;
    json_array_foreach(lines, i, line) made |=
        json_object_get(line, metric) && json_integer_value(json_object_get(line, "step")) == step;
    json_decref(lines);
    return made;
}

static foci_status write_test(const foci_task_test *test, foci_run_folder *folder, int64_t step,
                              const foci_score *score) {
    char text[256];
    foci_report line = {NULL};
    foci_score_text(score, true, text, sizeof text);
    foci_run_log(folder, "test, %s: %s", test->how, text);
    foci_report_whole(&line, "step", step);
    foci_score_report(score, FOCI_IN_TEST, &line);
    foci_status s = foci_run_metrics(folder, &line);
    foci_report_free(&line);
    return s;
}

static foci_status load_best(foci_parameters *p, const foci_run_folder *folder) {
    char best[4200];
    FOCI_TRY(foci_path_join(best, sizeof best, folder->path, "best.safetensors"));
    return foci_load_weights(p, best);
}

foci_status foci_final_test(const foci_config *config, const foci_task *task, foci_task_state *data,
                            const foci_model *model, foci_parameters *p, foci_run_folder *folder, int64_t step,
                            foci_group *group, const foci_watch *watch) {
    const foci_task_test *test = task->test;
    if (!test || !foci_config_bool(config, "train.test_at_end")) return FOCI_OK;
    foci_evaluation evaluation = test->evaluation;
    foci_score score;
    evaluation.group = group;
    bool made = foci_group_leads(group) && made_before(task, folder, step);
    foci_group_broadcast(group, &made, sizeof made);
    if (made) return FOCI_OK;
    FOCI_TRY(foci_group_agree(group, foci_group_leads(group) ? load_best(p, folder) : FOCI_OK));
    foci_group_broadcast(group, p->value, (size_t)p->size * sizeof *p->value);
    foci_run_log(folder, "testing the best weights: %s over %s", test->how, test->what);
    foci_status s = foci_task_evaluate(task, data, model, p, &evaluation, watch, &score);
    if (s == FOCI_INTERRUPTED) return foci_fail(s, "stopped in the test, after the last step; --resume makes it again");
    FOCI_TRY(s);
    return foci_group_agree(group, write_test(test, folder, step, &score));
}
