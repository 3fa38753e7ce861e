#include "train/bench.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/parallel.h"
#include "base/philox.h"
#include "kernels/bf16.h"
#include "kernels/kernels.h"
#include "models/models.h"
#include "train/optimizer.h"
#include "train/peak.h"
#include "train/programs.h"
#include "train/step.h"
#include "task/task.h"

enum { WARM_UP = 2, MOST_INPUTS = 8, WORDS = 20000 }; /* WORDS: where no data tell */

enum { STEP, FORWARD, BACKWARD, EXCHANGE, UPDATE, SHARE, DATA, PARTS };

typedef struct bench {
    const foci_config *config;
    const foci_bench_options *options;
    const foci_model *model;
    const foci_task *task;
    foci_task_state *data;          /* NULL: made-up inputs */
    int64_t epoch, update, updates; /* of the data; an epoch has so many batches of full length */
    foci_training_programs programs;
    foci_optimizer optimizer;
    bool cut; /* the batch, into shards */
    foci_step_shards shards;
    int64_t batch, micro, classes;
    void *input[MOST_INPUTS];  /* made up */
    double part[PARTS], since; /* ms: of the step at work; clock, where its last phase ended */
    double *times;             /* ms, (PARTS, steps) */
    foci_span *spans;
} bench;

static void ask(void *context, int shape, foci_request *r) {
    const bench *b = context;
    r->classes = b->classes;
    r->vocabulary = WORDS;
    r->feeds = b->task->feeds;
    if (b->data) b->task->prepare(b->data, shape, r);
}

static void *random_input(const foci_tensor *t, int64_t below) {
    int64_t n = foci_numel(t);
    foci_rng r = foci_rng_make(1, foci_stream(t->name), 0);
    if (t->dtype == FOCI_REAL) {
        foci_real *x = malloc((size_t)n * sizeof *x);
        for (int64_t i = 0; x && i < n; i++) x[i] = (foci_real)foci_rng_normal(&r);
        return x;
    }
    int32_t *x = malloc((size_t)n * sizeof *x);
    /* Words of a text follow Zipf's law: log-uniform ids. */
    for (int64_t i = 0; x && i < n; i++) x[i] = (int32_t)(exp(foci_rng_uniform(&r) * log((double)below + 1)) - 1);
    return x;
}

static foci_status make_up_inputs(bench *b) {
    foci_program *p = b->programs.program[0];
    const foci_graph *g = foci_program_graph(p);
    for (int i = 0, n = 0; i < foci_graph_slots(g) && n < MOST_INPUTS; i++) {
        const foci_slot *s = foci_graph_slot(g, i);
        if (s->kind != FOCI_SLOT_INPUT) continue;
        if (!(b->input[n] = random_input(s->tensor, b->classes))) return foci_out_of_memory();
        FOCI_TRY(foci_program_feed(p, s->name, b->input[n++]));
    }
    return FOCI_OK;
}

static foci_status open_data(bench *b) {
    FOCI_TRY(foci_task_open_data(b->task, &b->data, b->config, FOCI_TRAIN | FOCI_VALID | FOCI_TEST));
    if (foci_task_shapes(b->task, b->data) > 2)
        return foci_config_fail(b->config, "data.kind", "steps of %d lengths have no one speed: pad all to one length",
                                foci_task_shapes(b->task, b->data));
    b->updates = b->task->updates(b->data);
    /* shorter windows would be a step of their own */
    if (foci_task_shape_of(b->task, b->data, b->updates - 1)) b->updates--;
    return FOCI_OK;
}

/* As in training each process reads its share. */
static foci_status start_data(bench *b) {
    if (b->options->group && b->task->share) {
        const foci_range own = foci_step_samples(&b->shards, b->batch);
        b->task->share(b->data, b->options->group, own.first, own.end);
    }
    return b->task->seek(b->data, 0, 0);
}

static foci_status set_up(bench *b) {
    const foci_config *c = b->config;
    b->model = foci_model_find(foci_config_string(c, "model.kind"));
    b->task = foci_task_of(b->model);
    b->classes = b->task->classes_key ? foci_config_int(c, b->task->classes_key) : 0;
    if (!b->classes) b->classes = b->task->classes_else;
    foci_training train = foci_training_read(c);
    b->batch = train.batch_size;
    if (train.micro_batch > train.batch_size / train.shards) train.micro_batch = 0;
    FOCI_TRY(foci_training_check(&train, c, b->options->group));
    b->micro = foci_training_micro(&train);
    if (b->options->data) FOCI_TRY(open_data(b));
    FOCI_TRY(foci_training_programs_record(&b->programs, b->model, c, b->micro, 1, ask, b));
    FOCI_TRY(foci_training_programs_allocate(&b->programs, 1, 2));
    const foci_optimizer_options o = {.kind = train.optimizer,
                                      .beta1 = 0.9,
                                      .beta2 = 0.999,
                                      .eps = 1e-8,
                                      .momentum = 0.9,
                                      .clip = train.clip,
                                      .group = b->options->group};
    FOCI_TRY(foci_optimizer_init(&b->optimizer, &o, &b->programs.parameters));
    b->cut = train.shards > 1;
    if (b->cut) FOCI_TRY(foci_step_shards_open(&b->shards, &b->programs.parameters, train.shards, &b->optimizer));
    FOCI_TRY(b->data ? start_data(b) : make_up_inputs(b));
    b->times = calloc((size_t)b->options->steps * PARTS, sizeof *b->times);
    b->spans = calloc((size_t)foci_graph_calls(foci_program_graph(b->programs.program[0])), sizeof *b->spans);
    return b->times && b->spans ? FOCI_OK : foci_out_of_memory();
}

