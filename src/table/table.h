/* Tables: runs, what is measured on each, and the page that shows it. A file (or a sweep) names runs and measurements;
 * foci trains what is missing, measures what is missing, and writes the table.
 *
 *     foci_table *t;
 *     FOCI_TRY(foci_table_read(&t, "table.yaml"));
 *     s = foci_table_run(t, &options);       // every result is a file of its own: stopped at any time, it goes on
 *     foci_table_write(t, "out", ...);       // table.md, .csv, .tex, .html
 *     foci_table_free(t); */
#ifndef FOCI_TABLE_TABLE_H
#define FOCI_TABLE_TABLE_H

#include <signal.h>
#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/report.h"
#include "measure/measure.h"
#include "task/metrics.h"

enum {
    FOCI_TABLE_RUNS = 256, /* with those that others begin from */
    FOCI_TABLE_SEEDS = 64,
    FOCI_TABLE_MEASURES = 48,
    FOCI_TABLE_FIELDS = 8,
    FOCI_TABLE_SETS = 64,
    FOCI_TABLE_CLAIMS = 16,
    FOCI_TABLE_FACTS = 16
};

/* One measurement of a table: "pgd:eps=1/255,limit=1000" under a label; or the mean of others, which have its fields.
 */
typedef struct foci_table_measure {
    const char *label, *spec;
    int mean[FOCI_TABLE_MEASURES], means; /* indices of these; means 0: it is measured itself */
    foci_asked asked;
    const char *words[FOCI_ASKED_WORDS]; /* the command's arguments but for the run */
    int count;
    const foci_metric *field[FOCI_TABLE_FIELDS];
    int fields;
} foci_table_measure;

typedef struct foci_table_paper { /* a published figure: of a measurement's field */
    const char *label, *field;
    double value;
    const char *mark; /* where it comes from, "read", "recalled" */
} foci_table_paper;

/* What is run for a row. Where a row of the table needs several configs, each with measurements of its own, the others
 * are `shown` in the first. */
typedef struct foci_table_row {
    int shown;                 /* index of the row that has its results; -1: none, others begin from it */
    const char *name, *config; /* config NULL: nothing is run, its figures are published ones */
    const char *set[FOCI_TABLE_SETS], *eval_set[FOCI_TABLE_SETS]; /* of its config; and when it is measured alone */
    int sets, eval_sets;
    foci_table_paper paper[FOCI_TABLE_MEASURES];
    int papers;
    bool no_seed[FOCI_TABLE_SEEDS], no_measure[FOCI_TABLE_MEASURES]; /* of the table's, which the row does without */
    const struct foci_table_row *baseline;                           /* that it is compared with; NULL: none */
    const struct foci_table_row *init, *teacher; /* with whose weights its training begins, from whom it learns */
    double items; /* images or tokens of its training, where its data cannot tell; or 0 */
} foci_table_row;

/* What is said of a row beside another, to be held against the table: that it is better in some results, or worse by
 * `margin` percent at most. */
typedef struct foci_table_claim {
    const char *text;
    const foci_table_row *row, *than; /* than: its baseline, if no other is named */
    double margin;                    /* NaN: none, it is to be better */
    const char *reason;               /* why it is not to be tested here; or NULL */
    struct foci_table_of {
        int measure, field;
    } in[FOCI_TABLE_MEASURES];
    int count;
} foci_table_claim;

/* An image and where a model looks: what its class token takes of every patch, (rows, columns). */
typedef struct foci_table_picture {
    const char *photograph; /* a PNG in base64 */
    int rows, columns;
    const double *attention;
} foci_table_picture;

/* A result: one seed of one row, one measurement. */
typedef struct foci_table_result {
    bool known, failed;
    double value[FOCI_TABLE_FIELDS]; /* NaN: not reported */
    foci_table_picture *picture;
    int pictures;
} foci_table_result;

typedef struct foci_table {
    foci_arena arena;
    const char *path, *title, *note;
    int64_t seed[FOCI_TABLE_SEEDS];
    int seeds; /* 0: the seed of each config */
    foci_table_row row[FOCI_TABLE_RUNS];
    int rows, others; /* behind the rows, what is no row of the table by itself */
    foci_table_measure measure[FOCI_TABLE_MEASURES];
    int measures;
    foci_table_claim claim[FOCI_TABLE_CLAIMS];
    int claims;
    const char *fact[FOCI_TABLE_FACTS]; /* on how published figures are to be read */
    int facts;
    foci_table_result *result; /* (rows, max(seeds, 1), measures), filled by foci_table_run */
    bool looked;               /* it holds what there is: nothing was wrong with the configs */
} foci_table;

