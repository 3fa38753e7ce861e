/* Safetensors files: 8 bytes of header length, a JSON header, raw little-endian tensors without holes.
 *
 * Reading is strict: sizes, bounds, overlaps, holes, duplicate names and trailing bytes are
 * FOCI_ERR_CHECKPOINT with the file and the tensor that is wrong. Files that foci wrote carry an XXH3
 * checksum of header and data, which is verified when they are opened. */
#ifndef FOCI_CORE_SAFETENSORS_H
#define FOCI_CORE_SAFETENSORS_H

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"

enum { FOCI_SAFETENSORS_MAX_DIMS = 8 };

typedef enum foci_stored {
    FOCI_STORED_F64,
    FOCI_STORED_F32,
    FOCI_STORED_F16,
    FOCI_STORED_BF16,
    FOCI_STORED_I64,
    FOCI_STORED_I32,
    FOCI_STORED_I16,
    FOCI_STORED_I8,
    FOCI_STORED_U8,
    FOCI_STORED_BOOL
} foci_stored;

typedef struct foci_safetensor {
    const char *name;
    foci_stored dtype;
    int ndim; /* 0: one number */
    int64_t shape[FOCI_SAFETENSORS_MAX_DIMS], numel;
    size_t first, end; /* bytes, from the start of the data */
} foci_safetensor;

typedef struct foci_text_pair {
    const char *key, *value;
} foci_text_pair;

typedef struct foci_safetensors {
    const char *path;
    foci_arena arena;
    foci_map map;
    const unsigned char *data;
    foci_safetensor *tensor; /* sorted by name */
    foci_text_pair *metadata;
    int count, pairs;
    bool verified; /* it had a checksum, and the checksum was right */
} foci_safetensors;

foci_status foci_safetensors_open(foci_safetensors *f, const char *path);
void foci_safetensors_close(foci_safetensors *f);

/* What tells a file from another: the checksum in its header, which is not verified; of a file of others its own XXH3.
 */
enum { FOCI_CHECKSUM = 17 }; /* 16 digits and the end */
foci_status foci_safetensors_checksum(const char *path, char digits[FOCI_CHECKSUM]);

const foci_safetensor *foci_safetensors_find(const foci_safetensors *f, const char *name); /* NULL: none */
const char *foci_safetensors_metadata(const foci_safetensors *f, const char *key);         /* NULL: none */

/* Elements first .. first + count - 1, converted. Reals come from floating-point tensors and must be in the
 * range of foci_real; ints from integer tensors and must be in that of int32_t. */
foci_status foci_safetensors_reals(const foci_safetensors *f, const foci_safetensor *t, int64_t first, int64_t count,
                                   foci_real *out);
foci_status foci_safetensors_ints(const foci_safetensors *f, const foci_safetensor *t, int64_t first, int64_t count,
                                  int32_t *out);

/* "(3, 32, 32)", into `text`, which it returns. */
char *foci_safetensor_shape(char *text, size_t size, int ndim, const int64_t *shape);

bool foci_safetensor_whole(const foci_safetensor *t); /* does it hold whole numbers? */

/* Writing: float32 tensors (converted where foci_real is double), in the order given. */
typedef struct foci_safetensor_item {
    const char *name;
    int ndim;
    const int64_t *shape;
    const foci_real *data;
    bool transposed; /* a matrix whose data are the transpose, (shape[1], shape[0]) */
} foci_safetensor_item;
foci_status foci_safetensors_write(const char *path, const foci_safetensor_item *item, int count,
                                   const foci_text_pair *metadata, int pairs);

#endif
