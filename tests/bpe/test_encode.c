/* Text to tokens and back: known numbers, any bytes, in one go or part by part, from files. */
#include <zlib.h>

#include "bpe/merge.h"
#include "tokenizers.h"

/* --------------------------------------------------------------------------------------------- known numbers */

/* What the small tokenizer makes of a text, by name, with blanks between. */
static void expect_tokens(const foci_bpe *bpe, const char *text, bool special, const char *expected) {
    foci_ids ids = {0};
    char names[1024] = "", name[FOCI_TOKEN_NAME];
    size_t n = 0;
    assert_ok(foci_bpe_encode_text(bpe, text, strlen(text), special, &ids));
    for (int64_t i = 0; i < ids.count; i++)
        n += (size_t)snprintf(names + n, sizeof names - n, "%s%.*s", i ? " " : "",
                              (int)foci_bpe_name(bpe, ids.id[i], name), name);
    assert_string_equal(names, expected);
    assert_decodes(bpe, &ids, text, strlen(text));
    free(ids.id);
}

static void a_small_vocabulary(void **state) {
    (void)state;
    foci_bpe *bpe = learn_small();
    assert_int_equal(foci_bpe_size(bpe), 287); /* pairs that are seen twice ran out */
    assert_int_equal(foci_bpe_end_of_text(bpe), 286);
    expect_tokens(bpe, "the cat's mat", false, "the \u0120cat 's \u0120mat");
    expect_tokens(bpe, "at caf\xc3\xa9.\n", false, "at \u0120c af\u00c3\u00a9 . \u010a");
    expect_tokens(bpe, "zebra", false, "z e b r a");
    expect_tokens(bpe, "<|endoftext|>", true, "<|endoftext|>");
    expect_tokens(bpe, "<|endoftext|", true, "< | e nd o f t e x t |");
    foci_bpe_free(bpe);
}

static void expect_golden(const foci_bpe *bpe, const json_t *row, const char *text, size_t size) {
    foci_ids ids = {0};
    const json_t *special = json_object_get(row, "special");
    assert_ok(foci_bpe_encode_text(bpe, text, size, false, &ids));
    assert_ids(&ids, json_object_get(row, "ids"), text);
    assert_decodes(bpe, &ids, text, size);
    ids.count = 0;
    assert_ok(foci_bpe_encode_text(bpe, text, size, true, &ids));
    assert_ids(&ids, special ? special : json_object_get(row, "ids"), text);
    assert_decodes(bpe, &ids, text, size);
    free(ids.id);
}

static void golden_texts(void **state) {
    (void)state;
    foci_bpe *bpe = open_gpt2();
    if (!bpe) skip();
    assert_int_equal(foci_bpe_size(bpe), 50257);
    assert_int_equal(foci_bpe_end_of_text(bpe), 50256);
    json_t *root = golden("golden/bpe/texts-shared.json");
    const json_t *texts = json_object_get(root, "texts"), *bytes = json_object_get(root, "bytes");
    assert_true(json_array_size(texts) > 200 && json_array_size(bytes) > 20);
    for (size_t i = 0; i < json_array_size(texts); i++) {
        const json_t *row = json_array_get(texts, i), *text = json_object_get(row, "text");
        expect_golden(bpe, row, json_string_value(text), json_string_length(text));
    }
    for (size_t i = 0; i < json_array_size(bytes); i++) {
        const json_t *row = json_array_get(bytes, i);
        const char *hex = json_string_value(json_object_get(row, "hex"));
        char text[4096];
        unsigned byte;
        size_t n = 0;
        for (; sscanf(hex + 2 * n, "%2x", &byte) == 1; n++) text[n] = (char)byte;
        expect_golden(bpe, row, text, n);
    }
    json_decref(root);
    foci_bpe_free(bpe);
}

/* ------------------------------------------------------------------------------------------------ any bytes */

enum { MOST = 400 };

