/* Resizing against a plain reading of PIL's algorithm, and what the transforms cut, mirror and scale. */
#include <math.h>

#include "images/resize.h"
#include "image_files.h"

static foci_image_view all_of(const foci_image *image) {
    return foci_image_crop(image, 0, 0, image->width, image->height);
}

static foci_image resized(const foci_image *image, int width, int height, foci_interpolation how) {
    foci_image_view view = all_of(image);
    foci_image out;
    assert_ok(foci_image_resize(&out, &view, width, height, how));
    assert_int_equal(out.width, width);
    assert_int_equal(out.height, height);
    return out;
}

static foci_image noise_image(int width, int height, uint32_t seed) {
    foci_image image = {width, height, malloc((size_t)3 * (size_t)width * (size_t)height)};
    for (int i = 0; i < 3 * width * height; i++)
        image.pixels[i] = (unsigned char)((seed = seed * 1664525u + 1013904223u) >> 24);
    return image;
}

/* ---------------------------------------------------------------------------------------------- reference */

static double filter_value(foci_interpolation how, double x) {
    x = fabs(x);
    if (how == FOCI_BILINEAR) return x < 1 ? 1 - x : 0;
    const double a = -0.5;
    if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
    return x < 2 ? (((x - 5) * x + 8) * x - 4) * a : 0;
}

/* One line of n values, `in` of them `step` apart, to m values; in doubles, rounded to a byte as PIL does
 * between passes. */
static void reference_line(const unsigned char *from, int n, unsigned char *to, int m, int64_t step,
                           foci_interpolation how) {
    double scale = (double)n / m, widening = scale < 1 ? 1 : scale, support = (how == FOCI_BICUBIC ? 2 : 1) * widening;
    for (int i = 0; i < m; i++) {
        double centre = (i + 0.5) * scale, sum = 0, weights = 0;
        int first = (int)(centre - support + 0.5), end = (int)(centre + support + 0.5);
        if (first < 0) first = 0;
        if (end > n) end = n;
        for (int k = first; k < end; k++) {
            double w = filter_value(how, (k - centre + 0.5) / widening);
            weights += w;
            sum += w * from[k * step];
        }
        double v = floor(sum / weights + 0.5);
        to[i * step] = (unsigned char)(v < 0 ? 0 : v > 255 ? 255 : v);
    }
}

static foci_image reference(const foci_image *image, int width, int height, foci_interpolation how) {
    int tallest = image->height > height ? image->height : height, widest = image->width > width ? image->width : width;
    int64_t row = (int64_t)3 * widest;
    unsigned char *a = calloc((size_t)(row * tallest), 1), *b = calloc((size_t)(row * tallest), 1);
    foci_image out = {width, height, malloc((size_t)3 * (size_t)width * (size_t)height)};
    for (int y = 0; y < image->height; y++) {
        memcpy(a + y * row, image->pixels + (int64_t)3 * image->width * y, (size_t)3 * (size_t)image->width);
        for (int c = 0; c < 3; c++) reference_line(a + y * row + c, image->width, b + y * row + c, width, 3, how);
    }
    for (int x = 0; x < 3 * width; x++) reference_line(b + x, image->height, a + x, height, row, how);
    for (int y = 0; y < height; y++)
        memcpy(out.pixels + (int64_t)3 * width * y, a + y * row, (size_t)3 * (size_t)width);
    free(a);
    free(b);
    return out;
}

/* ------------------------------------------------------------------------------------------------- resize */

static void check_against_reference(foci_interpolation how) {
    static const int sizes[][4] = {{40, 30, 20, 15}, {40, 30, 17, 11}, {13, 9, 40, 33}, {64, 8, 7, 31},
                                   {7, 50, 50, 7},   {50, 40, 50, 13}, {50, 40, 9, 40}, {1, 1, 5, 4},
                                   {5, 4, 1, 1},     {2, 3, 9, 8},     {97, 61, 3, 2},  {300, 1, 11, 3}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const int *s = sizes[i];
        foci_image image = noise_image(s[0], s[1], (uint32_t)i), ours = resized(&image, s[2], s[3], how),
                   theirs = reference(&image, s[2], s[3], how);
        int difference = largest_difference(&ours, &theirs);
        if (difference > 1) fail_msg("%d x %d to %d x %d: %d levels apart", s[0], s[1], s[2], s[3], difference);
        foci_image_free(&image);
        foci_image_free(&ours);
        foci_image_free(&theirs);
    }
}

