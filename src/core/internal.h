/* What recording, planning and replaying share. */
#ifndef FOCI_CORE_INTERNAL_H
#define FOCI_CORE_INTERNAL_H

#include "base/arena.h"
#include "core/graph.h"

typedef enum foci_role {
    FOCI_ROLE_RESULT,    /* of a node: lives in the planned block */
    FOCI_ROLE_PARAMETER, /* lives in the flat arrays */
    FOCI_ROLE_INPUT,     /* the caller's memory */
    FOCI_ROLE_CONSTANT,  /* the graph's arena */
    FOCI_ROLE_VIEW
} foci_role;

/* Memory in the planned block, needed from time `first` to time `last`. */
typedef struct foci_block {
    size_t bytes, offset;
    int first, last;
} foci_block;

/* Input number `input` of a node that gives it a gradient. */
typedef struct foci_use {
    const foci_node *node;
    int input;
    const struct foci_use *next;
} foci_use;

/* What the graph knows of tensor number id beyond the public struct. */
typedef struct foci_tensor_info {
    foci_tensor *tensor;
    foci_role role;
    int entry; /* of a parameter: in foci_parameters */
    bool keep;
    bool penalty;         /* differentiated beside the output */
    bool reached;         /* a gradient arrives */
    const foci_use *uses; /* of a root, itself or through views: the last node's first */
    int value, gradient;  /* index into blocks, -1: none */
} foci_tensor_info;

enum { FOCI_MAX_SCOPES = 16 };

struct foci_graph {
    foci_arena arena;
    foci_parameters *parameters;
    foci_graph_options options;
    uint64_t step, first_sample;
    int64_t batch; /* samples that run at once; 0: unknown */
    bool promised; /* foci_graph_promise */
    foci_real promised_seed;

    foci_node **node;
    foci_tensor_info *tensor;
    foci_slot *slot;
    int nodes, tensors, slots;

    char scope[256]; /* the names of all open scopes, with dots between */
    size_t scope_start[FOCI_MAX_SCOPES];
    int scopes;
    int segment, segment_scope; /* the open one's number and its scope's; 0: none */
    int segments;
    foci_error error;   /* the first one; status FOCI_OK until then */
    foci_error failure; /* of the last pass, likewise */

    foci_tensor *output;
    foci_block *block;
    int blocks;
    foci_call *call;
    int calls;
    size_t bytes, bytes_unshared;
    foci_span *span; /* per call; NULL: not timed */
    int threads;     /* that workspaces are sized for */
    unsigned char *memory;
};

#define foci_grow(array, count) foci_grow_((void **)&(array), (count), sizeof *(array))
bool foci_grow_(void **array, int count, size_t size); /* room for one more; false: out of memory */

void foci_graph_freeze(foci_graph *g);     /* decides what requires a gradient */
bool foci_graph_spare_rows(foci_graph *g); /* results become as short as what is read of them; false: out of memory */
bool foci_graph_schedule(foci_graph *g);   /* decides the calls; false: out of memory */

bool foci_graph_round(foci_graph *g); /* what flows between products becomes FOCI_BF16; false: out of memory */
/* Do those who give this root tensor a gradient write every part of it once? */
bool foci_gradient_is_written_once(const foci_tensor_info *root);

static inline size_t foci_element_bytes(const foci_tensor *t) {
    return t->dtype == FOCI_REAL ? sizeof(foci_real) : t->dtype == FOCI_BF16 ? sizeof(uint16_t) : sizeof(int32_t);
}
static inline size_t foci_tensor_bytes(const foci_tensor *t) { return (size_t)foci_numel(t) * foci_element_bytes(t); }
static inline foci_tensor *foci_root(foci_tensor *t) { return t->base ? t->base : t; }
/* Does the backward pass begin here: at the output, or at a penalty? */
static inline bool foci_is_end(const foci_graph *g, const foci_tensor *t) {
    return t == foci_root(g->output) || g->tensor[t->id].penalty;
}

/* Do others than the nodes of the graph read this result? */
static inline bool foci_is_read_elsewhere(const foci_graph *g, const foci_tensor *t) {
    return g->tensor[t->id].keep || foci_is_end(g, t);
}

#endif
