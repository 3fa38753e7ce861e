/* Weights: a safetensors file into the parameters, and back. */
#ifndef FOCI_CORE_LOAD_H
#define FOCI_CORE_LOAD_H

#include "core/parameters.h"
#include "core/safetensors.h"

/* Reads every parameter. Published checkpoints fit: a tied parameter may stand under either of its names
 * (under both only with equal values), ignorable buffers are skipped, "module." (DataParallel) and "_orig_mod."
 * (torch.compile) in front of every name are dropped, and matrices that files have transposed (foci_stored_transposed)
 * or interleaved are brought into order. A table of positions (foci_resize_as_grid) of another square grid is resized,
 * with a notice in the log. Missing, unexpected and misshapen tensors are FOCI_ERR_CHECKPOINT, all listed in one
 * message; then nothing was changed. */
foci_status foci_load_weights(foci_parameters *p, const char *path);

/* The start of a fine-tuning: the same, but parameters that the file lacks, and those of the `head` (prefixes of names,
 * with blanks between; NULL: none) that have another shape there, keep their values, and tensors of no use are passed
 * over; `note`, one line, names them all. Those of `fresh` (prefixes likewise) keep theirs whatever the file has.
 * Another shape elsewhere is an error, and so is a file that fits in nothing. */
foci_status foci_init_weights(foci_parameters *p, const char *path, const char *head, const char *fresh, char *note,
                              size_t size);

/* After it, where the file names its outputs (metadata `key`) and the model has others: each output has the weights of
 * the one of its name in the file, or, where there is none, those that stood in `before`. `note` is told how many. The
 * words of inputs likewise, with the parameters that have a row for each. */
typedef struct foci_head {
    const char *names;  /* prefixes of the head's parameters, as above; NULL: none */
    const char *key;    /* "classes" */
    const char *labels; /* of the model, one a line; NULL: it has none */
    const char *what;   /* "outputs" */
} foci_head;
foci_status foci_init_head(foci_parameters *p, const char *path, const foci_head *head, const char *fresh,
                           const foci_real *before, char *note, size_t size);

/* Every parameter once, under its own name; or of another flat array like theirs. */
foci_status foci_write_weights(const foci_parameters *p, const foci_real *value, const char *path,
                               const foci_text_pair *metadata, int pairs);
foci_status foci_save_weights(const foci_parameters *p, const char *path, const foci_text_pair *metadata, int pairs);

/* Writes the mean of `count` files with the same tensors (average_weights.c). FOCI_ERR_CHECKPOINT, naming file and
 * tensor, where they differ; FOCI_ERR_CONFIG where `out` is one of them. */
foci_status foci_average_weights(const char *const *path, int count, const char *out);

typedef struct foci_grid {
    int64_t rows, columns;
} foci_grid;
/* (1, leading + cells of `from`, C) -> (1, leading + cells of `to`, C) (positions.c): the leading tokens as they are,
 * the grid by interpolation as in PyTorch (align_corners False). Antialiased it is timm's resample_abs_pos_embed
 * (bicubic, a = -0.5, the filter as wide as what it shrinks), else bicubic as the resize_pos_embed of timm before 0.9
 * (a = -0.75, four neighbours), or bilinear as that of Segmenter (two neighbours). */
foci_status foci_resize_positions(const foci_real *table, int64_t leading, foci_grid from, foci_real *out, foci_grid to,
                                  int64_t width, foci_grid_resizing how);

#endif
