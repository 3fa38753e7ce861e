/* Configs: what is read, what is refused and with which words. */
#include "schema.h"

/* --------------------------------------------------------------------------------------------------- values */

static void defaults_hold_where_nothing_is_set(void **state) {
    (void)state;
    foci_config *c = good(DATA);
    assert_string_equal(foci_config_string(c, "name"), "");
    assert_string_equal(foci_config_string(c, "model.kind"), "vit");
    assert_int_equal(foci_config_int(c, "model.depth"), 12);
    assert_true(foci_config_bool(c, "model.qkv_bias"));
    assert_close(foci_config_real(c, "train.lr"), 1e-3, 0);
    const int64_t *ints;
    assert_int_equal(foci_config_ints(c, "model.img_size", &ints), 1);
    assert_int_equal(ints[0], 224);
    const double *reals;
    assert_int_equal(foci_config_reals(c, "data.mean", &reals), 3);
    assert_close(reals[2], 0.406, 0);
    assert_false(foci_config_is_set(c, "train.lr"));
    assert_string_equal(foci_config_place(c, "train.lr"), "default");
    foci_config_free(c);
}

static void values_come_from_flow_and_block_style(void **state) {
    (void)state;
    foci_config *c = good("# a comment\n"
                          "name: \"two words\"\n"
                          "model: {kind: lm, depth: 1.0e3, vocab: +10, cutoffs: [20, 4e1]}\n"
                          "data:\n"
                          "  train: 'it''s here'\n"
                          "  mean:\n"
                          "    - .5\n"
                          "    - 0\n"
                          "    - 1.\n"
                          "train:\n"
                          "  lr: 2.5E-4\n"
                          "  momentum: -3\n"
                          "  seed: -9223372036854775808\n");
    assert_string_equal(foci_config_string(c, "name"), "two words");
    assert_string_equal(foci_config_string(c, "data.train"), "it's here");
    assert_int_equal(foci_config_int(c, "model.depth"), 1000);
    assert_int_equal(foci_config_int(c, "model.vocab"), 10);
    assert_close(foci_config_real(c, "train.lr"), 2.5e-4, 0);
    assert_close(foci_config_real(c, "train.momentum"), -3, 0);
    assert_true(foci_config_int(c, "train.seed") == INT64_MIN);
    const int64_t *ints;
    assert_int_equal(foci_config_ints(c, "model.cutoffs", &ints), 2);
    assert_int_equal(ints[1], 40);
    const double *reals;
    assert_int_equal(foci_config_reals(c, "data.mean", &reals), 3);
    assert_close(reals[0], 0.5, 0);
    assert_true(foci_config_is_set(c, "train.lr"));
    assert_string_equal(foci_config_place(c, "train.lr"), "a.yaml:11:3");
    assert_string_equal(foci_config_place(c, "model.depth"), "a.yaml:3:19");
    foci_config_free(c);
}

static void a_dotted_key_at_the_top_is_a_key_of_its_section(void **state) {
    (void)state;
    foci_config *c = good("data.train: d\ntrain.lr: 0.5\n");
    assert_close(foci_config_real(c, "train.lr"), 0.5, 0);
    foci_config_free(c);
    refuses(DATA "train.lr: 1\ntrain: {lr: 2}\n", "a.yaml:3:9: duplicate key `train.lr`; the first is in line 2\n"
                                                  "     3 | train: {lr: 2}");
}

static void a_byte_order_mark_and_crlf_are_read_over(void **state) {
    (void)state;
    foci_config *c = good("\xEF\xBB\xBFname: x\r\ndata: {train: d}\r\n");
    assert_string_equal(foci_config_string(c, "name"), "x");
    foci_config_free(c);
    refuses("\xEF\xBB\xBFname: x\r\nnme: y\r\n",
            "a.yaml:2:1: unknown key `nme`; did you mean `name`?\n     2 | nme: y");
}

