/* Decoding JPEG and PNG: every kind of pixel, files that are cut or damaged, and what is written read back.
 */
#include "image_files.h"

static foci_image decode(const blob *b, int least) {
    foci_image image;
    assert_ok(foci_image_decode(&image, b->data, b->size, "test", least));
    return image;
}

/* Decodes, compares all pixels, frees both. */
static void expect_pixels(blob b, int width, int height, const unsigned char *rgb, int tolerance) {
    foci_image image = decode(&b, 0), wanted = {width, height, (unsigned char *)(uintptr_t)rgb};
    assert_in_range(largest_difference(&image, &wanted), 0, tolerance);
    foci_image_free(&image);
    free(b.data);
}

static void expect_failure(const unsigned char *data, size_t size, const char *part) {
    foci_image image = {1, 1, NULL};
    assert_fails(foci_image_decode(&image, data, size, "class/broken.x", 0), FOCI_ERR_DATA, "class/broken.x");
    if (!strstr(foci_error_message(), part)) fail_msg("message \"%s\" lacks \"%s\"", foci_error_message(), part);
    assert_null(image.pixels);
}

/* --------------------------------------------------------------------------------------------------- JPEG */

static void check_jpeg(int sampling, int flags, int tolerance) {
    foci_image image = smooth_image(67, 45, 3);
    expect_pixels(make_jpeg(image.pixels, 67, 45, TJPF_RGB, sampling, 98, flags), 67, 45, image.pixels, tolerance);
    foci_image_free(&image);
}

static void a_jpeg_gives_its_colours(void **state) {
    (void)state;
    check_jpeg(TJSAMP_444, 0, 6);
}
static void a_jpeg_of_half_the_chroma_gives_its_colours(void **state) {
    (void)state;
    check_jpeg(TJSAMP_420, 0, 16);
    check_jpeg(TJSAMP_422, 0, 16);
    check_jpeg(TJSAMP_440, 0, 16);
}
static void a_progressive_jpeg_gives_its_colours(void **state) {
    (void)state;
    check_jpeg(TJSAMP_444, TJFLAG_PROGRESSIVE, 6);
}

static void a_grey_jpeg_gives_three_equal_channels(void **state) {
    (void)state;
    unsigned char grey[16 * 16], rgb[3 * 16 * 16];
    for (int i = 0; i < 256; i++) {
        grey[i] = (unsigned char)(40 + 8 * (i % 16));
        memset(rgb + 3 * i, grey[i], 3);
    }
    expect_pixels(make_jpeg(grey, 16, 16, TJPF_GRAY, TJSAMP_GRAY, 100, 0), 16, 16, rgb, 2);
}

/* 16 x 16 pixels of one CMYK colour. */
static blob make_cmyk(int c, int m, int y, int k) {
    unsigned char cmyk[4 * 256];
    for (int i = 0; i < 256; i++) {
        cmyk[4 * i] = (unsigned char)c;
        cmyk[4 * i + 1] = (unsigned char)m;
        cmyk[4 * i + 2] = (unsigned char)y;
        cmyk[4 * i + 3] = (unsigned char)k;
    }
    return make_jpeg(cmyk, 16, 16, TJPF_CMYK, TJSAMP_444, 100, 0);
}

static void expect_one_colour(blob b, int red, int green, int blue) {
    unsigned char rgb[3 * 256];
    for (int i = 0; i < 256; i++) {
        rgb[3 * i] = (unsigned char)red;
        rgb[3 * i + 1] = (unsigned char)green;
        rgb[3 * i + 2] = (unsigned char)blue;
    }
    expect_pixels(b, 16, 16, rgb, 3);
}

/* Stored inverted: 255 is no ink. */
static void a_ycck_jpeg_gives_rgb(void **state) {
    (void)state;
    expect_one_colour(make_cmyk(200, 100, 40, 255), 200, 100, 40);
    expect_one_colour(make_cmyk(200, 100, 40, 128), 100, 50, 20);
    expect_one_colour(make_cmyk(255, 255, 255, 0), 0, 0, 0);
}

/* turbojpeg writes YCCK only. With the Adobe marker's transform set to 0 the same file holds CMYK: equal inks
 * v became luma 255 - v and chroma 128, and these are now the inks. */
static void a_cmyk_jpeg_gives_rgb(void **state) {
    (void)state;
    blob b = make_cmyk(55, 55, 55, 128);
    size_t at = 0;
    while (at + 5 < b.size && memcmp(b.data + at, "Adobe", 5) != 0) at++;
    assert_int_equal(b.data[at + 11], 2);
    b.data[at + 11] = 0;
    expect_one_colour(b, 100, 64, 64);
}

