#include "train/programs.h"

#include <string.h>

#include "base/memory.h"
#include "config/config.h"
#include "kernels/bf16.h"

static foci_status choose_dtype(const foci_config *config, bool *bf16) {
    const char *dtype = foci_config_string(config, "train.dtype");
    *bf16 = strcmp(dtype, "fp32") != 0 && foci_bf16_supported();
    if (strcmp(dtype, "bf16") == 0 && !*bf16)
        return foci_config_fail(config, "train.dtype", "this processor has no products in bf16 (AVX512-BF16); auto falls back to fp32");
    return FOCI_OK;
}

foci_status foci_training_programs_record(foci_training_programs *p, const foci_model *model, const foci_config *config, int64_t batch,
                                          int shapes, void (*ask)(void *context, int shape, foci_request *r), void *context) {
    *p = (foci_training_programs){.bf16 = false};
    FOCI_TRY(choose_dtype(config, &p->bf16));
    foci_parameters_init(&p->parameters);
    foci_program_set_init(&p->set, &p->parameters);
    p->set.advice = "lower train.micro_batch";
    const foci_graph_options options = {.train = true,
                                        .differentiate = true,
                                        .bf16 = p->bf16,
                                        .recompute = strcmp(foci_config_string(config, "train.recompute"), "block") == 0,
                                        .seed = (uint64_t)foci_config_int(config, "train.seed"),
                                        .place = foci_config_place(config, "model.kind")};
    for (int i = 0; i < shapes; i++) {
        foci_request r = {.config = config, .batch = batch};
        ask(context, i, &r);
        FOCI_TRY(foci_program_open_model(&p->program[i], &p->set, &options, model, &r));
    }
    return FOCI_OK;
}

static foci_status check_memory(const foci_training_programs *p, int arrays) {
    double plan = (double)foci_program_set_bytes(&p->set, NULL) / 1e6;
    double flat = (double)p->parameters.size * sizeof(foci_real) / 1e6 * (2 + arrays), available = (double)foci_memory_available() / 1e6;
    if (plan + flat <= available) return FOCI_OK;
    return foci_fail(FOCI_ERR_RUNTIME,
                     "this takes %.0f MB of memory, %.0f MB of them for the activations of a pass, and %.0f MB are available: "
                     "lower train.micro_batch, or set train.recompute to block",
                     plan + flat, plan, available);
}

foci_status foci_training_programs_allocate(foci_training_programs *p, uint64_t seed, int arrays) {
    FOCI_TRY(check_memory(p, arrays));
    FOCI_TRY(foci_program_set_ready(&p->set));
    foci_parameters_initialise(&p->parameters, seed);
    return FOCI_OK;
}

void foci_training_programs_free(foci_training_programs *p) {
    foci_program_set_free(&p->set);
    foci_parameters_free(&p->parameters);
    *p = (foci_training_programs){.bf16 = false};
}