static void any_bytes_come_back(void **state) {
    (void)state;
    foci_bpe *bpe = learn_small();
    foci_rng r = foci_rng_make(1, foci_stream("bytes"), 0);
    for (int i = 0; i < 3000; i++) {
        unsigned char text[MOST];
        foci_ids ids = {0};
        const size_t size = draw_text(&r, text, MOST);
        assert_ok(foci_bpe_encode_text(bpe, text, size, i % 2, &ids));
        assert_decodes(bpe, &ids, text, size);
        free(ids.id);
    }
    foci_bpe_free(bpe);
}

static void encode_in_parts(const foci_bpe *bpe, foci_rng *r, const unsigned char *text, size_t size, bool special,
                            foci_ids *ids) {
    foci_bpe_encoder *e;
    assert_ok(foci_bpe_encoder_open(&e, bpe));
    for (size_t first = 0, end = 0, used; first < size; first += used) {
        end += (size_t)(foci_rng_uniform(r) * 9);
        if (end >= size) {
            assert_ok(foci_bpe_encode(e, text + first, size - first, special, NULL, ids));
            break;
        }
        assert_ok(foci_bpe_encode(e, text + first, end - first, special, &used, ids));
        assert_true(used <= end - first);
    }
    foci_bpe_encoder_close(e);
}

static void parts_are_the_whole(void **state) {
    (void)state;
    foci_bpe *bpe = learn_small();
    foci_rng r = foci_rng_make(2, foci_stream("parts"), 0);
    for (int i = 0; i < 500; i++) {
        unsigned char text[MOST];
        foci_ids whole = {0}, parts = {0};
        const size_t size = draw_text(&r, text, MOST);
        assert_ok(foci_bpe_encode_text(bpe, text, size, i % 2, &whole));
        encode_in_parts(bpe, &r, text, size, i % 2, &parts);
        assert_int_equal(whole.count, parts.count);
        if (whole.count) assert_memory_equal(whole.id, parts.id, (size_t)whole.count * sizeof *whole.id);
        free(whole.id);
        free(parts.id);
    }
    foci_bpe_free(bpe);
}

/* ---------------------------------------------------------------------------------------------- two ways */

/* Merges of random tokens of a, b and c; a string may be made by several of them. */
static foci_bpe *draw_merges(foci_rng *r) {
    enum { MERGES = 40 };
    static const char letters[] = "abc";
    foci_string token[3 + MERGES] = {{letters, 1}, {letters + 1, 1}, {letters + 2, 1}};
    int tokens = 3;
    foci_bpe *b;
    assert_ok(foci_bpe_begin(&b, 256 + MERGES));
    for (int i = 0; i < 256; i++) assert_ok(foci_bpe_put(b, i, &(char){(char)i}, 1, false));
    for (int i = 0; i < MERGES; i++) {
        const foci_string left = token[(int)(foci_rng_uniform(r) * tokens)],
                          right = token[(int)(foci_rng_uniform(r) * tokens)];
        char both[64];
        if (left.size + right.size > 12) continue;
        memcpy(both, left.text, left.size);
        memcpy(both + left.size, right.text, right.size);
        if (foci_strings_find(&b->string, both, left.size + right.size) < 0) {
            const int64_t id = 253 + tokens;
            assert_ok(foci_bpe_put(b, id, both, left.size + right.size, false));
            token[tokens++] = (foci_string){b->token[id].text, b->token[id].size};
        }
        assert_ok(foci_bpe_put_merge(b, left, right));
    }
    b->size = 253 + tokens;
    assert_ok(foci_bpe_finish(b));
    return b;
}

static void heap_and_rounds_are_one(void **state) {
    (void)state;
    foci_rng r = foci_rng_make(4, foci_stream("merges"), 0);
    foci_merger one = {NULL}, other = {NULL};
    for (int i = 0; i < 2000; i++) {
        foci_bpe *bpe = draw_merges(&r);
        char text[200];
        const int32_t *rounds, *heap;
        int64_t count, again;
        const size_t size = 1 + (size_t)(foci_rng_uniform(&r) * (sizeof text - 1));
        for (size_t k = 0; k < size; k++) text[k] = "abc"[(int)(foci_rng_uniform(&r) * 3)];
        assert_ok(foci_merge_in_rounds(&one, bpe, text, size, &rounds, &count));
        assert_ok(foci_merge_by_heap(&other, bpe, text, size, &heap, &again));
        assert_int_equal(count, again);
        assert_memory_equal(rounds, heap, (size_t)count * sizeof *heap);
        foci_bpe_free(bpe);
    }
    foci_merger_free(&one);
    foci_merger_free(&other);
}

