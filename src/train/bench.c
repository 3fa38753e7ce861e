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
#include "train/programs.h"
#include "train/task.h"

enum { WARM_UP = 2 };

typedef struct bench {
    const foci_config *config;
    const foci_bench_options *options;
    const foci_model *model;
    foci_programs programs;
    foci_optimizer optimizer;
    int64_t batch, micro, classes;
    foci_real *images;
    int32_t *labels, *ids, *targets;
    double *step, *forward, *backward, *update; /* ms, one per counted step */
} bench;

static void prepare(void *context, int shape, foci_model_io *io) {
    (void)shape;
    const bench *b = context;
    io->classes = b->classes;
    io->labelled = true;
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

static foci_status bind_input(foci_tensor *t, int64_t below, void **owned) {
    if (!t) return FOCI_OK;
    t->data = *owned = random_input(t, below);
    return *owned ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory");
}

static foci_status set_up(bench *b) {
    const foci_config *c = b->config;
    b->model = foci_model_find(foci_config_string(c, "model.kind"));
    bool text = b->model->task == FOCI_TASK_TEXT;
    b->classes = foci_config_int(c, text ? "model.vocab" : "model.num_classes");
    if (!b->classes) b->classes = text ? 20000 : 1000;
    b->batch = b->options->batch ? b->options->batch : foci_config_int(c, "train.batch_size");
    b->micro = foci_config_int(c, "train.micro_batch");
    if (!b->micro || b->micro > b->batch) b->micro = b->batch;
    if (b->batch % b->micro)
        return foci_config_fail(c, "train.micro_batch", "%lld does not divide a batch of %lld", (long long)b->micro, (long long)b->batch);
    FOCI_TRY(foci_programs_record(&b->programs, b->model, c, b->micro, 1, prepare, b));
    FOCI_TRY(foci_programs_allocate(&b->programs, 1));
    foci_optimizer_options o = {.beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .momentum = 0.9, .clip = foci_config_real(c, "train.clip")};
    while (strcmp(foci_optimizer_name(o.kind), foci_config_string(c, "train.optimizer")) != 0) o.kind++;
    FOCI_TRY(foci_optimizer_init(&b->optimizer, &o, &b->programs.parameters));
    foci_model_io *io = &b->programs.program[0].io;
    FOCI_TRY(bind_input(io->images, 0, (void **)&b->images));
    FOCI_TRY(bind_input(io->labels, b->classes, (void **)&b->labels));
    FOCI_TRY(bind_input(io->ids, b->classes, (void **)&b->ids));
    FOCI_TRY(bind_input(io->targets, b->classes, (void **)&b->targets));
    double *times = calloc((size_t)b->options->steps * 4, sizeof *times);
    if (!times) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    b->step = times;
    b->forward = times + b->options->steps;
    b->backward = times + 2 * b->options->steps;
    b->update = times + 3 * b->options->steps;
    return FOCI_OK;
}

static foci_status one_step(bench *b, int64_t i) {
    foci_graph *g = b->programs.program[0].graph;
    const foci_real share = (foci_real)((double)b->micro / (double)b->batch);
    double forward = 0, backward = 0, start = foci_now_ms();
    foci_parameters_zero_grad(&b->programs.parameters);
    foci_graph_promise(g, share);
    for (int64_t first = 0; first < b->batch; first += b->micro) {
        double t0 = foci_now_ms();
        foci_graph_set_step(g, (uint64_t)(i + WARM_UP), (uint64_t)first);
        foci_graph_forward(g);
        double t1 = foci_now_ms();
        foci_graph_backward(g, share);
        forward += t1 - t0;
        backward += foci_now_ms() - t1;
    }
    double t2 = foci_now_ms(), norm;
    FOCI_TRY(foci_optimizer_step(&b->optimizer, &b->programs.parameters, 1e-5, &norm));
    double end = foci_now_ms();
    if (i < 0) return FOCI_OK;
    b->step[i] = end - start;
    b->forward[i] = forward;
    b->backward[i] = backward;
    b->update[i] = end - t2;
    return FOCI_OK;
}

static int rising(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}
static double median(double *x, int64_t n) {
    qsort(x, (size_t)n, sizeof *x, rising);
    return (x[(n - 1) / 2] + x[n / 2]) / 2;
}

static double resident_mb(void) {
    long long pages = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (!f || fscanf(f, "%*s %lld", &pages) != 1) pages = 0;
    if (f) fclose(f);
    return (double)pages * (double)sysconf(_SC_PAGESIZE) / 1e6;
}

/* What the processor can do at best: fused multiply-adds in registers on all threads at once, the best of five. */
static double peak_gflops(bool bf16) {
    const int threads = foci_threads();
    const int64_t rounds = 4000000;
    double best = 0;
    for (int turn = 0; turn < 5; turn++) {
        double start = foci_now_ms(), operations = 0;
        FOCI_PARALLEL_FOR
        for (int t = 0; t < threads; t++) {
            double done;
            if (bf16) foci_bf16_peak(rounds, &done);
            else foci_kernel()->peak(rounds, &done);
#pragma omp atomic
            operations += done;
        }
        double rate = operations / (foci_now_ms() - start) / 1e6;
        if (rate > best) best = rate;
    }
    return best;
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

static foci_status profile(bench *b, foci_bench_result *r) {
    foci_graph *g = b->programs.program[0].graph;
    foci_span *spans = calloc((size_t)foci_graph_moments(g), sizeof *spans);
    if (!spans) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    foci_graph_profile(g, spans);
    foci_status s = FOCI_OK;
    for (int64_t i = 0; i < b->options->steps && !s; i++) s = one_step(b, -1);
    foci_graph_profile(g, NULL);
    if (!s) s = foci_profile_make(&r->profile, g, spans, b->options->steps * (b->batch / b->micro));
    if (!s) s = foci_profile_trace(b->options->trace, g, spans);
    free(spans);
    return s;
}

static foci_status measure(bench *b, foci_bench_result *r) {
    FOCI_TRY(set_up(b));
    int64_t steps = b->options->steps;
    for (int64_t i = -WARM_UP; i < 0; i++) FOCI_TRY(one_step(b, i));
    long long before = b->options->allocations ? b->options->allocations() : -1;
    for (int64_t i = 0; i < steps; i++) FOCI_TRY(one_step(b, i));
    long long made = before < 0 ? -1 : b->options->allocations() - before;

    const foci_program *s = &b->programs.program[0];
    foci_cost cost = foci_graph_cost(s->graph);
    double passes = (double)(b->batch / b->micro);
    double items = (double)b->batch * (s->io.ids ? (double)s->io.ids->shape[1] : 1);
    *r = (foci_bench_result){.step_ms = median(b->step, steps),
                             .forward_ms = median(b->forward, steps),
                             .backward_ms = median(b->backward, steps),
                             .update_ms = median(b->update, steps),
                             .rss_mb = resident_mb(),
                             .plan_mb = (double)b->programs.bytes / 1e6,
                             .allocs_per_step = made < 0 ? NAN : (double)made / (double)steps,
                             .batch = b->batch,
                             .steps = steps,
                             .parameters = foci_parameters_numel(&b->programs.parameters),
                             .items = foci_task_kind_of(b->model->task)->items};
    r->step_min_ms = b->step[0];
    r->step_max_ms = b->step[steps - 1];
    r->items_per_s = 1e3 * items / r->step_ms;
    r->gflops = passes * (cost.forward + cost.backward) / r->step_ms / 1e6;
    r->bf16 = b->programs.bf16;
    r->peak_gflops = peak_gflops(r->bf16);
    r->mfu = r->gflops / r->peak_gflops;
    r->bandwidth_gbs = bandwidth_gbs();
    return b->options->trace ? profile(b, r) : FOCI_OK;
}

foci_status foci_bench(const foci_config *config, const foci_bench_options *options, foci_bench_result *result) {
    bench b = {.config = config, .options = options};
    foci_status s = measure(&b, result);
    foci_optimizer_free(&b.optimizer);
    foci_programs_free(&b.programs);
    free(b.images);
    free(b.labels);
    free(b.ids);
    free(b.targets);
    free(b.step);
    return s;
}
