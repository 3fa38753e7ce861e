/* A run as foci runs and foci diff show it. */
#ifndef FOCI_CLI_RUN_SHOW_H
#define FOCI_CLI_RUN_SHOW_H

#include "run/record.h"

typedef struct foci_run_view {
    const char *path, *name; /* name: the last component */
    foci_run_status status;
    json_t *lines, *summary;   /* summary: NULL where there is none */
    const json_t *best, *last; /* lines with a validation score, or NULL */
    long long step, steps;     /* steps 0: not known */
    double elapsed;
} foci_run_view;

/* `path` must outlive it. Close it after a failure too. */
foci_status foci_run_view_open(foci_run_view *v, const char *path);
void foci_run_view_close(foci_run_view *v);
void foci_run_view_report(const foci_run_view *v, foci_report *r);

void foci_run_name_text(const char *name, char text[256]);       /* with ? for what would steer a terminal */
void foci_run_steps_text(const foci_run_view *v, char text[64]); /* "1200/3900" */
void foci_run_score_text(const json_t *line, char text[64]);     /* "top-1 65.14 % (3900)", "-" */

#endif
