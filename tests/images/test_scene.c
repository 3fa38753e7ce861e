/* Maps of labels, and images with a class for every pixel. */
#include <math.h>

#include "base/file.h"
#include "image_files.h"
#include "images/label_map.h"
#include "images/scene.h"

/* 3 x 2 labels of `depth` bits; lines as the file has them. */
static void reads(png_kind kind, const void *lines, size_t size, const uint16_t *expected) {
    blob png = make_png(3, 2, kind, lines, size);
    foci_label_map map;
    assert_ok(foci_label_map_decode(&map, png.data, png.size, "x.png"));
    assert_int_equal(map.width, 3);
    assert_int_equal(map.height, 2);
    for (int i = 0; i < 6; i++) assert_int_equal(map.value[i], expected[i]);
    foci_label_map_free(&map);
    free(png.data);
}

static void numbers_of_any_depth(void **state) {
    (void)state;
    static const unsigned char palette[12] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 9, 9, 9};
    reads((png_kind){.depth = 1}, "\0\xa0\0\x40", 4, (uint16_t[]){1, 0, 1, 0, 1, 0});
    reads((png_kind){.depth = 2}, "\0\x1b\0\xe4", 4, (uint16_t[]){0, 1, 2, 3, 2, 1});
    reads((png_kind){.depth = 4}, "\0\x1f\x20\0\xe4\x30", 6, (uint16_t[]){1, 15, 2, 14, 4, 3});
    reads((png_kind){.depth = 8}, "\0\1\2\3\0\4\5\6", 8, (uint16_t[]){1, 2, 3, 4, 5, 6});
    reads((png_kind){.depth = 16}, "\0\1\2\0\3\377\377\0\0\4\1\0\0\0", 14, (uint16_t[]){258, 3, 65535, 4, 256, 0});
    reads((png_kind){.depth = 2, .colour = 3, .palette = palette, .entries = 4}, "\0\x1b\0\xe4", 4,
          (uint16_t[]){0, 1, 2, 3, 2, 1});
}

/* Sub, up, mean and Paeth, worked out by hand. */
static void filtered_lines(void **state) {
    (void)state;
    reads((png_kind){.depth = 8}, "\1\5\1\1\2\1\1\1", 8, (uint16_t[]){5, 6, 7, 6, 7, 8});
    reads((png_kind){.depth = 8}, "\0\4\6\10\3\1\1\1", 8, (uint16_t[]){4, 6, 8, 3, 5, 7});
    reads((png_kind){.depth = 8}, "\0\4\6\10\4\1\0\0", 8, (uint16_t[]){4, 6, 8, 5, 6, 8});
}

static void refuses(png_kind kind, const void *lines, size_t size, const char *message) {
    blob png = make_png(3, 2, kind, lines, size);
    foci_label_map map;
    assert_fails(foci_label_map_decode(&map, png.data, png.size, "x.png"), FOCI_ERR_DATA, message);
    assert_null(map.value);
    free(png.data);
}

static void what_is_no_map(void **state) {
    (void)state;
    static const unsigned char lines[64] = {0};
    foci_label_map map;
    refuses((png_kind){.depth = 8, .colour = 2}, lines, 20, "x.png: a PNG image of colours");
    refuses((png_kind){.depth = 8, .interlaced = true}, lines, 8, "x.png: an interlaced PNG image");
    refuses((png_kind){.depth = 3}, lines, 8, "x.png: not a whole PNG image");
    refuses((png_kind){.depth = 8}, lines, 5, "x.png: not a whole PNG image");              /* too few bytes */
    refuses((png_kind){.depth = 8}, "\5\1\1\1\0\1\1\1", 8, "x.png: not a whole PNG image"); /* no such filter */
    assert_fails(foci_label_map_decode(&map, (const unsigned char *)"GIF89a", 6, "x.gif"), FOCI_ERR_DATA,
                 "x.gif: not a whole PNG image");
}

static void written_and_read(void **state) {
    char path[600];
    uint16_t value[40 * 30];
    for (int i = 0; i < 40 * 30; i++) value[i] = (uint16_t)(i * i % 251);
    snprintf(path, sizeof path, "%s/map.png", (const char *)*state);
    assert_ok(foci_label_map_write(path, &(foci_label_map){40, 30, value}));
    char *bytes;
    size_t size;
    foci_label_map map;
    foci_image image;
    unsigned char colour[3];
    assert_ok(foci_read_file(path, 1 << 20, &bytes, &size, FOCI_ERR_DATA));
    assert_ok(foci_label_map_decode(&map, (unsigned char *)bytes, size, path));
    assert_memory_equal(map.value, value, sizeof value);
    assert_ok(foci_image_decode(&image, (unsigned char *)bytes, size, path, 0)); /* as a picture it has colours */
    foci_label_colour(value[77], colour);
    assert_memory_equal(image.pixels + 3 * 77, colour, 3);
    foci_image_free(&image);
    foci_label_map_free(&map);
    free(bytes);
}

