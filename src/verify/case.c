#include "verify/case.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

foci_status foci_case_fail(const foci_case *c, const char *fmt, ...) {
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return foci_fail(FOCI_ERR_DATA, "%s: %s", c->path, text);
}

static foci_status out_of_memory(const foci_case *c) {
    return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", c->path);
}

/* ----------------------------------------------------------------------------------------------- the JSON */

static const char *type_name(json_type type) {
    switch (type) {
    case JSON_OBJECT: return "an object";
    case JSON_ARRAY: return "a list";
    case JSON_STRING: return "a string";
    default: return "a number";
    }
}

foci_status foci_case_member(const foci_case *c, const json_t *object, const char *place, const char *key,
                             json_type type, json_t **member) {
    *member = json_object_get(object, key);
    if (!*member) return foci_case_fail(c, "%s.%s is missing", place, key);
    if (json_typeof(*member) != type) return foci_case_fail(c, "%s.%s is not %s", place, key, type_name(type));
    return FOCI_OK;
}

foci_status foci_case_number(const foci_case *c, const json_t *object, const char *place, const char *key, double *x) {
    const json_t *member = json_object_get(object, key);
    if (!member) return foci_case_fail(c, "%s.%s is missing", place, key);
    if (!json_is_number(member)) return foci_case_fail(c, "%s.%s is not a number", place, key);
    *x = json_number_value(member);
    return FOCI_OK;
}

foci_status foci_case_int(const foci_case *c, const json_t *object, const char *place, const char *key, int64_t min,
                          int64_t max, int64_t *x) {
    json_t *member;
    FOCI_TRY(foci_case_member(c, object, place, key, JSON_INTEGER, &member));
    *x = json_integer_value(member);
    if (*x < min || *x > max)
        return foci_case_fail(c, "%s.%s is %" PRId64 ", not in %" PRId64 " .. %" PRId64, place, key, *x, min, max);
    return FOCI_OK;
}

foci_status foci_case_list(const foci_case *c, const json_t *object, const char *place, const char *key, int64_t count,
                           double *x) {
    json_t *list;
    FOCI_TRY(foci_case_member(c, object, place, key, JSON_ARRAY, &list));
    if ((int64_t)json_array_size(list) != count)
        return foci_case_fail(c, "%s.%s has %zu numbers, not %lld", place, key, json_array_size(list),
                              (long long)count);
    for (int64_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(list, (size_t)i);
        if (!json_is_number(item)) return foci_case_fail(c, "%s.%s[%lld] is not a number", place, key, (long long)i);
        x[i] = json_number_value(item);
    }
    return FOCI_OK;
}

