/* Packs: the same images as their folder gives, and every damage found, named and survived. */
#include <unistd.h>

#include "images/resize.h"
#include "data/pack_files.h"

enum { COUNT = 5, WIDE = 24, HIGH = 20, ENTRY = 32 };
static const char *const name[COUNT] = {"Z/a.png", "a/1.png", "a/2.jpg", "a-b/x.png", "b/y.png"};

static char *folder;
static const char *images, *packed; /* the set as files, and its pack */
static blob whole;                  /* the pack's bytes */

static foci_image_set *open_set(const char *path) {
    foci_image_set *set = NULL;
    assert_ok(foci_image_set_open(&set, path));
    return set;
}

static void make_pack(const char *from, const char *to, int size) {
    foci_image_set *set = open_set(from);
    assert_ok(foci_pack_images(to, set, size, NULL));
    foci_image_set_close(set);
}

static int make(void **state) {
    static char from[600], to[600];
    make_folder(state);
    folder = *state;
    snprintf(from, sizeof from, "%s/images", folder);
    snprintf(to, sizeof to, "%s/images.pack", folder);
    images = from;
    packed = to;
    mkdir(images, 0755);
    for (int i = 0; i < COUNT; i++) {
        char class[8];
        snprintf(class, sizeof class, "%.*s", (int)(strchr(name[i], '/') - name[i]), name[i]);
        save_image(images, class, strchr(name[i], '/') + 1, i);
    }
    make_pack(images, packed, 0);
    whole = load(packed);
    return 0;
}
static int clean(void **state) {
    free(whole.data);
    return remove_folder(state);
}

static void expect_image(const foci_image_set *set, int64_t i, const foci_image *wanted) {
    foci_image image;
    assert_ok(foci_image_set_read(set, i, &image, 0));
    assert_int_equal(largest_difference(&image, wanted), 0);
    foci_image_free(&image);
}

/* --------------------------------------------------------------------------------------- what a pack holds */

static void a_pack_is_as_its_folder(void **state) {
    (void)state;
    foci_image_set *files = open_set(images), *pack = open_set(packed);
    assert_int_equal(foci_image_set_count(pack), COUNT);
    assert_int_equal(foci_image_set_classes(pack), 4);
    for (int k = 0; k < 4; k++)
        assert_string_equal(foci_image_set_class_name(pack, k), foci_image_set_class_name(files, k));
    for (int i = 0; i < COUNT; i++) {
        foci_image wanted;
        assert_string_equal(foci_image_set_name(pack, i), name[i]);
        assert_int_equal(foci_image_set_label(pack, i), foci_image_set_label(files, i));
        assert_ok(foci_image_set_read(files, i, &wanted, 0));
        expect_image(pack, i, &wanted);
        foci_image_free(&wanted);
    }
    foci_image_set_close(files);
    foci_image_set_close(pack);
}

static void the_shorter_side_is_reduced(void **state) {
    (void)state;
    const char *small = path_of("%s/small.pack", folder);
    make_pack(images, small, 9);
    foci_image_set *files = open_set(images), *pack = open_set(small);
    for (int i = 0; i < COUNT; i++) {
        foci_image full, wanted;
        assert_ok(foci_image_set_read(files, i, &full, 0));
        foci_image_view all = foci_image_crop(&full, 0, 0, WIDE, HIGH);
        assert_ok(foci_image_resize(&wanted, &all, 10, 9, FOCI_BICUBIC)); /* 24 * 9 / 20 = 10.8 */
        expect_image(pack, i, &wanted);
        foci_image_free(&full);
        foci_image_free(&wanted);
    }
    foci_image_set_close(files);
    foci_image_set_close(pack);
}

static void small_images_are_not_enlarged(void **state) {
    (void)state;
    const char *large = path_of("%s/large.pack", folder);
    make_pack(images, large, 21);
    blob b = load(large);
    assert_int_equal(b.size, whole.size);
    assert_memory_equal(b.data, whole.data, b.size);
    free(b.data);
}