static void a_megabyte_of_one_letter(void **state) {
    (void)state;
    enum { SIZE = 1 << 20 };
    foci_bpe *bpe = learn("aaaaaaaa aaaaaaaa", 300, 1);
    char *text = memset(malloc(SIZE), 'a', SIZE);
    foci_ids ids = {0};
    assert_ok(foci_bpe_encode_text(bpe, text, SIZE, false, &ids));
    assert_int_equal(ids.count, SIZE / 8);
    assert_decodes(bpe, &ids, text, SIZE);
    free(ids.id);
    free(text);
    foci_bpe_free(bpe);
}

/* -------------------------------------------------------------------------------------------------- files */

static foci_status collect(void *ids, const int32_t *id, int64_t count) { return foci_ids_add(ids, id, count); }

static foci_ids read_file(const foci_bpe *bpe, const char *path, foci_documents documents, bool special) {
    foci_ids ids = {0};
    foci_bpe_reading r = {.documents = documents, .special = special, .take = collect, .context = &ids};
    assert_ok(foci_bpe_encode_file(bpe, path, &r));
    return ids;
}

/* "|": where a document begins. */
static void expect_documents(const foci_bpe *bpe, foci_documents documents, const char *text, const char *expected) {
    char found[256];
    size_t n = 0;
    const foci_ids ids = read_file(bpe, save("documents.txt", text), documents, false);
    for (int64_t i = 0; i < ids.count; i++) {
        const foci_token t = foci_bpe_token(bpe, ids.id[i]);
        n += (size_t)snprintf(found + n, sizeof found - n, "%.*s", t.special ? 1 : (int)t.size,
                              t.special ? "|" : t.text);
    }
    found[n] = 0;
    assert_string_equal(found, expected);
    free(ids.id);
}

static void documents_of_a_text(void **state) {
    (void)state;
    foci_bpe *bpe = learn_small();
    expect_documents(bpe, FOCI_NO_DOCUMENTS, "a\n\nb\n", "a\n\nb\n");
    expect_documents(bpe, FOCI_FILE, "a\n\nb\n", "|a\n\nb\n");
    expect_documents(bpe, FOCI_LINES, "a\n\nb\n", "|a\n|\n|b\n");
    expect_documents(bpe, FOCI_LINES, "a\nb", "|a\n|b");
    expect_documents(bpe, FOCI_PARAGRAPHS, "a\nb\n\nc\n\n\n\nd\n\n", "|a\nb\n\n|c\n\n\n\n|d\n\n");
    expect_documents(bpe, FOCI_PARAGRAPHS, "a\r\n\r\nb\r\n", "|a\r\n\r\n|b\r\n");
    expect_documents(bpe, FOCI_PARAGRAPHS, "\n\na", "|\n\n|a");
    expect_documents(bpe, FOCI_FILE, "", "");
    foci_bpe_free(bpe);
}

/* Longer than all blocks together, of lines and of none, in any number of threads, plain and gzip. */
static void long_files_are_the_whole(void **state) {
    (void)state;
    enum { SIZE = 9 << 20 };
    foci_bpe *bpe = learn_small();
    foci_rng r = foci_rng_make(7, foci_stream("long"), 0);
    unsigned char *text = malloc(SIZE);
    size_t size = 0;
    while (size + 5000 < SIZE) size += draw_text(&r, text + size, 5000);
    memset(text + SIZE / 2, 'a', 3 << 20); /* nowhere to cut */
    const char *plain = save_bytes("long.txt", text, size), *packed = at("long.gz");
    gzFile z = gzopen(packed, "wb1");
    assert_int_equal(gzwrite(z, text, (unsigned)size), size);
    gzclose(z);
    for (int special = 0; special < 2; special++) {
        foci_ids whole = {0};
        assert_ok(foci_bpe_encode_text(bpe, text, size, special, &whole));
        for (int threads = 1; threads <= 3; threads += 2) {
            foci_set_threads(threads);
            const foci_ids read = read_file(bpe, threads == 1 ? plain : packed, FOCI_NO_DOCUMENTS, special);
            assert_int_equal(read.count, whole.count);
            assert_memory_equal(read.id, whole.id, (size_t)read.count * sizeof *read.id);
            free(read.id);
        }
        free(whole.id);
    }
    foci_set_threads(0);
    free(text);
    foci_bpe_free(bpe);
}

