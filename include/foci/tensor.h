/* Tensors of a recorded graph, and what is recorded around the operations: names, parameters, inputs, outputs. */
#ifndef FOCI_TENSOR_H
#define FOCI_TENSOR_H

#include "foci/foci.h"
#include "foci/real.h"

typedef struct foci_graph foci_graph;
typedef struct foci_node foci_node;
typedef struct foci_tensor foci_tensor;
struct foci_rng; /* base/philox.h */

enum { FOCI_MAX_DIMS = 4 };

/* foci_real; int32_t (tokens, labels); what the planner makes of reals between products, where these round them */
typedef enum foci_dtype { FOCI_REAL, FOCI_INT, FOCI_BF16 } foci_dtype;

struct foci_tensor {
    const char *name; /* for messages: the scope it was recorded in, "blocks.3.attn", or its own */
    foci_dtype dtype;
    int ndim;
    int64_t shape[FOCI_MAX_DIMS], stride[FOCI_MAX_DIMS]; /* in elements */
    bool requires_grad;
    foci_node *producer; /* NULL: an input, a constant or a parameter; of a view: the producer of its base */
    /* valid after foci_graph_bind; the gradient only where requires_grad and reached. For core and operations alone:
     * everybody else has foci_program (core/program.h) */
    void *host_data, *host_grad;
    foci_tensor *base; /* what this is a view of, or NULL */
    int64_t offset;    /* of a view: in elements of its base */
    foci_graph *graph;
    int id; /* internal: index in the graph's plan */
};

static inline int64_t foci_numel(const foci_tensor *t) {
    int64_t n = 1;
    for (int i = 0; i < t->ndim; i++) n *= t->shape[i];
    return n;
}
static inline int64_t foci_last_dim(const foci_tensor *t) { return t->shape[t->ndim - 1]; }
/* All dimensions but the last, as one: what row-wise operations run over. */
static inline int64_t foci_rows(const foci_tensor *t) { return foci_numel(t) / foci_last_dim(t); }
static inline foci_real *foci_data(const foci_tensor *t) { return (foci_real *)t->host_data; }
static inline foci_real *foci_grad(const foci_tensor *t) { return (foci_real *)t->host_grad; }
static inline int32_t *foci_ints(const foci_tensor *t) { return (int32_t *)t->host_data; }
bool foci_is_contiguous(const foci_tensor *t);
const char *foci_shape_text(foci_graph *g, const foci_tensor *t); /* "(32, 65, 192)", lives as long as g */

/* ----------------------------------------------------------------------------------------- recording */

