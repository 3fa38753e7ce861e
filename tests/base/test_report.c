/* Reports print as valid JSON whatever they hold, in the forms that foci's files and commands have. */
#include <jansson.h>
#include <math.h>

#include "base/file.h"
#include "base/report.h"
#include "base/utf8.h"
#include "check.h"

static char *printed(const foci_report *r, const foci_json_form *form) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    assert_ok(foci_report_json(r, form, f));
    fclose(f);
    return text;
}

static void assert_printed(const foci_report *r, const foci_json_form *form, const char *expected) {
    char *text = printed(r, form);
    assert_string_equal(text, expected);
    free(text);
}

/* One of every kind. */
static void fill(foci_report *r) {
    foci_report_whole(r, "step", 50);
    foci_report_number(r, "loss", 2.5);
    foci_report_flag(r, "ok", true);
    foci_report_text(r, "name", "a \"b\"");
    foci_report_text(r, "none", NULL);
    foci_report *list = foci_report_list(r, "errors"), *part = foci_report_part(r, "best");
    foci_report_number(list, NULL, (double)NAN);
    foci_report_number(part, "top1", 50);
    foci_report_number(list, NULL, 1e-9);
    foci_report_list(part, "empty");
    foci_report_part(part, "bare");
    foci_report_number(r, "last", -0.125);
}

static void every_kind_in_every_form(void **state) {
    (void)state;
    foci_report r = {NULL};
    assert_printed(&r, &foci_json_line, "{}");
    fill(&r);
    assert_printed(
        &r, &foci_json_line,
        "{\"step\": 50, \"loss\": 2.5, \"ok\": true, \"name\": \"a \\\"b\\\"\", \"none\": null, "
        "\"errors\": [null, 1e-09], \"best\": {\"top1\": 50, \"empty\": [], \"bare\": {}}, \"last\": -0.125}");
    assert_printed(&r, &foci_json_compact,
                   "{\"step\":50,\"loss\":2.5,\"ok\":true,\"name\":\"a \\\"b\\\"\",\"none\":null,"
                   "\"errors\":[null,1e-9],\"best\":{\"top1\":50.0,\"empty\":[],\"bare\":{}},\"last\":-0.125}");
    foci_report_free(&r);
    foci_report_list(&r, "a");
    foci_report_whole(foci_report_part(&r, "b"), "c", -1);
    assert_printed(&r, &(foci_json_form){.indent = 2, .digits = 9},
                   "{\n  \"a\": [],\n  \"b\": {\n    \"c\": -1\n  }\n}");
    foci_report_free(&r);
}

/* The forms with a point are those that Jansson prints, which read such files and wrote them before. */
static void numbers_as_jansson_prints_them(void **state) {
    (void)state;
    static const double x[] = {0,         -0.0,       1,    -50,  2.5,  0.1,  1e-5,     -1.25e-7, 1e5,    1e8,
                               123456789, 1234567890, 1e15, 1e16, 1e17, 1e20, 3.5e-300, 1e300,    1.0 / 3};
    for (size_t i = 0; i < sizeof x / sizeof *x; i++)
        for (int digits = 9; digits <= 17; digits += 8) {
            foci_report r = {NULL};
            foci_report_number(&r, "x", x[i]);
            json_t *object = json_pack("{s:f}", "x", x[i]);
            char *expected = json_dumps(object, JSON_COMPACT | JSON_REAL_PRECISION(digits));
            assert_printed(&r, &(foci_json_form){.compact = true, .digits = digits, .point = true}, expected);
            free(expected);
            json_decref(object);
            foci_report_free(&r);
        }
}

static void numbers_of_lines(void **state) {
    (void)state;
    static const struct {
        double x;
        const char *text;
    } rows[] = {{4, "{\"x\": 4}"},
                {-0.0, "{\"x\": -0}"},
                {123456789012345, "{\"x\": 123456789012345}"},
                {1e15, "{\"x\": 1e+15}"},
                {1234567890.5, "{\"x\": 1.23456789e+09}"},
                {1.0 / 3, "{\"x\": 0.333333333}"},
                {1e-5, "{\"x\": 1e-05}"},
                {1e300, "{\"x\": 1e+300}"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        foci_report r = {NULL};
        foci_report_number(&r, "x", rows[i].x);
        assert_printed(&r, &foci_json_line, rows[i].text);
        foci_report_free(&r);
    }
    foci_report r = {NULL};
    foci_report_decimals(&r, "a", 2, 4);
    foci_report_decimals(&r, "b", 2.0 / 3, 2);
    foci_report_whole(&r, "c", INT64_MIN);
    assert_printed(&r, &foci_json_compact, "{\"a\":2.0000,\"b\":0.67,\"c\":-9223372036854775808}");
    foci_report_free(&r);
}

/* Whatever goes in, a strict reader takes what comes out, and finds null. */
static void what_is_no_number_is_null(void **state) {
    (void)state;
    static const double bad[] = {(double)NAN, -(double)NAN, (double)INFINITY, -(double)INFINITY};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        foci_report r = {NULL};
        foci_report_number(&r, "x", bad[i]);
        foci_report_decimals(&r, "y", bad[i], 3);
        foci_report_number(foci_report_list(&r, "z"), NULL, bad[i]);
        assert_printed(&r, &foci_json_line, "{\"x\": null, \"y\": null, \"z\": [null]}");
        assert_printed(&r, &foci_json_compact, "{\"x\":null,\"y\":null,\"z\":[null]}");
        foci_report_free(&r);
    }
}

