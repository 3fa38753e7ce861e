/* What passes between the files of this room: a source is read into entries (names and texts with their places), the
 * newest first; entries and the schema are resolved into values. All memory is the config's arena. */
#ifndef FOCI_CONFIG_INTERNAL_H
#define FOCI_CONFIG_INTERNAL_H

#include "base/arena.h"
#include "base/nearest.h"
#include "base/utf8.h"
#include "config/config.h"

enum {
    FOCI_CONFIG_BYTES = 1 << 18, /* of a file */
    FOCI_CONFIG_SCALAR = 4096,   /* bytes of a key or a value */
    FOCI_CONFIG_KEYS = 1000,     /* of a file; also the elements of a list */
    FOCI_CONFIG_DEPTH = 8,       /* of inheritance */
    FOCI_CONFIG_FILES = 64       /* inherited by one config, each counted as often as it is read */
};

/* ------------------------------------------------------------------------------------- sources and places */

/* A file, or with text NULL something without lines: "--set train.lr=0.1", "default", or nameless: "". */
typedef struct foci_source {
    const char *name, *text;
    size_t size;
} foci_source;

typedef struct foci_mark {
    size_t line, column; /* from 1, columns in characters */
    size_t index;        /* characters before it */
} foci_mark;

/* "FILE:LINE:COLUMN", or the name of a source without lines. */
char *foci_place(foci_arena *arena, const foci_source *source, foci_mark at);
/* Fails with FOCI_ERR_CONFIG and "FILE:LINE:COLUMN: fmt", followed by the line of the file. */
foci_status foci_fail_at(const foci_source *source, foci_mark at, const char *fmt, ...) FOCI_PRINTF(3, 4);

/* Text that may be shown in a message: printable and short. */
typedef struct foci_shown {
    char text[128];
} foci_shown;
foci_shown foci_show(const char *text, size_t size);

/* -------------------------------------------------------------------------------------------------- entries */

typedef struct foci_scalar {
    const char *text;
    bool quoted; /* quoted text is a string, never a number */
    foci_mark at;
} foci_scalar;

/* A key with its value as written. */
typedef struct foci_entry {
    struct foci_entry *next;
    const foci_source *source;
    const char *section, *name; /* name NULL: a section's own key */
    foci_mark at;               /* of the key */
    bool list;                  /* else items is one scalar */
    int count;
    foci_scalar *items;
} foci_entry;

/* "train.lr" or "train", for messages. */
foci_shown foci_entry_name(const foci_entry *entry);
/* A name that holds section and key, "train.lr", is taken apart. */
foci_status foci_split_name(foci_arena *arena, foci_entry *entry);
/* The entries of a file in its order. */
foci_status foci_yaml_read(foci_arena *arena, const foci_source *source, foci_entry **entries);
/* The value of one entry that has source and names already: a scalar or a list. */
foci_status foci_yaml_value(foci_arena *arena, const char *text, foci_entry *entry);
/* The same of a text as it stands: of a string no character is special, a list needs no brackets. */
foci_status foci_literal(foci_arena *arena, const foci_key *key, const char *text, foci_entry *entry);
/* The first of the entries with this name, the one that wins; NULL. */
const foci_entry *foci_entry_find(const foci_entry *entries, const char *section, const char *name);

/* Does the schema know the name; if not, which one may be meant? */
foci_status foci_check_name(const foci_schema *schema, const foci_entry *entry);
/* Does it know the kind that the section is said to be of? `kind` NULL: nothing was said. */
foci_status foci_check_kind(foci_arena *arena, const foci_schema *schema, const char *section, const foci_entry *kind);

/* --------------------------------------------------------------------------------------------------- values */

/* A row of the schema and what it holds. */
typedef struct foci_value {
    const char *name; /* "train.lr" */
    const char *section, *kind;
    foci_key key;
    bool applies; /* its kind is the section's */
    bool set;     /* by a file or --set */
    bool initial; /* what it holds is the default, whether said or not */
    const foci_entry *entry;
    const char *place;
    int64_t integer;    /* of integers; of booleans 0 or 1 */
    double real;        /* of all numbers */
    const char *string; /* of strings and choices; of a path, where it was found */
    const char *beside; /* of a path that was not found: the other place that was looked at; or NULL */
    const char *stated; /* what files and --set said where another value was put in its place; else NULL */
    int count;          /* of lists */
    const int64_t *integers;
    const double *reals;
} foci_value;

struct foci_config {
    foci_arena arena;
    const foci_source *main;
    foci_entry *entries; /* the newest first */
    foci_value *values;  /* one per row of the schema, in its order */
    int count;
};

/* Reads the entry as the key of v asks, into v. */
foci_status foci_value_read(foci_arena *arena, foci_value *v, const foci_entry *entry);
/* A path that a file names may be one from the folder of the file. */
foci_status foci_value_find_path(foci_arena *arena, foci_value *v);
/* The applicable value with this full name; NULL. */
const foci_value *foci_value_find(const foci_config *config, const char *name);
foci_status foci_resolve(foci_config *config, const foci_schema *schema);

/* Two values of one key. */
foci_status foci_value_same(const foci_value *a, const foci_value *b, bool *same);
/* As YAML; from malloc, NULL when memory is out. */
char *foci_value_text(const foci_value *v);

/* "1 to 4096", "0 or more"; "" where the key is unbounded. */
foci_shown foci_bounds(const foci_key *key);
#endif
