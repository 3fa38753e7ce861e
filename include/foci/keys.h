/* Keys of a config: what a table of rows says about them, and how a program reads them. */
#ifndef FOCI_KEYS_H
#define FOCI_KEYS_H

#include "foci/foci.h"

/* A choice is one list: its numbers and its words, in one order.
 *
 *     #define FOCI_COLOURS(X) X(FOCI_RED, "red") X(FOCI_BLUE, "blue")
 *     typedef enum foci_colour { FOCI_COLOURS(FOCI_CHOICE_NUMBER) } foci_colour;
 *     static const char *const names[] = {FOCI_COLOURS(FOCI_CHOICE_NAME)};
 *
 * and in a table of keys FOCI_COLOURS(FOCI_CHOICE_WORD) are the choices. */
#define FOCI_CHOICE_NUMBER(number, word) number,
#define FOCI_CHOICE_WORD(number, word) word " "
#define FOCI_CHOICE_NAME(number, word) [number] = word,

typedef enum foci_key_type {
    FOCI_KEY_BOOL,
    FOCI_KEY_INT,
    FOCI_KEY_REAL,
    FOCI_KEY_STRING,
    FOCI_KEY_CHOICE,
    FOCI_KEY_INTS,
    FOCI_KEY_REALS
} foci_key_type;

/* One row: the whole truth about a key. Tables end with {0}. */
typedef struct foci_key {
    const char *name; /* without its section: "lr" of "train.lr" */
    foci_key_type type;
    const char *initial; /* default, as it would stand in the file; NULL: required */
    double min, max;     /* of numbers and of the elements of lists, inclusive; both 0: unbounded */
    const char *choices; /* "max mean none" */
    const char *doc;     /* one line, with the unit */
    bool may_change;     /* a run goes on to the same end with another value */
    bool is_length;      /* of a training: foci train --extend may change it */
    bool path;           /* a string that names a file or folder, from the working folder or that of the config */
    /* what stands for the value in the help of a command, "FILE"; NULL: the choices, or N, X, TEXT */
    const char *placeholder;
    bool names_file; /* of a text: it becomes the name of a file or folder, without a path */
    size_t at, size; /* of the field that foci_config_read fills; size 0: none */
} foci_key;

typedef struct foci_int_list {
    int count;
    const int64_t *value;
} foci_int_list;
typedef struct foci_real_list {
    int count;
    const double *value;
} foci_real_list;

/* A row that is bound to a field of a struct of options, whose name and type it takes: bool, int64_t, double, const
 * char * (a string), an enum (the number of the choice), foci_int_list, foci_real_list.
 *
 *     typedef struct options { int64_t depth; enum { MAX, MEAN } scale; } options;
 *     static const foci_key keys[] = {FOCI_KEY(options, depth, "12", 1, 1000, NULL, "number of blocks"),
 *                                     FOCI_KEY(options, scale, "max", 0, 0, "max mean", "divided by"), {0}}; */
/* clang-format off */
#define FOCI_KEY_TYPE(x) \
    _Generic((x), bool: FOCI_KEY_BOOL, int64_t: FOCI_KEY_INT, double: FOCI_KEY_REAL, const char *: FOCI_KEY_STRING, \
             int: FOCI_KEY_CHOICE, unsigned: FOCI_KEY_CHOICE, foci_int_list: FOCI_KEY_INTS, \
             foci_real_list: FOCI_KEY_REALS)
#define FOCI_KEY(options, field, initial, min, max, choices, doc, ...) \
    {#field, FOCI_KEY_TYPE(((options *)0)->field), initial, min, max, choices, doc, .at = offsetof(options, field), \
     .size = sizeof(((options *)0)->field), ##__VA_ARGS__}
/* clang-format on */

/* Fills the struct that the rows are bound to with the values of their keys, "SECTION.NAME" each; with 0 or "" where a
 * key belongs to a kind that is not chosen. Strings and lists live as long as the config. */
void foci_config_read(const foci_config *c, const char *section, const foci_key *keys, void *options);

/* Values by name, for a key of another room; it must exist in the schema. Full names: "train.lr". Strings and lists
 * live as long as the config. */
bool foci_config_bool(const foci_config *c, const char *key);
int64_t foci_config_int(const foci_config *c, const char *key);
double foci_config_real(const foci_config *c, const char *key);
const char *foci_config_string(const foci_config *c, const char *key);               /* strings and choices */
int foci_config_ints(const foci_config *c, const char *key, const int64_t **values); /* returns how many */
int foci_config_reals(const foci_config *c, const char *key, const double **values);
/* Was it set by the file or --set (and is not just the default)? */
bool foci_config_is_set(const foci_config *c, const char *key);
/* Where: "FILE:LINE:COLUMN", "--set" or "default". */
const char *foci_config_place(const foci_config *c, const char *key);

#endif
