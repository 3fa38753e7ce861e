/* Golden cases of the measures of collapse: a ViT with the dot product and with elliptical attention, what is measured
 * on each, and the measures by themselves, of tensors whose figures are known. */
#include <math.h>
#include <string.h>

#include "models/models.h"
#include "analyze/analysis.h"
#include "verify/case.h"

/* A measure of layers: its name in the case, the tensor it is made of, and what it is of one sample. */
typedef struct measure {
    const char *name, *tensor;
    size_t field; /* of foci_layer_analysis; 0: its pairs of heads */
} measure;
static const measure measures[] = {
    {"cosine_attention", "out", offsetof(foci_layer_analysis, cosine_attention)},
    {"cosine_heads", NULL, offsetof(foci_layer_analysis, cosine_heads)},
    {"cosine_block", "block", offsetof(foci_layer_analysis, cosine_block)},
    {"head_distances", "prob", 0},
};
enum { MEASURES = sizeof measures / sizeof *measures };

typedef struct collapse_case {
    foci_case *c;
    const char *variant; /* "softmax", "elliptical" */
    const json_t *expected;
    foci_config *config;
    foci_case_run run;
    foci_analysis analysis;
} collapse_case;

static foci_status no_number(const collapse_case *k, const measure *m) {
    return foci_case_fail(k->c, "expected.%s.%s is not a list of %s for each of %d layers", k->variant, m->name,
                          m->field ? "a number" : "the pairs of heads", k->analysis.layers);
}

/* What is expected of layer i: a number, or one for each of the pairs. */
static foci_status expected_of(const collapse_case *k, const measure *m, int i, const json_t **list, int64_t *count) {
    const json_t *layers = json_object_get(k->expected, m->name), *item = json_array_get(layers, (size_t)i);
    *count = m->field ? 1 : foci_head_pairs(k->analysis.heads);
    *list = m->field ? layers : item;
    if (json_array_size(layers) != (size_t)k->analysis.layers) return no_number(k, m);
    if (!m->field && json_array_size(item) != (size_t)*count) return no_number(k, m);
    for (int64_t n = 0; n < *count; n++)
        if (!json_is_number(m->field ? item : json_array_get(item, (size_t)n))) return no_number(k, m);
    return FOCI_OK;
}

/* `got`: the measure of layer i, one number or all pairs. */
static foci_status compare(const collapse_case *k, const measure *m, int i, const double *got) {
    const json_t *list;
    int64_t count;
    FOCI_TRY(expected_of(k, m, i, &list, &count));
    for (int64_t n = 0; n < count; n++) {
        const double expected = json_number_value(json_array_get(list, (size_t)(m->field ? i : n)));
        FOCI_TRY(foci_case_difference(k->c, m->name, fabs(got[n] - expected), fabs(expected)));
    }
    return FOCI_OK;
}

static foci_status compare_model(const collapse_case *k) {
    const foci_analysis *a = &k->analysis;
    double mean;
    for (int i = 0; i < a->layers; i++)
        for (int n = 0; n < MEASURES; n++) {
            const measure *m = &measures[n];
            const double *got = m->field ? (const double *)((const char *)&a->of[i] + m->field) : a->of[i].pair;
            FOCI_TRY(compare(k, m, i, got));
        }
    FOCI_TRY(foci_case_number(k->c, k->expected, "expected", "head_distance_mean", &mean));
    return foci_case_difference(k->c, "head_distances", fabs(a->head_distance_mean - mean), fabs(mean));
}

/* ------------------------------------------------------------------------------- the measures by themselves */

/* The mean over the samples of a tensor (B, ...) that the case gives. */
static foci_status compare_given(const collapse_case *k, const measure *m, int i, const foci_real *x,
                                 const foci_safetensor *t) {
    const bool heads = !m->field;
    const int64_t samples = t->shape[0], size = t->numel / (samples ? samples : 1),
                  pairs = heads ? foci_head_pairs(t->shape[1]) : 1;
    double *sum = foci_arena_alloc(&k->c->arena, (size_t)(2 * pairs) * sizeof *sum), *one = sum + pairs;
    if (!sum) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", k->c->path);
    for (int64_t b = 0; b < samples; b++) {
        if (heads) foci_head_distances(x + b * size, t->shape[1], t->shape[2] * t->shape[3], one);
        else *one = foci_token_cosine(x + b * size, t->shape[1], t->shape[2]);
        for (int64_t n = 0; n < pairs; n++) sum[n] += one[n] / (double)samples;
    }
    return compare(k, m, i, sum);
}

