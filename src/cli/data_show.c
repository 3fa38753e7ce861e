/* foci data show CONFIG --out sheet.png */
#include "cli/cli.h"
#include "cli/data_commands.h"
#include "task/data_sets.h"

typedef struct settings {
    const char *out;
    int64_t count, epoch;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, out, NULL, 0, 0, NULL, "where the sheet goes", .placeholder = "FILE.png"),
    FOCI_KEY(settings, count, "36", 1, 10000, NULL, "so many samples"),
    FOCI_KEY(settings, epoch, "0", 0, 1000000, NULL, "the epoch whose first batches are shown, from 0",
             .placeholder = "E"),
    {0}};

static foci_status show(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    const foci_data_set *set = foci_data_set_of(parsed->config);
    foci_image sheet;
    if (set->tell) return set->tell(parsed->config, (int)o->count, o->epoch, &foci_to_output);
    if (!set->show) return foci_config_fail(parsed->config, "data.kind", "%s cannot be shown", set->name);
    if (!o->out) return foci_fail(FOCI_ERR_CONFIG, "data show: --out FILE.png is needed");
    FOCI_TRY(set->show(parsed->config, (int)o->count, o->epoch, &sheet));
    foci_status s = foci_image_write(o->out, &sheet, 0);
    foci_image_free(&sheet);
    return s;
}

const foci_command foci_command_data_show = {
    .name = "show",
    .summary = "draws training images as the model gets them, with their labels",
    .synopsis = "CONFIG --out FILE.png",
    .doc =
        "Draws training images as the model gets them, augmented and mixed, with their labels. Sequences that are no "
        "images are printed.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_SET | FOCI_TAKES_THREADS | FOCI_OPENS_CONFIG,
    .size = sizeof(settings),
    .options = {{rows}},
    .run = show,
};