static void empty_files_and_sections_are_configs(void **state) {
    (void)state;
    static const char *const texts[] = {"", "\n# nothing\n", "---\n", "{}", "train: {}\n"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        foci_config *c = NULL;
        assert_ok(parse_set(&c, texts[i], "data.train=d"));
        foci_config_free(c);
    }
}

static void asking_for_what_is_not_there_gives_nothing(void **state) {
    (void)state;
    foci_config *c = good(DATA);
    /* unknown, of another kind, of another type */
    static const char *const names[] = {"train.none", "", "model.vocab", "data"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        assert_false(foci_config_bool(c, names[i]));
        assert_int_equal(foci_config_int(c, names[i]), 0);
        assert_true(foci_config_real(c, names[i]) == 0);
        assert_string_equal(foci_config_string(c, names[i]), "");
        assert_string_equal(foci_config_place(c, names[i]), "");
        assert_false(foci_config_is_set(c, names[i]));
    }
    const int64_t *ints = &(int64_t){0};
    const double *reals = &(double){0};
    assert_int_equal(foci_config_ints(c, "train.lr", &ints), 0);
    assert_null(ints);
    assert_int_equal(foci_config_reals(c, "name", &reals), 0);
    assert_null(reals);
    assert_string_equal(foci_config_string(c, "train.lr"), "");
    foci_config_free(c);
}

/* ---------------------------------------------------------------------------------------------------- kinds */

typedef struct notes {
    int count;
    foci_log_level level;
    char last[512];
} notes;

static void note(void *context, foci_log_level level, const char *line) {
    notes *n = context;
    n->count++;
    n->level = level;
    snprintf(n->last, sizeof n->last, "%s", line);
}

static notes notes_of(const char *text) {
    notes n = {0};
    foci_set_log(note, &n);
    foci_config_free(good(text));
    foci_set_log(NULL, NULL);
    return n;
}

static void rows_of_the_chosen_kind_apply(void **state) {
    (void)state;
    foci_config *c = good(DATA "attention: {kind: elliptical, scale: mean}\n");
    assert_string_equal(foci_config_string(c, "attention.scale"), "mean");
    assert_int_equal(foci_config_int(c, "attention.first"), 1);
    foci_config_free(c);
    c = good(DATA "attention: {kind: other, scale: 0.5}\n");
    assert_close(foci_config_real(c, "attention.scale"), 0.5, 0);
    assert_int_equal(foci_config_int(c, "attention.first"), 0);
    foci_config_free(c);
}

static void keys_of_another_kind_are_noted_and_checked(void **state) {
    (void)state;
    notes n = notes_of(DATA "attention: {kind: softmax, first: 2}\n");
    assert_int_equal(n.count, 1);
    assert_int_equal(n.level, FOCI_LOG_INFO);
    assert_string_equal(n.last, "attention.first has no effect with attention.kind softmax (a.yaml:2:28)");
    assert_int_equal(notes_of(DATA "attention: {kind: elliptical, first: 2}\n").count, 0);
    refuses(DATA "attention: {first: two}\n", "a.yaml:2:20: attention.first: `two` is not a whole number\n"
                                              "     2 | attention: {first: two}");
    /* `scale` of the chosen kind, though an earlier kind has one too */
    assert_int_equal(notes_of(DATA "attention: {kind: other, scale: 0.5}\n").count, 0);
    /* two other kinds have a `scale`: either reading will do */
    assert_int_equal(notes_of(DATA "attention: {scale: mean}\n").count, 1);
    assert_int_equal(notes_of(DATA "attention: {scale: 0.5}\n").count, 1);
    foci_config *c;
    assert_fails(parse(&c, DATA "attention: {scale: big}\n"), FOCI_ERR_CONFIG, "a.yaml:2:20: attention.scale: `big`");
}

