/* Configuration: YAML files with inheritance, --set overrides, checked against tables of keys (foci/keys.h:
 * foci_key). Every error is one message "FILE:LINE:COLUMN: what", with the nearest known name; below it stands the
 * line of the file. */
#ifndef FOCI_CONFIG_CONFIG_H
#define FOCI_CONFIG_CONFIG_H

#include "foci/plugin.h"
#include "base/arena.h"
#include "base/error.h"
#include "base/report.h"

/* Keys of one section, "train". `kind` NULL: always there; else only where SECTION.kind has that value. The section
 * "" holds the top-level keys (name). A section with kinds also has a row "kind" of type choice. */
typedef struct foci_section {
    const char *section, *kind;
    const foci_key *keys; /* NULL: none */
} foci_section;
/* A config with a name, built in: what `recipe: NAME` stands for. Its keys are defaults, those of files and --set win.
 */
typedef struct foci_recipe {
    const char *name, *summary, *text; /* text: YAML */
} foci_recipe;
typedef struct foci_schema {
    const foci_section *sections;
    int count;
    const foci_recipe *recipes; /* ended by {0}; or NULL */
} foci_schema;

/* In a file: `inherit: other.yaml` (or a list of them), relative to the file, is read first, later keys win;
 * "train.lr: 0.1" is short for "train: {lr: 0.1}". A key of a kind that is not chosen is checked, and logged as having
 * no effect. The strings of the schema must outlive the config. */

/* Reads a file, what it inherits, then the overrides ("train.lr=0.1"). Free with foci_config_free (foci.h).
 * FOCI_ERR_CONFIG for anything wrong, a missing file too. */
foci_status foci_config_load(foci_config **config, const foci_schema *schema, const char *path, const char *const *set,
                             int sets);
/* The same from text, for tests and generated configs; `name` is used in messages, inherit is relative to it. */
foci_status foci_config_parse(foci_config **config, const foci_schema *schema, const char *name, const char *text,
                              size_t size, const char *const *set, int sets);

/* The resolved config as YAML: every key of the schema that applies, with its value; reading it back gives the same
 * config. From malloc. */
char *foci_config_dump(const foci_config *config);
/* The same for the folder of a run: paths to what is there are absolute, so that it can be read from anywhere. */
char *foci_config_record(const foci_config *config);
/* The same as one line of JSON: top-level keys, and an object for each section. */
char *foci_config_json(const foci_config *config);

/* What of it differs from the defaults, a line "SECTION.KEY: VALUE" for each, from wherever and however it was read:
 * the same text for the same run, also from a later version that has more keys. From malloc; NULL when memory is out.
 */
char *foci_config_essence(const foci_config *config);

/* A path (foci_key) is one from the working folder or, where nothing lies there and a file names it, from the folder of
 * that file: what programs ask for is where it was found. FOCI_ERR_DATA, with both places, where nothing was. */
foci_status foci_config_path(const foci_config *config, const char *key);

/* Gives a string key another value, as the one who opened the config finds it out; what --set said stays. The config
 * as YAML, JSON or essence has what was said of it, not this. */
foci_status foci_config_put(foci_config *config, const char *key, const char *value);

/* Fails with the place of a key: "FILE:LINE:COLUMN: KEY: fmt". For checks that a table cannot express. */
foci_status foci_config_fail(const foci_config *config, const char *key, const char *fmt, ...) FOCI_PRINTF(3, 4);

/* A key whose values differ; where it does not apply (another kind), NULL. */
typedef struct foci_difference {
    const char *key, *a, *b;
    bool may_change; /* and a run may go on all the same */
    bool is_length;  /* and a run may be extended */
} foci_difference;
/* Both of one schema. FOCI_ERR_RUNTIME when memory is out. */
foci_status foci_config_compare(const foci_config *a, const foci_config *b,
                                void (*visit)(void *context, const foci_difference *d), void *context);

/* Every key in the order of the table, as text. */
typedef struct foci_key_text {
    const char *section, *kind;              /* "train"; "vit", or NULL where the key belongs to all kinds */
    const char *name, *type, *initial, *doc; /* the type with its bounds or choices */
} foci_key_text;
void foci_schema_visit(const foci_schema *schema, void (*visit)(void *context, const foci_key_text *key),
                       void *context);

/* The table as text, for `foci help config`: every key, type, default, bounds, meaning; `filter` is a part of a
 * full name or NULL. Empty where nothing matches. From malloc. */
char *foci_schema_help(const foci_schema *schema, const char *filter);

/* ------------------------------------------------------------------------------- rows without a config */

/* Settings of a command, of a measure, of a contamination: one table of bound rows (FOCI_KEY), its struct, and texts.
 * Types, bounds, choices and messages are those of a config; what is wrong is FOCI_ERR_CONFIG. Strings and lists live
 * in the arena. A real number may be a fraction, 1/255.
 *
 *     settings o;
 *     FOCI_TRY(foci_keys_parse(keys, "word-swap", (const char *[]){"rate=0.1"}, 1, &arena, &o)); */

/* Every field gets the default of its row; that of a required key 0 or "". */
foci_status foci_keys_defaults(const foci_key *keys, foci_arena *arena, void *options);
/* One field, from a text as it stands (the argument of an option): "1,2" is a list, `yes: no` a string. Messages call
 * it `label`: "--rate: `2` is out of bounds: 0 to 1". */
foci_status foci_key_parse(const foci_key *key, const char *label, const char *text, foci_arena *arena, void *options);
/* The defaults, then texts "NAME=VALUE" written as for --set; the last of a name wins. Messages begin with `who`:
 * "word-swap: rate: `2` is out of bounds: 0 to 1". Required keys have to be there. */
foci_status foci_keys_parse(const foci_key *keys, const char *who, const char *const *set, int sets, foci_arena *arena,
                            void *options);

/* Rows that are bound to a part of a larger struct. Arrays end with {0}. */
typedef struct foci_option_rows {
    const foci_key *keys;
    size_t at; /* of the part */
} foci_option_rows;

/* Bytes of the struct that the rows are bound to, as a multiple of every alignment; 0 without rows. */
size_t foci_keys_bytes(const foci_key *keys);
/* The field of a row. */
const void *foci_key_field(const foci_key *key, const void *options);
/* The word of a field that holds the number of a choice. */
bool foci_key_word(const foci_key *key, const void *options, char word[64]);
/* The field as a value of the report, under that name; lists are left out. */
void foci_key_report(const foci_key *key, const void *options, const char *name, foci_report *r);
/* The i-th word of "max mean none"; false behind the last. */
bool foci_choice(const foci_key *key, int i, char word[64]);

#endif
