/* Pairs of texts with a label, as bytes. */
#include "config/config.h"
#include "task/sequence_data.h"

typedef struct options {
    const char *train, *val, *test;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, train, "", 0, 0, NULL,
             "training pairs: lines \"LABEL<TAB>ID<TAB>ID<TAB>TEXT<TAB>TEXT\", or without the ids, plain or .gz",
             .may_change = true, .path = true),
    FOCI_KEY(options, val, "", 0, 0, NULL, "validation pairs, likewise", .may_change = true, .path = true),
    FOCI_KEY(options, test, "", 0, 0, NULL, "test pairs, likewise", .may_change = true, .path = true),
    {0}};

static foci_status open(const foci_config *config, unsigned splits, void *data) {
    return foci_sequence_files(data, config, splits, foci_byte_pairs_open);
}

const foci_data_set foci_data_set_byte_pairs = {
    .name = "byte_pairs",
    .summary = "pairs of texts with a label, byte by byte (AAN of the Long Range Arena), lines with tabs",
    .task = "sequences",
    .keys = keys,
    .shared = foci_sequence_keys,
    .open = open,
    .check = foci_sequences_check,
    .count = foci_sequences_count_all,
    .tell = foci_sequences_tell,
};
