/* foci plan: what a training would take on several machines, by the model of train/cluster.h from what one of them
 * does.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "task/training.h"
#include "train/bench.h"
#include "train/cluster.h"
#include "train/trainer.h"

typedef struct settings {
    const char *nodes;
    double items, rate, memory, network, latency;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, nodes, "1,2,4,8,16,32,64", 0, 0, NULL, "numbers of processes, one a machine",
             .placeholder = "N,N.."),
    FOCI_KEY(settings, items, "0", 0, 1e18, NULL,
             "images or tokens of the whole training (default: as many as the config's data have)"),
    FOCI_KEY(settings, rate, "0", 0, 1e12, NULL,
             "images or tokens a second of one machine, as `foci bench` says there (default: measured here)"),
    FOCI_KEY(settings, memory, "0", 0, 1e6, NULL, "bandwidth of its memory in GB/s (default: measured here)"),
    FOCI_KEY(settings, network, "25", 1e-3, 1e6, NULL, "of the network in Gb/s"),
    FOCI_KEY(settings, latency, "30", 0, 1e9, NULL, "of a message, in microseconds"),
    {0}};

/* Where neither is given, a few steps are made. */
static foci_status look_at_machine(const foci_parsed *parsed, double *rate, double *memory) {
    enum { STEPS = 3 };
    const settings *o = parsed->options;
    foci_bench_result r = {.steps = 0};
    *rate = o->rate;
    *memory = o->memory;
    if (o->rate > 0 && o->memory > 0) return FOCI_OK;
    const foci_status s = foci_bench(parsed->config, &(foci_bench_options){.steps = STEPS}, &r);
    if (!s && !(*rate > 0)) *rate = r.items_per_s;
    if (!s && !(*memory > 0)) *memory = r.bandwidth_gbs;
    foci_profile_free(&r.profile);
    return s;
}

static foci_status next_count(const char **text, int64_t shards, int *count) {
    char *end;
    errno = 0;
    const long n = strtol(*text, &end, 10);
    if (end == *text || errno || n < 1 || (*end && *end != ','))
        return foci_fail(FOCI_ERR_CONFIG, "--nodes: `%s` does not begin with a number of processes, as in 1,8,64",
                         *text);
    if (n > shards)
        return foci_fail(FOCI_ERR_CONFIG,
                         "--nodes: %ld processes cannot share train.shards=%lld; --set train.shards=%ld would do", n,
                         (long long)shards, n);
    *text = *end ? end + 1 : end;
    *count = (int)n;
    return FOCI_OK;
}

static void tell(const foci_cluster *cluster, int processes, double items, double updates, foci_report *list) {
    const double seconds = foci_cluster_step(cluster, processes), one = foci_cluster_step(cluster, 1);
    foci_report *r = foci_report_part(list, NULL);
    foci_report_whole(r, "processes", processes);
    foci_report_number(r, "step_ms", 1e3 * seconds);
    foci_report_number(r, "items_per_s", items / seconds);
    foci_report_number(r, "efficiency", one / seconds / processes);
    foci_report_number(r, "days", updates * seconds / 86400);
    foci_report_number(r, "memory_mb", foci_cluster_memory(cluster, processes));
}

static void print(const foci_report *r) {
    const double rate = foci_report_number_of(r, "rate"), memory = foci_report_number_of(r, "memory_gbs"),
                 network = foci_report_number_of(r, "network_gbits"), latency = foci_report_number_of(r, "latency_us");
    printf("one machine: %.1f %s/s, memory %.1f GB/s; network %.3g Gb/s, %.3g us; %lld shards; a model, no "
           "measurement\n\n",
           rate, foci_report_text_of(r, "items"), memory, network, latency,
           (long long)foci_report_number_of(r, "shards"));
    printf("%9s %12s %14s %11s %10s %12s\n", "processes", "step, ms", "items/s", "efficiency", "days", "MB each");
    for (const foci_report_entry *e = foci_report_part_of(r, "plan")->first; e; e = e->next)
        printf("%9.0f %12.1f %14.1f %9.0f %% %10.2f %12.0f\n", foci_report_number_of(e->part, "processes"),
               foci_report_number_of(e->part, "step_ms"), foci_report_number_of(e->part, "items_per_s"),
               100 * foci_report_number_of(e->part, "efficiency"), foci_report_number_of(e->part, "days"),
               foci_report_number_of(e->part, "memory_mb"));
}

/* Of what a dry run tells. */
static foci_cluster cluster_of(const foci_report *dry, const foci_training *train, const settings *o, double rate,
                               double memory) {
    const int moments = (int)foci_report_number_of(dry, "moments");
    return (foci_cluster){.step_s = foci_report_number_of(dry, "items_per_update") / rate,
                          .shards = train->shards,
                          .parameters = foci_report_number_of(dry, "parameters"),
                          .memory_bytes_s = 1e9 * memory,
                          .network_bytes_s = 1e9 / 8 * o->network,
                          .latency_s = 1e-6 * o->latency,
                          .plan_mb = foci_report_number_of(dry, "plan_mb"),
                          .array_mb = foci_report_number_of(dry, "parameters_mb") / (2 + moments),
                          .moments = moments,
                          .averages = train->ema_decay > 0};
}

static foci_status tell_all(const foci_parsed *parsed, const foci_report *dry, foci_report *r) {
    const settings *o = parsed->options;
    const foci_training train = foci_training_read(parsed->config);
    double rate, memory;
    const double update = foci_report_number_of(dry, "items_per_update");
    if (!(o->items > 0) && !foci_report_find(dry, "updates"))
        return foci_fail(FOCI_ERR_DATA, "how long the training is, its data cannot tell, which %s: --items can",
                         foci_report_text_of(dry, "data"));
    const double updates = o->items > 0 ? o->items / update : foci_report_number_of(dry, "updates");
    const char *nodes = o->nodes;
    for (int n; *nodes;) FOCI_TRY(next_count(&nodes, train.shards, &n));
    FOCI_TRY(look_at_machine(parsed, &rate, &memory));
    const foci_cluster cluster = cluster_of(dry, &train, o, rate, memory);
    foci_report_text(r, "items", foci_report_text_of(dry, "items"));
    foci_report_number(r, "rate", rate);
    foci_report_number(r, "memory_gbs", memory);
    foci_report_number(r, "network_gbits", o->network);
    foci_report_number(r, "latency_us", o->latency);
    foci_report_whole(r, "shards", train.shards);
    foci_report *list = foci_report_list(r, "plan");
    nodes = o->nodes;
    for (int n; *nodes && !next_count(&nodes, train.shards, &n);) tell(&cluster, n, update, updates, list);
    return FOCI_OK;
}

static foci_status plan(const foci_parsed *parsed) {
    foci_report dry = {NULL}, r = {NULL};
    foci_status s = foci_train_plan(parsed->config, &dry);
    if (!s) s = tell_all(parsed, &dry, &r);
    if (!s && parsed->json) s = foci_print_report(&r, &foci_json_line);
    else if (!s) print(&r);
    foci_report_free(&dry);
    foci_report_free(&r);
    return s;
}

const foci_command foci_command_plan = {
    .name = "plan",
    .summary = "time, efficiency and memory of a training on several machines, predicted",
    .synopsis = "CONFIG",
    .doc = "Predicts what a training takes by several processes, one on each machine, from the rate of one: a model "
           "(docs/scale.md), which knows nothing of other users of the network.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_COMMON | FOCI_OPENS_CONFIG,
    .size = sizeof(settings),
    .options = {{rows}},
    .run = plan};
