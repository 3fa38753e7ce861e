#include "train/state.h"

#include "run/checkpoint.h"

enum { ARRAYS = 4, NUMBERS = 14 };

/* The rows of a checkpoint. */
typedef struct rows {
    foci_checkpoint_array array[ARRAYS + 1];
    foci_checkpoint_number number[NUMBERS + 1];
    foci_checkpoint_word word[3];
} rows;

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
                   {"counted", .count = &s->counted, .optional = true}},
        .word = {{"optimizer", "optimiser", foci_optimizer_name(o->options.kind)},
                 {"teacher", "teacher with the checksum", s->teacher && *s->teacher ? s->teacher : NULL}},
    };
    return (foci_checkpoint){p, r->array, r->number, r->word, NULL, 0};
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
    const foci_checkpoint c = describe(&r, p, o, ema, state);
    FOCI_TRY(foci_checkpoint_save(folder, &c));
    return foci_state_weights(folder, p, o, ema, state, keep_every);
}

foci_status foci_state_load(const char *folder, const foci_parameters *p, foci_optimizer *o, foci_real *ema,
                            foci_run_state *state) {
    rows r;
    const foci_checkpoint c = describe(&r, p, o, ema, state);
    state->evaluated = state->counted = -1;
    FOCI_TRY(foci_checkpoint_load(folder, &c));
    /* an older foci wrote neither: its evaluations came before the state, and it counted each */
    if (state->evaluated < 0) state->evaluated = state->step;
    if (state->counted < 0) state->counted = state->step;
    return FOCI_OK;
}
