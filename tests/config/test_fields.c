/* Rows of keys to fields of a struct, from configs and from texts. */
#include "schema.h"

/* ---------------------------------------------------------------------------------------------- rows to fields */

typedef struct bound {
    bool on;
    int64_t steps;
    double rate;
    const char *word;
    enum { MAX, MEAN, NONE } scale;
    foci_int_list sizes;
    foci_real_list shares;
} bound;

static const foci_key bound_keys[] = {FOCI_KEY(bound, on, "true", 0, 0, NULL, "on or off"),
                                      FOCI_KEY(bound, steps, "20", 1, 1000, NULL, "iterations"),
                                      FOCI_KEY(bound, rate, "0.5", 0, 1, NULL, "a share"),
                                      FOCI_KEY(bound, word, "AAA", 0, 0, NULL, "a word"),
                                      FOCI_KEY(bound, scale, "mean", 0, 0, "max mean none", "divided by"),
                                      FOCI_KEY(bound, sizes, "224", 1, 4096, NULL, "sizes"),
                                      FOCI_KEY(bound, shares, "[0.25, 0.75]", 0, 1, NULL, "shares"),
                                      {"loose", FOCI_KEY_INT, "3", 0, 0, NULL, "bound to nothing"},
                                      {0}};

static foci_config *of_kind(const char *text) {
    static const foci_key kind[] = {{"kind", FOCI_KEY_CHOICE, "other", 0, 0, "bound other", "which"}, {0}};
    static const foci_key other[] = {{"steps", FOCI_KEY_INT, "7", 0, 0, NULL, "of the other"},
                                     {"rate", FOCI_KEY_STRING, "slow", 0, 0, NULL, "a rate of another type"},
                                     {0}};
    static const foci_section all[] = {{"m", NULL, kind}, {"m", "other", other}, {"m", "bound", bound_keys}};
    foci_config *c = NULL;
    assert_ok(foci_config_parse(&c, &(foci_schema){all, 3}, "a.yaml", text, strlen(text), NULL, 0));
    return c;
}

static void assert_defaults(const bound *o) {
    assert_true(o->on);
    assert_int_equal(o->steps, 20);
    assert_close(o->rate, 0.5, 0);
    assert_string_equal(o->word, "AAA");
    assert_int_equal(o->scale, MEAN);
    assert_int_equal(o->sizes.count, 1);
    assert_int_equal(o->sizes.value[0], 224);
    assert_int_equal(o->shares.count, 2);
    assert_close(o->shares.value[1], 0.75, 0);
}

static void a_config_fills_the_fields_of_bound_rows(void **state) {
    (void)state;
    bound o;
    memset(&o, 0x5a, sizeof o);
    foci_config *c = of_kind("m: {kind: bound}\n");
    foci_config_read(c, "m", bound_keys, &o);
    assert_defaults(&o);
    foci_config_free(c);
    c = of_kind(
        "m: {kind: bound, on: false, steps: 1e2, rate: 1, word: x y, scale: none, sizes: [32, 64], shares: []}\n");
    foci_config_read(c, "m", bound_keys, &o);
    assert_false(o.on);
    assert_int_equal(o.steps, 100);
    assert_close(o.rate, 1, 0);
    assert_string_equal(o.word, "x y");
    assert_int_equal(o.scale, NONE);
    assert_int_equal(o.sizes.count, 2);
    assert_int_equal(o.sizes.value[1], 64);
    assert_int_equal(o.shares.count, 0);
    foci_config_free(c);
}

static void fields_of_another_kind_are_nothing(void **state) {
    (void)state;
    bound o;
    memset(&o, 0x5a, sizeof o);
    foci_config *c = of_kind("m: {kind: other}\n");
    foci_config_read(c, "m", bound_keys, &o);
    assert_int_equal(o.steps, 7); /* the same name and type */
    assert_false(o.on);
    assert_close(o.rate, 0, 0); /* the same name alone */
    assert_string_equal(o.word, "");
    assert_int_equal(o.scale, 0);
    assert_int_equal(o.sizes.count, 0);
    foci_config_read(c, "n", bound_keys, &o); /* no such section */
    assert_int_equal(o.steps, 0);
    foci_config_free(c);
}

static foci_status parse_keys(bound *o, foci_arena *arena, const char *a, const char *b) {
    memset(o, 0x5a, sizeof *o);
    return foci_keys_parse(bound_keys, "tool", (const char *[]){a, b}, !!a + !!b, arena, o);
}

static void texts_fill_the_fields_without_a_config(void **state) {
    (void)state;
    bound o;
    foci_arena arena = {0};
    assert_ok(parse_keys(&o, &arena, NULL, NULL));
    assert_defaults(&o);
    assert_ok(parse_keys(&o, &arena, "scale=max", "shares=[1, 0.5, 0]"));
    assert_int_equal(o.scale, MAX);
    assert_int_equal(o.shares.count, 3);
    assert_close(o.shares.value[1], 0.5, 0);
    char word[] = "word='it''s'";
    assert_ok(parse_keys(&o, &arena, word, "loose=4"));
    memset(word, 0, sizeof word); /* the text may go */
    assert_string_equal(o.word, "it's");
    assert_ok(parse_keys(&o, &arena, "steps=1", "steps=2"));
    assert_int_equal(o.steps, 2);
    foci_arena_free(&arena);
}

