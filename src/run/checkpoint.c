#include "run/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "core/load.h"

static const char format[] = "foci run state 2";
enum { MOST_PAIRS = 32 };

/* ------------------------------------------------------------------------------------------------ writing */

static int count_arrays(const foci_checkpoint_array *a) {
    int n = 0;
    while (a[n].prefix) n++;
    return n;
}

static foci_status write_state(const char *path, const foci_checkpoint *c, const foci_text_pair *metadata, int pairs) {
    const foci_checkpoint_array *a = c->array;
    const foci_parameters *p = c->parameters;
    int count = 0;
    foci_arena names = {NULL};
    foci_safetensor_item *item = calloc((size_t)(count_arrays(a) * p->count + c->tensors) + 1, sizeof *item);
    bool ok = item;
    for (; a->prefix && ok; a++)
        for (int k = 0; a->data && k < p->count && ok; k++) {
            const foci_parameter_entry *e = &p->entry[k];
            const char *name = foci_arena_printf(&names, "%s%s", a->prefix, e->name);
            item[count++] = (foci_safetensor_item){name, e->ndim, e->shape, a->data + e->offset};
            ok = name;
        }
    for (int i = 0; i < c->tensors && ok; i++) {
        const foci_checkpoint_tensor *t = &c->tensor[i];
        item[count++] = (foci_safetensor_item){t->name, t->ndim, t->shape, t->data};
    }
    foci_status status = ok ? foci_safetensors_write(path, item, count, metadata, pairs)
                            : foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
    free(item);
    foci_arena_free(&names);
    return status;
}

/* One of them by itself: tensors have the names of the parameters. */
static foci_status write_alone(const char *folder, const char *name, const foci_checkpoint *c, foci_real *data,
                               const char *step) {
    char path[4200];
    foci_arena names = {NULL};
    const char *drawn = foci_parameters_drawn(c->parameters, &names);
    foci_text_pair pair[MOST_PAIRS] = {{"step", step}, {"drawn", drawn}};
    int pairs = drawn ? 2 : 1;
    for (int i = 0; i < c->abouts && pairs < MOST_PAIRS; i++) pair[pairs++] = c->about[i];
    foci_status s = foci_path_join(path, sizeof path, folder, name);
    if (!s) s = foci_write_weights(c->parameters, data, path, pair, pairs);
    foci_arena_free(&names);
    return s;
}

foci_status foci_checkpoint_weights(const char *folder, const foci_checkpoint *c, int64_t step, bool stays) {
    char number[32], name[64];
    snprintf(number, sizeof number, "%" PRId64, step);
    for (const foci_checkpoint_array *a = c->array; a->prefix; a++)
        if (a->data && a->file) FOCI_TRY(write_alone(folder, a->file, c, a->data, number));
    if (!stays) return FOCI_OK;
    snprintf(name, sizeof name, "step-%s.safetensors", number);
    return write_alone(folder, name, c, c->array->data, number);
}

static void print_number(const foci_checkpoint_number *n, char text[32]) {
    if (n->count) snprintf(text, 32, "%" PRId64, *n->count);
    else if (n->seed) snprintf(text, 32, "%" PRIu64, *n->seed);
    else snprintf(text, 32, "%.17g", *n->real);
}

foci_status foci_checkpoint_save(const char *folder, const foci_checkpoint *c) {
    char path[4200], text[MOST_PAIRS][32];
    foci_text_pair metadata[MOST_PAIRS] = {{"format", format}};
    int pairs = 1;
    for (const foci_checkpoint_word *w = c->word; w->key && pairs < MOST_PAIRS; w++)
        if (w->word) metadata[pairs++] = (foci_text_pair){w->key, w->word};
    for (const foci_checkpoint_number *n = c->number; n->key && pairs < MOST_PAIRS; n++, pairs++) {
        print_number(n, text[pairs]);
        metadata[pairs] = (foci_text_pair){n->key, text[pairs]};
    }
    if (pairs == MOST_PAIRS) return foci_fail(FOCI_ERR_RUNTIME, "a state of %d numbers and words", pairs);
    FOCI_TRY(foci_path_join(path, sizeof path, folder, "state.safetensors"));
    return write_state(path, c, metadata, pairs);
}

/* ------------------------------------------------------------------------------------------------ reading */

static foci_status read_text(const foci_safetensors *f, const char *key, const char **text) {
    *text = foci_safetensors_metadata(f, key);
    return *text ? FOCI_OK : foci_fail(FOCI_ERR_CHECKPOINT, "%s: no run state: \"%s\" is missing", f->path, key);
}