static void a_required_key_is_required_of_its_kind_only(void **state) {
    (void)state;
    refuses("name: x\n", "a.yaml:1:1: missing key `data.train`: folder or file to train on");
    refuses(DATA "model: {kind: lm}\n", "a.yaml:2:9: missing key `model.vocab`: words of the vocabulary\n"
                                        "     2 | model: {kind: lm}");
}

/* --------------------------------------------------------------------------------------------------- errors */

static void unknown_names_come_with_the_nearest(void **state) {
    (void)state;
    refuses("train:\n  lrr: 0.1\n",
            "a.yaml:2:3: unknown key `train.lrr`; did you mean `train.lr`?\n     2 |   lrr: 0.1");
    refuses("train: {bacth_size: 1}", "a.yaml:1:9: unknown key `train.bacth_size`; did you mean `train.batch_size`?\n"
                                      "     1 | train: {bacth_size: 1}");
    refuses("trian: {lr: 1}", "a.yaml:1:1: unknown section `trian`; did you mean `train`?\n     1 | trian: {lr: 1}");
    refuses("trian.lr: 1", "a.yaml:1:1: unknown key `trian.lr`; did you mean `train.lr`?\n     1 | trian.lr: 1");
    refuses("train: {dpeth: 1}",
            "a.yaml:1:9: unknown key `train.dpeth`; did you mean `model.depth`?\n     1 | train: {dpeth: 1}");
    refuses("inherits: a", "a.yaml:1:1: unknown key `inherits`; did you mean `inherit`?\n     1 | inherits: a");
    refuses("\"a\\x1b[2J\\n\": 1",
            "a.yaml:1:1: unknown key `a?[2J?`; did you mean `name`?\n     1 | \"a\\x1b[2J\\n\": 1");
}

static void misplaced_keys_are_told_their_section(void **state) {
    (void)state;
    refuses("lr: 1", "a.yaml:1:1: `lr` belongs to section `train`: write train.lr\n     1 | lr: 1");
    refuses("train: {depth: 1}",
            "a.yaml:1:9: `depth` belongs to section `model`: write model.depth\n     1 | train: {depth: 1}");
    refuses("kind: vit",
            "a.yaml:1:1: `kind` belongs to section `model` or `attention`: write model.kind\n     1 | kind: vit");
    refuses("train: {name: x}",
            "a.yaml:1:9: `name` belongs to no section: write name at the top level\n     1 | train: {name: x}");
}

static void duplicates_name_the_first(void **state) {
    (void)state;
    refuses("name: a\n\nname: b\n", "a.yaml:3:1: duplicate key `name`; the first is in line 1\n     3 | name: b");
    refuses("train:\n  lr: 1\n  lr: 1\n",
            "a.yaml:3:3: duplicate key `train.lr`; the first is in line 2\n     3 |   lr: 1");
    refuses("train: {}\ntrain: {}\n",
            "a.yaml:2:1: duplicate section `train`; the first is in line 1\n     2 | train: {}");
}

static void sections_and_keys_are_not_mixed_up(void **state) {
    (void)state;
    refuses("train: 3", "a.yaml:1:1: `train` is a section: write train: {key: value}\n     1 | train: 3");
    refuses("train:", "a.yaml:1:1: `train` is a section: write train: {key: value}\n     1 | train:");
    refuses("train: [1]", "a.yaml:1:1: `train` is a section: write train: {key: value}\n     1 | train: [1]");
    refuses("name: {a: b}", "a.yaml:1:1: `name` is a key with a value, not a section\n     1 | name: {a: b}");
    refuses("train: {lr: {a: 1}}",
            "a.yaml:1:13: keys inside keys; sections are one level deep\n     1 | train: {lr: {a: 1}}");
    refuses("- a", "a.yaml:1:1: a config consists of keys, as in `name: value`\n     1 | - a");
    refuses("[a]: b", "a.yaml:1:1: a key must be a name\n     1 | [a]: b");
}