static foci_status next_batch(bench *b) {
    if (b->update == b->updates) {
        b->update = 0;
        FOCI_TRY(b->task->seek(b->data, ++b->epoch, 0));
    }
    return b->task->next(b->data, b->epoch, b->update++);
}

static foci_status feed(const void *context, foci_program *p, int64_t first) {
    const bench *b = context;
    return b->task->feed(b->data, p, first);
}

/* Clearing the gradients is a part of the update. */
static void take_time(void *context, foci_step_phase phase) {
    static const int part[] = {
        [FOCI_STEP_CLEAR] = UPDATE,      [FOCI_STEP_FORWARD] = FORWARD, [FOCI_STEP_BACKWARD] = BACKWARD,
        [FOCI_STEP_EXCHANGE] = EXCHANGE, [FOCI_STEP_UPDATE] = UPDATE,   [FOCI_STEP_SHARE] = SHARE};
    bench *b = context;
    const double now = foci_now_ms();
    b->part[part[phase]] += now - b->since;
    b->since = now;
}

/* The batch at hand, and its gradients. */
static foci_status make_gradients(bench *b, const foci_step *s, int64_t number) {
    double loss, start = foci_now_ms();
    if (b->data) FOCI_TRY(next_batch(b));
    b->since = foci_now_ms();
    b->part[DATA] = b->since - start;
    return foci_step_gradients(s, number, &loss);
}

