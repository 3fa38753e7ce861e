#include <math.h>
#include <stdio.h>

#include "cli/cli.h"
#include "cli/gnuplot.h"
#include "cli/roofline.h"
#include "kernels/gemm.h"
#include "kernels/kernels.h"
#include "train/bench.h"

typedef struct options {
    long long steps, batch;
    const char *trace, *roofline;
} options;

enum { STEPS = 1, BATCH, PROFILE, ROOFLINE };
static const struct argp_option table[] = {
    {"steps", STEPS, "N", 0, "steps to time after warm-up (default 10)", 0},
    {"batch", BATCH, "B", 0, "batch size (default: train.batch_size)", 0},
    {"profile", PROFILE, "FILE", OPTION_ARG_OPTIONAL, "print the time of every operation beside its roof, and write the last step as Chrome "
                                                      "trace events (default: trace.json)", 0},
    {"roofline", ROOFLINE, "FILE", 0, "with --profile: draw the operations under the processor's roof, as .svg or .png (needs gnuplot)", 0},
    {0}};

static foci_status set_option(void *state, int key, char *arg) {
    options *o = state;
    if (key == PROFILE) {
        o->trace = arg ? arg : "trace.json";
        return FOCI_OK;
    }
    if (key == ROOFLINE) {
        o->roofline = arg;
        return FOCI_OK;
    }
    if (key == STEPS) return foci_parse_int("--steps", arg, 1, 100000, &o->steps);
    return foci_parse_int("--batch", arg, 1, 1000000, &o->batch);
}

static void print_json(const foci_bench_result *r) {
    printf("{\"step_ms\": %.4f, \"step_min_ms\": %.4f, \"step_max_ms\": %.4f, \"forward_ms\": %.4f, \"backward_ms\": %.4f, "
           "\"update_ms\": %.4f, \"items\": \"%s\", \"items_per_s\": %.3f, \"gflops\": %.3f, \"peak_gflops\": %.3f, \"mfu\": %.4f, "
           "\"bandwidth_gbs\": %.2f, \"rss_mb\": %.2f, \"plan_mb\": %.3f, ",
           r->step_ms, r->step_min_ms, r->step_max_ms, r->forward_ms, r->backward_ms, r->update_ms, r->items, r->items_per_s,
           r->gflops, r->peak_gflops, r->mfu, r->bandwidth_gbs, r->rss_mb, r->plan_mb);
    if (isnan(r->allocs_per_step)) printf("\"allocs_per_step\": null, ");
    else printf("\"allocs_per_step\": %.2f, ", r->allocs_per_step);
    printf("\"dtype\": \"%s\", \"batch\": %lld, \"steps\": %lld, \"threads\": %d, \"parameters\": %lld, \"isa\": \"%s\", \"gemm\": \"%s\"}\n",
           r->bf16 ? "bf16" : "fp32", (long long)r->batch, (long long)r->steps, foci_threads(), (long long)r->parameters, foci_kernel()->isa, foci_gemm_provider());
}

static void print_table(const foci_bench_result *r) {
    printf("step       %9.2f ms   (%.2f to %.2f, %lld steps of %lld)\n", r->step_ms, r->step_min_ms, r->step_max_ms, (long long)r->steps, (long long)r->batch);
    printf("  forward  %9.2f ms\n  backward %9.2f ms\n  update   %9.2f ms   %lld parameters\n", r->forward_ms, r->backward_ms,
           r->update_ms, (long long)r->parameters);
    printf("rate       %9.1f %s/s\n", r->items_per_s, r->items);
    printf("speed      %9.1f GFLOP/s of %.1f (%.0f %%; %s, %d threads, %s, %s)\n", r->gflops, r->peak_gflops, 100 * r->mfu,
           r->bf16 ? "bf16" : "fp32", foci_threads(), foci_kernel()->isa, foci_gemm_provider());
    printf("memory     %9.1f MB resident, %.1f MB planned for a pass; bandwidth %.1f GB/s\n", r->rss_mb, r->plan_mb, r->bandwidth_gbs);
    if (!isnan(r->allocs_per_step)) printf("allocations %8.2f per step\n", r->allocs_per_step);
}

/* The roof of an operation: the time its arithmetic takes at the peak, or its memory traffic at full bandwidth. */
static void print_profile(const foci_bench_result *r) {
    const foci_profile *p = &r->profile;
    double bound_ms = 0, bound_bytes = 0;
    printf("\n%-32s %6s %10s %7s %9s %8s %9s\n", "operation", "calls", "ms", "share", "GFLOP/s", "GB/s", "of roof");
    for (int i = 0; i < p->rows; i++) {
        const foci_profile_row *q = &p->row[i];
        char name[64], gflops[16] = "";
        foci_profile_label(q, name, sizeof name);
        if (q->flop > 0) snprintf(gflops, sizeof gflops, "%.1f", q->flop / q->ms / 1e6);
        double arithmetic = q->flop / r->peak_gflops / 1e6, traffic = q->bytes / r->bandwidth_gbs / 1e6, roof = fmax(arithmetic, traffic);
        if (traffic > arithmetic) bound_ms += q->ms, bound_bytes += q->bytes;
        printf("%-32s %6d %10.3f %6.1f%% %9s %8.1f %8.0f%%\n", name, q->calls, q->ms, 100 * q->ms / p->ms, gflops, q->bytes / q->ms / 1e6, 100 * roof / q->ms);
    }
    if (bound_ms > 0)
        printf("bound by memory: %.1f %% of the time, at %.1f GB/s\n", 100 * bound_ms / p->ms, bound_bytes / bound_ms / 1e6);
}

foci_status foci_cmd_bench(int argc, char **argv) {
    options o = {.steps = 10};
    foci_common common = {0};
    const char *path[1];
    int count;
    bool done;
    const foci_arguments a = {table, set_option, &o, "CONFIG",
                              "Times training steps of a config on made-up inputs; no data is read. Medians after warm-up; the peak is "
                              "what fused multiply-adds reach in the same run.",
                              true, 1, 1};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, &common, path, &count, &done));
    if (done) return FOCI_OK;
    if (o.roofline && !o.trace) return foci_fail(FOCI_ERR_CONFIG, "--roofline draws what --profile measures: give both");
    char terminal[256]; /* a wrong name is said before anything is measured */
    if (o.roofline) FOCI_TRY(foci_gnuplot_terminal(o.roofline, 1, 1, terminal, sizeof terminal));
    foci_config *config;
    FOCI_TRY(foci_open_config(&config, path[0], &common));
    foci_bench_result r = {.step_ms = 0};
    foci_status s = foci_bench(config, &(foci_bench_options){o.steps, o.batch, foci_allocations, o.trace}, &r);
    if (!s && o.roofline) s = foci_roofline_draw(&r, foci_config_string(config, "name"), o.roofline);
    foci_config_free(config);
    if (!s && common.json) print_json(&r);
    else if (!s) print_table(&r);
    if (!s && o.trace && !common.json) print_profile(&r);
    foci_profile_free(&r.profile);
    return s;
}