static void a_pack_of_a_pack_is_the_same(void **state) {
    (void)state;
    const char *again = path_of("%s/again.pack", folder);
    make_pack(packed, again, 0);
    blob b = load(again);
    assert_int_equal(b.size, whole.size);
    assert_memory_equal(b.data, whole.data, b.size);
    free(b.data);
}

/* What evaluation sees is the same: it reduces the shorter side first, to what the pack was made with. */
static void evaluation_gives_the_same_numbers(void **state) {
    (void)state;
    enum { SIDE = 12 };
    const foci_transform t = {
        .height = SIDE, .width = SIDE, .crop_pct = 0.75, .interpolation = FOCI_BICUBIC, .std = {1, 1, 1}};
    const char *small = path_of("%s/evaluation.pack", folder);
    make_pack(images, small, 16);
    foci_image_set *files = open_set(images), *pack = open_set(small);
    for (int i = 0; i < COUNT; i++) {
        foci_image a, b;
        foci_real x[3 * SIDE * SIDE], y[3 * SIDE * SIDE];
        assert_ok(foci_image_set_read(files, i, &a, 0));
        assert_ok(foci_image_set_read(pack, i, &b, 0));
        assert_int_not_equal(a.width, b.width);
        assert_ok(foci_transform_apply(&t, &a, 0, 0, i, x));
        assert_ok(foci_transform_apply(&t, &b, 0, 0, i, y));
        assert_memory_equal(x, y, sizeof x);
        foci_image_free(&a);
        foci_image_free(&b);
    }
    foci_image_set_close(files);
    foci_image_set_close(pack);
}

static void more_images_than_are_decoded_at_once(void **state) {
    (void)state;
    enum { MANY = 150 };
    const char *dir = path_of("%s/many", folder), *pack_path = path_of("%s/many.pack", folder);
    mkdir(dir, 0755);
    for (int i = 0; i < MANY; i++) {
        char file[16];
        snprintf(file, sizeof file, "%03d.png", i);
        save_image(dir, "k", file, i % 7);
    }
    make_pack(dir, pack_path, 0);
    foci_image_set *pack = open_set(pack_path);
    assert_int_equal(foci_image_set_count(pack), MANY);
    for (int i = 0; i < MANY; i++) {
        foci_image wanted = smooth_image(WIDE, HIGH, i % 7);
        expect_image(pack, i, &wanted);
        foci_image_free(&wanted);
    }
    foci_image_set_close(pack);
}

static void a_damaged_image_leaves_no_pack(void **state) {
    (void)state;
    const char *dir = path_of("%s/spoilt", folder), *pack_path = path_of("%s/spoilt.pack", folder);
    mkdir(dir, 0755);
    save_image(dir, "k", "a.png", 0);
    save(path_of("%s/k/b.png", dir), "words", 5);
    foci_image_set *set = open_set(dir);
    assert_fails(foci_pack_images(pack_path, set, 0, NULL), FOCI_ERR_DATA, "spoilt/k/b.png");
    foci_image_set_close(set);
    assert_int_not_equal(access(pack_path, F_OK), 0);
    assert_int_not_equal(access(path_of("%s.tmp", pack_path), F_OK), 0);
}

static void a_file_that_is_there_is_kept(void **state) {
    (void)state;
    const char *path = path_of("%s/precious", folder);
    save(path, "words", 5);
    foci_image_set *set = open_set(images);
    assert_fails(foci_pack_images(path, set, 0, NULL), FOCI_ERR_IO, "precious: is there already");
    assert_fails(foci_pack_images(path_of("%s/no/where", folder), set, 0, NULL), FOCI_ERR_IO, "no/where");
    foci_image_set_close(set);
    blob b = load(path);
    assert_int_equal(b.size, 5);
    free(b.data);
}

/* ------------------------------------------------------------------------------------------------- damage */

static blob copy_of_whole(void) { return copy_of(&whole); }
static const char *save_damaged(blob *b) { return save_pack(b, folder); }

