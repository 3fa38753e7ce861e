/* The kinds of data set that a config can name (data.kind). A kind is one file, data_NAME.c, and one line in
 * data_list.h. */
#ifndef FOCI_TASK_DATA_SETS_H
#define FOCI_TASK_DATA_SETS_H

#include "base/error.h"
#include "foci/plugin.h"
#include "images/images.h"
#include "text/text.h"

/* Parts of a data set; several are opened at once. */
enum { FOCI_TRAIN = 1, FOCI_VALID = 2, FOCI_TEST = 4, FOCI_SPLITS = 3 };
typedef struct foci_split {
    unsigned flag;
    const char *name, *key, *what; /* "val", "data.val", "validation" */
} foci_split;
extern const foci_split foci_splits[FOCI_SPLITS]; /* training, validation, test */
/* "val", "valid" or "test" as its place there. FOCI_ERR_CONFIG: "ITEMS have the splits val and test, not NAME". */
foci_status foci_split_of(const char *items, const char *name, int *place);

/* Takes what is found in a data set line by line, without their ends. */
typedef struct foci_lines {
    void (*take)(void *context, const char *line);
    void *context;
} foci_lines;
void foci_say(const foci_lines *lines, const char *fmt, ...) FOCI_PRINTF(2, 3);

typedef struct foci_data_set {
    const char *name, *summary;
    const char *task;       /* that it is data for, "images": a name of list.h */
    const foci_key *keys;   /* "data.KEY" */
    const foci_key *shared; /* keys that it has in common with others of its task (foci_image_keys); NULL: none */
    /* Adds the splits asked for that the config names to what tasks of this kind work on: `data` is a foci_image_sets
     * (image_data.h) or a foci_corpus (corpus.h), from zeros on; the caller closes it, after a failure too. */
    foci_status (*open)(const foci_config *config, unsigned splits, void *data);
    /* Reads every file, naming each that is bad, which is FOCI_ERR_DATA at the end; NULL: counting does so. */
    foci_status (*check)(const foci_config *config, const foci_lines *lines);
    foci_status (*count)(const foci_config *config, const foci_lines *lines);
    /* Draws the first `count` samples of an epoch of training as the model gets them; NULL: there is nothing to see. */
    foci_status (*show)(const foci_config *config, int count, int64_t epoch, foci_image *sheet);
    /* Tells them line by line, where there is nothing to see. NULL: nor to tell. */
    foci_status (*tell)(const foci_config *config, int count, int64_t epoch, const foci_lines *lines);
    /* Of sequences: the first `most` ids of a line without its label, and how many. FOCI_ERR_DATA says what is wrong
     * with it. NULL: they are no lines. */
    foci_status (*line)(const foci_vocabulary *words, const char *text, int64_t most, int32_t *ids, int64_t *length);
    /* By what words lines are read, from the weights that are run or else from the data; NULL: by none. */
    foci_status (*words)(const foci_config *config, foci_vocabulary **words);
    bool in_front; /* their padding stands there (sequences.h) */
} foci_data_set;

extern const foci_data_set *const foci_data_sets[]; /* ended by NULL */
const foci_data_set *foci_data_set_of(const foci_config *config);

#endif