static void bilinear_agrees_with_the_reference(void **state) {
    (void)state;
    check_against_reference(FOCI_BILINEAR);
}
static void bicubic_agrees_with_the_reference(void **state) {
    (void)state;
    check_against_reference(FOCI_BICUBIC);
}

static void a_constant_image_stays_constant(void **state) {
    (void)state;
    static const int sizes[][2] = {{1, 1}, {7, 5}, {20, 30}, {64, 100}, {200, 3}};
    for (int v = 0; v < 256; v += 51)
        for (int i = 0; i < 10; i++) {
            foci_image image = {33, 21, malloc(3 * 33 * 21)};
            memset(image.pixels, v, 3 * 33 * 21);
            foci_image out = resized(&image, sizes[i % 5][0], sizes[i % 5][1], i < 5 ? FOCI_BILINEAR : FOCI_BICUBIC);
            for (int k = 0; k < 3 * out.width * out.height; k++) assert_int_equal(out.pixels[k], v);
            foci_image_free(&image);
            foci_image_free(&out);
        }
}

static void the_same_size_copies(void **state) {
    (void)state;
    foci_image image = noise_image(31, 17, 3), a = resized(&image, 31, 17, FOCI_BILINEAR),
               b = resized(&image, 31, 17, FOCI_BICUBIC);
    assert_int_equal(largest_difference(&image, &a), 0);
    assert_int_equal(largest_difference(&image, &b), 0);
    foci_image_free(&image);
    foci_image_free(&a);
    foci_image_free(&b);
}

/* 0 0 255 255 halved. Bilinear: weights 3 3 1 of 7; bicubic: cubic(1/4) twice, cubic(3/4), cubic(5/4), of
 * their sum. */
static void halving_an_edge_gives_the_worked_numbers(void **state) {
    (void)state;
    foci_image edge = {4, 1, (unsigned char[]){0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255}};
    foci_image a = resized(&edge, 2, 1, FOCI_BILINEAR), b = resized(&edge, 2, 1, FOCI_BICUBIC);
    assert_int_equal(a.pixels[0], 36);
    assert_int_equal(a.pixels[3], 219);
    assert_int_equal(b.pixels[0], 21);
    assert_int_equal(b.pixels[3], 234);
    foci_image_free(&a);
    foci_image_free(&b);
}

/* Without the wider filter, every second column would be dropped and stripes would stay stripes. */
static void stripes_melt_when_they_shrink(void **state) {
    (void)state;
    foci_image stripes = coordinate_image(64, 64);
    for (int i = 0; i < 3 * 64 * 64; i++) stripes.pixels[i] = i / 3 % 2 ? 255 : 0;
    foci_image small = resized(&stripes, 16, 16, FOCI_BILINEAR);
    for (int x = 1; x < 15; x++) assert_close(small.pixels[3 * (16 * 8 + x)], 127.5, 4);
    foci_image_free(&stripes);
    foci_image_free(&small);
}

static void bicubic_overshoots_and_is_clipped(void **state) {
    (void)state;
    foci_image edge = {6, 1, malloc(18)};
    for (int i = 0; i < 18; i++) edge.pixels[i] = i < 9 ? 20 : 235;
    foci_image out = resized(&edge, 60, 1, FOCI_BICUBIC);
    int least = 255, most = 0;
    for (int x = 0; x < 60; x++) {
        least = out.pixels[3 * x] < least ? out.pixels[3 * x] : least;
        most = out.pixels[3 * x] > most ? out.pixels[3 * x] : most;
    }
    assert_in_range(least, 0, 10);
    assert_in_range(most, 245, 255);
    foci_image_free(&out);
    for (int i = 0; i < 18; i++) edge.pixels[i] = i < 9 ? 0 : 255;
    out = resized(&edge, 60, 1, FOCI_BICUBIC);
    for (int x = 0; x < 30; x++) assert_in_range(out.pixels[3 * x], 0, 127);
    for (int x = 30; x < 60; x++) assert_in_range(out.pixels[3 * x], 128, 255);
    foci_image_free(&out);
    foci_image_free(&edge);
}