static void a_jpeg_is_scaled_down_while_the_short_side_allows(void **state) {
    (void)state;
    static const int wanted[][3] = {{0, 200, 100}, {101, 200, 100}, {100, 200, 100}, {51, 200, 100}, {50, 100, 50},
                                    {26, 100, 50}, {25, 50, 25},    {14, 50, 25},    {13, 25, 13},   {1, 25, 13}};
    foci_image image = smooth_image(200, 100, 1);
    blob wide = make_jpeg(image.pixels, 200, 100, TJPF_RGB, TJSAMP_420, 95, 0),
         tall = make_jpeg(image.pixels, 100, 200, TJPF_RGB, TJSAMP_420, 95, 0);
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        foci_image a = decode(&wide, wanted[i][0]), b = decode(&tall, wanted[i][0]);
        assert_int_equal(a.width, wanted[i][1]);
        assert_int_equal(a.height, wanted[i][2]);
        assert_int_equal(b.width, wanted[i][2]);
        assert_int_equal(b.height, wanted[i][1]);
        foci_image_free(&a);
        foci_image_free(&b);
    }
    foci_image half = decode(&wide, 50); /* and it is the same picture: red grows with x, green with y */
    const unsigned char *p = half.pixels + 3 * (25 * 100 + 50);
    assert_close(p[0], 128, 8);
    assert_close(p[1], 128, 8);
    foci_image_free(&half);
    foci_image_free(&image);
    free(wide.data);
    free(tall.data);
}

static void a_cmyk_jpeg_is_scaled_down_too(void **state) {
    (void)state;
    blob b = make_cmyk(200, 100, 40, 255);
    foci_image image = decode(&b, 4);
    assert_int_equal(image.width, 4);
    assert_int_equal(image.height, 4);
    assert_close(image.pixels[3 * 5], 200, 3);
    assert_close(image.pixels[3 * 5 + 2], 40, 3);
    foci_image_free(&image);
    free(b.data);
}

static blob small_jpeg(void) {
    foci_image image = smooth_image(24, 20, 2);
    for (int i = 0; i < 3 * 24 * 20; i += 7) image.pixels[i] ^= 0x3f; /* some detail, so that there is data to damage */
    blob b = make_jpeg(image.pixels, 24, 20, TJPF_RGB, TJSAMP_420, 90, 0);
    foci_image_free(&image);
    return b;
}

static void a_jpeg_cut_anywhere_is_refused(void **state) {
    (void)state;
    blob b = small_jpeg();
    expect_failure(b.data, b.size / 2, "JPEG");
    for (size_t n = 2; n < b.size; n++) expect_failure(b.data, n, "JPEG");
    foci_image image = decode(&b, 0);
    foci_image_free(&image);
    free(b.data);
}

/* libjpeg remembers the first warning alone. */
static void a_cut_jpeg_is_refused_though_it_has_stray_bytes_too(void **state) {
    (void)state;
    blob b = small_jpeg(), stray = {0};
    append(&stray, b.data, 2);
    append(&stray, "\0\0\0", 3);
    append(&stray, b.data + 2, b.size - 2);
    foci_image image = decode(&stray, 0); /* alone they do no harm */
    foci_image_free(&image);
    expect_failure(stray.data, stray.size - b.size / 4, "JPEG");
    free(b.data);
    free(stray.data);
}

static void bytes_after_a_jpeg_are_passed_over(void **state) {
    (void)state;
    blob b = small_jpeg();
    append(&b, "trailing bytes", 14);
    foci_image image = decode(&b, 0);
    assert_int_equal(image.width, 24);
    foci_image_free(&image);
    free(b.data);
}

/* Decoded at an eighth it would fit, but the decoder's own tables would not. */
static void a_jpeg_of_too_many_pixels_is_refused(void **state) {
    (void)state;
    blob b = small_jpeg();
    size_t at = 0;
    while (b.data[at] != 0xff || b.data[at + 1] != 0xc0) at++;
    memcpy(b.data + at + 5, "\xff\xd0\xff\xd0", 4); /* 65488 x 65488 */
    expect_failure(b.data, b.size, "65488 x 65488");
    foci_image image;
    assert_fails(foci_image_decode(&image, b.data, b.size, "wide.jpg", 32), FOCI_ERR_DATA, "wide.jpg: 65488 x 65488");
    free(b.data);
}

