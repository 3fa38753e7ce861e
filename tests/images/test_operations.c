/* The operations of RandAugment and colour jitter against pixels computed by hand from PIL's and timm's definitions. */
#include <math.h>

#include "images/augment.h"
#include "images/operations.h"
#include "image_files.h"

/* An image of one row, or of some rows, from grey values. */
static foci_image grey(int width, int height, const unsigned char *values) {
    foci_image image = {width, height, malloc((size_t)3 * (size_t)width * (size_t)height)};
    for (int i = 0; i < 3 * width * height; i++) image.pixels[i] = values[i / 3];
    return image;
}
static void expect_grey(foci_image *image, const unsigned char *wanted) {
    for (int i = 0; i < 3 * image->width * image->height; i++)
        if (image->pixels[i] != wanted[i / 3])
            fail_msg("pixel %d, channel %d: %d, not %d", i / 3, i % 3, image->pixels[i], wanted[i / 3]);
    foci_image_free(image);
}
#define VALUES(...) ((const unsigned char[]){__VA_ARGS__})

static foci_image one_pixel(unsigned char r, unsigned char g, unsigned char b) {
    foci_image image = {1, 1, malloc(3)};
    image.pixels[0] = r, image.pixels[1] = g, image.pixels[2] = b;
    return image;
}
static void expect_pixel(foci_image *image, int r, int g, int b) {
    assert_int_equal(image->pixels[0], r);
    assert_int_equal(image->pixels[1], g);
    assert_int_equal(image->pixels[2], b);
    foci_image_free(image);
}

/* ------------------------------------------------------------------------------------------------- tables */

static void auto_contrast_stretches(void **state) {
    (void)state;
    foci_image image = grey(4, 1, VALUES(50, 65, 70, 101)); /* (v - 50) 255 / 51 */
    foci_image_auto_contrast(&image);
    expect_grey(&image, VALUES(0, 75, 100, 255));
    image = grey(3, 1, VALUES(50, 75, 100)); /* 255 / 50 is a little less than 5.1 in binary, and PIL cuts off */
    foci_image_auto_contrast(&image);
    expect_grey(&image, VALUES(0, 127, 254));
}
static void auto_contrast_of_one_value_changes_nothing(void **state) {
    (void)state;
    foci_image image = grey(3, 1, VALUES(77, 77, 77));
    foci_image_auto_contrast(&image);
    expect_grey(&image, VALUES(77, 77, 77));
}
static void auto_contrast_treats_channels_apart(void **state) {
    (void)state;
    foci_image image = {2, 1, malloc(6)};
    memcpy(image.pixels, (unsigned char[]){10, 202, 7, 20, 100, 7}, 6);
    foci_image_auto_contrast(&image);
    assert_memory_equal(image.pixels, ((unsigned char[]){0, 255, 7, 255, 0, 7}), 6);
    foci_image_free(&image);
}

/* 512 pixels: 256 of 10, 128 of 20, 128 of 30. The step is (512 - 128) / 255 = 1, so 10 gets 0, 20 the 256 below it
 * clipped to 255, 30 likewise. */
static void equalize_with_a_small_step(void **state) {
    (void)state;
    unsigned char values[512], wanted[512];
    for (int i = 0; i < 512; i++) {
        values[i] = i < 256 ? 10 : i < 384 ? 20 : 30;
        wanted[i] = i < 256 ? 0 : 255;
    }
    foci_image image = grey(32, 16, values);
    foci_image_equalize(&image);
    expect_grey(&image, wanted);
}
/* 1024 pixels, a quarter each of 5, 50, 51, 200. Step 768 / 255 = 3, start 1: 1/3, 257/3, 513/3, 769/3 cut to 255. */
static void equalize_spreads(void **state) {
    (void)state;
    unsigned char values[1024], wanted[1024];
    for (int i = 0; i < 1024; i++) {
        values[i] = VALUES(5, 50, 51, 200)[i / 256];
        wanted[i] = VALUES(0, 85, 171, 255)[i / 256];
    }
    foci_image image = grey(32, 32, values);
    foci_image_equalize(&image);
    expect_grey(&image, wanted);
}
static void equalize_leaves_few_pixels_alone(void **state) {
    (void)state;
    foci_image image = grey(4, 1, VALUES(9, 8, 7, 6));
    foci_image_equalize(&image);
    expect_grey(&image, VALUES(9, 8, 7, 6));
}

