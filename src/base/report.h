/* Names with values, in order: a line of metrics, what a command reports, a summary; and its one printer. What a report
 * holds, a number that is none or a name of any bytes, the JSON is valid.
 *
 *     foci_report r = {NULL};
 *     foci_report_whole(&r, "step", 50);
 *     foci_report_number(&r, "loss", 2.5);
 *     foci_report *errors = foci_report_list(&r, "errors");  // a part of r; what is put into it has no name
 *     foci_report_number(errors, NULL, (double)NAN);
 *     s = foci_report_json(&r, &foci_json_line, stdout);     // {"step": 50, "loss": 2.5, "errors": [null]}
 *     foci_report_free(&r);
 *
 * Texts and names are copied. Memory that runs out is remembered and told where the report is printed. */
#ifndef FOCI_BASE_REPORT_H
#define FOCI_BASE_REPORT_H

#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"

typedef enum foci_value_kind {
    FOCI_NOTHING,
    FOCI_FLAG,
    FOCI_WHOLE,
    FOCI_NUMBER,
    FOCI_TEXT,
    FOCI_PART,
    FOCI_LIST
} foci_value_kind;

typedef struct foci_report_entry {
    const char *name; /* NULL in a list */
    foci_value_kind kind;
    union {
        bool flag;
        int64_t whole;
        double number;
        const char *text;
        struct foci_report *part;
    };
    int decimals; /* of a number: so many; -1: as the form has it */
    struct foci_report_entry *next;
} foci_report_entry;

/* A zeroed one is empty. Parts lie in the arena of the whole, which must not move once it has some. */
typedef struct foci_report {
    foci_report_entry *first, *last;
    struct foci_report *whole; /* NULL: this is it */
    foci_arena arena;
    bool failed; /* memory was out */
} foci_report;

void foci_report_free(foci_report *r); /* with all its parts; empty again */

/* A value goes to the end, or to where its name is already. In a list it has no name (NULL), elsewhere it has one. */
void foci_report_number(foci_report *r, const char *name, double x); /* null where it is not finite */
void foci_report_decimals(foci_report *r, const char *name, double x, int decimals);
void foci_report_whole(foci_report *r, const char *name, int64_t x);
void foci_report_flag(foci_report *r, const char *name, bool x);
void foci_report_text(foci_report *r, const char *name, const char *text); /* NULL: null */
foci_report *foci_report_part(foci_report *r, const char *name);           /* a report in it */
foci_report *foci_report_list(foci_report *r, const char *name);
void foci_report_numbers(foci_report *r, const char *name, int64_t count, const double *x); /* a list of them */

/* What a number or whole number is; NaN for all others. */
double foci_report_value(const foci_report_entry *e);
/* By its name; NULL: there is none. The number of that name, NaN where there is none; the text, or NULL; the part or
 * list, an empty one where there is none. */
const foci_report_entry *foci_report_find(const foci_report *r, const char *name);
double foci_report_number_of(const foci_report *r, const char *name);
const char *foci_report_text_of(const foci_report *r, const char *name);
const foci_report *foci_report_part_of(const foci_report *r, const char *name);

/* How the JSON looks. `digits`: significant ones of numbers; `point`: a number that happens to be whole keeps a point
 * (50.0), else it is printed as a whole one (50), in full below 1e15. */
typedef struct foci_json_form {
    bool compact; /* no blanks */
    int indent;   /* a value a line, its part indented by so many blanks more; 0: one line */
    int digits;
    bool point;
} foci_json_form;
extern const foci_json_form foci_json_line;    /* {"step": 50, "loss": 2.5}: metrics.jsonl */
extern const foci_json_form foci_json_compact; /* {"step":50,"loss":2.5,"top1":50.0} */

/* Bytes that are no UTF-8 become question marks. Without the end of a line. FOCI_ERR_RUNTIME: memory was out. */
foci_status foci_report_json(const foci_report *r, const foci_json_form *form, FILE *f);
/* The same as a text from malloc, or as a whole file. */
foci_status foci_report_string(const foci_report *r, const foci_json_form *form, char **text);
foci_status foci_report_write(const foci_report *r, const foci_json_form *form, const char *path);

/* Cells of CSV: a number, nothing where it is not finite; a text in quotes. */
void foci_csv_number(FILE *f, double x, int digits);
void foci_csv_text(FILE *f, const char *text);

#endif