/* ---------------------------------------------------------------------------------------------------- PNG */

static void a_grey_png_gives_three_equal_channels(void **state) {
    (void)state;
    static const unsigned char lines[] = {0, 10, 20, 30, 0, 40, 50, 255};
    static const unsigned char rgb[] = {10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40, 50, 50, 50, 255, 255, 255};
    expect_pixels(make_png(3, 2, (png_kind){.depth = 8, .colour = 0}, lines, sizeof lines), 3, 2, rgb, 0);
}

static void a_png_of_one_bit_gives_black_and_white(void **state) {
    (void)state;
    static const unsigned char lines[] = {0, 0xa0}; /* 101 */
    static const unsigned char rgb[] = {255, 255, 255, 0, 0, 0, 255, 255, 255};
    expect_pixels(make_png(3, 1, (png_kind){.depth = 1, .colour = 0}, lines, sizeof lines), 3, 1, rgb, 0);
}

static void the_alpha_of_a_grey_png_is_dropped(void **state) {
    (void)state;
    static const unsigned char lines[] = {0, 10, 0, 20, 128, 30, 255};
    static const unsigned char rgb[] = {10, 10, 10, 20, 20, 20, 30, 30, 30};
    expect_pixels(make_png(3, 1, (png_kind){.depth = 8, .colour = 4}, lines, sizeof lines), 3, 1, rgb, 0);
}

static void the_alpha_of_a_colour_png_is_dropped(void **state) {
    (void)state;
    static const unsigned char lines[] = {0, 1, 2, 3, 0, 4, 5, 6, 255};
    static const unsigned char rgb[] = {1, 2, 3, 4, 5, 6};
    expect_pixels(make_png(2, 1, (png_kind){.depth = 8, .colour = 6}, lines, sizeof lines), 2, 1, rgb, 0);
}

static const unsigned char palette[] = {9, 8, 7, 200, 100, 50, 0, 255, 0};

static void a_palette_png_gives_its_colours(void **state) {
    (void)state;
    static const unsigned char bytes[] = {0, 2, 0, 1}, halves[] = {0, 0x20, 0x10};
    static const unsigned char rgb[] = {0, 255, 0, 9, 8, 7, 200, 100, 50};
    expect_pixels(
        make_png(3, 1, (png_kind){.depth = 8, .colour = 3, .palette = palette, .entries = 3}, bytes, sizeof bytes), 3,
        1, rgb, 0);
    expect_pixels(
        make_png(3, 1, (png_kind){.depth = 4, .colour = 3, .palette = palette, .entries = 3}, halves, sizeof halves), 3,
        1, rgb, 0);
}

static void a_transparent_palette_png_keeps_its_colours(void **state) {
    (void)state;
    static const unsigned char lines[] = {0, 2, 0, 1}, alpha[] = {0, 128, 255};
    static const unsigned char rgb[] = {0, 255, 0, 9, 8, 7, 200, 100, 50};
    png_kind kind = {.depth = 8, .colour = 3, .palette = palette, .alpha = alpha, .entries = 3};
    expect_pixels(make_png(3, 1, kind, lines, sizeof lines), 3, 1, rgb, 0);
}

static void a_png_of_16_bits_gives_the_high_bytes(void **state) {
    (void)state;
    static const unsigned char colour[] = {0, 1, 255, 2, 0, 3, 128}, grey[] = {0, 200, 255, 7, 0};
    static const unsigned char from_colour[] = {1, 2, 3}, from_grey[] = {200, 200, 200, 7, 7, 7};
    expect_pixels(make_png(1, 1, (png_kind){.depth = 16, .colour = 2}, colour, sizeof colour), 1, 1, from_colour, 0);
    expect_pixels(make_png(2, 1, (png_kind){.depth = 16, .colour = 0}, grey, sizeof grey), 2, 1, from_grey, 0);
}

/* Adam7 of 2 x 2: pass 1 has (0, 0), pass 6 (1, 0), pass 7 the second row. */
static void an_interlaced_png_is_put_in_order(void **state) {
    (void)state;
    static const unsigned char lines[] = {0, 10, 0, 20, 0, 30, 40};
    static const unsigned char rgb[] = {10, 10, 10, 20, 20, 20, 30, 30, 30, 40, 40, 40};
    expect_pixels(make_png(2, 2, (png_kind){.depth = 8, .interlaced = true}, lines, sizeof lines), 2, 2, rgb, 0);
}