/* Fails the graph: "LAYER: fmt (model at FILE:LINE:COLUMN)". Returns NULL, for `return foci_graph_fail(...)`. */
void *foci_graph_fail(foci_graph *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool foci_graph_ok(const foci_graph *g);
bool foci_graph_trains(const foci_graph *g);   /* dropout is active */
bool foci_graph_bf16(const foci_graph *g);     /* products of matrices round their operands to bfloat16 */
bool foci_graph_observes(const foci_graph *g); /* foci_observe keeps what it is given */

/* Names: a scope is a prefix of parameter names and of messages: foci_scope(g, "blocks.%d", i). */
void foci_scope(foci_graph *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, and what is recorded inside, a block of the model as a rule, is a segment: with train.recompute its results
 * are computed again in the backward pass in place of being kept. A segment within a segment is only a scope. */
void foci_segment(foci_graph *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void foci_end_scope(foci_graph *g);

/* Fills a tensor of this shape from random numbers, the same for the same ones; `of` is what FOCI_DRAWN was given. */
typedef void foci_draw(struct foci_rng *random, int64_t of, const int64_t *shape, foci_real *x);

typedef struct foci_init {
    enum { FOCI_INIT_ZEROS, FOCI_INIT_ONES, FOCI_INIT_NORMAL, FOCI_INIT_UNIFORM, FOCI_INIT_DRAWN } kind;
    double mean, spread; /* NORMAL: mean, standard deviation; UNIFORM: mean, half width */
    foci_draw *draw;     /* DRAWN: by this function */
    int64_t of;
} foci_init;
#define FOCI_ZEROS ((foci_init){.kind = FOCI_INIT_ZEROS})
#define FOCI_ONES ((foci_init){.kind = FOCI_INIT_ONES, .mean = 1})
#define FOCI_NORMAL(at, deviation) ((foci_init){.kind = FOCI_INIT_NORMAL, .mean = (at), .spread = (deviation)})
#define FOCI_UNIFORM(half_width) ((foci_init){.kind = FOCI_INIT_UNIFORM, .spread = (half_width)})
/* Numbers whose values mean something only together (a matrix of orthogonal rows, indices). Averages of weights take
 * one such buffer over in place of a mean. `number`: what the function needs to know besides the shape. */
#define FOCI_DRAWN(function, number) ((foci_init){.kind = FOCI_INIT_DRAWN, .draw = (function), .of = (number)})

#define FOCI_SHAPE(...) \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) { __VA_ARGS__ }

/* The parameter SCOPE.name: declared by the first graph that records it, found again by the others.
 *     foci_tensor *w = foci_parameter(g, "weight", FOCI_NORMAL(0, 0.02), FOCI_SHAPE(out, in)); */
foci_tensor *foci_parameter(foci_graph *g, const char *name, foci_init init, int ndim, const int64_t *shape);
/* A buffer: declared, initialised, saved and loaded like a parameter, but no gradient and no optimiser changes it. An
 * operation may write to it in the forward pass. */
foci_tensor *foci_buffer(foci_graph *g, const char *name, foci_init init, int ndim, const int64_t *shape);
/* Weight decay leaves this parameter alone, as it does all that have one dimension. */
void foci_no_decay(foci_tensor *parameter);
/* The parameter (1, leading + rows columns, C) is a table of positions: behind `leading` tokens a grid of so many
 * columns, which is resized where a file has a square one of another size. */
typedef enum foci_grid_resizing { FOCI_GRID_ANTIALIASED, FOCI_GRID_CUBIC, FOCI_GRID_BILINEAR } foci_grid_resizing;
void foci_resize_as_grid(foci_tensor *parameter, int64_t leading, int64_t columns, foci_grid_resizing how);
/* The same parameter under a second full name, as published checkpoints store it twice. */
void foci_tie(foci_graph *g, const char *second_name, const foci_tensor *parameter);
/* Likewise, as SCOPE.name. */
void foci_tie_here(foci_graph *g, const char *name, const foci_tensor *parameter);
/* Likewise, in files whose rotary pairs are neighbours: the rows of each of so many heads stand interleaved there,
 * those of the second half between those of the first. */
void foci_tie_interleaved(foci_graph *g, const char *second_name, const foci_tensor *parameter, int64_t heads);
/* Files have the transpose of this parameter, (in, out), as published checkpoints of GPT-2 do; or, since others give
 * its own shape the same name, that of the two which its shape tells, one for the whole file. */
typedef enum foci_axes { FOCI_AXES_TOLD_BY_SHAPE, FOCI_AXES_IN_OUT, FOCI_AXES_OUT_IN } foci_axes;
void foci_stored_transposed(foci_tensor *parameter, foci_axes read);
/* Files may have more rows of this parameter: those beyond its own are left. */
void foci_stored_longer(foci_tensor *parameter);
/* A name that published checkpoints contain and that need not be read (a computable buffer). */
void foci_ignore(foci_graph *g, const char *name);
/* The parameters of this scope may come from the weights of another model, where they stand without it: an encoder's
 * from a classifier. */
void foci_adopt(foci_graph *g, const char *scope);

/* Adds the sum of x to what is differentiated in graphs that train; the loss that is reported stays as it is. */
void foci_penalty(foci_graph *g, foci_tensor *x);

/* An input, SCOPE.name: the caller feeds it before the forward pass. */
foci_tensor *foci_input(foci_graph *g, const char *name, foci_dtype dtype, int ndim, const int64_t *shape);
/* A result that the caller reads as SCOPE.name. The gradient flows from the one that was declared last: a loss, as a
 * rule. */
void foci_output(foci_graph *g, const char *name, foci_tensor *t);
/* A constant of the graph; data is copied. */
foci_tensor *foci_constant(foci_graph *g, const char *name, foci_dtype dtype, int ndim, const int64_t *shape,
                           const void *data);
/* x (B, M, C), of tokens that come behind `past` others: all of them, (B, past + M, C), a view with gaps between the
 * texts, in graphs that continue where an earlier one stopped (foci_graph_options.room); x itself in all others. Such a
 * graph finds the rows before, and leaves those of x, in the input SCOPE.name.cache. */
foci_tensor *foci_cached(foci_graph *g, const char *name, foci_tensor *x);
int64_t foci_graph_past(const foci_graph *g); /* tokens before those of this graph */
int64_t foci_graph_room(const foci_graph *g); /* for so many in all; 0: it continues nothing */
/* x (B, T, C) of a window behind the `rows` tokens before it in the same stream, whatever came before: (B, rows + T,
 * C). No gradient flows into them. Whoever runs the graph window by window carries them on (core/carry.h); where nobody
 * does, they are zeros. All that a model carries has as many rows. */
foci_tensor *foci_carried(foci_graph *g, const char *name, foci_tensor *x, int64_t rows);
/* (1) int: how many of the carried rows are there, the last ones. Once in a graph. */
foci_tensor *foci_carried_filled(foci_graph *g);
/* Keeps a tensor readable after the pass. */
void foci_keep(foci_tensor *t);
/* Offers a tensor for inspection under SCOPE.name; kept, and listed, only by graphs recorded with `observe`. */
void foci_observe(foci_graph *g, const char *name, foci_tensor *t);

#endif
