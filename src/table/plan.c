/* What a table would take: the costs of its trainings, each looked at without a step, and the data that are missing. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "base/parallel.h"
#include "config/config.h"
#include "table/table.h"
#include "task/schema.h"
#include "task/training.h"
#include "train/cluster.h"
#include "train/peak.h"
#include "train/trainer.h"

/* Trainings reach this share of the processor's peak, more or less (docs/speed.md). And the machines of `foci plan`'s
 * formula: of so many cores as fast as those here, with this memory and network. */
static const double SHARE = 0.6, MEMORY_GBS = 200, NETWORK_GBITS = 25, LATENCY_US = 30;
enum { NODES = 16, CORES = 64 };

typedef struct machine {
    double gflops[2]; /* that trainings reach here: in float32, in bf16 */
} machine;

typedef struct sums {
    double exaflop, days, hours;
} sums;

static int seeds_of(const foci_table *t, const foci_table_row *row) {
    int n = 0;
    for (int s = 0; s < foci_table_samples(t); s++) n += !row->no_seed[s];
    return n;
}

static bool same_training(const foci_table_row *a, const foci_table_row *b) {
    bool same = a->config && strcmp(a->config, b->config) == 0 && a->sets == b->sets && a->init == b->init &&
                a->teacher == b->teacher;
    for (int i = 0; same && i < a->sets; i++) same = strcmp(a->set[i], b->set[i]) == 0;
    return same;
}

/* It is, and no row before it is the same but for its name. */
static bool is_trained(const foci_table *t, const foci_table_row *row) {
    bool any = row->shown < 0;
    for (const foci_table_row *other = t->row; row->config && other < row; other++)
        if (same_training(other, row)) return false;
    for (int m = 0; m < t->measures; m++)
        any |= row->config && !row->no_measure[m] && !t->measure[m].asked.measure->untrained;
    return any;
}

/* Images or tokens of the training: as the data say, or the steps of the config, or the table. */
static double items_of(const foci_table_row *row, const foci_training *train, const foci_report *dry) {
    const double update = foci_report_number_of(dry, "items_per_update");
    if (foci_report_find(dry, "updates")) return update * foci_report_number_of(dry, "updates");
    if (train->max_steps) return update * (double)train->max_steps;
    return row->items > 0 ? row->items : (double)NAN;
}

/* As many as can have equal parts of a batch. */
static int nodes_for(int64_t batch) {
    int n = NODES;
    while (batch % n) n--;
    return n;
}

static double hours_on(int nodes, const foci_report *dry, double items, double gflops, double gflop) {
    const double update = foci_report_number_of(dry, "items_per_update");
    const foci_cluster cluster = {.step_s = update * gflop / (gflops / foci_threads() * CORES),
                                  .shards = nodes,
                                  .parameters = foci_report_number_of(dry, "parameters"),
                                  .memory_bytes_s = 1e9 * MEMORY_GBS,
                                  .network_bytes_s = 1e9 / 8 * NETWORK_GBITS,
                                  .latency_s = 1e-6 * LATENCY_US};
    return items / update * foci_cluster_step(&cluster, nodes) / 3600;
}

static void tell_costs(const foci_table_row *row, const foci_training *train, int count, const foci_report *dry,
                       const machine *here, foci_report *r, sums *all) {
    const char *type = foci_report_text_of(dry, "dtype");
    const double gflop = 1e-3 *
                         (foci_report_number_of(dry, "mflop_forward") + foci_report_number_of(dry, "mflop_backward")),
                 items = items_of(row, train, dry), gflops = here->gflops[type && strcmp(type, "bf16") == 0];
    const int nodes = nodes_for(train->batch_size);
    const double exaflop = count * items * gflop * 1e-9, days = count * items * gflop / gflops / 86400,
                 hours = count * hours_on(nodes, dry, items, gflops, gflop);
    foci_report_number(r, "parameters", foci_report_number_of(dry, "parameters"));
    foci_report_number(r, "items", items);
    foci_report_number(r, "exaflop", exaflop);
    foci_report_number(r, "days", days);
    foci_report_number(r, "hours", hours);
    foci_report_whole(r, "nodes", nodes);
    if (!isfinite(exaflop)) return;
    all->exaflop += exaflop;
    all->days += days;
    all->hours += hours;
}