/* Refuses the pack (and frees it), saying `part`. */
static void expect_refusal(blob *b, const char *part) {
    foci_image_set *set = (foci_image_set *)folder;
    const char *path = save_damaged(b);
    assert_fails(foci_image_set_open(&set, path), FOCI_ERR_DATA, "damaged.pack: ");
    if (!strstr(foci_error_message(), part)) fail_msg("\"%s\" lacks \"%s\"", foci_error_message(), part);
    assert_null(set);
}

static void a_pack_cut_short_anywhere_is_refused(void **state) {
    (void)state;
    for (size_t n = 8; n < whole.size; n += n < 200 || n + 700 > whole.size ? 1 : 97) {
        blob b = copy_of_whole();
        b.size = n;
        expect_refusal(&b, n < HEADER ? "too few" : "cut short");
    }
}

static void bytes_behind_the_end_are_refused(void **state) {
    (void)state;
    blob b = copy_of_whole();
    append(&b, "x", 1);
    expect_refusal(&b, "cut short");
}

static void every_flipped_bit_of_header_and_table_is_found(void **state) {
    (void)state;
    size_t table = (size_t)get(&whole, 24, 8);
    for (size_t at = 12; at < whole.size; at += at == HEADER - 1 ? table - HEADER + 1 : 1) {
        blob b = copy_of_whole();
        b.data[at] ^= (unsigned char)(1 << at % 8);
        expect_refusal(&b, at < HEADER ? "header is damaged" : "table is damaged");
    }
}

static void a_flipped_bit_of_an_image_names_it(void **state) {
    (void)state;
    size_t table = (size_t)get(&whole, 24, 8);
    for (int i = 0; i < COUNT; i++) {
        blob b = copy_of_whole();
        b.data[get(&whole, table + (size_t)i * ENTRY, 8) + 3 * WIDE * HIGH - 1] ^= 1;
        foci_image_set *set = open_set(save_damaged(&b));
        for (int k = 0; k < COUNT; k++) {
            foci_image image = {1, 1, NULL};
            if (k != i) {
                assert_ok(foci_image_set_read(set, k, &image, 0));
            } else {
                assert_fails(foci_image_set_read(set, k, &image, 0), FOCI_ERR_DATA,
                             path_of("damaged.pack/%s: ", name[i]));
                assert_non_null(strstr(foci_error_message(), "checksum"));
                assert_null(image.pixels);
            }
            foci_image_free(&image);
        }
        foci_image_set_close(set);
    }
}

static void another_version_is_refused(void **state) {
    (void)state;
    blob b = copy_of_whole();
    set_number(&b, 8, 2, 4);
    seal(&b);
    expect_refusal(&b, "version 2");
}

static void another_kind_is_refused(void **state) {
    (void)state;
    for (uint64_t kind = 0; kind < 5; kind++) {
        blob b = copy_of_whole();
        set_number(&b, 12, kind == 1 ? 0xffffffff : kind, 4);
        seal(&b);
        expect_refusal(&b, "not of images");
    }
}

/* Fields of the header that lie, under right checksums. */
static void impossible_headers_are_refused(void **state) {
    (void)state;
    static const uint64_t values[] = {
        0, COUNT + 1 + 40, 63, 65, 1u << 20, (uint64_t)1 << 40, (uint64_t)1 << 59, (uint64_t)1 << 63, UINT64_MAX};
    static const size_t fields[] = {16, 24, 32}; /* count, table, size */
    for (size_t f = 0; f < 3; f++)
        for (size_t v = 0; v < sizeof values / sizeof *values; v++) {
            blob b = copy_of_whole();
            set_number(&b, fields[f], values[v], 8);
            seal(&b);
            expect_refusal(&b, "damaged.pack: ");
        }
}