static void refuses_value(const char *key, const char *value, const char *problem) {
    char text[256], expected[512];
    const char *dot = strchr(key, '.');
    int n = snprintf(text, sizeof text, "%.*s: {%s: ", (int)(dot - key), key, dot + 1);
    snprintf(expected, sizeof expected, "a.yaml:1:%d: %s: %s\n     1 | %s%s}", n + 1, key, problem, text, value);
    snprintf(text + n, sizeof text - (size_t)n, "%s}\n" DATA, value);
    refuses(text, expected);
}

static void wrong_types_are_refused(void **state) {
    (void)state;
    refuses_value("train.lr", "fast", "`fast` is not a number");
    refuses_value("train.lr", "0x10", "`0x10` is not a number");
    refuses_value("train.lr", ".nan", "`.nan` is not a number");
    refuses_value("train.lr", "inf", "`inf` is not a number");
    refuses_value("train.lr", "1e999", "`1e999` is too large");
    refuses_value("train.lr", "1e", "`1e` is not a number");
    refuses_value("train.lr", ".", "`.` is not a number");
    refuses_value("train.lr", "\"1\"", "`\"1\"` is not a number");
    refuses_value("train.seed", "1.5", "`1.5` is not a whole number");
    refuses_value("train.seed", "1_000", "`1_000` is not a whole number");
    refuses_value("train.seed", "9223372036854775808", "`9223372036854775808` is too large");
    refuses_value("train.seed", "1e40", "`1e40` is too large");
    refuses_value("train.seed", "~", "no value; write a whole number or leave the key out");
    refuses_value("train.lr", "null", "no value; write a number or leave the key out");
    refuses_value("model.qkv_bias", "maybe", "`maybe` is not true or false");
    refuses_value("model.qkv_bias", "yes", "`yes` is not true or false: write true");
    refuses_value("model.qkv_bias", "Off", "`Off` is not true or false: write false");
    refuses_value("model.qkv_bias", "\"true\"", "`\"true\"` is not true or false: write true");
    refuses("train: {lr: [1]}\n" DATA,
            "a.yaml:1:9: train.lr: a list where a number belongs\n     1 | train: {lr: [1]}");
    refuses("model: {img_size: [1, x]}\n" DATA, "a.yaml:1:23: model.img_size: `x` is not a whole number\n"
                                                "     1 | model: {img_size: [1, x]}");
    refuses("model: {img_size: [[1]]}\n" DATA, "a.yaml:1:20: the elements of a list are single values\n"
                                               "     1 | model: {img_size: [[1]]}");
    refuses("name:\n" DATA, "a.yaml:1:6: name: no value; write a text or leave the key out\n     1 | name:");
}

static void bounds_and_choices_are_kept(void **state) {
    (void)state;
    refuses_value("train.lr", "11", "`11` is out of bounds: 0 to 10");
    refuses_value("train.clip", "-1", "`-1` is out of bounds: 0 or more");
    refuses_value("model.depth", "0", "`0` is out of bounds: 1 to 1000");
    refuses_value("attention.kind", "eliptical",
                  "`eliptical` is not one of softmax, elliptical, other; did you mean `elliptical`?");
    refuses("data: {train: d, mean: [0, 2]}", "a.yaml:1:28: data.mean: `2` is out of bounds: 0 to 1\n"
                                              "     1 | data: {train: d, mean: [0, 2]}");
    foci_config *c = good(DATA "train: {lr: 10, clip: 1e300}\nmodel: {depth: 1}\n");
    foci_config_free(c);
}

