/* Event files are what their readers expect, continue over interruptions and failures, and hold what metrics.jsonl has.
 */
#define _GNU_SOURCE
#include "run/event_file.h"

#include <dirent.h>
#include <jansson.h>
#include <math.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/philox.h"
#include "task/schema.h"
#include "run/tensorboard.h"
#include "train/trainer.h"

enum { ROOM = 200 };

/* ------------------------------------------------------------------------------------------------- helpers */

/* Names and doubles in turn, ended by NULL. */
static foci_status log_metrics(foci_events *e, ...) {
    foci_report line = {NULL};
    const char *name;
    va_list ap;
    va_start(ap, e);
    while ((name = va_arg(ap, const char *))) foci_report_number(&line, name, va_arg(ap, double));
    va_end(ap);
    foci_status s = foci_events_metrics(e, &line);
    foci_report_free(&line);
    return s;
}

static int is_event_file(const struct dirent *e) { return foci_events_is_file(e->d_name); }

/* The folder's event files in the order of their names; returns how many. */
static int list_files(const char *folder, char path[][512], int room) {
    struct dirent **entry;
    int n = scandir(folder, &entry, is_event_file, alphasort);
    assert_in_range(n, 0, room);
    for (int i = 0; i < n; i++) {
        snprintf(path[i], 512, "%s/%s", folder, entry[i]->d_name);
        free(entry[i]);
    }
    free(entry);
    return n;
}

typedef struct file {
    char *data;
    size_t size;
    event *list;
    int count;
} file;

static file read_file(const char *path) {
    file f = {.list = calloc(ROOM, sizeof(event))};
    assert_ok(foci_read_file(path, 1 << 26, &f.data, &f.size, FOCI_ERR_DATA));
    span s = {(unsigned char *)f.data, (unsigned char *)f.data + f.size};
    const char *wrong = read_events(s, f.list, ROOM, &f.count);
    if (wrong) fail_msg("%s: %s after %d events", path, wrong, f.count);
    return f;
}

static file read_only_file(const char *folder) {
    char path[2][512];
    assert_int_equal(1, list_files(folder, path, 2));
    return read_file(path[0]);
}

static void drop(file *f) {
    free(f->data);
    free(f->list);
}

static const value *find(const event *e, const char *tag) {
    for (int i = 0; i < e->values; i++)
        if (strcmp(e->value[i].tag, tag) == 0) return &e->value[i];
    return NULL;
}

static void check_value(const event *e, const char *tag, double x) {
    const value *v = find(e, tag);
    if (!v || !v->scalar) fail_msg("step %lld has no %s", (long long)e->step, tag);
    if (v->number != (float)x) fail_msg("step %lld: %s is %.9g, not %.9g", (long long)e->step, tag, v->number, x);
}

/* ------------------------------------------------------------------------------------------------ the file */

static void checksums(void **state) { /* RFC 3720, B.4, and the check value */
    (void)state;
    unsigned char a[32];
    assert_int_equal(0xE3069283, foci_crc32c("123456789", 9));
    assert_int_equal(0, foci_crc32c("", 0));
    memset(a, 0, sizeof a);
    assert_int_equal(0x8A9136AA, foci_crc32c(a, 32));
    memset(a, 255, sizeof a);
    assert_int_equal(0x62A8AB43, foci_crc32c(a, 32));
    for (int i = 0; i < 32; i++) a[i] = (unsigned char)i;
    assert_int_equal(0x46DD794E, foci_crc32c(a, 32));
}

static void beginning(void **state) {
    (void)state;
    foci_events *e;
    const char *folder = temporary_folder();
    const double before = (double)time(NULL);
    assert_ok(foci_events_open(&e, folder, 41));
    foci_events_close(e);
    file f = read_only_file(folder);
    assert_int_equal(2, f.count);
    assert_string_equal("brain.Event:2", f.list[0].version);
    assert_int_equal(0, f.list[0].step);
    assert_string_equal("", f.list[1].version);
    assert_int_equal(1, f.list[1].session);
    assert_int_equal(42, f.list[1].step); /* what was logged at 41 stays */
    for (int i = 0; i < 2; i++) assert_true(f.list[i].time >= before && f.list[i].time <= (double)time(NULL) + 1);
    /* the first record, byte by byte: time, step, version */
    const unsigned char *b = (unsigned char *)f.data;
    assert_memory_equal("\x1a\0\0\0\0\0\0\0", b, 8);
    assert_int_equal(0x09, b[12]);
    assert_memory_equal("\x10\0\x1a\x0d"
                        "brain.Event:2",
                        b + 21, 17);
    drop(&f);
}

