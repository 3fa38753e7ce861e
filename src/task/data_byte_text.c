/* Texts with labels, as bytes. */
#include "config/config.h"
#include "task/sequence_data.h"

typedef struct options {
    const char *train, *val, *test;
    enum { FIRST, LAST } label;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, train, "", 0, 0, NULL,
             "training texts: lines \"LABEL<TAB>TEXT\", plain or .gz, or a folder CLASS/FILE.txt (IMDB's)",
             .may_change = true, .path = true),
    FOCI_KEY(options, val, "", 0, 0, NULL,
             "validation texts, likewise; the Long Range Arena takes the test texts for both", .may_change = true,
             .path = true),
    FOCI_KEY(options, test, "", 0, 0, NULL, "test texts, likewise", .may_change = true, .path = true),
    FOCI_KEY(options, label, "first", 0, 0, "first last", "which column of a line is the label"),
    {0}};

static foci_status label_first(foci_sequences **s, const char *path) { return foci_byte_text_open(s, path, false); }
static foci_status label_last(foci_sequences **s, const char *path) { return foci_byte_text_open(s, path, true); }

static foci_status open(const foci_config *config, unsigned splits, void *data) {
    options o;
    foci_config_read(config, "data", keys, &o);
    return foci_sequence_files(data, config, splits, o.label == LAST ? label_last : label_first);
}

const foci_data_set foci_data_set_byte_text = {
    .name = "byte_text",
    .summary = "texts with labels, byte by byte: lines with a tab, or a folder a class",
    .task = "sequences",
    .keys = keys,
    .shared = foci_sequence_keys,
    .open = open,
    .check = foci_sequences_check,
    .count = foci_sequences_count_all,
    .tell = foci_sequences_tell,
    .line = foci_byte_line,
};
