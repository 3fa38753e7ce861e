/* Sequences with labels: the first byte chooses the form, the rest are lines of it, or one line without a label. */
#include "fuzz.h"

#include <sys/stat.h>

#include "sequences/sequences.h"

static void use(foci_sequences *s) {
    enum { LONGEST = 50 };
    int32_t ids[2 * LONGEST];
    foci_real mask[2 * LONGEST];
    char text[FOCI_TOKEN_TEXT], name[300];
    for (int64_t i = 0; i < foci_sequences_count(s); i++) {
        foci_sequences_name(s, i, name, sizeof name);
        if (foci_sequences_read(s, i, LONGEST, 20, ids, mask)) continue;
        for (int k = 0; k < foci_sequences_sides(s) * LONGEST; k++)
            if (ids[k] < 0 || ids[k] >= foci_sequences_vocabulary(s)) abort();
        foci_sequences_token(s, ids[0], text);
        if (foci_sequences_prove(s, i)) continue;
    }
    foci_sequences_close(s);
}

static const char *pathfinder_of(const uint8_t *data, size_t size) {
    static char root[256];
    char folder[300];
    snprintf(root, sizeof root, "%s/p", fuzz_make_folder());
    mkdir(root, 0700);
    snprintf(folder, sizeof folder, "%s/metadata", root);
    mkdir(folder, 0700);
    fuzz_file("p/metadata/0.npy", data, size);
    return root;
}

/* A line of `foci predict`. */
static void use_line(const uint8_t *data, size_t size, bool bytes) {
    enum { MOST = 30 };
    int32_t ids[MOST];
    int64_t length;
    char *text = fuzz_text(data, size);
    if (!(bytes ? foci_byte_line : foci_listops_line)(NULL, text, MOST, ids, &length))
        for (int64_t t = 0; t < length && t < MOST; t++)
            if (ids[t] < 1 || ids[t] >= (bytes ? 257 : 16)) abort();
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    foci_sequences *s;
    if (!size) return 0;
    const uint8_t form = data[0];
    if (form == 'B' || form == 'L') {
        use_line(data + 1, size - 1, form == 'B');
        return 0;
    }
    if (form == 'f') {
        if (!foci_pathfinder_open(&s, pathfinder_of(data + 1, size - 1), 0, 1, &(foci_pixel_options){0})) use(s);
        return 0;
    }
    const char *path = fuzz_file("lines", data + 1, size - 1);
    const foci_status status = form == 'l'   ? foci_listops_open(&s, path)
                               : form == 'p' ? foci_byte_pairs_open(&s, path)
                                             : foci_byte_text_open(&s, path, form == 't');
    if (!status) use(s);
    return 0;
}
