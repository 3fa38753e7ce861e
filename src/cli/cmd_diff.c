#include <stdio.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/run_show.h"
#include "task/schema.h"

static void print_difference(void *context, const foci_difference *d) {
    int *count = context;
    printf("  %-28s %-28s %s\n", d->key, d->a ? d->a : "-", d->b ? d->b : "-");
    ++*count;
}

static void report_difference(void *context, const foci_difference *d) {
    foci_report *both = foci_report_list(context, d->key);
    foci_report_text(both, NULL, d->a);
    foci_report_text(both, NULL, d->b);
}

static foci_status load(foci_config **config, const char *run) {
    char path[4200];
    FOCI_TRY(foci_path_join(path, sizeof path, run, "config.yaml"));
    return foci_config_load(config, foci_schema_all(), path, NULL, 0);
}

/* A name and the texts of both runs. */
static void row(const char *name, const char *a, const char *b) { printf("  %-28s %-28s %s\n", name, a, b); }

static void print_results(const foci_run_view v[2]) {
    char text[2][64];
    puts("\nresults");
    row("state", foci_run_status_name(v[0].status), foci_run_status_name(v[1].status));
    for (int i = 0; i < 2; i++) foci_run_steps_text(&v[i], text[i]);
    row("steps", text[0], text[1]);
    for (int i = 0; i < 2; i++) foci_run_score_text(v[i].best, text[i]);
    row("best (step)", text[0], text[1]);
    for (int i = 0; i < 2; i++) foci_run_score_text(v[i].last, text[i]);
    row("last (step)", text[0], text[1]);
    for (int i = 0; i < 2; i++) snprintf(text[i], 64, "%.1f min", v[i].elapsed / 60);
    row("time", text[0], text[1]);
}

static foci_status print(const foci_config *const c[2], const foci_run_view v[2]) {
    int count = 0;
    row("", v[0].name, v[1].name);
    puts("config");
    FOCI_TRY(foci_config_compare(c[0], c[1], print_difference, &count));
    if (!count) puts("  the same");
    print_results(v);
    return FOCI_OK;
}

static foci_status print_json(const foci_config *const c[2], const foci_run_view v[2]) {
    foci_report r = {NULL};
    foci_status s = foci_config_compare(c[0], c[1], report_difference, foci_report_part(&r, "config"));
    foci_report *runs = foci_report_list(&r, "runs");
    for (int i = 0; i < 2; i++) foci_run_view_report(&v[i], foci_report_part(runs, NULL));
    if (!s) return foci_print_report(&r, &foci_json_compact);
    foci_report_free(&r);
    return s;
}

static foci_status run(const foci_parsed *parsed) {
    foci_config *c[2] = {NULL, NULL};
    foci_run_view v[2] = {{.path = NULL}, {.path = NULL}};
    foci_status s = FOCI_OK;
    for (int i = 0; i < 2 && !s; i++) s = load(&c[i], parsed->argument[i]);
    for (int i = 0; i < 2 && !s; i++) s = foci_run_view_open(&v[i], parsed->argument[i]);
    if (!s) s = (parsed->json ? print_json : print)((const foci_config *const *)c, v);
    for (int i = 0; i < 2; i++) {
        foci_run_view_close(&v[i]);
        foci_config_free(c[i]);
    }
    return s;
}

const foci_command foci_command_diff = {
    .name = "diff",
    .summary = "how two runs differ, in config and results",
    .synopsis = "RUN RUN",
    .doc = "How two runs differ: the keys of their configs with both values, and their results.",
    .least = 2,
    .most = 2,
    .takes = FOCI_TAKES_JSON,
    .run = run,
};
