/* foci data corrupt SRC [DIR] */
#include "cli/data_corrupt.h"

#include "cli/cli.h"
#include "shift/folder.h"

typedef struct options {
    const char *names, *severities, *sheet;
    long long size, seed, limit, quality, image, threads;
} options;

enum { CORRUPTION = 1, SEVERITY, SIZE, SEED, LIMIT, QUALITY, SHEET, IMAGE, THREADS };
static const struct argp_option table[] = {
    {"corruption", CORRUPTION, "A[,B...]", 0, "as foci list corruptions names them; imagenet-c: the 15; all: those and the 4 extras (the default)", 0},
    {"severity", SEVERITY, "S", 0, "1 to 5, or a range such as 1-3 (default: 1-5)", 0},
    {"size", SIZE, "N", 0, "first cut to N x N as ImageNet-C was with N = 224: the shorter side to N * 256 / 224, then the centre (default: as "
                           "they are)", 0},
    {"seed", SEED, "N", 0, "of the random numbers (default 0)", 0},
    {"limit", LIMIT, "N", 0, "so many images, evenly spread (default: all)", 0},
    {"quality", QUALITY, "Q", 0, "write JPEG of this quality, ImageNet-C has 85 (default: PNG)", 0},
    {"sheet", SHEET, "FILE.png", 0, "draw one image, clean and corrupted, on a contact sheet", 0},
    {"image", IMAGE, "N", 0, "the image on the sheet, from 0 (default 0)", 0},
    {"threads", THREADS, "N", 0, "threads (default: one per core); the images do not depend on it", 0},
    {0}};

static foci_status set_option(void *state, int key, char *arg) {
    options *o = state;
    switch (key) {
    case CORRUPTION: o->names = arg; return FOCI_OK;
    case SEVERITY: o->severities = arg; return FOCI_OK;
    case SHEET: o->sheet = arg; return FOCI_OK;
    case SIZE: return foci_parse_int("--size", arg, 1, 4096, &o->size);
    case SEED: return foci_parse_int("--seed", arg, 0, 1LL << 53, &o->seed);
    case LIMIT: return foci_parse_int("--limit", arg, 1, 1LL << 40, &o->limit);
    case QUALITY: return foci_parse_int("--quality", arg, 1, 100, &o->quality);
    case IMAGE: return foci_parse_int("--image", arg, 0, 1LL << 40, &o->image);
    default: return foci_parse_int("--threads", arg, 1, 1024, &o->threads);
    }
}

static foci_status corrupt(const foci_image_set *set, const char *dir, const options *o, const foci_corrupt_options *how) {
    if (o->sheet) {
        FOCI_TRY(foci_corrupt_sheet(set, o->image, how, o->sheet));
        printf("%s: %s\n", o->sheet, foci_image_set_name(set, o->image));
    }
    if (!dir) return FOCI_OK;
    int64_t images, copies = 0;
    FOCI_TRY(foci_corrupt_folder(set, dir, how, &images));
    for (int i = 0; i < FOCI_CORRUPTIONS * FOCI_SEVERITIES; i++) copies += how->chosen[i / FOCI_SEVERITIES][i % FOCI_SEVERITIES];
    printf("%s: %lld images, each corrupted in %lld ways\n", dir, (long long)images, (long long)copies);
    return FOCI_OK;
}

foci_status foci_data_corrupt(int argc, char **argv) {
    options o = {.names = "all"};
    const char *path[2] = {NULL, NULL};
    int count;
    bool done;
    const foci_arguments a = {table, set_option, &o, "SRC [DIR]",
                              "Writes corrupted copies of the images SRC (a folder CLASS/FILE, a .tar or a pack) to "
                              "DIR/CORRUPTION/SEVERITY/CLASS/FILE, the layout of ImageNet-C, with its parameters (below 64 pixels: those of "
                              "CIFAR-10-C).",
                              false, 1, 2};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, NULL, path, &count, &done));
    if (done) return FOCI_OK;
    if (count < 2 && !o.sheet) return foci_fail(FOCI_ERR_CONFIG, "data corrupt: DIR is missing, and --sheet too");
    foci_corrupt_options how = {.size = (int)o.size, .quality = (int)o.quality, .seed = (uint64_t)o.seed, .limit = o.limit, .watch = &foci_on_terminal};
    FOCI_TRY(foci_corruption_choose(o.names, o.severities, how.chosen));
    foci_image_set *set;
    FOCI_TRY(foci_image_set_open(&set, path[0]));
    if (o.threads) foci_set_threads((int)o.threads);
    foci_catch_signals();
    foci_status s = corrupt(set, count > 1 ? path[1] : NULL, &o, &how);
    foci_image_set_close(set);
    return s;
}