foci_status foci_case_known_keys(const foci_case *c, const json_t *object, const char *place, const char *keys) {
    const char *key;
    json_t *value;
    if (!json_is_object(object)) return foci_case_fail(c, "%s is not an object", place);
    json_object_foreach((json_t *)(uintptr_t)object, key, value) {
        char padded[80];
        snprintf(padded, sizeof padded, " %.70s ", key);
        if (!strstr(keys, padded)) return foci_case_fail(c, "%s.%s: foci does not know this field", place, key);
    }
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------ tensors */

foci_status foci_case_tensor(foci_case *c, const char *name, int ndim, const int64_t *shape,
                             const foci_safetensor **t) {
    *t = foci_safetensors_find(&c->file, name);
    if (!*t) return foci_case_fail(c, "tensor %s is missing", name);
    c->used[*t - c->file.tensor] = true;
    if (ndim < 0 || ((*t)->ndim == ndim && memcmp((*t)->shape, shape, (size_t)ndim * sizeof *shape) == 0))
        return FOCI_OK;
    char is[200], wanted[200];
    return foci_case_fail(c, "tensor %s is %s, not %s", name,
                          foci_safetensor_shape(is, sizeof is, (*t)->ndim, (*t)->shape),
                          foci_safetensor_shape(wanted, sizeof wanted, ndim, shape));
}

/* What is wrong inside a tensor is bad data here, not a bad checkpoint. */
static foci_status as_data(foci_status status) { return status == FOCI_ERR_CHECKPOINT ? FOCI_ERR_DATA : status; }

foci_status foci_case_reals(foci_case *c, const char *name, int ndim, const int64_t *shape, foci_real **x) {
    const foci_safetensor *t;
    FOCI_TRY(foci_case_tensor(c, name, ndim, shape, &t));
    *x = foci_arena_alloc(&c->arena, (size_t)t->numel * sizeof **x + 1);
    return *x ? as_data(foci_safetensors_reals(&c->file, t, 0, t->numel, *x)) : out_of_memory(c);
}

foci_status foci_case_ints(foci_case *c, const char *name, int ndim, const int64_t *shape, int64_t below,
                           int32_t exception, int32_t **x) {
    const foci_safetensor *t;
    FOCI_TRY(foci_case_tensor(c, name, ndim, shape, &t));
    *x = foci_arena_alloc(&c->arena, (size_t)t->numel * sizeof **x + 1);
    if (!*x) return out_of_memory(c);
    FOCI_TRY(as_data(foci_safetensors_ints(&c->file, t, 0, t->numel, *x)));
    for (int64_t i = 0; i < t->numel; i++)
        if (((*x)[i] < 0 || (*x)[i] >= below) && (*x)[i] != exception)
            return foci_case_fail(c, "tensor %s: element %" PRId64 " is %d, not below %" PRId64, name, i, (*x)[i],
                                  below);
    return FOCI_OK;
}

static foci_status read_numbers(foci_case *c, const foci_safetensor *t, foci_real *x) {
    int32_t *whole;
    if (!foci_safetensor_whole(t)) return as_data(foci_safetensors_reals(&c->file, t, 0, t->numel, x));
    FOCI_TRY(foci_case_ints(c, t->name, t->ndim, t->shape, INT32_MAX, 0, &whole));
    for (int64_t i = 0; i < t->numel; i++) x[i] = (foci_real)whole[i];
    return FOCI_OK;
}

foci_status foci_case_numbers(foci_case *c, const char *name, int ndim, const int64_t *shape, foci_real **x) {
    const foci_safetensor *t;
    FOCI_TRY(foci_case_tensor(c, name, ndim, shape, &t));
    *x = foci_arena_alloc(&c->arena, (size_t)t->numel * sizeof **x + 1);
    return *x ? read_numbers(c, t, *x) : out_of_memory(c);
}

void foci_case_swap_axes(int64_t b, int64_t x, int64_t y, int64_t d, const foci_real *from, foci_real *to) {
    for (int64_t i = 0; i < b * x * y; i++) {
        const int64_t row = (i / (x * y) * y + i % y) * x + i / y % x;
        memcpy(to + row * d, from + i * d, (size_t)d * sizeof *to);
    }
}

/* ---------------------------------------------------------------------------------------------- comparing */

bool foci_case_has_group(const foci_case *c, const char *group) {
    for (int i = 0; i < c->report->groups; i++)
        if (strcmp(c->report->group[i].name, group) == 0) return true;
    return false;
}

/* Rounding to bfloat16 moves a number by at most u = 2^-9 of itself, evenly spread: by u / sqrt(3) in the root mean
 * square, and a product of two rounded numbers by sqrt(2/3) u. A sum of such products moves by the same share of its
 * own size, and P of them one after another by sqrt(P) times as much, all in the root mean square. Ten times that
 * leaves room for what cancels: the gradient of a softmax is a difference of near numbers. */
static double bf16_tolerance(int products) { return 10 * sqrt(2.0 / 3 * products) * 0x1p-9; }

foci_status foci_case_add_group(foci_case *c, const char *group, double tolerance) {
    if (c->report->groups == FOCI_VERIFY_MAX_GROUPS)
        return foci_case_fail(c, "tolerance: no room for the group %s", group);
    foci_verify_group *g = &c->report->group[c->report->groups++];
    snprintf(g->name, sizeof g->name, "%s", group);
    g->tolerance = tolerance;
    return FOCI_OK;
}

foci_status foci_case_difference(foci_case *c, const char *group, double difference, double size) {
    if (c->bf16 && size > 0) difference /= size;
    for (int i = 0; i < c->report->groups; i++) {
        foci_verify_group *g = &c->report->group[i];
        if (strcmp(g->name, group) != 0) continue;
        if (!isfinite(difference)) difference = INFINITY;
        if (!c->compared[i] || difference > g->difference) g->difference = difference;
        c->compared[i] = true;
        if (c->bf16) g->tolerance = fmax(g->tolerance, bf16_tolerance(c->products));
        g->ok = g->difference <= g->tolerance;
        return FOCI_OK;
    }
    return foci_case_fail(c, "tolerance.%s is missing", group);
}

/* The gradient of a key's bias is zero but for rounding: it has no size of its own. */
static const double NOTHING = 1e-6;

foci_status foci_case_compare(foci_case *c, const char *group, const foci_real *got, const char *expected, int ndim,
                              const int64_t *shape) {
    foci_real *want;
    FOCI_TRY(foci_case_reals(c, expected, ndim, shape, &want));
    int64_t n = 1;
    for (int i = 0; i < ndim; i++) n *= shape[i];
    double largest = 1, difference = 0, size = 0, error = 0;
    for (int64_t i = 0; i < n; i++) {
        double d = fabs((double)got[i] - (double)want[i]);
        if (!(d <= difference)) difference = isfinite(d) ? d : (double)INFINITY;
        largest = fmax(largest, fabs((double)want[i]));
        size += (double)want[i] * (double)want[i];
        error += d * d;
    }
    size = sqrt(size / (double)n);
    if (size < NOTHING * c->usual) size = c->usual;
    if (c->bf16) return foci_case_difference(c, group, sqrt(error / (double)n), size);
    return foci_case_difference(c, group, c->relative ? difference / largest : difference, 1);
}

/* ------------------------------------------------------------------------------------------------ running */

static foci_graph_options options_of(const foci_case *c, const char *gradients) {
    return (foci_graph_options){.differentiate = true, .observe = true, .bf16 = c->bf16, .gradients = gradients};
}

static foci_graph_options start(const foci_case *c, foci_case_run *r, const char *gradients) {
    *r = (foci_case_run){.program = NULL};
    foci_parameters_init(&r->parameters);
    foci_program_set_init(&r->set, &r->parameters);
    return options_of(c, gradients);
}

/* Sizes that fit into no model are the case's fault. */
static foci_status opened(const foci_case *c, foci_status status) {
    return status ? foci_context(status == FOCI_ERR_CONFIG ? FOCI_ERR_DATA : status, "%s", c->path) : FOCI_OK;
}

foci_status foci_case_run_add_model(foci_case *c, foci_case_run *r, foci_program **p, const foci_model *model,
                                    const foci_request *request, bool train) {
    foci_graph_options options = options_of(c, NULL);
    options.train = train;
    return opened(c, foci_program_open_model(p, &r->set, &options, model, request));
}

foci_status foci_case_run_open(foci_case *c, foci_case_run *r, const char *gradients,
                               void (*record)(void *context, foci_graph *g), void *context) {
    const foci_graph_options options = start(c, r, gradients);
    return opened(c, foci_program_open(&r->program, &r->set, &options, record, context));
}

foci_status foci_case_run_open_model(foci_case *c, foci_case_run *r, const foci_model *model,
                                     const foci_request *request, bool train) {
    foci_graph_options options = start(c, r, NULL);
    options.train = train;
    return opened(c, foci_program_open_model(&r->program, &r->set, &options, model, request));
}

static const char *joined(foci_case *c, const char *prefix, const char *name) {
    const char *full = foci_arena_printf(&c->arena, "%s%s", prefix, name);
    return full ? full : "";
}

static bool is_own(const foci_case_run *r, const foci_parameter_entry *e) {
    for (const char *own = r->own; own && *own; own += strcspn(own, " "), own += strspn(own, " "))
        if (strncmp(e->name, own, strcspn(own, " ")) == 0) return true;
    return false;
}

/* The tensors of a run's parameters and buffers. */
typedef struct source {
    const char *parameters, *buffers; /* how their names begin */
} source;

static foci_status source_of(foci_case *c, const foci_parameter_entry *e, source from, const foci_safetensor **t) {
    int64_t shape[FOCI_MAX_DIMS];
    foci_stored_shape(e, e->transposed, shape);
    return foci_case_tensor(c, joined(c, e->buffer ? from.buffers : from.parameters, e->name), e->ndim, shape, t);
}

/* What is like a parameter, as files have it. */
static foci_status as_stored(foci_case *c, const foci_parameter_entry *e, const foci_real *x,
                             const foci_real **stored) {
    *stored = x;
    if (!e->transposed) return FOCI_OK;
    foci_real *turned = foci_arena_alloc(&c->arena, (size_t)e->numel * sizeof *turned);
    if (!turned) return out_of_memory(c);
    foci_transpose(x, e->shape[1], e->shape[0], turned);
    *stored = turned;
    return FOCI_OK;
}

/* Before memory is taken: sizes that the case's tensors do not have may be huge. */
static foci_status check_parameters(foci_case *c, const foci_case_run *r, source from) {
    const foci_safetensor *t;
    for (int i = 0; i < r->parameters.count; i++)
        if (!is_own(r, &r->parameters.entry[i])) FOCI_TRY(source_of(c, &r->parameters.entry[i], from, &t));
    return FOCI_OK;
}

static foci_status read_parameter(foci_case *c, const foci_safetensor *t, const foci_parameter_entry *e,
                                  foci_real *value) {
    if (!e->transposed) return as_data(foci_safetensors_reals(&c->file, t, 0, t->numel, value));
    foci_real *stored = foci_arena_alloc(&c->arena, (size_t)e->numel * sizeof *stored);
    if (!stored) return out_of_memory(c);
    FOCI_TRY(as_data(foci_safetensors_reals(&c->file, t, 0, t->numel, stored)));
    foci_transpose(stored, e->shape[0], e->shape[1], value);
    return FOCI_OK;
}

static foci_status fill_parameters(foci_case *c, foci_case_run *r, source from) {
    for (int i = 0; i < r->parameters.count; i++) {
        const foci_parameter_entry *e = &r->parameters.entry[i];
        const foci_safetensor *t;
        if (is_own(r, e)) continue;
        FOCI_TRY(source_of(c, e, from, &t));
        if (e->buffer) FOCI_TRY(read_numbers(c, t, r->parameters.value + e->offset)); /* may be whole ones */
        else FOCI_TRY(read_parameter(c, t, e, r->parameters.value + e->offset));
    }
    return FOCI_OK;
}

/* Parameters that published models have and foci's have not. */
static void pass_over_ignored(foci_case *c, const foci_case_run *r, const char *prefix) {
    const size_t n = strlen(prefix);
    for (int i = 0; i < c->file.count; i++) {
        const char *name = c->file.tensor[i].name;
        if (strncmp(name, prefix, n) == 0 && foci_parameters_ignores(&r->parameters, name + n)) c->used[i] = true;
    }
}

void foci_case_run_count(foci_case *c, const foci_case_run *r) {
    const foci_graph *g = foci_program_graph(r->program);
    c->products = 0;
    for (int i = 0; i < foci_graph_nodes(g); i++)
        if (foci_graph_node(g, i)->op->cost) c->products += 3; /* one forward, two backward */
}

foci_status foci_case_run_ready(foci_case *c, foci_case_run *r, const char *prefix, const char *buffers) {
    const source from = {prefix, buffers};
    FOCI_TRY(check_parameters(c, r, from));
    FOCI_TRY(foci_program_set_ready(&r->set));
    FOCI_TRY(fill_parameters(c, r, from));
    pass_over_ignored(c, r, prefix);
    foci_case_run_count(c, r);
    return FOCI_OK;
}

foci_status foci_case_run_compare(foci_case *c, const foci_case_run *r, const char *group, const char *output,
                                  const char *expected) {
    const foci_tensor *t = foci_program_find(r->program, output);
    const foci_real *got;
    FOCI_TRY(foci_program_fetch(r->program, output, &got));
    return foci_case_compare(c, group, got, expected, t->ndim, t->shape);
}

static bool contains(const json_t *list, const char *name) {
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *item = json_string_value(json_array_get(list, i));
        if (item && strcmp(item, name) == 0) return true;
    }
    return false;
}