static inline int foci_table_samples(const foci_table *t) { return t->seeds ? t->seeds : 1; }
static inline foci_table_result *foci_table_at(const foci_table *t, int row, int sample, int measure) {
    return &t->result[((int64_t)row * foci_table_samples(t) + sample) * t->measures + measure];
}

/* ------------------------------------------------------------------------------------------------ making one */

foci_status foci_table_read(foci_table **t, const char *path);
foci_table *foci_table_new(const char *path); /* an empty one; NULL: out of memory */
void foci_table_free(foci_table *t);

/* Adds a measurement; `place` begins the message where it is wrong. `show`: names of fields, or NULL for the measure's
 * own. */
foci_status foci_table_add_measure(foci_table *t, const char *place, const char *label, const char *spec,
                                   const char *const *show, int shown);
/* The mean of measurements that are there, by index. */
foci_status foci_table_add_mean(foci_table *t, const char *place, const char *label, const int *of, int count);
/* Adds a row, its name and config set; NULL where there are too many or memory is out. */
foci_table_row *foci_table_add_row(foci_table *t);
/* Does the row have it? */
static inline bool foci_table_has(const foci_table_row *row, int sample, int measure) {
    return row->shown >= 0 && row->config && !row->no_seed[sample] && !row->no_measure[measure];
}

/* --------------------------------------------------------------------------------------------------- running */

/* A command of foci that is to run beside this process, and how it ended. */
typedef struct foci_table_command {
    const char *const *word; /* "train", "vit.yaml", ...; ended by NULL */
    int threads;
    const char *out, *log; /* files for its standard output and error */
} foci_table_command;
typedef struct foci_table_ending {
    int code;           /* it exited with; or: */
    const char *signal; /* what ended it; NULL: nothing did */
} foci_table_ending;

/* What runs commands; the library itself starts no process. */
typedef struct foci_table_runner {
    foci_status (*start)(void *context, const foci_table_command *command, int *handle);
    foci_status (*look)(void *context, int handle, bool *ended, foci_table_ending *how); /* without waiting */
    void (*stop)(void *context, int handle);                                             /* asks it to save and end */
    void *context;
} foci_table_runner;

typedef struct foci_table_options {
    const char *out;            /* logs */
    const char *runs, *results; /* which tables may share; NULL: OUT/runs, OUT/results */
    int jobs, threads;          /* commands at once, and the threads of all together */
    const char *program;        /* version and commit of what runs, which results name */
    bool status_only;           /* run nothing: read what is there */
    const volatile sig_atomic_t *stop;
    const foci_table_runner *runner;
} foci_table_options;

/* Trains and measures what is missing. FOCI_INTERRUPTED when stopped. A command that fails leaves its cells empty; the
 * rest is done all the same, and the first failure is what is returned in the end. */
foci_status foci_table_run(foci_table *t, const foci_table_options *options);

/* What the trainings of a table would take, and which data are missing. Opens the data that are there, runs nothing.
 *
 *     "trainings": "run", "count" (seeds), "parameters", "items", "exaflop" (of all seeds), "days" (here), "hours" and
 *         "nodes" (as many of `nodes` as can share a batch); without data that its shape needs only the first two
 *     "missing": files and folders; "exaflop", "days", "hours": sums
 *     "gflops", "gflops_bf16", "share" (of the peak), "threads", "nodes", "cores", "gbits": what they are computed from
 */
foci_status foci_table_plan(const foci_table *t, foci_report *r);

/* How much of it is there, in folders as foci_table_run has them; the newest result, and by which foci it was made. */
typedef struct foci_table_state {
    int done, jobs;
    char date[32], foci[64]; /* "" where there is none; "several" versions */
} foci_table_state;
foci_status foci_table_look(foci_table *t, const foci_table_options *options, foci_table_state *state);

/* --------------------------------------------------------------------------------------------------- showing */

typedef struct foci_cell {
    int n;           /* seeds that have it */
    double mean, sd; /* over the seeds; sd NaN below two */
    bool best, second, failed;
    char text[96]; /* "71.23 ± 0.12", " (2)" behind it where that is of fewer seeds; "" where nothing is known */
} foci_cell;

/* One row less another in a column, over the seeds that both have: the mean, and its 95 % interval by Student's t for
 * paired samples, mean - half to mean + half (half NaN below two seeds). */
