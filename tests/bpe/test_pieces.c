/* Text is cut into pieces: the classes of characters, and the two rules. */
#include "bpe/classes.h"
#include "bpe/pieces.h"
#include "tokenizers.h"

#include "base/utf8.h"

/* ------------------------------------------------------------------------------------------------ classes */

static void classes_of_single_characters(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t size;
        foci_class class;
        uint32_t length;
    } rows[] = {
        {"a", 1, FOCI_LETTER, 1},           {"7", 1, FOCI_NUMBER, 1},
        {"\n", 1, FOCI_SPACE, 1},           {"\x1c", 1, FOCI_OTHER, 1}, /* Python's white space, not Unicode's */
        {"\xc2\x85", 2, FOCI_SPACE, 2},     {"\xef\xbb\xbf", 3, FOCI_OTHER, 3}, /* JavaScript's, likewise */
        {"\xe3\x80\x80", 3, FOCI_SPACE, 3}, {"\xc3\xa9", 2, FOCI_LETTER, 2},
        {"\xcc\x81", 2, FOCI_OTHER, 2},                                              /* a combining accent */
        {"\xc2\xbd", 2, FOCI_NUMBER, 2},    {"\xf0\xb1\x8d\x90", 4, FOCI_LETTER, 4}, /* U+31350, of Unicode 15.0 */
        {"\xc3", 1, FOCI_OTHER, 1},         {"\xff\xff", 2, FOCI_OTHER, 1},
        {"\xc0\x80", 2, FOCI_OTHER, 1},     {"\xed\xa0\x80", 3, FOCI_OTHER, 1}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const foci_character c = foci_character_of((const unsigned char *)rows[i].text, rows[i].size);
        if (c.class != rows[i].class || c.length != rows[i].length)
            fail_msg("row %zu: class %d, %d bytes", i, (int)c.class, (int)c.length);
    }
}

static foci_class listed(const json_t *root, uint32_t code) {
    static const struct {
        const char *key;
        foci_class class;
    } lists[] = {{"L", FOCI_LETTER}, {"N", FOCI_NUMBER}, {"S", FOCI_SPACE}};
    for (int k = 0; k < 3; k++) {
        const json_t *list = json_object_get(root, lists[k].key);
        for (size_t i = 0; i < json_array_size(list); i++) {
            const json_t *range = json_array_get(list, i);
            if (code >= json_integer_value(json_array_get(range, 0)) &&
                code <= json_integer_value(json_array_get(range, 1)))
                return lists[k].class;
        }
    }
    return FOCI_OTHER;
}

/* Every 7th, and the first ones all. */
static void classes_are_those_of_unicode_17(void **state) {
    (void)state;
    json_t *root = golden("golden/bpe/unicode-classes.json");
    if (!root) skip();
    for (uint32_t code = 0; code < 0x110000; code += code < 0x2000 ? 1 : 7) {
        char text[4];
        if (code >= 0xd800 && code < 0xe000) continue;
        const size_t size = (size_t)foci_utf8_put(code, text);
        const foci_character c = foci_character_of((const unsigned char *)text, size);
        if (c.class != listed(root, code) || c.length != size) fail_msg("U+%04X: class %d", code, (int)c.class);
    }
    json_decref(root);
}

/* -------------------------------------------------------------------------------------------------- pieces */

/* The pieces with bars between. */
static void expect_pieces(foci_bpe_rule rule, const char *text, const char *expected) {
    char cut[512];
    size_t n = 0;
    for (size_t at = 0, size = strlen(text); at < size;) {
        const foci_piece p = foci_piece_of(rule, (const unsigned char *)text + at, size - at);
        n += (size_t)snprintf(cut + n, sizeof cut - n, "%s%.*s", at ? "|" : "", (int)p.length, text + at);
        at += p.length;
    }
    assert_string_equal(cut, expected);
}

static void gpt2_cuts(void **state) {
    (void)state;
    static const char *const rows[][2] = {{"Hello, world!", "Hello|,| world|!"},
                                          {"I'm I'M", "I|'m| I|'|M"},
                                          {"don't 'tis 's", "don|'t| '|tis| '|s"},
                                          {"'s'll've x'd", "'s|'ll|'ve| x|'d"},
                                          {"   x", "  | x"},
                                          {" \n a", " \n| a"},
                                          {"x\n\n\ny", "x|\n\n|\n|y"},
                                          {"a  ", "a|  "},
                                          {"ab12cd", "ab|12|cd"},
                                          {"it\xe2\x80\x99s", "it|\xe2\x80\x99|s"},
                                          {"e\xcc\x81", "e|\xcc\x81"},
                                          {"a\xff\xfe b", "a|\xff\xfe| b"},
                                          {"a\xc2\xa0\xc2\xa0z", "a|\xc2\xa0|\xc2\xa0|z"},
                                          {"\t\tx", "\t|\t|x"},
                                          {" ", " "},
                                          {"x ", "x| "}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) expect_pieces(FOCI_BPE_GPT2, rows[i][0], rows[i][1]);
}

static void llama3_cuts(void **state) {
    (void)state;
    static const char *const rows[][2] = {{"Hello, world!", "Hello|,| world|!"},
                                          {"I'M they'Re", "I|'M| they|'Re"},
                                          {"x'\xc5\xbfy", "x|'\xc5\xbf|y"},
                                          {"12345 6", "123|45| |6"},
                                          {"\tx\ty", "\tx|\ty"},
                                          {"(a) $b", "(a|)| $|b"},
                                          {"a.\n\nb", "a|.\n\n|b"},
                                          {" \n  \n x", " \n  \n| x"},
                                          {"   x", "  | x"},
                                          {"a  ", "a|  "},
                                          {"\r\n\r\nx", "\r\n\r\n|x"},
                                          {"\xff"
                                           "abc \xff",
                                           "\xff"
                                           "abc| \xff"},
                                          {"a   1", "a|  | |1"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) expect_pieces(FOCI_BPE_LLAMA3, rows[i][0], rows[i][1]);
}

/* A piece of a text that goes on is sure only where all that may follow leaves it what it is. */
static void sure_pieces_stay(void **state) {
    (void)state;
    foci_rng r = foci_rng_make(3, foci_stream("sure"), 0);
    unsigned char text[64];
    for (int i = 0; i < 20000; i++) {
        const foci_bpe_rule rule = (foci_bpe_rule)(i % 2);
        const size_t size = draw_text(&r, text, sizeof text);
        for (size_t cut = 1; cut < size; cut++) {
            const foci_piece part = foci_piece_of(rule, text, cut), whole = foci_piece_of(rule, text, size);
            if (foci_piece_is_sure(part, cut) && part.length != whole.length)
                fail_msg("text %d: %zu bytes of %zu: a piece of %zu, not %zu", i, cut, size, part.length, whole.length);
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_of_single_characters),
        cmocka_unit_test(classes_are_those_of_unicode_17),
        cmocka_unit_test(gpt2_cuts),
        cmocka_unit_test(llama3_cuts),
        cmocka_unit_test(sure_pieces_stay),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
