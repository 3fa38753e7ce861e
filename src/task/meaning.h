/* What the weights of a model mean: the names of its outputs (the classes of images, the words of text), how its inputs
 * were prepared, which data it learnt from. It goes with the weights, as metadata of every file of them; the names also
 * lie beside them as a list, one a line. So whoever has a run has all that it needs but other data. */
#ifndef FOCI_TASK_MEANING_H
#define FOCI_TASK_MEANING_H

#include "base/report.h"
#include "config/config.h"
#include "core/safetensors.h"

enum { FOCI_MEANINGS = 8 };
typedef struct foci_meaning {
    foci_text_pair pair[FOCI_MEANINGS]; /* {"classes", "cat\ndog\n"}, {"transform", "{...}"} */
    int count;
    foci_arena arena;
} foci_meaning;

void foci_meaning_free(foci_meaning *m);
foci_status foci_meaning_add(foci_meaning *m, const char *key, const char *text); /* both are copied */
/* The names of `count` outputs, one a line. */
foci_status foci_meaning_add_names(foci_meaning *m, const char *key, int64_t count,
                                   const char *(*name)(const void *of, int64_t k), const void *of);
foci_status foci_meaning_add_report(foci_meaning *m, const char *key, const foci_report *r); /* a line of JSON */
const char *foci_meaning_find(const foci_meaning *m, const char *key);                       /* NULL: none */

/* The names of outputs that the config takes from a file (data.labels): a list, or weights whose metadata have them as
 * `key`; from malloc, one a line, each line ended. *text NULL: it names no file. FOCI_ERR_DATA with the file. */
foci_status foci_labels_read(const foci_config *config, const char *key, char **text, size_t *size);
/* The same of another key of the config, which names a file likewise. */
foci_status foci_names_read(const foci_config *config, const char *path_key, const char *key, char **text,
                            size_t *size);

/* What those weights say under another key, or else `silent`; from malloc, NULL where the config names no weights. */
foci_status foci_labels_note(const foci_config *config, const char *key, const char *silent, char **text);

/* The same name by name; count 0 where the config names no file. */
typedef struct foci_labels {
    char *text;
    const char **name; /* (count) */
    int64_t count;
} foci_labels;
foci_status foci_labels_open(foci_labels *l, const foci_config *config, const char *key);
void foci_labels_close(foci_labels *l);

/* What weights say under one key, from malloc. FOCI_ERR_DATA where they do not, or are no weights. */
foci_status foci_meaning_of_weights(const char *weights, const char *key, char **text);

/* Where the names for these weights are: in themselves, or else the list beside them; "" where there is neither, in
 * runs of a foci that kept none. */
foci_status foci_labels_of_weights(const char *weights, char *path, size_t size);

#endif
