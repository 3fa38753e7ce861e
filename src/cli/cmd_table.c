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

static const char FOLDER[] = "configs/tables", RUNS[] = "tables/runs", RESULTS[] = "tables/results";

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

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

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

static void list_file(const char *path) {
    foci_table *t;
    const char *dot = strrchr(path, '.');
    if (!dot || strcmp(dot, ".yaml") != 0) return;
    if (foci_table_read(&t, path)) {
        fprintf(stderr, "%s\n", foci_error_message());
        return;
    }
    list_table(t, path);
    foci_table_free(t);
}

/* The files of a folder that are tables, by their names; behind them those of the folders in it. */
static foci_status list_folder(const char *folder) {
    char *names[1024], path[4200];
    int n = 0;
    DIR *d = opendir(folder);
    if (!d) return foci_fail(FOCI_ERR_CONFIG, "%s: %s", folder, strerror(errno));
    for (const struct dirent *e; n < 1024 && (e = readdir(d));)
        if (e->d_name[0] != '.' && (names[n] = strdup(e->d_name))) n++;
    closedir(d);
    qsort(names, (size_t)n, sizeof *names, by_name);
    for (int folders = 0; folders < 2; folders++)
        for (int i = 0; i < n; i++) {
            if (foci_path_join(path, sizeof path, folder, names[i])) continue;
            if ((foci_path_kind(path) == 'd') != folders) continue;
            if (folders) list_folder(path);
            else list_file(path);
        }
    for (int i = 0; i < n; i++) free(names[i]);
    return FOCI_OK;
}

static foci_status list(const foci_parsed *parsed) {
    const char *folder = parsed->arguments ? parsed->argument[0] : "configs/tables";
    if (parsed->arguments || foci_path_kind(folder)) FOCI_TRY(list_folder(folder));
    else
        printf("There is no %s here: it comes with the source of foci. foci table list DIR lists those of DIR.\n",
               folder);
    puts("\nWhat can be measured: foci list measures");
    return FOCI_OK;
}

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

const foci_command foci_command_table = {.name = "table",
                                         .summary = "train, measure and write a table of runs",
                                         .commands = (const foci_command *const[]){&run_command, &list_command, NULL}};
