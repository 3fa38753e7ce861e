/* Golden cases of classifiers of sentences on the layers of lm_span: a batch, the same with more padding, and a short
 * training in pieces of batches. */
#include <math.h>

#include "models/models.h"
#include "train/step.h"
#include "verify/case.h"

typedef struct classifier_case {
    foci_case *c;
    foci_span_case o;
    foci_case_run run;             /* of the batch */
    foci_program *padded, *pieces; /* with more padding; of the training */
    int64_t classes, batches;
} classifier_case;

static foci_status read_config(classifier_case *m) {
    foci_case *c = m->c;
    FOCI_TRY(foci_span_case_open(c, "lm_span_classifier",
                                 " optimizer betas eps weight_decay clip lr steps batches batch_split losses correct "
                                 "param_norm ",
                                 &m->o));
    m->classes = foci_config_int(m->o.config, "model.num_classes");
    if (m->classes < 1) return foci_case_fail(c, "model: the number of classes is missing");
    return foci_case_int(c, m->o.train, "train", "batches", 1, 10000, &m->batches);
}

static foci_request request(const classifier_case *m, int64_t rows, int64_t tokens) {
    return (foci_request){.config = m->o.config,
                          .batch = rows,
                          .feeds = "ids labels",
                          .number = {{"tokens", (double)tokens}, {"balance", 0}}};
}

/* ------------------------------------------------------------------------------------------------ a batch */

static foci_status run_batch(const classifier_case *m, foci_program *p, const char *tokens, int64_t width) {
    int32_t *ids, *labels;
    FOCI_TRY(foci_case_ints(m->c, tokens, FOCI_SHAPE(m->o.rows, width), m->o.words, 0, &ids));
    FOCI_TRY(foci_case_ints(m->c, "input.labels", FOCI_SHAPE(m->o.rows), m->classes, 0, &labels));
    FOCI_TRY(foci_program_feed(p, "ids", ids));
    FOCI_TRY(foci_program_feed(p, "labels", labels));
    return foci_program_forward(p);
}

static foci_status check_batch(const classifier_case *m) {
    foci_case *c = m->c;
    json_t *expected;
    double loss;
    const foci_real *got;
    FOCI_TRY(foci_case_member(c, c->root, "case", "expected", JSON_OBJECT, &expected));
    FOCI_TRY(foci_case_known_keys(c, expected, "expected", " loss "));
    FOCI_TRY(foci_case_number(c, expected, "expected", "loss", &loss));
    FOCI_TRY(run_batch(m, m->run.program, "input.tokens", m->o.tokens));
    FOCI_TRY(foci_program_fetch(m->run.program, "loss", &got));
    FOCI_TRY(foci_case_difference(c, "loss", fabs((double)got[0] - loss), loss));
    FOCI_TRY(foci_case_run_compare(c, &m->run, "logits", "logits", "expected.logits"));
    FOCI_TRY(foci_span_case_layers(c, &m->run));
    foci_program_backward(m->run.program, 1);
    return foci_case_run_gradients(c, (foci_case_run *)(uintptr_t)&m->run, "grad", "grad.",
                                   json_object_get(c->root, "no_gradient"));
}

static foci_status check_padded(const classifier_case *m) {
    const foci_real *got;
    FOCI_TRY(run_batch(m, m->padded, "input.padded", foci_program_find(m->padded, "ids")->shape[1]));
    FOCI_TRY(foci_program_fetch(m->padded, "logits", &got));
    return foci_case_compare(m->c, "logits", got, "expected.padded.logits", FOCI_SHAPE(m->o.rows, m->classes));
}

/* ----------------------------------------------------------------------------------------------- training */

/* An update of the trajectory. */
typedef struct turn {
    const classifier_case *m;
    const int32_t *ids, *labels; /* of the batch */
    int64_t first, right;        /* row of the piece at work; right answers so far */
} turn;

static foci_status feed(const void *context, foci_program *p, int64_t first) {
    turn *t = (turn *)(uintptr_t)context;
    t->first = first;
    FOCI_TRY(foci_program_feed(p, "ids", t->ids + first * t->m->o.tokens));
    return foci_program_feed(p, "labels", t->labels + first);
}

static void ended(void *context, foci_step_phase phase) {
    turn *t = context;
    const int64_t classes = t->m->classes;
    const foci_real *z;
    if (phase != FOCI_STEP_FORWARD || foci_program_fetch(t->m->pieces, "logits", &z)) return;
    for (int64_t i = 0; i < t->m->o.rows / t->m->o.split; i++, z += classes) {
        int64_t best = 0;
        for (int64_t k = 1; k < classes; k++) best = z[k] > z[best] ? k : best;
        t->right += best == t->labels[t->first + i];
    }
}

