/* Safetensors: what is written is read back; whatever is wrong in a file is found, named, and survived. */
#include "check.h"

#include <math.h>
#include <unistd.h>

#include "base/philox.h"
#include "core/safetensors.h"

static char path[512];

static int make_path(void **state) {
    (void)state;
    snprintf(path, sizeof path, "%s/x.safetensors", temporary_folder());
    return 0;
}

static void put(const void *data, size_t size) {
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
}

/* A file of this header and `bytes` bytes of data, all 0x40. */
static void put_header(const char *header, size_t bytes) {
    unsigned char file[4096];
    uint64_t n = strlen(header);
    memset(file, 0x40, sizeof file);
    memcpy(file, &n, 8);
    memcpy(file + 8, header, n);
    assert_true(8 + n + bytes <= sizeof file);
    put(file, 8 + n + bytes);
}

static void refuses(const char *header, size_t bytes, const char *part) {
    put_header(header, bytes);
    foci_safetensors f;
    assert_fails(foci_safetensors_open(&f, path), FOCI_ERR_CHECKPOINT, part);
    assert_non_null(strstr(foci_error_message(), path));
}

static const foci_real weights[6] = {1, -2, 0.5f, 3, 1e-20f, -0.0f}, bias[2] = {7, 8};
static void write_small(void) {
    foci_safetensor_item item[] = {{"a.weight", 2, (int64_t[]){2, 3}, weights}, {"a.bias", 1, (int64_t[]){2}, bias}};
    foci_text_pair metadata[] = {{"step", "12"}, {"note", "\"quoted\"\n"}};
    assert_ok(foci_safetensors_write(path, item, 2, metadata, 2));
}

static void reads_back_what_was_written(void **state) {
    (void)state;
    write_small();
    foci_safetensors f;
    assert_ok(foci_safetensors_open(&f, path));
    assert_true(f.verified);
    assert_int_equal(f.count, 2);
    assert_int_equal((f.data - f.map.data) % 64, 0);
    assert_string_equal(foci_safetensors_metadata(&f, "step"), "12");
    assert_string_equal(foci_safetensors_metadata(&f, "note"), "\"quoted\"\n");
    assert_null(foci_safetensors_metadata(&f, "other"));
    assert_null(foci_safetensors_find(&f, "a"));
    const foci_safetensor *t = foci_safetensors_find(&f, "a.weight");
    assert_int_equal(t->ndim, 2);
    assert_int_equal(t->shape[1], 3);
    foci_real x[6];
    assert_ok(foci_safetensors_reals(&f, t, 0, 6, x));
    assert_memory_equal(x, weights, sizeof x);
    assert_ok(foci_safetensors_reals(&f, t, 2, 1, x));
    assert_true(x[0] == 0.5f);
    int32_t i[6];
    assert_fails(foci_safetensors_ints(&f, t, 0, 6, i), FOCI_ERR_CHECKPOINT, "tensor a.weight holds F32");
    foci_safetensors_close(&f);
}

static void writes_the_same_bytes_twice(void **state) {
    (void)state;
    foci_map a, b;
    write_small();
    assert_ok(foci_map_open(&a, path, FOCI_ERR_IO));
    write_small();
    assert_ok(foci_map_open(&b, path, FOCI_ERR_IO));
    assert_int_equal(a.size, b.size);
    assert_memory_equal(a.data, b.data, a.size);
    foci_map_close(&a);
    foci_map_close(&b);
}

static void writes_to_nowhere_fail(void **state) {
    (void)state;
    foci_safetensor_item item = {"a", 1, (int64_t[]){2}, bias};
    assert_fails(foci_safetensors_write("/nonexistent/x.safetensors", &item, 1, NULL, 0), FOCI_ERR_IO,
                 "/nonexistent/x");
}