static void wrong_texts_are_refused(void **state) {
    (void)state;
    bound o;
    foci_arena arena = {0};
    assert_message(parse_keys(&o, &arena, "rate=2", NULL), "tool: rate: `2` is out of bounds: 0 to 1");
    assert_message(parse_keys(&o, &arena, "on=yes", NULL), "tool: on: `yes` is not true or false: write true");
    assert_message(parse_keys(&o, &arena, "scale=men", NULL),
                   "tool: scale: `men` is not one of max, mean, none; did you mean `mean`?");
    assert_message(parse_keys(&o, &arena, "steps=[1]", NULL), "tool: steps: a list where a whole number belongs");
    assert_message(parse_keys(&o, &arena, "sizes=[1, x]", NULL), "tool: sizes: `x` is not a whole number");
    assert_message(parse_keys(&o, &arena, "rat=1", NULL), "tool: unknown key `rat`; did you mean `rate`?");
    assert_message(parse_keys(&o, &arena, "inherit=a", NULL), "tool: unknown key `inherit`; did you mean `shares`?");
    assert_message(parse_keys(&o, &arena, "rate", NULL), "tool: `rate`: write name=value");
    assert_message(parse_keys(&o, &arena, "=1", NULL), "tool: ``: write name=value");
    assert_fails(parse_keys(&o, &arena, "shares=[1", NULL), FOCI_ERR_CONFIG, "tool: did not find expected");
    assert_message(foci_keys_parse(NULL, "tool", (const char *[]){"a=1"}, 1, &arena, NULL),
                   "tool: unknown key `a`; it has none");
    foci_arena_free(&arena);
}

static void required_rows_have_to_be_given(void **state) {
    (void)state;
    static const foci_key keys[] = {FOCI_KEY(bound, word, NULL, 0, 0, NULL, "a word"), {0}};
    bound o;
    foci_arena arena = {0};
    assert_message(foci_keys_parse(keys, "tool", NULL, 0, &arena, &o), "tool: missing key `word`: a word");
    assert_ok(foci_keys_parse(keys, "tool", (const char *[]){"word=\"\""}, 1, &arena, &o));
    assert_string_equal(o.word, "");
    o.word = NULL;
    assert_ok(foci_keys_defaults(keys, &arena, &o));
    assert_string_equal(o.word, "");
    foci_arena_free(&arena);
}

static const foci_key *row(const char *name) {
    const foci_key *key = bound_keys;
    while (strcmp(key->name, name) != 0) key++;
    return key;
}

static void an_argument_is_taken_as_it_stands(void **state) {
    (void)state;
    bound o;
    foci_arena arena = {0};
    assert_ok(foci_keys_defaults(bound_keys, &arena, &o));
    assert_defaults(&o);
    assert_ok(foci_key_parse(row("word"), "--word", "a: [b", &arena, &o));
    assert_string_equal(o.word, "a: [b");
    assert_ok(foci_key_parse(row("sizes"), "--sizes", "3,4", &arena, &o));
    assert_int_equal(o.sizes.count, 2);
    assert_int_equal(o.sizes.value[1], 4);
    assert_ok(foci_key_parse(row("shares"), "--shares", "1", &arena, &o));
    assert_int_equal(o.shares.count, 1);
    assert_int_equal(o.steps, 20); /* no other field is touched */
    assert_ok(foci_key_parse(row("rate"), "--rate", "1/255", &arena, &o));
    assert_true(o.rate == 1.0 / 255);
    assert_message(foci_key_parse(row("rate"), "--rate", "1/0", &arena, &o), "--rate: `1/0` is not a number");
    assert_message(foci_key_parse(row("rate"), "--rate", "1/2/3", &arena, &o), "--rate: `1/2/3` is not a number");
    assert_message(foci_key_parse(row("steps"), "--steps", "8/2", &arena, &o), "--steps: `8/2` is not a whole number");
    assert_message(foci_key_parse(row("steps"), "--steps", "0", &arena, &o),
                   "--steps: `0` is out of bounds: 1 to 1000");
    assert_message(foci_key_parse(row("rate"), "--rate", "", &arena, &o),
                   "--rate: no value; write a number or leave the key out");
    assert_message(foci_key_parse(row("scale"), "--scale", "min", &arena, &o),
                   "--scale: `min` is not one of max, mean, none; did you mean `max`?");
    assert_fails(foci_key_parse(row("sizes"), "--sizes", "3,[4", &arena, &o), FOCI_ERR_CONFIG, "--sizes: ");
    foci_arena_free(&arena);
}

static void a_field_tells_its_row(void **state) {
    (void)state;
    bound o = {.scale = NONE, .steps = 5};
    char word[64];
    assert_true(foci_key_word(row("scale"), &o, word));
    assert_string_equal(word, "none");
    assert_int_equal(*(const int64_t *)foci_key_field(row("steps"), &o), 5);
    assert_true(foci_keys_bytes(bound_keys) >= sizeof o);
    assert_int_equal(foci_keys_bytes(bound_keys) % 16, 0);
    assert_int_equal(foci_keys_bytes(NULL), 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_config_fills_the_fields_of_bound_rows),
        cmocka_unit_test(fields_of_another_kind_are_nothing),
        cmocka_unit_test(texts_fill_the_fields_without_a_config),
        cmocka_unit_test(wrong_texts_are_refused),
        cmocka_unit_test(required_rows_have_to_be_given),
        cmocka_unit_test(an_argument_is_taken_as_it_stands),
        cmocka_unit_test(a_field_tells_its_row),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
