/* Data sets as a config names them: what is opened, what is said to be missing, what checking and counting find. */
#include "check.h"

#include "config/config.h"
#include "task/corpus.h"
#include "task/image_data.h"
#include "task/schema.h"

static foci_config *config_of(const char *format, ...) __attribute__((format(printf, 1, 2)));
static foci_config *config_of(const char *format, ...) {
    char text[2048];
    foci_config *c;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    assert_ok(foci_config_parse(&c, foci_schema_all(), "test", text, strlen(text), NULL, 0));
    return c;
}

static void save(const char *folder, const char *name, const char *text) {
    char path[600];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    assert_int_equal(0, fclose(f));
}

static char said[4096];
static void note(void *context, const char *line) {
    (void)context;
    snprintf(said + strlen(said), sizeof said - strlen(said), "%s\n", line);
}
static const foci_lines notes = {note, NULL};

/* --------------------------------------------------------------------------------------------------- text */

static const char lm[] = "model: {kind: lm, context: 2}\n";

static void a_corpus_opens_the_splits_asked_for(void **state) {
    (void)state;
    const char *dir = temporary_folder();
    const foci_tokens *tokens;
    foci_corpus corpus;
    save(dir, "a", "x y x\n");
    save(dir, "b", "y y y x\n");
    foci_config *c = config_of("%sdata: {kind: text, train: %s/a, valid: %s/b, test: %s/a}\n", lm, dir, dir, dir);
    assert_ok(foci_corpus_open(&corpus, c, 0));
    assert_int_equal(3, foci_vocabulary_size(corpus.vocabulary));
    assert_int_equal(0, corpus.train.count + corpus.valid.count + corpus.test.count);
    foci_corpus_close(&corpus);
    assert_ok(foci_corpus_open(&corpus, c, FOCI_VALID));
    assert_int_equal(0, corpus.train.count + corpus.test.count);
    assert_ok(foci_corpus_tokens(&corpus, c, FOCI_VALID, &tokens));
    assert_int_equal(5, tokens->count);
    foci_corpus_close(&corpus);
    assert_ok(foci_corpus_open(&corpus, c, FOCI_TRAIN | FOCI_VALID | FOCI_TEST));
    assert_int_equal(4, corpus.train.count);
    assert_int_equal(4, corpus.test.count);
    foci_corpus_close(&corpus);
    foci_config_free(c);
}

static void a_corpus_says_what_is_missing(void **state) {
    (void)state;
    const char *dir = temporary_folder();
    const foci_tokens *tokens;
    foci_corpus corpus;
    save(dir, "a", "x y x\n");
    foci_config *none = config_of("%sdata: {kind: text, valid: %s/a}\n", lm, dir);
    assert_fails(foci_corpus_open(&corpus, none, FOCI_VALID), FOCI_ERR_CONFIG,
                 "data.train: names no text; the vocabulary comes from it");
    foci_config *some = config_of("%sdata: {kind: text, train: %s/a}\n", lm, dir);
    assert_ok(foci_corpus_open(&corpus, some, FOCI_VALID | FOCI_TEST));
    assert_fails(foci_corpus_tokens(&corpus, some, FOCI_VALID, &tokens), FOCI_ERR_CONFIG, "data.valid: names no text");
    assert_fails(foci_corpus_tokens(&corpus, some, FOCI_TEST, &tokens), FOCI_ERR_CONFIG, "data.test: names no text");
    foci_corpus_close(&corpus);
    foci_config *gone = config_of("%sdata: {kind: text, train: %s/a, test: %s/nope}\n", lm, dir, dir);
    assert_fails(foci_corpus_open(&corpus, gone, FOCI_TEST), FOCI_ERR_DATA, "nope");
    assert_null(corpus.vocabulary);
    foci_config *images = config_of("model: {kind: vit}\ndata: {kind: image_folder}\n");
    assert_fails(foci_corpus_open(&corpus, images, 0), FOCI_ERR_CONFIG, "data.kind: image_folder is no text");
    foci_config_free(none);
    foci_config_free(some);
    foci_config_free(gone);
    foci_config_free(images);
}

static void splits_have_names(void **state) {
    (void)state;
    unsigned split;
    assert_ok(foci_corpus_split("val", &split));
    assert_int_equal(FOCI_VALID, split);
    assert_ok(foci_corpus_split("valid", &split));
    assert_int_equal(FOCI_VALID, split);
    assert_ok(foci_corpus_split("test", &split));
    assert_int_equal(FOCI_TEST, split);
    assert_fails(foci_corpus_split("train", &split), FOCI_ERR_CONFIG, "text has the splits valid and test, not train");
}