static void scalars(void **state) {
    (void)state;
    foci_events *e;
    const char *folder = temporary_folder();
    assert_ok(foci_events_open(&e, folder, 0));
    assert_ok(log_metrics(e, "step", 50.0, "epoch", 0.5, "loss", 2.25, "lr", 1e-3, "grad_norm", NAN, "items_per_s", 1e9,
                          "new", 7.0, "elapsed", 3.0, NULL));
    assert_ok(log_metrics(e, "step", 1e12, "val_loss", 2.0, "top1", 63.1, "top5", 90.0, "images", 10.0, "ema_top1",
                          64.0, NULL));
    assert_ok(log_metrics(e, "step", 128.0, "nll", 5.0, "ppl", 148.4, "tokens", 10.0, "ema_ppl", INFINITY, NULL));
    foci_events_close(e);
    file f = read_only_file(folder);
    assert_int_equal(5, f.count);
    assert_int_equal(50, f.list[2].step);
    assert_int_equal(6, f.list[2].values);
    check_value(&f.list[2], "epoch", 0.5);
    check_value(&f.list[2], "train/loss", 2.25);
    check_value(&f.list[2], "train/lr", 1e-3);
    assert_true(isnan(find(&f.list[2], "train/grad_norm")->number));
    check_value(&f.list[2], "train/items_per_s", 1e9);
    check_value(&f.list[2], "new", 7);
    assert_int_equal(1000000000000, f.list[3].step);
    assert_int_equal(4, f.list[3].values);
    check_value(&f.list[3], "val/loss", 2);
    check_value(&f.list[3], "val/top1", 63.1);
    check_value(&f.list[3], "val/top5", 90);
    check_value(&f.list[3], "ema/top1", 64);
    assert_int_equal(128, f.list[4].step);
    check_value(&f.list[4], "val/loss", 5);
    check_value(&f.list[4], "val/ppl", 148.4);
    check_value(&f.list[4], "ema/ppl", INFINITY);
    drop(&f);
}

static void check_picture(const value *v, const foci_image *wanted) {
    foci_image got;
    assert_int_equal(3, v->colours);
    assert_int_equal(wanted->width, v->width);
    assert_int_equal(wanted->height, v->height);
    assert_ok(foci_image_decode(&got, v->picture.at, left(v->picture), "picture", 0));
    assert_int_equal(wanted->width, got.width);
    assert_int_equal(wanted->height, got.height);
    assert_memory_equal(wanted->pixels, got.pixels, 3 * (size_t)got.width * (size_t)got.height);
    foci_image_free(&got);
}

static void images(void **state) {
    (void)state;
    foci_events *e;
    foci_image image = {37, 300, malloc(3 * 37 * 300)}; /* noise: a record of more than 2^14 bytes */
    for (int i = 0; i < 3 * 37 * 300; i++) image.pixels[i] = (unsigned char)foci_philox(1, 2, 3, (uint64_t)i).v[0];
    const char *folder = temporary_folder();
    assert_ok(foci_events_open(&e, folder, 0));
    assert_ok(foci_events_image(e, 3, "train/images", &image));
    foci_events_close(e);
    file f = read_only_file(folder);
    assert_int_equal(3, f.count);
    assert_int_equal(3, f.list[2].step);
    const value *v = find(&f.list[2], "train/images");
    assert_non_null(v);
    assert_false(v->scalar);
    check_picture(v, &image);
    drop(&f);
    foci_image_free(&image);
}

