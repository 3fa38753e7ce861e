/* The training step: whatever parts a batch is cut into, its loss and its gradients are those of the whole batch. */
#include "check.h"

#include <math.h>

#include "base/philox.h"
#include "together.h"
#include "train/step.h"

enum { BATCH = 12, WIDTH = 5, CLASSES = 3, MOST_PHASES = 64 };

static foci_real inputs[BATCH * WIDTH];
static int32_t labels[BATCH];

static void record(void *context, foci_graph *g) {
    const int64_t batch = *(const int64_t *)context;
    foci_tensor *x = foci_input(g, "x", FOCI_REAL, FOCI_SHAPE(batch, WIDTH)),
                *y = foci_input(g, "y", FOCI_INT, FOCI_SHAPE(batch));
    foci_tensor *w = foci_parameter(g, "weight", FOCI_NORMAL(0, 1), FOCI_SHAPE(CLASSES, WIDTH));
    foci_output(g, "loss", foci_cross_entropy(g, foci_dropout(g, foci_linear(g, x, w, NULL), 0.25), y, NULL, 0, -100));
}

typedef struct learner {
    foci_parameters p;
    foci_program_set set;
    foci_step step;
    int64_t fed[BATCH];
    foci_step_phase phase[MOST_PHASES];
    int feeds, phases;
} learner;

static foci_status feed(const void *context, foci_program *p, int64_t first) {
    learner *l = (learner *)(uintptr_t)context;
    l->fed[l->feeds++] = first;
    FOCI_TRY(foci_program_feed(p, "x", inputs + first * WIDTH));
    return foci_program_feed(p, "y", labels + first);
}

static void ended(void *context, foci_step_phase phase) {
    learner *l = context;
    l->phase[l->phases++] = phase;
}

static void open(learner *l, int64_t micro) {
    memset(l, 0, sizeof *l);
    foci_parameters_init(&l->p);
    foci_program_set_init(&l->set, &l->p);
    l->step =
        (foci_step){.parameters = &l->p, .batch = BATCH, .micro = micro, .feed = feed, .ended = ended, .context = l};
    assert_ok(foci_program_open(&l->step.program, &l->set,
                                &(foci_graph_options){.train = true, .differentiate = true, .seed = 3}, record,
                                &micro));
    assert_ok(foci_program_set_ready(&l->set));
    foci_parameters_initialise(&l->p, 1);
}

static void close(learner *l) {
    foci_program_set_free(&l->set);
    foci_parameters_free(&l->p);
}

static void fill(void) {
    for (int i = 0; i < BATCH * WIDTH; i++) inputs[i] = (foci_real)foci_uniform(foci_philox(1, 0, 0, (uint64_t)i).v[0]);
    for (int i = 0; i < BATCH; i++) labels[i] = i % CLASSES;
}

static void parts_sum_up_to_the_batch(void **state) {
    (void)state;
    learner whole;
    double expected;
    fill();
    open(&whole, BATCH);
    assert_ok(foci_step_gradients(&whole.step, 7, &expected));
    for (int64_t micro = 1; micro < BATCH; micro++) {
        if (BATCH % micro) continue;
        learner l;
        double loss;
        open(&l, micro);
        for (int64_t i = 0; i < l.p.size; i++) l.p.grad[i] = 100; /* of the step before */
        assert_ok(foci_step_gradients(&l.step, 7, &loss));
        assert_close(loss, expected, 1e-6);
        assert_int_equal(l.feeds, BATCH / micro);
        for (int i = 0; i < l.feeds; i++) assert_int_equal(l.fed[i], i * micro);
        for (int64_t i = 0; i < CLASSES * WIDTH; i++) assert_close(l.p.grad[i], whole.p.grad[i], 1e-6);
        close(&l);
    }
    close(&whole);
}

static void random_numbers_are_the_steps(void **state) {
    (void)state;
    learner l;
    double first, again, other;
    fill();
    open(&l, 4);
    assert_ok(foci_step_gradients(&l.step, 7, &first));
    assert_ok(foci_step_gradients(&l.step, 8, &other));
    assert_ok(foci_step_gradients(&l.step, 7, &again));
    assert_true(first == again && first != other);
    close(&l);
}

static void an_update_is_one_of_the_optimisers(void **state) {
    (void)state;
    learner l;
    foci_optimizer o;
    double loss, norm, square = 0;
    foci_real before[CLASSES * WIDTH];
    fill();
    open(&l, 6);
    assert_ok(foci_optimizer_init(&o, &(foci_optimizer_options){.kind = FOCI_SGD}, &l.p));
    assert_ok(foci_step_gradients(&l.step, 0, &loss));
    memcpy(before, l.p.value, sizeof before);
    assert_ok(foci_step_update(&l.step, &o, 0.5, &norm));
    for (int i = 0; i < CLASSES * WIDTH; i++) {
        assert_close(l.p.value[i], before[i] - (foci_real)0.5 * l.p.grad[i], 1e-6);
        square += (double)l.p.grad[i] * (double)l.p.grad[i];
    }
    assert_close(norm, sqrt(square), 1e-6);
    foci_optimizer_free(&o);
    close(&l);
}