static void invert(void **state) {
    (void)state;
    foci_image image = grey(3, 1, VALUES(0, 100, 255));
    foci_image_invert(&image);
    expect_grey(&image, VALUES(255, 155, 0));
}
static void posterize(void **state) {
    (void)state;
    foci_image image = grey(4, 1, VALUES(0, 127, 128, 255));
    foci_image_posterize(&image, 1);
    expect_grey(&image, VALUES(0, 0, 128, 128));
    image = grey(2, 1, VALUES(201, 255));
    foci_image_posterize(&image, 4);
    expect_grey(&image, VALUES(192, 240));
    image = grey(2, 1, VALUES(1, 255));
    foci_image_posterize(&image, 0);
    expect_grey(&image, VALUES(0, 0));
}
static void solarize(void **state) {
    (void)state;
    foci_image image = grey(4, 1, VALUES(0, 127, 128, 255));
    foci_image_solarize(&image, 128);
    expect_grey(&image, VALUES(0, 127, 127, 0));
    image = grey(2, 1, VALUES(0, 255));
    foci_image_solarize(&image, 256);
    expect_grey(&image, VALUES(0, 255));
}
static void solarize_add(void **state) {
    (void)state;
    foci_image image = grey(4, 1, VALUES(0, 127, 128, 255));
    foci_image_solarize_add(&image, 99);
    expect_grey(&image, VALUES(99, 226, 128, 255));
    image = grey(1, 1, VALUES(127));
    foci_image_solarize_add(&image, 200);
    expect_grey(&image, VALUES(255));
}

/* ------------------------------------------------------------------------------------------------- blends */

/* Grey of (100, 150, 200): 0.299, 0.587, 0.114 of them are 140.75, rounded 141. */
static void color(void **state) {
    (void)state;
    foci_image image = one_pixel(100, 150, 200);
    foci_image_color(&image, 0);
    expect_pixel(&image, 141, 141, 141);
    image = one_pixel(100, 150, 200);
    foci_image_color(&image, 0.5); /* 120.5, 145.5, 170.5 cut off */
    expect_pixel(&image, 120, 145, 170);
    image = one_pixel(100, 150, 200);
    foci_image_color(&image, 2); /* 59, 159, 259 */
    expect_pixel(&image, 59, 159, 255);
}
static void contrast(void **state) {
    (void)state;
    foci_image image = grey(2, 1, VALUES(10, 101)); /* mean 55.5, rounded up 56 */
    foci_image_contrast(&image, 0.5);
    expect_grey(&image, VALUES(33, 78));
    image = grey(2, 1, VALUES(10, 200)); /* 105 */
    foci_image_contrast(&image, 1.75);   /* 105 - 166.25, 105 + 166.25 */
    expect_grey(&image, VALUES(0, 255));
}
static void brightness(void **state) {
    (void)state;
    foci_image image = grey(3, 1, VALUES(0, 101, 200));
    foci_image_brightness(&image, 0.5);
    expect_grey(&image, VALUES(0, 50, 100));
    image = grey(3, 1, VALUES(0, 101, 200));
    foci_image_brightness(&image, 1.5);
    expect_grey(&image, VALUES(0, 151, 255));
}
static void sharpness(void **state) {
    (void)state;
    const unsigned char dot[] = {10, 10, 10, 10, 140, 10, 10, 10, 10}; /* smooth: (80 + 5 * 140) / 13 = 60 */
    foci_image image = grey(3, 3, dot);
    assert_ok(foci_image_sharpness(&image, 0));
    expect_grey(&image, VALUES(10, 10, 10, 10, 60, 10, 10, 10, 10));
    image = grey(3, 3, dot);
    assert_ok(foci_image_sharpness(&image, 1.5)); /* 60 + 1.5 * 80 = 180; the border stays */
    expect_grey(&image, VALUES(10, 10, 10, 10, 180, 10, 10, 10, 10));
    image = grey(2, 2, VALUES(1, 2, 3, 4)); /* nothing but border */
    assert_ok(foci_image_sharpness(&image, 0));
    expect_grey(&image, VALUES(1, 2, 3, 4));
}
static void a_factor_of_one_changes_nothing(void **state) {
    (void)state;
    foci_image image = smooth_image(9, 7, 3), before = smooth_image(9, 7, 3);
    foci_image_color(&image, 1);
    foci_image_contrast(&image, 1);
    foci_image_brightness(&image, 1);
    assert_ok(foci_image_sharpness(&image, 1));
    assert_int_equal(largest_difference(&image, &before), 0);
    foci_image_free(&image);
    foci_image_free(&before);
}