static void yaml_errors_have_a_place(void **state) {
    (void)state;
    refuses("train: {lr: 1\nname: x\n",
            "a.yaml:2:5: did not find expected ',' or '}', while parsing a flow mapping that starts in line 1\n"
            "     2 | name: x");
    refuses("a: b: c\n", "a.yaml:1:5: mapping values are not allowed in this context\n     1 | a: b: c");
    refuses("train: &x {}\n", "a.yaml:1:8: an anchor; configs have none\n     1 | train: &x {}");
    refuses("name: *x\n", "a.yaml:1:7: an alias; write the value out\n     1 | name: *x");
    refuses("name: !!str x\n", "a.yaml:1:7: a tag; the type of a value is that of its key\n     1 | name: !!str x");
    refuses("name: a\n---\nname: b\n", "a.yaml:2:1: a second document; one file holds one config\n     2 | ---");
    refuses("name: \"\\0\"\n", "a.yaml:1:7: a zero byte in a text\n     1 | name: \"\\0\"");
    refuses("a: 1\nname: \xff\n", "a.yaml:2:7: invalid leading UTF-8 octet\n     2 | name: ?");
    refuses("a: 1\nb: \x01\n", "a.yaml:2:4: control characters are not allowed\n     2 | b: ?");
    /* columns are characters; a long line is shown from shortly before the place */
    refuses("{name: \xC3\xA4\xC3\xB6, lrx: 1}",
            "a.yaml:1:12: unknown key `lrx`; did you mean `train.lr`?\n     1 | {name: \xC3\xA4\xC3\xB6, lrx: 1}");
    char text[512], expected[512];
    snprintf(text, sizeof text, "{name: %0150d, lrr: 1}", 0);
    snprintf(expected, sizeof expected,
             "a.yaml:1:160: unknown key `lrr`; did you mean `train.lr`?\n     1 | ...%057d, lrr: 1}", 0);
    refuses(text, expected);
}

static void everything_is_bounded(void **state) {
    (void)state;
    enum { SIZE = 1 << 18 };
    char *text = malloc(SIZE + 2);
    assert_non_null(text);
    foci_config *c;

    memset(text, '#', SIZE + 1);
    assert_fails(foci_config_parse(&c, &schema, "a.yaml", text, SIZE + 1, NULL, 0), FOCI_ERR_CONFIG,
                 "a.yaml: 262145 bytes, more than the limit of 262144");
    memset(text, '[', SIZE);
    assert_fails(foci_config_parse(&c, &schema, "a.yaml", text, SIZE, NULL, 0), FOCI_ERR_CONFIG,
                 "a config consists of keys");
    memcpy(text, "a: ", 3);
    assert_fails(foci_config_parse(&c, &schema, "a.yaml", text, SIZE, NULL, 0), FOCI_ERR_CONFIG,
                 "the elements of a list are single values");
    memset(text + 3, '{', SIZE - 3);
    assert_fails(foci_config_parse(&c, &schema, "a.yaml", text, SIZE, NULL, 0), FOCI_ERR_CONFIG,
                 "a key must be a name");

    int n = sprintf(text, DATA "name: ");
    memset(text + n, 'x', 4097);
    assert_fails(foci_config_parse(&c, &schema, "a.yaml", text, (size_t)n + 4097, NULL, 0), FOCI_ERR_CONFIG,
                 "a.yaml:2:7: 4097 bytes of text, more than the limit of 4096");
    assert_ok(foci_config_parse(&c, &schema, "a.yaml", text, (size_t)n + 4096, NULL, 0));
    assert_int_equal(strlen(foci_config_string(c, "name")), 4096);
    foci_config_free(c);

    n = sprintf(text, "data: {train: d, mean: [0");
    for (int i = 0; i < 1000; i++) n += sprintf(text + n, ",0");
    sprintf(text + n, "]}");
    assert_fails(parse(&c, text), FOCI_ERR_CONFIG, "a list of more than 1000 elements");

    n = 0;
    for (int i = 0; i < 1001; i++) n += sprintf(text + n, "k%d: 1\n", i);
    assert_fails(parse(&c, text), FOCI_ERR_CONFIG, "a.yaml:1001:1: more than 1000 keys");
    free(text);
}

/* ---------------------------------------------------------------------------------------------------- --set */