static void impossible_entries_are_refused_by_number(void **state) {
    (void)state;
    size_t table = (size_t)get(&whole, 24, 8);
    const struct {
        int at, bytes;
        uint64_t value;
        const char *part;
    } bad[] = {
        {0, 8, 0, "pixels"},
        {0, 8, 65, "pixels"},
        {0, 8, table, "pixels"},
        {0, 8, table - 64, "pixels"},
        {0, 8, UINT64_MAX - 63, "pixels"},
        {16, 4, 0, "size"},
        {20, 4, 0, "size"},
        {16, 4, UINT32_MAX, "size"},
        {20, 4, 1u << 23, "pixels"},
        {24, 8, whole.size - table - COUNT * ENTRY, "name"},
        {24, 8, UINT64_MAX, "name"},
        {24, 8, 1, "CLASS/FILE"},                                      /* "/a.png" */
        {24, 8, 7, "CLASS/FILE"},                                      /* "" */
        {24, 8, whole.size - table - COUNT * ENTRY - 4, "CLASS/FILE"}, /* "png" */
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        for (int k = 0; k < COUNT; k += COUNT - 1) {
            blob b = copy_of_whole();
            set_number(&b, table + (size_t)k * ENTRY + (size_t)bad[i].at, bad[i].value, bad[i].bytes);
            seal(&b);
            expect_refusal(&b, bad[i].part);
            if (!strstr(foci_error_message(), path_of("image %d", k))) fail_msg("%s", foci_error_message());
        }
}

static void a_name_that_is_there_twice_is_refused(void **state) {
    (void)state;
    blob b = copy_of_whole();
    size_t table = (size_t)get(&b, 24, 8);
    set_number(&b, table + 24, get(&b, table + ENTRY + 24, 8), 8);
    seal(&b);
    expect_refusal(&b, "a/1.png is there twice");
}

static void names_without_an_end_are_refused(void **state) {
    (void)state;
    blob b = copy_of_whole();
    b.data[b.size - 1] = 'x';
    seal(&b);
    expect_refusal(&b, "no end");
}

/* Whatever the bits say, under right checksums: refused with the name of the file, or read. */
static void damaged_packs_do_no_harm(void **state) {
    (void)state;
    uint32_t r = 5;
    size_t table = (size_t)get(&whole, 24, 8), opened = 0;
    for (int round = 0; round < 3000; round++) {
        blob b = copy_of_whole();
        for (int k = 0; k < 1 + round % 3; k++) {
            size_t at = round % 4 ? table + next_random(&r) % (whole.size - table) : next_random(&r) % whole.size;
            b.data[at] ^= (unsigned char)(1 << next_random(&r) % 8);
        }
        if (round % 5) seal(&b);
        if (round % 7 == 0) b.size -= next_random(&r) % 300;
        foci_image_set *set;
        if (foci_image_set_open(&set, save_damaged(&b))) {
            assert_non_null(strstr(foci_error_message(), "damaged.pack"));
            continue;
        }
        opened++;
        for (int64_t n = 0; n < foci_image_set_count(set); n++) {
            foci_image image;
            if (!foci_image_set_read(set, n, &image, 0)) foci_image_free(&image);
        }
        foci_image_set_close(set);
    }
    assert_in_range(opened, 100, 2900); /* both ends of it were tried */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pack_is_as_its_folder),
        cmocka_unit_test(the_shorter_side_is_reduced),
        cmocka_unit_test(small_images_are_not_enlarged),
        cmocka_unit_test(a_pack_of_a_pack_is_the_same),
        cmocka_unit_test(evaluation_gives_the_same_numbers),
        cmocka_unit_test(more_images_than_are_decoded_at_once),
        cmocka_unit_test(a_damaged_image_leaves_no_pack),
        cmocka_unit_test(a_file_that_is_there_is_kept),
        cmocka_unit_test(a_pack_cut_short_anywhere_is_refused),
        cmocka_unit_test(bytes_behind_the_end_are_refused),
        cmocka_unit_test(every_flipped_bit_of_header_and_table_is_found),
        cmocka_unit_test(a_flipped_bit_of_an_image_names_it),
        cmocka_unit_test(another_version_is_refused),
        cmocka_unit_test(another_kind_is_refused),
        cmocka_unit_test(impossible_headers_are_refused),
        cmocka_unit_test(impossible_entries_are_refused_by_number),
        cmocka_unit_test(a_name_that_is_there_twice_is_refused),
        cmocka_unit_test(names_without_an_end_are_refused),
        cmocka_unit_test(damaged_packs_do_no_harm),
    };
    return cmocka_run_group_tests_name("image_pack", tests, make, clean);
}
