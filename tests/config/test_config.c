/* Configs: what is read, what is refused and with which words, and that a dump reads back the same. */
#include "check.h"

#include <math.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/philox.h"
#include "config/config.h"

/* ---------------------------------------------------------------------------------------------- the schema */

static const foci_key top_keys[] = {{"name", FOCI_KEY_STRING, "", 0, 0, NULL, "name of the run"}, {0}};
static const foci_key model_keys[] = {{"kind", FOCI_KEY_CHOICE, "vit", 0, 0, "vit lm", "which model"},
                                      {"depth", FOCI_KEY_INT, "12", 1, 1000, NULL, "number of blocks"},
                                      {0}};
static const foci_key vit_keys[] = {
    {"img_size", FOCI_KEY_INTS, "224", 1, 4096, NULL, "height and width in pixels; one number for a square"},
    {"qkv_bias", FOCI_KEY_BOOL, "true", 0, 0, NULL, "biases in the projection"},
    {0}};
static const foci_key lm_keys[] = {{"cutoffs", FOCI_KEY_INTS, "[]", 1, 1e8, NULL, "ends of the clusters"},
                                   {"vocab", FOCI_KEY_INT, NULL, 1, 1e8, NULL, "words of the vocabulary"},
                                   {0}};
static const foci_key attention_keys[] = {
    {"kind", FOCI_KEY_CHOICE, "softmax", 0, 0, "softmax elliptical other", "the variant"}, {0}};
static const foci_key elliptical_keys[] = {
    {"first", FOCI_KEY_INT, "1", 0, 1000, NULL, "first elliptical layer"},
    {"scale", FOCI_KEY_CHOICE, "max", 0, 0, "max mean none", "what the metric is divided by"},
    {0}};
static const foci_key other_keys[] = {{"scale", FOCI_KEY_REAL, "1", 0, 10, NULL, "a factor"}, {0}};
static const foci_key data_keys[] = {
    {"train", FOCI_KEY_STRING, NULL, 0, 0, NULL, "folder or file to train on"},
    {"mean", FOCI_KEY_REALS, "[0.485, 0.456, 0.406]", 0, 1, NULL, "mean of each channel"},
    {0}};
static const foci_key train_keys[] = {
    {"batch_size", FOCI_KEY_INT, "128", 1, 1e6, NULL, "samples of a step"},
    {"lr", FOCI_KEY_REAL, "1e-3", 0, 10, NULL, "learning rate"},
    {"clip", FOCI_KEY_REAL, "0", 0, INFINITY, NULL, "largest norm of the gradient; 0: none"},
    {"momentum", FOCI_KEY_REAL, "0.9", 0, 0, NULL, "of SGD"},
    {"seed", FOCI_KEY_INT, "0", 0, 0, NULL, "of all random numbers"},
    {0}};
static const foci_section sections[] = {
    {"", NULL, top_keys},
    {"model", NULL, model_keys},
    {"model", "vit", vit_keys},
    {"model", "lm", lm_keys},
    {"attention", NULL, attention_keys},
    {"attention", "elliptical", elliptical_keys},
    {"attention", "other", other_keys},
    {"data", NULL, data_keys},
    {"train", NULL, train_keys},
};
static const foci_schema schema = {sections, sizeof sections / sizeof *sections};

/* Every text needs the one required key. */
#define DATA "data: {train: d}\n"

static foci_status parse(foci_config **c, const char *text) {
    return foci_config_parse(c, &schema, "a.yaml", text, strlen(text), NULL, 0);
}

static foci_config *good(const char *text) {
    foci_config *c = NULL;
    assert_ok(parse(&c, text));
    assert_non_null(c);
    return c;
}

static foci_status parse_set(foci_config **c, const char *text, const char *set) {
    return foci_config_parse(c, &schema, "a.yaml", text, strlen(text), &set, 1);
}