/* Every type is read: 8 bytes of 0x40 each. */
static void converts_every_type(void **state) {
    (void)state;
    static const struct {
        const char *dtype;
        int count;
        double value;
    } real[] = {{"F64", 1, 32.50196}, {"F32", 2, 3.00392}, {"F16", 4, 2.125}, {"BF16", 4, 3.0}},
      whole[] = {{"I32", 2, 0x40404040}, {"I16", 4, 0x4040}, {"I8", 8, 0x40}, {"U8", 8, 0x40}, {"BOOL", 8, 0x40}};
    char header[200];
    foci_safetensors f;
    for (size_t i = 0; i < sizeof real / sizeof *real; i++) {
        snprintf(header, sizeof header, "{\"x\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,8]}}",
                 real[i].dtype, real[i].count);
        put_header(header, 8);
        assert_ok(foci_safetensors_open(&f, path));
        foci_real x[8];
        assert_ok(foci_safetensors_reals(&f, foci_safetensors_find(&f, "x"), 0, real[i].count, x));
        assert_close(x[real[i].count - 1], real[i].value, 1e-5);
        foci_safetensors_close(&f);
    }
    for (size_t i = 0; i < sizeof whole / sizeof *whole; i++) {
        snprintf(header, sizeof header, "{\"x\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,8]}}",
                 whole[i].dtype, whole[i].count);
        put_header(header, 8);
        assert_ok(foci_safetensors_open(&f, path));
        int32_t x[8];
        assert_ok(foci_safetensors_ints(&f, foci_safetensors_find(&f, "x"), 0, whole[i].count, x));
        assert_int_equal(x[whole[i].count - 1], (int)whole[i].value);
        foci_real r[8];
        assert_fails(foci_safetensors_reals(&f, foci_safetensors_find(&f, "x"), 0, 1, r), FOCI_ERR_CHECKPOINT,
                     "not floating-point");
        foci_safetensors_close(&f);
    }
}

static void put_words(const char *dtype, int count, const void *data, size_t bytes) {
    unsigned char file[512];
    int n = snprintf((char *)file + 8, sizeof file - 8,
                     "{\"x\":{\"dtype\":\"%s\",\"shape\":[%d],\"data_offsets\":[0,%zu]}}", dtype, count, bytes);
    uint64_t length = (uint64_t)n;
    memcpy(file, &length, 8);
    memcpy(file + 8 + n, data, bytes);
    put(file, 8 + (size_t)n + bytes);
}

static void reads_half_precision(void **state) {
    (void)state;
    const uint16_t word[] = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0xfc00, 0x0400, 0x8000};
    const double value[] = {1, -2, 0x1p-24, 65504, INFINITY, -INFINITY, 0x1p-14, 0};
    put_words("F16", 8, word, sizeof word);
    foci_safetensors f;
    foci_real x[8];
    assert_ok(foci_safetensors_open(&f, path));
    assert_ok(foci_safetensors_reals(&f, f.tensor, 0, 8, x));
    for (int i = 0; i < 8; i++) assert_true((double)x[i] == value[i]);
    foci_safetensors_close(&f);
}

static void refuses_values_out_of_range(void **state) {
    (void)state;
    foci_safetensors f;
    foci_real x[2];
    int32_t n[2];
    put_words("F64", 2, (double[]){1, 1e300}, 16);
    assert_ok(foci_safetensors_open(&f, path));
    if (sizeof(foci_real) == 4)
        assert_fails(foci_safetensors_reals(&f, f.tensor, 0, 2, x), FOCI_ERR_CHECKPOINT,
                     "tensor x: element 1 is 1e+300");
    foci_safetensors_close(&f);
    put_words("I64", 2, (int64_t[]){-5, INT64_C(1) << 31}, 16);
    assert_ok(foci_safetensors_open(&f, path));
    assert_ok(foci_safetensors_ints(&f, f.tensor, 0, 1, n));
    assert_int_equal(n[0], -5);
    assert_fails(foci_safetensors_ints(&f, f.tensor, 0, 2, n), FOCI_ERR_CHECKPOINT,
                 "tensor x: element 1 is 2147483648");
    foci_safetensors_close(&f);
}

