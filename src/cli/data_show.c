/* foci data show CONFIG --out sheet.png */
#include "cli/data_show.h"

#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "task/training_images.h"

typedef struct show_options {
    const char *out;
    long long count, epoch;
} show_options;

enum { OUT = 1, COUNT, EPOCH };
static const struct argp_option show_table[] = {
    {"out", OUT, "FILE.png", 0, "where the sheet goes", 0},
    {"count", COUNT, "N", 0, "images on it (default 36)", 0},
    {"epoch", EPOCH, "E", 0, "the epoch whose first batches are shown, from 0 (default 0)", 0},
    {0}};

static foci_status set_show_option(void *state, int key, char *arg) {
    show_options *o = state;
    switch (key) {
    case OUT: o->out = arg; return FOCI_OK;
    case COUNT: return foci_parse_int("--count", arg, 1, 10000, &o->count);
    default: return foci_parse_int("--epoch", arg, 0, 1000000, &o->epoch);
    }
}

static foci_status fill_sheet(foci_sheet *sheet, const foci_transform *t, const foci_image_set *set, foci_image_loader *loader) {
    foci_image_batch b = {0};
    int64_t at = 0;
    for (int i = 0; i < sheet->count; i++, at++) {
        if (at == b.count) {
            FOCI_TRY(foci_image_loader_next(loader, &b));
            if (b.count == 0) return FOCI_OK;
            at = 0;
        }
        foci_training_images_show(sheet, i, t, set, &b, at);
    }
    return FOCI_OK;
}

static foci_status draw_sheet(const foci_config *c, const show_options *o, foci_image_set **set, foci_image_loader **loader, foci_sheet *sheet) {
    foci_transform t;
    int height = 0, width = 0;
    FOCI_TRY(foci_training_images_open(c, set, loader));
    FOCI_TRY(foci_image_size(c, &height, &width));
    FOCI_TRY(foci_transform_from_config(&t, c, height, width, true));
    FOCI_TRY(foci_sheet_make(sheet, &t, (int)o->count, 0));
    FOCI_TRY(foci_image_loader_seek(*loader, o->epoch, 0));
    FOCI_TRY(fill_sheet(sheet, &t, *set, *loader));
    return foci_image_write(o->out, &sheet->image, 0);
}

foci_status foci_data_show(int argc, char **argv) {
    show_options o = {NULL, 36, 0};
    foci_common common = {0};
    const char *path[1];
    int count;
    bool done;
    const foci_arguments a = {show_table, set_show_option, &o, "CONFIG --out FILE.png",
                              "Draws training images as the model gets them, augmented and mixed, with their labels.", true, 1, 1};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, &common, path, &count, &done));
    if (done) return FOCI_OK;
    if (!o.out) return foci_fail(FOCI_ERR_CONFIG, "data show: --out FILE.png is needed");
    foci_config *c;
    FOCI_TRY(foci_open_config(&c, path[0], &common));
    foci_image_set *set = NULL;
    foci_image_loader *loader = NULL;
    foci_sheet sheet = {0};
    foci_status s = strcmp(foci_config_string(c, "data.kind"), "image_folder") != 0
                        ? foci_config_fail(c, "data.kind", "only images can be shown")
                        : draw_sheet(c, &o, &set, &loader, &sheet);
    if (loader) foci_image_loader_close(loader);
    if (set) foci_image_set_close(set);
    foci_image_free(&sheet.image);
    foci_config_free(c);
    return s;
}
