/* A safetensors file: every tensor, every note, and as weights of a small model. */
#include "fuzz.h"

#include "core/load.h"

static void load(const char *path) {
    foci_parameters p;
    char note[512];
    foci_parameters_init(&p);
    foci_parameters_declare(&p, "a.weight", FOCI_ZEROS, 2, (int64_t[]){2, 3});
    foci_parameters_declare(&p, "a.bias", FOCI_ZEROS, 1, (int64_t[]){2});
    foci_parameters_declare(&p, "pos_embed", FOCI_ZEROS, 3, (int64_t[]){1, 5, 2});
    p.entry[2].columns = 2;
    p.entry[2].leading = 1;
    if (foci_parameters_allocate(&p, false)) abort();
    foci_load_weights(&p, path);
    foci_init_weights(&p, path, "a.bias", NULL, note, sizeof note);
    foci_parameters_free(&p);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    uint8_t *copy = fuzz_copy(data, size);
    fuzz_seal_safetensors(copy, size);
    const char *path = fuzz_file("x.safetensors", copy, size);
    free(copy);
    foci_safetensors f;
    if (foci_safetensors_open(&f, path)) return 0;
    for (int i = 0; i < f.count; i++) {
        const foci_safetensor *t = &f.tensor[i];
        foci_real *reals = malloc((size_t)t->numel * sizeof *reals + 1);
        int32_t *ints = malloc((size_t)t->numel * sizeof *ints + 1);
        if (!reals || !ints || foci_safetensors_find(&f, t->name) != t) abort();
        foci_safetensors_reals(&f, t, 0, t->numel, reals);
        foci_safetensors_ints(&f, t, 0, t->numel, ints);
        free(reals);
        free(ints);
    }
    for (int i = 0; i < f.pairs; i++)
        if (!foci_safetensors_metadata(&f, f.metadata[i].key)) abort();
    foci_safetensors_close(&f);
    load(path);
    return 0;
}
