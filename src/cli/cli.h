/* What the commands share. A command gets its own arguments (argv[0] is "foci NAME") and returns its exit code. */
#ifndef FOCI_CLI_CLI_H
#define FOCI_CLI_CLI_H

#include <argp.h>
#include <signal.h>
#include <stdio.h>

#include "base/report.h"
#include "base/watch.h"
#include "config/config.h"
#include "run/open.h"

typedef struct foci_command {
    const char *name, *summary;
    foci_status (*run)(int argc, char **argv);
} foci_command;
extern const foci_command foci_commands[]; /* ended by {0} */

#define FOCI_COMMAND(name, summary) foci_status foci_cmd_##name(int argc, char **argv);
#include "cli/list.h"
#undef FOCI_COMMAND

/* Runs the one that argv[1] names; `name` is "foci" or "foci data". */
foci_status foci_run_command(const char *name, const foci_command *commands, int argc, char **argv);

/* --set, --threads and --json, for commands that take a config. */
enum { FOCI_MAX_SETS = 256 };
typedef struct foci_common {
    const char *set[FOCI_MAX_SETS];
    int sets, threads;
    bool json;
} foci_common;

/* argp with foci's conventions: unknown options and surplus arguments are FOCI_ERR_CONFIG; --help, --usage and --version
 * print and set *done.
 * Arguments that are no options go to `rest`: at least `least`, at most `most`. */
typedef struct foci_arguments {
    const struct argp_option *options;                     /* of the command, or NULL */
    foci_status (*option)(void *state, int key, char *arg); /* one of them */
    void *state;
    const char *synopsis, *doc;                             /* "CONFIG", what it does */
    bool common;                                            /* --set, --threads, --json */
    int least, most;
} foci_arguments;
foci_status foci_parse_arguments(const foci_arguments *a, int argc, char **argv, foci_common *common, const char **rest,
                                 int *count, bool *done);

/* Shows the arguments of every command, in the order of `foci --help`: what the manual and the completion are made of. */
typedef struct foci_visitor {
    void (*visit)(void *context, const char *command, const foci_arguments *a); /* "foci data make" */
    void *context;
} foci_visitor;
foci_status foci_visit_commands(const foci_visitor *visitor);
bool foci_visiting(void);
extern const struct argp_option foci_common_options[]; /* of commands where `common` is set; ended by {0} */

/* The manual page foci(1); completion for bash; the keys of a config in Markdown. All from the tables that the commands and
 * configs are read by. */
foci_status foci_print_manual(FILE *out);
foci_status foci_print_completion(FILE *out);
foci_status foci_print_reference(FILE *out);

/* "12", "1.5": the whole text or FOCI_ERR_CONFIG naming the option. */
foci_status foci_parse_int(const char *option, const char *text, long long min, long long max, long long *value);

/* foci_config_open with the overrides of --set. */
foci_status foci_open_config(foci_config **config, const char *config_or_run, const foci_common *common);

/* "0.5": the whole text or FOCI_ERR_CONFIG naming the option. */
foci_status foci_parse_real(const char *option, const char *text, double min, double max, double *value);

/* stderr is a terminal (and TERM is not dumb): a progress line may be redrawn. */
bool foci_is_terminal(void);

/* SIGINT and SIGTERM set the first; a second one ends the process at once. SIGUSR1 sets the other. */
extern volatile sig_atomic_t foci_stop, foci_save_now;
void foci_catch_signals(void);

/* Shows on a terminal how far work is, and ends it by foci_stop. */
extern const foci_watch foci_on_terminal;

/* A result as one line of JSON on standard output; the report is freed. */
foci_status foci_print_report(foci_report *r, const foci_json_form *form);
/* The overrides of the config, as "set". */
void foci_report_sets(foci_report *r, const foci_common *common);

void foci_print_version(void);

/* The whole command line as one text, for env.json. */
const char *foci_command_line(void);

/* Allocations made by this process so far (malloc and its kin); -1 where they cannot be counted (sanitizers). */
long long foci_allocations(void);

#endif
