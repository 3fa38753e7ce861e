#include "train/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/load.h"

static const char format[] = "foci run state 1";
enum { ARRAYS = 3, NUMBERS = 7 };

/* The flat arrays of a state file and what stands before their tensors' names. */
typedef struct array {
    const char *prefix;
    foci_real *data;
} array;

static int arrays_of(const foci_parameters *p, const foci_optimizer *o, array out[ARRAYS]) {
    out[0] = (array){"value.", p->value};
    out[1] = (array){"m.", o->m};
    out[2] = (array){"v.", o->v};
    return o->v ? 3 : 2;
}

/* ------------------------------------------------------------------------------------------------ writing */

static foci_status write_arrays(const char *path, const foci_parameters *p, const foci_optimizer *o,
                                const foci_text_pair *metadata, int pairs) {
    array a[ARRAYS];
    int arrays = arrays_of(p, o, a), count = 0;
    foci_arena names = {NULL};
    foci_safetensor_item *item = calloc((size_t)(arrays * p->count) + 1, sizeof *item);
    bool ok = item;
    for (int i = 0; i < arrays && ok; i++)
        for (int k = 0; k < p->count && ok; k++) {
            const foci_parameter_entry *e = &p->entry[k];
            const char *name = foci_arena_printf(&names, "%s%s", a[i].prefix, e->name);
            item[count++] = (foci_safetensor_item){name, e->ndim, e->shape, a[i].data + e->offset};
            ok = name;
        }
    foci_status status = ok ? foci_safetensors_write(path, item, count, metadata, pairs)
                            : foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
    free(item);
    foci_arena_free(&names);
    return status;
}

foci_status foci_checkpoint_save(const char *folder, const foci_parameters *p, const foci_optimizer *o,
                                 const foci_run_state *state) {
    char path[4096], number[NUMBERS][32];
    snprintf(number[0], sizeof *number, "%" PRId64, o->updates);
    snprintf(number[1], sizeof *number, "%" PRId64, state->step);
    snprintf(number[2], sizeof *number, "%" PRId64, state->epoch);
    snprintf(number[3], sizeof *number, "%" PRId64, state->position);
    snprintf(number[4], sizeof *number, "%" PRIu64, state->seed);
    snprintf(number[5], sizeof *number, "%.17g", state->best);
    snprintf(number[6], sizeof *number, "%.17g", state->elapsed);
    const foci_text_pair metadata[] = {
        {"format", format},     {"optimizer", foci_optimizer_name(o->options.kind)},
        {"updates", number[0]}, {"step", number[1]},
        {"epoch", number[2]},   {"position", number[3]},
        {"seed", number[4]},    {"best", number[5]},
        {"elapsed", number[6]},
    };
    FOCI_TRY(foci_path_join(path, sizeof path, folder, "state.safetensors"));
    FOCI_TRY(write_arrays(path, p, o, metadata, sizeof metadata / sizeof *metadata));
    FOCI_TRY(foci_path_join(path, sizeof path, folder, "last.safetensors"));
    const foci_text_pair note[] = {{"step", number[1]}};
    return foci_save_weights(p, path, note, 1);
}

/* ------------------------------------------------------------------------------------------------ reading */

static foci_status read_text(const foci_safetensors *f, const char *key, const char **text) {
    *text = foci_safetensors_metadata(f, key);
    return *text ? FOCI_OK
                 : foci_fail(FOCI_ERR_CHECKPOINT, "%s: no run state: \"%s\" is missing", f->path, key);
}

static foci_status bad_number(const foci_safetensors *f, const char *key, const char *text) {
    return foci_fail(FOCI_ERR_CHECKPOINT, "%s: %s is %.40s", f->path, key, text);
}

static foci_status read_count(const foci_safetensors *f, const char *key, int64_t *value) {
    const char *text;
    char *end;
    FOCI_TRY(read_text(f, key, &text));
    errno = 0;
    *value = strtoll(text, &end, 10);
    return errno || *end || end == text || *value < 0 ? bad_number(f, key, text) : FOCI_OK;
}