static void overrides_win_and_choose_kinds(void **state) {
    (void)state;
    const char *set[] = {
        "train.lr=0.1", "attention.kind=elliptical", "model.img_size=[32, 48]", "name=", "data.train=a b",
        "train.lr=0.2"};
    foci_config *c;
    const char *text = "name: x\ntrain: {lr: 5}\n";
    assert_ok(foci_config_parse(&c, &schema, "a.yaml", text, strlen(text), set, 6));
    assert_close(foci_config_real(c, "train.lr"), 0.2, 0);
    assert_string_equal(foci_config_string(c, "attention.scale"), "max");
    assert_string_equal(foci_config_string(c, "name"), "");
    assert_string_equal(foci_config_string(c, "data.train"), "a b");
    const int64_t *size;
    assert_int_equal(foci_config_ints(c, "model.img_size", &size), 2);
    assert_int_equal(size[1], 48);
    assert_true(foci_config_is_set(c, "train.lr"));
    assert_string_equal(foci_config_place(c, "train.lr"), "--set train.lr=0.2");
    foci_config_free(c);
}

static void wrong_overrides_are_refused(void **state) {
    (void)state;
    refuses_set("train.lrr=0.1", "--set train.lrr=0.1: unknown key `train.lrr`; did you mean `train.lr`?");
    refuses_set("lr=0.1", "--set lr=0.1: `lr` belongs to section `train`: write train.lr");
    refuses_set("train=1", "--set train=1: `train` is a section: write train: {key: value}");
    refuses_set("train.lr=fast", "--set train.lr=fast: train.lr: `fast` is not a number");
    refuses_set("train.lr=", "--set train.lr=: train.lr: `\"\"` is not a number");
    refuses_set("train.lr=11", "--set train.lr=11: train.lr: `11` is out of bounds: 0 to 10");
    refuses_set("train.lr", "--set train.lr: write --set section.key=value");
    refuses_set("=1", "--set =1: write --set section.key=value");
    refuses_set("inherit=b.yaml", "--set inherit=b.yaml: only files inherit");
    refuses_set(
        "data.mean=[1",
        "--set data.mean=[1: did not find expected ',' or ']', while parsing a flow sequence that starts in line 1");
    refuses_set("name={a: b}", "--set name={a: b}: keys inside keys; sections are one level deep");
    refuses_set("name=*x", "--set name=*x: an alias; write the value out");
    refuses_set("name=a\n---\nb", "--set name=a?---?b: more than one value");
    refuses_set("name=\xff", "--set name=?: invalid leading UTF-8 octet");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(defaults_hold_where_nothing_is_set),
        cmocka_unit_test(values_come_from_flow_and_block_style),
        cmocka_unit_test(a_dotted_key_at_the_top_is_a_key_of_its_section),
        cmocka_unit_test(a_byte_order_mark_and_crlf_are_read_over),
        cmocka_unit_test(empty_files_and_sections_are_configs),
        cmocka_unit_test(asking_for_what_is_not_there_gives_nothing),
        cmocka_unit_test(rows_of_the_chosen_kind_apply),
        cmocka_unit_test(keys_of_another_kind_are_noted_and_checked),
        cmocka_unit_test(a_required_key_is_required_of_its_kind_only),
        cmocka_unit_test(unknown_names_come_with_the_nearest),
        cmocka_unit_test(misplaced_keys_are_told_their_section),
        cmocka_unit_test(duplicates_name_the_first),
        cmocka_unit_test(sections_and_keys_are_not_mixed_up),
        cmocka_unit_test(wrong_types_are_refused),
        cmocka_unit_test(bounds_and_choices_are_kept),
        cmocka_unit_test(yaml_errors_have_a_place),
        cmocka_unit_test(everything_is_bounded),
        cmocka_unit_test(overrides_win_and_choose_kinds),
        cmocka_unit_test(wrong_overrides_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
