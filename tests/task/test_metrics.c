/* The table of metrics, their names in files, and scores that are added part by part. */
#include <math.h>

#include "check.h"
#include "task/score.h"
#include "task/task.h"

/* ---------------------------------------------------------------------------------------------- the table */

static void rows_are_complete(void **state) {
    (void)state;
    for (const foci_metric *m = foci_metrics; m->name; m++) {
        assert_ptr_equal(foci_metric_find(m->name), m); /* no name twice */
        assert_true(*m->name && *m->title && m->unit);
        assert_true(m->decimals >= 0 && m->decimals < 10 && m->better >= -1 && m->better <= 1);
        if (m->tag) assert_true(strchr(m->tag, '/') && strchr(m->tag, '/')[1]);
        const foci_metric *of = m->of ? foci_metric_find(m->of) : NULL;
        if (m->of) assert_true(m->value && of && of->value && !of->of);
        const foci_metric *per = m->per ? foci_metric_find(m->per) : NULL;
        if (m->per) assert_true(of && per && foci_metric_is_count(per));
        assert_int_equal(strspn(m->name, "abcdefghijklmnopqrstuvwxyz0123456789_"), strlen(m->name));
    }
    assert_null(foci_metric_find(""));
    assert_null(foci_metric_find("top"));
    assert_null(foci_metric_find("top12"));
}

static void tasks_name_a_metric(void **state) {
    (void)state;
    for (const foci_task *const *task = foci_tasks; *task; task++) {
        const foci_metric *m = foci_metric_find((*task)->metric), *items = foci_metric_find((*task)->items);
        assert_non_null(m);
        assert_true(m->better && m->value && m->tag && foci_metric_plain(m) == m);
        assert_true(items && foci_metric_is_count(items));
    }
}

static void better_is_more_or_less(void **state) {
    (void)state;
    assert_true(foci_metric_is_better(foci_metric_find("top1"), 2, 1));
    assert_false(foci_metric_is_better(foci_metric_find("top1"), 1, 1));
    assert_true(foci_metric_is_better(foci_metric_find("ppl"), 1, 2));
    assert_false(foci_metric_is_better(foci_metric_find("ppl"), (double)NAN, 2));
    assert_false(foci_metric_is_better(foci_metric_find("top1"), (double)NAN, 2));
}

/* ----------------------------------------------------------------------------------------------- the names */

static void names_and_tags(void **state) {
    (void)state;
    static const struct {
        const char *metric, *validation, *average, *test, *tags[3]; /* NULL: event files do not have it */
    } rows[] = {{"loss", "val_loss", "ema_loss", "test_loss", {"val/loss", "ema/loss", "test/loss"}},
                {"top1", "top1", "ema_top1", "test_top1", {"val/top1", "ema/top1", "test/top1"}},
                {"nll", "nll", "ema_loss", "test_nll", {"val/loss", "ema/loss", "test/loss"}},
                {"ppl", "ppl", "ema_ppl", "test_ppl", {"val/ppl", "ema/ppl", "test/ppl"}},
                {"tokens", "tokens", "ema_tokens", "test_tokens", {NULL, NULL, NULL}}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const expected[] = {rows[i].metric, rows[i].validation, rows[i].average, rows[i].test};
        for (int place = FOCI_IN_RESULT; place <= FOCI_IN_TEST; place++) {
            char name[FOCI_METRIC_NAME], text[FOCI_METRIC_NAME];
            foci_metric_name(foci_metric_find(rows[i].metric), (foci_metric_place)place, name);
            assert_string_equal(name, expected[place]);
            const char *tag = foci_metric_tag(name, text), *wanted = place ? rows[i].tags[place - 1] : NULL;
            if (place && wanted) assert_string_equal(tag, wanted);
            else if (place) assert_null(tag);
        }
    }
}

