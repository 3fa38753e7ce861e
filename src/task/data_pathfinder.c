/* Pathfinder as the Long Range Arena publishes it: is there a path between the two marked ends? */
#include "config/config.h"
#include "task/sequence_data.h"

typedef struct options {
    const char *root;
    bool black_is_padding;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, root, "", 0, 0, NULL,
             "a folder with metadata/N.npy and imgs/N/*.png (pathfinder32/curv_contour_length_14); by the order of "
             "the metadata 80 % are for training, 10 % for validation, 10 % for test",
             .may_change = true, .path = true),
    FOCI_KEY(options, black_is_padding, "false", 0, 0, NULL,
             "pixels of 0 are masked out, as in the code that the Long Range Arena's figures are compared by"),
    {0}};

static foci_status open_part(foci_sequences **s, const options *o, double first, double end) {
    return foci_pathfinder_open(s, o->root, first, end, &(foci_pixel_options){0, o->black_is_padding});
}

static foci_status open(const foci_config *config, unsigned splits, void *data) {
    foci_sequence_splits *s = data;
    options o;
    foci_config_read(config, "data", keys, &o);
    FOCI_TRY(foci_config_path(config, "data.root"));
    if (!*o.root) return foci_config_fail(config, "data.root", "names no folder");
    if (splits & FOCI_TRAIN) FOCI_TRY(open_part(&s->train, &o, 0, 0.8));
    if (splits & FOCI_VALID) FOCI_TRY(open_part(&s->val, &o, 0.8, 0.9));
    return splits & FOCI_TEST ? open_part(&s->test, &o, 0.9, 1) : FOCI_OK;
}

const foci_data_set foci_data_set_pathfinder = {
    .name = "pathfinder",
    .summary = "Pathfinder, grey pixels of contours that join two marks or do not (Long Range Arena)",
    .task = "sequences",
    .keys = keys,
    .shared = foci_sequence_keys,
    .open = open,
    .check = foci_sequences_check,
    .count = foci_sequences_count_all,
    .show = foci_sequences_draw,
};
