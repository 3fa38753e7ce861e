/* ListOps: tokens, values, what is refused, and the published expressions. */
#include "check.h"

#include "sequences/listops.h"
#include "sequences/sequences.h"

static foci_listops value_of(const char *text) {
    foci_listops e;
    assert_ok(foci_listops_read(text, strlen(text), 0, NULL, &e));
    return e;
}

static void values(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int value, tokens;
    } rows[] = {
        {"7", 7, 1},
        {"[MIN 4 2 9 ]", 2, 5},
        {"[MAX 4 2 9 ]", 9, 5},
        {"[SM 4 2 9 ]", 5, 5},
        {"[MED 9 1 4 ]", 4, 5},
        {"[MED 9 1 4 2 ]", 3, 6},
        {"[MED 9 4 ]", 6, 4}, /* 6.5 */
        {"[MED 5 ]", 5, 3},
        {"[SM 9 9 9 9 9 9 9 9 9 9 9 9 ]", 8, 14},
        {"[MAX 2 9 [MIN 4 7 ] 0 ]", 9, 9},
        {"( ( ( [MAX 2 ) ( ( ( [MIN 4 ) 7 ) ] ) ) ] )", 4, 7},
        {"  [MAX   1 ] ", 1, 3},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const foci_listops e = value_of(rows[i].text);
        assert_int_equal(rows[i].value, e.value);
        assert_int_equal(rows[i].tokens, e.tokens);
    }
}

static void ids_are_cut(void **state) {
    (void)state;
    static const char text[] = "[SM 0 ( 9 ) [MED 3 ] ]";
    static const int32_t wanted[] = {14, 1, 10, 13, 4, 15, 15};
    int32_t ids[8] = {-1, -1, -1, -1, -1, -1, -1, -1};
    char token[16];
    foci_listops e;
    assert_ok(foci_listops_read(text, strlen(text), 3, ids, &e));
    assert_int_equal(7, e.tokens);
    assert_memory_equal(wanted, ids, 3 * sizeof *ids);
    assert_int_equal(-1, ids[3]);
    assert_ok(foci_listops_read(text, strlen(text), 8, ids, &e));
    assert_memory_equal(wanted, ids, sizeof wanted);
    assert_int_equal(-1, ids[7]);
    foci_listops_token(13, token);
    assert_string_equal("[MED ", token);
    foci_listops_token(10, token);
    assert_string_equal("9 ", token);
}

static void refused(void **state) {
    (void)state;
    static const struct {
        const char *text, *message;
    } rows[] = {
        {"", "empty"},
        {" ( ) ", "empty"},
        {"[MAX 1", "1 [ without ]"},
        {"[MAX [MIN 1 ]", "1 [ without ]"},
        {"[MAX 1 ] ]", "token 4: ] closes nothing"},
        {"]", "token 1: ] closes nothing"},
        {"[MAX ]", "token 2: a list of nothing"},
        {"[MAX 1 ] 2", "token 4: something stands behind the expression"},
        {"1 2", "token 2: something stands"},
        {"( [MAX 1 ]", "1 ( without )"},
        {"[MAX 1 ) ]", "token 2: ) closes nothing"},
        {"[MAX 10 ]", "token 1: `10` is no token"},
        {"[FIRST 1 ]", "token 0: `[FIRST` is no token"},
        {"[MAX 1]", "token 1: `1]` is no token"},
        {"[MAX\t1 ]", "is no token"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        foci_listops e;
        assert_fails(foci_listops_read(rows[i].text, strlen(rows[i].text), 0, NULL, &e), FOCI_ERR_DATA,
                     rows[i].message);
    }
}

static void deep_lists(void **state) {
    (void)state;
    enum { LISTS = 1000 };
    static char text[7 * (LISTS + 1) + 3];
    foci_listops e;
    for (int i = 0; i < LISTS; i++) strcat(text, "[SM ");
    strcat(text, "7");
    for (int i = 0; i < LISTS; i++) strcat(text, " ]");
    assert_int_equal(7, value_of(text).value);
    memmove(text + 4, text, strlen(text) + 1);
    memcpy(text, "[SM ", 4);
    assert_fails(foci_listops_read(text, strlen(text), 0, NULL, &e), FOCI_ERR_DATA, "1000 lists within each other");
}

/* All 10,000 lines of Nangia and Bowman's test set. */
static void published_values(void **state) {
    (void)state;
    const char *path = shared_path("data/listops/test_d20s.tsv.gz");
    if (!path) skip();
    foci_sequences *s;
    int64_t longest = 0;
    assert_ok(foci_listops_open(&s, path));
    assert_int_equal(10000, foci_sequences_count(s));
    for (int64_t i = 0; i < 10000; i++) {
        assert_ok(foci_sequences_prove(s, i));
        if (foci_sequences_length(s, i, 0) > longest) longest = foci_sequences_length(s, i, 0);
    }
    assert_int_equal(939, longest);
    foci_sequences_close(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),     cmocka_unit_test(ids_are_cut),      cmocka_unit_test(refused),
        cmocka_unit_test(deep_lists), cmocka_unit_test(published_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
