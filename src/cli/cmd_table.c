#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/table_show.h"

typedef struct settings {
    const char *out, *runs;
    foci_table_steps steps;
    bool resume, status, dry_run;
} settings;

static const char FOLDER[] = "configs/tables";
#define RUNS "tables/runs"
#define RESULTS "tables/results"

static const foci_key rows[] = {
    FOCI_KEY(settings, out, NULL, 0, 0, NULL,
             "the table (table.md, table.csv, table.tex, table.html), results and logs (default: below tables/, by the "
             "name of the file; results in tables/results)",
             .placeholder = "DIR"),
    FOCI_KEY(settings, runs, NULL, 0, 0, NULL,
             "trained runs, which tables may share (default: runs in DIR of --out; without --out tables/runs)",
             .placeholder = "DIR"),
    FOCI_KEY(settings, resume, "false", 0, 0, NULL,
             "go on with what DIR holds; it does so anyway: nothing that is there is done again"),
    FOCI_KEY(settings, status, "false", 0, 0, NULL, "run nothing: show what is there so far"),
    FOCI_KEY(settings, dry_run, "false", 0, 0, NULL,
             "run nothing: print what the trainings would take, and which data are missing"),
    {0}};

/* "configs/tables/small/robust.yaml" -> tables/small/robust; what lies elsewhere -> tables/NAME */
static foci_status default_folder(const char *file, char *folder, size_t size) {
    const size_t n = strlen(FOLDER);
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file;
    if (strncmp(file, FOLDER, n) == 0 && file[n] == '/') name = file + n + 1;
    const char *dot = strrchr(name, '.');
    char base[256];
    snprintf(base, sizeof base, "%.*s", (int)(dot ? dot - name : (long)strlen(name)), name);
    return foci_path_join(folder, size, "tables", base);
}

static foci_status plan(foci_table *t, const foci_table_options *options) {
    foci_report r = {NULL};
    foci_table_state state;
    FOCI_TRY(foci_table_look(t, options, &state)); /* every config is right, and has what is measured */
    foci_status s = foci_table_plan(t, &r);
    if (!s) foci_table_plan_print(t, &r, &state);
    foci_report_free(&r);
    return s;
}

static foci_status run(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    char folder[4200];
    FOCI_TRY(default_folder(parsed->argument[0], folder, sizeof folder));
    foci_table *t;
    FOCI_TRY(foci_table_read(&t, parsed->argument[0]));
    const foci_table_options options = {.out = o->out ? o->out : folder,
                                        .runs = o->runs || o->out ? o->runs : RUNS,
                                        .results = o->out ? NULL : RESULTS,
                                        .status_only = o->status};
    foci_status s = o->dry_run ? plan(t, &options) : foci_table_show(t, &options, &o->steps, parsed->threads);
    foci_table_free(t);
    return s;
}

/* ---------------------------------------------------------------------------------------- the files of a folder */

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* What is done with the path of each table; FOCI_OK goes on. */
typedef struct visitor {
    foci_status (*visit)(void *context, const char *path);
    void *context;
} visitor;

static bool is_table(const char *path) {
    const char *dot = strrchr(path, '.');
    return dot && strcmp(dot, ".yaml") == 0;
}

/* The files of a folder that are tables, by their names; behind them those of the folders in it. */
static foci_status visit_folder(const char *folder, const visitor *v) {
    char *names[1024], path[4200];
    int n = 0;
    foci_status s = FOCI_OK;
    DIR *d = opendir(folder);
    if (!d) return foci_fail(FOCI_ERR_CONFIG, "%s: %s", folder, strerror(errno));
    for (const struct dirent *e; n < 1024 && (e = readdir(d));)
        if (e->d_name[0] != '.' && (names[n] = strdup(e->d_name))) n++;
    closedir(d);
    qsort(names, (size_t)n, sizeof *names, by_name);
    for (int folders = 0; folders < 2; folders++)
        for (int i = 0; i < n && !s; i++) {
            if (foci_path_join(path, sizeof path, folder, names[i])) continue;
            if ((foci_path_kind(path) == 'd') != folders) continue;
            if (folders) s = visit_folder(path, v);
            else if (is_table(path)) s = v->visit(v->context, path);
        }
    for (int i = 0; i < n; i++) free(names[i]);
    return s;
}

/* ----------------------------------------------------------------------------------------------------- table list */

/* Its path and title; and how much of it is there, where `foci table run` puts it by default. */
static void list_table(foci_table *t, const char *path) {
    char folder[4200];
    foci_table_state state;
    printf("%-56s %s\n", path, t->title);
    if (default_folder(path, folder, sizeof folder) ||
        foci_table_look(t, &(foci_table_options){.out = folder, .runs = RUNS, .results = RESULTS}, &state)) {
        printf("    %s\n", foci_error_message());
    } else if (state.done) {
        printf("    %d of %d done", state.done, state.jobs);
        if (*state.date) printf(", last %s UTC by foci %s", state.date, state.foci);
        putchar('\n');
    } else {
        puts("    not run");
    }
}

static foci_status list_file(void *context, const char *path) {
    foci_table *t;
    (void)context;
    if (foci_table_read(&t, path)) {
        fprintf(stderr, "%s\n", foci_error_message());
        return FOCI_OK;
    }
    list_table(t, path);
    foci_table_free(t);
    return FOCI_OK;
}

static foci_status list(const foci_parsed *parsed) {
    const char *folder = parsed->arguments ? parsed->argument[0] : FOLDER;
    if (parsed->arguments || foci_path_kind(folder)) FOCI_TRY(visit_folder(folder, &(visitor){list_file, NULL}));
    else
        printf("There is no %s here: it comes with the source of foci. foci table list DIR lists those of DIR.\n",
               folder);
    puts("\nWhat can be measured: foci list measures");
    return FOCI_OK;
}