#define X(dtype, shape, offsets) "{\"x\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}}"
static void refuses_headers_that_lie(void **state) {
    (void)state;
    refuses(X("\"F32\"", "[2]", "[0,8]"), 4, "its data end at byte 8 of 4");
    refuses(X("\"F32\"", "[2]", "[0,8]"), 12, "4 bytes after the last tensor");
    refuses(X("\"F32\"", "[2]", "[4,12]"), 12, "4 bytes before tensor x belong to none");
    refuses(X("\"F32\"", "[3]", "[0,8]"), 8, "F32 (3) takes 12 bytes, its data_offsets span 8");
    refuses(X("\"F64\"", "[2]", "[0,8]"), 8, "F64 (2) takes 16 bytes");
    refuses(X("\"Q4\"", "[2]", "[0,8]"), 8, "dtype Q4 is not one");
    refuses(X("7", "[2]", "[0,8]"), 8, "dtype is not a string");
    refuses(X("\"F32\"", "2", "[0,8]"), 8, "shape is not a list");
    refuses(X("\"F32\"", "[-2]", "[0,8]"), 8, "dimension 0 is not a whole number");
    refuses(X("\"F32\"", "[2.0]", "[0,8]"), 8, "dimension 0 is not a whole number");
    refuses(X("\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]"), 8, "9 dimensions, at most 8");
    refuses(X("\"F32\"", "[4611686018427387904,4]", "[0,8]"), 8, "more elements than any file");
    refuses(X("\"F32\"", "[99999999999999999999]", "[0,8]"), 8, "header: too big integer");
    refuses(X("\"F32\"", "[2]", "[8,0]"), 8, "data_offsets [8, 0] is no range");
    refuses(X("\"F32\"", "[2]", "[-8,0]"), 8, "data_offsets [-8, 0] is no range");
    refuses(X("\"F32\"", "[2]", "[0,8,9]"), 8, "not a pair");
    refuses(X("\"F32\"", "[2]", "\"0,8\""), 8, "not a pair");
    refuses("{\"x\":{\"dtype\":\"F32\",\"shape\":[2]}}", 8, "not made of dtype, shape and data_offsets");
    refuses("{\"x\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0,8],\"extra\":1}}", 8, "not made of");
    refuses("{\"x\":[]}", 8, "tensor x: its entry is not an object");
    refuses("[]", 0, "not a JSON object");
    refuses("", 0, "header: ");
    refuses("{\"x\":", 0, "header: ");
    refuses("{\"__metadata__\":[]}", 0, "__metadata__ is not an object");
    refuses("{\"__metadata__\":{\"a\":1}}", 0, "a is not a string");
}

static void refuses_duplicates_and_overlaps(void **state) {
    (void)state;
#define F32(name, offsets) "\"" name "\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":" offsets "}"
    refuses("{" F32("x", "[0,8]") "," F32("x", "[8,16]") "}", 16, "duplicate object key");
    refuses("{" F32("x", "[0,8]") "," F32("y", "[4,12]") "}", 12, "tensor y overlaps tensor x");
    refuses("{" F32("x", "[0,8]") "," F32("y", "[0,8]") "}", 8, "overlaps");
    refuses("{" F32("x", "[0,8]") "," F32("y", "[12,20]") "}", 20, "4 bytes before tensor y");
    put_header("{" F32("x", "[8,16]") "," F32("y", "[0,8]") "}", 16);
    foci_safetensors f;
    assert_ok(foci_safetensors_open(&f, path)); /* any order is fine */
    assert_false(f.verified);
    foci_safetensors_close(&f);
}

static void takes_numbers_and_empty_tensors(void **state) {
    (void)state;
    put_header("{\"s\":{\"dtype\":\"F32\",\"shape\":[],\"data_offsets\":[0,4]},\"e\":{\"dtype\":\"F32\","
               "\"shape\":[0,5],\"data_offsets\":[0,0]}}  ",
               4);
    foci_safetensors f;
    assert_ok(foci_safetensors_open(&f, path));
    assert_int_equal(foci_safetensors_find(&f, "s")->numel, 1);
    assert_int_equal(foci_safetensors_find(&f, "e")->numel, 0);
    foci_safetensors_close(&f);
}

static void refuses_what_is_no_such_file(void **state) {
    (void)state;
    foci_safetensors f;
    assert_fails(foci_safetensors_open(&f, "/nonexistent"), FOCI_ERR_CHECKPOINT, "/nonexistent: No such file");
    assert_fails(foci_safetensors_open(&f, "/"), FOCI_ERR_CHECKPOINT, "not a regular file");
    put("", 0);
    assert_fails(foci_safetensors_open(&f, path), FOCI_ERR_CHECKPOINT, "0 bytes, too short");
    put("PK\3\4aaaaaaaaaaaaaaaaaa", 22);
    assert_fails(foci_safetensors_open(&f, path), FOCI_ERR_CHECKPOINT, "no safetensors file");
}

