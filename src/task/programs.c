#include "task/programs.h"

#include <stdlib.h>
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

foci_status foci_programs_record(foci_programs *p, const foci_model *model, const foci_config *config, int64_t batch, int shapes,
                                 void (*prepare)(void *context, int shape, foci_model_io *io), void *context) {
    *p = (foci_programs){.count = shapes};
    FOCI_TRY(choose_dtype(config, &p->bf16));
    foci_parameters_init(&p->parameters);
    for (int i = 0; i < shapes; i++) {
        foci_program *s = &p->program[i];
        s->graph = foci_graph_new(&p->parameters, &(foci_graph_options){.train = true,
                                                                        .differentiate = true,
                                                                        .bf16 = p->bf16,
                                                                        .recompute = strcmp(foci_config_string(config, "train.recompute"), "block") == 0,
                                                                        .seed = (uint64_t)foci_config_int(config, "train.seed"),
                                                                        .place = foci_config_place(config, "model.kind")});
        if (!s->graph) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
        s->io = (foci_model_io){.graph = s->graph, .config = config, .batch = batch};
        prepare(context, i, &s->io);
        model->record(&s->io);
        FOCI_TRY(foci_graph_plan(s->graph, s->io.loss));
        if (foci_graph_bytes(s->graph) > p->bytes) {
            p->bytes = foci_graph_bytes(s->graph);
            p->bytes_unshared = foci_graph_bytes_unshared(s->graph);
        }
    }
    return FOCI_OK;
}

static foci_status check_memory(const foci_programs *p, int arrays) {
    double plan = (double)p->bytes / 1e6, flat = (double)p->parameters.size * sizeof(foci_real) / 1e6 * (2 + arrays);
    double available = (double)foci_memory_available() / 1e6;
    if (plan + flat <= available) return FOCI_OK;
    return foci_fail(FOCI_ERR_RUNTIME,
                     "this takes %.0f MB of memory, %.0f MB of them for the activations of a pass, and %.0f MB are available: "
                     "lower train.micro_batch, or set train.recompute to block",
                     plan + flat, plan, available);
}

foci_status foci_programs_allocate(foci_programs *p, uint64_t seed, int arrays) {
    FOCI_TRY(check_memory(p, arrays));
    FOCI_TRY(foci_parameters_allocate(&p->parameters, true));
    foci_parameters_initialise(&p->parameters, seed);
    p->memory = foci_large_alloc(p->bytes);
    if (!p->memory)
        return foci_fail(FOCI_ERR_RUNTIME, "the plan needs %.0f MB of memory, which is not to be had: lower train.micro_batch",
                         (double)p->bytes / 1e6);
    for (int i = 0; i < p->count; i++) foci_graph_bind(p->program[i].graph, p->memory);
    return FOCI_OK;
}

void foci_programs_free(foci_programs *p) {
    for (int i = 0; i < p->count; i++) foci_graph_free(p->program[i].graph);
    foci_parameters_free(&p->parameters);
    free(p->memory);
    *p = (foci_programs){.count = 0};
}
