#include <math.h>
#include <stdio.h>

#include "cli/cli.h"
#include "plot/roofline.h"
#include "kernels/gemm.h"
#include "kernels/kernels.h"
#include "train/bench.h"

typedef struct options {
    foci_bench_options bench;
    long long steps, batch;
    const char *roofline;
} options;

enum { STEPS = 1, BATCH, DATA, PROFILE, ROOFLINE };
static const struct argp_option table[] = {
    {"steps", STEPS, "N", 0, "steps to time after warm-up (default 10)", 0},
    {"batch", BATCH, "B", 0, "batch size (default: train.batch_size)", 0},
    {"data", DATA, NULL, 0, "read the training data as training does, and time how long a step waits for its batch (default: made-up inputs)", 0},
    {"profile", PROFILE, "FILE", OPTION_ARG_OPTIONAL, "print the time of every operation beside its roof, and write the last step as Chrome "
                                                      "trace events (default: trace.json)", 0},
    {"roofline", ROOFLINE, "FILE", 0, "draw every operation beside its roof, .svg or .png; needs gnuplot", 0},
    {0}};

static foci_status set_option(void *state, int key, char *arg) {
    options *o = state;
    switch (key) {
    case STEPS: return foci_parse_int("--steps", arg, 1, 100000, &o->steps);
    case BATCH: return foci_parse_int("--batch", arg, 1, 1000000, &o->batch);
    case DATA: o->bench.data = true; return FOCI_OK;
    case PROFILE: o->bench.trace = arg ? arg : "trace.json"; return FOCI_OK;
    default: o->roofline = arg; return foci_roofline_check(arg);
    }
}

/* ------------------------------------------------------------------------------------------------ as JSON */

static void report_times(foci_report *r, const char *part, const foci_times *t) {
    const double ms[] = {t->median, t->min, t->max};
    static const char *const kinds[] = {"", "_min", "_max"};
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s%s_ms", part, kinds[i]);
        foci_report_decimals(r, name, ms[i], 4);
    }
}

static void report_all_times(foci_report *to, const foci_bench_result *r) {
    report_times(to, "step", &r->step);
    report_times(to, "forward", &r->forward);
    report_times(to, "backward", &r->backward);
    report_times(to, "update", &r->update);
    if (r->reads_data) report_times(to, "data", &r->data);
    else foci_report_text(to, "data_ms", NULL);
}

static void report_rates(foci_report *to, const foci_bench_result *r) {
    foci_report_text(to, "items", r->items);
    foci_report_decimals(to, "items_per_s", r->items_per_s, 3);
    foci_report_decimals(to, "gflop", r->gflop, 6);
    foci_report_decimals(to, "gflops", r->gflops, 3);
    foci_report_decimals(to, "peak_gflops", r->peak_gflops, 3);
    foci_report_decimals(to, "mfu", r->mfu, 4);
    foci_report_decimals(to, "bandwidth_gbs", r->bandwidth_gbs, 2);
    foci_report_decimals(to, "memory_bound_ms", r->memory_bound_ms, 4);
    foci_report_decimals(to, "memory_bound_gbs", r->memory_bound_gbs, 2);
}

static void report_memory(foci_report *to, const foci_bench_result *r) {
    foci_report_decimals(to, "rss_mb", r->rss_mb, 2);
    foci_report_decimals(to, "plan_mb", r->plan_mb, 3);
    foci_report_decimals(to, "state_mb", r->state_mb, 3);
    foci_report_decimals(to, "allocs_per_step", r->allocs_per_step, 2);
}

static void report_settings(foci_report *to, const foci_bench_result *r) {
    foci_report_text(to, "dtype", r->bf16 ? "bf16" : "fp32");
    foci_report_whole(to, "batch", r->batch);
    foci_report_whole(to, "steps", r->steps);
    foci_report_whole(to, "threads", foci_threads());
    foci_report_whole(to, "parameters", r->parameters);
    foci_report_text(to, "isa", foci_kernel()->isa);
    foci_report_text(to, "gemm", foci_gemm_provider());
}

static void report_operation(foci_report *to, const foci_bench_result *r, const foci_profile_row *q) {
    foci_report_text(to, "op", q->op);
    foci_report_text(to, "pass", q->pass);
    foci_report_whole(to, "calls", q->calls);
    foci_report_decimals(to, "ms", q->ms, 4);
    foci_report_decimals(to, "gflop", q->flop / 1e9, 6);
    foci_report_decimals(to, "gb", q->bytes / 1e9, 6);
    foci_report_decimals(to, "of_roof", foci_profile_roof_ms(q, r->peak_gflops, r->bandwidth_gbs) / q->ms, 4);
}

