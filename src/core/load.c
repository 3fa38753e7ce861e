#include "core/load.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --------------------------------------------------------------------------------------- position tables */

/* The grid of the model; and the square one in the file, empty where it is none. */
static foci_grid grid_here(const foci_parameter_entry *e) {
    const int64_t cells = e->shape[1] - e->leading;
    return (foci_grid){cells / e->columns, e->columns};
}
static foci_grid grid_there(const foci_parameter_entry *e, int64_t tokens) {
    const int64_t cells = tokens - e->leading, side = cells > 0 ? (int64_t)llround(sqrt((double)cells)) : 0;
    return side * side == cells ? (foci_grid){side, side} : (foci_grid){0, 0};
}

static bool is_resizable(const foci_parameter_entry *e, const foci_safetensor *t) {
    if (!e->columns || e->ndim != 3 || t->ndim != 3) return false;
    if (t->shape[0] != 1 || e->shape[0] != 1 || t->shape[2] != e->shape[2]) return false;
    return grid_there(e, t->shape[1]).rows > 0;
}

/* ----------------------------------------------------------------------------------------------- matching */

/* Names for a message: the first 20, as far as they fit, "and 7 more". */
typedef struct list {
    char text[600];
    int shown, total;
} list;

static void list_add(list *l, const char *fmt, ...) FOCI_PRINTF(2, 3);
static void list_add(list *l, const char *fmt, ...) {
    char item[400];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(item, sizeof item, fmt, ap);
    va_end(ap);
    size_t used = strlen(l->text);
    if (l->shown == l->total++ && l->shown < 20 && used + strlen(item) + 3 < sizeof l->text) {
        snprintf(l->text + used, sizeof l->text - used, "%s%s", l->shown ? ", " : "", item);
        l->shown++;
    }
}

static void list_print(const list *l, const char *title, char *message, size_t size) {
    size_t used = strlen(message);
    if (!l->total) return;
    char more[40] = "";
    if (l->total > l->shown) snprintf(more, sizeof more, " and %d more", l->total - l->shown);
    snprintf(message + used, size - used, "; %s: %s%s", title, l->text, more);
}

static const char *const parallel_prefix = "module.";

static bool all_have_prefix(const foci_safetensors *f, const char *prefix) {
    for (int i = 0; i < f->count; i++)
        if (strncmp(f->tensor[i].name, prefix, strlen(prefix)) != 0) return false;
    return f->count > 0;
}

static bool same_shape(const foci_parameter_entry *e, const foci_safetensor *t) {
    if (e->ndim != t->ndim) return false;
    for (int i = 0; i < e->ndim; i++)
        if (e->shape[i] != t->shape[i]) return false;
    return true;
}

/* Two names of one parameter, both in the file: the same stored bytes? */
static bool same_bytes(const foci_safetensors *f, const foci_safetensor *a, const foci_safetensor *b) {
    return a->dtype == b->dtype && a->end - a->first == b->end - b->first &&
           memcmp(f->data + a->first, f->data + b->first, a->end - a->first) == 0;
}

/* What does not fit, and what was made to. */
typedef struct misfits {
    list missing, unexpected, shapes, untied, head, resized, fresh; /* head: misshapen, where that is allowed */
    int matched;
} misfits;

/* "pos_embed resized from 14x14 to 7x7 patches" */
static void note_resizing(misfits *m, const foci_parameter_entry *e, const foci_safetensor *t) {
    static const char *const how[] = {
        [FOCI_GRID_ANTIALIASED] = ", antialiased", [FOCI_GRID_CUBIC] = "", [FOCI_GRID_BILINEAR] = ", bilinearly"};
    const foci_grid from = grid_there(e, t->shape[1]), to = grid_here(e);
    list_add(&m->resized, "%s resized from %lldx%lld to %lldx%lld patches%s", t->name, (long long)from.rows,
             (long long)from.columns, (long long)to.rows, (long long)to.columns, how[e->resizing]);
}

/* A name of the file as one of the model's, perhaps below the scope that it adopts such names for. */
static const char *name_here(const foci_parameters *p, const char *name, char longer[400]) {
    if (!p->adopting || foci_parameters_find(p, name) >= 0 || foci_parameters_ignores(p, name)) return name;
    const int n = snprintf(longer, 400, "%s.%s", p->adopting, name);
    const bool known = n < 400 && (foci_parameters_find(p, longer) >= 0 || foci_parameters_ignores(p, longer));
    return known ? longer : name;
}

/* Fills source[i], the tensor of the file for parameter i; NULL where there is none that fits. */
static void match(const foci_parameters *p, const foci_safetensors *f, const char *head, const char *fresh,
                  const foci_safetensor **source, misfits *m) {
    size_t skip = all_have_prefix(f, parallel_prefix) ? strlen(parallel_prefix) : 0;
    for (int i = 0; i < f->count; i++) {
        const foci_safetensor *t = &f->tensor[i];
        char longer[400];
        const char *name = name_here(p, t->name + skip, longer);
        int k = foci_parameters_find(p, name);
        if (k < 0) {
            if (!foci_parameters_ignores(p, name)) list_add(&m->unexpected, "%s", t->name);
            continue;
        }
        const foci_parameter_entry *e = &p->entry[k];
        if (fresh && foci_names_within(e->name, fresh)) {
            list_add(&m->fresh, "%s", e->name);
            continue;
        }
        if (source[k] && !same_bytes(f, source[k], t)) list_add(&m->untied, "%s and %s", source[k]->name, t->name);
        source[k] = t;
        if (same_shape(e, t)) continue;
        if (is_resizable(e, t)) {
            note_resizing(m, e, t);
            continue;
        }
        char in_file[200], in_model[200];
        const bool allowed = head && foci_names_within(e->name, head);
        list_add(allowed ? &m->head : &m->shapes, "%s is %s in the file and %s in the model", t->name,
                 foci_safetensor_shape(in_file, sizeof in_file, t->ndim, t->shape),
                 foci_safetensor_shape(in_model, sizeof in_model, e->ndim, e->shape));
    }
    for (int k = 0; k < p->count; k++) {
        const bool left = fresh && foci_names_within(p->entry[k].name, fresh);
        if (!source[k] && !left) list_add(&m->missing, "%s", p->entry[k].name);
        if (!source[k]) continue;
        if (!same_shape(&p->entry[k], source[k]) && !is_resizable(&p->entry[k], source[k])) source[k] = NULL;
        m->matched += source[k] != NULL;
    }
}

