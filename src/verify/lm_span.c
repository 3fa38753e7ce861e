/* Golden cases of language models with a memory: a window with what comes before it, a short training that carries its
 * memory along, and the walks of an evaluation. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "core/carry.h"
#include "models/models.h"
#include "task/perplexity.h"
#include "train/step.h"
#include "verify/case.h"

typedef struct span_case {
    foci_case *c;
    foci_span_case o;
    foci_case_run run;    /* of the first window, all rows */
    foci_program *pieces; /* of the training */
    int64_t filled;
    double balance;
} span_case;

static foci_status read_config(span_case *m) {
    foci_case *c = m->c;
    FOCI_TRY(foci_span_case_open(c, "lm_span",
                                 " optimizer betas eps weight_decay clip base_lr warmup lr steps window starts resets "
                                 "batch_split balance losses balance_losses param_norm ",
                                 &m->o));
    FOCI_TRY(foci_case_int(c, c->root, "case", "filled", 0, foci_config_int(m->o.config, "model.span"), &m->filled));
    return foci_case_number(c, m->o.train, "train", "balance", &m->balance);
}

static foci_request request(const span_case *m, int64_t rows, int64_t window) {
    return (foci_request){.config = m->o.config,
                          .batch = rows,
                          .feeds = "ids targets",
                          .number = {{"tokens", (double)window}, {"balance", m->balance}}};
}

/* -------------------------------------------------------------------------------------------- the first window */

/* The sum of the balance losses of a pass. */
static double balance_of(const foci_program *p) {
    char name[64];
    double sum = 0;
    for (int i = 0; i < 1000; i++) {
        const foci_real *x;
        snprintf(name, sizeof name, "layers.%d.smoe.balance", i);
        if (foci_program_find(p, name) && !foci_program_fetch(p, name, &x)) sum += (double)x[0];
    }
    return sum;
}

static foci_status check_losses(const span_case *m) {
    foci_case *c = m->c;
    json_t *expected, *list;
    double loss, objective, balance = 0;
    const foci_real *got;
    FOCI_TRY(foci_case_member(c, c->root, "case", "expected", JSON_OBJECT, &expected));
    FOCI_TRY(foci_case_number(c, expected, "expected", "loss", &loss));
    FOCI_TRY(foci_case_number(c, expected, "expected", "objective", &objective));
    FOCI_TRY(foci_case_member(c, expected, "expected", "balance", JSON_ARRAY, &list));
    for (size_t i = 0; i < json_array_size(list); i++) balance += json_number_value(json_array_get(list, i));
    FOCI_TRY(foci_program_fetch(m->run.program, "loss", &got));
    const double nll = (double)got[0], sum = balance_of(m->run.program);
    FOCI_TRY(foci_case_difference(c, "loss", fabs(nll - loss), loss));
    FOCI_TRY(foci_case_difference(c, "loss", fabs(nll + m->balance * sum - objective), objective));
    return foci_case_difference(c, "balance", fabs(sum - balance), fmax(balance, 1));
}

/* What is carried, against or from tensors PREFIX.i. */
static foci_status compare_memory(const span_case *m, const foci_carry *carry, const char *group, const char *fmt) {
    for (int i = 0; i < carry->count; i++) {
        const foci_carried_rows *r = &carry->slot[i];
        FOCI_TRY(foci_case_compare(m->c, group, r->data, foci_case_numbered(m->c, fmt, i),
                                   FOCI_SHAPE(m->o.rows, r->rows, r->width)));
    }
    return FOCI_OK;
}

static foci_status read_memory(const span_case *m, foci_carry *carry) {
    for (int i = 0; i < carry->count; i++) {
        const foci_carried_rows *r = &carry->slot[i];
        foci_real *x;
        FOCI_TRY(foci_case_reals(m->c, foci_case_numbered(m->c, "input.memory.%d", i),
                                 FOCI_SHAPE(m->o.rows, r->rows, r->width), &x));
        memcpy(r->data, x, (size_t)(m->o.rows * r->rows * r->width) * sizeof *x);
    }
    carry->filled = (int32_t)m->filled;
    return FOCI_OK;
}

