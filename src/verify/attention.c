/* Golden values of attention by itself: output, map, metric, and the gradients of sum(out * dout). */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention/attend.h"
#include "attention/attention.h"
#include "verify/case.h"

static foci_status compare(foci_case *c, int variant, const char *what, const foci_real *got, int ndim,
                           const int64_t *shape) {
    char name[64];
    snprintf(name, sizeof name, "%d.%s", variant, what);
    return foci_case_compare(c, what, got, name, ndim, shape);
}

typedef struct variant_case {
    foci_case *c;
    const json_t *json;
    foci_case_run run;
    foci_config *config;
    const foci_attention *variant;
    int number, layer;
    const int64_t *shape; /* (B, H, N, D) */
    bool causal, rival;   /* rival: of golden section 1.12 */
} variant_case;

static bool lists(const json_t *object, const char *list, const char *name) {
    const json_t *names = json_object_get(object, list);
    for (size_t i = 0; i < json_array_size(names); i++) {
        const char *item = json_string_value(json_array_get(names, i));
        if (item && strcmp(item, name) == 0) return true;
    }
    return false;
}

static const char *numbered(const variant_case *v, const char *name) {
    const char *text = foci_arena_printf(&v->c->arena, "%d.%s", v->number, name);
    return text ? text : "";
}

/* ----------------------------------------------------------------------------------------------------- inputs */

/* (B, H, N, D) each: those that every case has, those of the layer before, and what some kinds need besides. */
enum { Q, K, V, Q_PREV, K_PREV, V_PREV, K2, V_FIRST, INPUTS };
static const char *const inputs[INPUTS] = {"q", "k", "v", "q_prev", "k_prev", "v_prev", "k2", "v_first"};

/* Projections of the variant's own are given as if x were all three side by side and each projection took its part. */
enum { OWN = 3 };
static const char *const own[OWN] = {"q_global", "k_global", "v_global"};
static const char *const own_weights[OWN] = {"query_global", "key_global", "value_global"};

static bool is_given(const variant_case *v, int input) {
    if (!v->rival) return input <= V_PREV;
    return input <= V ? !lists(v->json, "unused", inputs[input]) : lists(v->json, "inputs", inputs[input]);
}

static bool gives_own(const variant_case *v) { return lists(v->json, "inputs", own[0]); }

static void record(void *context, foci_graph *g) {
    const variant_case *v = context;
    foci_tensor *t[INPUTS] = {NULL};
    for (int i = 0; i < INPUTS; i++)
        if (is_given(v, i)) t[i] = foci_input(g, inputs[i], FOCI_REAL, 4, v->shape);
    foci_attention_io io = {
        .graph = g,
        .config = v->config,
        .q = t[Q] ? t[Q] : t[K],
        .k = t[K] ? t[K] : t[Q],
        .v = t[V],
        .k2 = t[K2],
        .q_before = t[Q_PREV],
        .k_before = t[K_PREV],
        .v_before = t[V_PREV],
        .v_first = t[V_FIRST],
        .layer = v->layer,
        .depth = v->layer + 1,
        .longest = v->shape[2],
        .causal = v->causal,
        .scale = 1 / sqrt((double)v->shape[3]),
    };
    if (gives_own(v))
        io.x = foci_input(g, "x", FOCI_REAL, FOCI_SHAPE(v->shape[0], v->shape[2], OWN * v->shape[1] * v->shape[3]));
    if (lists(v->json, "constants", "mask"))
        io.mask = foci_input(g, "mask", FOCI_REAL, FOCI_SHAPE(v->shape[0], v->shape[2]));
    if (foci_graph_ok(g)) foci_output(g, "out", foci_attend_once(&io));
}

/* Column c of x (B, N, 3 H D) is (d of D) of head h of input p. */
static int64_t column(const int64_t *shape, int p, int64_t h) { return (p * shape[1] + h) * shape[3]; }

static foci_status feed_own(const variant_case *v) {
    const int64_t *shape = v->shape, width = OWN * shape[1] * shape[3];
    foci_real *part, *x = foci_arena_alloc(&v->c->arena, (size_t)(shape[0] * shape[2] * width) * sizeof *x);
    if (!x) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", v->c->path);
    for (int p = 0; p < OWN; p++) {
        FOCI_TRY(foci_case_reals(v->c, numbered(v, own[p]), 4, shape, &part));
        for (int64_t i = 0; i < shape[0] * shape[1] * shape[2]; i++) {
            const int64_t b = i / (shape[1] * shape[2]), h = i / shape[2] % shape[1], n = i % shape[2];
            memcpy(x + (b * shape[2] + n) * width + column(shape, p, h), part + i * shape[3],
                   (size_t)shape[3] * sizeof *x);
        }
    }
    return foci_program_feed(v->run.program, "x", x);
}