static foci_status print_json(const foci_bench_result *r, bool operations) {
    foci_report all = {NULL};
    report_all_times(&all, r);
    report_rates(&all, r);
    report_memory(&all, r);
    report_settings(&all, r);
    foci_report *list = operations ? foci_report_list(&all, "operations") : NULL;
    for (int i = 0; list && i < r->profile.rows; i++)
        report_operation(foci_report_part(list, NULL), r, &r->profile.row[i]);
    return foci_print_report(&all, &foci_json_line);
}

/* -------------------------------------------------------------------------------------------- as a table */

static void print_part(const char *part, const foci_times *t) {
    printf("%-10s %9.2f ms   (%.2f to %.2f)\n", part, t->median, t->min, t->max);
}

static void print_table(const foci_bench_result *r) {
    printf("%lld steps of %lld: median (least to most)\n", (long long)r->steps, (long long)r->batch);
    print_part("step", &r->step);
    print_part("  forward", &r->forward);
    print_part("  backward", &r->backward);
    print_part("  update", &r->update);
    if (r->reads_data) print_part("  data", &r->data);
    printf("rate       %9.1f %s/s\n", r->items_per_s, r->items);
    printf("speed      %9.1f GFLOP/s of %.1f (%.0f %%; %s, %d threads, %s, %s); %.1f GFLOP a step\n", r->gflops, r->peak_gflops, 100 * r->mfu,
           r->bf16 ? "bf16" : "fp32", foci_threads(), foci_kernel()->isa, foci_gemm_provider(), r->gflop);
    printf("traffic    %9.1f GB/s of %.1f (%.0f %%) in %.2f ms that memory bounds\n", r->memory_bound_gbs, r->bandwidth_gbs,
           100 * r->memory_bound_gbs / r->bandwidth_gbs, r->memory_bound_ms);
    printf("memory     %9.1f MB resident; planned %.1f MB for a pass, %.1f MB for %lld parameters, gradients, moments\n", r->rss_mb,
           r->plan_mb, r->state_mb, (long long)r->parameters);
    if (!isnan(r->allocs_per_step)) printf("allocations %8.2f per step\n", r->allocs_per_step);
}

/* The roof of an operation: the time its arithmetic takes at the peak, or its memory traffic at full bandwidth. */
static void print_profile(const foci_bench_result *r) {
    const foci_profile *p = &r->profile;
    printf("\n%-40s %6s %10s %7s %9s %8s %9s\n", "operation", "calls", "ms", "share", "GFLOP/s", "GB/s", "of roof");
    for (int i = 0; i < p->rows; i++) {
        const foci_profile_row *q = &p->row[i];
        char name[64], gflops[16] = "";
        snprintf(name, sizeof name, "%s, %s", q->op, q->pass);
        if (q->flop > 0) snprintf(gflops, sizeof gflops, "%.1f", q->flop / q->ms / 1e6);
        printf("%-40s %6d %10.3f %6.1f%% %9s %8.1f %8.0f%%\n", name, q->calls, q->ms, 100 * q->ms / p->ms, gflops, q->bytes / q->ms / 1e6,
               100 * foci_profile_roof_ms(q, r->peak_gflops, r->bandwidth_gbs) / q->ms);
    }
}

/* --batch B stands for --set train.batch_size=B. */
static foci_status set_batch(foci_common *c, long long batch, char *text, size_t size) {
    if (!batch) return FOCI_OK;
    if (c->sets == FOCI_MAX_SETS) return foci_fail(FOCI_ERR_CONFIG, "--set: more than %d", FOCI_MAX_SETS - 1);
    snprintf(text, size, "train.batch_size=%lld", batch);
    c->set[c->sets++] = text;
    return FOCI_OK;
}

static foci_status show(const options *o, const foci_config *config, bool json, const foci_bench_result *r) {
    if (json) {
        FOCI_TRY(print_json(r, o->bench.trace));
    } else {
        print_table(r);
        if (o->bench.trace) print_profile(r);
    }
    return o->roofline ? foci_roofline_draw(r, foci_config_string(config, "name"), o->roofline) : FOCI_OK;
}

foci_status foci_cmd_bench(int argc, char **argv) {
    options o = {.steps = 10, .bench.allocations = foci_allocations};
    foci_common common = {0};
    const char *path[1];
    char batch[64];
    int count;
    bool done;
    const foci_arguments a = {table, set_option, &o, "CONFIG",
                              "Times training steps of a config, on made-up inputs unless --data is given. Medians after warm-up; the peak "
                              "is what fused multiply-adds reach in the same run.",
                              true, 1, 1};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, &common, path, &count, &done));
    if (done) return FOCI_OK;
    FOCI_TRY(set_batch(&common, o.batch, batch, sizeof batch));
    foci_config *config;
    FOCI_TRY(foci_open_config(&config, path[0], &common));
    foci_bench_result r = {.gflop = 0};
    o.bench.steps = o.steps;
    foci_status s = foci_bench(config, &o.bench, &r);
    if (!s) s = show(&o, config, common.json, &r);
    foci_profile_free(&r.profile);
    foci_config_free(config);
    return s;
}