/* A name once. */
static void tell_missing(foci_report *list, const char *name) {
    for (const foci_report_entry *e = list->first; e; e = e->next)
        if (strcmp(e->text, name) == 0) return;
    foci_report_text(list, NULL, name);
}

/* "data.train: nothing is at data/x, nor at ..." -> data/x; another message as it is */
static void tell_missing_data(foci_report *list, const char *message) {
    static const char at[] = "nothing is at ";
    const char *name = strstr(message, at);
    char text[2048];
    if (!name) snprintf(text, sizeof text, "%s", message);
    else snprintf(text, sizeof text, "%.*s", (int)strcspn(name + strlen(at), ","), name + strlen(at));
    tell_missing(list, text);
}

/* Of runs of one name, with that of its config. */
static void tell_name(const foci_table *t, const foci_table_row *row, const foci_config *config, foci_report *r) {
    char name[512];
    bool joined = false;
    for (const foci_table_row *other = t->row; other < t->row + t->rows + t->others; other++)
        joined |= other != row && strcmp(other->name, row->name) == 0;
    snprintf(name, sizeof name, "%s%s%s", row->name, joined ? ": " : "",
             joined ? foci_config_string(config, "name") : "");
    foci_report_text(r, "run", name);
}

/* A config that is wrong is an error, data that are missing are not. */
static foci_status tell_training(const foci_table *t, const foci_table_row *row, const machine *here, foci_report *list,
                                 foci_report *missing, sums *all) {
    foci_config *config;
    foci_report dry = {NULL};
    foci_status s = foci_config_load(&config, foci_schema_all(), row->config, row->set, row->sets);
    if (s) return foci_context(s, "%s: run `%s`", t->path, row->name);
    const foci_training train = foci_training_read(config);
    const int count = seeds_of(t, row);
    s = foci_train_plan(config, &dry);
    if (s && s != FOCI_ERR_DATA && !dry.first) {
        foci_config_free(config);
        return foci_context(s, "%s: run `%s`", t->path, row->name);
    }
    if (s) tell_missing_data(missing, foci_error_message());
    else if (!foci_report_find(&dry, "updates")) tell_missing_data(missing, foci_report_text_of(&dry, "data"));
    foci_report *r = foci_report_part(list, NULL);
    tell_name(t, row, config, r);
    foci_report_whole(r, "count", count);
    if (dry.first) tell_costs(row, &train, count, &dry, here, r, all);
    foci_config_free(config);
    foci_report_free(&dry);
    return FOCI_OK;
}

/* Folders that a measurement reads. */
static void tell_folders(const foci_table_measure *m, foci_report *list) {
    for (int i = 0; i < m->asked.count; i++) {
        const struct foci_asked_option *o = &m->asked.option[i];
        if (o->key && o->key->placeholder && strcmp(o->key->placeholder, "DIR") == 0 && !foci_path_kind(o->value))
            tell_missing(list, o->value);
    }
}

foci_status foci_table_plan(const foci_table *t, foci_report *r) {
    machine here;
    sums all = {0};
    for (int bf16 = 0; bf16 < 2; bf16++) here.gflops[bf16] = SHARE * foci_peak_gflops(bf16, 20, 200000);
    foci_report *trainings = foci_report_list(r, "trainings"), *missing = foci_report_list(r, "missing");
    for (const foci_table_row *row = t->row; row < t->row + t->rows + t->others; row++)
        if (is_trained(t, row)) FOCI_TRY(tell_training(t, row, &here, trainings, missing, &all));
    for (int m = 0; m < t->measures; m++) tell_folders(&t->measure[m], missing);
    foci_report_number(r, "exaflop", all.exaflop);
    foci_report_number(r, "days", all.days);
    foci_report_number(r, "hours", all.hours);
    foci_report_number(r, "gflops", here.gflops[0]);
    foci_report_number(r, "gflops_bf16", here.gflops[1]);
    foci_report_number(r, "share", SHARE);
    foci_report_whole(r, "threads", foci_threads());
    foci_report_whole(r, "nodes", NODES);
    foci_report_whole(r, "cores", CORES);
    foci_report_number(r, "gbits", NETWORK_GBITS);
    return FOCI_OK;
}
