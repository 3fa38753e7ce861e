/* foci data show CONFIG --out sheet.png */
#include "cli/data_show.h"

#include "cli/cli.h"
#include "task/data_sets.h"

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

static foci_status show(const foci_config *c, const show_options *o) {
    const foci_data_set *set = foci_data_set_of(c);
    foci_image sheet;
    if (!set->show) return foci_config_fail(c, "data.kind", "only images can be shown");
    FOCI_TRY(set->show(c, (int)o->count, o->epoch, &sheet));
    foci_status s = foci_image_write(o->out, &sheet, 0);
    foci_image_free(&sheet);
    return s;
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
    foci_status s = show(c, &o);
    foci_config_free(c);
    return s;
}
