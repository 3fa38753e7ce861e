/* The state of a run that is to be resumed. */
#include "fuzz.h"

#include "train/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static foci_parameters p;
    static foci_optimizer o;
    if (!p.count) {
        const foci_optimizer_options options = {.kind = FOCI_ADAMW, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
        foci_parameters_init(&p);
        foci_parameters_declare(&p, "a.weight", FOCI_NORMAL(0, 1), 2, (int64_t[]){2, 3});
        foci_parameters_declare(&p, "a.bias", FOCI_ZEROS, 1, (int64_t[]){2});
        if (foci_parameters_allocate(&p, true) || foci_optimizer_init(&o, &options, &p)) abort();
    }
    uint8_t *copy = fuzz_copy(data, size);
    fuzz_seal_safetensors(copy, size);
    fuzz_file("state.safetensors", copy, size);
    free(copy);
    foci_run_state state = {0};
    if (!foci_state_load(fuzz_make_folder(), &p, &o, NULL, &state) && (state.step < 0 || state.position < 0)) abort();
    return 0;
}