/* Every single byte, and sequences that only look like UTF-8; as names too. */
static void texts_of_any_bytes(void **state) {
    (void)state;
    static const char *const odd[] = {"caf\xe9",          "\xc3\xa9",         "\xc0\x80", "\xed\xa0\x80",
                                      "\xf4\x90\x80\x80", "\xf0\x9f\x98\x80", "\xe2\x82", "\b\f\n\r\t\v\x1b\\\"/\x7f"};
    for (size_t i = 1; i < 256 + sizeof odd / sizeof *odd; i++) {
        const char one[] = {'a', (char)i, 'b', 0};
        const char *text = i < 256 ? one : odd[i - 256];
        foci_report r = {NULL};
        foci_report_text(&r, text, text);
        char *json = printed(&r, &foci_json_line), *expected;
        json_t *object = json_loads(json, 0, NULL), *same = json_string(text);
        if (!object) fail_msg("no JSON: %s", json);
        if (same) { /* the same bytes as Jansson's */
            expected = json_dumps(same, JSON_ENCODE_ANY);
            assert_non_null(strstr(json, expected));
            free(expected);
        } else {
            assert_non_null(strchr(json, '?'));
        }
        json_decref(object);
        json_decref(same);
        free(json);
        foci_report_free(&r);
    }
    uint32_t code;
    assert_int_equal(foci_utf8("\xc3\xa9", 2, &code), 2);
    assert_int_equal(code, 0xe9);
    assert_int_equal(foci_utf8("\xc3\xa9", 1, &code), 0);
    assert_int_equal(foci_utf8("", 0, &code), 0);
}

/* Readers refuse an object that has a name twice. */
static void a_name_comes_once(void **state) {
    (void)state;
    foci_report r = {NULL};
    foci_report_whole(&r, "a", 1);
    foci_report_text(&r, "b", "x");
    foci_report_number(foci_report_list(&r, "a"), NULL, 2.5);
    foci_report_whole(foci_report_part(&r, "c"), "a", 3);
    assert_printed(&r, &foci_json_compact, "{\"a\":[2.5],\"b\":\"x\",\"c\":{\"a\":3}}");
    foci_report_free(&r);
}

static void values_of_entries(void **state) {
    (void)state;
    foci_report r = {NULL};
    foci_report_whole(&r, "a", 3);
    foci_report_number(&r, "b", 0.5);
    foci_report_text(&r, "c", "1");
    const foci_report_entry *e = r.first;
    assert_string_equal(e->name, "a");
    assert_close(foci_report_value(e), 3, 0);
    assert_close(foci_report_value(e->next), 0.5, 0);
    assert_true(isnan(foci_report_value(e->next->next)));
    assert_null(e->next->next->next);
    foci_report_free(&r);
    assert_null(r.first);
}

static void a_file(void **state) {
    (void)state;
    char path[512], *text;
    size_t size;
    foci_report r = {NULL};
    snprintf(path, sizeof path, "%s/x.json", temporary_folder());
    foci_report_whole(&r, "a", 1);
    assert_ok(foci_report_write(&r, &foci_json_line, path));
    assert_ok(foci_read_file(path, 100, &text, &size, FOCI_ERR_IO));
    assert_string_equal(text, "{\"a\": 1}");
    free(text);
    r.failed = true; /* as if memory had been out: nothing is printed, and that is said */
    assert_fails(foci_report_write(&r, &foci_json_line, path), FOCI_ERR_RUNTIME, path);
    foci_report_free(&r);
    assert_false(r.failed);
}

static void cells(void **state) {
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    foci_csv_number(f, 2.0 / 3, 9);
    fputc(',', f);
    foci_csv_number(f, (double)NAN, 9);
    fputc(',', f);
    foci_csv_text(f, "say \"a, b\"");
    fclose(f);
    assert_string_equal(text, "0.666666667,,\"say \"\"a, b\"\"\"");
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_in_every_form),
        cmocka_unit_test(numbers_as_jansson_prints_them),
        cmocka_unit_test(numbers_of_lines),
        cmocka_unit_test(what_is_no_number_is_null),
        cmocka_unit_test(texts_of_any_bytes),
        cmocka_unit_test(a_name_comes_once),
        cmocka_unit_test(values_of_entries),
        cmocka_unit_test(a_file),
        cmocka_unit_test(cells),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
