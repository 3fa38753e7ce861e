#define _GNU_SOURCE
#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/run_show.h"

typedef struct listing {
    char **name;
    size_t count;
    bool failed;
} listing;

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

static void add(listing *l, const char *name) {
    char **grown = realloc(l->name, (l->count + 1) * sizeof *grown);
    if (grown) l->name = grown;
    if (!grown || !(l->name[l->count] = strdup(name))) l->failed = true;
    else l->count++;
}

/* The folders in DIR that hold a config.yaml. */
static foci_status find_runs(const char *dir, listing *l) {
    char config[8400];
    DIR *d = opendir(dir);
    if (!d) return foci_fail(FOCI_ERR_CONFIG, "%s: no such folder; foci runs DIR lists the runs in DIR", dir);
    for (const struct dirent *e; (e = readdir(d));) {
        snprintf(config, sizeof config, "%s/%s/config.yaml", dir, e->d_name);
        if (e->d_name[0] != '.' && foci_path_kind(config) == 'f') add(l, e->d_name);
    }
    closedir(d);
    if (l->count) qsort(l->name, l->count, sizeof *l->name, by_name);
    return l->failed ? foci_out_of_memory() : FOCI_OK;
}

/* "3 min", "5 h", "12 days": since a file changed. */
static void age_of(const char *run, char text[32]) {
    char path[4200];
    struct stat st;
    text[0] = 0;
    if (foci_path_join(path, sizeof path, run, "metrics.jsonl") || stat(path, &st) != 0) return;
    const double minutes = fmax(0, difftime(time(NULL), st.st_mtime) / 60); /* clocks are set back */
    if (minutes < 120) snprintf(text, 32, "%.0f min", minutes);
    else if (minutes < 48 * 60) snprintf(text, 32, "%.0f h", minutes / 60);
    else snprintf(text, 32, "%.0f days", minutes / 1440);
}

static void print_run(const foci_run_view *v, int width, const char *age) {
    char name[256], steps[64], best[64], last[64];
    foci_run_name_text(v->name, name);
    foci_run_steps_text(v, steps);
    foci_run_score_text(v->best, best);
    foci_run_score_text(v->last, last);
    printf("%-*s  %-11s %15s  %-24s %-24s %s\n", width, name, foci_run_status_name(v->status), steps, best, last, age);
}

static void report_broken(foci_report *r, const char *path) {
    foci_report_text(r, "run", path);
    foci_report_text(r, "state", "broken");
    foci_report_text(r, "message", foci_error_message());
}

/* One of them goes into the list `all`, or is printed where that is NULL. */
static void show(const char *dir, const char *of, int width, foci_report *all) {
    char path[8400], name[256], age[32];
    foci_run_view v;
    snprintf(path, sizeof path, "%s/%s", dir, of);
    const bool broken = foci_run_view_open(&v, path) != FOCI_OK;
    age_of(path, age);
    foci_run_name_text(of, name);
    if (all && broken) report_broken(foci_report_part(all, NULL), path);
    else if (all) foci_run_view_report(&v, foci_report_part(all, NULL));
    else if (broken) printf("%-*s  broken: %s\n", width, name, foci_error_message());
    else print_run(&v, width, age);
    foci_run_view_close(&v);
}

static foci_status print_json(const char *dir, const listing *l) {
    foci_report r = {NULL};
    foci_report *all = foci_report_list(&r, "runs");
    for (size_t i = 0; i < l->count; i++) show(dir, l->name[i], 0, all);
    return foci_print_report(&r, &foci_json_compact);
}

static foci_status print_table(const char *dir, const listing *l) {
    int width = 3;
    if (!l->count) {
        printf("There are no runs in %s; foci train CONFIG makes one.\n", dir);
        return FOCI_OK;
    }
    for (size_t i = 0; i < l->count; i++)
        if ((int)strlen(l->name[i]) > width) width = (int)strlen(l->name[i]);
    printf("%-*s  %-11s %15s  %-24s %-24s %s\n", width, "run", "state", "steps", "best", "last", "changed ago");
    for (size_t i = 0; i < l->count; i++) show(dir, l->name[i], width, NULL);
    return FOCI_OK;
}

static foci_status runs(const foci_parsed *parsed) {
    const char *dir = parsed->arguments ? parsed->argument[0] : "runs";
    listing l = {NULL, 0, false};
    const bool none = !parsed->arguments && !foci_path_kind(dir); /* nothing was ever trained here */
    foci_status s = none ? FOCI_OK : find_runs(dir, &l);
    if (!s) s = parsed->json ? print_json(dir, &l) : print_table(dir, &l);
    for (size_t i = 0; i < l.count; i++) free(l.name[i]);
    free(l.name);
    return s;
}

const foci_command foci_command_runs = {
    .name = "runs",
    .summary = "the runs in a folder: how they stand, what they reached",
    .synopsis = "[DIR]",
    .doc = "Lists the runs in a folder (default: runs): how they stand, steps made and planned, their best and last "
           "validation score.",
    .most = 1,
    .takes = FOCI_TAKES_JSON,
    .run = runs,
};
