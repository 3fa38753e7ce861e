#include "train/programs.h"

#include <stdlib.h>

#include "base/memory.h"
#include "config/config.h"
#include "task/training.h"

foci_status foci_training_programs_record(foci_training_programs *p, const foci_model *model, const foci_config *config,
                                          int64_t batch, int shapes,
                                          void (*ask)(void *context, int shape, foci_request *r), void *context) {
    *p = (foci_training_programs){.bf16 = foci_training_bf16(config)};
    const foci_training train = foci_training_read(config);
    FOCI_TRY(foci_training_check_dtype(config));
    FOCI_TRY(foci_eval_check_dtype(config));
    foci_parameters_init(&p->parameters);
    foci_program_set_init(&p->set, &p->parameters);
    p->set.advice = "lower train.micro_batch";
    const foci_graph_options options = {.train = true,
                                        .differentiate = true,
                                        .bf16 = p->bf16,
                                        .freeze = train.freeze,
                                        .recompute = train.recompute == FOCI_RECOMPUTE_BLOCK,
                                        .seed = (uint64_t)train.seed,
                                        .place = foci_config_place(config, "model.kind")};
    if (!(p->program = calloc((size_t)shapes, sizeof *p->program)))
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %d programs", shapes);
    for (int i = 0; i < shapes; i++) {
        foci_request r = {.config = config, .batch = batch};
        ask(context, i, &r);
        FOCI_TRY(foci_program_open_model(&p->program[i], &p->set, &options, model, &r));
    }
    return FOCI_OK;
}

double foci_training_programs_flat(const foci_training_programs *p, double arrays) {
    return (double)p->parameters.size * sizeof(foci_real) * (2 + arrays);
}

foci_status foci_training_programs_fit(const foci_training_programs *p, double arrays) {
    const double plan = (double)foci_program_set_bytes(&p->set, NULL) / 1e6;
    const double flat = foci_training_programs_flat(p, arrays) / 1e6, available = (double)foci_memory_available() / 1e6;
    if (plan + flat <= available) return FOCI_OK;
    return foci_fail(
        FOCI_ERR_RUNTIME,
        "this takes %.0f MB of memory, %.0f MB of them for the activations of a pass, and %.0f MB are available: "
        "lower train.micro_batch, or set train.recompute to block",
        plan + flat, plan, available);
}

foci_status foci_training_programs_allocate(foci_training_programs *p, uint64_t seed, double arrays) {
    FOCI_TRY(foci_training_programs_fit(p, arrays));
    FOCI_TRY(foci_program_set_ready(&p->set));
    foci_parameters_initialise(&p->parameters, seed);
    return FOCI_OK;
}

void foci_training_programs_free(foci_training_programs *p) {
    foci_program_set_free(&p->set);
    free(p->program);
    foci_parameters_free(&p->parameters);
    *p = (foci_training_programs){.bf16 = false};
}