static void nothing_for_no_file(void **state) {
    (void)state;
    assert_ok(log_metrics(NULL, "step", 1.0, NULL));
    assert_ok(foci_events_image(NULL, 1, "a", NULL));
    foci_events_close(NULL);
}

static void names_sort_by_age(void **state) {
    (void)state;
    const char *folder = temporary_folder();
    char path[8][512], host[64] = "";
    for (int i = 0; i < 4; i++) { /* within one second, after one from a clock that was ahead */
        foci_events *e;
        if (i == 1) {
            snprintf(path[0], 512, "%s/events.out.tfevents.%lld.host.1", folder, (long long)time(NULL) + 5000);
            assert_ok(foci_write_file(path[0], "", 0));
        }
        assert_ok(foci_events_open(&e, folder, 10 * i));
        foci_events_close(e);
    }
    assert_int_equal(5, list_files(folder, path, 8));
    static const int step[] = {1, -1, 11, 21, 31};
    for (int i = 0; i < 5; i++) {
        file f = read_file(path[i]);
        assert_int_equal(step[i] < 0 ? 0 : 2, f.count);
        if (f.count) assert_int_equal(step[i], f.list[1].step);
        drop(&f);
    }
    gethostname(host, sizeof host - 1);
    assert_true(foci_events_is_file("events.out.tfevents.1700000000.host.77"));
    assert_false(foci_events_is_file("metrics.jsonl"));
    host[strcspn(host, "._")] = 0;
    assert_non_null(strstr(strrchr(path[0], '/'), host));
}

/* ------------------------------------------------------------------------------------------------ failures */

static void no_folder(void **state) {
    (void)state;
    foci_events *e;
    assert_fails(foci_events_open(&e, "/nonexistent/folder", 0), FOCI_ERR_IO, "No such file or directory");
    assert_null(e);
}

/* A record that does not fit is taken back whole, and later ones follow where there is room again. */
static void a_full_disk(void **state) {
    (void)state;
    foci_events *e;
    struct stat s;
    char path[2][512];
    const char *folder = temporary_folder();
    signal(SIGXFSZ, SIG_IGN);
    assert_ok(foci_events_open(&e, folder, 0));
    assert_ok(log_metrics(e, "step", 1.0, "loss", 3.0, NULL));
    assert_int_equal(1, list_files(folder, path, 2));
    assert_int_equal(0, stat(path[0], &s));
    struct rlimit before, small;
    getrlimit(RLIMIT_FSIZE, &before);
    for (int room = 0; room < 40; room += 13) {
        small = before;
        small.rlim_cur = (rlim_t)(s.st_size + room);
        setrlimit(RLIMIT_FSIZE, &small);
        foci_status failed = log_metrics(e, "step", 2.0, "loss", 2.0, NULL);
        setrlimit(RLIMIT_FSIZE, &before);
        assert_int_equal(FOCI_ERR_IO, failed);
        assert_non_null(strstr(foci_error_message(), "File too large"));
    }
    assert_ok(log_metrics(e, "step", 3.0, "loss", 1.0, NULL));
    foci_events_close(e);
    file f = read_only_file(folder);
    assert_int_equal(4, f.count);
    assert_int_equal(1, f.list[2].step);
    assert_int_equal(3, f.list[3].step);
    drop(&f);
}

/* -------------------------------------------------------------------------------------------- the reader */

/* Scalars and a small picture; the bounds of its records. */
static file make_file(size_t bound[8], int *bounds) {
    foci_events *e;
    unsigned char pixels[12] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
    const char *folder = temporary_folder();
    assert_ok(foci_events_open(&e, folder, 7));
    assert_ok(log_metrics(e, "step", 300.0, "loss", 2.5, "lr", 0.1, NULL));
    assert_ok(foci_events_image(e, 301, "train/images", &(foci_image){2, 2, pixels}));
    assert_ok(log_metrics(e, "step", 400.0, "ppl", 9.0, NULL));
    foci_events_close(e);
    file f = read_only_file(folder);
    *bounds = 0;
    for (size_t at = 0; at <= f.size; at += 16 + (size_t)little_endian((unsigned char *)f.data + at, 8)) {
        bound[(*bounds)++] = at;
        if (at == f.size) break;
    }
    assert_int_equal(6, *bounds);
    return f;
}