/* The five filters: none, left, up, average, Paeth. Every line decodes to 10, 20, 30. */
static void every_filter_of_png_is_undone(void **state) {
    (void)state;
    static const unsigned char lines[] = {0, 10, 20, 30, 1, 10, 10, 10, 2, 0, 0, 0, 3, 5, 5, 5, 4, 0, 0, 0};
    unsigned char rgb[3 * 15];
    for (int i = 0; i < 15; i++) memset(rgb + 3 * i, 10 + 10 * (i % 3), 3);
    expect_pixels(make_png(3, 5, (png_kind){.depth = 8}, lines, sizeof lines), 3, 5, rgb, 0);
}

static void least_short_side_leaves_a_png_whole(void **state) {
    (void)state;
    unsigned char lines[40 * 41] = {0};
    blob b = make_png(40, 40, (png_kind){.depth = 8}, lines, sizeof lines);
    foci_image image = decode(&b, 10);
    assert_int_equal(image.width, 40);
    foci_image_free(&image);
    free(b.data);
}

static blob small_png(void) {
    unsigned char lines[20 * (1 + 3 * 24)];
    uint32_t r = 5;
    for (size_t i = 0; i < sizeof lines; i++) lines[i] = (unsigned char)((r = r * 1664525u + 1013904223u) >> 24);
    for (int y = 0; y < 20; y++) lines[y * 73] = (unsigned char)(y % 5);
    return make_png(24, 20, (png_kind){.depth = 8, .colour = 2}, lines, sizeof lines);
}

static void a_png_cut_anywhere_is_refused(void **state) {
    (void)state;
    blob b = small_png();
    for (size_t n = 8; n < b.size; n++) expect_failure(b.data, n, "PNG");
    foci_image image = decode(&b, 0);
    foci_image_free(&image);
    free(b.data);
}

/* A bit of any chunk, also of one that says nothing about pixels. */
static void a_png_with_a_changed_bit_is_refused(void **state) {
    (void)state;
    blob b = small_png();
    b.size -= 12;
    append_chunk(&b, "tEXt", "Title\0cat", 9);
    append_chunk(&b, "IEND", "", 0);
    for (size_t i = 8; i < b.size; i++) {
        b.data[i] ^= 1 << i % 8;
        expect_failure(b.data, b.size, "broken.x");
        b.data[i] ^= 1 << i % 8;
    }
    b.data[50] ^= 4;
    expect_failure(b.data, b.size, "byte 33: a chunk of the PNG image is damaged (wrong checksum)");
    free(b.data);
}

static void a_png_of_too_few_lines_is_refused(void **state) {
    (void)state;
    static const unsigned char lines[] = {0, 1, 2, 3};
    blob b = make_png(3, 2, (png_kind){.depth = 8}, lines, sizeof lines);
    expect_failure(b.data, b.size, "PNG");
    free(b.data);
}

static void a_png_of_too_many_pixels_is_refused(void **state) {
    (void)state;
    static const uint32_t sides[][2] = {{1 << 20, 1 << 20}, {1 << 24, 17}, {UINT32_MAX, UINT32_MAX},
                                        {1u << 31, 1},      {0, 5},        {5, 0}};
    for (size_t i = 0; i < sizeof sides / sizeof *sides; i++) {
        blob b = make_png(sides[i][0], sides[i][1], (png_kind){.depth = 16, .colour = 6}, "\0\1\2\3", 4);
        expect_failure(b.data, b.size, i ? "broken" : "1048576 x 1048576");
        free(b.data);
    }
}

/* ----------------------------------------------------------------------------------------------- neither */

static void what_is_no_image_is_refused(void **state) {
    (void)state;
    static const unsigned char text[] = "GIF89a and so on";
    expect_failure(text, sizeof text, "neither a JPEG nor a PNG");
    expect_failure((const unsigned char *)"\xff", 1, "neither");
    expect_failure((const unsigned char *)"\x89PNG\r\n\x1a", 7, "neither");
    expect_failure((const unsigned char *)"\xff\xd8", 2, "JPEG");
    expect_failure((const unsigned char *)"\x89PNG\r\n\x1a\n", 8, "PNG");
}

static void an_empty_file_is_refused(void **state) {
    (void)state;
    expect_failure(NULL, 0, "empty");
    expect_failure((const unsigned char *)"", 0, "empty");
}

/* ------------------------------------------------------------------------------------------------- damage */