/* Weights that take a part of x, without bias. */
static void fill_own(variant_case *v) {
    const int64_t rows = v->shape[1] * v->shape[3];
    foci_parameters *parameters = &v->run.parameters;
    for (int i = 0; i < parameters->count; i++)
        for (int p = 0; p < OWN; p++) {
            const foci_parameter_entry *e = &parameters->entry[i];
            if (strncmp(e->name, own_weights[p], strlen(own_weights[p])) != 0) continue;
            foci_real *w = parameters->value + e->offset;
            memset(w, 0, (size_t)e->numel * sizeof *w);
            for (int64_t r = 0; e->ndim == 2 && r < rows; r++) w[r * OWN * rows + p * rows + r] = 1;
        }
}

static foci_status feed(const variant_case *v) {
    foci_real *x;
    for (int i = 0; i < INPUTS; i++) {
        if (!is_given(v, i)) continue;
        FOCI_TRY(foci_case_reals(v->c, i < K2 ? inputs[i] : numbered(v, inputs[i]), 4, v->shape, &x));
        FOCI_TRY(foci_program_feed(v->run.program, inputs[i], x));
    }
    if (gives_own(v)) FOCI_TRY(feed_own(v));
    if (!lists(v->json, "constants", "mask")) return FOCI_OK;
    FOCI_TRY(foci_case_numbers(v->c, numbered(v, "mask"), FOCI_SHAPE(v->shape[0], v->shape[2]), &x));
    return foci_program_feed(v->run.program, "mask", x);
}

/* ---------------------------------------------------------------------------------------------------- comparing */

/* What a variant makes observable, by golden names; choices are whole numbers and must be equal. */
static const struct {
    const char *name;
    bool choice;
} observed[] = {{"prob", false},   {"weights_joint", false}, {"weights_marginal", false},
                {"pi_new", false}, {"gate", false},          {"choice", true},
                {"buckets", true}};

static foci_status compare_choice(const variant_case *v, const char *name, const foci_real *got, int64_t numel) {
    const foci_safetensor *t;
    foci_real *want;
    double difference = 0;
    FOCI_TRY(foci_case_tensor(v->c, numbered(v, name), -1, NULL, &t));
    if (t->numel != numel) return foci_case_fail(v->c, "tensor %s has not %lld elements", t->name, (long long)numel);
    FOCI_TRY(foci_case_numbers(v->c, t->name, t->ndim, t->shape, &want));
    for (int64_t i = 0; i < numel; i++) difference = fmax(difference, fabs((double)(got[i] - want[i])));
    if (!foci_case_has_group(v->c, name)) FOCI_TRY(foci_case_add_group(v->c, name, 0));
    return foci_case_difference(v->c, name, difference, 0);
}

static foci_status check_observed(const variant_case *v) {
    for (size_t i = 0; i < sizeof observed / sizeof *observed; i++) {
        const char *name = observed[i].name;
        const foci_real *got;
        if (!foci_safetensors_find(&v->c->file, numbered(v, name))) continue;
        const foci_tensor *t = foci_program_find(v->run.program, name);
        if (!t) return foci_case_fail(v->c, "variants[%d]: %s does not show its %s", v->number, v->variant->name, name);
        FOCI_TRY(foci_program_fetch(v->run.program, name, &got));
        if (observed[i].choice) FOCI_TRY(compare_choice(v, name, got, foci_numel(t)));
        else FOCI_TRY(compare(v->c, v->number, name, got, t->ndim, t->shape));
    }
    return FOCI_OK;
}

static foci_status check_metric(const variant_case *v) {
    const foci_tensor *metric = foci_program_find(v->run.program, "metric");
    const foci_real *w;
    if (!metric && strcmp(v->variant->name, "elliptical") == 0)
        return foci_case_fail(v->c, "variants[%d]: no metric was recorded", v->number);
    if (!metric) return FOCI_OK;
    FOCI_TRY(foci_program_fetch(v->run.program, "metric", &w));
    return compare(v->c, v->number, "w", w, metric->ndim, metric->shape);
}

static foci_status check_forward(const variant_case *v, foci_real *spare) {
    const int64_t *shape = v->shape;
    const foci_real *out;
    FOCI_TRY(foci_program_forward(v->run.program));
    FOCI_TRY(foci_program_fetch(v->run.program, "out", &out));
    foci_case_swap_axes(shape[0], shape[2], shape[1], shape[3], out, spare);
    FOCI_TRY(compare(v->c, v->number, "out", spare, 4, shape));
    FOCI_TRY(check_observed(v));
    return check_metric(v);
}

/* The gradient of x, taken apart. */
static foci_status check_own(const variant_case *v, foci_real *spare) {
    const int64_t *shape = v->shape, width = OWN * shape[1] * shape[3];
    const foci_real *dx;
    char name[64];
    FOCI_TRY(foci_program_fetch_gradient(v->run.program, "x", &dx));
    for (int p = 0; p < OWN; p++) {
        for (int64_t i = 0; i < shape[0] * shape[1] * shape[2]; i++) {
            const int64_t b = i / (shape[1] * shape[2]), h = i / shape[2] % shape[1], n = i % shape[2];
            memcpy(spare + i * shape[3], dx + (b * shape[2] + n) * width + column(shape, p, h),
                   (size_t)shape[3] * sizeof *spare);
        }
        snprintf(name, sizeof name, "d%s", own[p]);
        FOCI_TRY(compare(v->c, v->number, name, spare, 4, shape));
    }
    return FOCI_OK;
}