static void text_is_counted(void **state) {
    (void)state;
    const char *dir = temporary_folder();
    char expected[1024];
    save(dir, "a", "x y x\n\n");
    foci_config *c = config_of("%sdata: {kind: text, train: %s/a}\n", lm, dir);
    const foci_data_set *set = foci_data_set_of(c);
    assert_string_equal("text", set->name);
    assert_null(set->check);
    assert_null(set->show);
    said[0] = 0;
    assert_ok(set->count(c, &notes));
    snprintf(expected, sizeof expected,
             "vocabulary  3 words\n"
             "            rare words, read as <unk>: 1, in 1 of the tokens (data.min_count, data.vocab_limit)\n"
             "data.train  %s/a: 5 tokens, 2 lines, 1 <unk>, unigram perplexity ",
             dir);
    assert_memory_equal(expected, said, strlen(expected));
    foci_config_free(c);
}

/* ------------------------------------------------------------------------------------------------- images */

static const char vit[] = "model: {kind: vit, img_size: 16, patch_size: 8, embed_dim: 8, depth: 1, num_heads: 1}\n"
                          "train: {batch_size: 4}\n";

static const char *make_images(void) {
    static char images[300];
    snprintf(images, sizeof images, "%s/images", temporary_folder());
    assert_ok(foci_make_images(images, &(foci_shapes_options){16, 20, 10, 0}));
    return images;
}

static void images_are_opened_split_by_split(void **state) {
    (void)state;
    const char *dir = make_images();
    foci_config *c = config_of("%sdata: {kind: image_folder, train: %s/train, val: %s/val}\n", vit, dir, dir);
    foci_image_sets sets = {NULL, NULL};
    foci_transform t;
    assert_ok(foci_validation_images_open(&sets, &t, c));
    assert_int_equal(10, foci_image_set_count(sets.val));
    assert_null(sets.train);
    assert_int_equal(16, t.width);
    assert_false(t.train);
    foci_image_loader *loader = NULL;
    assert_ok(foci_training_images_open(&sets, &loader, c));
    assert_int_equal(20, foci_image_set_count(sets.train));
    assert_int_equal(5, foci_image_loader_batches(loader));
    foci_image_loader_close(loader);
    foci_image_sets_close(&sets);
    foci_config_free(c);
}

static void images_that_are_missing_are_told(void **state) {
    (void)state;
    const char *dir = make_images();
    foci_image_sets sets = {NULL, NULL};
    foci_transform t;
    foci_config *none = config_of("%sdata: {kind: image_folder, train: %s/train}\n", vit, dir);
    assert_fails(foci_image_sets_open(&sets, none, FOCI_VALID), FOCI_ERR_CONFIG, "data.val: names no images");
    foci_config *text = config_of("%sdata: {kind: text}\n", lm);
    assert_fails(foci_image_sets_open(&sets, text, FOCI_VALID), FOCI_ERR_CONFIG, "data.kind: text has no images");
    foci_config *three = config_of("model: {kind: vit, img_size: 16, patch_size: 8, num_classes: 3}\n"
                                   "data: {kind: image_folder, val: %s/val}\n",
                                   dir);
    assert_fails(foci_validation_images_open(&sets, &t, three), FOCI_ERR_CONFIG,
                 "model.num_classes: 3, but the data has 10 classes");
    foci_image_sets_close(&sets);
    foci_config_free(none);
    foci_config_free(text);
    foci_config_free(three);
}

static void lists_in_a_config_are_checked(void **state) {
    (void)state;
    static const char *const wrong[][2] = {
        {"scale: [0.1, 0.2, 0.3]", "data.scale: needs one number, or the least and the largest"},
        {"ratio: [2, 1]", "data.ratio: 2 is more than 1"},
        {"mean: [0.1, 0.2]", "data.mean: needs one number, or one per channel"},
        {"std: []", "data.std: needs one number, or one per channel"},
        {"rand_augment: none", "data.rand_augment: "},
    };
    foci_transform t;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        foci_config *c = config_of("%sdata: {kind: image_folder, %s}\n", vit, wrong[i][0]);
        assert_fails(foci_transform_from_config(&t, c, true), FOCI_ERR_CONFIG, wrong[i][1]);
        foci_config_free(c);
    }
}

