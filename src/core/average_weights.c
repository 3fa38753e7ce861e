#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "core/load.h"

static bool same_shape(const foci_safetensor *a, const foci_safetensor *b) {
    return a->ndim == b->ndim && memcmp(a->shape, b->shape, (size_t)a->ndim * sizeof *a->shape) == 0;
}

/* Outputs of the same names, in the same order, where both say which. */
static foci_status check_meaning(const foci_safetensors *first, const foci_safetensors *f) {
    static const char *const keys[] = {"classes", "vocabulary"};
    for (int i = 0; i < 2; i++) {
        const char *a = foci_safetensors_metadata(first, keys[i]), *b = foci_safetensors_metadata(f, keys[i]);
        if (a && b && strcmp(a, b) != 0)
            return foci_fail(FOCI_ERR_CHECKPOINT, "%s: its %s is not that of %s", f->path, keys[i], first->path);
    }
    return FOCI_OK;
}

/* Every tensor of `first`, in the same shape, and no other. */
static foci_status check(const foci_safetensors *first, const foci_safetensors *f) {
    for (int i = 0; i < first->count; i++) {
        const foci_safetensor *a = &first->tensor[i], *b = foci_safetensors_find(f, a->name);
        char ours[200], theirs[200];
        if (!b) return foci_fail(FOCI_ERR_CHECKPOINT, "%s: tensor %s of %s is missing", f->path, a->name, first->path);
        if (!same_shape(a, b))
            return foci_fail(FOCI_ERR_CHECKPOINT, "%s: tensor %s is %s, but %s in %s", f->path, a->name,
                             foci_safetensor_shape(theirs, sizeof theirs, b->ndim, b->shape),
                             foci_safetensor_shape(ours, sizeof ours, a->ndim, a->shape), first->path);
    }
    FOCI_TRY(check_meaning(first, f));
    for (int i = 0; i < f->count; i++)
        if (!foci_safetensors_find(first, f->tensor[i].name))
            return foci_fail(FOCI_ERR_CHECKPOINT, "%s: tensor %s is not in %s", f->path, f->tensor[i].name,
                             first->path);
    return FOCI_OK;
}

/* sum, in the order of the first file's tensors, += those of f, where a mean has no meaning those of the first; x has
 * room for the largest. */
static foci_status add(const foci_safetensors *first, const foci_safetensors *f, double *sum, foci_real *x) {
    const char *drawn = foci_safetensors_metadata(first, "drawn");
    for (int i = 0; i < first->count; i++) {
        const char *name = first->tensor[i].name;
        const foci_safetensors *from = drawn && foci_names_within(name, drawn) ? first : f;
        const foci_safetensor *t = foci_safetensors_find(from, name);
        FOCI_TRY(foci_safetensors_reals(from, t, 0, t->numel, x));
        for (int64_t k = 0; k < t->numel; k++) sum[k] += (double)x[k];
        sum += t->numel;
    }
    return FOCI_OK;
}

static foci_status add_file(const foci_safetensors *first, const char *path, double *sum, foci_real *x) {
    foci_safetensors f;
    FOCI_TRY(foci_safetensors_open(&f, path));
    foci_status s = check(first, &f);
    if (!s) s = add(first, &f, sum, x);
    foci_safetensors_close(&f);
    return s;
}

/* What is said of one file and not of the mean. */
static bool is_of_one(const char *key) {
    return strcmp(key, "xxh3") == 0 || strcmp(key, "step") == 0 || strcmp(key, "average_of") == 0;
}

/* Its metadata are those of the first: what the weights mean. */
static foci_status write_mean(foci_safetensors *first, const double *sum, foci_real *mean, int count, const char *out) {
    foci_safetensor_item *item = calloc((size_t)first->count + 1, sizeof *item);
    if (!item) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for an average");
    for (int64_t i = 0, at = 0; i < first->count; at += first->tensor[i++].numel) {
        const foci_safetensor *t = &first->tensor[i];
        for (int64_t k = at; k < at + t->numel; k++) mean[k] = (foci_real)(sum[k] / count);
        item[i] = (foci_safetensor_item){t->name, t->ndim, t->shape, mean + at};
    }
    char number[32];
    snprintf(number, sizeof number, "%d", count);
    foci_text_pair *note = foci_arena_alloc(&first->arena, ((size_t)first->pairs + 1) * sizeof *note);
    foci_status s = note ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for an average");
    int notes = 0;
    if (!s) note[notes++] = (foci_text_pair){"average_of", number};
    for (int i = 0; i < first->pairs && !s; i++)
        if (!is_of_one(first->metadata[i].key)) note[notes++] = first->metadata[i];
    if (!s) s = foci_safetensors_write(out, item, first->count, note, notes);
    free(item);
    return s;
}

foci_status foci_average_weights(const char *const *path, int count, const char *out) {
    for (int i = 0; i < count; i++)
        if (foci_same_file(path[i], out))
            return foci_fail(FOCI_ERR_CONFIG, "%s is %s, one of the checkpoints: the average goes to another file", out,
                             path[i]);
    foci_safetensors first;
    FOCI_TRY(foci_safetensors_open(&first, path[0]));
    int64_t numel = 0;
    for (int i = 0; i < first.count; i++) numel += first.tensor[i].numel;
    double *sum = calloc((size_t)numel + 1, sizeof *sum);
    foci_real *x = malloc(((size_t)numel + 1) * sizeof *x);
    foci_status s = sum && x
                        ? FOCI_OK
                        : foci_fail(FOCI_ERR_RUNTIME, "out of memory for an average of %lld numbers", (long long)numel);
    for (int i = 0; i < count && !s; i++) s = add_file(&first, path[i], sum, x);
    if (!s) s = write_mean(&first, sum, x, count, out);
    free(sum);
    free(x);
    foci_safetensors_close(&first);
    return s;
}