/* What two ways of cutting a text into documents give, on one thread and on three. */
static void documents_do_not_depend_on_blocks(void **state) {
    (void)state;
    enum { SIZE = 3 << 20 };
    foci_bpe *bpe = learn_small();
    foci_rng r = foci_rng_make(8, foci_stream("documents"), 0);
    unsigned char *text = malloc(SIZE);
    size_t size = 0;
    while (size + 5000 < SIZE) size += draw_text(&r, text + size, 5000);
    const char *path = save_bytes("long.txt", text, size);
    for (int documents = FOCI_PARAGRAPHS; documents <= FOCI_LINES; documents++) {
        foci_ids ids[2];
        for (int i = 0; i < 2; i++) {
            foci_set_threads(1 + 2 * i);
            ids[i] = read_file(bpe, path, (foci_documents)documents, false);
        }
        assert_int_equal(ids[0].count, ids[1].count);
        assert_memory_equal(ids[0].id, ids[1].id, (size_t)ids[0].count * sizeof *ids[0].id);
        free(ids[0].id);
        free(ids[1].id);
    }
    foci_set_threads(0);
    free(text);
    foci_bpe_free(bpe);
}

/* ------------------------------------------------------------------------------------------------ showing */

static void expect_shown(const char *const *part, const char *expected) {
    foci_utf8_tail tail = {.count = 0};
    char shown[256];
    size_t n = 0;
    for (; *part; part++) n += foci_utf8_show(&tail, *part, strlen(*part), shown + n);
    n += foci_utf8_show(&tail, NULL, 0, shown + n);
    assert_int_equal(n, strlen(expected));
    assert_memory_equal(shown, expected, n);
}

static void unfinished_characters_are_held_back(void **state) {
    (void)state;
    foci_utf8_tail tail = {.count = 0};
    char shown[32];
    assert_int_equal(foci_utf8_show(&tail, "a\xe6\xbc", 3, shown), 1);
    assert_int_equal(foci_utf8_show(&tail, "\xa2", 1, shown), 3);
    assert_memory_equal(shown, "\xe6\xbc\xa2", 3);
    expect_shown((const char *const[]){"caf\xc3", "\xa9", NULL}, "caf\xc3\xa9");
    expect_shown((const char *const[]){"\xf0\x9f", "\x90", "\x95!", NULL}, "\xf0\x9f\x90\x95!");
    expect_shown((const char *const[]){"a\xff"
                                       "b",
                                       NULL},
                 "a\xEF\xBF\xBD"
                 "b");
    expect_shown((const char *const[]){"\xc3", NULL}, "\xEF\xBF\xBD");
    expect_shown((const char *const[]){"\xf0\x9f", "x", NULL}, "\xEF\xBF\xBD\xEF\xBF\xBDx");
    expect_shown((const char *const[]){"\xed\xa0\x80", NULL}, "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD");
    expect_shown((const char *const[]){"\xf4\x8f\xbf\xbf\xf4\x90", NULL}, "\xf4\x8f\xbf\xbf\xEF\xBF\xBD\xEF\xBF\xBD");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_small_vocabulary),
        cmocka_unit_test(golden_texts),
        cmocka_unit_test(any_bytes_come_back),
        cmocka_unit_test(parts_are_the_whole),
        cmocka_unit_test(heap_and_rounds_are_one),
        cmocka_unit_test(a_megabyte_of_one_letter),
        cmocka_unit_test(documents_of_a_text),
        cmocka_unit_test(long_files_are_the_whole),
        cmocka_unit_test(documents_do_not_depend_on_blocks),
        cmocka_unit_test(unfinished_characters_are_held_back),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
