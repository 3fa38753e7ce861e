/* Labelled sequences that a config names: what all kinds of data set of sequences share. */
#ifndef FOCI_TASK_SEQUENCE_DATA_H
#define FOCI_TASK_SEQUENCE_DATA_H

#include "core/parameters.h"
#include "sequences/sequences.h"
#include "task/data_sets.h"
#include "task/meaning.h"

typedef struct foci_sequence_keys_of {
    int64_t cut, workers;
} foci_sequence_keys_of;
extern const foci_key foci_sequence_keys[]; /* "data.KEY" */

/* What kinds of this task open; NULL: not asked for, or the config names none. */
typedef struct foci_sequence_splits {
    union {
        foci_sequences *of[FOCI_SPLITS];
        struct {
            foci_sequences *train, *val, *test;
        };
    };
    foci_vocabulary *words; /* what all are read by; NULL: tokens are numbers of the kind's own */
} foci_sequence_splits;

/* Opens the splits that are asked for, and gives them the classes of data.labels, or else those of the training data
 * where that is opened. Refused: sequences of other sides, tokens or length than the model has. Nothing is open after a
 * failure. */
foci_status foci_sequence_splits_open(foci_sequence_splits *s, const foci_config *c, unsigned splits);
void foci_sequence_splits_close(foci_sequence_splits *s);
/* "val", "valid" or "test" as one that is open; FOCI_ERR_CONFIG where there is none. */
foci_status foci_sequence_split(const foci_sequence_splits *s, const foci_config *c, const char *name,
                                foci_sequences **set);
/* The files of those that are open. */
foci_status foci_sequence_splits_list(const foci_sequence_splits *s, foci_manifest *m);
/* So many tokens are seen of each. */
int64_t foci_sequence_cut(const foci_config *c);
/* A word about those that are longer; false: there are none. */
bool foci_sequences_cut_text(const foci_sequences *s, int64_t cut, char text[160]);
/* Likewise about words that the vocabulary does not have. */
bool foci_sequences_unknown_text(const foci_sequences *s, const foci_vocabulary *words, char text[160]);
/* Have weights a row for every word, where model.vocab does not say how many there are? FOCI_ERR_CHECKPOINT where not:
 * they are of other words. */
foci_status foci_sequences_check_words(const foci_vocabulary *words, const foci_config *c, const foci_model *model,
                                       const foci_parameters *p);
/* Are rows of a batch as long as the longest of it (data.pad), not as the model's length? */
bool foci_sequences_fit(const foci_config *c);
/* {"classes", ...}, and {"vocabulary", ...} where there is one */
foci_status foci_sequences_mean(const foci_sequences *s, const foci_vocabulary *words, foci_meaning *m);

/* The files that data.train, data.val and data.test name, by one of the readers: "" opens nothing. */
foci_status foci_sequence_files(foci_sequence_splits *s, const foci_config *c, unsigned splits,
                                foci_status (*open)(foci_sequences **s, const char *path));

/* ---- sequence_report.c: what `foci data check`, `stats` and `show` do with any of them */

foci_status foci_sequences_check(const foci_config *c, const foci_lines *lines);
foci_status foci_sequences_count_all(const foci_config *c, const foci_lines *lines);
foci_status foci_sequences_draw(const foci_config *c, int count, int64_t epoch, foci_image *sheet);
foci_status foci_sequences_tell(const foci_config *c, int count, int64_t epoch, const foci_lines *lines);

#endif