/* ----------------------------------------------------------------------------------------------- geometry */

static const unsigned char fill[3] = {9, 9, 9};

static void whole_pixels_move_as_they_are(void **state) {
    (void)state;
    for (int how = FOCI_BILINEAR; how <= FOCI_BICUBIC; how++) {
        foci_image image = grey(4, 1, VALUES(10, 20, 30, 200));
        assert_ok(foci_image_affine(&image, (double[]){1, 0, 1, 0, 1, 0}, how, fill)); /* from one to the right */
        expect_grey(&image, VALUES(20, 30, 200, 9));
        image = grey(1, 4, VALUES(10, 20, 30, 200));
        assert_ok(foci_image_affine(&image, (double[]){1, 0, 0, 0, 1, -2}, how, fill));
        expect_grey(&image, VALUES(9, 9, 10, 20));
    }
}
/* Half a pixel: bilinear takes means (cut off). */
static void half_a_pixel_bilinear(void **state) {
    (void)state;
    foci_image image = grey(4, 1, VALUES(10, 21, 30, 200));
    assert_ok(foci_image_affine(&image, (double[]){1, 0, 0.5, 0, 1, 0}, FOCI_BILINEAR, fill));
    expect_grey(&image, VALUES(15, 25, 115, 9)); /* the last lies at 4.0, outside */
}
/* With a = -1 the weights at one half are -1/8, 5/8, 5/8, -1/8; the border goes on. */
static void half_a_pixel_bicubic(void **state) {
    (void)state;
    foci_image image = grey(5, 1, VALUES(16, 32, 64, 128, 255));
    assert_ok(foci_image_affine(&image, (double[]){1, 0, 0.5, 0, 1, 0}, FOCI_BICUBIC, fill));
    /* (-16 + 5 * 48 - 64) / 8 = 20; (-16 + 5 * 96 - 128) / 8 = 42; (-32 + 5 * 192 - 255) / 8 = 84.1;
     * (-64 + 5 * 383 - 255) / 8 = 199.5; the last lies at 5.0, outside */
    expect_grey(&image, VALUES(20, 42, 84, 199, 9));
    image = grey(1, 5, VALUES(16, 32, 64, 128, 255)); /* the same from top to bottom */
    assert_ok(foci_image_affine(&image, (double[]){1, 0, 0, 0, 1, 0.5}, FOCI_BICUBIC, fill));
    expect_grey(&image, VALUES(20, 42, 84, 199, 9));
}
static void shear_moves_rows(void **state) {
    (void)state;
    /* x + y with y = 0.5, 1.5, 2.5: rows shift by 0.5, 1.5, 2.5 */
    foci_image image = grey(3, 3, VALUES(10, 20, 30, 10, 20, 30, 10, 20, 30));
    assert_ok(foci_image_affine(&image, (double[]){1, 1, 0, 0, 1, 0}, FOCI_BILINEAR, fill));
    expect_grey(&image, VALUES(15, 25, 9, 25, 9, 9, 9, 9, 9));
}
static void rotation_is_counter_clockwise(void **state) {
    (void)state;
    foci_image image = grey(2, 2, VALUES(1, 2, 3, 4));
    assert_ok(foci_image_rotate(&image, 90, FOCI_BICUBIC, fill));
    expect_grey(&image, VALUES(2, 4, 1, 3));
    image = grey(3, 3, VALUES(1, 2, 3, 4, 5, 6, 7, 8, 9));
    assert_ok(foci_image_rotate(&image, -90, FOCI_BILINEAR, fill));
    expect_grey(&image, VALUES(7, 4, 1, 8, 5, 2, 9, 6, 3));
    image = grey(2, 1, VALUES(3, 4));
    assert_ok(foci_image_rotate(&image, 0, FOCI_BICUBIC, fill));
    expect_grey(&image, VALUES(3, 4));
}
/* 45 degrees about the middle of 3 x 3: the corners come from 2.1 pixels away, outside; the middle stays. */
static void rotation_fills_the_corners(void **state) {
    (void)state;
    foci_image image = grey(3, 3, VALUES(80, 80, 80, 80, 80, 80, 80, 80, 80));
    assert_ok(foci_image_rotate(&image, 45, FOCI_BICUBIC, fill));
    expect_grey(&image, VALUES(80, 80, 80, 80, 80, 80, 80, 80, 80)); /* 1.414 < 1.5: all inside */
    unsigned char all[25], wanted[25];
    for (int i = 0; i < 25; i++) {
        all[i] = 80;
        wanted[i] = i == 0 || i == 4 || i == 20 || i == 24 ? 9 : 80;
    }
    image = grey(5, 5, all);
    assert_ok(foci_image_rotate(&image, 45, FOCI_BILINEAR, fill));
    expect_grey(&image, wanted);
}
static void the_plain_reading_agrees(void **state) { /* a general transform, both ways of sampling, in doubles */
    (void)state;
    foci_image image = smooth_image(23, 17, 4), before = smooth_image(23, 17, 4);
    for (int i = 0; i < 3 * 23 * 17; i++) before.pixels[i] = image.pixels[i] = (unsigned char)((i * 2654435761u) >> 24);
    const double m[6] = {0.9, 0.2, 1.3, -0.15, 1.1, -0.7};
    assert_ok(foci_image_affine(&image, m, FOCI_BICUBIC, fill));
    int inside = 0;
    for (int y = 0; y < 17; y++)
        for (int x = 0; x < 23; x++)
            for (int c = 0; c < 3; c++) {
                double u = m[0] * (x + 0.5) + m[1] * (y + 0.5) + m[2], v = m[3] * (x + 0.5) + m[4] * (y + 0.5) + m[5],
                       sum = 0;
                bool in = u >= 0 && u < 23 && v >= 0 && v < 17;
                for (int j = -9; j < 30; j++)
                    for (int i = -9; i < 40; i++) { /* weights by distance: Keys' cubic, a = -1 */
                        double d[2] = {fabs(u - 0.5 - i), fabs(v - 0.5 - j)}, w = 1;
                        for (int k = 0; k < 2; k++)
                            w *= d[k] < 1   ? (d[k] - 2) * d[k] * d[k] + 1
                                 : d[k] < 2 ? ((5 - d[k]) * d[k] - 8) * d[k] + 4
                                            : 0;
                        int row = j < 0 ? 0 : j > 16 ? 16 : j, column = i < 0 ? 0 : i > 22 ? 22 : i;
                        sum += w * before.pixels[3 * (23 * row + column) + c];
                    }
                int got = image.pixels[3 * (23 * y + x) + c];
                if (in) assert_close(got, sum < 0 ? 0 : sum > 255 ? 255 : floor(sum + 1e-9), 0);
                else assert_int_equal(got, 9);
                inside += in;
            }
    assert_in_range(inside, 3 * 200, 3 * 390);
    foci_image_free(&image);
    foci_image_free(&before);
}

