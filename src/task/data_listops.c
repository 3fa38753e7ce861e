/* ListOps as the Long Range Arena publishes it. */
#include "config/config.h"
#include "task/sequence_data.h"

typedef struct options {
    const char *train, *val, *test;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, train, "", 0, 0, NULL,
             "training expressions, \"Source<TAB>Target\" below a header that says so, or \"VALUE<TAB>EXPRESSION\" "
             "without one, plain or .gz",
             .may_change = true, .path = true),
    FOCI_KEY(options, val, "", 0, 0, NULL, "validation expressions, likewise", .may_change = true, .path = true),
    FOCI_KEY(options, test, "", 0, 0, NULL, "test expressions, likewise", .may_change = true, .path = true),
    {0}};

static foci_status open(const foci_config *config, unsigned splits, void *data) {
    return foci_sequence_files(data, config, splits, foci_listops_open);
}

const foci_data_set foci_data_set_listops = {
    .name = "listops",
    .summary = "ListOps, expressions of lists and their values (Long Range Arena), lines with a tab",
    .task = "sequences",
    .keys = keys,
    .shared = foci_sequence_keys,
    .open = open,
    .check = foci_sequences_check,
    .count = foci_sequences_count_all,
    .tell = foci_sequences_tell,
    .line = foci_listops_line,
};
