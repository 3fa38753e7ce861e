/* The metrics of a run, as `foci plot` and a resumed training read them. */
#include "fuzz.h"

#include "plot/curves.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    foci_curves c;
    fuzz_file("metrics.jsonl", data, size);
    foci_status status = foci_curves_read(&c, fuzz_make_folder());
    for (int k = 0; k < FOCI_CURVE_KINDS && !status; k++) foci_curve_thin(&c.curve[k], 100);
    foci_curves_free(&c);
    return 0;
}
