#include <math.h>
#include <stdio.h>

#include "cli/subject.h"
#include "plot/roofline.h"
#include "kernels/gemm.h"
#include "kernels/bf16.h"
#include "measure/bench.h"

typedef struct settings {
    foci_bench_settings how;
    const char *profile, *roofline;
} settings;

static const foci_key rows[] = {FOCI_KEY(settings, profile, NULL, 0, 0, NULL,
                                         "print the time of every operation beside its roof, and write the "
                                         "last step as Chrome trace events (default: "
                                         "trace.json)",
                                         .placeholder = "[FILE]"),
                                FOCI_KEY(settings, roofline, NULL, 0, 0, NULL,
                                         "draw every operation beside its roof, .svg or .png; needs gnuplot",
                                         .placeholder = "FILE"),
                                {0}};

/* -------------------------------------------------------------------------------------------- as a table */

static void print_part(const char *part, const foci_times *t) {
    printf("%-10s %9.2f ms   (%.2f to %.2f)\n", part, t->median, t->min, t->max);
}

static void print_table(const foci_bench_result *r) {
    printf("%lld step%s of %lld: median (least to most)\n", (long long)r->steps, foci_plural(r->steps, "s"),
           (long long)r->batch);
    print_part("step", &r->step);
    print_part("  forward", &r->forward);
    print_part("  backward", &r->backward);
    if (r->exchange.max > 0) print_part("  exchange", &r->exchange);
    print_part("  update", &r->update);
    if (r->exchange.max > 0) print_part("  share", &r->share);
    if (r->reads_data) print_part("  data", &r->data);
    printf("rate       %9.1f %s/s\n", r->items_per_s, r->items);
    if (r->processes > 1)
        printf("processes  %9d; from the others come %.2f MB of gradients, %.2f MB of weights; %.1f %% of a step is "
               "neither exchange nor share\n",
               r->processes, r->exchange_mb, r->share_mb,
               100 * (1 - (r->exchange.median + r->share.median) / r->step.median));
    printf("speed      %9.1f GFLOP/s of %.1f (%.0f %%; %s, %d thread%s, %s, %s); %.1f GFLOP a step\n", r->gflops,
           r->peak_gflops, 100 * r->mfu, r->bf16 ? "bf16" : "fp32", foci_threads(), foci_plural(foci_threads(), "s"),
           foci_bf16_isa(), foci_gemm_provider(), r->gflop);
    printf("traffic    %9.1f GB/s of %.1f (%.0f %%) in %.2f ms that memory bounds\n", r->memory_bound_gbs,
           r->bandwidth_gbs, 100 * r->memory_bound_gbs / r->bandwidth_gbs, r->memory_bound_ms);
    printf("memory     %9.1f MB resident; planned %.1f MB for a pass, %.1f MB for %lld parameters, "
           "gradients, moments\n",
           r->rss_mb, r->plan_mb, r->state_mb, (long long)r->parameters);
    if (!isnan(r->allocs_per_step)) printf("allocations %8.2f per step\n", r->allocs_per_step);
}

/* The roof of an operation: the time its arithmetic takes at the peak, or its memory traffic at full
 * bandwidth. */
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

static foci_status show(const foci_parsed *parsed, const foci_bench_result *b) {
    const settings *o = parsed->options;
    foci_report r = {NULL};
    foci_bench_tell(b, o->profile, &r);
    foci_status s = FOCI_OK;
    if (parsed->json) s = foci_print_report(&r, &foci_json_line);
    else print_table(b);
    foci_report_free(&r);
    if (!s && !parsed->json && o->profile) print_profile(b);
    if (s || !o->roofline) return s;
    return foci_roofline_draw(b, foci_config_string(parsed->config, "name"), o->roofline);
}

static foci_status bench(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    const foci_subject subject = foci_subject_of(parsed, NULL);
    foci_bench_result r;
    if (o->roofline) FOCI_TRY(foci_roofline_check(o->roofline));
    foci_count_allocations();
    foci_status s = foci_bench_subject(&subject, &o->how, o->profile && !*o->profile ? "trace.json" : o->profile,
                                       parsed->group, &r);
    if (!s && foci_speaks) s = show(parsed, &r);
    foci_profile_free(&r.profile);
    return s;
}

const foci_command foci_command_bench = {
    .name = "bench",
    .summary = "time of a training step, and how far it is from the processor's peak",
    .synopsis = "CONFIG",
    .doc = "Times training steps of a config, on made-up inputs unless --data is given. Medians after warm-up; the "
           "peak is what fused multiply-adds reach in the same run.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_COMMON | FOCI_OPENS_CONFIG | FOCI_TAKES_GROUP,
    .size = sizeof(settings),
    .options = {{foci_bench_keys, offsetof(settings, how)}, {rows}},
    .run = bench};