/* A crop first: what lies around it has no part in the result. */
static void a_part_is_resized_as_if_it_were_alone(void **state) {
    (void)state;
    foci_image image = noise_image(40, 30, 5), part = {12, 9, malloc(3 * 12 * 9)}, out;
    for (int y = 0; y < 9; y++) memcpy(part.pixels + 36 * y, image.pixels + 3 * (40 * (y + 7) + 11), 36);
    foci_image_view view = foci_image_crop(&image, 11, 7, 12, 9);
    foci_image alone = resized(&part, 7, 20, FOCI_BICUBIC);
    assert_ok(foci_image_resize(&out, &view, 7, 20, FOCI_BICUBIC));
    assert_int_equal(largest_difference(&out, &alone), 0);
    foci_image_free(&image);
    foci_image_free(&part);
    foci_image_free(&alone);
    foci_image_free(&out);
}

/* -------------------------------------------------------------------------------------------- evaluation */

/* Numbers come out as bytes: mean 0, and std such that 255 stays 255. */
#define BYTES .interpolation = FOCI_BILINEAR, .mean = {0, 0, 0}, .std = {1 / 255.0, 1 / 255.0, 1 / 255.0}

static const foci_transform evaluation = {.height = 8, .width = 8, .crop_pct = 0.5, BYTES};

enum { MOST_SIDE = 64 };
static foci_real result[3 * MOST_SIDE * MOST_SIDE];

static void apply(const foci_transform *t, const foci_image *image, uint64_t seed, int64_t epoch, int64_t sample) {
    assert_ok(foci_transform_apply(t, image, seed, epoch, sample, result));
}

static double at(const foci_transform *t, int channel, int y, int x) {
    return (double)result[(channel * t->height + y) * t->width + x];
}

/* The result is the part of `image` that begins at (x, y), within `tolerance` levels. */
static void expect_part(const foci_transform *t, const foci_image *image, int x, int y, double tolerance) {
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < t->height; i++)
            for (int j = 0; j < t->width; j++)
                assert_close(at(t, c, i, j), image->pixels[3 * (image->width * (y + i) + x + j) + c], tolerance);
}

/* round((w - 8) / 2) with halves to the even number, as torchvision does: 13 / 2 gives 6, 15 / 2 gives 8. */
static void the_crop_is_central(void **state) {
    (void)state;
    static const int wanted[][4] = {{16, 16, 4, 4}, {21, 16, 6, 4}, {23, 16, 8, 4},
                                    {16, 25, 4, 8}, {16, 21, 4, 6}, {40, 16, 16, 4}};
    for (int i = 0; i < 6; i++) {
        foci_image image = coordinate_image(wanted[i][0], wanted[i][1]);
        apply(&evaluation, &image, 0, 0, 0);
        expect_part(&evaluation, &image, wanted[i][2], wanted[i][3], 1e-3);
        foci_image_free(&image);
    }
}

/* The shorter side becomes floor(8 / 0.875) = 9, the longer is cut down to a whole pixel: 9 * 37 / 25
 * = 13.32. */
static void check_evaluation(int width, int height, int to_width, int to_height, int x, int y, foci_interpolation how) {
    foci_transform t = evaluation;
    t.crop_pct = 0.875;
    t.interpolation = how;
    foci_image image = noise_image(width, height, 4), small = reference(&image, to_width, to_height, how);
    apply(&t, &image, 0, 0, 0);
    expect_part(&t, &small, x, y, 1.001);
    foci_image_free(&image);
    foci_image_free(&small);
}
static void the_short_side_is_resized_by_crop_pct(void **state) {
    (void)state;
    check_evaluation(37, 25, 13, 9, 2, 0, FOCI_BICUBIC);
    check_evaluation(25, 37, 9, 13, 0, 2, FOCI_BILINEAR);
    check_evaluation(100, 50, 18, 9, 5, 0, FOCI_BICUBIC);
    check_evaluation(5, 5, 9, 9, 0, 0, FOCI_BICUBIC);
}