static void refuses_huge_and_deep_headers(void **state) {
    (void)state;
    size_t n = 100 << 20;
    char *big = malloc(n + 8);
    assert_non_null(big);
    memset(big, '[', n + 8);
    uint64_t length = n;
    memcpy(big, &length, 8);
    put(big, n + 8);
    foci_safetensors f;
    assert_fails(foci_safetensors_open(&f, path), FOCI_ERR_CHECKPOINT, "a header of 104857600 bytes");
    length = 1 << 20;
    memcpy(big, &length, 8);
    put(big, (1 << 20) + 8);
    assert_fails(foci_safetensors_open(&f, path), FOCI_ERR_CHECKPOINT, "header: maximum parsing depth");
    free(big);
}

/* Reads everything that opens. */
static bool opens(void) {
    foci_safetensors f;
    if (foci_safetensors_open(&f, path)) return false;
    for (int i = 0; i < f.count; i++) {
        const foci_safetensor *t = &f.tensor[i];
        foci_real x[64];
        int32_t n[64];
        int64_t count = t->numel < 64 ? t->numel : 64;
        if (foci_safetensors_reals(&f, t, 0, count, x)) foci_safetensors_ints(&f, t, 0, count, n);
    }
    foci_safetensors_close(&f);
    return true;
}

static void refuses_every_truncation(void **state) {
    (void)state;
    write_small();
    foci_map map;
    assert_ok(foci_map_open(&map, path, FOCI_ERR_IO));
    size_t size = map.size;
    unsigned char *file = malloc(size + 1);
    memcpy(file, map.data, size);
    file[size] = 0;
    foci_map_close(&map);
    for (size_t n = 0; n < size; n++) {
        put(file, n);
        if (opens()) fail_msg("%zu of %zu bytes opened", n, size);
    }
    put(file, size + 1);
    assert_false(opens());
    free(file);
}

/* A flipped bit is found wherever it is: by the structure or by the checksum. Only where it hits the
 * checksum's own name is the file taken for one that foci did not write, and then it does not count as
 * verified. */
static void finds_5000_flipped_bits(void **state) {
    (void)state;
    write_small();
    foci_map map;
    assert_ok(foci_map_open(&map, path, FOCI_ERR_IO));
    size_t size = map.size;
    unsigned char *file = malloc(size);
    memcpy(file, map.data, size);
    foci_map_close(&map);
    foci_rng rng = foci_rng_make(1, 2, 3);
    for (int i = 0; i < 5000; i++) {
        uint32_t bit = foci_rng_below(&rng, (uint32_t)size * 8);
        file[bit / 8] ^= (unsigned char)(1 << bit % 8);
        put(file, size);
        foci_safetensors f;
        if (foci_safetensors_open(&f, path) == FOCI_OK) {
            if (f.verified) fail_msg("bit %u of byte %u: not noticed", bit % 8, bit / 8);
            foci_safetensors_close(&f);
            opens();
        }
        file[bit / 8] ^= (unsigned char)(1 << bit % 8);
    }
    for (int i = 0; i < 500; i++) { /* several at once, from a file without a checksum */
        put_header(X("\"F32\"", "[2]", "[0,8]"), 8);
        FILE *f = fopen(path, "r+b");
        unsigned char b[128];
        size_t n = fread(b, 1, sizeof b, f);
        for (int j = 0; j < 3; j++)
            b[foci_rng_below(&rng, (uint32_t)n)] ^= (unsigned char)(1 << foci_rng_below(&rng, 8));
        fclose(f);
        put(b, n);
        opens();
    }
    free(file);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_back_what_was_written),
        cmocka_unit_test(writes_the_same_bytes_twice),
        cmocka_unit_test(writes_to_nowhere_fail),
        cmocka_unit_test(converts_every_type),
        cmocka_unit_test(reads_half_precision),
        cmocka_unit_test(refuses_values_out_of_range),
        cmocka_unit_test(refuses_headers_that_lie),
        cmocka_unit_test(refuses_duplicates_and_overlaps),
        cmocka_unit_test(takes_numbers_and_empty_tensors),
        cmocka_unit_test(refuses_what_is_no_such_file),
        cmocka_unit_test(refuses_huge_and_deep_headers),
        cmocka_unit_test(refuses_every_truncation),
        cmocka_unit_test(finds_5000_flipped_bits),
    };
    return cmocka_run_group_tests(tests, make_path, NULL);
}
