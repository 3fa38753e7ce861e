#include <math.h>
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "plot/roofline.h"
#include "kernels/gemm.h"
#include "kernels/kernels.h"
#include "train/bench.h"

typedef struct settings {
    int64_t steps, batch;
    bool data;
    const char *profile, *roofline;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, steps, "10", 1, 100000, NULL, "steps to time after warm-up"),
    FOCI_KEY(settings, batch, NULL, 1, 1e6, NULL, "batch size (default: train.batch_size)"),
    FOCI_KEY(settings, data, "false", 0, 0, NULL,
             "read the training data as training does, and time how long a step waits for its batch (default: made-up "
             "inputs)"),
    FOCI_KEY(
        settings, profile, NULL, 0, 0, NULL,
        "print the time of every operation beside its roof, and write the last step as Chrome trace events (default: "
        "trace.json)",
        .placeholder = "[FILE]"),
    FOCI_KEY(settings, roofline, NULL, 0, 0, NULL, "draw every operation beside its roof, .svg or .png; needs gnuplot",
             .placeholder = "FILE"),
    {0}};

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
    printf("speed      %9.1f GFLOP/s of %.1f (%.0f %%; %s, %d threads, %s, %s); %.1f GFLOP a step\n", r->gflops,
           r->peak_gflops, 100 * r->mfu, r->bf16 ? "bf16" : "fp32", foci_threads(), foci_kernel()->isa,
           foci_gemm_provider(), r->gflop);
    printf("traffic    %9.1f GB/s of %.1f (%.0f %%) in %.2f ms that memory bounds\n", r->memory_bound_gbs,
           r->bandwidth_gbs, 100 * r->memory_bound_gbs / r->bandwidth_gbs, r->memory_bound_ms);
    printf(
        "memory     %9.1f MB resident; planned %.1f MB for a pass, %.1f MB for %lld parameters, gradients, moments\n",
        r->rss_mb, r->plan_mb, r->state_mb, (long long)r->parameters);
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
        printf("%-40s %6d %10.3f %6.1f%% %9s %8.1f %8.0f%%\n", name, q->calls, q->ms, 100 * q->ms / p->ms, gflops,
               q->bytes / q->ms / 1e6, 100 * foci_profile_roof_ms(q, r->peak_gflops, r->bandwidth_gbs) / q->ms);
    }
}

static foci_status show(const settings *o, const foci_config *config, bool json, const foci_bench_result *r) {
    if (json) {
        FOCI_TRY(print_json(r, o->profile));
    } else {
        print_table(r);
        if (o->profile) print_profile(r);
    }
    return o->roofline ? foci_roofline_draw(r, foci_config_string(config, "name"), o->roofline) : FOCI_OK;
}

/* --batch B stands for --set train.batch_size=B. */
static foci_status open(foci_config **config, const foci_parsed *parsed, int64_t batch) {
    const char *set[FOCI_MAX_SETS + 1];
    char text[64];
    int sets = parsed->overrides;
    memcpy(set, parsed->override, sizeof parsed->override);
    snprintf(text, sizeof text, "train.batch_size=%lld", (long long)batch);
    if (batch) set[sets++] = text;
    return foci_config_open(config, parsed->argument[0], set, sets);
}

static foci_status bench(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    const foci_bench_options how = {.steps = o->steps, .data = o->data, .allocations = foci_allocations,
                                    .trace = o->profile && !*o->profile ? "trace.json" : o->profile};
    if (o->roofline) FOCI_TRY(foci_roofline_check(o->roofline));
    foci_config *config;
    FOCI_TRY(open(&config, parsed, o->batch));
    foci_bench_result r = {.gflop = 0};
    foci_status s = foci_bench(config, &how, &r);
    if (!s) s = show(o, config, parsed->json, &r);
    foci_profile_free(&r.profile);
    foci_config_free(config);
    return s;
}

const foci_command foci_command_bench = {
    .name = "bench",
    .summary = "time of a training step, and how far it is from the processor's peak",
    .synopsis = "CONFIG",
    .doc = "Times training steps of a config, on made-up inputs unless --data is given. Medians after warm-up; the "
           "peak is what "
           "fused multiply-adds reach in the same run.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_COMMON,
    .size = sizeof(settings),
    .options = {{rows}},
    .run = bench,
};