static void a_whole_square_image_is_only_scaled(void **state) {
    (void)state;
    foci_transform t = evaluation;
    t.crop_pct = 1;
    foci_image image = noise_image(8, 8, 1);
    apply(&t, &image, 0, 0, 0);
    expect_part(&t, &image, 0, 0, 1e-3);
    foci_image_free(&image);
}

static void height_and_width_may_differ(void **state) {
    (void)state;
    foci_transform t = evaluation;
    t.height = 6;
    t.width = 12;
    t.crop_pct = 1;
    foci_image image = coordinate_image(12, 6), tall = coordinate_image(12, 20);
    apply(&t, &image, 0, 0, 0);
    expect_part(&t, &image, 0, 0, 1e-3);
    apply(&t, &tall, 0, 0, 0);
    expect_part(&t, &tall, 0, 7, 1e-3);
    foci_image_free(&image);
    foci_image_free(&tall);
}

static void evaluation_draws_nothing_at_random(void **state) {
    (void)state;
    foci_image image = noise_image(20, 30, 1);
    foci_real first[3 * 64];
    apply(&evaluation, &image, 0, 0, 0);
    memcpy(first, result, sizeof first);
    apply(&evaluation, &image, 5, 6, 7);
    assert_memory_equal(first, result, sizeof first);
    foci_image_free(&image);
}

static void pixels_are_normalised_by_channel(void **state) {
    (void)state;
    foci_transform t = evaluation;
    static const double mean[] = {0.485, 0.456, 0.406}, std[] = {0.229, 0.224, 0.225};
    memcpy(t.mean, mean, sizeof mean);
    memcpy(t.std, std, sizeof std);
    foci_image image = coordinate_image(16, 16);
    for (int i = 0; i < 256; i++) memcpy(image.pixels + 3 * i, (unsigned char[]){0, 100, 255}, 3);
    apply(&t, &image, 0, 0, 0);
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 64; i++)
            assert_close(result[64 * c + i], ((double[]){0, 100, 255}[c] / 255 - mean[c]) / std[c], 1e-6);
    foci_image_free(&image);
}

/* Its short side enlarged, the long one would have more pixels than memory has, or than an int counts: 256 *
 * 2^24. */
static void a_hair_of_an_image_is_refused(void **state) {
    (void)state;
    foci_image tall = {1, 1 << 24, calloc(3, 1 << 24)}, wide = {1 << 24, 1, tall.pixels};
    foci_transform t = evaluation;
    for (int i = 0; i < 2; i++) {
        assert_fails(foci_transform_apply(&t, &tall, 0, 0, 0, result), FOCI_ERR_DATA, "long and thin");
        assert_fails(foci_transform_apply(&t, &wide, 0, 0, 0, result), FOCI_ERR_DATA, "long and thin");
        t.crop_pct = 8.0 / 256;
    }
    t = (foci_transform){.height = 32,
                         .width = 32,
                         .train = true,
                         .scale_min = 1,
                         .scale_max = 1,
                         BYTES}; /* 32 * 2^24 between the passes */
    assert_fails(foci_transform_apply(&t, &tall, 0, 0, 0, result), FOCI_ERR_DATA, "long and thin");
    foci_image_free(&tall);
}

/* ------------------------------------------------------------------------------------------------ training
 */

static const foci_transform training = {.height = 32,
                                        .width = 32,
                                        .train = true,
                                        .scale_min = 0.5,
                                        .scale_max = 0.8,
                                        .ratio_min = 3.0 / 4,
                                        .ratio_max = 4.0 / 3,
                                        BYTES};
/* Only the flip is left. */
static const foci_transform only_flip = {
    .height = 8, .width = 8, .train = true, .scale_min = 1, .scale_max = 1, .ratio_min = 1, .ratio_max = 1, BYTES};

static bool is_mirrored(const foci_transform *t) {
    bool mirrored = at(t, 0, 0, 0) > at(t, 0, 0, t->width - 1);
    for (int y = 0; y < t->height; y++)
        for (int x = 0; x < t->width; x++) {
            assert_close(at(t, 0, y, x), mirrored ? t->width - 1 - x : x, 1e-3);
            assert_close(at(t, 1, y, x), y, 1e-3);
        }
    return mirrored;
}

