#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "cli/table_show.h"

enum { OUT = 1, RUNS, JOBS, RESUME, STATUS, THREADS };

static foci_status set_option(void *state, int key, char *arg) {
    foci_table_options *o = state;
    long long n = 0;
    switch (key) {
    case OUT: o->out = arg; return FOCI_OK;
    case RUNS: o->runs = arg; return FOCI_OK;
    case JOBS: FOCI_TRY(foci_parse_int("--jobs", arg, 1, 64, &n)); o->jobs = (int)n; return FOCI_OK;
    case THREADS: FOCI_TRY(foci_parse_int("--threads", arg, 1, 1024, &n)); o->threads = (int)n; return FOCI_OK;
    case STATUS: o->status_only = true; return FOCI_OK;
    default: return FOCI_OK; /* --resume: that is what always happens */
    }
}

static const struct argp_option run_options[] = {
    {"out", OUT, "DIR", 0, "results, logs and the table: table.md, table.csv, table.tex, table.html (default: tables/NAME of the file)", 0},
    {"runs", RUNS, "DIR", 0, "trained runs (default: runs in DIR of --out); tables may share one", 0},
    {"jobs", JOBS, "N", 0, "commands at once; the threads are divided among them (default 1)", 0},
    {"threads", THREADS, "N", 0, "of all commands together (default: all cores)", 0},
    {"resume", RESUME, NULL, 0, "go on with what DIR holds; it does so anyway: nothing that is there is done again", 0},
    {"status", STATUS, NULL, 0, "run nothing: show what is there so far", 0},
    {0}};

/* "configs/tables/small/robust.yaml" -> tables/robust */
static foci_status default_folder(const char *file, char *folder, size_t size) {
    const char *slash = strrchr(file, '/'), *name = slash ? slash + 1 : file, *dot = strrchr(name, '.');
    char base[256];
    snprintf(base, sizeof base, "%.*s", (int)(dot ? dot - name : (long)strlen(name)), name);
    return foci_path_join(folder, size, "tables", base);
}

static foci_status run(int argc, char **argv) {
    foci_table_options o = {.jobs = 1};
    const char *path[1];
    char folder[4200];
    int count;
    bool done;
    const foci_arguments a = {run_options, set_option, &o, "FILE",
                              "Trains and measures what a table's file names and is not there yet, and writes the table. Stopped at any moment, "
                              "it goes on where it was.", false, 1, 1};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, NULL, path, &count, &done));
    if (done) return FOCI_OK;
    FOCI_TRY(default_folder(path[0], folder, sizeof folder));
    if (!o.out) o.out = folder;
    foci_table *t;
    FOCI_TRY(foci_table_read(&t, path[0]));
    foci_status s = foci_table_show(t, &o);
    foci_table_free(t);
    return s;
}

static int by_name(const void *a, const void *b) { return strcmp(*(char *const *)a, *(char *const *)b); }

/* One line per file of a folder that is a table: its path and title. */
static foci_status list_folder(const char *folder) {
    char *names[1024], path[4200];
    int n = 0;
    DIR *d = opendir(folder);
    if (!d) return foci_fail(FOCI_ERR_CONFIG, "%s: %s", folder, strerror(errno));
    for (const struct dirent *e; n < 1024 && (e = readdir(d));)
        if (e->d_name[0] != '.' && (names[n] = strdup(e->d_name))) n++;
    closedir(d);
    qsort(names, (size_t)n, sizeof *names, by_name);
    for (int i = 0; i < n; i++) {
        const char *dot = strrchr(names[i], '.');
        foci_table *t;
        if (!foci_path_join(path, sizeof path, folder, names[i])) {
            if (foci_path_kind(path) == 'd') list_folder(path);
            else if (dot && strcmp(dot, ".yaml") == 0 && !foci_table_read(&t, path)) {
                printf("%-48s %s\n", path, t->title);
                foci_table_free(t);
            } else if (dot && strcmp(dot, ".yaml") == 0) {
                fprintf(stderr, "%s\n", foci_error_message());
            }
        }
        free(names[i]);
    }
    return FOCI_OK;
}

static foci_status list(int argc, char **argv) {
    const char *path[1] = {"configs/tables"};
    int count;
    bool done;
    const foci_arguments a = {NULL, NULL, NULL, "[DIR]", "The tables in a folder (default: configs/tables) with their titles, and what can be measured.",
                              false, 0, 1};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, NULL, path, &count, &done));
    if (done) return FOCI_OK;
    FOCI_TRY(list_folder(path[0]));
    puts("\nmeasurements");
    for (const foci_table_kind *k = foci_table_kinds; k->name; k++) printf("  %-12s %s; options: %s\n", k->name, k->summary, k->options);
    return FOCI_OK;
}

foci_status foci_cmd_table(int argc, char **argv) {
    static char name[32];
    if (argc > 1 && (strcmp(argv[1], "run") == 0 || strcmp(argv[1], "list") == 0)) {
        snprintf(name, sizeof name, "foci table %s", argv[1]);
        argv[1] = name;
        return name[11] == 'r' ? run(argc - 1, argv + 1) : list(argc - 1, argv + 1);
    }
    const foci_arguments a = {NULL, NULL, NULL, "run FILE | list",
                              "`foci table run FILE` trains, measures and writes a table; `foci table list` shows which there are.", false, 0, 0};
    const char *none[1];
    int count;
    bool done;
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, NULL, none, &count, &done));
    return done ? FOCI_OK : foci_fail(FOCI_ERR_CONFIG, "usage: foci table run FILE, or foci table list (see foci table --help)");
}
