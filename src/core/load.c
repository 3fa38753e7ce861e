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

/* What wrappers put in front of every name: DataParallel, torch.compile. */
static const char *const wrappers[] = {"module.", "_orig_mod.", NULL};

static bool all_begin(const foci_safetensors *f, size_t skip, const char *prefix) {
    for (int i = 0; i < f->count; i++)
        if (strlen(f->tensor[i].name) < skip || strncmp(f->tensor[i].name + skip, prefix, strlen(prefix)) != 0)
            return false;
    return f->count > 0;
}

static size_t wrapped(const foci_safetensors *f) {
    size_t skip = 0;
    for (int i = 0; wrappers[i]; i++)
        if (all_begin(f, skip, wrappers[i])) skip += strlen(wrappers[i]), i = -1;
    return skip;
}

static bool same_shape(const foci_parameter_entry *e, bool transposed, const foci_safetensor *t) {
    int64_t shape[FOCI_MAX_DIMS];
    foci_stored_shape(e, transposed, shape);
    if (e->longer && !transposed && t->ndim == e->ndim && t->shape[0] > shape[0]) shape[0] = t->shape[0];
    return e->ndim == t->ndim && memcmp(shape, t->shape, (size_t)e->ndim * sizeof *shape) == 0;
}

/* Two names of one parameter, both in the file: the same stored bytes? */
static bool same_bytes(const foci_safetensors *f, const foci_safetensor *a, const foci_safetensor *b) {
    return a->dtype == b->dtype && a->end - a->first == b->end - b->first &&
           memcmp(f->data + a->first, f->data + b->first, a->end - a->first) == 0;
}

/* A parameter's tensor in the file, and how it lies there. */
typedef struct source {
    const foci_safetensor *tensor; /* NULL: there is none that fits */
    bool transposed;
    int64_t interleaved; /* heads whose rows are; 0: none */
} source;

