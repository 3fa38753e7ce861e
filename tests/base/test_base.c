/* The base room: errors, random numbers with published answers, files that are whole or absent. */
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/cpu.h"
#include "base/error.h"
#include "base/file.h"
#include "base/parallel.h"
#include "base/philox.h"
#include "check.h"

static void errors_gather_context(void **state) {
    (void)state;
    foci_status s = foci_fail(FOCI_ERR_DATA, "%s: byte %d", "x.jpg", 7);
    s = foci_context(s, "while reading %s", "batch 3");
    assert_int_equal(s, FOCI_ERR_DATA);
    assert_string_equal(foci_error_message(), "while reading batch 3: x.jpg: byte 7");
    foci_error e;
    foci_error_take(&e, s);
    foci_fail(FOCI_ERR_IO, "other");
    assert_int_equal(foci_error_raise(&e), FOCI_ERR_DATA);
    assert_string_equal(foci_error_message(), "while reading batch 3: x.jpg: byte 7");
    foci_fail(FOCI_ERR_DATA, "name \x1b[31m with a terminal escape");
    assert_null(strchr(foci_error_message(), 0x1b));
}

/* Known answers of Random123's philox4x32_10 (kat_vectors): counter and key all zero. */
static void philox_has_the_published_numbers(void **state) {
    (void)state;
    foci_u32x4 u = foci_philox(0, 0, 0, 0);
    assert_int_equal(u.v[0], 0x6627e8d5);
    assert_int_equal(u.v[1], 0xe169c58d);
    assert_int_equal(u.v[2], 0xbc57ac4c);
    assert_int_equal(u.v[3], 0x9b00dbd8);
    u = foci_philox(UINT64_MAX, 0, UINT64_MAX, UINT64_MAX);
    assert_int_equal(u.v[0], 0x408f276d);
    assert_int_equal(u.v[1], 0x41c83b0e);
    assert_int_equal(u.v[2], 0xa20bc7c6);
    assert_int_equal(u.v[3], 0x6d5451fd);
}

static void random_numbers_are_spread(void **state) {
    (void)state;
    foci_rng r = foci_rng_make(1, foci_stream("test"), 0);
    double sum = 0, squares = 0, uniform = 0;
    enum { N = 100000 };
    int counts[10] = {0};
    for (int i = 0; i < N; i++) {
        double z = foci_rng_normal(&r);
        sum += z;
        squares += z * z;
        uniform += foci_rng_uniform(&r);
        counts[foci_rng_below(&r, 10)]++;
    }
    assert_close(sum / N, 0, 0.02);
    assert_close(squares / N, 1, 0.02);
    assert_close(uniform / N, 0.5, 0.01);
    for (int i = 0; i < 10; i++) assert_close(counts[i] / (double)N, 0.1, 0.01);
}

static void files_are_old_or_new(void **state) {
    (void)state;
    const char *dir = temporary_folder();
    char path[512], tmp[520], *text;
    snprintf(path, sizeof path, "%s/a/b/c.txt", dir);
    snprintf(tmp, sizeof tmp, "%s.tmp", path);
    assert_fails(foci_write_file(path, "x", 1), FOCI_ERR_IO, "c.txt");
    char folder[512];
    snprintf(folder, sizeof folder, "%s/a/b", dir);
    assert_ok(foci_make_dirs(folder));
    assert_ok(foci_write_file(path, "first", 5));
    foci_writer w;
    assert_ok(foci_writer_open(&w, path));
    foci_write(&w, "second", 6);
    foci_writer_abort(&w);
    size_t size;
    assert_ok(foci_read_file(path, 100, &text, &size, FOCI_ERR_DATA));
    assert_string_equal(text, "first");
    free(text);
    assert_ok(foci_write_file(path, "second", 6));
    assert_ok(foci_read_file(path, 100, &text, &size, FOCI_ERR_DATA));
    assert_string_equal(text, "second");
    free(text);
    assert_int_equal(foci_path_kind(tmp), 0);
    assert_fails(foci_read_file(path, 3, &text, &size, FOCI_ERR_DATA), FOCI_ERR_DATA, "limit");
    assert_fails(foci_read_file(folder, 100, &text, &size, FOCI_ERR_DATA), FOCI_ERR_DATA, "not a regular file");
    foci_map map;
    assert_ok(foci_map_open(&map, path, FOCI_ERR_DATA));
    assert_int_equal(map.size, 6);
    foci_map_close(&map);
    assert_fails(foci_map_open(&map, "/nonexistent/x", FOCI_ERR_DATA), FOCI_ERR_DATA, "No such file");
    char command[600];
    snprintf(command, sizeof command, "rm -rf %s", dir);
    assert_int_equal(system(command), 0);
}