static void tags_of_other_names(void **state) {
    (void)state;
    static const char *const rows[][2] = {{"loss", "train/loss"}, {"data_wait_ms", "train/data_wait_ms"},
                                          {"epoch", "epoch"},     {"new", "new"},
                                          {"ema_", "ema_"},       {"ema_new", "ema_new"},
                                          {"emaloss", "emaloss"}, {"", ""},
                                          {"step", NULL},         {"elapsed", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char text[FOCI_METRIC_NAME];
        const char *tag = foci_metric_tag(rows[i][0], text);
        if (rows[i][1]) assert_string_equal(tag, rows[i][1]);
        else assert_null(tag);
    }
}

/* ------------------------------------------------------------------------------------------------- scores */

/* Losses of some images, with how many are right; every sum is exact in binary. */
static void put_images(foci_score *s, int64_t first, int64_t end) {
    for (int64_t i = first; i < end; i++) {
        assert_ok(foci_score_put(s, "loss", (double)(i % 7) / 64, 1));
        assert_ok(foci_score_put(s, "top1", (double)(i % 3 == 0), 1));
        assert_ok(foci_score_put(s, "top5", (double)(i % 3 != 1), 1));
        assert_ok(foci_score_put(s, "images", 1, 1));
    }
}

static void parts_add_up_to_the_whole(void **state) {
    (void)state;
    enum { N = 1003 };
    foci_score whole = {0};
    put_images(&whole, 0, N);
    assert_close(foci_score_value(&whole, "top1"), 100.0 * 335 / N, 0);
    assert_close(foci_score_value(&whole, "images"), N, 0);
    for (int parts = 1; parts <= 8; parts++) {
        foci_score sum = {0};
        for (int k = 0; k < parts; k++) {
            foci_score part = {0};
            put_images(&part, N * k / parts, N * (k + 1) / parts);
            assert_ok(foci_score_add(&sum, &part));
        }
        assert_int_equal(sum.count, whole.count);
        for (int i = 0; i < whole.count; i++) {
            assert_ptr_equal(sum.part[i].metric, whole.part[i].metric);
            assert_true(sum.part[i].sum == whole.part[i].sum && sum.part[i].weight == whole.part[i].weight);
            const char *name = whole.part[i].metric->name;
            assert_true(foci_score_value(&sum, name) == foci_score_value(&whole, name));
        }
    }
}

static foci_score of_text(void) {
    foci_score s = {0};
    assert_ok(foci_score_put(&s, "nll", 250, 100));
    assert_ok(foci_score_put(&s, "tokens", 100, 100));
    return s;
}
static foci_score of_bytes(void) {
    foci_score s = {0};
    assert_ok(foci_score_put(&s, "nll", 250, 100));
    assert_ok(foci_score_put(&s, "bytes", 100, 100));
    return s;
}
static foci_score of_images(void) {
    foci_score s = {0};
    assert_ok(foci_score_put(&s, "loss", 50, 40));
    assert_ok(foci_score_put(&s, "top1", 20, 40));
    assert_ok(foci_score_put(&s, "top5", 39, 40));
    assert_ok(foci_score_put(&s, "images", 40, 40));
    return s;
}

static void a_score_has_what_it_was_given(void **state) {
    (void)state;
    const foci_score text = of_text(), images = of_images();
    const foci_metric *metric[FOCI_SCORE_METRICS];
    assert_true(foci_score_has(&text, "nll") && foci_score_has(&text, "ppl"));
    assert_false(foci_score_has(&text, "top1") || foci_score_has(&text, "new"));
    assert_true(foci_score_has(&images, "top1") && !foci_score_has(&images, "ppl"));
    assert_true(foci_score_value(&text, "ppl") == exp(2.5));
    assert_false(foci_score_has(&text, "bpb") || foci_score_has(&text, "bpc")); /* it counts neither */
    const foci_score bytes = of_bytes();
    assert_true(foci_score_has(&bytes, "bpb") && foci_score_has(&bytes, "ppl") && !foci_score_has(&bytes, "bpc"));
    assert_close(foci_score_value(&bytes, "bpb"), 2.5 / log(2), 1e-15);
    foci_score subwords = of_text(); /* 4 bytes a token */
    assert_ok(foci_score_put(&subwords, "bytes", 400, 400));
    assert_close(foci_score_value(&subwords, "bpb"), 2.5 / 4 / log(2), 1e-15);
    assert_true(foci_score_value(&subwords, "ppl") == exp(2.5));
    char told[256];
    foci_score_text(&subwords, false, told, sizeof told);
    assert_string_equal(told, "loss 2.5000, bits per byte 0.9017, perplexity 12.18 over 100 tokens, 400 bytes");
    assert_int_equal(foci_score_metrics(&text, metric), 3);
    assert_string_equal(metric[1]->name, "ppl");
    foci_score s = {0};
    assert_fails(foci_score_put(&s, "new", 1, 1), FOCI_ERR_RUNTIME, "`new`");
    assert_fails(foci_score_put(&s, "ppl", 1, 1), FOCI_ERR_RUNTIME, "`ppl`"); /* made of another */
    assert_fails(foci_score_put(&s, "mce", 1, 1), FOCI_ERR_RUNTIME, "`mce`"); /* no sum */
    assert_int_equal(s.count, 0);
}

static void assert_reported(const foci_score *s, foci_metric_place place, const char *expected) {
    char *text = NULL;
    size_t size;
    foci_report r = {NULL};
    FILE *f = open_memstream(&text, &size);
    foci_score_report(s, place, &r);
    assert_ok(foci_report_json(&r, &foci_json_line, f));
    fclose(f);
    assert_string_equal(text, expected);
    free(text);
    foci_report_free(&r);
}

static void scores_in_files(void **state) {
    (void)state;
    const foci_score text = of_text(), images = of_images();
    assert_reported(&images, FOCI_IN_RESULT, "{\"loss\": 1.25, \"top1\": 50, \"top5\": 97.5, \"images\": 40}");
    assert_reported(&images, FOCI_IN_VALIDATION, "{\"val_loss\": 1.25, \"top1\": 50, \"top5\": 97.5, \"images\": 40}");
    assert_reported(&images, FOCI_IN_AVERAGE, "{\"ema_loss\": 1.25, \"ema_top1\": 50, \"ema_top5\": 97.5}");
    assert_reported(&text, FOCI_IN_RESULT, "{\"nll\": 2.5, \"loss\": 2.5, \"ppl\": 12.182494, \"tokens\": 100}");
    assert_reported(&text, FOCI_IN_VALIDATION, "{\"nll\": 2.5, \"ppl\": 12.182494, \"tokens\": 100}");
    assert_reported(&text, FOCI_IN_AVERAGE, "{\"ema_loss\": 2.5, \"ema_ppl\": 12.182494}");
    assert_reported(&text, FOCI_IN_TEST, "{\"test_nll\": 2.5, \"test_ppl\": 12.182494, \"test_tokens\": 100}");
    const foci_score bytes = of_bytes();
    assert_reported(&bytes, FOCI_IN_RESULT,
                    "{\"nll\": 2.5, \"loss\": 2.5, \"bpb\": 3.6067376, \"ppl\": 12.182494, \"bytes\": 100}");
    assert_reported(&bytes, FOCI_IN_AVERAGE, "{\"ema_loss\": 2.5, \"ema_bpb\": 3.6067376, \"ema_ppl\": 12.182494}");
    foci_score nothing = {0}; /* of no samples at all: null, not JSON's end */
    assert_ok(foci_score_put(&nothing, "top1", 0, 0));
    assert_reported(&nothing, FOCI_IN_RESULT, "{\"top1\": null}");
}

static void scores_for_people(void **state) {
    (void)state;
    const foci_score score[] = {of_images(), of_text(), of_bytes()};
    static const char *const expected[][2] = {
        {"top-1 50.00 %, top-5 97.50 %, loss 1.2500 over 40 images",
         "top-1 50.00 %, top-5 97.50 %, loss 1.25000 over 40 images"},
        {"loss 2.5000, perplexity 12.18 over 100 tokens", "perplexity 12.182 (2.50000 nats per token) over 100 tokens"},
        {"loss 2.5000, bits per byte 3.6067, perplexity 12.18 over 100 bytes",
         "bits per byte 3.60674 (2.50000 nats per token), perplexity 12.182 over "
         "100 bytes"}};
    for (int i = 0; i < 3; i++)
        for (int at_length = 0; at_length < 2; at_length++) {
            char text[256], small[8];
            foci_score_text(&score[i], at_length, text, sizeof text);
            assert_string_equal(text, expected[i][at_length]);
            foci_score_text(&score[i], at_length, small, sizeof small); /* cut, not beyond */
            assert_int_equal(strlen(small), sizeof small - 1);
        }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_complete),
        cmocka_unit_test(tasks_name_a_metric),
        cmocka_unit_test(better_is_more_or_less),
        cmocka_unit_test(names_and_tags),
        cmocka_unit_test(tags_of_other_names),
        cmocka_unit_test(parts_add_up_to_the_whole),
        cmocka_unit_test(a_score_has_what_it_was_given),
        cmocka_unit_test(scores_in_files),
        cmocka_unit_test(scores_for_people),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
