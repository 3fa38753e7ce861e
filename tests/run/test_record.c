/* metrics.jsonl read back, whatever stands in it; metrics.csv and summary.json made of it. */
#include "check.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/file.h"
#include "run/folder.h"
#include "run/record.h"

static char folder[256];

static void put(const char *name, const char *text) {
    char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(foci_write_file(path, text, strlen(text)));
}

static char *get(const char *name) {
    char path[512], *text;
    size_t size;
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(foci_read_file(path, 1 << 20, &text, &size, FOCI_ERR_IO));
    return text;
}

static void assert_file(const char *name, const char *expected) {
    char *text = get(name);
    assert_string_equal(text, expected);
    free(text);
}

static int fresh_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "%s", temporary_folder());
    return 0;
}

/* ----------------------------------------------------------------------------------------------- warnings */

static char warnings[4096];
static void hear(void *context, foci_log_level level, const char *line) {
    (void)context;
    size_t used = strlen(warnings);
    if (level == FOCI_LOG_WARN) snprintf(warnings + used, sizeof warnings - used, "%s\n", line);
}

static json_t *read_lines(const char *text) {
    json_t *lines;
    put("metrics.jsonl", text);
    *warnings = 0;
    foci_set_log(hear, NULL);
    assert_ok(foci_run_record_read(folder, &lines));
    foci_set_log(NULL, NULL);
    return lines;
}

static void assert_csv(const char *metrics, const char *csv) {
    json_t *lines = read_lines(metrics);
    assert_ok(foci_run_record_csv(folder, lines));
    json_decref(lines);
    assert_file("metrics.csv", csv);
}

/* -------------------------------------------------------------------------------------------------- lines */

static void names_bad_lines_and_keeps_the_rest(void **state) {
    (void)state;
    json_t *lines = read_lines("{\"step\": 1, \"loss\": 2}\n"
                               "garbage\n"
                               "{\"loss\": 2}\n"
                               "[1]\n"
                               "{\"step\": 2, \"step\": 3}\n"
                               "\n"
                               "{\"step\": 4}\n"
                               "{\"step\": 5, \"lo");
    assert_int_equal(json_array_size(lines), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(lines, 1), "step")), 4);
    for (int number = 2; number <= 6; number++) {
        char place[64];
        snprintf(place, sizeof place, "metrics.jsonl:%d: ", number);
        if (!strstr(warnings, place)) fail_msg("line %d is not named in %s", number, warnings);
    }
    assert_null(strstr(warnings, ":1:"));
    assert_null(strstr(warnings, ":7:"));
    assert_null(strstr(warnings, ":8:")); /* torn: still being written */
    json_decref(lines);
}

static void no_metrics_is_bad_data(void **state) {
    (void)state;
    json_t *lines;
    assert_fails(foci_run_record_read(folder, &lines), FOCI_ERR_DATA, "metrics.jsonl");
    assert_null(lines);
}

/* What a resume keeps is what is read afterwards, without a word. */
static void a_rewind_leaves_good_lines_up_to_the_step(void **state) {
    (void)state;
    foci_run_folder r;
    char *text;
    json_t *lines;
    put("env.json", "{\"foci\": \"0.1.0\"}");
    assert_ok(foci_run_folder_open(&r, folder, true, false));
    put("metrics.jsonl", "{\"step\": 1}\ngarbage\n{\"step\": 2, \"step\": 2}\n{\"step\": 3}\n{\"step\": 9}\n{\"step\": "
                         "3, \"top1\": 5}\n{\"step\": 4");
    assert_ok(foci_run_folder_rewind(&r, 3, true)); /* with the scores of step 3 */
    foci_report line = {NULL};
    foci_report_whole(&line, "step", 4);
    foci_report_number(&line, "loss", 0.5);
    assert_ok(foci_run_metrics(&r, &line));
    foci_report_free(&line);
    foci_run_folder_close(&r);
    assert_file("metrics.jsonl",
                "{\"step\": 1}\n{\"step\": 3}\n{\"step\": 3, \"top1\": 5}\n{\"step\": 4, \"loss\": 0.5}\n");
    text = get("log.txt");
    assert_non_null(strstr(text, "metrics.jsonl:2: "));
    assert_non_null(strstr(text, "metrics.jsonl:3: "));
    assert_null(strstr(text, "metrics.jsonl:5: ")); /* good, only of later */
    free(text);
    text = get("metrics.jsonl");
    lines = read_lines(text);
    assert_int_equal(json_array_size(lines), 4);
    assert_string_equal(warnings, "");
    json_decref(lines);
    free(text);
}