/* Exactly `size` bytes from malloc, so that sanitizers see what is read beyond them. */
static const char *read_copy(const char *data, size_t size, event *list, int *count) {
    unsigned char *copy = malloc(size ? size : 1);
    if (size) memcpy(copy, data, size);
    const char *wrong = read_events((span){copy, copy + size}, list, ROOM, count);
    free(copy);
    return wrong;
}

static void every_truncation_is_seen(void **state) {
    (void)state;
    size_t bound[8];
    int bounds, count, whole = 0;
    file f = make_file(bound, &bounds);
    for (size_t size = 0; size <= f.size; size++) {
        if (whole + 1 < bounds && bound[whole + 1] == size) whole++;
        const char *wrong = read_copy(f.data, size, f.list, &count);
        assert_int_equal(whole, count); /* what is there whole is read */
        assert_int_equal(size != bound[whole], wrong != NULL);
    }
    drop(&f);
}

static void every_flipped_bit_is_seen(void **state) {
    (void)state;
    size_t bound[8];
    int bounds, count, in = 0;
    file f = make_file(bound, &bounds);
    for (size_t at = 0; at < f.size; at++) {
        if (at == bound[in + 1]) in++;
        for (int bit = 0; bit < 8; bit++) {
            f.data[at] = (char)(f.data[at] ^ 1 << bit);
            if (!read_copy(f.data, f.size, f.list, &count)) fail_msg("bit %d of byte %zu", bit, at);
            assert_int_equal(in, count);
            f.data[at] = (char)(f.data[at] ^ 1 << bit);
        }
    }
    drop(&f);
}

/* Past the checksums: data of all kinds, in bounds and in time, whatever it says. */
static void hostile_events(void **state) {
    (void)state;
    size_t bound[8];
    int bounds, refused = 0;
    file f = make_file(bound, &bounds);
    for (int trial = 0; trial < 60000; trial++) {
        int r = trial % (bounds - 1);
        size_t size = bound[r + 1] - bound[r] - 16;
        foci_u32x4 random = foci_philox(5, 6, 7, (uint64_t)trial);
        unsigned char *data = malloc(size + 1);
        memcpy(data, f.data + bound[r] + 12, size);
        for (unsigned k = 0; k <= random.v[0] % 3; k++)
            data[random.v[k + 1] % size] = (unsigned char)(random.v[k + 1] >> 24);
        if (trial % 7 == 0) memset(data + random.v[2] % size, 255, size - random.v[2] % size);
        size_t kept = trial % 5 ? size : random.v[3] % (size + 1);
        unsigned char *exact = realloc(data, kept ? kept : 1);
        refused += !parse_event((span){exact, exact + kept}, &f.list[0]);
        assert_in_range(f.list[0].values, 0, MOST_VALUES);
        free(exact);
    }
    assert_in_range(refused, 10000, 59999);
    drop(&f);
}

static void hostile_lengths(void **state) {
    (void)state;
    event e;
    int count;
    unsigned char huge[16];
    memset(huge, 255, sizeof huge);
    uint32_t sum = checksum(huge, 8);
    for (int i = 0; i < 4; i++) huge[8 + i] = (unsigned char)(sum >> 8 * i);
    assert_string_equal("cut off in data", read_events((span){huge, huge + 16}, &e, 1, &count));
    static const unsigned char long_field[] = {0x2a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, 0};
    assert_false(parse_event((span){long_field, long_field + sizeof long_field}, &e));
    static const unsigned char endless[] = {0x10, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 128, 0};
    assert_false(parse_event((span){endless, endless + sizeof endless}, &e));
    unsigned char many[2 + 2 * (MOST_VALUES + 1)] = {0x2a, 2 * (MOST_VALUES + 1)}; /* empty values */
    for (int i = 0; i <= MOST_VALUES; i++) many[2 + 2 * i] = 0x0a;
    assert_false(parse_event((span){many, many + sizeof many}, &e));
}