static void a_flip_of_probability_0_never_comes(void **state) {
    (void)state;
    foci_image image = coordinate_image(8, 8);
    for (int i = 0; i < 200; i++) {
        apply(&only_flip, &image, 1, i / 50, i);
        assert_false(is_mirrored(&only_flip));
    }
    foci_image_free(&image);
}

static void a_flip_of_probability_1_always_comes(void **state) {
    (void)state;
    foci_transform t = only_flip;
    t.flip = 1;
    foci_image image = coordinate_image(8, 8);
    for (int i = 0; i < 200; i++) {
        apply(&t, &image, 1, i / 50, i);
        assert_true(is_mirrored(&t));
    }
    foci_image_free(&image);
}

static void a_flip_of_probability_a_quarter_comes_that_often(void **state) {
    (void)state;
    foci_transform t = only_flip;
    t.flip = 0.25;
    foci_image image = coordinate_image(8, 8);
    int flips = 0, changes = 0;
    for (int i = 0; i < 1000; i++) {
        apply(&t, &image, 1, 0, i);
        bool first = is_mirrored(&t);
        flips += first;
        apply(&t, &image, 1, 1, i);
        changes += is_mirrored(&t) != first;
    }
    assert_in_range(flips, 200, 300);
    assert_in_range(changes, 310, 440); /* 2 * 1/4 * 3/4 of them: epochs are independent */
    foci_image_free(&image);
}

static void no_flip_in_evaluation(void **state) {
    (void)state;
    foci_transform t = evaluation;
    t.crop_pct = 1;
    t.flip = 1;
    foci_image image = coordinate_image(8, 8);
    apply(&t, &image, 0, 0, 0);
    assert_false(is_mirrored(&t));
    foci_image_free(&image);
}

static void a_sample_is_a_function_of_seed_epoch_and_number(void **state) {
    (void)state;
    foci_image image = noise_image(60, 50, 2);
    foci_real first[3 * 32 * 32];
    apply(&training, &image, 1, 2, 3);
    memcpy(first, result, sizeof first);
    apply(&training, &image, 2, 2, 3);
    assert_memory_not_equal(first, result, sizeof first);
    apply(&training, &image, 1, 3, 3);
    assert_memory_not_equal(first, result, sizeof first);
    apply(&training, &image, 1, 2, 4);
    assert_memory_not_equal(first, result, sizeof first);
    apply(&training, &image, 1, 2, 3);
    assert_memory_equal(first, result, sizeof first);
    foci_image_free(&image);
}

/* The sides and the corner of what was cut, read from the coordinates in columns 8 and 23 (away from the
 * borders). */
static void find_crop(double *x, double *y, double *width, double *height) {
    *width = (at(&training, 0, 16, 23) - at(&training, 0, 16, 8)) * 32 / 15;
    *height = (at(&training, 1, 23, 16) - at(&training, 1, 8, 16)) * 32 / 15;
    *x = at(&training, 0, 16, 8) + 0.5 - 8.5 / 32 * *width;
    *y = at(&training, 1, 8, 16) + 0.5 - 8.5 / 32 * *height;
}

static void random_crops_keep_to_area_and_aspect(void **state) {
    (void)state;
    enum { W = 250, H = 200, N = 400 };
    foci_image image = coordinate_image(W, H);
    double smallest = 1, largest = 0, narrowest = 9, widest = 0, area_sum = 0, left = W, right = 0, top = H, bottom = 0;
    for (int i = 0; i < N; i++) {
        double x, y, w, h;
        apply(&training, &image, 3, 1, i);
        find_crop(&x, &y, &w, &h);
        double area = w * h / (W * H), aspect = w / h;
        assert_true(area > 0.5 * 0.96 && area < 0.8 * 1.04);
        assert_true(aspect > 0.75 * 0.96 && aspect < 4.0 / 3 * 1.04);
        assert_true(x > -3 && y > -3 && x + w < W + 3 && y + h < H + 3);
        area_sum += area;
        smallest = fmin(smallest, area), largest = fmax(largest, area);
        narrowest = fmin(narrowest, aspect), widest = fmax(widest, aspect);
        left = fmin(left, x), right = fmax(right, x + w);
        top = fmin(top, y), bottom = fmax(bottom, y + h);
    }
    assert_true(smallest < 0.53 && largest > 0.75); /* tall crops of the largest area do not fit and are drawn again */
    assert_true(narrowest < 0.8 && widest > 1.28);
    assert_true(left < 3 && right > W - 3 && top < 3 && bottom > H - 3);
    assert_close(area_sum / N, 0.64, 0.02);
    foci_image_free(&image);
}

