/* What a run says of its data, data.txt: read, written again, and compared with itself. */
#include "fuzz.h"

#include "data/manifest.h"

static void use(foci_manifest *m) {
    foci_manifest again = {NULL};
    char text[512];
    char *path = strdup(fuzz_file("again.txt", "", 0));
    if (!path || foci_manifest_write(m, path) || foci_manifest_read(&again, path)) abort();
    if (again.count != m->count || foci_manifest_compare(m, &again, text, sizeof text)) abort();
    foci_manifest_digest(m, text, sizeof text);
    foci_manifest_free(&again);
    free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    foci_manifest m = {NULL};
    if (!foci_manifest_read(&m, fuzz_file("data.txt", data, size))) use(&m);
    foci_manifest_free(&m);
    return 0;
}