/* ---------------------------------------------------------------------------------------------------- CSV */

static void columns_are_the_union(void **state) {
    (void)state;
    assert_csv("{\"step\": 5, \"loss\": 2.5}\n{\"step\": 5, \"top1\": 12.5, \"loss\": null}\n{\"step\": 10, \"loss\": "
               "1e-9, \"images\": 40}\n",
               "step,loss,top1,images\n"
               "5,2.5,,\n"
               "5,,12.5,\n"
               "10,1e-09,,40\n");
}

static void no_lines_no_columns(void **state) {
    (void)state;
    assert_csv("", "\n");
}

static void hostile_names_are_no_columns(void **state) {
    (void)state;
    assert_csv("{\"step\": 1, \"a,b\": 1, \"q\\\"\": 2, \"n\\n\": 3, \"x\": \"text\", \"y\": true, \"z\": 4}\n",
               "step,x,y,z\n1,,,4\n");
}

/* ------------------------------------------------------------------------------------------------- scores */

static void assert_scores(const char *metrics, const char *metric, int best, int last) {
    json_t *lines = read_lines(metrics);
    const json_t *b = foci_run_record_score(lines, false), *l = foci_run_record_score(lines, true);
    assert_string_equal(foci_run_record_metric(b)->name, metric);
    assert_int_equal(json_integer_value(json_object_get(b, "step")), best);
    assert_int_equal(json_integer_value(json_object_get(l, "step")), last);
    json_decref(lines);
}

static void accuracy_rises_and_perplexity_falls(void **state) {
    (void)state;
    assert_scores("{\"step\": 1, \"top1\": 3}\n{\"step\": 2, \"top1\": 7}\n{\"step\": 3, \"loss\": 1}\n{\"step\": 4, "
                  "\"top1\": 5}\n{\"step\": 5, \"loss\": 1}\n",
                  "top1", 2, 4);
    assert_scores("{\"step\": 1, \"ppl\": 9}\n{\"step\": 2, \"ppl\": 7}\n{\"step\": 3, \"ppl\": 8}\n", "ppl", 2, 3);
    /* the first of equals, whose weights are kept */
    assert_scores("{\"step\": 1, \"top1\": 7}\n{\"step\": 2, \"top1\": 7}\n", "top1", 1, 2);
}

static void no_score_yet(void **state) {
    (void)state;
    json_t *lines = read_lines("{\"step\": 1, \"loss\": 3}\n{\"step\": 2, \"ppl\": null}\n");
    assert_null(foci_run_record_score(lines, false));
    assert_null(foci_run_record_score(lines, true));
    json_decref(lines);
}

/* ------------------------------------------------------------------------------------------------ summary */

static void write_summary(foci_run_status status) {
    const foci_run_summary s = {
        status, status == FOCI_RUN_DIVERGED ? "the loss is not a number" : NULL, 20, 50, 1234, 2, 7, 61.5};
    json_t *lines =
        read_lines("{\"step\": 10, \"items_per_s\": 100}\n{\"step\": 10, \"top1\": 60, \"ema_top1\": 62}\n"
                   "{\"step\": 20, \"items_per_s\": 300}\n{\"step\": 20, \"top1\": 50, \"ema_top1\": 63}\n");
    assert_ok(foci_run_summary_write(folder, &s, lines));
    json_decref(lines);
}

