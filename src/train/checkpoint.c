#include "train/checkpoint.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/load.h"

static const char format[] = "foci run state 2";
enum { ARRAYS = 4, NUMBERS = 13 };

/* The flat arrays of a state file and what stands before their tensors' names. */
typedef struct array {
    const char *prefix;
    foci_real *data;
} array;

static int arrays_of(const foci_parameters *p, const foci_optimizer *o, foci_real *ema, array out[ARRAYS]) {
    int n = 0;
    out[n++] = (array){"value.", p->value};
    out[n++] = (array){"m.", o->m};
    if (o->v) out[n++] = (array){"v.", o->v};
    if (ema) out[n++] = (array){"ema.", ema};
    return n;
}

/* Its numbers: one of the pointers is set. */
typedef struct number {
    const char *key;
    int64_t *count;
    uint64_t *seed;
    double *real;
} number;

static int numbers_of(foci_run_state *s, foci_optimizer *o, number out[NUMBERS]) {
    const number all[] = {
        {"updates", .count = &o->updates},         {"step", .count = &s->step},
        {"epoch", .count = &s->epoch},             {"position", .count = &s->position},
        {"checkpoints", .count = &s->checkpoints}, {"left_out", .count = &s->left_out},
        {"losses", .count = &s->watch.losses},     {"loss_mean", .real = &s->watch.mean},
        {"loss_variance", .real = &s->watch.variance}, {"seed", .seed = &s->seed},
        {"best", .real = &s->best},                {"elapsed", .real = &s->elapsed},
        {"evaluated", .count = &s->evaluated},
    };
    _Static_assert(sizeof all / sizeof *all == NUMBERS, "");
    memcpy(out, all, sizeof all);
    return NUMBERS;
}

/* ------------------------------------------------------------------------------------------------ writing */

static foci_status write_arrays(const char *path, const foci_parameters *p, const array *a, int arrays,
                                const foci_text_pair *metadata, int pairs) {
    int count = 0;
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

static foci_status write_weights(const char *folder, const char *name, const foci_parameters *p, foci_real *values, const char *step) {
    char path[4200];
    const foci_text_pair note[] = {{"step", step}};
    const array a = {"", values};
    FOCI_TRY(foci_path_join(path, sizeof path, folder, name));
    return write_arrays(path, p, &a, 1, note, 1);
}

foci_status foci_checkpoint_weights(const char *folder, const foci_parameters *p, foci_real *ema, const foci_run_state *state,
                                    int64_t keep_every) {
    char step[32], name[64];
    snprintf(step, sizeof step, "%" PRId64, state->step);
    FOCI_TRY(write_weights(folder, "last.safetensors", p, p->value, step));
    if (ema) FOCI_TRY(write_weights(folder, "ema.safetensors", p, ema, step));
    if (!keep_every || state->checkpoints % keep_every) return FOCI_OK;
    snprintf(name, sizeof name, "step-%s.safetensors", step);
    return write_weights(folder, name, p, p->value, step);
}

foci_status foci_checkpoint_save(const char *folder, const foci_parameters *p, foci_optimizer *o, foci_real *ema,
                                 foci_run_state *state, int64_t keep_every) {
    char path[4200], text[NUMBERS][32];
    foci_text_pair metadata[2 + NUMBERS] = {{"format", format}, {"optimizer", foci_optimizer_name(o->options.kind)}};
    number n[NUMBERS];
    state->checkpoints++;
    for (int i = 0; i < numbers_of(state, o, n); i++) {
        if (n[i].count) snprintf(text[i], sizeof *text, "%" PRId64, *n[i].count);
        else if (n[i].seed) snprintf(text[i], sizeof *text, "%" PRIu64, *n[i].seed);
        else snprintf(text[i], sizeof *text, "%.17g", *n[i].real);
        metadata[2 + i] = (foci_text_pair){n[i].key, text[i]};
    }
    array a[ARRAYS];
    FOCI_TRY(foci_path_join(path, sizeof path, folder, "state.safetensors"));
    FOCI_TRY(write_arrays(path, p, a, arrays_of(p, o, ema, a), metadata, 2 + NUMBERS));
    return foci_checkpoint_weights(folder, p, ema, state, keep_every);
}

/* ------------------------------------------------------------------------------------------------ reading */

static foci_status read_text(const foci_safetensors *f, const char *key, const char **text) {
    *text = foci_safetensors_metadata(f, key);
    return *text ? FOCI_OK
                 : foci_fail(FOCI_ERR_CHECKPOINT, "%s: no run state: \"%s\" is missing", f->path, key);
}

static foci_status read_number(const foci_safetensors *f, const number *n) {
    const char *text;
    char *end;
    FOCI_TRY(read_text(f, n->key, &text));
    errno = 0;
    if (n->count) *n->count = strtoll(text, &end, 10);
    else if (n->seed) *n->seed = strtoull(text, &end, 10);
    else *n->real = strtod(text, &end);
    bool bad = *end || end == text || (n->real ? false : errno != 0) || (n->count && *n->count < 0);
    return bad ? foci_fail(FOCI_ERR_CHECKPOINT, "%s: %s is %.40s", f->path, n->key, text) : FOCI_OK;
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

static foci_status read_state(const foci_safetensors *f, foci_parameters *p, foci_optimizer *o, foci_real *ema,
                              foci_run_state *state) {
    number n[NUMBERS];
    array a[ARRAYS];
    FOCI_TRY(check_kind(f, o));
    for (int i = 0; i < numbers_of(state, o, n); i++)
        if (n[i].count != &state->evaluated || foci_safetensors_metadata(f, n[i].key)) FOCI_TRY(read_number(f, &n[i]));
        else state->evaluated = state->step; /* an older foci wrote none, and its evaluations came before the state */
    int arrays = arrays_of(p, o, ema, a);
    for (int i = 0; i < arrays; i++)
        for (int k = 0; k < p->count; k++) FOCI_TRY(read_tensor(f, a[i].prefix, &p->entry[k], a[i].data));
    if (f->count != arrays * p->count)
        return foci_fail(FOCI_ERR_CHECKPOINT, "%s: %d tensors, this model has %d", f->path, f->count,
                         arrays * p->count);
    return FOCI_OK;
}

foci_status foci_checkpoint_load(const char *folder, foci_parameters *p, foci_optimizer *o, foci_real *ema, foci_run_state *state) {
    char path[4096];
    FOCI_TRY(foci_path_join(path, sizeof path, folder, "state.safetensors"));
    foci_safetensors f;
    FOCI_TRY(foci_safetensors_open(&f, path));
    foci_status status = read_state(&f, p, o, ema, state);
    foci_safetensors_close(&f);
    return status;
}