static foci_status check_window(const span_case *m, foci_carry *carry) {
    foci_case *c = m->c;
    foci_program *p = m->run.program;
    int32_t *ids, *targets;
    const int64_t shape[] = {m->o.rows, m->o.tokens};
    FOCI_TRY(foci_case_ints(c, "input.tokens", 2, shape, m->o.words, 0, &ids));
    FOCI_TRY(foci_case_ints(c, "input.targets", 2, shape, m->o.words, 0, &targets));
    FOCI_TRY(read_memory(m, carry));
    FOCI_TRY(foci_program_feed(p, "ids", ids));
    FOCI_TRY(foci_program_feed(p, "targets", targets));
    FOCI_TRY(foci_carry_feed(carry, p, 0));
    FOCI_TRY(foci_program_forward(p));
    FOCI_TRY(foci_case_run_compare(c, &m->run, "logprob", "logprob", "expected.logprob"));
    FOCI_TRY(check_losses(m));
    FOCI_TRY(foci_span_case_layers(c, &m->run));
    foci_program_backward(p, 1);
    FOCI_TRY(foci_case_run_gradients(c, (foci_case_run *)(uintptr_t)&m->run, "grad", "grad.",
                                     json_object_get(c->root, "no_gradient")));
    FOCI_TRY(foci_carry_take(carry, p, 0));
    return compare_memory(m, carry, "memory", "expected.memory.%d");
}

/* --------------------------------------------------------------------------------------------- evaluation */

static foci_status check_walk(const span_case *m, const json_t *walk, const char *place, const int32_t *token,
                              int64_t tokens) {
    foci_case *c = m->c;
    foci_perplexity_options o = {.model = m->o.model, .config = m->o.config, .vocabulary = m->o.words, .at_once = 1};
    double loss;
    int64_t positions;
    foci_score score;
    FOCI_TRY(foci_case_known_keys(c, walk, place, " batch window tail loss positions ppl bpc "));
    FOCI_TRY(foci_case_int(c, walk, place, "batch", 1, tokens, &o.columns));
    FOCI_TRY(foci_case_int(c, walk, place, "window", 1, 65536, &o.window));
    FOCI_TRY(foci_case_int(c, walk, place, "positions", 1, INT32_MAX, &positions));
    FOCI_TRY(foci_case_number(c, walk, place, "loss", &loss));
    o.whole_windows = json_is_false(json_object_get(walk, "tail"));
    foci_status s = foci_perplexity(&o, (foci_parameters *)(uintptr_t)&m->run.parameters, token, tokens, &score);
    if (s) return foci_context(s, "%s: %s", c->path, place);
    const bool same = foci_score_value(&score, "tokens") == (double)positions;
    return foci_case_difference(c, "eval_loss", same ? fabs(foci_score_value(&score, "nll") - loss) : (double)INFINITY,
                                loss);
}

static foci_status check_evaluation(const span_case *m) {
    foci_case *c = m->c;
    const foci_safetensor *t;
    int32_t *token;
    json_t *walks;
    FOCI_TRY(foci_case_member(c, c->root, "case", "eval", JSON_ARRAY, &walks));
    FOCI_TRY(foci_case_tensor(c, "eval.tokens", -1, NULL, &t));
    FOCI_TRY(foci_case_ints(c, "eval.tokens", 1, (int64_t[]){t->numel}, m->o.words, 0, &token));
    for (size_t i = 0; i < json_array_size(walks); i++) {
        char place[32];
        snprintf(place, sizeof place, "eval[%zu]", i);
        FOCI_TRY(check_walk(m, json_array_get(walks, i), place, token, t->numel));
    }
    return FOCI_OK;
}

/* ----------------------------------------------------------------------------------------------- training */

/* An update of the trajectory: the window at `start` of every row. */
typedef struct turn {
    const span_case *m;
    const int32_t *tokens; /* (rows, row) */
    int64_t row, window, start;
    int32_t *ids, *targets; /* (rows, window) */
    double balance;
} turn;

static foci_status feed(const void *context, foci_program *p, int64_t first) {
    const turn *t = context;
    FOCI_TRY(foci_program_feed(p, "ids", t->ids + first * t->window));
    return foci_program_feed(p, "targets", t->targets + first * t->window);
}

static void ended(void *context, foci_step_phase phase) {
    turn *t = context;
    if (phase == FOCI_STEP_FORWARD) t->balance += balance_of(t->m->pieces) / (double)t->m->o.split;
}

static void cut_window(const turn *t) {
    for (int64_t i = 0; i < t->m->o.rows * t->window; i++) {
        const int32_t *from = t->tokens + i / t->window * t->row + t->start + i % t->window;
        t->ids[i] = from[0];
        t->targets[i] = from[1];
    }
}

typedef struct trajectory {
    int64_t steps;
    double *lr, *start, *loss, *balance;
    json_t *resets;
} trajectory;