/* The layer before is a constant here. */
static foci_status check_backward(variant_case *v, foci_real *spare) {
    const int64_t *shape = v->shape;
    const foci_real *gradient;
    foci_real *dout;
    char name[64];
    FOCI_TRY(foci_case_reals(v->c, "dout", 4, shape, &dout));
    foci_case_swap_axes(shape[0], shape[1], shape[2], shape[3], dout, spare);
    foci_parameters_zero_grad(&v->run.parameters);
    foci_program_backward_from(v->run.program, spare);
    for (int i = 0; i < INPUTS; i++) {
        if (!is_given(v, i) || (i >= Q_PREV && i <= V_PREV)) continue;
        snprintf(name, sizeof name, "d%s", inputs[i]);
        FOCI_TRY(foci_program_fetch_gradient(v->run.program, inputs[i], &gradient));
        FOCI_TRY(compare(v->c, v->number, name, gradient, 4, shape));
    }
    if (gives_own(v)) FOCI_TRY(check_own(v, spare));
    return foci_case_run_gradients(v->c, &v->run, "grad", numbered(v, "grad."), NULL);
}

/* ----------------------------------------------------------------------------------------------------- a variant */

static foci_status check_opened(variant_case *v) {
    const int64_t *shape = v->shape;
    FOCI_TRY(foci_case_run_open(v->c, &v->run, "q k v k2 v_first x", record, v));
    foci_real *spare =
        foci_arena_alloc(&v->c->arena, (size_t)(shape[0] * shape[1] * shape[2] * shape[3]) * sizeof *spare);
    if (!spare) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", v->c->path);
    if (gives_own(v)) v->run.own = "query_global key_global value_global";
    FOCI_TRY(foci_case_run_ready(v->c, &v->run, numbered(v, "param."), numbered(v, "")));
    if (gives_own(v)) fill_own(v);
    FOCI_TRY(feed(v));
    FOCI_TRY(check_forward(v, spare));
    return check_backward(v, spare);
}

/* Layer numbers matter to few: the first that is elliptical, the depth of diff. */
static int layer_of(const variant_case *v) {
    const json_t *depth = json_object_get(json_object_get(v->json, "attention"), "depth");
    if (json_is_integer(depth)) return (int)json_integer_value(depth);
    return strcmp(v->variant->name, "elliptical") == 0 ? (int)foci_config_int(v->config, "attention.first") : 1;
}

static foci_status check_variant(foci_case *c, const json_t *variant, int number, const int64_t *shape) {
    const json_t *elliptical = json_object_get(variant, "elliptical"),
                 *attention = json_object_get(variant, "attention");
    variant_case v = {.c = c,
                      .json = variant,
                      .number = number,
                      .shape = shape,
                      .causal = json_is_true(json_object_get(variant, "causal_mask")),
                      .rival = json_is_object(attention)};
    char place[32];
    snprintf(place, sizeof place, "variants[%d]", number);
    FOCI_TRY(foci_case_known_keys(c, variant, place,
                                  " elliptical attention causal_mask inputs parameters constants unused margin "));
    if ((!elliptical && !attention) || !json_is_boolean(json_object_get(variant, "causal_mask")))
        return foci_case_fail(c, "%s lacks elliptical or causal_mask", place);
    FOCI_TRY(foci_case_config(
        c, &(foci_case_settings){.elliptical = elliptical, .attention = attention, .tensors = numbered(&v, "")},
        &v.config));
    v.variant = foci_attention_find(foci_config_string(v.config, "attention.kind"));
    v.layer = layer_of(&v);
    foci_status status = check_opened(&v);
    foci_case_run_close(&v.run);
    foci_config_free(v.config);
    return status;
}

/* Tensors that no variant reads are those that all of them call unused. */
static void mark_unused(foci_case *c, const json_t *variants) {
    for (size_t i = 0; i < json_array_size(variants); i++)
        for (int t = Q; t <= V; t++) {
            const foci_safetensor *unused = foci_safetensors_find(&c->file, inputs[t]);
            if (unused && lists(json_array_get(variants, i), "unused", inputs[t]))
                c->used[unused - c->file.tensor] = true;
        }
}

foci_status foci_verify_attention(foci_case *c) {
    json_t *variants;
    const foci_safetensor *q;
    FOCI_TRY(foci_case_member(c, c->root, "case", "variants", JSON_ARRAY, &variants));
    FOCI_TRY(foci_case_tensor(c, "q", -1, NULL, &q));
    if (q->ndim != 4) return foci_case_fail(c, "tensor q has %d dimensions, not 4", q->ndim);
    mark_unused(c, variants);
    for (size_t i = 0; i < json_array_size(variants); i++)
        FOCI_TRY(check_variant(c, json_array_get(variants, i), (int)i, q->shape));
    return FOCI_OK;
}