/* 9/10 of 200 x 10 has never an aspect near 1: the centre of the widest aspect is taken, 13 x 10 at
 * column 93. */
static void where_no_crop_fits_the_centre_is_taken(void **state) {
    (void)state;
    foci_transform t = training;
    t.scale_min = 0.9;
    t.scale_max = 1;
    foci_image wide = coordinate_image(200, 10), tall = coordinate_image(10, 200);
    foci_image_view part = foci_image_crop(&wide, 93, 0, 13, 10), tall_part = foci_image_crop(&tall, 0, 93, 10, 13);
    foci_image wanted;
    for (int i = 0; i < 20; i++) {
        apply(&t, &wide, 1, 0, i);
        assert_ok(foci_image_resize(&wanted, &part, 32, 32, FOCI_BILINEAR));
        expect_part(&t, &wanted, 0, 0, 1e-3);
        foci_image_free(&wanted);
        apply(&t, &tall, 1, 0, i);
        assert_ok(foci_image_resize(&wanted, &tall_part, 32, 32, FOCI_BILINEAR));
        expect_part(&t, &wanted, 0, 0, 1e-3);
        foci_image_free(&wanted);
    }
    foci_image_free(&wide);
    foci_image_free(&tall);
}

static void scales_of_1_take_the_whole_image(void **state) {
    (void)state;
    foci_image image = noise_image(21, 13, 8), wanted = reference(&image, 8, 8, FOCI_BILINEAR);
    for (int i = 0; i < 20; i++) {
        apply(&only_flip, &image, 4, 0, i);
        expect_part(&only_flip, &wanted, 0, 0, 1.001);
    }
    foci_image_free(&image);
    foci_image_free(&wanted);
}

static void an_image_of_one_pixel_fills_everything(void **state) {
    (void)state;
    foci_image image = {1, 1, (unsigned char[]){1, 2, 3}};
    foci_transform t = evaluation;
    t.crop_pct = 0.875;
    apply(&t, &image, 0, 0, 0);
    for (int i = 0; i < 3 * 64; i++) assert_close(result[i], 1 + i / 64, 1e-3);
    apply(&training, &image, 0, 0, 0);
    for (int i = 0; i < 3 * 1024; i++) assert_close(result[i], 1 + i / 1024, 1e-3);
}

/* ------------------------------------------------------------------------------------------------- padding
 */

/* The shift by which the result is the image, black around it; blue is 255 in the image. */
static void find_shift(const foci_transform *t, const foci_image *image, int *dx, int *dy) {
    for (*dy = -t->padding; *dy <= t->padding; ++*dy)
        for (*dx = -t->padding; *dx <= t->padding; ++*dx) {
            bool same = true;
            for (int i = 0; same && i < t->height * t->width * 3; i++) {
                int c = i % 3, x = i / 3 % t->width, y = i / 3 / t->width, from_x = x + *dx, from_y = y + *dy;
                bool outside = from_x < 0 || from_x >= image->width || from_y < 0 || from_y >= image->height;
                double wanted = outside ? 0 : image->pixels[3 * (image->width * from_y + from_x) + c];
                same = fabs(at(t, c, y, x) - wanted) < 1e-3;
            }
            if (same) return;
        }
    fail_msg("no shift of the image gives this result");
}