typedef struct trajectory {
    int64_t steps;
    double *lr, *loss, *correct;
    int32_t *ids, *labels; /* (batches, rows, tokens), (batches, rows) */
} trajectory;

static foci_status read_trajectory(const classifier_case *m, trajectory *j) {
    foci_case *c = m->c;
    FOCI_TRY(foci_case_int(c, m->o.train, "train", "steps", 1, 10000, &j->steps));
    if (!(j->lr = foci_arena_alloc(&c->arena, 3 * (size_t)j->steps * sizeof *j->lr)))
        return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", c->path);
    j->loss = j->lr + j->steps, j->correct = j->loss + j->steps;
    FOCI_TRY(foci_case_list(c, m->o.train, "train", "lr", j->steps, j->lr));
    FOCI_TRY(foci_case_list(c, m->o.train, "train", "losses", j->steps, j->loss));
    FOCI_TRY(foci_case_list(c, m->o.train, "train", "correct", j->steps, j->correct));
    FOCI_TRY(foci_case_ints(c, "train.tokens", FOCI_SHAPE(m->batches, m->o.rows, m->o.tokens), m->o.words, 0, &j->ids));
    FOCI_TRY(foci_case_ints(c, "train.labels", FOCI_SHAPE(m->batches, m->o.rows), m->classes, 0, &j->labels));
    return foci_case_add_group(c, "correct", 0);
}

static foci_status run_updates(const classifier_case *m, const trajectory *j, foci_optimizer *o) {
    turn t = {.m = m};
    const foci_step s = {.program = m->pieces,
                         .parameters = (foci_parameters *)(uintptr_t)&m->run.parameters,
                         .batch = m->o.rows,
                         .micro = m->o.rows / m->o.split,
                         .feed = feed,
                         .ended = ended,
                         .context = &t};
    for (int64_t i = 0; i < j->steps; i++) {
        double loss, norm;
        t.ids = j->ids + i % m->batches * m->o.rows * m->o.tokens;
        t.labels = j->labels + i % m->batches * m->o.rows;
        t.right = 0;
        FOCI_TRY(foci_step_gradients(&s, i, &loss));
        FOCI_TRY(foci_case_difference(m->c, "train_losses", fabs(loss - j->loss[i]), j->loss[i]));
        FOCI_TRY(foci_case_difference(m->c, "correct", fabs((double)t.right - j->correct[i]), 1));
        if (foci_step_update(&s, o, j->lr[i], &norm))
            return foci_case_difference(m->c, "train_losses", (double)INFINITY, 1);
    }
    return FOCI_OK;
}

static foci_status check_training(const classifier_case *m) {
    foci_parameters *p = (foci_parameters *)(uintptr_t)&m->run.parameters;
    trajectory j;
    foci_optimizer_options options = {0};
    foci_optimizer o;
    FOCI_TRY(read_trajectory(m, &j));
    FOCI_TRY(foci_span_case_adam(m->c, m->o.train, &options));
    FOCI_TRY(foci_optimizer_init(&o, &options, p));
    foci_status s = run_updates(m, &j, &o);
    foci_optimizer_free(&o);
    return s ? s : foci_verify_norms(m->c, p, m->o.train);
}

/* ------------------------------------------------------------------------------------------------- a case */

static foci_status check_recorded(classifier_case *m) {
    foci_case *c = m->c;
    const foci_safetensor *padded;
    FOCI_TRY(foci_case_tensor(c, "input.padded", -1, NULL, &padded));
    if (padded->ndim != 2) return foci_case_fail(c, "tensor input.padded is no matrix");
    const foci_request whole = request(m, m->o.rows, m->o.tokens), longer = request(m, m->o.rows, padded->shape[1]);
    const foci_request piece = request(m, m->o.rows / m->o.split, m->o.tokens);
    FOCI_TRY(foci_case_run_open_model(c, &m->run, m->o.model, &whole, true));
    FOCI_TRY(foci_case_run_add_model(c, &m->run, &m->padded, m->o.model, &longer, true));
    FOCI_TRY(foci_case_run_add_model(c, &m->run, &m->pieces, m->o.model, &piece, true));
    FOCI_TRY(foci_case_run_ready(c, &m->run, "param.", "constant."));
    FOCI_TRY(check_padded(m));
    FOCI_TRY(check_batch(m));
    return check_training(m);
}

foci_status foci_verify_lm_span_classifier(foci_case *c) {
    classifier_case m = {.c = c};
    foci_status status = read_config(&m);
    if (!status) status = check_recorded(&m);
    foci_case_run_close(&m.run);
    foci_config_free(m.o.config);
    return status;
}
