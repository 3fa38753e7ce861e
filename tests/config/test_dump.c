/* Configs written: dumps, which read back the same whatever was mutated, JSON, help. */
#include "base/philox.h"
#include "schema.h"

/* ---------------------------------------------------------------------------------------- dump, fail, help */

static char *dump_of(foci_config *c) {
    char *text = foci_config_dump(c);
    assert_non_null(text);
    return text;
}

static void a_dump_is_readable(void **state) {
    (void)state;
    foci_config *c = good("name: cifar10\nattention: {kind: elliptical, first: 2}\n"
                          "data: {train: \"a b\", mean: []}\ntrain: {lr: 0.1, clip: 1e20}\n");
    char *text = dump_of(c);
    assert_string_equal(text, "# The config as resolved from a.yaml: every key that applies, with its value.\n"
                              "name: cifar10\n"
                              "model:\n"
                              "  kind: vit\n"
                              "  depth: 12\n"
                              "  img_size: [224]\n"
                              "  qkv_bias: true\n"
                              "attention:\n"
                              "  kind: elliptical\n"
                              "  first: 2\n"
                              "  scale: max\n"
                              "data:\n"
                              "  train: \"a b\"\n"
                              "  mean: []\n"
                              "train:\n"
                              "  batch_size: 128\n"
                              "  lr: 0.1\n"
                              "  clip: 1.0e+20\n"
                              "  momentum: 0.9\n"
                              "  seed: 0\n");
    free(text);
    foci_config_free(c);
}

/* Dump, read, compare: the strings and numbers to the bit, and the second dump with the first. */
static void assert_round_trip(foci_config *c) {
    char *first = dump_of(c);
    foci_config *again = NULL;
    foci_status status = foci_config_parse(&again, &schema, "a.yaml", first, strlen(first), NULL, 0);
    if (status) fail_msg("%s\n%s", foci_error_message(), first);
    char *second = dump_of(again);
    assert_string_equal(first, second);
    static const char *const strings[] = {"name", "data.train", "model.kind", "attention.kind"};
    for (int i = 0; i < 4; i++)
        assert_string_equal(foci_config_string(c, strings[i]), foci_config_string(again, strings[i]));
    static const char *const reals[] = {"train.lr", "train.momentum", "train.clip"};
    for (int i = 0; i < 3; i++) {
        double a = foci_config_real(c, reals[i]), b = foci_config_real(again, reals[i]);
        assert_memory_equal(&a, &b, sizeof a);
    }
    assert_true(foci_config_int(c, "train.seed") == foci_config_int(again, "train.seed"));
    const double *m, *n;
    int count = foci_config_reals(c, "data.mean", &m);
    assert_int_equal(count, foci_config_reals(again, "data.mean", &n));
    if (count) assert_memory_equal(m, n, (size_t)count * sizeof *m);
    free(first);
    free(second);
    foci_config_free(again);
}

static void a_dump_reads_back_the_same(void **state) {
    (void)state;
    static const char *const names[] = {"\"\"",
                                        "\"null\"",
                                        "\"~\"",
                                        "true",
                                        "123",
                                        "1e5",
                                        "- x",
                                        "'#'",
                                        "\"a: b\"",
                                        "\" lead\"",
                                        "\"trail \"",
                                        "\"\\\"\\\\\"",
                                        "\"\\n\\t\\r\\e\"",
                                        "\"\\x85\\xa0\\u2028\\ufeff\\uffff\"",
                                        "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x98\x80",
                                        "\"{\"",
                                        "\"*a\"",
                                        "\"%\"",
                                        "\"---\"",
                                        "C:\\dir",
                                        "|\n line\n  more\n"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char text[256];
        snprintf(text, sizeof text, "data.train: d\nname: %s\n", names[i]);
        if (strcmp(names[i], "- x") == 0) snprintf(text, sizeof text, "data.train: d\nname: \"- x\"\n");
        foci_config *c = good(text);
        assert_round_trip(c);
        foci_config_free(c);
    }
    foci_rng r = foci_rng_make(1, 2, 3);
    for (int i = 0; i < 500; i++) {
        char text[512];
        double x = ldexp(foci_rng_uniform(&r) + foci_rng_uniform(&r) * 0x1p-24, (int)foci_rng_below(&r, 2000) - 1000);
        snprintf(text, sizeof text,
                 "data: {train: d, mean: [%.17g, 1, 0.1]}\ntrain: {momentum: %.17g, clip: %.17g, seed: %lld}\n",
                 foci_rng_uniform(&r) / 3, -x, x, (long long)foci_rng_u32(&r) << 31);
        foci_config *c = good(text);
        assert_close(foci_config_real(c, "train.clip"), x, 0);
        assert_round_trip(c);
        foci_config_free(c);
    }
}