static uint32_t random_state;
static uint32_t random_below(uint32_t n) {
    random_state = random_state * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)random_state * n) >> 32);
}

/* An image or an error about this file: nothing else may come of any bytes. The copy is exact in size, so
 * that the sanitizers see a step past its end. */
static void try_bytes(const unsigned char *data, size_t size) {
    unsigned char *copy = malloc(size ? size : 1);
    memcpy(copy, data, size);
    foci_image image;
    foci_status status = foci_image_decode(&image, copy, size, "fuzzed", (int)random_below(2) * 8);
    if (status) {
        assert_int_equal(status, FOCI_ERR_DATA);
        assert_non_null(strstr(foci_error_message(), "fuzzed"));
        assert_null(image.pixels);
    } else {
        assert_true(image.width > 0 && image.height > 0);
        assert_non_null(image.pixels);
        foci_image_free(&image);
    }
    free(copy);
}

static void damage(blob good, int variants, uint32_t seed) {
    blob bad = {malloc(good.size), good.size};
    random_state = seed;
    for (int i = 0; i < variants; i++) {
        memcpy(bad.data, good.data, good.size);
        for (uint32_t flips = 1 + random_below(4); flips; flips--) {
            uint32_t at = random_below(i % 2 ? (uint32_t)good.size
                                             : 64 + (uint32_t)good.size / 4); /* half of them in the headers */
            bad.data[at] ^= (unsigned char)(1 << random_below(8));
        }
        try_bytes(bad.data, i % 3 ? bad.size : random_below((uint32_t)bad.size));
    }
    free(bad.data);
    free(good.data);
}

static void damaged_jpegs_do_no_harm(void **state) {
    (void)state;
    damage(small_jpeg(), 2000, 1);
}
static void damaged_progressive_jpegs_do_no_harm(void **state) {
    (void)state;
    foci_image image = smooth_image(24, 20, 2);
    damage(make_jpeg(image.pixels, 24, 20, TJPF_RGB, TJSAMP_420, 90, TJFLAG_PROGRESSIVE), 1000, 2);
    foci_image_free(&image);
}
static void damaged_cmyk_jpegs_do_no_harm(void **state) {
    (void)state;
    damage(make_cmyk(1, 100, 200, 50), 1000, 3);
}
static void damaged_pngs_do_no_harm(void **state) {
    (void)state;
    damage(small_png(), 3000, 4);
    static const unsigned char lines[] = {0, 2, 0, 1, 0, 1, 1, 1};
    damage(make_png(3, 2, (png_kind){.depth = 8, .colour = 3, .palette = palette, .entries = 3}, lines, sizeof lines),
           2000, 5);
}

static void random_bytes_do_no_harm(void **state) {
    (void)state;
    random_state = 6;
    for (int i = 0; i < 4000; i++) {
        unsigned char bytes[300];
        size_t size = random_below(sizeof bytes);
        for (size_t k = 0; k < size; k++) bytes[k] = (unsigned char)random_below(256);
        if (i % 3 == 1 && size >= 8) memcpy(bytes, "\x89PNG\r\n\x1a\n", 8);
        if (i % 3 == 2 && size >= 4) memcpy(bytes, "\xff\xd8\xff\xdb", 4);
        try_bytes(bytes, size);
    }
}

/* ------------------------------------------------------------------------------------------------ writing */

static foci_image read_back(const char *path) {
    FILE *f = fopen(path, "rb");
    assert_non_null(f);
    static unsigned char bytes[1 << 20];
    blob b = {bytes, fread(bytes, 1, sizeof bytes, f)};
    fclose(f);
    return decode(&b, 0);
}

static void a_written_png_reads_back_exactly(void **state) {
    foci_image image = smooth_image(61, 47, 5);
    for (int i = 0; i < 3 * 61 * 47; i++) image.pixels[i] ^= (unsigned char)(i * 2654435761u >> 24);
    const char *path = path_of("%s/a.png", (char *)*state);
    assert_ok(foci_image_write(path, &image, 0));
    foci_image back = read_back(path);
    assert_int_equal(largest_difference(&image, &back), 0);
    foci_image_free(&back);
    foci_image_free(&image);
}

