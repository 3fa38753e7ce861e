/* Merges are learnt: known answers, and what they do not depend on. */
#include "tokenizers.h"

static foci_bpe *train(const char *const *path, int paths, int64_t size, int64_t least) {
    static const char *const special[] = {"<|endoftext|>"};
    foci_bpe_training t = {
        .size = size, .min_frequency = least, .special = special, .specials = 1, .documents = FOCI_FILE};
    foci_bpe *bpe;
    assert_ok(foci_bpe_train(&bpe, path, paths, &t));
    return bpe;
}

static void expect_names(const foci_bpe *bpe, int32_t first, const char *expected) {
    char names[512] = "", name[FOCI_TOKEN_NAME];
    size_t n = 0;
    for (int32_t id = first; id < foci_bpe_size(bpe); id++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%.*s", id == first ? "" : " ",
                              (int)foci_bpe_name(bpe, id, name), name);
    assert_string_equal(names, expected);
}

static void bytes_come_first(void **state) {
    (void)state;
    foci_bpe *bpe = learn("x", 257, 2);
    char name[FOCI_TOKEN_NAME];
    assert_int_equal(foci_bpe_name(bpe, 0, name), 1);
    assert_int_equal(*name, '!');
    assert_int_equal((unsigned char)*foci_bpe_token(bpe, 187).text, 0xff);
    assert_int_equal(*foci_bpe_token(bpe, 220).text, ' ');
    assert_int_equal(*foci_bpe_token(bpe, 198).text, '\n');
    expect_names(bpe, 256, "<|endoftext|>");
    foci_bpe_free(bpe);
}

/* The most frequent pair; of equals the one with smaller numbers; of aaa there are two. */
static void the_most_frequent_pair_comes_first(void **state) {
    (void)state;
    foci_bpe *bpe = learn("ab ab ab cb cb", 262, 1);
    expect_names(bpe, 256, "ab cb \u0120ab \u0120cb <|endoftext|>");
    foci_bpe_free(bpe);
    bpe = learn("xy aaa", 259, 1);
    expect_names(bpe, 256, "aa xy <|endoftext|>");
    foci_bpe_free(bpe);
    bpe = learn("ba", 300, 2);
    expect_names(bpe, 256, "<|endoftext|>");
    foci_bpe_free(bpe);
}

/* "a b", or ["a", "b"] */
static void assert_merge(const json_t *learnt, const json_t *known) {
    char both[256];
    if (!json_is_string(known)) {
        assert_true(json_equal(learnt, known));
        return;
    }
    snprintf(both, sizeof both, "%s %s", json_string_value(json_array_get(learnt, 0)),
             json_string_value(json_array_get(learnt, 1)));
    assert_string_equal(both, json_string_value(known));
}

static void assert_merges(const foci_bpe *bpe, const json_t *known) {
    char *text;
    assert_ok(foci_bpe_print(bpe, true, &text));
    json_t *file = json_loads(text, 0, NULL);
    const json_t *learnt = json_object_get(json_object_get(file, "model"), "merges");
    assert_int_equal(json_array_size(learnt), json_array_size(known));
    for (size_t k = 0; k < json_array_size(known); k++)
        assert_merge(json_array_get(learnt, k), json_array_get(known, k));
    json_decref(file);
    free(text);
}

/* Each document as a file; the caller frees the names. */
static char **save_documents(const json_t *documents) {
    char **path = calloc(json_array_size(documents), sizeof *path);
    for (size_t k = 0; k < json_array_size(documents); k++) {
        char name[32];
        const json_t *text = json_array_get(documents, k);
        snprintf(name, sizeof name, "document-%zu.txt", k);
        path[k] = strdup(save_bytes(name, json_string_value(text), json_string_length(text)));
    }
    return path;
}

static void expect_encoding(const foci_bpe *bpe, const json_t *text, const json_t *expected) {
    foci_ids ids = {0};
    assert_ok(foci_bpe_encode_text(bpe, json_string_value(text), json_string_length(text), false, &ids));
    assert_ids(&ids, expected, json_string_value(text));
    free(ids.id);
}