/* ----------------------------------------------------------------------------------------------- whole runs */

static void say_nothing(void *context, foci_log_level level, const char *line) {
    (void)context, (void)level, (void)line;
}

static void train(const char *yaml, const char *out, const char *more, bool resume) {
    foci_config *config;
    const char *set[] = {more};
    assert_ok(foci_config_parse(&config, foci_schema_all(), "test", yaml, strlen(yaml), set, more ? 1 : 0));
    assert_ok(foci_train(config, &(foci_train_options){.out = out, .command = "test", .resume = resume}));
    foci_config_free(config);
}

static void image_config(char yaml[1024], const char *folder) {
    char images[300];
    snprintf(images, sizeof images, "%s/images", folder);
    assert_ok(foci_make_images(images, &(foci_shapes_options){16, 24, 10, 0}));
    snprintf(yaml, 1024,
             "model: {kind: vit, img_size: 16, patch_size: 8, embed_dim: 8, depth: 1, num_heads: 1}\n"
             "data: {kind: image_folder, train: %s/train, val: %s/val}\n"
             "train: {batch_size: 6, epochs: 3, eval_every: 4, log_every: 2, checkpoint_every: 5, ema_decay: 0.9, "
             "tensorboard: true}\n",
             images, images);
}

/* Line by line, the file says what metrics.jsonl says; returns the number of lines. */
static int check_against_metrics(const char *run, const event *list, int count, int64_t from) {
    static const char *const names[][2] = {{"loss", "train/loss"},
                                           {"lr", "train/lr"},
                                           {"grad_norm", "train/grad_norm"},
                                           {"items_per_s", "train/items_per_s"},
                                           {"val_loss", "val/loss"},
                                           {"top1", "val/top1"},
                                           {"nll", "val/loss"},
                                           {"ppl", "val/ppl"},
                                           {"ema_top1", "ema/top1"},
                                           {"ema_ppl", "ema/ppl"}};
    char path[600], line[2000];
    snprintf(path, sizeof path, "%s/metrics.jsonl", run);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    int lines = 0, at = 0;
    while (fgets(line, sizeof line, f)) {
        json_t *object = json_loads(line, 0, NULL);
        int64_t step = json_integer_value(json_object_get(object, "step"));
        if (step > from) {
            while (at < count && !find(&list[at], "epoch")) at++; /* the beginning, pictures */
            if (at == count) fail_msg("no event for %s", line);
            assert_int_equal(step, list[at].step);
            for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
                const json_t *x = json_object_get(object, names[i][0]);
                if (!x) continue;
                const value *v = find(&list[at], names[i][1]);
                assert_non_null(v);
                assert_close(v->number, json_number_value(x), 1e-6 * fabs(json_number_value(x)));
            }
            at++, lines++;
        }
        json_decref(object);
    }
    while (at < count && !find(&list[at], "epoch")) at++;
    assert_int_equal(count, at); /* and nothing more */
    fclose(f);
    return lines;
}

static int pictures(const file *f, int64_t *step) {
    int n = 0;
    for (int i = 0; i < f->count; i++) {
        const value *v = find(&f->list[i], "train/images");
        if (!v) continue;
        foci_image image;
        assert_ok(foci_image_decode(&image, v->picture.at, left(v->picture), "picture", 0));
        assert_in_range(image.width, 3 * 16, 1000);
        foci_image_free(&image);
        *step = f->list[i].step;
        n++;
    }
    return n;
}

static void a_run_of_images(void **state) {
    (void)state;
    char folder[256], yaml[1024], run[300], path[4][512];
    snprintf(folder, sizeof folder, "%s", temporary_folder());
    snprintf(run, sizeof run, "%s/run", folder);
    image_config(yaml, folder);
    int64_t step = 0;
    train(yaml, run, "train.max_steps=7", false);
    assert_int_equal(1, list_files(run, path, 4));
    file f = read_file(path[0]);
    assert_int_equal(1, f.list[1].step);
    assert_int_equal(4 + 2, check_against_metrics(run, f.list, f.count, 0)); /* 2, 4, 6, 7; 4, 7 */
    assert_int_equal(1, pictures(&f, &step));
    assert_int_equal(1, step);
    drop(&f);

    train(yaml, run, NULL, true); /* to step 12 */
    assert_int_equal(2, list_files(run, path, 4));
    f = read_file(path[1]);
    assert_int_equal(1, f.list[1].session);
    assert_int_equal(8, f.list[1].step); /* later steps of the first file are void */
    assert_int_equal(3 + 2, check_against_metrics(run, f.list, f.count, 7)); /* 8, 10, 12; 8, 12 */
    assert_int_equal(1, pictures(&f, &step));
    assert_int_equal(8, step);
    drop(&f);
}