static void a_config_says_how_images_are_prepared(void **state) {
    (void)state;
    foci_transform t;
    foci_config *c = config_of("model: {kind: vit, img_size: [24, 16], patch_size: 8}\n"
                               "data: {kind: image_folder, scale: 0.5, ratio: [0.8, 1.2], padding: 2, flip: 0.25,\n"
                               "       color_jitter: 0.3, random_erasing: 0.4, crop_pct: 0.9,\n"
                               "       interpolation: bilinear,\n"
                               "       rand_augment: rand-m7-n3-inc1, mean: 0.25, std: [0.1, 0.2, 0.3]}\n");
    assert_ok(foci_transform_from_config(&t, c, true));
    assert_int_equal(24, t.height);
    assert_int_equal(16, t.width);
    assert_true(t.train);
    assert_int_equal(2, t.padding);
    assert_int_equal(FOCI_BILINEAR, t.interpolation);
    assert_int_equal(3, t.rand_augment.operations);
    const double read[] = {
        t.scale_min, t.scale_max, t.ratio_min, t.ratio_max, t.flip,   t.color_jitter,          t.erasing,
        t.crop_pct,  t.mean[0],   t.mean[2],   t.std[0],    t.std[2], t.rand_augment.magnitude};
    const double expected[] = {0.5, 0.5, 0.8, 1.2, 0.25, 0.3, 0.4, 0.9, 0.25, 0.25, 0.1, 0.3, 7};
    for (size_t i = 0; i < sizeof read / sizeof *read; i++) assert_close(read[i], expected[i], 1e-12);
    foci_config_free(c);
    c = config_of("%s", vit);
    assert_ok(foci_transform_from_config(&t, c, false));
    assert_int_equal(FOCI_BICUBIC, t.interpolation);
    foci_config_free(c);
}

static void images_are_checked_and_counted(void **state) {
    (void)state;
    const char *dir = make_images();
    char expected[1024];
    foci_config *c = config_of("%sdata: {kind: image_folder, val: %s/val}\n", vit, dir);
    const foci_data_set *set = foci_data_set_of(c);
    said[0] = 0;
    assert_ok(set->check(c, &notes));
    assert_string_equal("data.val: 10 images in 10 classes read\n", said);
    said[0] = 0;
    assert_ok(set->count(c, &notes));
    snprintf(expected, sizeof expected, "data.val  %s/val: 10 images, 10 classes\n    circle-odd %30d\n", dir, 1);
    assert_memory_equal(expected, said, strlen(expected));
    save(dir, "val/star-odd/00000.jpg", "\xff\xd8 no more");
    save(dir, "val/cross-odd/00000.jpg", "\xff\xd8 no more");
    said[0] = 0;
    assert_fails(set->check(c, &notes), FOCI_ERR_DATA, "2 images cannot be read");
    assert_non_null(strstr(said, "val/cross-odd/00000.jpg: "));
    assert_non_null(strstr(said, "val/star-odd/00000.jpg: "));
    assert_non_null(strstr(said, "data.val: 10 images in 10 classes read\n"));
    foci_config_free(c);
}

static void images_are_shown(void **state) {
    (void)state;
    const char *dir = make_images();
    foci_image a, b, other;
    foci_config *c = config_of("%sdata: {kind: image_folder, train: %s/train}\n", vit, dir);
    const foci_data_set *set = foci_data_set_of(c);
    assert_ok(set->show(c, 6, 1, &a));
    assert_ok(set->show(c, 6, 1, &b));
    assert_ok(set->show(c, 6, 2, &other));
    const size_t bytes = (size_t)3 * (size_t)a.width * (size_t)a.height;
    assert_memory_equal(a.pixels, b.pixels, bytes);
    assert_memory_not_equal(a.pixels, other.pixels, bytes);
    foci_image_free(&a);
    foci_image_free(&b);
    foci_image_free(&other);
    foci_config_free(c);
}

/* -------------------------------------------------------------------------------------------- descriptors */

static void every_kind_can_be_chosen(void **state) {
    (void)state;
    for (int i = 0; foci_data_sets[i]; i++) {
        const foci_data_set *set = foci_data_sets[i];
        foci_config *c = config_of("model: {kind: vit}\ndata: {kind: %s}\n", set->name);
        assert_ptr_equal(set, foci_data_set_of(c));
        assert_true(set->summary[0] && set->keys && set->open && set->count);
        foci_config_free(c);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_corpus_opens_the_splits_asked_for),
        cmocka_unit_test(a_corpus_says_what_is_missing),
        cmocka_unit_test(splits_have_names),
        cmocka_unit_test(text_is_counted),
        cmocka_unit_test(images_are_opened_split_by_split),
        cmocka_unit_test(images_that_are_missing_are_told),
        cmocka_unit_test(lists_in_a_config_are_checked),
        cmocka_unit_test(a_config_says_how_images_are_prepared),
        cmocka_unit_test(images_are_checked_and_counted),
        cmocka_unit_test(images_are_shown),
        cmocka_unit_test(every_kind_can_be_chosen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
