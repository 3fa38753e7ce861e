#include "core/parameters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/parallel.h"
#include "base/philox.h"

enum { ALIGN = 64 / sizeof(foci_real) };

void foci_parameters_init(foci_parameters *p) { memset(p, 0, sizeof *p); }

void foci_parameters_free(foci_parameters *p) {
    free(p->value);
    free(p->grad);
    free(p->entry);
    free(p->alias);
    foci_arena_free(&p->arena);
    foci_parameters_init(p);
}

static int find_entry(const foci_parameters *p, const char *name) {
    for (int i = 0; i < p->count; i++)
        if (strcmp(p->entry[i].name, name) == 0) return i;
    return -1;
}

static const foci_parameter_alias *find_alias(const foci_parameters *p, const char *name) {
    for (int i = 0; i < p->aliases; i++)
        if (strcmp(p->alias[i].name, name) == 0) return &p->alias[i];
    return NULL;
}

bool foci_parameters_within(const foci_parameters *p, int entry, const char *prefixes) {
    bool within = foci_names_within(p->entry[entry].name, prefixes);
    for (int i = 0; i < p->aliases; i++)
        within |= p->alias[i].index == entry && foci_names_within(p->alias[i].name, prefixes);
    return within;
}

int foci_parameters_find(const foci_parameters *p, const char *name) {
    int i = find_entry(p, name);
    if (i >= 0) return i;
    const foci_parameter_alias *a = find_alias(p, name);
    return a ? a->index : -1;
}

int64_t foci_parameters_interleaved(const foci_parameters *p, const char *name) {
    const foci_parameter_alias *a = find_alias(p, name);
    return a ? a->interleaved : 0;
}

bool foci_parameters_ignores(const foci_parameters *p, const char *name) {
    const foci_parameter_alias *a = find_alias(p, name);
    return a && a->index < 0;
}

void foci_stored_shape(const foci_parameter_entry *e, bool transposed, int64_t shape[FOCI_MAX_DIMS]) {
    memcpy(shape, e->shape, FOCI_MAX_DIMS * sizeof *shape);
    if (transposed) shape[0] = e->shape[1], shape[1] = e->shape[0];
}

void foci_transpose(const foci_real *from, int64_t rows, int64_t columns, foci_real *to) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) to[i * columns + j] = from[j * rows + i];
}

/* (A parameter may begin so too, but training makes it what it is.) */
static bool has_no_mean(const foci_parameter_entry *e) { return e->buffer && e->init.kind == FOCI_INIT_DRAWN; }

void foci_parameters_take_drawn(const foci_parameters *p, foci_real *to) {
    for (int i = 0; i < p->count; i++) {
        const foci_parameter_entry *e = &p->entry[i];
        if (has_no_mean(e)) memcpy(to + e->offset, p->value + e->offset, (size_t)e->numel * sizeof *to);
    }
}

const char *foci_parameters_drawn(const foci_parameters *p, foci_arena *arena) {
    const char *names = NULL;
    for (int i = 0; i < p->count; i++)
        if (has_no_mean(&p->entry[i]))
            names = foci_arena_printf(arena, "%s%s%s", names ? names : "", names ? " " : "", p->entry[i].name);
    return names;
}

int64_t foci_parameters_numel(const foci_parameters *p) {
    int64_t n = 0;
    for (int i = 0; i < p->count; i++) n += p->entry[i].buffer ? 0 : p->entry[i].numel;
    return n;
}