/* The rename at the end would put a file in the place of a device or pipe, for everybody on the machine. */
static void what_is_no_file_is_not_replaced(void **state) {
    (void)state;
    const char *dir = temporary_folder();
    char pipe[512], link[512], command[600];
    struct stat st;
    snprintf(pipe, sizeof pipe, "%s/pipe", dir);
    snprintf(link, sizeof link, "%s/link", dir);
    assert_int_equal(mkfifo(pipe, 0600), 0);
    assert_int_equal(symlink(pipe, link), 0);
    assert_fails(foci_write_file(pipe, "x", 1), FOCI_ERR_IO, "pipe: not a regular file");
    assert_fails(foci_write_file(link, "x", 1), FOCI_ERR_IO, "link: not a regular file");
    assert_fails(foci_write_file(dir, "x", 1), FOCI_ERR_IO, "not a regular file");
    assert_int_equal(lstat(pipe, &st), 0);
    assert_true(S_ISFIFO(st.st_mode));
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    snprintf(command, sizeof command, "rm -r %s && ! ls %s.tmp", dir, dir);
    assert_int_equal(system(command), 0);
}

static void a_full_disk_is_reported(void **state) {
    (void)state;
    if (access("/dev/full", W_OK) != 0) { skip(); }
    foci_writer w = {
        .fd = open("/dev/full", O_WRONLY), .status = FOCI_OK, .path = "out", .temporary = "/nonexistent/out.tmp"};
    assert_fails(foci_write(&w, "x", 1), FOCI_ERR_IO, "No space left");
    assert_int_equal(foci_write(&w, "y", 1), FOCI_ERR_IO); /* it sticks */
    assert_int_equal(foci_writer_commit(&w), FOCI_ERR_IO);
}

static void tiles_cover_everything_once(void **state) {
    (void)state;
    for (int64_t n = 0; n < 40; n++)
        for (int64_t size = 1; size < 12; size++) {
            int64_t next = 0;
            for (int64_t i = 0; i < foci_tiles(n, size); i++) {
                foci_range r = foci_tile(n, size, i);
                assert_int_equal(r.first, next);
                next = r.end;
            }
            assert_int_equal(next, n);
        }
}

static void arena_keeps_text(void **state) {
    (void)state;
    foci_arena a = {0};
    char *first = foci_arena_printf(&a, "%d", 12345);
    for (int i = 0; i < 1000; i++) assert_non_null(foci_arena_alloc(&a, (size_t)i * 7));
    assert_non_null(foci_arena_alloc(&a, 1 << 20));
    assert_string_equal(first, "12345");
    assert_null(foci_arena_alloc(&a, SIZE_MAX - 3));
    foci_arena_free(&a);
}

static void unknown_instruction_sets_are_refused(void **state) {
    (void)state;
    const char *old = getenv("FOCI_ISA");
    char *kept = old ? strdup(old) : NULL;
    foci_isa isa;
    setenv("FOCI_ISA", "sse9", 1);
    assert_fails(foci_isa_choose(&isa), FOCI_ERR_CONFIG, "FOCI_ISA=sse9: not one of generic, neon, avx2, avx512, amx");
    setenv("FOCI_ISA", "generic", 1);
    assert_ok(foci_isa_choose(&isa));
    assert_int_equal(isa, FOCI_ISA_GENERIC);
    if (kept) setenv("FOCI_ISA", kept, 1);
    else unsetenv("FOCI_ISA");
    free(kept);
}

typedef struct work {
    int64_t from, to; /* that fail */
    unsigned char done[1000];
} work;

static foci_status do_one(void *context, int64_t i) {
    work *w = context;
    w->done[i]++;
    for (volatile int64_t spin = i < 500 ? 100000 : 0; spin > 0;) spin--; /* later ones are done sooner */
    return i >= w->from && i < w->to ? foci_fail(FOCI_ERR_DATA, "piece %d", (int)i) : FOCI_OK;
}

static void the_first_failure_of_many_is_reported(void **state) {
    (void)state;
    for (int threads = 1; threads <= 4; threads += 3) {
        work w = {0, 0, {0}};
        foci_set_threads(threads);
        assert_ok(foci_each(1000, do_one, &w));
        for (int i = 0; i < 1000; i++) assert_int_equal(1, w.done[i]);
        assert_ok(foci_each(0, do_one, &w));
        w = (work){37, 1000, {0}};
        assert_fails(foci_each(1000, do_one, &w), FOCI_ERR_DATA, "piece 37");
        for (int i = 0; i <= 37; i++) assert_int_equal(1, w.done[i]);
        w = (work){999, 1000, {0}};
        assert_fails(foci_each(1000, do_one, &w), FOCI_ERR_DATA, "piece 999");
    }
    foci_set_threads(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(errors_gather_context),
        cmocka_unit_test(philox_has_the_published_numbers),
        cmocka_unit_test(random_numbers_are_spread),
        cmocka_unit_test(files_are_old_or_new),
        cmocka_unit_test(what_is_no_file_is_not_replaced),
        cmocka_unit_test(a_full_disk_is_reported),
        cmocka_unit_test(tiles_cover_everything_once),
        cmocka_unit_test(the_first_failure_of_many_is_reported),
        cmocka_unit_test(arena_keeps_text),
        cmocka_unit_test(unknown_instruction_sets_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