/* The whole message, to the letter. */
#define assert_message(call, expected) \
    do { \
        foci_status check_ = (call); \
        assert_string_equal(foci_error_message(), (expected)); \
        assert_int_equal(check_, FOCI_ERR_CONFIG); \
    } while (0)

static void refuses(const char *text, const char *expected) {
    foci_config *c = (foci_config *)&schema;
    assert_message(parse(&c, text), expected);
    assert_null(c);
}

static void refuses_set(const char *set, const char *expected) {
    foci_config *c = (foci_config *)&schema;
    assert_message(parse_set(&c, DATA, set), expected);
    assert_null(c);
}

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

/* -------------------------------------------------------------------------------------------------- inherit */

static char folder[256];

static const char *put(const char *name, const char *text) {
    static char path[512];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_ok(foci_write_file(path, text, strlen(text)));
    return path;
}

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "%s", temporary_folder());
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    return system(command);
}

static void expect(char *out, size_t size, const char *fmt) { /* %s stands for the folder, at most four times */
    snprintf(out, size, fmt, folder, folder, folder, folder);
}

static void later_files_win_key_by_key(void **state) {
    (void)state;
    char other[512];
    snprintf(other, sizeof other, "%s/sub", folder);
    assert_ok(foci_make_dirs(other));
    put("base.yaml", DATA "name: base\ntrain: {lr: 1, clip: 1, momentum: 1, batch_size: 1}\n");
    put("sub/second.yaml", "inherit: ../base.yaml\nname: second\ntrain: {lr: 2, momentum: 2, batch_size: 2}\n");
    put("third.yaml", "train: {lr: 3, momentum: 3}\n");
    foci_config *c;
    /* its own keys win although they stand before inherit */
    assert_ok(foci_config_load(&c, &schema, put("own.yaml", "train: {lr: 4}\ninherit: [sub/second.yaml, third.yaml]\n"),
                               NULL, 0));
    assert_close(foci_config_real(c, "train.clip"), 1, 0);
    assert_int_equal(foci_config_int(c, "train.batch_size"), 2);
    assert_close(foci_config_real(c, "train.momentum"), 3, 0);
    assert_close(foci_config_real(c, "train.lr"), 4, 0);
    assert_string_equal(foci_config_string(c, "name"), "second");
    char place[512];
    snprintf(place, sizeof place, "%s/sub/../base.yaml:3:16", folder);
    assert_string_equal(foci_config_place(c, "train.clip"), place);
    foci_config_free(c);
}

static void the_heir_chooses_the_kind(void **state) {
    (void)state;
    put("base.yaml", DATA "attention: {kind: softmax}\n");
    foci_config *c;
    assert_ok(foci_config_load(
        &c, &schema, put("own.yaml", "inherit: base.yaml\nattention: {kind: elliptical, first: 3}\n"), NULL, 0));
    assert_int_equal(foci_config_int(c, "attention.first"), 3);
    foci_config_free(c);
}

static void errors_name_the_file_they_are_in(void **state) {
    (void)state;
    char expected[1024];
    foci_config *c;
    put("base.yaml", DATA "train: {lr: fast}\n");
    const char *own = put("own.yaml", "inherit: base.yaml\n");
    expect(expected, sizeof expected,
           "%s/base.yaml:2:13: train.lr: `fast` is not a number\n     2 | train: {lr: fast}");
    assert_message(foci_config_load(&c, &schema, own, NULL, 0), expected);
    /* what is overridden is not looked at */
    assert_ok(foci_config_load(&c, &schema, own, (const char *[]){"train.lr=1"}, 1));
    foci_config_free(c);
}

