#include "train/state.h"

#include "run/checkpoint.h"

enum { ARRAYS = 4, NUMBERS = 15 };

/* The rows of a checkpoint. */
typedef struct rows {
    foci_checkpoint_array array[ARRAYS + 1];
    foci_checkpoint_number number[NUMBERS + 1];
    foci_checkpoint_word word[3];
    foci_checkpoint_tensor *carried; /* of the state's carry */
    int64_t filled;
} rows;

/* "carried.layers.0.memory.past" (batch, L, C) for all that is carried. */
static foci_status list_carried(rows *r, foci_checkpoint *c, const foci_carry *carry, foci_arena *names) {
    if (!carry || !carry->count) return FOCI_OK;
    r->carried = foci_arena_alloc(names, (size_t)carry->count * sizeof *r->carried);
    if (!r->carried) return foci_out_of_memory();
    for (int i = 0; i < carry->count; i++) {
        const foci_carried_rows *s = &carry->slot[i];
        r->carried[i] = (foci_checkpoint_tensor){.name = foci_arena_printf(names, "carried.%s", s->past),
                                                 .shape = {carry->batch, s->rows, s->width},
                                                 .ndim = 3,
                                                 .data = s->data};
        if (!r->carried[i].name) return foci_out_of_memory();
    }
    c->tensor = r->carried;
    c->tensors = carry->count;
    return FOCI_OK;
}

static foci_checkpoint describe(rows *r, const foci_parameters *p, foci_optimizer *o, foci_real *ema,
                                foci_run_state *s) {
    *r = (rows){
        .array = {{"value.", p->value, "last.safetensors"},
                  {"m.", o->m, NULL},
                  {"v.", o->v, NULL},
                  {"ema.", ema, "ema.safetensors"}},
        .number = {{"updates", .count = &o->updates},
                   {"step", .count = &s->step},
                   {"epoch", .count = &s->epoch},
                   {"position", .count = &s->position},
                   {"checkpoints", .count = &s->checkpoints},
                   {"left_out", .count = &s->left_out},
                   {"losses", .count = &s->watch.losses},
                   {"loss_mean", .real = &s->watch.mean},
                   {"loss_variance", .real = &s->watch.variance},
                   {"seed", .seed = &s->seed},
                   {"best", .real = &s->best},
                   {"elapsed", .real = &s->elapsed},
                   {"evaluated", .count = &s->evaluated, .optional = true},
                   {"counted", .count = &s->counted, .optional = true},
                   {"filled", .count = &r->filled, .optional = true}},
        .word = {{"optimizer", "optimiser", foci_optimizer_name(o->options.kind)},
                 {"teacher", "teacher with the checksum", s->teacher && *s->teacher ? s->teacher : NULL}},
        .filled = s->carry ? s->carry->filled : 0,
    };
    if (!s->carry || !s->carry->count) r->number[NUMBERS - 1] = (foci_checkpoint_number){NULL};
    return (foci_checkpoint){.parameters = p, .array = r->array, .number = r->number, .word = r->word};
}

foci_status foci_state_weights(const char *folder, const foci_parameters *p, foci_optimizer *o, foci_real *ema,
                               foci_run_state *state, int64_t keep_every) {
    rows r;
    foci_checkpoint c = describe(&r, p, o, ema, state);
    if (state->meaning) {
        c.about = state->meaning->pair;
        c.abouts = state->meaning->count;
    }
    const bool counted = state->counted == state->step;
    return foci_checkpoint_weights(folder, &c, state->step,
                                   keep_every && counted && state->checkpoints % keep_every == 0);
}

foci_status foci_state_save(const char *folder, const foci_parameters *p, foci_optimizer *o, foci_real *ema,
                            foci_run_state *state, int64_t keep_every) {
    rows r;
    foci_arena names = {NULL};
    foci_checkpoint c = describe(&r, p, o, ema, state);
    foci_status s = list_carried(&r, &c, state->carry, &names);
    if (!s) s = foci_checkpoint_save(folder, &c);
    foci_arena_free(&names);
    FOCI_TRY(s);
    return foci_state_weights(folder, p, o, ema, state, keep_every);
}

static foci_status take_filled(const char *folder, foci_carry *carry, int64_t filled) {
    if (!carry || !carry->count) return FOCI_OK;
    if (filled > carry->slot[0].rows)
        return foci_fail(FOCI_ERR_CHECKPOINT, "%s/state.safetensors: filled is %lld of %lld rows", folder,
                         (long long)filled, (long long)carry->slot[0].rows);
    carry->filled = (int32_t)filled;
    return FOCI_OK;
}

foci_status foci_state_load(const char *folder, const foci_parameters *p, foci_optimizer *o, foci_real *ema,
                            foci_run_state *state) {
    rows r;
    foci_arena names = {NULL};
    foci_checkpoint c = describe(&r, p, o, ema, state);
    state->evaluated = state->counted = -1;
    foci_status s = list_carried(&r, &c, state->carry, &names);
    if (!s) s = foci_checkpoint_load(folder, &c);
    foci_arena_free(&names);
    FOCI_TRY(s);
    FOCI_TRY(take_filled(folder, state->carry, r.filled));
    /* an older foci wrote neither: its evaluations came before the state, and it counted each */
    if (state->evaluated < 0) state->evaluated = state->step;
    if (state->counted < 0) state->counted = state->step;
    return FOCI_OK;
}