/* expected.VARIANT.TENSOR.LAYER, of whichever layers it is there. */
static foci_status check_given(const collapse_case *k) {
    foci_case *c = k->c;
    for (int n = 0; n < MEASURES; n++)
        for (int i = 0; measures[n].tensor && i < k->analysis.layers; i++) {
            const foci_analysis *a = &k->analysis;
            const char *name = foci_arena_printf(&c->arena, "expected.%s.%s.%d", k->variant, measures[n].tensor, i);
            if (!name) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", c->path);
            const foci_safetensor *t = foci_safetensors_find(&c->file, name);
            foci_real *x;
            if (!t) continue;
            if (measures[n].field) FOCI_TRY(foci_case_reals(c, name, FOCI_SHAPE(t->shape[0], a->tokens, a->width), &x));
            else FOCI_TRY(foci_case_reals(c, name, FOCI_SHAPE(t->shape[0], a->heads, a->tokens, a->tokens), &x));
            FOCI_TRY(compare_given(k, &measures[n], i, x, t));
        }
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------- a variant */

static foci_status measure_model(collapse_case *k) {
    foci_case *c = k->c;
    const json_t *elliptical = json_object_get(c->root, "elliptical");
    const foci_model *vit = foci_model_find("vit");
    const foci_safetensor *t;
    foci_real *images;
    json_t *sizes;
    FOCI_TRY(foci_case_member(c, c->root, "case", "model", JSON_OBJECT, &sizes));
    if (!json_is_object(elliptical)) return foci_case_fail(c, "case.elliptical is not an object");
    const json_t *options = strcmp(k->variant, "softmax") == 0 ? json_null() : elliptical;
    FOCI_TRY(foci_case_config(c, &(foci_case_settings){vit, .sizes = sizes, .elliptical = options}, &k->config));
    FOCI_TRY(foci_case_tensor(c, "input.images", -1, NULL, &t));
    if (t->ndim != 4) return foci_case_fail(c, "tensor input.images has %d dimensions", t->ndim);
    FOCI_TRY(foci_case_run_open_model(
        c, &k->run, vit, &(foci_request){.config = k->config, .batch = t->shape[0], .feeds = "images"}, false));
    const int64_t *shape = foci_program_find(k->run.program, "images")->shape;
    FOCI_TRY(foci_case_tensor(c, "input.images", 4, shape, &t));
    FOCI_TRY(foci_case_run_ready(c, &k->run, "param.", "constant."));
    FOCI_TRY(foci_case_reals(c, "input.images", 4, shape, &images));
    FOCI_TRY(foci_program_feed(k->run.program, "images", images));
    FOCI_TRY(foci_program_forward(k->run.program));
    return foci_analyze_program(k->run.program, t->shape[0], &k->analysis);
}

static foci_status check_variant(foci_case *c, const char *variant, const json_t *expected) {
    collapse_case k = {.c = c, .variant = variant, .expected = expected};
    if (strcmp(variant, "softmax") != 0 && strcmp(variant, "elliptical") != 0)
        return foci_case_fail(c, "expected.%.60s: neither softmax nor elliptical", variant);
    foci_status status = measure_model(&k);
    if (!status) status = compare_model(&k);
    if (!status) status = check_given(&k);
    foci_analysis_free(&k.analysis);
    foci_case_run_close(&k.run);
    foci_config_free(k.config);
    return status;
}

foci_status foci_verify_collapse(foci_case *c) {
    json_t *expected, *figures;
    const char *variant;
    FOCI_TRY(foci_case_member(c, c->root, "case", "expected", JSON_OBJECT, &expected));
    json_object_foreach(expected, variant, figures) FOCI_TRY(check_variant(c, variant, figures));
    return FOCI_OK;
}