static double largest(const foci_real *x, int64_t n) {
    double m = 0;
    for (int64_t i = 0; i < n; i++) {
        if (!isfinite(x[i])) return (double)INFINITY;
        m = fmax(m, fabs((double)x[i]));
    }
    return m;
}

/* The largest root mean square of an expected gradient. */
static foci_status usual_size(foci_case *c, const foci_case_run *r, const char *prefix, const json_t *none) {
    for (int i = 0; i < r->parameters.count && c->bf16; i++) {
        const foci_parameter_entry *e = &r->parameters.entry[i];
        foci_real *want;
        double sum = 0;
        if (e->buffer || is_own(r, e) || contains(none, e->name)) continue;
        int64_t shape[FOCI_MAX_DIMS];
        foci_stored_shape(e, e->transposed, shape);
        FOCI_TRY(foci_case_reals(c, joined(c, prefix, e->name), e->ndim, shape, &want));
        for (int64_t k = 0; k < e->numel; k++) sum += (double)want[k] * (double)want[k];
        c->usual = fmax(c->usual, sqrt(sum / (double)e->numel));
    }
    return FOCI_OK;
}

foci_status foci_case_run_gradients(foci_case *c, foci_case_run *r, const char *group, const char *prefix,
                                    const json_t *none) {
    FOCI_TRY(usual_size(c, r, prefix, none));
    for (int i = 0; i < r->parameters.count; i++) {
        const foci_parameter_entry *e = &r->parameters.entry[i];
        const foci_real *grad = r->parameters.grad + e->offset;
        int64_t shape[FOCI_MAX_DIMS];
        if (e->buffer || is_own(r, e)) continue;
        FOCI_TRY(as_stored(c, e, grad, &grad));
        foci_stored_shape(e, e->transposed, shape);
        if (contains(none, e->name)) FOCI_TRY(foci_case_difference(c, group, largest(grad, e->numel), 1));
        else FOCI_TRY(foci_case_compare(c, group, grad, joined(c, prefix, e->name), e->ndim, shape));
    }
    c->usual = 0;
    return FOCI_OK;
}

void foci_case_run_close(foci_case_run *r) {
    foci_program_set_free(&r->set);
    foci_parameters_free(&r->parameters);
}
