/* An operation's descriptor, and the node that it becomes in a graph: for those who add operations (src/ops). */
#ifndef FOCI_OP_H
#define FOCI_OP_H

#include "foci/tensor.h"

typedef struct foci_cost {
    double forward, backward; /* floating-point operations, a multiply-add counted as two */
    /* of memory read and written, where not all inputs and gradients are; 0: they are */
    double forward_bytes, backward_bytes;
} foci_cost;

/* A row of the gradient check: records a small graph of parameters (foci_parameter) that ends in the operation;
 * the test compares its gradients with central differences in double. */
typedef struct foci_gradient_case {
    const char *what;
    foci_tensor *(*build)(foci_graph *g);
} foci_gradient_case;

/* Rows (tokens) first .. first + count - 1 of each sample's `of`. */
typedef struct foci_some_rows {
    int64_t first, count, of;
} foci_some_rows;

/* What backward reads besides the gradient of the output and what foci_save saved; the planner frees the rest. */
#define FOCI_READS_INPUT(i) (1u << (i))
#define FOCI_READS_OUTPUT (1u << 31)

typedef struct foci_op {
    const char *name, *summary; /* PyTorch's name */
    void (*forward)(const foci_node *n);
    void (*backward)(const foci_node *n); /* NULL: no gradient */
    /* without backward: the output is meant to be a constant in the backward pass. An operation with neither refuses
     * inputs that require a gradient */
    bool detaches;
    unsigned reads;       /* FOCI_READS_* of backward */
    bool passes_gradient; /* the gradient of each same-shaped input IS that of the output (add): the planner may let
                             them share memory; backward skips an input whose grad pointer equals the output's */
    /* backward reads the inputs, and forward costs less than memory for the output: the backward pass runs it again */
    bool cheap;
    /* the gradient of every element of the input where that of every element of the output is dy; NULL: they differ */
    foci_real (*even)(const foci_node *n, foci_real dy);
    /* The inputs, as bits, of which some rows of the output (B, N, C) need the same rows alone, and of the others
     * all; 0: they need all of all. The planner has only those rows made that somebody reads: shapes of inputs and
     * output are as short then, and so is what was saved, which must be of rows. NULL: 0 */
    unsigned (*rows)(const foci_node *n, foci_some_rows rows);
    /* Records the operation for some columns of the output, of x in place of the first input. NULL: it cannot */
    foci_tensor *(*columns)(const foci_node *n, foci_tensor *x, int64_t first, int64_t count);
    /* The inputs, as bits, and the output (FOCI_READS_OUTPUT) that may lie in memory as FOCI_BF16, and their gradients
     * with them, written once: products round them anyway. The planner makes them so where all who touch a tensor
     * agree. NULL: 0 */
    unsigned (*rounds)(const foci_node *n);
    bool selects; /* the output is some rows of the input (B, N, C); the attributes begin with a foci_selection */
    foci_cost (*cost)(const foci_node *n); /* NULL: not counted */
    const foci_gradient_case *gradients;   /* ended by {0}; required where backward is set */
} foci_op;

typedef struct foci_selection {
    int64_t first, count;
} foci_selection;

/* For foci_op.rows: of the first input, of all. */
unsigned foci_rows_of_first(const foci_node *n, foci_some_rows rows);
unsigned foci_rows_of_all(const foci_node *n, foci_some_rows rows);

enum { FOCI_MAX_SAVED = 4 };

struct foci_node {
    const foci_op *op;
    foci_graph *graph;
    const char *layer; /* the scope it was recorded in */
    int index, inputs;
    int number;          /* of its random numbers: the index when it was recorded */
    foci_some_rows rows; /* of 0: the output has all */
    int segment;         /* foci_segment's number, from 1; 0: outside */
    foci_tensor **input; /* optional inputs may be NULL */
    foci_tensor *output;
    foci_tensor *saved[FOCI_MAX_SAVED]; /* written by forward, read by backward */
    int saves;
    const void *attributes; /* the operation's own struct */
    void *workspace;        /* scratch memory of the running pass; nothing survives in it */
    size_t workspace_forward, workspace_backward;
    bool *accumulate; /* per input, in backward: add to its gradient (true) or overwrite it (false) */
    bool reached;     /* a gradient arrives: backward will run */
    bool again;       /* forward runs for the second time in its pass: what it did to buffers is done */
    bool spared;      /* forward runs again for what it saves alone: the output need not be written */
};

/* Starts a node: copies the attributes; NULL after an error. Inputs that are NULL are absent optional ones. */
foci_node *foci_record(foci_graph *g, const foci_op *op, int inputs, foci_tensor *const *input, const void *attributes,
                       size_t attribute_bytes);
/* Ends it: declares the output and returns it (contiguous; requires grad if any input does and op has backward). */
foci_tensor *foci_emit(foci_node *n, foci_dtype dtype, int ndim, const int64_t *shape);
/* Between the two: statistics that backward needs, and scratch memory. */
void foci_save(foci_node *n, foci_dtype dtype, int64_t elements);
void foci_workspace(foci_node *n, size_t forward_bytes, size_t backward_bytes);
/* Does backward have to compute the gradient of input i? */
static inline bool foci_wants(const foci_node *n, int i) { return n->input[i] && n->input[i]->host_grad; }

/* Will the gradient of every element of the output be the same number, known while forward runs already? Then forward
 * may add to the gradients of parameters what backward would add. The answer does not change between the two. */
bool foci_gradient_known(const foci_node *n, foci_real *dy);
bool foci_is_parameter(const foci_tensor *t);

/* A view of part of a tensor's memory; shares its gradient too. */
foci_tensor *foci_view(foci_tensor *base, int64_t offset, int ndim, const int64_t *shape, const int64_t *stride);

/* The random numbers of a node at this step: Philox of (seed, stream, step, first + i) for element i of its output. */
typedef struct foci_random {
    uint64_t seed, stream, step, first, first_sample; /* first = first_sample * elements per sample of the output */
} foci_random;
foci_random foci_node_random(const foci_node *n);
/* The number that row i of the output has where it has all rows: what is drawn for a row does not depend on others. */
static inline int64_t foci_row_number(const foci_node *n, int64_t i) {
    const foci_some_rows *r = &n->rows;
    return r->of ? i / r->count * r->of + r->first + i % r->count : i;
}
/* From forward, of whatever thread: what it is to compute cannot be had; the pass ends with the first of these. */
void foci_node_fail(const foci_node *n, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* How a parameter or buffer begins. */
foci_init foci_init_of(const foci_tensor *parameter);

#endif