static foci_status run_updates(const span_case *m, const trajectory *j, turn *t, foci_optimizer *o, foci_carry *carry) {
    const foci_step s = {.program = m->pieces,
                         .parameters = (foci_parameters *)(uintptr_t)&m->run.parameters,
                         .batch = m->o.rows,
                         .micro = m->o.rows / m->o.split,
                         .feed = feed,
                         .carry = carry,
                         .ended = ended,
                         .context = t};
    for (int64_t i = 0; i < j->steps; i++) {
        double loss, norm;
        t->start = (int64_t)j->start[i];
        if (t->start < 0 || t->start + t->window >= t->row)
            return foci_case_fail(m->c, "train.starts[%lld]: no window begins there", (long long)i);
        t->balance = 0;
        cut_window(t);
        if (json_is_true(json_array_get(j->resets, (size_t)i))) foci_carry_clear(carry);
        FOCI_TRY(foci_step_gradients(&s, i, &loss));
        FOCI_TRY(foci_case_difference(m->c, "train_losses", fabs(loss - j->loss[i]), j->loss[i]));
        FOCI_TRY(foci_case_difference(m->c, "train_balance", fabs(t->balance - j->balance[i]), 1));
        if (foci_step_update(&s, o, j->lr[i], &norm))
            return foci_case_difference(m->c, "train_losses", (double)INFINITY, 1);
    }
    return compare_memory(m, carry, "train_memory", "train.memory.%d");
}

static foci_status read_trajectory(const span_case *m, trajectory *j) {
    foci_case *c = m->c;
    FOCI_TRY(foci_case_int(c, m->o.train, "train", "steps", 1, 10000, &j->steps));
    if (!(j->lr = foci_arena_alloc(&c->arena, 4 * (size_t)j->steps * sizeof *j->lr)))
        return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", c->path);
    j->start = j->lr + j->steps, j->loss = j->start + j->steps, j->balance = j->loss + j->steps;
    FOCI_TRY(foci_case_list(c, m->o.train, "train", "lr", j->steps, j->lr));
    FOCI_TRY(foci_case_list(c, m->o.train, "train", "starts", j->steps, j->start));
    FOCI_TRY(foci_case_list(c, m->o.train, "train", "losses", j->steps, j->loss));
    FOCI_TRY(foci_case_list(c, m->o.train, "train", "balance_losses", j->steps, j->balance));
    return foci_case_member(c, m->o.train, "train", "resets", JSON_ARRAY, &j->resets);
}

static foci_status train(const span_case *m, foci_carry *carry) {
    foci_case *c = m->c;
    foci_parameters *p = (foci_parameters *)(uintptr_t)&m->run.parameters;
    const foci_safetensor *tokens;
    trajectory j;
    turn t = {.m = m};
    int32_t *ids;
    foci_optimizer_options options = {0};
    foci_optimizer o;
    FOCI_TRY(read_trajectory(m, &j));
    FOCI_TRY(foci_span_case_adam(c, m->o.train, &options));
    FOCI_TRY(foci_case_tensor(c, "train.tokens", -1, NULL, &tokens));
    t.window = foci_program_find(m->pieces, "ids")->shape[1];
    t.row = tokens->numel / m->o.rows;
    FOCI_TRY(foci_case_ints(c, "train.tokens", FOCI_SHAPE(m->o.rows, t.row), m->o.words, 0, &ids));
    t.tokens = ids;
    t.ids = foci_arena_alloc(&c->arena, 2 * (size_t)(m->o.rows * t.window) * sizeof *ids);
    if (!t.ids) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", c->path);
    t.targets = t.ids + m->o.rows * t.window;
    FOCI_TRY(foci_optimizer_init(&o, &options, p));
    foci_status s = run_updates(m, &j, &t, &o, carry);
    foci_optimizer_free(&o);
    return s ? s : foci_verify_norms(c, p, m->o.train);
}

/* ------------------------------------------------------------------------------------------------- a case */

static foci_status with_carry(const span_case *m, const foci_program *p,
                              foci_status (*check)(const span_case *m, foci_carry *carry)) {
    foci_carry carry;
    foci_status s = foci_carry_open(&carry, p, m->o.rows);
    if (!s) s = check(m, &carry);
    foci_carry_close(&carry);
    return s;
}

static foci_status check_recorded(span_case *m) {
    foci_case *c = m->c;
    const foci_request whole = request(m, m->o.rows, m->o.tokens);
    int64_t window;
    FOCI_TRY(foci_case_int(c, m->o.train, "train", "window", 1, 65536, &window));
    const foci_request piece = request(m, m->o.rows / m->o.split, window);
    FOCI_TRY(foci_case_run_open_model(c, &m->run, m->o.model, &whole, true));
    FOCI_TRY(foci_case_run_add_model(c, &m->run, &m->pieces, m->o.model, &piece, true));
    FOCI_TRY(foci_case_run_ready(c, &m->run, "param.", "constant."));
    FOCI_TRY(with_carry(m, m->run.program, check_window));
    FOCI_TRY(check_evaluation(m));
    return with_carry(m, m->pieces, train);
}

foci_status foci_verify_lm_span(foci_case *c) {
    span_case m = {.c = c};
    foci_status status = read_config(&m);
    if (!status) status = check_recorded(&m);
    foci_case_run_close(&m.run);
    foci_config_free(m.o.config);
    return status;
}
