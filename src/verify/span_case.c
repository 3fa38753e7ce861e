/* What cases of models on the layers of lm_span share: their sizes, the layers' metrics and routes, the optimiser. */
#include <stdio.h>

#include "models/models.h"
#include "verify/case.h"

/* Names of model keys, in a case and in foci. */
static const char *const names[] = {"n_token", "vocab", "n_head", "num_heads", "n_expert", "experts", NULL};

foci_status foci_span_case_open(foci_case *c, const char *model, const char *keys, foci_span_case *o) {
    json_t *sizes;
    const foci_safetensor *tokens;
    FOCI_TRY(foci_case_member(c, c->root, "case", "model", JSON_OBJECT, &sizes));
    FOCI_TRY(foci_case_member(c, c->root, "case", "train", JSON_OBJECT, &o->train));
    FOCI_TRY(foci_case_known_keys(c, o->train, "train", keys));
    o->model = foci_model_find(model);
    FOCI_TRY(foci_case_config(c,
                              &(foci_case_settings){.model = o->model,
                                                    .rename = names,
                                                    .sizes = sizes,
                                                    .elliptical = json_object_get(c->root, "elliptical"),
                                                    .tensors = ""},
                              &o->config));
    o->words = foci_config_int(o->config, "model.vocab");
    if (o->words < 1) return foci_case_fail(c, "model: the number of words is missing");
    FOCI_TRY(foci_case_tensor(c, "input.tokens", -1, NULL, &tokens));
    if (tokens->ndim != 2 || !tokens->numel) return foci_case_fail(c, "tensor input.tokens is no matrix");
    o->rows = tokens->shape[0];
    o->tokens = tokens->shape[1];
    FOCI_TRY(foci_case_int(c, o->train, "train", "batch_split", 1, o->rows, &o->split));
    return o->rows % o->split ? foci_case_fail(c, "train.batch_split does not divide the rows") : FOCI_OK;
}

const char *foci_case_numbered(foci_case *c, const char *fmt, int i) {
    char text[96];
    snprintf(text, sizeof text, fmt, i);
    const char *name = foci_arena_printf(&c->arena, "%s", text);
    return name ? name : "";
}

static foci_status check_layer(foci_case *c, const foci_case_run *r, int i) {
    const char *metric = foci_case_numbered(c, "layers.%d.attn.metric", i),
               *route = foci_case_numbered(c, "layers.%d.smoe.route", i);
    if (foci_program_find(r->program, metric))
        FOCI_TRY(foci_case_run_compare(c, r, "w", metric, foci_case_numbered(c, "expected.w.%d", i)));
    if (!foci_program_find(r->program, route)) return FOCI_OK;
    return foci_verify_route(c, r, route, foci_case_numbered(c, "expected.index.%d", i),
                             foci_case_numbered(c, "expected.score.%d", i));
}

foci_status foci_span_case_layers(foci_case *c, const foci_case_run *r) {
    for (int i = 0; foci_program_find(r->program, foci_case_numbered(c, "layers.%d.output", i)); i++)
        FOCI_TRY(check_layer(c, r, i));
    return FOCI_OK;
}

foci_status foci_span_case_adam(foci_case *c, const json_t *train, foci_optimizer_options *o) {
    json_t *name;
    double betas[2];
    FOCI_TRY(foci_case_member(c, train, "train", "optimizer", JSON_STRING, &name));
    if (!foci_optimizer_find(json_string_value(name), &o->kind) || o->kind == FOCI_SGD)
        return foci_case_fail(c, "train.optimizer: %.40s is neither adam nor adamw", json_string_value(name));
    FOCI_TRY(foci_case_list(c, train, "train", "betas", 2, betas));
    o->beta1 = betas[0], o->beta2 = betas[1];
    FOCI_TRY(foci_case_number(c, train, "train", "eps", &o->eps));
    FOCI_TRY(foci_case_number(c, train, "train", "weight_decay", &o->weight_decay));
    if (json_is_null(json_object_get(train, "clip"))) return FOCI_OK;
    return foci_case_number(c, train, "train", "clip", &o->clip);
}