static void checks_of_others_fail_at_the_place_of_a_key(void **state) {
    (void)state;
    foci_config *c;
    assert_ok(parse_set(&c, DATA "train:\n  lr: 1\n", "train.clip=3"));
    assert_message(foci_config_fail(c, "train.lr", "must be below %d", 1),
                   "a.yaml:3:3: train.lr: must be below 1\n     3 |   lr: 1");
    assert_message(foci_config_fail(c, "train.clip", "too much"), "--set train.clip=3: train.clip: too much");
    assert_message(foci_config_fail(c, "train.seed", "bad"), "a.yaml: train.seed: bad");
    assert_message(foci_config_fail(c, "none", "bad"), "none: bad");
    foci_config_free(c);
}

static void help_lists_every_key_in_columns(void **state) {
    (void)state;
    char *text = foci_schema_help(&schema, NULL);
    assert_non_null(text);
    static const char *const lines[] = {
        "\ntop level\n  inherit     text",
        "\n\nmodel (kind: lm)\n  cutoffs     list of int 1 to          []              ends of the clusters\n",
        "\n  scale       max, mean, none           max             what the metric is divided by\n",
        "\n  train       text                      required        folder or file to train on\n",
        "\n  lr          real 0 to 10              1e-3            learning rate\n",
        "\n  clip        real 0 or more            0               largest norm of the gradient; 0: none\n",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        if (!strstr(text, lines[i])) fail_msg("help lacks \"%s\":\n%s", lines[i], text);
    for (const char *line = text, *end; (end = strchr(line, '\n')); line = end + 1) assert_in_range(end - line, 0, 110);
    for (int i = 0; i < schema.count; i++)
        for (const foci_key *k = sections[i].keys; k->name; k++) assert_non_null(strstr(text, k->name));
    free(text);

    text = foci_schema_help(&schema, "attention.f");
    assert_string_equal(text, "\nattention (kind: elliptical)\n  first       int 0 to 1000             1               "
                              "first elliptical layer\n");
    free(text);
    text = foci_schema_help(&schema, "nothing");
    assert_string_equal(text, "");
    free(text);
}

static void the_tables_may_go_before_the_config(void **state) {
    (void)state;
    foci_config *c = NULL;
    {
        foci_key *keys = calloc(2, sizeof *keys);
        assert_non_null(keys);
        keys[0] = (foci_key){"kind", FOCI_KEY_CHOICE, "a", 0, 0, "a b", "kind"};
        const foci_section brief[] = {{"s", NULL, keys}, {"s", "a", NULL}};
        assert_ok(foci_config_parse(&c, &(foci_schema){brief, 2}, "a.yaml", "", 0, NULL, 0));
        free(keys);
    }
    char *text = dump_of(c);
    assert_non_null(strstr(text, "\ns:\n  kind: a\n"));
    free(text);
    foci_config_free(c);
}

static void a_wrong_default_is_an_error_not_a_surprise(void **state) {
    (void)state;
    static const foci_key keys[] = {{"x", FOCI_KEY_INT, "0", 1, 2, NULL, ""}, {0}};
    const foci_schema wrong = {&(foci_section){"s", NULL, keys}, 1};
    foci_config *c;
    assert_message(foci_config_parse(&c, &wrong, "a.yaml", "", 0, NULL, 0),
                   "default: s.x: `0` is out of bounds: 1 to 2");
}

static void a_config_as_json(void **state) {
    (void)state;
    foci_config *c = good("name: \"a \\\"b\\\"\"\nattention: {kind: elliptical, first: 2}\ndata: {train: d, mean: "
                          "[]}\ntrain: {clip: 1e20}\n");
    char *text = foci_config_json(c);
    assert_string_equal(
        text, "{\"name\": \"a \\\"b\\\"\", \"model\": {\"kind\": \"vit\", \"depth\": 12, \"img_size\": [224], "
              "\"qkv_bias\": true}, "
              "\"attention\": {\"kind\": \"elliptical\", \"first\": 2, \"scale\": \"max\"}, "
              "\"data\": {\"train\": \"d\", \"mean\": []}, "
              "\"train\": {\"batch_size\": 128, \"lr\": 0.001, \"clip\": 1.0e+20, \"momentum\": 0.9, \"seed\": 0}}");
    free(text);
    foci_config_free(c);
}

static void the_essence_of_a_config(void **state) { /* however it is said; a default that is said is a default */
    (void)state;
    static const char *const ways[] = {
        "train: {batch_size: 128, lr: 0.5, seed: 9}\ndata: {train: d}\n",
        "data: {mean: [], train: d}\ntrain: {seed: 9, lr: 5.0e-1}\ntrain.momentum: 0.90\n"};
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++) {
        foci_config *c = good(ways[i]);
        char *text = foci_config_essence(c);
        if (i == 0) assert_string_equal(text, "data.train: d\ntrain.lr: 0.5\ntrain.seed: 9\n");
        else assert_string_equal(text, "data.train: d\ndata.mean: []\ntrain.lr: 0.5\ntrain.seed: 9\n");
        free(text);
        foci_config_free(c);
    }
}