static foci_status read_double(const foci_safetensors *f, const char *key, double *value) {
    const char *text;
    char *end;
    FOCI_TRY(read_text(f, key, &text));
    *value = strtod(text, &end);
    return *end || end == text ? bad_number(f, key, text) : FOCI_OK;
}

static foci_status read_seed(const foci_safetensors *f, uint64_t *value) {
    const char *text;
    char *end;
    FOCI_TRY(read_text(f, "seed", &text));
    errno = 0;
    *value = strtoull(text, &end, 10);
    return errno || *end || end == text ? bad_number(f, "seed", text) : FOCI_OK;
}

static foci_status check_kind(const foci_safetensors *f, const foci_optimizer *o) {
    const char *text;
    FOCI_TRY(read_text(f, "format", &text));
    if (strcmp(text, format) != 0)
        return foci_fail(FOCI_ERR_CHECKPOINT, "%s: the format is \"%.40s\", not \"%s\"", f->path, text,
                         format);
    if (!f->verified)
        return foci_fail(FOCI_ERR_CHECKPOINT,
                         "%s: the checksum is missing: damaged, or rewritten by another program", f->path);
    FOCI_TRY(read_text(f, "optimizer", &text));
    const char *name = foci_optimizer_name(o->options.kind);
    if (strcmp(text, name) != 0)
        return foci_fail(FOCI_ERR_CHECKPOINT, "%s: the run used the optimiser %.40s, the config says %s",
                         f->path, text, name);
    return FOCI_OK;
}

static foci_status read_tensor(const foci_safetensors *f, const char *prefix, const foci_parameter_entry *e,
                               foci_real *out) {
    char name[512], in_file[200], in_model[200];
    snprintf(name, sizeof name, "%s%s", prefix, e->name);
    const foci_safetensor *t = foci_safetensors_find(f, name);
    if (!t) return foci_fail(FOCI_ERR_CHECKPOINT, "%s: tensor %s of this model is missing", f->path, name);
    if (t->ndim != e->ndim || memcmp(t->shape, e->shape, (size_t)e->ndim * sizeof *e->shape) != 0)
        return foci_fail(FOCI_ERR_CHECKPOINT, "%s: tensor %s is %s in the file and %s in the model", f->path,
                         name, foci_safetensor_shape(in_file, sizeof in_file, t->ndim, t->shape),
                         foci_safetensor_shape(in_model, sizeof in_model, e->ndim, e->shape));
    return foci_safetensors_reals(f, t, 0, e->numel, out + e->offset);
}

static foci_status read_state(const foci_safetensors *f, foci_parameters *p, foci_optimizer *o,
                              foci_run_state *state) {
    FOCI_TRY(check_kind(f, o));
    FOCI_TRY(read_count(f, "updates", &o->updates));
    FOCI_TRY(read_count(f, "step", &state->step));
    FOCI_TRY(read_count(f, "epoch", &state->epoch));
    FOCI_TRY(read_count(f, "position", &state->position));
    FOCI_TRY(read_seed(f, &state->seed));
    FOCI_TRY(read_double(f, "best", &state->best));
    FOCI_TRY(read_double(f, "elapsed", &state->elapsed));
    array a[ARRAYS];
    int arrays = arrays_of(p, o, a);
    for (int i = 0; i < arrays; i++)
        for (int k = 0; k < p->count; k++) FOCI_TRY(read_tensor(f, a[i].prefix, &p->entry[k], a[i].data));
    if (f->count != arrays * p->count)
        return foci_fail(FOCI_ERR_CHECKPOINT, "%s: %d tensors, this model has %d", f->path, f->count,
                         arrays * p->count);
    return FOCI_OK;
}

foci_status foci_checkpoint_load(const char *folder, foci_parameters *p, foci_optimizer *o,
                                 foci_run_state *state) {
    char path[4096];
    FOCI_TRY(foci_path_join(path, sizeof path, folder, "state.safetensors"));
    foci_safetensors f;
    FOCI_TRY(foci_safetensors_open(&f, path));
    foci_status status = read_state(&f, p, o, state);
    foci_safetensors_close(&f);
    return status;
}