typedef struct foci_paired {
    int n;
    double mean, half, base, percent; /* base: the other's mean, of which `percent` is */
} foci_paired;
static inline bool foci_is_seen(const foci_paired *d) {
    return d->mean - d->half > 0 || d->mean + d->half < 0; /* NaN: no */
}
extern const char foci_paired_note[]; /* what is said of them, the test named */

/* A row beside its baseline in a column: the difference, and how it reads. */
typedef struct foci_comparison {
    int row, column;
    foci_paired difference;
    char mean[64], interval[96]; /* "+0.44 (+0.7 %)", "-0.35 to +1.23" */
    const char *verdict;         /* "better", "no difference seen" */
} foci_comparison;

typedef struct foci_column {
    const foci_table_measure *measure;
    const foci_metric *field;
    int measure_index, field_index;
    bool paper; /* some row has a published figure */
    char title[128];
} foci_column;

/* What is found of a claim: all evidence for it, and what that comes to: "holds", "holds in 3 of 5", "does not hold",
 * "not seen", of a margin "cannot be told"; of none: not testable, for this reason. */
typedef struct foci_finding {
    const char *text, *reason; /* reason NULL: it is tested */
    const struct foci_evidence *evidence;
    int count;
    char sum[96];
} foci_finding;
/* In the order in which claims come first; claims of one text are one. */
typedef struct foci_findings {
    foci_finding *finding;
    int count;
    struct foci_evidence *evidence; /* of all */
} foci_findings;

/* The table laid out: columns that have a value or a published figure, and the cells (rows, columns). */
typedef struct foci_grid {
    const foci_table *table;
    foci_column column[FOCI_TABLE_MEASURES * FOCI_TABLE_FIELDS];
    int columns;
    foci_cell *cell;
    foci_comparison *comparison; /* of rows that have a baseline, row by row */
    int comparisons;
    foci_findings findings; /* of the claims of its file */
} foci_grid;
foci_status foci_grid_make(foci_grid *g, const foci_table *t);
void foci_column_title(const foci_table_measure *m, const foci_metric *field, char title[128]); /* "clean top-1, %" */
void foci_grid_free(foci_grid *g);
static inline const foci_cell *foci_grid_cell(const foci_grid *g, int row, int column) {
    return &g->cell[row * g->columns + column];
}
const foci_table_paper *foci_grid_paper(const foci_grid *g, int row, int column); /* NULL: none */
double foci_grid_value(const foci_grid *g, int row, int column, int sample);      /* NaN: none */
foci_paired foci_grid_difference(const foci_grid *g, int row, int other, int column);
foci_comparison foci_grid_compare(const foci_grid *g, const foci_table_row *row, const foci_table_row *than,
                                  int column);

/* A claim held against one result: the difference to the baseline, and what follows. */
typedef enum foci_verdict {
    FOCI_NOT_MEASURED, /* or in one seed only */
    FOCI_HOLDS,        /* the interval lies on the claimed side */
    FOCI_FAILS,        /* on the other */
    FOCI_NOT_SEEN,     /* on both */
    FOCI_VERDICTS
} foci_verdict;
typedef struct foci_evidence {
    const foci_grid *grid;
    const foci_table_claim *claim;
    foci_comparison seen;
    int better; /* the sign of what is good */
    foci_verdict verdict;
    char what[512], said[96]; /* "elliptical: PGD 1/255 top-1, %", "no difference seen" */
} foci_evidence;
foci_status foci_findings_make(foci_findings *f, const foci_grid *const *grid, int grids); /* of several tables */
void foci_findings_free(foci_findings *f);

void foci_grid_text(const foci_grid *g, FILE *f, bool colour);
void foci_grid_markdown(const foci_grid *g, FILE *f);
void foci_grid_csv(const foci_grid *g, FILE *f);
void foci_grid_latex(const foci_grid *g, FILE *f);
void foci_grid_html(const foci_grid *g, FILE *f);
/* table.md, table.csv, table.tex and table.html in the folder. */
foci_status foci_table_write(const foci_grid *g, const char *folder);

/* Several tables, the claims that are made of them and what came of these, as one page; as Markdown, without pictures
 * and without tables of which nothing is measured; or what came of the claims alone, as a picture, SVG. */
foci_status foci_report_html(const foci_grid *const *grid, int grids, FILE *f);
foci_status foci_report_markdown(const foci_grid *const *grid, int grids, FILE *f);
foci_status foci_report_svg(const foci_grid *const *grid, int grids, FILE *f);

#endif