static void golden_training(const json_t *one) {
    const json_t *documents = json_object_get(one, "documents"), *ids = json_object_get(one, "ids");
    const size_t count = json_array_size(documents);
    char **path = save_documents(documents);
    foci_bpe *bpe = train((const char *const *)path, (int)count, json_integer_value(json_object_get(one, "size")),
                          json_integer_value(json_object_get(one, "min_frequency")));
    assert_int_equal(foci_bpe_size(bpe), json_integer_value(json_object_get(one, "tokens")));
    assert_merges(bpe, json_object_get(one, "merges"));
    for (size_t k = 0; k < count; k++) {
        expect_encoding(bpe, json_array_get(documents, k), json_array_get(ids, k));
        free(path[k]);
    }
    free(path);
    foci_bpe_free(bpe);
}

static void golden_trainings(void **state) {
    (void)state;
    json_t *root = golden("golden/bpe/train-shared.json");
    if (!root) skip();
    for (size_t i = 0; i < json_array_size(root); i++) golden_training(json_array_get(root, i));
    json_decref(root);
}

/* ------------------------------------------------------------------------------------- what does not count */

static char *trained_on(const char *const *path, int paths, int threads) {
    char *json;
    foci_set_threads(threads);
    foci_bpe *bpe = train(path, paths, 600, 2);
    assert_ok(foci_bpe_print(bpe, true, &json));
    foci_bpe_free(bpe);
    foci_set_threads(0);
    return json;
}

static void order_and_threads_do_not_count(void **state) {
    (void)state;
    enum { SIZE = 1 << 20 };
    foci_rng r = foci_rng_make(5, foci_stream("training"), 0);
    unsigned char *text = malloc(SIZE);
    const char *path[3];
    for (int i = 0; i < 3; i++) {
        char name[8];
        size_t size = 0;
        while (size + 3000 < SIZE) size += draw_text(&r, text + size, 3000);
        snprintf(name, sizeof name, "%d.txt", i);
        path[i] = save_bytes(name, text, size);
    }
    char *one = trained_on(path, 3, 1);
    const char *const others[] = {path[2], path[0], path[1]};
    char *other = trained_on(others, 3, 3);
    assert_string_equal(one, other);
    free(one);
    free(other);
    free(text);
}

/* No piece spans two documents: the line's end and the letter behind it are never neighbours anyway, but blanks are. */
static void documents_are_apart(void **state) {
    (void)state;
    const char *const two[] = {save("a.txt", "x  "), save("b.txt", "  y")};
    foci_bpe *bpe = train(two, 2, 300, 1);
    expect_names(bpe, 256, "\u0120y \u0120\u0120 <|endoftext|>");
    foci_bpe_free(bpe);
}

static void what_is_told(void **state) {
    (void)state;
    const char *const path[] = {save("a.txt", "ab ab abc\n")};
    foci_bpe_training t = {.size = 259, .min_frequency = 2, .documents = FOCI_FILE};
    foci_bpe *bpe;
    assert_ok(foci_bpe_train(&bpe, path, 1, &t));
    expect_names(bpe, 256, "ab \u0120ab");
    assert_int_equal(t.bytes, 10);
    assert_int_equal(t.pieces, 4);
    assert_int_equal(t.kinds, 4);
    assert_int_equal(t.whole, 3);
    assert_int_equal(t.tokens, 5);
    foci_bpe_free(bpe);
}

static void impossible_trainings_are_refused(void **state) {
    (void)state;
    static const char *const special[] = {"<|endoftext|>", "", "a"};
    const char *const path[] = {save("a.txt", "ab ab")}, *const none[] = {at("nope.txt")};
    foci_bpe *bpe;
    foci_bpe_training t = {.size = 256, .special = special, .specials = 1};
    assert_fails(foci_bpe_train(&bpe, path, 1, &t), FOCI_ERR_CONFIG, "256 tokens: at least 257");
    assert_null(bpe);
    t.size = 300;
    assert_fails(foci_bpe_train(&bpe, none, 1, &t), FOCI_ERR_DATA, "nope.txt: No such file");
    t.specials = 2;
    assert_fails(foci_bpe_train(&bpe, path, 1, &t), FOCI_ERR_DATA, "has 0 bytes");
    volatile sig_atomic_t stop = 1;
    t.specials = 1;
    t.watch = &(foci_watch){.stop = &stop};
    assert_fails(foci_bpe_train(&bpe, path, 1, &t), FOCI_INTERRUPTED, "stopped");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_come_first),
        cmocka_unit_test(the_most_frequent_pair_comes_first),
        cmocka_unit_test(golden_trainings),
        cmocka_unit_test(order_and_threads_do_not_count),
        cmocka_unit_test(documents_are_apart),
        cmocka_unit_test(what_is_told),
        cmocka_unit_test(impossible_trainings_are_refused),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