static void clocks_hear_of_every_phase(void **state) {
    (void)state;
    static const foci_step_phase expected[] = {FOCI_STEP_CLEAR,   FOCI_STEP_FORWARD,  FOCI_STEP_BACKWARD,
                                               FOCI_STEP_FORWARD, FOCI_STEP_BACKWARD, FOCI_STEP_UPDATE};
    learner l;
    foci_optimizer o;
    double loss, norm;
    fill();
    open(&l, 6);
    assert_ok(foci_optimizer_init(&o, &(foci_optimizer_options){.kind = FOCI_SGD}, &l.p));
    assert_ok(foci_step_gradients(&l.step, 0, &loss));
    assert_ok(foci_step_update(&l.step, &o, 0, &norm));
    assert_int_equal(l.phases, sizeof expected / sizeof *expected);
    assert_memory_equal(l.phase, expected, sizeof expected);
    foci_optimizer_free(&o);
    close(&l);
}

/* ------------------------------------------------------------------------------------------------- shards */

enum { SHARDS = 6, MICRO = 2, STEPS = 3, MOST_PARAMETERS = 256 };

/* With running statistics, which follow what the shards see. */
static void record_normalised(void *context, foci_graph *g) {
    const int64_t batch = *(const int64_t *)context;
    foci_tensor *x = foci_input(g, "x", FOCI_REAL, FOCI_SHAPE(batch, WIDTH)),
                *y = foci_input(g, "y", FOCI_INT, FOCI_SHAPE(batch));
    foci_tensor *first = foci_parameter(g, "first", FOCI_NORMAL(0, 1), FOCI_SHAPE(7, WIDTH)),
                *scale = foci_parameter(g, "scale", FOCI_ONES, FOCI_SHAPE(7)),
                *shift = foci_parameter(g, "shift", FOCI_ZEROS, FOCI_SHAPE(7)),
                *mean = foci_buffer(g, "mean", FOCI_ZEROS, FOCI_SHAPE(7)),
                *variance = foci_buffer(g, "variance", FOCI_ONES, FOCI_SHAPE(7)),
                *last = foci_parameter(g, "last", FOCI_NORMAL(0, 1), FOCI_SHAPE(CLASSES, 7));
    x = foci_batch_norm(g, foci_linear(g, x, first, NULL), scale, shift, mean, variance, 1e-5, 0.1);
    foci_output(g, "loss",
                foci_cross_entropy(g, foci_linear(g, foci_dropout(g, x, 0.25), last, NULL), y, NULL, 0, -100));
}

typedef struct outcome {
    foci_real value[MOST_PARAMETERS];
    double loss[STEPS], norm[STEPS];
} outcome;

/* Losses of the parts of all processes, as the trainer collects them. */
static double loss_of(foci_group *g, const foci_step *s) {
    size_t at[MOST_TOGETHER + 1];
    for (int r = 0; r <= foci_group_size(g); r++)
        at[r] = (size_t)(foci_group_first(g, SHARDS, r) * (BATCH / MICRO / SHARDS)) * sizeof(double);
    foci_group_collect(g, s->losses, at);
    return foci_step_loss(s);
}

static void train(foci_group *g, void *context) {
    outcome *all = context, own = {{0}};
    const int64_t micro = MICRO;
    double losses[BATCH / MICRO];
    foci_step_shards shards;
    foci_optimizer o;
    learner l = {.feeds = 0};
    foci_set_threads(1);
    foci_parameters_init(&l.p);
    foci_program_set_init(&l.set, &l.p);
    l.step = (foci_step){.parameters = &l.p,
                         .batch = BATCH,
                         .micro = MICRO,
                         .shards = &shards,
                         .losses = losses,
                         .feed = feed,
                         .context = &l};
    assert_ok(foci_program_open(&l.step.program, &l.set,
                                &(foci_graph_options){.train = true, .differentiate = true, .seed = 3},
                                record_normalised, (void *)(uintptr_t)&micro));
    assert_ok(foci_program_set_ready(&l.set));
    foci_parameters_initialise(&l.p, 1);
    assert_ok(foci_optimizer_init(
        &o,
        &(foci_optimizer_options){
            .kind = FOCI_ADAMW, .beta1 = 0.9, .beta2 = 0.99, .eps = 1e-8, .weight_decay = 0.1, .clip = 0.5, .group = g},
        &l.p));
    assert_ok(foci_step_shards_open(&shards, &l.p, SHARDS, &o));
    for (int i = 0; i < STEPS; i++) {
        l.feeds = 0;
        assert_ok(foci_step_gradients(&l.step, i, &own.loss[i]));
        own.loss[i] = loss_of(g, &l.step);
        assert_ok(foci_step_update(&l.step, &o, 0.1, &own.norm[i]));
    }
    memcpy(own.value, l.p.value, (size_t)l.p.size * sizeof *own.value);
    all[foci_group_rank(g)] = own;
    foci_step_shards_close(&shards);
    foci_optimizer_free(&o);
    close(&l);
}

static void any_number_of_processes_makes_the_same_steps(void **state) {
    (void)state;
    outcome one[1], many[SHARDS];
    fill();
    train(NULL, one);
    for (int processes = 2; processes <= SHARDS; processes++) {
        work_together(processes, train, many);
        for (int r = 0; r < processes; r++)
            if (memcmp(one, &many[r], sizeof *one) != 0)
                fail_msg("process %d of %d: losses %.17g and %.17g, norms %.17g and %.17g", r, processes,
                         many[r].loss[STEPS - 1], one->loss[STEPS - 1], many[r].norm[STEPS - 1], one->norm[STEPS - 1]);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_sum_up_to_the_batch),
        cmocka_unit_test(random_numbers_are_the_steps),
        cmocka_unit_test(an_update_is_one_of_the_optimisers),
        cmocka_unit_test(clocks_hear_of_every_phase),
        cmocka_unit_test(any_number_of_processes_makes_the_same_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