static void padding_moves_the_image_over_black(void **state) {
    (void)state;
    foci_transform t = {.height = 12,
                        .width = 16,
                        .train = true,
                        .scale_min = 0.1,
                        .scale_max = 0.2,
                        .ratio_min = 1,
                        .ratio_max = 1,
                        .padding = 4,
                        BYTES};
    foci_image image = coordinate_image(16, 12);
    int seen_x[9] = {0}, seen_y[9] = {0}, both = 0;
    for (int i = 0; i < 400; i++) {
        int dx = 0, dy = 0;
        apply(&t, &image, 7, 0, i);
        find_shift(&t, &image, &dx, &dy);
        seen_x[dx + 4]++;
        seen_y[dy + 4]++;
        both += dx == dy;
    }
    for (int i = 0; i < 9; i++) {
        assert_in_range(seen_x[i], 20, 80);
        assert_in_range(seen_y[i], 20, 80);
    }
    assert_in_range(both, 20, 80); /* two draws, not one */
    foci_image_free(&image);
}

static void padding_wider_than_the_image_is_allowed(void **state) {
    (void)state;
    foci_transform t = {.height = 4, .width = 3, .train = true, .scale_min = 1, .scale_max = 1, .padding = 9, BYTES};
    foci_image image = coordinate_image(3, 4);
    int black = 0;
    for (int i = 0; i < 300; i++) {
        apply(&t, &image, 7, 0, i);
        int blue = 0;
        for (int k = 24; k < 36; k++) {
            assert_true(result[k] < 1e-3 || result[k] > 254);
            blue += result[k] > 254;
        }
        black += blue == 0;
    }
    assert_in_range(black, 150, 299);
    foci_image_free(&image);
}

static void black_is_what_0_is_after_normalisation(void **state) {
    (void)state;
    foci_transform t = {
        .height = 1, .width = 1, .train = true, .padding = 9, .mean = {0.5, 0.25, 0}, .std = {0.5, 0.5, 1}};
    foci_image image = {1, 1, (unsigned char[]){255, 255, 255}};
    int black = 0;
    for (int i = 0; i < 50; i++) {
        apply(&t, &image, 7, 0, i);
        black += result[0] < 0;
        assert_close(result[0], result[0] < 0 ? -1 : 1, 1e-6);
        assert_close(result[1], result[0] < 0 ? -0.5 : 1.5, 1e-6);
    }
    assert_true(black > 25);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bilinear_agrees_with_the_reference),
        cmocka_unit_test(bicubic_agrees_with_the_reference),
        cmocka_unit_test(a_constant_image_stays_constant),
        cmocka_unit_test(the_same_size_copies),
        cmocka_unit_test(halving_an_edge_gives_the_worked_numbers),
        cmocka_unit_test(stripes_melt_when_they_shrink),
        cmocka_unit_test(bicubic_overshoots_and_is_clipped),
        cmocka_unit_test(a_part_is_resized_as_if_it_were_alone),
        cmocka_unit_test(the_crop_is_central),
        cmocka_unit_test(the_short_side_is_resized_by_crop_pct),
        cmocka_unit_test(a_whole_square_image_is_only_scaled),
        cmocka_unit_test(height_and_width_may_differ),
        cmocka_unit_test(evaluation_draws_nothing_at_random),
        cmocka_unit_test(pixels_are_normalised_by_channel),
        cmocka_unit_test(a_hair_of_an_image_is_refused),
        cmocka_unit_test(a_flip_of_probability_0_never_comes),
        cmocka_unit_test(a_flip_of_probability_1_always_comes),
        cmocka_unit_test(a_flip_of_probability_a_quarter_comes_that_often),
        cmocka_unit_test(no_flip_in_evaluation),
        cmocka_unit_test(a_sample_is_a_function_of_seed_epoch_and_number),
        cmocka_unit_test(random_crops_keep_to_area_and_aspect),
        cmocka_unit_test(where_no_crop_fits_the_centre_is_taken),
        cmocka_unit_test(scales_of_1_take_the_whole_image),
        cmocka_unit_test(an_image_of_one_pixel_fills_everything),
        cmocka_unit_test(padding_moves_the_image_over_black),
        cmocka_unit_test(padding_wider_than_the_image_is_allowed),
        cmocka_unit_test(black_is_what_0_is_after_normalisation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
