/* Measures: what is asked of a trained model, or of a config, and what the answer is. Commands, tables and
 * sweeps read this list; a measure is one file and one line in list.h, as CONTRIBUTING.md shows.
 *
 *     foci_asked asked;
 *     foci_report report = {NULL};
 *     FOCI_TRY(foci_measure_ask(&asked, "here", "pgd:eps=1/255,limit=100", &arena));
 *     const foci_subject subject = {.config = config, .weights = "run/best.safetensors"};
 *     s = asked.measure->run(&subject, asked.options, NULL, &report);
 *     double left = foci_report_number_of(&report, "top1");
 *     foci_report_free(&report); */
#ifndef FOCI_MEASURE_MEASURE_H
#define FOCI_MEASURE_MEASURE_H

#include "base/group.h"
#include "base/report.h"
#include "base/watch.h"
#include "config/config.h"

/* What is measured. */
enum { FOCI_SUBJECT_SETS = 256 };
typedef struct foci_subject {
    const foci_config *config;
    const char *weights;            /* a file; NULL where the measure needs none */
    const char *run;                /* the folder or config that the user named */
    const char *const *set;         /* what the user overrode in the config, */
    int sets;                       /* for the report */
    long long (*allocations)(void); /* made by the process so far; NULL: they are not counted */
    foci_group *group;              /* of processes that share the work; NULL: one alone */
} foci_subject;

enum { FOCI_MEASURE_METRICS = 8 };
typedef struct foci_measure {
    const char *name, *summary;
    size_t size;                 /* of its struct of options */
    foci_option_rows options[6]; /* the rows that are bound to it, ended by {0} */
    const foci_key *inner;       /* and settings that go, behind the measure's name, into the option `within`: */
    const char *within;          /* "word-swap:rate=0.1,min=2" */
    const char *needs;           /* an option that has to be given: "eps"; NULL: none */
    const char *reads;           /* an option that may name another row of a table, whose report is read; or NULL */
    const char *task;            /* that the model must have, "images" or "text"; NULL: whatever it is */
    const char *metrics[FOCI_MEASURE_METRICS]; /* names of its report (task/metrics.c), in a table those that
                                                  are there */
    bool (*shares)(const void *options); /* can several processes share what these ask for? Of the subject's group all
                                            get the report. NULL: never */
    bool untrained;                      /* of a config alone; it times, so that nothing else should run beside it */
    foci_status (*run)(const foci_subject *subject, const void *options, const foci_watch *watch, foci_report *report);

    /* How the report is printed: as JSON (NULL: foci_json_line), and for people (NULL: its metrics by their
     * titles). */
    const foci_json_form *form;
    void (*print)(const foci_report *report, FILE *f);

    /* The command of its own that it has, "attack", and the options that ask this command for it,
     * "method=pgd". NULL: it is asked for by `foci eval --measure`. */
    const char *command;
    const char *preset[3];
} foci_measure;

#define FOCI_MEASURE(name) extern const foci_measure foci_measure_##name;
#include "measure/list.h"
#undef FOCI_MEASURE
extern const foci_measure *const foci_measures[];        /* ended by NULL */
const foci_measure *foci_measure_find(const char *name); /* NULL: there is none */

/* Is it one for the config's model? */
foci_status foci_measure_fits(const foci_measure *m, const foci_config *config);
/* Puts its weights and what was overridden into a report. */
void foci_subject_tell(const foci_subject *subject, foci_report *report);
void foci_measure_print(const foci_measure *m, const foci_report *report, FILE *f);
/* Its options as words, "eps, limit, step-size"; NULL: memory is out. */
const char *foci_measure_options(const foci_measure *m, foci_arena *arena);

/* ------------------------------------------------------------------------------------------------- asking */

enum { FOCI_ASKED_OPTIONS = 48 };
typedef struct foci_asked {
    const foci_measure *measure;
    const void *options;    /* its struct, filled */
    const char *checkpoint; /* weights in place of the run's best; or NULL */
    struct foci_asked_option {
        const foci_key *key;      /* NULL: checkpoint, or set with a key of the config, "attention.reduce=median" */
        const char *name, *value; /* "step-size"; "" where it goes inside of another */
        double number;            /* the value, where it is one, else NaN */
    } option[FOCI_ASKED_OPTIONS]; /* as they were given, in order */
    int count;
    bool sets; /* keys of the config are among them */
} foci_asked;

/* Reads "pgd:eps=1/255,limit=1000,attention.reduce=median"; every value is checked by its row. Messages begin
 * with `place`. All texts lie in the arena. */
foci_status foci_measure_ask(foci_asked *asked, const char *place, const char *spec, foci_arena *arena);

/* The words of a command line that measures it, but for the run: "attack --method pgd --eps 1/255". Returns
 * how many, -1 where memory is out. Results of tables are named by them. */
enum { FOCI_ASKED_WORDS = 2 * FOCI_ASKED_OPTIONS + 8 };
/* Is it the word "--relative-to" of the option that reads another row? */
bool foci_measure_reads(const foci_measure *m, const char *word);
int foci_measure_words(const foci_asked *asked, const char *word[FOCI_ASKED_WORDS], foci_arena *arena);

#endif