/* What does not fit, and what was made to. */
typedef struct misfits {
    list missing, unexpected, shapes, untied, head, resized, fresh; /* head: misshapen, where that is allowed */
    int matched;
    const char *untold; /* a parameter whose axes in the file nothing tells; NULL: none */
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

/* The parameter that a tensor of the file is for, by its own or another name; -1. */
static int parameter_of(const foci_parameters *p, const foci_safetensor *t, size_t skip, int64_t *interleaved) {
    char longer[400];
    const char *name = name_here(p, t->name + skip, longer);
    *interleaved = foci_parameters_interleaved(p, name);
    return foci_parameters_find(p, name);
}

/* How the file holds the matrices that foci stores transposed, (in, out) or as they are: by the first that is not
 * square; foci's own files need not tell. `untold`: one whose shape does not tell where no other does. */
static bool holds_transposes(const foci_parameters *p, const foci_safetensors *f, size_t skip, const char **untold) {
    int64_t interleaved;
    for (int i = 0; i < f->count; i++) {
        const int k = parameter_of(p, &f->tensor[i], skip, &interleaved);
        const foci_parameter_entry *e = k < 0 ? NULL : &p->entry[k];
        if (!e || !e->transposed) continue;
        if (e->axes != FOCI_AXES_TOLD_BY_SHAPE) return e->axes == FOCI_AXES_IN_OUT;
        *untold = f->verified ? NULL : e->name;
        if (same_shape(e, true, &f->tensor[i]) == same_shape(e, false, &f->tensor[i])) continue;
        *untold = NULL;
        return same_shape(e, true, &f->tensor[i]);
    }
    return true;
}

static void note_misshapen(misfits *m, const foci_parameter_entry *e, const source *s, const char *head) {
    char in_file[200], in_model[200];
    int64_t shape[FOCI_MAX_DIMS];
    foci_stored_shape(e, s->transposed, shape);
    list_add(head && foci_names_within(e->name, head) ? &m->head : &m->shapes,
             "%s is %s in the file and %s in the model", s->tensor->name,
             foci_safetensor_shape(in_file, sizeof in_file, s->tensor->ndim, s->tensor->shape),
             foci_safetensor_shape(in_model, sizeof in_model, e->ndim, shape));
}

/* Fills from[i], where parameter i is in the file. */
static void match(const foci_parameters *p, const foci_safetensors *f, const char *head, const char *fresh,
                  source *from, misfits *m) {
    const size_t skip = wrapped(f);
    const bool transposes = holds_transposes(p, f, skip, &m->untold);
    for (int i = 0; i < f->count; i++) {
        const foci_safetensor *t = &f->tensor[i];
        char longer[400];
        int64_t interleaved;
        const int k = parameter_of(p, t, skip, &interleaved);
        if (k < 0) {
            if (!foci_parameters_ignores(p, name_here(p, t->name + skip, longer)))
                list_add(&m->unexpected, "%s", t->name);
            continue;
        }
        const foci_parameter_entry *e = &p->entry[k];
        if (fresh && foci_names_within(e->name, fresh)) {
            list_add(&m->fresh, "%s", e->name);
            continue;
        }
        if (from[k].tensor && !same_bytes(f, from[k].tensor, t))
            list_add(&m->untied, "%s and %s", from[k].tensor->name, t->name);
        from[k] = (source){t, e->transposed && transposes, interleaved};
        if (same_shape(e, from[k].transposed, t)) continue;
        if (is_resizable(e, t)) note_resizing(m, e, t);
        else note_misshapen(m, e, &from[k], head);
    }
    for (int k = 0; k < p->count; k++) {
        const foci_parameter_entry *e = &p->entry[k];
        const bool left = fresh && foci_names_within(e->name, fresh);
        if (!from[k].tensor && !left) list_add(&m->missing, "%s", e->name);
        if (!from[k].tensor) continue;
        if (!same_shape(e, from[k].transposed, from[k].tensor) && !is_resizable(e, from[k].tensor))
            from[k].tensor = NULL;
        m->matched += from[k].tensor != NULL;
    }
}

static foci_status refuse(const foci_safetensors *f, const misfits *m) {
    char message[2048] = "";
    if (m->untold)
        return foci_fail(FOCI_ERR_CHECKPOINT,
                         "%s: %s and its like are square: whether they stand there as (in, out) or (out, in) cannot be "
                         "told; model.axes says it",
                         f->path, m->untold);
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

/* Of each head the rows with even numbers, then those with odd ones; of a bias its elements. */
static void part_rows(const foci_parameter_entry *e, int64_t heads, const foci_real *from, foci_real *to) {
    const int64_t rows = e->shape[0], width = e->numel / rows, head = rows / heads;
    for (int64_t i = 0; i < rows; i++) {
        const int64_t at = i % head, there = i - at + (at < head / 2 ? 2 * at : 2 * (at - head / 2) + 1);
        memcpy(to + i * width, from + there * width, (size_t)width * sizeof *to);
    }
}

/* Lies there in another order. */
static foci_status read_turned(const foci_safetensors *f, const source *s, const foci_parameter_entry *e,
                               foci_real *out) {
    foci_real *x = malloc((size_t)e->numel * sizeof *x);
    if (!x) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory for %s", f->path, s->tensor->name);
    foci_status status = foci_safetensors_reals(f, s->tensor, 0, e->numel, x);
    if (!status && s->transposed) foci_transpose(x, e->shape[0], e->shape[1], out);
    else if (!status) part_rows(e, s->interleaved, x, out);
    free(x);
    return status;
}

/* What has no source stays as it is. */
static foci_status read_all(const foci_parameters *p, const foci_safetensors *f, const source *from, foci_real *out) {
    for (int k = 0; k < p->count; k++) {
        const foci_parameter_entry *e = &p->entry[k];
        const source *s = &from[k];
        if (!s->tensor) continue;
        if (!same_shape(e, s->transposed, s->tensor)) FOCI_TRY(resize(f, s->tensor, e, out + e->offset));
        else if (s->transposed || s->interleaved) FOCI_TRY(read_turned(f, s, e, out + e->offset));
        else FOCI_TRY(foci_safetensors_reals(f, s->tensor, 0, e->numel, out + e->offset));
    }
    return FOCI_OK;
}

/* `head` NULL: everything must fit. */
static foci_status load(foci_parameters *p, const foci_safetensors *f, const char *head, const char *fresh,
                        misfits *m) {
    source *from = calloc((size_t)p->count + 1, sizeof *from);
    foci_real *values = malloc(((size_t)p->size + 1) * sizeof *values);
    foci_status status = FOCI_OK;
    if (!from || !values) status = foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", f->path);
    if (!status) {
        match(p, f, head, fresh, from, m);
        memcpy(values, p->value, (size_t)p->size * sizeof *values);
        bool partly = head && m->matched; /* nothing at all: the weights of something else */
        if (m->shapes.total || m->untied.total || m->untold ||
            (!partly && (m->missing.total || m->unexpected.total || m->head.total)))
            status = refuse(f, m);
    }
    if (!status) status = read_all(p, f, from, values);
    if (!status) memcpy(p->value, values, (size_t)p->size * sizeof *values);
    free(values);
    free(from);
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

foci_status foci_write_weights(const foci_parameters *p, const foci_real *value, const char *path,
                               const foci_text_pair *metadata, int pairs) {
    foci_safetensor_item *item = calloc((size_t)p->count + 1, sizeof *item);
    int64_t(*shape)[FOCI_MAX_DIMS] = calloc((size_t)p->count + 1, sizeof *shape);
    if (!item || !shape) {
        free(item);
        free(shape);
        return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
    }
    for (int k = 0; k < p->count; k++) {
        const foci_parameter_entry *e = &p->entry[k];
        foci_stored_shape(e, e->transposed, shape[k]);
        item[k] = (foci_safetensor_item){e->name, e->ndim, shape[k], value + e->offset, e->transposed};
    }
    foci_status status = foci_safetensors_write(path, item, p->count, metadata, pairs);
    free(item);
    free(shape);
    return status;
}

foci_status foci_save_weights(const foci_parameters *p, const char *path, const foci_text_pair *metadata, int pairs) {
    return foci_write_weights(p, p->value, path, metadata, pairs);
}
