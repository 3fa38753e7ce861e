/* Commands as data. One constant says what a command is called, what it takes and what it does; the command line is
 * read by these rows, and help, manual page, completion and the README's list are printed from them. README.md tells
 * how to add one. */
#ifndef FOCI_CLI_COMMAND_H
#define FOCI_CLI_COMMAND_H

#include <stdio.h>

#include "base/arena.h"
#include "base/group.h"
#include "config/config.h"
#include "task/training.h"

typedef struct foci_command foci_command;
typedef struct foci_parsed foci_parsed;

/* Options are rows of keys, bound by FOCI_KEY to a struct of the command: `step_size` is --step-size. What is not given
 * is the row's default; where that is NULL, the field stays what it was: NULL, 0, false. An option of type bool takes
 * no value. A placeholder in brackets, "[FILE]": the value may be left out, and is the empty text then. */
enum {                     /* what a command takes */
       FOCI_TAKES_SET = 1, /* options that many share, rows in arguments.c in this order */
       FOCI_TAKES_THREADS = 2,
       FOCI_TAKES_JSON = 4,
       FOCI_TAKES_CHECKPOINT = 8,
       FOCI_TAKES_DTYPE = 16,
       FOCI_TAKES_COMMON = FOCI_TAKES_SET | FOCI_TAKES_THREADS | FOCI_TAKES_JSON,
       FOCI_OPENS_CONFIG = 32, /* its first argument names a config or a run, which is opened, with what --set says */
       FOCI_OPENS_WEIGHTS = 64 | FOCI_OPENS_CONFIG | FOCI_TAKES_CHECKPOINT, /* and its weights are found */
       FOCI_ENDS_BY_SIGNAL = 128,                                           /* it looks at foci_stop */
       FOCI_TAKES_GROUP = 256, /* several processes can do it together; the first speaks for all */
       FOCI_FIRST_DOES = 512   /* of several processes the first does it, and the others leave: a table may start it */
};

struct foci_command {
    const char *name, *summary;          /* "train"; a line for lists */
    const foci_command *const *commands; /* of its own, as `foci data make`, ended by NULL; the rest is empty then */
    const char *synopsis, *doc;          /* "CONFIG"; what it does */
    int least, most;                     /* arguments */
    unsigned takes;
    size_t size;                 /* of its struct of options; 0: none */
    foci_option_rows options[8]; /* ended by {0} */
    foci_status (*check)(
        const foci_parsed *parsed); /* of options that exclude or need each other, before anything is opened; or NULL */
    bool (*shares)(
        const foci_parsed *parsed); /* of one that FOCI_FIRST_DOES: can several processes share this? NULL: never */
    foci_status (*run)(const foci_parsed *parsed);
};
extern const foci_command foci_root; /* foci itself: all commands, in the order of `foci --help` */

#define FOCI_COMMAND(name) extern const foci_command foci_command_##name;
#include "cli/list.h"
#undef FOCI_COMMAND

/* A command line that has been read. */
enum { FOCI_MAX_SETS = 256 };
struct foci_parsed {
    const foci_command *command;
    const char *name; /* "foci data make" */
    const char *const *argument;
    int arguments;
    const void *options; /* the command's struct, filled */
    foci_config *config; /* where `takes` says so */
    char weights[4200];  /* likewise */

    foci_group *group; /* that this process is one of; NULL: it is alone */

    const char *set, *checkpoint; /* the common options; of --set the last */
    foci_operands dtype;          /* where it is given */
    int64_t threads;
    bool json;
    const char *override[FOCI_MAX_SETS]; /* every --set */
    int overrides;

    struct foci_given { /* every option as it was given, in order */
        const void *field;
        const char *text;
    } * given;
    int gives;
    foci_arena arena; /* of all of it, and of what else should live as long */
};

/* The i-th text that was given for the option that is bound to this field, NULL behind the last: for those that may be
 * given several times. */
const char *foci_parsed_text(const foci_parsed *parsed, const void *field, int i);

/* ------------------------------------------------------------------------------------------------ finding */

enum { FOCI_COMMAND_NAME = 64 };
/* Runs the command, or one of its own that argv[1] names. `name` is its full name, argv[0] likewise. */
foci_status foci_command_run(const foci_command *command, const char *name, int argc, char **argv);
/* Of one that has none of its own: reads the command line and runs it, or prints its help or the version. */
foci_status foci_parsed_run(const foci_command *command, const char *name, int argc, char **argv);

/* The one of its commands that is called so, or NULL. */
const foci_command *foci_command_find(const foci_command *parent, const char *name);
/* Visits all that have none of their own, in the order of `foci --help`, by full names: "foci data make". */
typedef void foci_command_visitor(void *context, const char *name, const foci_command *command);
void foci_commands_visit(foci_command_visitor *visit, void *context);

/* ----------------------------------------------------------------------------------------------- printing */

/* The options of a command: its own rows, then the common ones that it takes. */
enum { FOCI_MAX_OPTIONS = 48 };
typedef struct foci_option {
    const foci_key *key;
    char name[64], value[128]; /* "step-size"; what stands for its value, "" where it takes none */
    bool may_be_bare;          /* the value may be left out */
    bool common;               /* the field is one of foci_parsed, not of the command's struct */
    size_t at;                 /* of the struct that it is bound to, in the command's own */
} foci_option;
int foci_options_of(const foci_command *command, foci_option option[FOCI_MAX_OPTIONS]); /* returns how many */
/* Its meaning and default, "steps to time after warm-up (default 10)". */
void foci_option_text(const foci_option *option, char *text, size_t size);

void foci_print_help(FILE *f, const char *name, const foci_command *command);
void foci_print_usage(FILE *f, const char *name, const foci_command *command);
/* The manual page foci(1); completion for bash; the commands, and the keys of a config, in Markdown. */
void foci_print_manual(FILE *f);
void foci_print_completion(FILE *f);
void foci_print_commands(FILE *f);
void foci_print_reference(FILE *f);

#endif
