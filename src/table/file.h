/* A table's file as it is read, for this room alone: a YAML tree whose nodes know their places. */
#ifndef FOCI_TABLE_FILE_H
#define FOCI_TABLE_FILE_H

#include <yaml.h>

#include "table/table.h"

enum { FOCI_FILE_TEXT = 4096 }; /* bytes that a text has at most */

/* Where a row names another. */
typedef struct foci_named {
    const yaml_node_t *baseline, *init, *teacher;
} foci_named;

typedef struct foci_file {
    foci_table *t;
    yaml_document_t document;
    const char *set[FOCI_TABLE_SETS]; /* of every run */
    int sets;
    double items;
    const yaml_node_t *baseline;
    foci_named named[FOCI_TABLE_RUNS];
} foci_file;

/* file_tree.c. foci_file_load reads the document; free it. The others fail with the file's name, line and column. */
foci_status foci_file_load(foci_file *r, const char *text, size_t size);
foci_status foci_file_fail(const foci_file *r, const yaml_node_t *n, const char *fmt, ...) FOCI_PRINTF(3, 4);
yaml_node_t *foci_file_node(foci_file *r, int id);
/* A scalar as text that may be shown and be part of a command; lives as long as the table. */
foci_status foci_file_text(foci_file *r, const yaml_node_t *n, const char *what, const char **text);
foci_status foci_file_list(const foci_file *r, const yaml_node_t *n, const char *what);
foci_status foci_file_mapping(const foci_file *r, const yaml_node_t *n, const char *what);
typedef struct foci_file_entry {
    const char *key;
    yaml_node_t *at, *value;
} foci_file_entry;
bool foci_file_next_entry(yaml_node_t *map, yaml_node_pair_t **at); /* from *at NULL on */
foci_status foci_file_read_entry(foci_file *r, yaml_node_t *map, const yaml_node_pair_t *at, foci_file_entry *p);

/* file.c */
foci_status foci_file_seed(foci_file *r, const yaml_node_t *n, int64_t *seed);
foci_status foci_file_items(foci_file *r, const yaml_node_t *n, double *items);
foci_status foci_file_sets(foci_file *r, yaml_node_t *n, const char **set, int *sets);
foci_status foci_file_measure(foci_file *r, const yaml_node_t *n, int *index);
foci_status foci_file_result(const foci_file *r, const yaml_node_t *n, const char *text, struct foci_table_of *of);

/* file_rows.c. Runs are read, those that are rows of the table put in front, and then what they name of each other. */
foci_status foci_file_runs(foci_file *r, yaml_node_t *n, bool shown);
foci_status foci_file_sort_rows(foci_file *r);
foci_status foci_file_join_rows(foci_file *r);
foci_status foci_file_row(foci_file *r, const yaml_node_t *n, int count, const foci_table_row **found);

/* file_claims.c */
foci_status foci_file_claims(foci_file *r, yaml_node_t *n);
foci_status foci_file_facts(foci_file *r, yaml_node_t *n);

#endif