static void missing_files_are_named(void **state) {
    (void)state;
    char expected[1024], path[512];
    foci_config *c;
    expect(path, sizeof path, "%s/none.yaml");
    expect(expected, sizeof expected, "%s/none.yaml: No such file or directory");
    assert_message(foci_config_load(&c, &schema, path, NULL, 0), expected);
    expect(expected, sizeof expected, "%s: not a regular file");
    assert_message(foci_config_load(&c, &schema, folder, NULL, 0), expected);
    expect(expected, sizeof expected,
           "%s/own.yaml:2:10: inherit: %s/none.yaml: No such file or directory\n     2 | inherit: none.yaml");
    assert_message(foci_config_load(&c, &schema, put("own.yaml", "\ninherit: none.yaml\n"), NULL, 0), expected);
    expect(expected, sizeof expected,
           "%s/own.yaml:1:9: inherit: no value; write the name of a file\n     1 | inherit:");
    assert_message(foci_config_load(&c, &schema, put("own.yaml", "inherit:\n"), NULL, 0), expected);
    expect(expected, sizeof expected,
           "%s/own.yaml:1:1: `inherit` is a key with a value, not a section\n     1 | inherit: {a: b}");
    assert_message(foci_config_load(&c, &schema, put("own.yaml", "inherit: {a: b}\n"), NULL, 0), expected);
}

static void circles_are_named(void **state) {
    (void)state;
    char expected[2048];
    foci_config *c;
    put("b.yaml", "inherit: ./a.yaml\n");
    const char *a = put("a.yaml", "inherit: b.yaml\n");
    expect(expected, sizeof expected,
           "%s/b.yaml:1:10: a circle of inheritance: %s/a.yaml -> %s/b.yaml -> %s/a.yaml\n"
           "     1 | inherit: ./a.yaml");
    assert_message(foci_config_load(&c, &schema, a, NULL, 0), expected);
    a = put("self.yaml", "inherit: self.yaml\n");
    expect(expected, sizeof expected,
           "%s/self.yaml:1:10: a circle of inheritance: %s/self.yaml -> %s/self.yaml\n"
           "     1 | inherit: self.yaml");
    assert_message(foci_config_load(&c, &schema, a, NULL, 0), expected);
}

static void inheritance_is_bounded(void **state) {
    (void)state;
    char name[32], text[64];
    foci_config *c;
    put("0.yaml", DATA);
    for (int i = 1; i <= 9; i++) {
        snprintf(name, sizeof name, "%d.yaml", i);
        snprintf(text, sizeof text, "inherit: %d.yaml\n", i - 1);
        const char *path = put(name, text);
        if (i <= 8) assert_ok(foci_config_load(&c, &schema, path, NULL, 0));
        else
            assert_fails(foci_config_load(&c, &schema, path, NULL, 0), FOCI_ERR_CONFIG,
                         "1.yaml:1:10: inherit: more than 8 files deep");
        foci_config_free(c);
    }
    /* files that inherit many times do not multiply */
    for (int i = 1; i <= 8; i++) {
        snprintf(name, sizeof name, "%d.yaml", i);
        snprintf(text, sizeof text, "inherit: [%d.yaml, %d.yaml, %d.yaml]\n", i - 1, i - 1, i - 1);
        put(name, text);
    }
    assert_fails(foci_config_load(&c, &schema, put("8.yaml", text), NULL, 0), FOCI_ERR_CONFIG,
                 "inherit: more than 64 files");
}

/* -------------------------------------------------------------------------------------------------- recipes */

static const foci_key recipe_keys[] = {{"name", FOCI_KEY_STRING, "run", 0, 0, NULL, "of the run"},
                                       {"recipe", FOCI_KEY_CHOICE, "none", 0, 0, "none fast slow", "defaults"},
                                       {0}};
static const foci_section recipe_sections[] = {{"", NULL, recipe_keys}, {"train", NULL, train_keys}};
static const foci_recipe recipes[] = {{"fast", "in no time", "train:\n  lr: 1\n  clip: 2\n  seed: 3\n"},
                                      {"slow", "in a while", "train: {lr: 0.5}\n"},
                                      {0}};
static const foci_schema with_recipes = {recipe_sections, 2, recipes};

