/* The work of a table, for this room alone: the commands that train and measure, and where their results lie. */
#ifndef FOCI_TABLE_WORK_H
#define FOCI_TABLE_WORK_H

#include <jansson.h>

#include "table/table.h"

enum { FOCI_WORK_PATH = 4200, FOCI_WORK_WORDS = FOCI_ASKED_WORDS + 4 * FOCI_TABLE_SETS };

typedef enum foci_job_state { FOCI_JOB_WAITS, FOCI_JOB_RUNS, FOCI_JOB_DONE, FOCI_JOB_FAILED } foci_job_state;

/* A command. The training of a sample has measure -1; measurements wait for it. */
typedef struct foci_job {
    int row, sample, measure;
    int after[2];  /* indices of jobs to wait for, or -1 */
    int reference; /* row whose result of the same measurement it reads, or -1 */
    bool alone;    /* all threads, nothing beside it */
    uint64_t hash; /* of the config */
    foci_job_state state;
    int handle;              /* of the runner, while it runs */
    const char *name;        /* for people */
    const char *data;        /* what it is measured on, once that was looked at */
    const char *run;         /* folder of what is trained or measured; NULL: a measurement that needs none */
    const char *result;      /* the file */
    const char *shipped;     /* where it may have come with the table's file; NULL: trainings do not */
    const char *found;       /* that of the two which has it; NULL: none so far */
    char date[32], foci[64]; /* when it was made, and by which */
    const char *word[FOCI_WORK_WORDS + 1];
    int words, reads; /* reads: index of the word that names the result of `reference` */
} foci_job;

typedef struct foci_work {
    foci_table *t;
    const foci_table_options *o;
    foci_job *job;
    int jobs, started, done, failed;
    bool ends;        /* no command is started any more, those that run are to stop */
    unsigned told;    /* how often, in rounds of waiting */
    foci_error first; /* failure */
} foci_work;

/* jobs.c. All that the table asks for, what is waited for first. Checks every config. Free w->job. */
foci_status foci_work_make(foci_work *w);
/* The job whose result j reads, or NULL. */
const foci_job *foci_job_read(const foci_work *w, const foci_job *j);

/* Without running anything: what is there is done, and trainings whose results are all there are not needed. closely:
 * a result of other weights or data than those that are there counts for nothing. */
void foci_work_settle(foci_work *w, bool closely);

/* results.c. Takes the result where it is there, whole, of this command. */
bool foci_result_take(foci_work *w, foci_job *j, bool closely);
foci_table_result *foci_result_of(const foci_work *w, const foci_job *j);
/* What the command printed becomes the result, and its file. */
foci_status foci_result_keep(foci_work *w, foci_job *j, const json_t *result);

#endif
