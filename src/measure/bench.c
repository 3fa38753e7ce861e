/* bench: time and memory of a training step. */
#include "measure/bench.h"

#include "kernels/gemm.h"
#include "kernels/bf16.h"
#include "run/open.h"

const foci_key foci_bench_keys[] = {
    FOCI_KEY(foci_bench_settings, steps, "10", 1, 100000, NULL, "steps to time after warm-up"),
    FOCI_KEY(foci_bench_settings, batch, NULL, 1, 1e6, NULL, "batch size (default: train.batch_size)"),
    FOCI_KEY(foci_bench_settings, data, "false", 0, 0, NULL,
             "read the training data as training does, and time how long a step waits for its batch "
             "(default: made-up "
             "inputs)"),
    {0}};

/* A batch stands for train.batch_size, which the data too are read by: the config is opened again with it. */
static foci_status open_with_batch(const foci_subject *subject, int64_t batch, foci_config **config) {
    const char *set[FOCI_SUBJECT_SETS + 1];
    char text[64];
    if (subject->sets > FOCI_SUBJECT_SETS)
        return foci_fail(FOCI_ERR_CONFIG, "more than %d overrides", FOCI_SUBJECT_SETS);
    for (int i = 0; i < subject->sets; i++) set[i] = subject->set[i];
    snprintf(text, sizeof text, "train.batch_size=%lld", (long long)batch);
    set[subject->sets] = text;
    return foci_config_open(config, subject->run, set, subject->sets + 1);
}

foci_status foci_bench_subject(const foci_subject *subject, const foci_bench_settings *o, const char *trace,
                               foci_group *group, foci_bench_result *r) {
    const foci_bench_options how = {
        .steps = o->steps, .data = o->data, .group = group, .allocations = subject->allocations, .trace = trace};
    foci_config *own = NULL;
    *r = (foci_bench_result){.gflop = 0};
    if (o->batch) FOCI_TRY(open_with_batch(subject, o->batch, &own));
    foci_status s = foci_bench(own ? own : subject->config, &how, r);
    foci_config_free(own);
    return s;
}

/* ------------------------------------------------------------------------------------------------ the report
 */

static void tell_times(const char *part, const foci_times *t, foci_report *r) {
    const struct {
        const char *ending;
        double ms;
    } rows[] = {{"ms", t->median}, {"min_ms", t->min}, {"max_ms", t->max}};
    for (int i = 0; i < 3; i++) {
        char name[64];
        snprintf(name, sizeof name, "%s_%s", part, rows[i].ending);
        foci_report_decimals(r, name, rows[i].ms, 4);
    }
}

static void tell_operations(const foci_bench_result *result, foci_report *list) {
    for (int i = 0; i < result->profile.rows; i++) {
        const foci_profile_row *q = &result->profile.row[i];
        foci_report *r = foci_report_part(list, NULL);
        foci_report_text(r, "op", q->op);
        foci_report_text(r, "pass", q->pass);
        foci_report_whole(r, "calls", q->calls);
        foci_report_decimals(r, "ms", q->ms, 4);
        foci_report_decimals(r, "gflop", q->flop / 1e9, 6);
        foci_report_decimals(r, "gb", q->bytes / 1e9, 6);
        foci_report_decimals(r, "of_roof", foci_profile_roof_ms(q, result->peak_gflops, result->bandwidth_gbs) / q->ms,
                             4);
    }
}

static void tell_speed(const foci_bench_result *b, foci_report *r) {
    foci_report_text(r, "items", b->items);
    foci_report_decimals(r, "items_per_s", b->items_per_s, 3);
    foci_report_decimals(r, "gflop", b->gflop, 6);
    foci_report_decimals(r, "gflop_per_item", b->gflop_per_item, 6);
    foci_report_decimals(r, "gflops", b->gflops, 3);
    foci_report_decimals(r, "peak_gflops", b->peak_gflops, 3);
    foci_report_decimals(r, "mfu", b->mfu, 4);
    foci_report_decimals(r, "bandwidth_gbs", b->bandwidth_gbs, 2);
    foci_report_decimals(r, "memory_bound_ms", b->memory_bound_ms, 4);
    foci_report_decimals(r, "memory_bound_gbs", b->memory_bound_gbs, 2);
    foci_report_decimals(r, "rss_mb", b->rss_mb, 2);
    foci_report_decimals(r, "plan_mb", b->plan_mb, 3);
    foci_report_decimals(r, "state_mb", b->state_mb, 3);
    foci_report_decimals(r, "allocs_per_step", b->allocs_per_step, 2);
}

void foci_bench_tell(const foci_bench_result *b, bool operations, foci_report *r) {
    tell_times("step", &b->step, r);
    tell_times("forward", &b->forward, r);
    tell_times("backward", &b->backward, r);
    tell_times("update", &b->update, r);
    tell_times("exchange", &b->exchange, r);
    tell_times("share", &b->share, r);
    if (b->reads_data) tell_times("data", &b->data, r);
    else foci_report_text(r, "data_ms", NULL);
    tell_speed(b, r);
    foci_report_text(r, "dtype", b->bf16 ? "bf16" : "fp32");
    foci_report_whole(r, "batch", b->batch);
    foci_report_whole(r, "steps", b->steps);
    foci_report_whole(r, "threads", foci_threads());
    foci_report_whole(r, "processes", b->processes);
    foci_report_decimals(r, "exchange_mb", b->exchange_mb, 3);
    foci_report_decimals(r, "share_mb", b->share_mb, 3);
    foci_report_whole(r, "parameters", b->parameters);
    foci_report_text(r, "isa", foci_bf16_isa());
    foci_report_text(r, "gemm", foci_gemm_provider());
    if (operations) tell_operations(b, foci_report_list(r, "operations"));
}

static foci_status run(const foci_subject *subject, const void *options, const foci_watch *watch, foci_report *r) {
    foci_bench_result result;
    FOCI_TRY(foci_watch_stopped(watch));
    foci_status s = foci_bench_subject(subject, options, NULL, NULL, &result);
    if (!s) foci_bench_tell(&result, false, r);
    foci_profile_free(&result.profile);
    return s;
}

const foci_measure foci_measure_bench = {
    .name = "bench",
    .summary = "speed and memory of a training step",
    .size = sizeof(foci_bench_settings),
    .options = {{foci_bench_keys}},
    .metrics = {"items_per_s", "rss_mb", "plan_mb", "gflop", "gflop_per_item", "parameters"},
    .untrained = true,
    .run = run,
    .command = "bench"};