/* ---------------------------------------------------------------------------------------------- the policy */

static const foci_transform transform = {
    .height = 20, .width = 10, .train = true, .interpolation = FOCI_BILINEAR, .mean = {0.485, 0.456, 0.406}};

static const foci_augmentation *named(const char *name) {
    for (int i = 0; i < FOCI_AUGMENTATIONS; i++)
        if (strcmp(foci_augmentations[i].name, name) == 0) return &foci_augmentations[i];
    fail_msg("there is no operation %s", name);
    return NULL;
}

/* What an operation makes of one grey value. */
static int value_of(const char *name, double level, bool negated, unsigned char value) {
    foci_image image = grey(1, 1, &value);
    assert_ok(named(name)->apply(&image, level, negated, &transform));
    int made = image.pixels[0];
    foci_image_free(&image);
    return made;
}

static void levels_become_arguments(void **state) {
    (void)state;
    assert_int_equal(value_of("PosterizeIncreasing", 0, false, 255), 240); /* 4 bits */
    assert_int_equal(value_of("PosterizeIncreasing", 9, false, 255), 128); /* 4 - 3 */
    assert_int_equal(value_of("PosterizeIncreasing", 10, false, 255), 0);
    assert_int_equal(value_of("SolarizeIncreasing", 0, false, 255), 255); /* from 256 on */
    assert_int_equal(value_of("SolarizeIncreasing", 9, false, 25), 25);   /* from 256 - 230 on */
    assert_int_equal(value_of("SolarizeIncreasing", 9, false, 26), 229);
    assert_int_equal(value_of("SolarizeAdd", 9, false, 20), 119); /* 99 */
    assert_int_equal(value_of("SolarizeAdd", 9, false, 128), 128);
    assert_int_equal(value_of("BrightnessIncreasing", 10, false, 100), 190); /* 1 + 0.9 */
    /* 1 - 0.9; 0.1 is a little more than a tenth in float */
    assert_int_equal(value_of("BrightnessIncreasing", 10, true, 100), 10);
    assert_int_equal(value_of("BrightnessIncreasing", 0, true, 100), 100);
    assert_int_equal(value_of("Invert", 3, true, 100), 155);
}

