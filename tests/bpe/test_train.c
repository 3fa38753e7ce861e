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

static void golden_trainings(void **state) {
    (void)state;
    json_t *root = golden("golden/bpe/train-shared.json");
    if (!root) skip();
    for (size_t i = 0; i < json_array_size(root); i++) {
        const json_t *one = json_array_get(root, i), *text = json_object_get(one, "documents"),
                     *merges = json_object_get(one, "merges"), *ids = json_object_get(one, "ids");
        const int documents = (int)json_array_size(text);
        char **path = calloc((size_t)documents, sizeof *path);
        for (int k = 0; k < documents; k++) {
            char name[32];
            const json_t *t = json_array_get(text, (size_t)k);
            snprintf(name, sizeof name, "document-%d.txt", k);
            path[k] = strdup(save_bytes(name, json_string_value(t), json_string_length(t)));
        }
        foci_bpe *bpe = train((const char *const *)path, documents, json_integer_value(json_object_get(one, "size")),
                              json_integer_value(json_object_get(one, "min_frequency")));
        assert_int_equal(foci_bpe_size(bpe), json_integer_value(json_object_get(one, "tokens")));
        char *json;
        assert_ok(foci_bpe_print(bpe, true, &json));
        json_t *file = json_loads(json, 0, NULL);
        const json_t *learnt = json_object_get(json_object_get(file, "model"), "merges");
        assert_int_equal(json_array_size(learnt), json_array_size(merges));
        for (size_t k = 0; k < json_array_size(merges); k++) {
            const json_t *pair = json_array_get(learnt, k), *known = json_array_get(merges, k);
            char both[256];
            snprintf(both, sizeof both, "%s %s", json_string_value(json_array_get(pair, 0)),
                     json_string_value(json_array_get(pair, 1)));
            if (json_is_string(known)) assert_string_equal(both, json_string_value(known));
            else assert_true(json_equal(pair, known));
        }
        for (int k = 0; k < documents; k++) {
            const json_t *t = json_array_get(text, (size_t)k);
            foci_ids found = {0};
            assert_ok(foci_bpe_encode_text(bpe, json_string_value(t), json_string_length(t), false, &found));
            assert_ids(&found, json_array_get(ids, (size_t)k), json_string_value(t));
            free(found.id);
            free(path[k]);
        }
        json_decref(file);
        free(json);
        free(path);
        foci_bpe_free(bpe);
    }
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
