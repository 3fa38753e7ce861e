/* The state of a run on disk, complete at any instant.
 *
 * RUN/state.safetensors holds flat arrays (weights, moments, averages) and numbers together and appears by one rename,
 * so a run killed at any point resumes from its last complete checkpoint. Written after it for everybody else: the
 * arrays that have a file of their own (last.safetensors, the weights alone), and step-N.safetensors, weights that
 * stay. All carry a checksum (core/safetensors.h), by which they are read back before they take the place of those
 * before. */
#ifndef FOCI_RUN_CHECKPOINT_H
#define FOCI_RUN_CHECKPOINT_H

#include "core/parameters.h"
#include "core/safetensors.h"

typedef struct foci_checkpoint_array {
    const char *prefix; /* "m.", before the names of its tensors in the state */
    foci_real *data;    /* flat, as the parameters; NULL: this run has none */
    const char *file;   /* "last.safetensors", where it stands alone too; NULL: nowhere */
} foci_checkpoint_array;

/* A tensor of the state alone, of any shape. */
typedef struct foci_checkpoint_tensor {
    const char *name;
    int64_t shape[FOCI_MAX_DIMS];
    int ndim;
    foci_real *data;
} foci_checkpoint_tensor;

typedef struct foci_checkpoint_number {
    const char *key;
    int64_t *count; /* not negative; one of the three is set */
    uint64_t *seed;
    double *real;
    bool optional; /* stays as it is where the file has none */
} foci_checkpoint_number;

/* What must be the same when a run is resumed: {"optimizer", "optimiser", "adamw"}; a word of NULL: nothing. */
typedef struct foci_checkpoint_word {
    const char *key, *title, *word;
} foci_checkpoint_word;

typedef struct foci_checkpoint {
    const foci_parameters *parameters;    /* names and shapes of the tensors in each array */
    const foci_checkpoint_array *array;   /* ended by a prefix of NULL; the first are the weights */
    const foci_checkpoint_number *number; /* ended by a key of NULL */
    const foci_checkpoint_word *word;     /* likewise */
    const foci_text_pair *about;          /* (abouts) what the weights mean: metadata of the files beside the state */
    int abouts;
    const foci_checkpoint_tensor *tensor; /* (tensors) beside the arrays */
    int tensors;
} foci_checkpoint;

/* Writes state.safetensors into `folder`, which exists. */
foci_status foci_checkpoint_save(const char *folder, const foci_checkpoint *c);
/* Reads it. FOCI_ERR_CHECKPOINT where it is damaged, or has other tensors or words. */
foci_status foci_checkpoint_load(const char *folder, const foci_checkpoint *c);

/* The files beside a state that is on disk already, with the number of its step; `stays`: step-N.safetensors too. */
foci_status foci_checkpoint_weights(const char *folder, const foci_checkpoint *c, int64_t step, bool stays);

#endif