static void a_summary_says_what_it_was_told(void **state) {
    (void)state;
    json_t *o;
    foci_run_status status;
    for (int k = FOCI_RUN_FINISHED; k < FOCI_RUN_STATUSES; k++) {
        write_summary((foci_run_status)k);
        assert_ok(foci_run_summary_read(folder, &status, &o));
        assert_int_equal(status, k);
        const json_t *best = json_object_get(o, "best"), *last = json_object_get(o, "last");
        assert_int_equal(json_integer_value(json_object_get(o, "steps")), 50);
        assert_int_equal(json_integer_value(json_object_get(o, "parameters")), 1234);
        assert_int_equal(json_integer_value(json_object_get(o, "left_out")), 2);
        assert_int_equal(json_integer_value(json_object_get(o, "seed")), 7);
        assert_close(json_number_value(json_object_get(o, "elapsed")), 61.5, 0);
        assert_close(json_number_value(json_object_get(o, "items_per_s")), 200, 0);
        assert_true(json_number_value(json_object_get(o, "peak_mb")) > 0);
        assert_int_equal(json_integer_value(json_object_get(best, "step")), 10);
        assert_int_equal(json_integer_value(json_object_get(last, "step")), 20);
        assert_close(json_number_value(json_object_get(last, "ema_top1")), 63, 0);
        assert_true(!json_object_get(o, "message") == (k != FOCI_RUN_DIVERGED));
        json_decref(o);
    }
}

static void running_is_who_holds_the_lock(void **state) {
    (void)state;
    char path[512];
    json_t *o;
    foci_run_status status;
    snprintf(path, sizeof path, "%s/lock", folder);
    write_summary(FOCI_RUN_RUNNING);
    assert_ok(foci_run_summary_read(folder, &status, &o));
    assert_int_equal(status, FOCI_RUN_KILLED); /* it says running, but nobody is there */
    json_decref(o);
    int lock = open(path, O_RDWR | O_CREAT, 0666);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    write_summary(FOCI_RUN_FINISHED); /* of a sitting before */
    assert_ok(foci_run_summary_read(folder, &status, &o));
    assert_int_equal(status, FOCI_RUN_RUNNING);
    json_decref(o);
    close(lock);
}

static void a_summary_that_is_none(void **state) {
    (void)state;
    json_t *o;
    foci_run_status status;
    assert_ok(foci_run_summary_read(folder, &status, &o));
    assert_null(o);
    assert_int_equal(status, FOCI_RUN_KILLED);
    put("summary.json", "{\n\"state\": ");
    assert_fails(foci_run_summary_read(folder, &status, &o), FOCI_ERR_DATA, "summary.json:2: ");
    put("summary.json", "[]");
    assert_ok(foci_run_summary_read(folder, &status, &o));
    assert_int_equal(status, FOCI_RUN_KILLED);
    json_decref(o);
    put("summary.json", "{\"state\": \"flying\"}");
    assert_ok(foci_run_summary_read(folder, &status, &o));
    assert_int_equal(status, FOCI_RUN_KILLED);
    json_decref(o);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(names_bad_lines_and_keeps_the_rest, fresh_folder),
        cmocka_unit_test_setup(no_metrics_is_bad_data, fresh_folder),
        cmocka_unit_test_setup(a_rewind_leaves_good_lines_up_to_the_step, fresh_folder),
        cmocka_unit_test_setup(columns_are_the_union, fresh_folder),
        cmocka_unit_test_setup(no_lines_no_columns, fresh_folder),
        cmocka_unit_test_setup(hostile_names_are_no_columns, fresh_folder),
        cmocka_unit_test_setup(accuracy_rises_and_perplexity_falls, fresh_folder),
        cmocka_unit_test_setup(no_score_yet, fresh_folder),
        cmocka_unit_test_setup(a_summary_says_what_it_was_told, fresh_folder),
        cmocka_unit_test_setup(running_is_who_holds_the_lock, fresh_folder),
        cmocka_unit_test_setup(a_summary_that_is_none, fresh_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