static void a_written_jpeg_reads_back_nearly(void **state) {
    foci_image image = smooth_image(61, 47, 5);
    const char *path = path_of("%s/a.jpg", (char *)*state), *small = path_of("%s/b.jpg", (char *)*state);
    assert_ok(foci_image_write(path, &image, 95));
    assert_ok(foci_image_write(small, &image, 10));
    foci_image back = read_back(path);
    int difference = largest_difference(&image, &back);
    assert_in_range(difference, 1, 12); /* near, and not a PNG */
    foci_image_free(&back);
    foci_image_free(&image);
    struct stat fine, coarse;
    stat(path, &fine);
    stat(small, &coarse);
    assert_true(coarse.st_size < fine.st_size);
}

static void an_image_of_one_pixel_is_written(void **state) {
    foci_image image = {1, 1, (unsigned char[]){1, 2, 3}};
    const char *path = path_of("%s/one.png", (char *)*state);
    assert_ok(foci_image_write(path, &image, 0));
    foci_image back = read_back(path);
    assert_int_equal(largest_difference(&image, &back), 0);
    foci_image_free(&back);
}

static void writing_where_nothing_can_be_names_the_place(void **state) {
    foci_image image = {1, 1, (unsigned char[]){1, 2, 3}};
    assert_fails(foci_image_write(path_of("%s/absent/x.png", (char *)*state), &image, 0), FOCI_ERR_IO, "absent/x.png");
    assert_fails(foci_image_write(path_of("%s/absent/x.jpg", (char *)*state), &image, 90), FOCI_ERR_IO, "absent/x.jpg");
}

static void freeing_an_image_leaves_it_empty(void **state) {
    (void)state;
    foci_image image = smooth_image(4, 4, 1);
    foci_image_free(&image);
    assert_null(image.pixels);
    assert_int_equal(image.width, 0);
    foci_image_free(&image);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_jpeg_gives_its_colours),
        cmocka_unit_test(a_jpeg_of_half_the_chroma_gives_its_colours),
        cmocka_unit_test(a_progressive_jpeg_gives_its_colours),
        cmocka_unit_test(a_grey_jpeg_gives_three_equal_channels),
        cmocka_unit_test(a_ycck_jpeg_gives_rgb),
        cmocka_unit_test(a_cmyk_jpeg_gives_rgb),
        cmocka_unit_test(a_jpeg_is_scaled_down_while_the_short_side_allows),
        cmocka_unit_test(a_cmyk_jpeg_is_scaled_down_too),
        cmocka_unit_test(a_jpeg_cut_anywhere_is_refused),
        cmocka_unit_test(a_cut_jpeg_is_refused_though_it_has_stray_bytes_too),
        cmocka_unit_test(bytes_after_a_jpeg_are_passed_over),
        cmocka_unit_test(a_jpeg_of_too_many_pixels_is_refused),
        cmocka_unit_test(a_grey_png_gives_three_equal_channels),
        cmocka_unit_test(a_png_of_one_bit_gives_black_and_white),
        cmocka_unit_test(the_alpha_of_a_grey_png_is_dropped),
        cmocka_unit_test(the_alpha_of_a_colour_png_is_dropped),
        cmocka_unit_test(a_palette_png_gives_its_colours),
        cmocka_unit_test(a_transparent_palette_png_keeps_its_colours),
        cmocka_unit_test(a_png_of_16_bits_gives_the_high_bytes),
        cmocka_unit_test(an_interlaced_png_is_put_in_order),
        cmocka_unit_test(every_filter_of_png_is_undone),
        cmocka_unit_test(least_short_side_leaves_a_png_whole),
        cmocka_unit_test(a_png_cut_anywhere_is_refused),
        cmocka_unit_test(a_png_with_a_changed_bit_is_refused),
        cmocka_unit_test(a_png_of_too_few_lines_is_refused),
        cmocka_unit_test(a_png_of_too_many_pixels_is_refused),
        cmocka_unit_test(what_is_no_image_is_refused),
        cmocka_unit_test(an_empty_file_is_refused),
        cmocka_unit_test(damaged_jpegs_do_no_harm),
        cmocka_unit_test(damaged_progressive_jpegs_do_no_harm),
        cmocka_unit_test(damaged_cmyk_jpegs_do_no_harm),
        cmocka_unit_test(damaged_pngs_do_no_harm),
        cmocka_unit_test(random_bytes_do_no_harm),
        cmocka_unit_test(a_written_png_reads_back_exactly),
        cmocka_unit_test(a_written_jpeg_reads_back_nearly),
        cmocka_unit_test(an_image_of_one_pixel_is_written),
        cmocka_unit_test(writing_where_nothing_can_be_names_the_place),
        cmocka_unit_test(freeing_an_image_leaves_it_empty),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