static foci_config *with_recipe(const char *text, const char *const *set, int sets) {
    foci_config *c = NULL;
    assert_ok(foci_config_parse(&c, &with_recipes, "a.yaml", text, strlen(text), set, sets));
    return c;
}

static void a_recipe_gives_defaults(void **state) {
    (void)state;
    foci_config *c = with_recipe("train: {clip: 7}\nrecipe: fast\n", (const char *const[]){"train.seed=9"}, 1);
    assert_close(foci_config_real(c, "train.lr"), 1, 0);
    assert_close(foci_config_real(c, "train.clip"), 7, 0); /* the file wins, wherever it stands */
    assert_int_equal(foci_config_int(c, "train.seed"), 9);
    assert_int_equal(foci_config_int(c, "train.batch_size"), 128);
    assert_true(foci_config_is_set(c, "train.lr"));
    assert_string_equal(foci_config_place(c, "train.lr"), "recipe fast:2:3");
    char *text = foci_config_dump(c); /* and the dump says the same without knowing it */
    foci_config *again = with_recipe(text, NULL, 0);
    char *text_again = foci_config_dump(again);
    assert_string_equal(text, text_again);
    assert_non_null(strstr(text, "recipe: fast\n"));
    free(text);
    free(text_again);
    foci_config_free(again);
    foci_config_free(c);
}
static void the_last_recipe_counts(void **state) {
    (void)state;
    foci_config *c = with_recipe("recipe: fast\n", (const char *const[]){"recipe=slow"}, 1);
    assert_close(foci_config_real(c, "train.lr"), 0.5, 0);
    assert_int_equal(foci_config_int(c, "train.seed"), 0); /* nothing of the other */
    foci_config_free(c);
    c = with_recipe("recipe: fast\n", (const char *const[]){"recipe=none"}, 1);
    assert_close(foci_config_real(c, "train.lr"), 1e-3, 0);
    foci_config_free(c);
}
static void a_recipe_that_is_none(void **state) {
    (void)state;
    foci_config *c;
    assert_fails(foci_config_parse(&c, &with_recipes, "a.yaml", "recipe: fats", 12, NULL, 0), FOCI_ERR_CONFIG,
                 "a.yaml:1:9: recipe: `fats` is not one of none, fast, slow; did you mean `fast`?");
    assert_fails(foci_config_parse(&c, &with_recipes, "a.yaml", "recipe: [fast]", 14, NULL, 0), FOCI_ERR_CONFIG,
                 "recipe: a list where");
    assert_fails(foci_config_parse(&c, &with_recipes, "a.yaml", "recipe: []", 10, NULL, 0), FOCI_ERR_CONFIG,
                 "recipe: a list where");
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

/* --------------------------------------------------------------------------------------------------- paths */

static const foci_key path_keys[] = {{"train", FOCI_KEY_STRING, "", 0, 0, NULL, "images", .path = true},
                                     {"val", FOCI_KEY_STRING, "", 0, 0, NULL, "images", .path = true},
                                     {"note", FOCI_KEY_STRING, "", 0, 0, NULL, "no path"},
                                     {0}};
static const foci_section path_sections[] = {{"data", NULL, path_keys}};
static const foci_schema with_paths = {path_sections, 1, NULL};

static void write_text(const char *path, const char *text) {
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static foci_config *with_path(const char *file, const char *set) {
    foci_config *c = NULL;
    assert_ok(foci_config_load(&c, &with_paths, file, &set, set ? 1 : 0));
    return c;
}

static void expect_path(const char *file, const char *set, const char *expected) {
    foci_config *c = with_path(file, set);
    assert_string_equal(foci_config_string(c, "data.train"), expected);
    assert_ok(foci_config_path(c, "data.train"));
    foci_config_free(c);
}

/* The configs in sub name files there and here. */
static void a_path_is_found_beside_the_config_too(void **state) {
    (void)state;
    const char *place = temporary_folder();
    char before[4096], real[4096], expected[8192];
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(0, chdir(place));
    assert_non_null(realpath(".", real));
    mkdir("sub", 0755);
    mkdir("sub/heir", 0755);
    write_text("here", "");
    write_text("sub/there", "");
    write_text("sub/here", "");
    write_text("sub/b.tar", "");
    write_text("sub/a.yaml", "data: {train: there, val: nowhere, note: there}\n");
    write_text("sub/both.yaml", "data: {train: here}\n");
    write_text("sub/tar.yaml", "data: {train: b.tar/train}\n");
    write_text("sub/heir/c.yaml", "inherit: ../a.yaml\ndata: {note: x}\n");
    expect_path("sub/a.yaml", NULL, "sub/there");
    expect_path("sub/heir/c.yaml", NULL, "sub/heir/../there"); /* of the file that names it */
    expect_path("sub/both.yaml", NULL, "here");                /* from the working folder first */
    expect_path("sub/tar.yaml", NULL, "sub/b.tar/train");
    expect_path("sub/a.yaml", "data.train=here", "here");
    expect_path("sub/a.yaml", "data.train=there", "there"); /* an override stands in no file */
    foci_config *c = with_path("sub/a.yaml", NULL);
    assert_string_equal(foci_config_string(c, "data.note"), "there");
    assert_fails(foci_config_path(c, "data.val"), FOCI_ERR_DATA,
                 "sub/a.yaml:1:22: data.val: nothing is at nowhere, nor at sub/nowhere, from the folder of the config");
    char *text = foci_config_record(c);
    snprintf(expected, sizeof expected, "data:\n  train: %s/sub/there\n  val: nowhere\n  note: there\n", real);
    assert_non_null(strstr(text, expected));
    free(text);
    foci_config_free(c);
    c = with_path("sub/tar.yaml", NULL);
    text = foci_config_record(c);
    snprintf(expected, sizeof expected, "data:\n  train: %s/sub/b.tar/train\n", real);
    assert_non_null(strstr(text, expected));
    free(text);
    foci_config_free(c);
    assert_int_equal(0, chdir(before));
}

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
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
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
        IN_FOLDER(later_files_win_key_by_key),
        IN_FOLDER(the_heir_chooses_the_kind),
        IN_FOLDER(errors_name_the_file_they_are_in),
        IN_FOLDER(missing_files_are_named),
        IN_FOLDER(circles_are_named),
        IN_FOLDER(inheritance_is_bounded),
        cmocka_unit_test(a_recipe_gives_defaults),
        cmocka_unit_test(the_last_recipe_counts),
        cmocka_unit_test(a_recipe_that_is_none),
        cmocka_unit_test(a_config_as_json),
        cmocka_unit_test(the_essence_of_a_config),
        cmocka_unit_test(a_path_is_found_beside_the_config_too),
        cmocka_unit_test(a_dump_is_readable),
        cmocka_unit_test(a_dump_reads_back_the_same),
        cmocka_unit_test(checks_of_others_fail_at_the_place_of_a_key),
        cmocka_unit_test(help_lists_every_key_in_columns),
        cmocka_unit_test(the_tables_may_go_before_the_config),
        cmocka_unit_test(a_wrong_default_is_an_error_not_a_surprise),
        cmocka_unit_test(a_config_fills_the_fields_of_bound_rows),
        cmocka_unit_test(fields_of_another_kind_are_nothing),
        cmocka_unit_test(texts_fill_the_fields_without_a_config),
        cmocka_unit_test(wrong_texts_are_refused),
        cmocka_unit_test(required_rows_have_to_be_given),
        cmocka_unit_test(an_argument_is_taken_as_it_stands),
        cmocka_unit_test(a_field_tells_its_row),
        cmocka_unit_test(mutations_never_crash),
        cmocka_unit_test(mutated_overrides_never_crash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
