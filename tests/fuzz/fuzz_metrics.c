/* The metrics of a run, as `foci plot` and a resumed training read them. */
#include "fuzz.h"

#include "cli/curves.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    foci_curves c;
    fuzz_file("metrics.jsonl", data, size);
    if (!foci_curves_read(&c, fuzz_make_folder())) {
        foci_curve_thin(&c.loss, 100);
        foci_curve_thin(&c.score, 100);
    }
    foci_curves_free(&c);
    return 0;
}
