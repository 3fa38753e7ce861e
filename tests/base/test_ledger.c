/* Files of rows: what was kept is read again, what was cut off is not, and nothing of somebody else is touched. */
#include "check.h"

#include <unistd.h>

#include "base/file.h"
#include "base/ledger.h"
#include "base/report.h"

static char path[512];
static int set_up(void **state) {
    (void)state;
    snprintf(path, sizeof path, "%s/rows.csv", temporary_folder());
    return 0;
}
static int clean(void **state) {
    (void)state;
    remove(path);
    return 0;
}

static const char owner[] = "foci test {\"seed\": 1}", columns[] = "name,n,x";

static void add(foci_ledger *ledger, const char *name, int n) {
    foci_csv_text(ledger->file, name);
    fprintf(ledger->file, ",%d,%.17g\n", n, n / 3.0);
}

static const char *const names[] = {"plain", "a \"quoted\", one", "two\nlines", ""};

static void write_all(void) {
    foci_ledger ledger;
    assert_ok(foci_ledger_open(&ledger, path, owner, columns));
    assert_false(foci_ledger_next(&ledger));
    for (int i = 0; i < 4; i++) add(&ledger, names[i], i);
    assert_ok(foci_ledger_keep(&ledger));
    foci_ledger_close(&ledger);
}

static char *content(void) {
    char *text;
    size_t size;
    assert_ok(foci_read_file(path, 1 << 20, &text, &size, FOCI_ERR_IO));
    return text;
}

static void rows_come_back(void **state) {
    (void)state;
    foci_ledger ledger;
    write_all();
    char *before = content();
    assert_ok(foci_ledger_open(&ledger, path, owner, columns));
    for (int i = 0; i < 4; i++) {
        assert_true(foci_ledger_next(&ledger));
        assert_string_equal(ledger.cell[0], names[i]);
        assert_int_equal(atoi(ledger.cell[1]), i);
        assert_close(atof(ledger.cell[2]), i / 3.0, 0);
    }
    assert_false(foci_ledger_next(&ledger));
    assert_false(foci_ledger_next(&ledger));
    foci_ledger_close(&ledger);
    char *after = content();
    assert_string_equal(before, after);
    free(before);
    free(after);
}

/* Killed at any byte, and gone on with: the same file. */
static void what_is_cut_off_is_done_again(void **state) {
    (void)state;
    write_all();
    char *whole = content();
    const size_t size = strlen(whole), head = strlen(owner) + 3;
    for (size_t cut = head; cut < size; cut++) {
        assert_ok(foci_write_file(path, whole, cut));
        foci_ledger ledger;
        int i = 0;
        assert_ok(foci_ledger_open(&ledger, path, owner, columns));
        while (foci_ledger_next(&ledger)) assert_string_equal(ledger.cell[0], names[i++]);
        for (; i < 4; i++) add(&ledger, names[i], i);
        assert_ok(foci_ledger_keep(&ledger));
        foci_ledger_close(&ledger);
        char *now = content();
        assert_string_equal(whole, now);
        free(now);
    }
    free(whole);
}

static void files_of_others_stay(void **state) {
    (void)state;
    foci_ledger ledger;
    write_all();
    char *before = content();
    assert_fails(foci_ledger_open(&ledger, path, "foci test {\"seed\": 2}", columns), FOCI_ERR_CONFIG,
                 "rows.csv belongs to `foci test {\"seed\": 1}`, this would be `foci test {\"seed\": 2}`");
    assert_fails(foci_ledger_open(&ledger, path, "foci test {\"seed\"", columns), FOCI_ERR_CONFIG, "belongs to");
    char *after = content();
    assert_string_equal(before, after);
    free(before);
    free(after);
    assert_ok(foci_write_file(path, "name,mark\n", 10));
    assert_fails(foci_ledger_open(&ledger, path, owner, columns), FOCI_ERR_CONFIG, "there is another file");
    assert_fails(foci_ledger_open(&ledger, "/dev/null", owner, columns), FOCI_ERR_IO, "/dev/null is no regular file");
    assert_fails(foci_ledger_open(&ledger, "/nowhere/rows.csv", owner, columns), FOCI_ERR_IO, "/nowhere/rows.csv: ");
}

static void a_full_disk_is_told(void **state) {
    (void)state;
    foci_ledger ledger;
    assert_ok(foci_ledger_open(&ledger, path, owner, columns));
    assert_false(foci_ledger_next(&ledger));
    FILE *own = ledger.file;
    ledger.file = fopen("/dev/full", "w");
    assert_non_null(ledger.file);
    add(&ledger, "x", 1);
    assert_fails(foci_ledger_keep(&ledger), FOCI_ERR_IO, "rows.csv: No space left on device");
    foci_ledger_close(&ledger);
    fclose(own);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(rows_come_back, clean),
        cmocka_unit_test_teardown(what_is_cut_off_is_done_again, clean),
        cmocka_unit_test_teardown(files_of_others_stay, clean),
        cmocka_unit_test_teardown(a_full_disk_is_told, clean),
    };
    return cmocka_run_group_tests(tests, set_up, NULL);
}