static void a_run_without(void **state) {
    (void)state;
    char folder[256], yaml[1024], with[300], without[300], path[2][512];
    snprintf(folder, sizeof folder, "%s", temporary_folder());
    snprintf(with, sizeof with, "%s/with", folder);
    snprintf(without, sizeof without, "%s/without", folder);
    image_config(yaml, folder);
    train(yaml, with, NULL, false);
    train(yaml, without, "train.tensorboard=false", false);
    assert_int_equal(0, list_files(without, path, 2));
    char *a, *b, name[600];
    size_t n, m;
    snprintf(name, sizeof name, "%s/last.safetensors", with);
    assert_ok(foci_read_file(name, 1 << 20, &a, &n, FOCI_ERR_DATA));
    snprintf(name, sizeof name, "%s/last.safetensors", without);
    assert_ok(foci_read_file(name, 1 << 20, &b, &m, FOCI_ERR_DATA));
    assert_int_equal(n, m);
    assert_memory_equal(a, b, n); /* to watch changes nothing */
    free(a);
    free(b);
}

static void a_run_of_text(void **state) {
    (void)state;
    char folder[256], yaml[1024], run[300], name[300], text[4000] = "";
    snprintf(folder, sizeof folder, "%s", temporary_folder());
    snprintf(run, sizeof run, "%s/run", folder);
    for (int i = 0; i < 300; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), "%s%c",
                 i % 3   ? "a"
                 : i % 2 ? "b"
                         : "c",
                 i % 20 == 19 ? '\n' : ' ');
    for (int i = 0; i < 2; i++) {
        snprintf(name, sizeof name, "%s/%s.txt", folder, i ? "valid" : "train");
        assert_ok(foci_write_file(name, text, strlen(text)));
    }
    snprintf(yaml, sizeof yaml,
             "model: {kind: lm, context: 8, d_model: 8, depth: 1, num_heads: 1, d_inner: 8, cutoffs: []}\n"
             "data: {kind: text, train: %s/train.txt, valid: %s/valid.txt}\n"
             "train: {batch_size: 4, epochs: 1, max_steps: 6, eval_every: 3, log_every: 2, ema_decay: 0.5, "
             "tensorboard: true}\n",
             folder, folder);
    train(yaml, run, NULL, false);
    file f = read_only_file(run);
    int64_t step;
    assert_int_equal(0, pictures(&f, &step));
    assert_int_equal(4 + 2, check_against_metrics(run, f.list, f.count, 0)); /* 2, 3, 4, 6; 3, 6 */
    drop(&f);
}

static int quiet(void **state) {
    (void)state;
    foci_set_log(say_nothing, NULL);
    return 0;
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(checksums),
        cmocka_unit_test(beginning),
        cmocka_unit_test(scalars),
        cmocka_unit_test(images),
        cmocka_unit_test(nothing_for_no_file),
        cmocka_unit_test(names_sort_by_age),
        cmocka_unit_test(no_folder),
        cmocka_unit_test(a_full_disk),
        cmocka_unit_test(every_truncation_is_seen),
        cmocka_unit_test(every_flipped_bit_is_seen),
        cmocka_unit_test(hostile_events),
        cmocka_unit_test(hostile_lengths),
        cmocka_unit_test(a_run_of_images),
        cmocka_unit_test(a_run_without),
        cmocka_unit_test(a_run_of_text),
    };
    return cmocka_run_group_tests(tests, quiet, NULL);
}