static foci_status read_number(const foci_safetensors *f, const foci_checkpoint_number *n) {
    const char *text;
    char *end;
    if (n->optional && !foci_safetensors_metadata(f, n->key)) return FOCI_OK;
    FOCI_TRY(read_text(f, n->key, &text));
    errno = 0;
    if (n->count) *n->count = strtoll(text, &end, 10);
    else if (n->seed) *n->seed = strtoull(text, &end, 10);
    else *n->real = strtod(text, &end);
    bool bad = *end || end == text || (n->real ? false : errno != 0) || (n->count && *n->count < 0);
    return bad ? foci_fail(FOCI_ERR_CHECKPOINT, "%s: %s is %.40s", f->path, n->key, text) : FOCI_OK;
}

static foci_status check_format(const foci_safetensors *f) {
    const char *text;
    FOCI_TRY(read_text(f, "format", &text));
    if (strcmp(text, format) != 0)
        return foci_fail(FOCI_ERR_CHECKPOINT, "%s: the format is \"%.40s\", not \"%s\"", f->path, text, format);
    if (!f->verified)
        return foci_fail(FOCI_ERR_CHECKPOINT, "%s: the checksum is missing: damaged, or rewritten by another program",
                         f->path);
    return FOCI_OK;
}

static foci_status check_word(const foci_safetensors *f, const foci_checkpoint_word *w) {
    const char *text = foci_safetensors_metadata(f, w->key);
    if (!text && !w->word) return FOCI_OK;
    FOCI_TRY(read_text(f, w->key, &text));
    if (w->word && strcmp(text, w->word) == 0) return FOCI_OK;
    return foci_fail(FOCI_ERR_CHECKPOINT, "%s: the run used the %s %.40s, the config says %s", f->path, w->title, text,
                     w->word ? w->word : "none");
}

static foci_status read_tensor(const foci_safetensors *f, const foci_checkpoint_tensor *e) {
    char in_file[200], in_model[200];
    const char *name = e->name;
    const foci_safetensor *t = foci_safetensors_find(f, name);
    if (!t) return foci_fail(FOCI_ERR_CHECKPOINT, "%s: tensor %s of this model is missing", f->path, name);
    if (t->ndim != e->ndim || memcmp(t->shape, e->shape, (size_t)e->ndim * sizeof *e->shape) != 0)
        return foci_fail(FOCI_ERR_CHECKPOINT, "%s: tensor %s is %s in the file and %s in the model", f->path, name,
                         foci_safetensor_shape(in_file, sizeof in_file, t->ndim, t->shape),
                         foci_safetensor_shape(in_model, sizeof in_model, e->ndim, e->shape));
    return foci_safetensors_reals(f, t, 0, t->numel, e->data);
}

static foci_status read_parameter(const foci_safetensors *f, const char *prefix, const foci_parameter_entry *e,
                                  foci_real *out) {
    char name[512];
    foci_checkpoint_tensor t = {.name = name, .ndim = e->ndim, .data = out + e->offset};
    snprintf(name, sizeof name, "%s%s", prefix, e->name);
    memcpy(t.shape, e->shape, sizeof t.shape);
    return read_tensor(f, &t);
}

static foci_status read_state(const foci_safetensors *f, const foci_checkpoint *c) {
    const foci_parameters *p = c->parameters;
    int tensors = 0;
    FOCI_TRY(check_format(f));
    for (const foci_checkpoint_word *w = c->word; w->key; w++) FOCI_TRY(check_word(f, w));
    for (const foci_checkpoint_number *n = c->number; n->key; n++) FOCI_TRY(read_number(f, n));
    for (const foci_checkpoint_array *a = c->array; a->prefix; a++)
        for (int k = 0; a->data && k < p->count; k++, tensors++)
            FOCI_TRY(read_parameter(f, a->prefix, &p->entry[k], a->data));
    for (int i = 0; i < c->tensors; i++, tensors++) FOCI_TRY(read_tensor(f, &c->tensor[i]));
    if (f->count == tensors) return FOCI_OK;
    return foci_fail(FOCI_ERR_CHECKPOINT, "%s: %d tensors, this model has %d", f->path, f->count, tensors);
}

foci_status foci_checkpoint_load(const char *folder, const foci_checkpoint *c) {
    char path[4096];
    FOCI_TRY(foci_path_join(path, sizeof path, folder, "state.safetensors"));
    foci_safetensors f;
    FOCI_TRY(foci_safetensors_open(&f, path));
    foci_status status = read_state(&f, c);
    foci_safetensors_close(&f);
    return status;
}