/* --------------------------------------------------------------------------------------------------- table report */

typedef struct report_settings {
    const char *out, *runs, *results;
} report_settings;

static const foci_key report_rows[] = {
    FOCI_KEY(report_settings, out, "tables/report.html", 0, 0, NULL,
             "the page, an .html; or an .md: its text without the pictures; or an .svg: a picture of the claims",
             .placeholder = "FILE"),
    FOCI_KEY(report_settings, runs, RUNS, 0, 0, NULL, "trained runs, which results are compared with",
             .placeholder = "DIR"),
    FOCI_KEY(report_settings, results, RESULTS, 0, 0, NULL,
             "what was measured; also looked at: results/ beside each table's file", .placeholder = "DIR"),
    {0}};

enum { REPORT_TABLES = 256 };
typedef struct reporting {
    const report_settings *o;
    foci_table *table[REPORT_TABLES];
    foci_grid *grid[REPORT_TABLES];
    int tables;
} reporting;

static foci_status report_table(void *context, const char *path) {
    reporting *r = context;
    char folder[4200];
    if (r->tables == REPORT_TABLES) return foci_fail(FOCI_ERR_CONFIG, "more than %d tables", REPORT_TABLES);
    FOCI_TRY(default_folder(path, folder, sizeof folder));
    FOCI_TRY(foci_table_read(&r->table[r->tables], path));
    foci_table *t = r->table[r->tables++];
    const foci_table_options options = {
        .out = folder, .runs = r->o->runs, .results = r->o->results, .status_only = true};
    FOCI_TRY(foci_table_run(t, &options));
    foci_grid *g = calloc(1, sizeof *g);
    if (!g) return foci_out_of_memory();
    r->grid[r->tables - 1] = g;
    return foci_grid_make(g, t);
}

typedef foci_status (*writer)(const foci_grid *const *grid, int grids, FILE *f);

/* By the ending of the file, or NULL. */
static writer writer_of(const char *path) {
    const char *dot = strrchr(path, '.');
    if (!dot) return NULL;
    return strcmp(dot, ".html") == 0  ? foci_report_html
           : strcmp(dot, ".md") == 0  ? foci_report_markdown
           : strcmp(dot, ".svg") == 0 ? foci_report_svg
                                      : NULL;
}

static foci_status write_report(const reporting *r, writer write) {
    char folder[4200], *text = NULL;
    size_t size = 0;
    const char *slash = strrchr(r->o->out, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - r->o->out) : 0, r->o->out);
    if (*folder) FOCI_TRY(foci_make_dirs(folder));
    FILE *f = open_memstream(&text, &size);
    if (!f) return foci_out_of_memory();
    foci_status s = write((const foci_grid *const *)r->grid, r->tables, f);
    if (fclose(f) != 0 && !s) s = foci_out_of_memory();
    if (!s) s = foci_write_file(r->o->out, text, size);
    free(text);
    return s;
}

static foci_status report(const foci_parsed *parsed) {
    reporting r = {.o = parsed->options};
    const visitor v = {report_table, &r};
    const writer write = writer_of(r.o->out);
    if (!write) return foci_fail(FOCI_ERR_CONFIG, "--out %s: a report is an .html, an .md or an .svg", r.o->out);
    foci_status s = FOCI_OK;
    for (int i = 0; i < parsed->arguments && !s; i++)
        s = is_table(parsed->argument[i]) ? report_table(&r, parsed->argument[i])
                                          : visit_folder(parsed->argument[i], &v);
    if (!s && !r.tables) s = foci_fail(FOCI_ERR_CONFIG, "there is no table in %s", parsed->argument[0]);
    if (!s) s = write_report(&r, write);
    if (!s) printf("%d table%s in %s\n", r.tables, foci_plural(r.tables, "s"), r.o->out);
    for (int i = 0; i < r.tables; i++) {
        if (r.grid[i]) foci_grid_free(r.grid[i]);
        free(r.grid[i]);
        foci_table_free(r.table[i]);
    }
    return s;
}

/* --------------------------------------------------------------------------------------------------- the commands */

static const foci_command run_command = {
    .name = "run",
    .summary = "trains, measures and writes a table",
    .synopsis = "FILE",
    .doc = "Trains and measures what a table's file names and is not there yet, and writes the table. Stopped at "
           "any moment, it goes on where it was.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_THREADS | FOCI_ENDS_BY_SIGNAL,
    .size = sizeof(settings),
    .options = {{rows}, {foci_table_steps_keys, offsetof(settings, steps)}},
    .run = run,
};

static const foci_command list_command = {.name = "list",
                                          .summary = "which tables there are",
                                          .synopsis = "[DIR]",
                                          .doc = "The tables in a folder (default: configs/tables) with their titles, "
                                                 "and how much of each is there, since when and "
                                                 "by which foci, where `foci table run` keeps it by default.",
                                          .most = 1,
                                          .run = list};

static const foci_command report_command = {
    .name = "report",
    .summary = "one page of several tables, and what holds",
    .synopsis = "DIR_OR_FILE...",
    .doc = "One self-contained page of all tables in some folders, as far as they are measured: each claim that the "
           "files make, with what the tables say of it, then every table with its pictures. Runs nothing.",
    .least = 1,
    .most = 64,
    .size = sizeof(report_settings),
    .options = {{report_rows}},
    .run = report};

const foci_command foci_command_table = {
    .name = "table",
    .summary = "train, measure and write a table of runs",
    .commands = (const foci_command *const[]){&run_command, &list_command, &report_command, NULL}};
