/* What the commands share. */
#ifndef FOCI_CLI_CLI_H
#define FOCI_CLI_CLI_H

#include <signal.h>
#include <stdio.h>

#include "base/report.h"
#include "base/watch.h"
#include "cli/command.h"
#include "run/open.h"

/* stderr is a terminal (and TERM is not dumb): a progress line may be redrawn. */
bool foci_is_terminal(void);

/* SIGINT, SIGTERM, SIGHUP and SIGUSR2 (which launchers hand to their processes) set the first; a second one, but for
 * SIGUSR2, ends the process at once. SIGUSR1 sets the other. */
extern volatile sig_atomic_t foci_stop, foci_save_now;
extern const char foci_program_version[]; /* and the commit, where that is known */
extern bool foci_speaks; /* false in all processes of a group but the first: what is to be said, that one says */
void foci_print_failure(foci_status s); /* "foci: ...", where there was one */
void foci_catch_signals(void);

/* Shows on a terminal how far work is, and ends it by foci_stop. */
extern const foci_watch foci_on_terminal;

/* A result as one line of JSON on standard output; the report is freed. */
foci_status foci_print_report(foci_report *r, const foci_json_form *form);

void foci_print_version(void);

/* The whole command line as one text, for env.json. */
const char *foci_command_line(void);

/* From here on allocations (malloc and its kin) are counted. Those so far; -1 where they cannot be counted
 * (sanitizers, clang). */
void foci_count_allocations(void);
long long foci_allocations(void);

#endif
