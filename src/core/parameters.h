/* Parameters: declared by the first graph that records them, stored in flat arrays, so that one loop updates all and
 * one file keeps them. Every parameter starts on a 64-byte boundary; the padding between them stays zero. */
#ifndef FOCI_CORE_PARAMETERS_H
#define FOCI_CORE_PARAMETERS_H

#include <string.h>

#include "base/arena.h"
#include "base/error.h"
#include "foci/plugin.h"

typedef struct foci_parameter_entry {
    const char *name;
    int ndim;
    int64_t shape[FOCI_MAX_DIMS];
    int64_t offset, numel; /* in elements of the flat arrays */
    foci_init init;
    bool buffer;     /* no gradient, no update */
    bool no_decay;   /* a parameter that weight decay leaves alone whatever its shape */
    bool transposed; /* in files that are written; `axes`: and how those are read that others wrote */
    foci_axes axes;
    bool longer; /* files may have more rows: those beyond are left */
    /* > 0: (1, leading + rows columns, C), a grid of so many columns behind tokens: resized where a file has another */
    int64_t columns, leading;
    foci_grid_resizing resizing; /* when it is */
} foci_parameter_entry;

typedef struct foci_parameter_alias {
    const char *name; /* a second name of entry `index`, or a name to ignore where index is -1 */
    int index;
    int64_t interleaved; /* heads whose rows stand interleaved under this name; 0: they do not */
} foci_parameter_alias;

typedef struct foci_parameters {
    foci_arena arena;
    foci_parameter_entry *entry;
    foci_parameter_alias *alias;
    int count, aliases;
    int64_t size;         /* of the flat arrays, padding included */
    const char *adopting; /* a scope, below which a name is looked for as well where a file has it without; or NULL */
    foci_real *value, *grad; /* NULL until allocated */
} foci_parameters;

void foci_parameters_init(foci_parameters *p);
void foci_parameters_free(foci_parameters *p);

/* Is the name the prefix, or below it? "blocks.1" holds blocks.1.norm1.weight, but not blocks.10.norm1.weight. */
static inline bool foci_name_within(const char *name, const char *prefix, size_t length) {
    return strncmp(name, prefix, length) == 0 && (name[length] == 0 || name[length] == '.');
}
/* Likewise, of any of several prefixes with blanks between. */
static inline bool foci_names_within(const char *name, const char *prefixes) {
    for (size_t length; *prefixes; prefixes += length + strspn(prefixes + length, " ")) {
        length = strcspn(prefixes, " ");
        if (foci_name_within(name, prefixes, length)) return true;
    }
    return false;
}

/* The same of a parameter's name, or its second one. */
bool foci_parameters_within(const foci_parameters *p, int entry, const char *prefixes);

/* -1 where there is none. Aliases are found too. */
int foci_parameters_find(const foci_parameters *p, const char *name);
/* Of a second name: foci_parameter_alias.interleaved; 0 of any other. */
int64_t foci_parameters_interleaved(const foci_parameters *p, const char *name);
bool foci_parameters_ignores(const foci_parameters *p, const char *name);
/* As files have it, transposed or not; and (columns, rows) -> (rows, columns). */
void foci_stored_shape(const foci_parameter_entry *e, bool transposed, int64_t shape[FOCI_MAX_DIMS]);
void foci_transpose(const foci_real *from, int64_t rows, int64_t columns, foci_real *to);
/* Elements without padding and buffers: what "number of parameters" means. */
int64_t foci_parameters_numel(const foci_parameters *p);

/* Buffers of FOCI_DRAWN, which have no meaningful mean: copies them to another flat array; their names with blanks
 * between, NULL where there are none. */
void foci_parameters_take_drawn(const foci_parameters *p, foci_real *to);
const char *foci_parameters_drawn(const foci_parameters *p, foci_arena *arena);

/* Ends declaring: the flat arrays, zeroed. */
foci_status foci_parameters_allocate(foci_parameters *p, bool gradients);
/* Initial values as declared; each parameter draws from a stream of its own name, so the order does not matter. */
void foci_parameters_initialise(foci_parameters *p, uint64_t seed);
void foci_parameters_zero_grad(foci_parameters *p);

/* For graph.c: entry of this name, declared now if the arrays are not allocated yet; -1 and this thread's error message
 * where the shape differs or it is too late. */
int foci_parameters_declare(foci_parameters *p, const char *name, foci_init init, int ndim, const int64_t *shape);
foci_status foci_parameters_alias(foci_parameters *p, const char *name, int index);
foci_status foci_parameters_alias_interleaved(foci_parameters *p, const char *name, int index, int64_t heads);
foci_status foci_parameters_adopt(foci_parameters *p, const char *scope);

#endif