/* PASCAL VOC's: background, aeroplane, bicycle, bird. */
static void colours_of_labels(void **state) {
    (void)state;
    static const unsigned char expected[4][3] = {{0, 0, 0}, {128, 0, 0}, {0, 128, 0}, {128, 128, 0}};
    for (int k = 0; k < 4; k++) {
        unsigned char rgb[3];
        foci_label_colour(k, rgb);
        assert_memory_equal(rgb, expected[k], 3);
    }
}

/* ------------------------------------------------------------------------------------------------ scenes */

enum { W = 60, H = 40, SIDE = 32 };
static unsigned char pixels[3 * W * H], classes[W * H];
static const foci_image image = {W, H, pixels};
static const foci_scene_transform plain = {.height = SIDE,
                                           .width = SIDE,
                                           .shorter = 40,
                                           .longer = 80,
                                           .ratio_min = 0.5,
                                           .ratio_max = 2,
                                           .most = 0.75,
                                           .flip = 0.5,
                                           .distort = true,
                                           .std = {1, 1, 1}};

/* Class and colour of a pixel are the column's, in four bands. */
static void paint(void) {
    for (int i = 0; i < W * H; i++) {
        classes[i] = (unsigned char)(i % W / 15);
        for (int c = 0; c < 3; c++) pixels[3 * i + c] = (unsigned char)(40 + 50 * classes[i]);
    }
}

static void sizes(void **state) {
    (void)state;
    static const int cases[][4] = {{60, 40, 60, 40}, {400, 40, 80, 8}, {30, 60, 40, 80}, {20, 20, 40, 40}};
    for (int i = 0; i < 4; i++) {
        int width, height;
        foci_scene_size(&plain, cases[i][0], cases[i][1], &width, &height);
        assert_int_equal(width, cases[i][2]);
        assert_int_equal(height, cases[i][3]);
    }
    foci_scene_transform as_it_is = plain;
    as_it_is.shorter = as_it_is.longer = 0;
    int width, height;
    foci_scene_size(&as_it_is, 17, 5, &width, &height);
    assert_true(width == 17 && height == 5);
}

/* Labels follow the pixels through scale, crop and mirror; outside there is neither. */
static void labels_follow_pixels(void **state) {
    (void)state;
    foci_real x[3 * SIDE * SIDE];
    int32_t label[SIDE * SIDE];
    foci_scene_transform t = plain;
    int padded = 0, mirrored = 0;
    t.distort = false;
    paint();
    for (int64_t sample = 0; sample < 60; sample++) {
        assert_ok(foci_scene_augment(&t, &image, classes, 1, 2, sample, x, label));
        int wrong = 0, inside = 0;
        for (int i = 0; i < SIDE * SIDE; i++) {
            if (label[i] == FOCI_NO_CLASS) {
                for (int c = 0; c < 3; c++) assert_close(x[c * SIDE * SIDE + i], 0, 0);
                continue;
            }
            inside++;
            wrong += fabs((double)x[i] * 255 - (40 + 50 * label[i])) > 10; /* between bands pixels are blends */
            if (i % SIDE && label[i - 1] != FOCI_NO_CLASS && label[i] < label[i - 1]) mirrored++;
        }
        padded += inside < SIDE * SIDE;
        assert_true(wrong * 4 < inside);
    }
    assert_true(padded > 5 && padded < 55 && mirrored > 0);
}

static void no_class_takes_all_of_a_crop(void **state) {
    (void)state;
    foci_real x[3 * SIDE * SIDE];
    int32_t label[SIDE * SIDE];
    paint();
    for (int64_t sample = 0; sample < 40; sample++) {
        int count[256] = {0}, largest = 0, all = 0;
        assert_ok(foci_scene_augment(&plain, &image, classes, 1, 0, sample, x, label));
        for (int i = 0; i < SIDE * SIDE; i++) count[label[i]]++;
        for (int k = 0; k < 4; k++) {
            all += count[k];
            largest = count[k] > largest ? count[k] : largest;
        }
        assert_true(4 * largest < 3 * all);
    }
}

static void the_same_numbers_the_same_scene(void **state) {
    (void)state;
    foci_real x[2][3 * SIDE * SIDE];
    int32_t label[2][SIDE * SIDE];
    paint();
    for (int i = 0; i < 2; i++) assert_ok(foci_scene_augment(&plain, &image, classes, 5, 3, 7, x[i], label[i]));
    assert_memory_equal(x[0], x[1], sizeof x[0]);
    assert_memory_equal(label[0], label[1], sizeof label[0]);
    assert_ok(foci_scene_augment(&plain, &image, classes, 5, 4, 7, x[1], label[1]));
    assert_memory_not_equal(x[0], x[1], sizeof x[0]);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_any_depth),
        cmocka_unit_test(filtered_lines),
        cmocka_unit_test(what_is_no_map),
        cmocka_unit_test(written_and_read),
        cmocka_unit_test(colours_of_labels),
        cmocka_unit_test(sizes),
        cmocka_unit_test(labels_follow_pixels),
        cmocka_unit_test(no_class_takes_all_of_a_crop),
        cmocka_unit_test(the_same_numbers_the_same_scene),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
