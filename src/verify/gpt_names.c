/* Files of decoders as others spell them: the tensors that a case holds under N.file. are written to a file of their
 * own, which is read as --init reads it; every spelling of a model gives the same logits. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/load.h"
#include "models/models.h"
#include "verify/case.h"

typedef struct spelling {
    foci_case *c;
    int number;
    foci_config *config;
    foci_case_run run;
    const int32_t *ids;
    const char *logits; /* tensor that is expected */
} spelling;

/* The file: what is named N.file.X becomes X. */
static foci_status write_file(const spelling *s, const char *path) {
    foci_case *c = s->c;
    foci_safetensor_item *item = foci_arena_alloc(&c->arena, (size_t)(c->file.count + 1) * sizeof *item);
    char prefix[32];
    int count = 0;
    if (!item) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", c->path);
    const size_t n = (size_t)snprintf(prefix, sizeof prefix, "%d.file.", s->number);
    for (int i = 0; i < c->file.count; i++) {
        const foci_safetensor *t = &c->file.tensor[i];
        foci_real *x;
        if (strncmp(t->name, prefix, n) != 0) continue;
        FOCI_TRY(foci_case_numbers(c, t->name, t->ndim, t->shape, &x));
        item[count++] = (foci_safetensor_item){t->name + n, t->ndim, t->shape, x, false};
    }
    return foci_safetensors_write(path, item, count, NULL, 0);
}

static foci_status load(spelling *s) {
    const char *folder = getenv("TMPDIR");
    char path[4096], note[4096];
    snprintf(path, sizeof path, "%s/foci-names-XXXXXX", folder && *folder ? folder : "/tmp");
    const int fd = mkstemp(path);
    if (fd < 0) return foci_fail(FOCI_ERR_IO, "%s: no file can be made there", path);
    close(fd);
    foci_status status = write_file(s, path);
    if (!status) status = foci_init_weights(&s->run.parameters, path, NULL, NULL, note, sizeof note);
    unlink(path);
    return status ? foci_context(FOCI_ERR_DATA, "%s: variants[%d]", s->c->path, s->number) : FOCI_OK;
}

static foci_status check_opened(spelling *s, const foci_safetensor *tokens) {
    const foci_request r = {.config = s->config,
                            .batch = tokens->shape[0],
                            .feeds = "ids",
                            .number = {{"tokens", (double)tokens->shape[1]}}};
    const foci_graph_options options = {.observe = true, .bf16 = s->c->bf16};
    FOCI_TRY(foci_program_open_model(&s->run.program, &s->run.set, &options, foci_model_find("gpt"), &r));
    FOCI_TRY(foci_program_set_ready(&s->run.set));
    foci_case_run_count(s->c, &s->run);
    FOCI_TRY(load(s));
    FOCI_TRY(foci_program_feed(s->run.program, "ids", s->ids));
    FOCI_TRY(foci_program_forward(s->run.program));
    return foci_case_run_compare(s->c, &s->run, "logits", "logits", s->logits);
}

static foci_status check_variant(foci_case *c, const json_t *variant, int number, const json_t *models) {
    static const char *const rename[] = {"n_token", "vocab", NULL};
    spelling s = {.c = c, .number = number};
    json_t *name, *logits, *sizes;
    const foci_safetensor *tokens;
    int32_t *ids = NULL;
    FOCI_TRY(foci_case_known_keys(c, variant, "variants", " model file logits "));
    FOCI_TRY(foci_case_member(c, variant, "variants", "model", JSON_STRING, &name));
    FOCI_TRY(foci_case_member(c, variant, "variants", "logits", JSON_STRING, &logits));
    FOCI_TRY(foci_case_member(c, models, "models", json_string_value(name), JSON_OBJECT, &sizes));
    FOCI_TRY(foci_case_config(
        c, &(foci_case_settings){.model = foci_model_find("gpt"), .rename = rename, .sizes = sizes}, &s.config));
    FOCI_TRY(foci_case_tensor(c, "input.tokens", -1, NULL, &tokens));
    foci_status status = tokens->ndim == 2 ? FOCI_OK : foci_case_fail(c, "tensor input.tokens is not (B, T)");
    if (!status)
        status = foci_case_ints(c, "input.tokens", 2, tokens->shape, foci_config_int(s.config, "model.vocab"), 0, &ids);
    s.ids = ids;
    s.logits = json_string_value(logits);
    foci_parameters_init(&s.run.parameters);
    foci_program_set_init(&s.run.set, &s.run.parameters);
    if (!status) status = check_opened(&s, tokens);
    foci_case_run_close(&s.run);
    foci_config_free(s.config);
    return status;
}

foci_status foci_verify_gpt_names(foci_case *c) {
    json_t *variants, *models;
    FOCI_TRY(foci_case_member(c, c->root, "case", "variants", JSON_ARRAY, &variants));
    FOCI_TRY(foci_case_member(c, c->root, "case", "models", JSON_OBJECT, &models));
    for (size_t i = 0; i < json_array_size(variants); i++)
        FOCI_TRY(check_variant(c, json_array_get(variants, i), (int)i, models));
    return FOCI_OK;
}