/* Where column or row 0 of a coordinate image comes from. */
static void geometry_has_its_range(void **state) {
    (void)state;
    const struct {
        const char *name;
        double level;
        bool negated;
        int x, y, red, green; /* pixel, and the coordinates it then shows */
    } cases[] = {
        {"TranslateXRel", 10, false, 1, 7, 5, 7},  /* 4.5 to the right, bilinear between 5 and 6: 5.5 cut off */
        {"TranslateXRel", 10, true, 6, 7, 1, 7},   /* 1.5 */
        {"TranslateYRel", 10, false, 3, 2, 3, 11}, /* 0.45 * 20 = 9 down */
        {"TranslateYRel", 10, true, 3, 12, 3, 3},
        {"ShearX", 10, false, 0, 9, 2, 9}, /* 0.5 + 0.3 * 9.5 = 3.35: between 2 and 3 */
        {"ShearX", 10, true, 9, 9, 6, 9},  /* 9.5 - 2.85 = 6.65, 6.15 */
        {"ShearY", 10, false, 9, 0, 9, 2}, /* 0.5 + 0.3 * 9.5 */
        {"ShearY", 5, true, 9, 5, 9, 3},   /* 5.5 - 0.15 * 9.5 = 4.075, 3.575 */
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        foci_image image = coordinate_image(10, 20);
        assert_ok(named(cases[i].name)->apply(&image, cases[i].level, cases[i].negated, &transform));
        const unsigned char *p = image.pixels + 3 * (10 * cases[i].y + cases[i].x);
        if (p[0] != cases[i].red || p[1] != cases[i].green)
            fail_msg("%s %g: (%d, %d), not (%d, %d)", cases[i].name, cases[i].level, p[0], p[1], cases[i].red,
                     cases[i].green);
        foci_image_free(&image);
    }
}
static void outside_is_the_colour_of_the_mean(void **state) {
    (void)state;
    foci_image image = coordinate_image(10, 20);
    assert_ok(named("TranslateXRel")->apply(&image, 9, false, &transform));
    const unsigned char *p = image.pixels + 3 * 9;
    assert_int_equal(p[0], 124); /* 0.485, 0.456, 0.406 of 255, rounded */
    assert_int_equal(p[1], 116);
    assert_int_equal(p[2], 104);
    foci_image_free(&image);
    image = coordinate_image(10, 20);
    assert_ok(named("Rotate")->apply(&image, 10, false, &transform)); /* 30 degrees: the corner is outside */
    assert_int_equal(image.pixels[2], 104);
    foci_image_free(&image);
}