static foci_status refuse(const foci_safetensors *f, const misfits *m) {
    char message[2048] = "";
    list_print(&m->missing, "missing", message, sizeof message);
    list_print(&m->unexpected, "unexpected", message, sizeof message);
    list_print(&m->shapes, "shapes differ", message, sizeof message);
    list_print(&m->untied, "tied here, but different in the file", message, sizeof message);
    return foci_fail(FOCI_ERR_CHECKPOINT, "%s does not fit the model%s", f->path, message);
}

/* ----------------------------------------------------------------------------------------- load and save */

static foci_status resize(const foci_safetensors *f, const foci_safetensor *t, const foci_parameter_entry *e,
                          foci_real *out) {
    foci_real *table = malloc((size_t)t->numel * sizeof *table);
    if (!table) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory for %s", f->path, t->name);
    foci_status status = foci_safetensors_reals(f, t, 0, t->numel, table);
    if (!status)
        status = foci_resize_positions(table, e->leading, grid_there(e, t->shape[1]), out, grid_here(e), e->shape[2],
                                       e->resizing);
    free(table);
    return status;
}

/* What has no source stays as it is. */
static foci_status read_all(const foci_parameters *p, const foci_safetensors *f, const foci_safetensor **source,
                            foci_real *out) {
    for (int k = 0; k < p->count; k++) {
        const foci_parameter_entry *e = &p->entry[k];
        if (!source[k]) continue;
        if (same_shape(e, source[k])) FOCI_TRY(foci_safetensors_reals(f, source[k], 0, e->numel, out + e->offset));
        else FOCI_TRY(resize(f, source[k], e, out + e->offset));
    }
    return FOCI_OK;
}

/* `head` NULL: everything must fit. */
static foci_status load(foci_parameters *p, const foci_safetensors *f, const char *head, const char *fresh,
                        misfits *m) {
    const foci_safetensor **source = calloc((size_t)p->count + 1, sizeof *source);
    foci_real *values = malloc(((size_t)p->size + 1) * sizeof *values);
    foci_status status = FOCI_OK;
    if (!source || !values) status = foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", f->path);
    if (!status) {
        match(p, f, head, fresh, source, m);
        memcpy(values, p->value, (size_t)p->size * sizeof *values);
        bool partly = head && m->matched; /* nothing at all: the weights of something else */
        if (m->shapes.total || m->untied.total ||
            (!partly && (m->missing.total || m->unexpected.total || m->head.total)))
            status = refuse(f, m);
    }
    if (!status) status = read_all(p, f, source, values);
    if (!status) memcpy(p->value, values, (size_t)p->size * sizeof *values);
    free(values);
    free(source);
    return status;
}

foci_status foci_load_weights(foci_parameters *p, const char *path) {
    foci_safetensors f;
    misfits m = {.matched = 0};
    FOCI_TRY(foci_safetensors_open(&f, path));
    foci_status status = load(p, &f, NULL, NULL, &m);
    foci_safetensors_close(&f);
    if (!status && m.resized.total) foci_log(FOCI_LOG_INFO, "%s: %s", path, m.resized.text);
    return status;
}

foci_status foci_init_weights(foci_parameters *p, const char *path, const char *head, const char *fresh, char *note,
                              size_t size) {
    foci_safetensors f;
    misfits m = {.matched = 0};
    FOCI_TRY(foci_safetensors_open(&f, path));
    foci_status status = load(p, &f, head ? head : "", fresh, &m);
    foci_safetensors_close(&f);
    if (status) return status;
    snprintf(note, size, "%d of %d parameters from %s", m.matched, p->count, path);
    list_print(&m.resized, "of another size", note, size);
    list_print(&m.head, "new, of another shape", note, size);
    list_print(&m.fresh, "new, as asked for", note, size);
    list_print(&m.missing, "new, not in the file", note, size);
    list_print(&m.unexpected, "not used", note, size);
    return FOCI_OK;
}

foci_status foci_save_weights(const foci_parameters *p, const char *path, const foci_text_pair *metadata, int pairs) {
    foci_safetensor_item *item = calloc((size_t)p->count + 1, sizeof *item);
    if (!item) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
    for (int k = 0; k < p->count; k++) {
        const foci_parameter_entry *e = &p->entry[k];
        item[k] = (foci_safetensor_item){e->name, e->ndim, e->shape, p->value + e->offset};
    }
    foci_status status = foci_safetensors_write(path, item, p->count, metadata, pairs);
    free(item);
    return status;
}