int foci_parameters_declare(foci_parameters *p, const char *name, foci_init init, int ndim, const int64_t *shape) {
    int i = find_entry(p, name);
    if (i >= 0) {
        const foci_parameter_entry *e = &p->entry[i];
        if (e->ndim == ndim && memcmp(e->shape, shape, (size_t)ndim * sizeof *shape) == 0) return i;
        foci_fail(FOCI_ERR_RUNTIME, "parameter %s is recorded twice with different shapes", name);
        return -1;
    }
    if (p->value) {
        foci_fail(FOCI_ERR_RUNTIME, "parameter %s is new after the parameters were allocated", name);
        return -1;
    }
    if (p->count % 64 == 0) {
        void *grown = realloc(p->entry, (size_t)(p->count + 64) * sizeof *p->entry);
        if (!grown) goto out_of_memory;
        p->entry = grown;
    }
    char *copy = foci_arena_strdup(&p->arena, name);
    if (!copy) goto out_of_memory;
    foci_parameter_entry *e = &p->entry[p->count];
    *e = (foci_parameter_entry){.name = copy, .ndim = ndim, .offset = p->size, .numel = 1, .init = init};
    for (int d = 0; d < ndim; d++) {
        e->shape[d] = shape[d];
        e->numel *= shape[d];
    }
    p->size += (e->numel + ALIGN - 1) / ALIGN * ALIGN;
    return p->count++;
out_of_memory:
    foci_fail(FOCI_ERR_RUNTIME, "out of memory for parameter %s", name);
    return -1;
}

foci_status foci_parameters_alias_interleaved(foci_parameters *p, const char *name, int index, int64_t heads) {
    const foci_parameter_alias *known = find_alias(p, name);
    if (known && known->index == index) return FOCI_OK;
    if (known || find_entry(p, name) >= 0) return foci_fail(FOCI_ERR_RUNTIME, "parameter name %s is taken", name);
    if (p->aliases % 16 == 0) {
        void *grown = realloc(p->alias, (size_t)(p->aliases + 16) * sizeof *p->alias);
        if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for parameter %s", name);
        p->alias = grown;
    }
    char *copy = foci_arena_strdup(&p->arena, name);
    if (!copy) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for parameter %s", name);
    p->alias[p->aliases++] = (foci_parameter_alias){copy, index, heads};
    return FOCI_OK;
}

foci_status foci_parameters_alias(foci_parameters *p, const char *name, int index) {
    return foci_parameters_alias_interleaved(p, name, index, 0);
}

foci_status foci_parameters_adopt(foci_parameters *p, const char *scope) {
    if (p->adopting && strcmp(p->adopting, scope) == 0) return FOCI_OK;
    p->adopting = foci_arena_strdup(&p->arena, scope);
    return p->adopting ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for scope %s", scope);
}

static foci_real *flat(int64_t n) { return foci_large_calloc((size_t)n * sizeof(foci_real)); }

foci_status foci_parameters_allocate(foci_parameters *p, bool gradients) {
    if (!p->value) p->value = flat(p->size);
    if (gradients && !p->grad) p->grad = flat(p->size);
    if (!p->value || (gradients && !p->grad))
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld parameters", (long long)p->size);
    return FOCI_OK;
}

static void initialise(const foci_parameter_entry *e, foci_real *x, uint64_t seed) {
    uint64_t stream = foci_stream(e->name);
    foci_rng random = foci_rng_make(seed, stream, 0);
    if (e->init.kind == FOCI_INIT_DRAWN) {
        e->init.draw(&random, e->init.of, e->shape, x);
        return;
    }
    for (int64_t i = 0; i < e->numel; i++) {
        if (e->init.kind == FOCI_INIT_ZEROS) {
            x[i] = 0;
        } else if (e->init.kind == FOCI_INIT_ONES) {
            x[i] = 1;
        } else {
            foci_u32x4 u = foci_philox(seed, stream, 0, (uint64_t)i);
            double z = e->init.kind == FOCI_INIT_NORMAL ? foci_normal(u.v[0], u.v[1]) : 2 * foci_uniform(u.v[0]) - 1;
            x[i] = (foci_real)(e->init.mean + e->init.spread * z);
        }
    }
}

void foci_parameters_initialise(foci_parameters *p, uint64_t seed) {
    FOCI_PARALLEL_FOR
    for (int i = 0; i < p->count; i++) initialise(&p->entry[i], p->value + p->entry[i].offset, seed);
}

void foci_parameters_zero_grad(foci_parameters *p) {
    enum { TILE = 1 << 18 };
    FOCI_PARALLEL_FOR
    for (int64_t t = 0; t < foci_tiles(p->size, TILE); t++) {
        foci_range r = foci_tile(p->size, TILE, t);
        memset(p->grad + r.first, 0, (size_t)(r.end - r.first) * sizeof *p->grad);
    }
}