/* Step i, the first WARM_UP of them with a negative number. */
static foci_status one_step(bench *b, int64_t i) {
    const foci_step s = {.program = b->programs.program[0],
                         .parameters = &b->programs.parameters,
                         .batch = b->batch,
                         .micro = b->micro,
                         .shards = b->cut ? &b->shards : NULL,
                         .feed = b->data ? feed : NULL,
                         .ended = take_time,
                         .context = b};
    double norm, start = foci_now_ms();
    memset(b->part, 0, sizeof b->part);
    /* as in training all say how it went: whoever waits for the others does so here */
    FOCI_TRY(foci_group_agree(b->options->group, make_gradients(b, &s, i + WARM_UP)));
    b->since = foci_now_ms();
    FOCI_TRY(foci_step_update(&s, &b->optimizer, 1e-5, &norm));
    b->part[STEP] = b->since - start;
    for (int k = 0; k < PARTS && i >= 0; k++) b->times[k * b->options->steps + i] = b->part[k];
    return FOCI_OK;
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static foci_times times_of(const bench *b, int part) {
    int64_t n = b->options->steps;
    double *x = b->times + part * n;
    qsort(x, (size_t)n, sizeof *x, rising);
    return (foci_times){(x[(n - 1) / 2] + x[n / 2]) / 2, x[0], x[n - 1]};
}

static double resident_mb(void) {
    long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*s %lld", &pages) != 1) pages = 0;
    if (f) fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

/* a = b + s c, 3 x 64 MB; the best of five. */
static double bandwidth_gbs(void) {
    enum { N = 1 << 24, TILE = 1 << 16 };
    float *x = malloc(3 * (size_t)N * sizeof *x), *y = x + N, *z = y + N;
    if (!x) return NAN;
    double best = 0;
    for (int turn = 0; turn < 6; turn++) {
        double start = foci_now_ms();
        FOCI_PARALLEL_FOR
        for (int64_t tile = 0; tile < N / TILE; tile++)
            for (int64_t i = tile * TILE; i < (tile + 1) * TILE; i++) {
                if (turn == 0) x[i] = 0, y[i] = 1, z[i] = 2; /* touched where it will be used */
                else x[i] = y[i] + 0.5f * z[i];
            }
        double rate = 3.0 * N * sizeof *x / (foci_now_ms() - start) / 1e6;
        if (turn && rate > best) best = rate;
    }
    free(x);
    return best;
}

/* The update as a row of the profile: the gradients are cleared and read (twice where they are clipped), parameters and
 * moments read and written. */
static foci_profile_row update_row(const bench *b, double ms) {
    const foci_optimizer *o = &b->optimizer;
    int arrays = 2 + (o->options.clip > 0) + 2 * (1 + (o->m != NULL) + (o->v != NULL));
    return (foci_profile_row){.op = foci_optimizer_name(o->options.kind),
                              .pass = "update",
                              .calls = 1,
                              .ms = ms,
                              .bytes = (double)b->programs.parameters.size * sizeof(foci_real) * arrays};
}

static foci_status profile(const bench *b, foci_bench_result *r) {
    const foci_graph *g = foci_program_graph(b->programs.program[0]);
    const foci_profile_row update = update_row(b, r->update.median);
    const int64_t passes = b->batch / b->micro, own = foci_group_first(b->options->group, passes, 1);
    FOCI_TRY(foci_profile_make(&r->profile, g, b->spans, b->options->steps, (int)own, &update));
    double bytes = 0;
    for (int i = 0; i < r->profile.rows; i++) {
        const foci_profile_row *q = &r->profile.row[i];
        if (!foci_profile_memory_bound(q, r->peak_gflops, r->bandwidth_gbs)) continue;
        bytes += q->bytes;
        r->memory_bound_ms += q->ms;
    }
    r->memory_bound_gbs = bytes / r->memory_bound_ms / 1e6;
    return b->options->trace ? foci_profile_trace(b->options->trace, g, b->spans) : FOCI_OK;
}

static foci_status measure(bench *b, foci_bench_result *r) {
    FOCI_TRY(foci_group_agree(b->options->group, set_up(b)));
    foci_program *s = b->programs.program[0];
    int64_t steps = b->options->steps;
    for (int64_t i = -WARM_UP; i < 0; i++) FOCI_TRY(one_step(b, i));
    foci_program_profile(s, b->spans);
    long long before = b->options->allocations ? b->options->allocations() : -1;
    for (int64_t i = 0; i < steps; i++) FOCI_TRY(one_step(b, i));
    long long made = before < 0 ? -1 : b->options->allocations() - before;
    foci_program_profile(s, NULL);

    foci_cost cost = foci_graph_cost(foci_program_graph(s));
    double items = (double)(b->batch / b->micro * foci_task_items(b->task, s));
    double flat = (double)b->programs.parameters.size * sizeof(foci_real);
    *r = (foci_bench_result){.step = times_of(b, STEP),
                             .forward = times_of(b, FORWARD),
                             .backward = times_of(b, BACKWARD),
                             .exchange = times_of(b, EXCHANGE),
                             .update = times_of(b, UPDATE),
                             .share = times_of(b, SHARE),
                             .data = times_of(b, DATA),
                             .reads_data = b->data,
                             .gflop = (double)(b->batch / b->micro) * (cost.forward + cost.backward) / 1e9,
                             .rss_mb = resident_mb(),
                             .plan_mb = (double)foci_program_set_bytes(&b->programs.set, NULL) / 1e6,
                             .state_mb = flat * (2 + (b->optimizer.m != NULL) + (b->optimizer.v != NULL)) / 1e6,
                             .allocs_per_step = made < 0 ? NAN : (double)made / (double)steps,
                             .bf16 = b->programs.bf16,
                             .batch = b->batch,
                             .steps = steps,
                             .parameters = foci_parameters_numel(&b->programs.parameters),
                             .items = b->task->items};
    r->items_per_s = 1e3 * items / r->step.median;
    r->gflop_per_item = r->gflop / items;
    r->gflops = 1e3 * r->gflop / r->step.median;
    r->processes = foci_group_size(b->options->group);
    r->peak_gflops = r->processes * foci_peak_gflops(r->bf16, 5, 4000000);
    if (b->options->group) {
        const foci_range own = foci_optimizer_stretch(&b->optimizer, &b->programs.parameters);
        r->exchange_mb = foci_gradient_sum_received(&b->shards.sum) / 1e6;
        r->share_mb = (flat - (double)(own.end - own.first) * sizeof(foci_real)) / 1e6;
    }
    r->mfu = r->gflops / r->peak_gflops;
    r->bandwidth_gbs = bandwidth_gbs();
    return profile(b, r);
}

foci_status foci_bench(const foci_config *config, const foci_bench_options *options, foci_bench_result *result) {
    bench b = {.config = config, .options = options};
    foci_status s = measure(&b, result);
    foci_task_close_data(b.task, b.data);
    foci_step_shards_close(&b.shards);
    foci_optimizer_free(&b.optimizer);
    foci_training_programs_free(&b.programs);
    for (int i = 0; i < MOST_INPUTS; i++) free(b.input[i]);
    free(b.times);
    free(b.spans);
    return s;
}