static void names_are_read(void **state) {
    (void)state;
    foci_rand_augment a;
    assert_ok(foci_rand_augment_parse(&a, "rand-m9-mstd0.5-inc1"));
    assert_int_equal(a.operations, 2);
    assert_close(a.magnitude, 9, 0);
    assert_close(a.noise, 0.5, 0);
    assert_ok(foci_rand_augment_parse(&a, "rand-inc1-n3-m4"));
    assert_int_equal(a.operations, 3);
    assert_close(a.magnitude, 4, 0);
    assert_close(a.noise, 0, 0);
    assert_ok(foci_rand_augment_parse(&a, ""));
    assert_int_equal(a.operations, 0);
    const char *const wrong[] = {
        "rand",           "random-m9-inc1", "rand-m11-inc1",    "rand-m9",      "rand-m9-inc0",
        "rand-m9-inc1-",  "rand-m-inc1",    "rand-m9x-inc1",    "rand-w0-inc1", "rand-m-3-inc1",
        "rand-n1.5-inc1", "m9-inc1",        "rand-mstdinf-inc1"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_fails(foci_rand_augment_parse(&a, wrong[i]), FOCI_ERR_CONFIG, wrong[i]);
}

/* Of many draws of one operation each, half do nothing and every one of the fifteen happens about as often. */
static void operations_are_drawn_evenly(void **state) {
    (void)state;
    foci_transform t = transform;
    t.rand_augment = (foci_rand_augment){1, 10, 0};
    foci_image original = coordinate_image(10, 20);
    int same = 0, draws = 3000;
    for (int i = 0; i < draws; i++) {
        foci_image image = coordinate_image(10, 20);
        foci_rng r = foci_rng_make(5, 6, (uint64_t)i);
        assert_ok(foci_rand_augment_apply(&t, &image, &r));
        same += largest_difference(&image, &original) == 0;
        foci_image_free(&image);
    }
    foci_image_free(&original);
    /* AutoContrast and the two above change this image, Equalize (200 pixels) does not: 1/2 + 1/2 * 1/15 */
    assert_in_range(same, (int)(0.49 * draws), (int)(0.58 * draws));
}

static void jitter_stays_in_its_range(void **state) {
    (void)state;
    int low = 255, high = 0;
    for (int i = 0; i < 400; i++) {
        foci_image image = grey(1, 1, VALUES(100)); /* contrast and saturation of one grey pixel change nothing */
        foci_rng r = foci_rng_make(1, 2, (uint64_t)i);
        foci_color_jitter(0.4, &image, &r);
        if (image.pixels[0] < low) low = image.pixels[0];
        if (image.pixels[0] > high) high = image.pixels[0];
        foci_image_free(&image);
    }
    assert_in_range(low, 60, 63);
    assert_in_range(high, 137, 140);
}

/* ------------------------------------------------------------------------------------------------- erasing */

static void erasing_makes_a_box_of_noise(void **state) {
    (void)state;
    enum { H = 30, W = 40 };
    static foci_real sample[3 * H * W];
    int erased = 0;
    double sum = 0, squares = 0, pixels = 0, least = 1, most = 0;
    for (int n = 0; n < 800; n++) {
        for (int i = 0; i < 3 * H * W; i++) sample[i] = 100;
        foci_rng r = foci_rng_make(3, 4, (uint64_t)n);
        foci_random_erasing(0.25, sample, H, W, &r);
        int top = H, bottom = -1, left = W, right = -1, count = 0;
        for (int i = 0; i < 3 * H * W; i++) {
            if (sample[i] == 100) continue;
            int y = i / W % H, x = i % W;
            top = y < top ? y : top, bottom = y > bottom ? y : bottom, left = x < left ? x : left,
            right = x > right ? x : right;
            sum += (double)sample[i];
            squares += (double)sample[i] * (double)sample[i];
            count++;
        }
        if (!count) continue;
        erased++;
        pixels += count;
        assert_int_equal(count, 3 * (bottom - top + 1) * (right - left + 1)); /* one box, all of it, in all channels */
        double area = count / (3.0 * H * W);
        least = area < least ? area : least;
        most = area > most ? area : most;
    }
    assert_in_range(erased, 160, 240);
    assert_close(sum / pixels, 0, 0.02);
    assert_close(squares / pixels, 1, 0.02);
    assert_in_range((int)(1000 * least), 14, 35);
    assert_in_range((int)(1000 * most), 300, 350);
}
static void without_probability_nothing_is_erased(void **state) {
    (void)state;
    foci_real sample[3 * 8 * 8] = {0};
    for (int n = 0; n < 50; n++) {
        foci_rng r = foci_rng_make(3, 4, (uint64_t)n);
        foci_random_erasing(0, sample, 8, 8, &r);
    }
    for (int i = 0; i < 3 * 8 * 8; i++) assert_true(sample[i] == 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_contrast_stretches),
        cmocka_unit_test(auto_contrast_of_one_value_changes_nothing),
        cmocka_unit_test(auto_contrast_treats_channels_apart),
        cmocka_unit_test(equalize_with_a_small_step),
        cmocka_unit_test(equalize_spreads),
        cmocka_unit_test(equalize_leaves_few_pixels_alone),
        cmocka_unit_test(invert),
        cmocka_unit_test(posterize),
        cmocka_unit_test(solarize),
        cmocka_unit_test(solarize_add),
        cmocka_unit_test(color),
        cmocka_unit_test(contrast),
        cmocka_unit_test(brightness),
        cmocka_unit_test(sharpness),
        cmocka_unit_test(a_factor_of_one_changes_nothing),
        cmocka_unit_test(whole_pixels_move_as_they_are),
        cmocka_unit_test(half_a_pixel_bilinear),
        cmocka_unit_test(half_a_pixel_bicubic),
        cmocka_unit_test(shear_moves_rows),
        cmocka_unit_test(rotation_is_counter_clockwise),
        cmocka_unit_test(rotation_fills_the_corners),
        cmocka_unit_test(the_plain_reading_agrees),
        cmocka_unit_test(levels_become_arguments),
        cmocka_unit_test(geometry_has_its_range),
        cmocka_unit_test(outside_is_the_colour_of_the_mean),
        cmocka_unit_test(names_are_read),
        cmocka_unit_test(operations_are_drawn_evenly),
        cmocka_unit_test(jitter_stays_in_its_range),
        cmocka_unit_test(erasing_makes_a_box_of_noise),
        cmocka_unit_test(without_probability_nothing_is_erased),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