/* ----------------------------------------------------------------------------------------------------- fuzz */

/* Valid text with a few bytes changed, moved or cut: never a crash; success can be dumped and read again. */
static void mutations_never_crash(void **state) {
    (void)state;
    static const char valid[] =
        "# \xC3\xA4\ninherit: []\nname: a-b\nmodel: {kind: lm, vocab: 10, cutoffs: [2, 4]}\n"
        "attention:\n  kind: elliptical\n  scale: \"mean\"\n" DATA "train: {lr: 1.0e-3, seed: 1}\n";
    static const char spice[] = "{}[]:,-#&*!|>'\"%@`~?\\ \n\t\r.0129eaxk\xff\xC3\x80\x01";
    foci_rng r = foci_rng_make(7, 0, 0);
    int good_ones = 0;
    for (int i = 0; i < 20000; i++) {
        char text[512];
        size_t size = sizeof valid - 1;
        memcpy(text, valid, size);
        for (uint32_t edits = 1 + foci_rng_below(&r, 4); edits; edits--) {
            size_t at = foci_rng_below(&r, (uint32_t)size), n = foci_rng_below(&r, (uint32_t)(size - at)) % 16;
            switch (foci_rng_below(&r, 5)) {
            case 0: text[at] = spice[foci_rng_below(&r, sizeof spice - 1)]; break;
            case 1: text[at] = (char)(text[at] ^ (1 << foci_rng_below(&r, 8))); break;
            case 2: /* a piece is lost */
                memmove(text + at, text + at + n, size - at - n);
                size -= n;
                break;
            case 3: /* a piece comes twice */
                if (size + n > sizeof text) break;
                memmove(text + at + n, text + at, size - at);
                size += n;
                break;
            case 4: /* the end is lost */
                if (foci_rng_below(&r, 8) == 0) size = at + 1;
                break;
            }
        }
        foci_config *c = NULL;
        foci_status status = foci_config_parse(&c, &schema, "a.yaml", text, size, NULL, 0);
        assert_true(status == FOCI_OK || status == FOCI_ERR_CONFIG);
        assert_true((status == FOCI_OK) == (c != NULL));
        if (c && ++good_ones % 8 == 0) assert_round_trip(c);
        if (!c) assert_memory_equal(foci_error_message(), "a.yaml:", 7);
        foci_config_free(c);
    }
    assert_in_range(good_ones, 500, 19500); /* both ways are taken */
}

static void mutated_overrides_never_crash(void **state) {
    (void)state;
    foci_rng r = foci_rng_make(8, 0, 0);
    for (int i = 0; i < 3000; i++) {
        char set[] = "train.lr=[0.1, 2]";
        for (int edits = 0; edits < 2; edits++)
            set[foci_rng_below(&r, sizeof set - 1)] = (char)(1 + foci_rng_below(&r, 255));
        foci_config *c = NULL;
        foci_status status = parse_set(&c, DATA, set);
        assert_true(status == FOCI_OK || status == FOCI_ERR_CONFIG);
        if (!c) assert_memory_equal(foci_error_message(), "--set ", 6);
        foci_config_free(c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dump_is_readable),
        cmocka_unit_test(a_dump_reads_back_the_same),
        cmocka_unit_test(checks_of_others_fail_at_the_place_of_a_key),
        cmocka_unit_test(help_lists_every_key_in_columns),
        cmocka_unit_test(the_tables_may_go_before_the_config),
        cmocka_unit_test(a_wrong_default_is_an_error_not_a_surprise),
        cmocka_unit_test(a_config_as_json),
        cmocka_unit_test(the_essence_of_a_config),
        cmocka_unit_test(mutations_never_crash),
        cmocka_unit_test(mutated_overrides_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
