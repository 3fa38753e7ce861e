/* For those who extend foci: tensors, the recorded graph, and the descriptors of operations, attention
 * variants, models and data sets.
 *
 * Record once, plan once, replay. A model's record function calls operations (foci_linear, foci_gelu, ...);
 * each checks its shapes and appends a node to the graph. Nothing is computed yet and no tensor has memory.
 * foci_graph_plan then lays all tensors into one block of memory, and foci_graph_forward / _backward replay
 * the nodes in recording order and in reverse.
 *
 * Errors while recording are sticky: the failing call notes the message (with the layer's name and the place
 * in the config), returns NULL, and every later call returns NULL as well. Record functions need no checks;
 * whoever plans the graph sees the first error.
 *
 * Shapes are written (B, N, C): B batch, N or T tokens, H heads, D head width, C model width. */
#ifndef FOCI_PLUGIN_H
#define FOCI_PLUGIN_H

#include "foci/foci.h"
#include "foci/real.h"

typedef struct foci_graph foci_graph;
typedef struct foci_node foci_node;
typedef struct foci_tensor foci_tensor;

/* A choice is one list: its numbers and its words, in one order.
 *
 *     #define FOCI_COLOURS(X) X(FOCI_RED, "red") X(FOCI_BLUE, "blue")
 *     typedef enum foci_colour { FOCI_COLOURS(FOCI_CHOICE_NUMBER) } foci_colour;
 *     static const char *const names[] = {FOCI_COLOURS(FOCI_CHOICE_NAME)};
 *
 * and in a table of keys FOCI_COLOURS(FOCI_CHOICE_WORD) are the choices. */
#define FOCI_CHOICE_NUMBER(number, word) number,
#define FOCI_CHOICE_WORD(number, word) word " "
#define FOCI_CHOICE_NAME(number, word) [number] = word,

/* ------------------------------------------------------------------------------------------- tensors */

enum { FOCI_MAX_DIMS = 4 };

typedef enum foci_dtype { FOCI_REAL, FOCI_INT } foci_dtype; /* foci_real; int32_t (tokens, labels) */

struct foci_tensor {
    const char *name; /* for messages: the scope it was recorded in, "blocks.3.attn", or its own */
    foci_dtype dtype;
    int ndim;
    int64_t shape[FOCI_MAX_DIMS], stride[FOCI_MAX_DIMS]; /* in elements */
    bool requires_grad;
    foci_node *producer; /* NULL: an input, a constant or a parameter; of a view: the producer of its base */
    void *host_data, *host_grad; /* valid after foci_graph_bind; the gradient only where requires_grad and reached. For core
                                    and operations alone: everybody else has foci_program (core/program.h) */
    foci_tensor *base;   /* what this is a view of, or NULL */
    int64_t offset;      /* of a view: in elements of its base */
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

/* ----------------------------------------------------------------------------------------- operations */

typedef struct foci_cost {
    double forward, backward; /* floating-point operations, a multiply-add counted as two */
    double forward_bytes, backward_bytes; /* of memory read and written, where not all inputs and gradients are; 0: they are */
} foci_cost;

/* A row of the gradient check: records a small graph of parameters (foci_parameter) that ends in the operation;
 * the test compares its gradients with central differences in double. */
typedef struct foci_gradient_case {
    const char *what;
    foci_tensor *(*build)(foci_graph *g);
} foci_gradient_case;

/* What backward reads besides the gradient of the output and what foci_save saved; the planner frees the rest. */
#define FOCI_READS_INPUT(i) (1u << (i))
#define FOCI_READS_OUTPUT (1u << 31)

typedef struct foci_op {
    const char *name, *summary; /* PyTorch's name */
    void (*forward)(const foci_node *n);
    void (*backward)(const foci_node *n); /* NULL: no gradient */
    bool detaches; /* without backward: the output is meant to be a constant in the backward pass. An operation with neither
                      refuses inputs that require a gradient */
    unsigned reads;                       /* FOCI_READS_* of backward */
    bool passes_gradient; /* the gradient of each same-shaped input IS that of the output (add): the planner may let
                             them share memory; backward skips an input whose grad pointer equals the output's */
    bool cheap; /* backward reads the inputs, and forward costs less than memory for the output: the backward pass runs it again */
    foci_real (*even)(const foci_node *n, foci_real dy); /* the gradient of every element of the input where that of every
                             element of the output is dy; NULL: they differ */
    foci_cost (*cost)(const foci_node *n); /* NULL: not counted */
    const foci_gradient_case *gradients;   /* ended by {0}; required where backward is set */
} foci_op;

enum { FOCI_MAX_SAVED = 4 };

struct foci_node {
    const foci_op *op;
    foci_graph *graph;
    const char *layer; /* the scope it was recorded in */
    int index, inputs;
    int segment; /* foci_segment's number, from 1; 0: outside */
    foci_tensor **input; /* optional inputs may be NULL */
    foci_tensor *output;
    foci_tensor *saved[FOCI_MAX_SAVED]; /* written by forward, read by backward */
    int saves;
    const void *attributes; /* the operation's own struct */
    void *workspace;        /* scratch memory of the running pass; nothing survives in it */
    size_t workspace_forward, workspace_backward;
    bool *accumulate; /* per input, in backward: add to its gradient (true) or overwrite it (false) */
    bool reached;     /* a gradient arrives: backward will run */
    bool spared;      /* forward runs again for what it saves alone: the output need not be written */
};

/* Starts a node: copies the attributes; NULL after an error. Inputs that are NULL are absent optional ones. */
foci_node *foci_record(foci_graph *g, const foci_op *op, int inputs, foci_tensor *const *input,
                       const void *attributes, size_t attribute_bytes);
/* Ends it: declares the output and returns it (contiguous; requires grad if any input does and op has backward). */
foci_tensor *foci_emit(foci_node *n, foci_dtype dtype, int ndim, const int64_t *shape);
/* Between the two: statistics that backward needs, and scratch memory. */
void foci_save(foci_node *n, foci_dtype dtype, int64_t elements);
void foci_workspace(foci_node *n, size_t forward_bytes, size_t backward_bytes);
/* Does backward have to compute the gradient of input i? */
static inline bool foci_wants(const foci_node *n, int i) { return n->input[i] && n->input[i]->host_grad; }

/* Will the gradient of every element of the output be the same number, known while forward runs already? Then forward may add
 * to the gradients of parameters what backward would add. The answer does not change between the two. */
bool foci_gradient_known(const foci_node *n, foci_real *dy);
bool foci_is_parameter(const foci_tensor *t);

/* A view of part of a tensor's memory; shares its gradient too. */
foci_tensor *foci_view(foci_tensor *base, int64_t offset, int ndim, const int64_t *shape, const int64_t *stride);

/* The random numbers of a node at this step: Philox of (seed, stream, step, first + i) for element i of its output. */
typedef struct foci_random {
    uint64_t seed, stream, step, first, first_sample; /* first = first_sample * elements per sample of the output */
} foci_random;
foci_random foci_node_random(const foci_node *n);

/* Fails the graph: "LAYER: fmt (model at FILE:LINE:COLUMN)". Returns NULL, for `return foci_graph_fail(...)`. */
void *foci_graph_fail(foci_graph *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
bool foci_graph_ok(const foci_graph *g);
bool foci_graph_trains(const foci_graph *g);   /* dropout is active */
bool foci_graph_bf16(const foci_graph *g);     /* products of matrices round their operands to bfloat16 */
bool foci_graph_observes(const foci_graph *g); /* foci_observe keeps what it is given */

/* --------------------------------------------------------------- what models and layers record besides */

/* Names: a scope is a prefix of parameter names and of messages: foci_scope(g, "blocks.%d", i). */
void foci_scope(foci_graph *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* The same, and what is recorded inside, a block of the model as a rule, is a segment: with train.recompute its results are
 * computed again in the backward pass in place of being kept. A segment within a segment is only a scope. */
void foci_segment(foci_graph *g, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void foci_end_scope(foci_graph *g);

typedef struct foci_init {
    enum { FOCI_INIT_ZEROS, FOCI_INIT_ONES, FOCI_INIT_NORMAL, FOCI_INIT_UNIFORM } kind;
    double mean, spread; /* NORMAL: mean, standard deviation; UNIFORM: mean, half width */
} foci_init;
#define FOCI_ZEROS ((foci_init){FOCI_INIT_ZEROS, 0, 0})
#define FOCI_ONES ((foci_init){FOCI_INIT_ONES, 1, 0})
#define FOCI_NORMAL(mean, std) ((foci_init){FOCI_INIT_NORMAL, (mean), (std)})
#define FOCI_UNIFORM(half_width) ((foci_init){FOCI_INIT_UNIFORM, 0, (half_width)})

#define FOCI_SHAPE(...) (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__}

/* The parameter SCOPE.name: declared by the first graph that records it, found again by the others.
 *     foci_tensor *w = foci_parameter(g, "weight", FOCI_NORMAL(0, 0.02), FOCI_SHAPE(out, in)); */
foci_tensor *foci_parameter(foci_graph *g, const char *name, foci_init init, int ndim, const int64_t *shape);
/* A buffer: declared, initialised, saved and loaded like a parameter, but no gradient and no optimiser changes it. An operation
 * may write to it in the forward pass. */
foci_tensor *foci_buffer(foci_graph *g, const char *name, foci_init init, int ndim, const int64_t *shape);
/* Weight decay leaves this parameter alone, as it does all that have one dimension. */
void foci_no_decay(foci_tensor *parameter);
/* The parameter (1, leading + side side, C) is a table of positions: behind `leading` tokens a square grid, which is resized
 * where a file has another. */
void foci_resize_as_grid(foci_tensor *parameter, int64_t leading);
/* The same parameter under a second full name, as published checkpoints store it twice. */
void foci_tie(foci_graph *g, const char *second_name, const foci_tensor *parameter);
/* A name that published checkpoints contain and that need not be read (a computable buffer). */
void foci_ignore(foci_graph *g, const char *name);

/* Adds the sum of x to what is differentiated in graphs that train; the loss that is reported stays as it is. */
void foci_penalty(foci_graph *g, foci_tensor *x);

/* An input, SCOPE.name: the caller feeds it before the forward pass. */
foci_tensor *foci_input(foci_graph *g, const char *name, foci_dtype dtype, int ndim, const int64_t *shape);
/* A result that the caller reads as SCOPE.name. The gradient flows from the one that was declared last: a loss, as a rule. */
void foci_output(foci_graph *g, const char *name, foci_tensor *t);
/* A constant of the graph; data is copied. */
foci_tensor *foci_constant(foci_graph *g, const char *name, foci_dtype dtype, int ndim, const int64_t *shape,
                           const void *data);
/* x (B, M, C), of tokens that come behind `past` others: all of them, (B, past + M, C), in graphs that continue where an earlier
 * one stopped (foci_graph_options.cache); x itself in all others. Such a graph reads the tokens before from the input
 * SCOPE.name.past, and SCOPE.name.now is what the next one will read. */
foci_tensor *foci_cached(foci_graph *g, const char *name, foci_tensor *x);
int64_t foci_graph_past(const foci_graph *g); /* tokens before those of this graph */
/* Keeps a tensor readable after the pass. */
void foci_keep(foci_tensor *t);
/* Offers a tensor for inspection under SCOPE.name; kept, and listed, only by graphs recorded with `observe`. */
void foci_observe(foci_graph *g, const char *name, foci_tensor *t);

typedef struct foci_sdpa_options {
    double scale;         /* factor before the softmax, 1/sqrt(D) as a rule */
    bool causal;          /* token i sees tokens 0..i */
    double dropout;       /* on the attention map */
    foci_tensor *metric;  /* (B, H, 1, D) or (B, H, N, D): multiplies q; no gradient. NULL: all ones */
    foci_tensor *bias;    /* (B, N): added to the scores of every key; no gradient. NULL: none */
} foci_sdpa_options;

/* What the metric of elliptical attention is divided by: its largest coordinate, the mean of all, nothing. */
#define FOCI_METRIC_SCALES(X) X(FOCI_SCALE_MAX, "max") X(FOCI_SCALE_MEAN, "mean") X(FOCI_SCALE_NONE, "none")
typedef enum foci_metric_scale { FOCI_METRIC_SCALES(FOCI_CHOICE_NUMBER) } foci_metric_scale;

typedef struct foci_elliptical_metric_options { /* docs/mathematics.md 1.2; all tensors (B, H, N, D), D contiguous */
    foci_tensor *num, *num_before; /* whose change over one layer is measured */
    foci_tensor *den, *den_before; /* divide by |den - den_before| + attenuation; NULL: by the constant delta */
    double delta, attenuation;
    foci_metric_scale scale;
    bool causal; /* token i: mean over tokens 0..i, (B, H, N, D) */
    bool median; /* over the tokens, the lower of the two middle values; in place of the mean */
} foci_elliptical_metric_options;

typedef enum foci_activation { FOCI_GELU, FOCI_RELU } foci_activation;

enum { FOCI_MAX_CLUSTERS = 8 };
typedef struct foci_adaptive_softmax_options { /* docs/mathematics.md 1.5; names as in lmtool-fwms */
    foci_tensor *hidden, *targets;      /* (B, T, d_model), (B, T) int */
    int tails;                          /* clusters behind the shortlist; 0: an ordinary softmax */
    int64_t cutoff[FOCI_MAX_CLUSTERS + 1]; /* ends of shortlist and clusters; the last is the vocabulary */
    foci_tensor *weight[FOCI_MAX_CLUSTERS]; /* one (n_token, d) shared by all, or per cluster (c_i+1 - c_i, d_i) */
    foci_tensor *bias[FOCI_MAX_CLUSTERS];   /* likewise, (n) */
    bool shared;                        /* weight[0] and bias[0] serve all clusters by ranges of rows */
    foci_tensor *projection[FOCI_MAX_CLUSTERS]; /* (d_model, d_i) each, or NULL */
    foci_tensor *cluster_weight, *cluster_bias; /* (tails, d_0), (tails); NULL without tails */
} foci_adaptive_softmax_options;
/* The operations. NULL for an optional tensor leaves it out. Gradients flow to every real-valued input but
 * masks, metrics, soft targets. */
#define T foci_tensor *
#define G foci_graph *g
T foci_linear(G, T x, T weight, T bias);             /* x (.., in), weight (out, in), bias (out) -> x Wt + b (.., out) */
T foci_mlp(G, T x, T weight1, T bias1, T weight2, T bias2, /* act(x W1t + b1) W2t + b2, dropout after the activation */
           foci_activation activation, double dropout);
T foci_matmul(G, T a, T b);                          /* a (.., n), b (n, m) -> (.., m) */
T foci_add(G, T a, T b);                             /* same shapes */
T foci_add_position(G, T x, T position);             /* x (B, N, C), position (N, C) or (1, N, C) */
T foci_scale(G, T x, double factor);                 /* x * factor */
T foci_layer_norm(G, T x, T weight, T bias, double eps); /* over the last dimension, biased variance */
T foci_gelu(G, T x);                                 /* exact: x Phi(x) */
T foci_relu(G, T x);
T foci_softmax(G, T x);                              /* over the last dimension */
T foci_log_softmax(G, T x);
T foci_dropout(G, T x, double p);                    /* x itself where p = 0 or the graph does not train */
T foci_drop_path(G, T x, double p);                  /* the same decision for a whole sample (dimension 0) */
T foci_embedding(G, T ids, T weight, int64_t first, double scale); /* ids (B, T), weight (n, C): row id - first times
                                                        scale; ids outside [first, first + n) give zeros -> (B, T, C) */
T foci_patch_embed(G, T images, T weight, T bias);   /* (B, I, H, W), (C, I, p, p), (C) -> (B, H/p * W/p, C) row by row */
T foci_class_token(G, T token, T x);                 /* token (1, 1, C), x (B, N, C) -> (B, 1 + N, C) */
T foci_select(G, T x, int64_t index);                /* x (B, N, C) -> (B, C): token `index` */
T foci_narrow(G, T x, int64_t first, int64_t count); /* x (B, N, C) -> (B, count, C) */
T foci_cat(G, T a, T b);                             /* a (B, N, C), b (B, M, C) -> (B, N + M, C) */
T foci_mean(G, T x);                                 /* x (B, N, C) -> (B, C): mean over tokens */
T foci_heads(G, T x, int parts, int part, int heads); /* view: x (B, N, parts*H*D) -> (B, H, N, D) of one part; no copy */
T foci_scaled_dot_product_attention(G, T q, T k, T v, /* (B, H, N, D) each, any strides with D contiguous -> (B, N, H*D);
                                                        without gradients q may be the last token's alone, (B, H, 1, D) */
                                    const foci_sdpa_options *options);
T foci_attention_map(G, T q, T k, const foci_sdpa_options *options); /* probabilities (B, H, N, N) before dropout; for
                                                        inspection, no gradient */
T foci_elliptical_metric(G, const foci_elliptical_metric_options *options); /* (B, H, 1, D) or causal (B, H, N, D); a
                                                        constant in the backward pass, like those below */
T foci_finite_difference_metric(G, T q, T k, T v, const foci_sdpa_options *options, foci_metric_scale scale);
                                                     /* how much the output of attention moves with each coordinate of q */
T foci_random_metric(G, T like, double bottom);      /* like (B, H, N, D) -> (B, H, 1, D) uniform in [bottom, 1) over its max */
T foci_contiguous(G, T x);                           /* x (B, H, N, D), any strides with D contiguous -> a copy without gaps */
T foci_elu_one(G, T x);                              /* likewise: elu(x) + 1, which is above 0 */
T foci_normalise(G, T x, T log_length);              /* likewise: rows of length exp(log_length), (H) a head each; NULL: 1 */
T foci_positive_features(G, T y, T x, double factor, double shift); /* y (.., F), x (.., D) ->
                                                        exp(y - factor |x|^2 / 2 - shift) (.., F) */
T foci_linear_attention(G, T q, T k, T v, bool causal); /* features q, k >= 0 (B, H, N, F) without gaps, v (B, H, N, D), any
                                                        strides: (q kt v) / (rows of q kt summed) -> (B, N, H*D); no N x N */
T foci_linear_attention_map(G, T q, T k, bool causal); /* its weights (B, H, N, N); for inspection, no gradient */
T foci_cross_entropy(G, T logits, T labels, T soft_targets, double label_smoothing, int32_t ignore_index);
                                                     /* logits (.., K); labels (..) int, or soft targets (.., K) -> (1) mean */
T foci_mixed_cross_entropy(G, T logits, T labels, T partners, T shares, double label_smoothing);
                                                     /* two labels a row, the first of weight shares (..), the second of the rest */
T foci_adaptive_softmax(G, const foci_adaptive_softmax_options *a); /* -> nll of every target, (B*T) */
T foci_average(G, T x);                              /* any shape -> (1): mean of all elements */
#undef T
#undef G

/* Log-probabilities of the whole vocabulary, (B, T, n_token); for inspection, no gradient. */
foci_tensor *foci_adaptive_log_prob(foci_graph *g, const foci_adaptive_softmax_options *a);

/* ------------------------------------------------------------------------------------- configuration keys */

typedef enum foci_key_type {
    FOCI_KEY_BOOL, FOCI_KEY_INT, FOCI_KEY_REAL, FOCI_KEY_STRING, FOCI_KEY_CHOICE, FOCI_KEY_INTS, FOCI_KEY_REALS
} foci_key_type;

/* One row: the whole truth about a key. Tables end with {0}. */
typedef struct foci_key {
    const char *name; /* without its section: "lr" of "train.lr" */
    foci_key_type type;
    const char *initial; /* default, as it would stand in the file; NULL: required */
    double min, max;     /* of numbers and of the elements of lists, inclusive; both 0: unbounded */
    const char *choices; /* "max mean none" */
    const char *doc;     /* one line, with the unit */
    bool may_change;     /* a run goes on to the same end with another value */
    const char *placeholder; /* what stands for the value in the help of a command, "FILE"; NULL: the choices, or N, X, TEXT */
    size_t at, size;     /* of the field that foci_config_read fills; size 0: none */
} foci_key;

typedef struct foci_int_list {
    int count;
    const int64_t *value;
} foci_int_list;
typedef struct foci_real_list {
    int count;
    const double *value;
} foci_real_list;

/* A row that is bound to a field of a struct of options, whose name and type it takes: bool, int64_t, double, const char * (a
 * string), an enum (the number of the choice), foci_int_list, foci_real_list.
 *
 *     typedef struct options { int64_t depth; enum { MAX, MEAN } scale; } options;
 *     static const foci_key keys[] = {FOCI_KEY(options, depth, "12", 1, 1000, NULL, "number of blocks"),
 *                                     FOCI_KEY(options, scale, "max", 0, 0, "max mean", "divided by"), {0}}; */
/* clang-format off */
#define FOCI_KEY_TYPE(x) \
    _Generic((x), bool: FOCI_KEY_BOOL, int64_t: FOCI_KEY_INT, double: FOCI_KEY_REAL, const char *: FOCI_KEY_STRING, \
             int: FOCI_KEY_CHOICE, unsigned: FOCI_KEY_CHOICE, foci_int_list: FOCI_KEY_INTS, \
             foci_real_list: FOCI_KEY_REALS)
#define FOCI_KEY(options, field, initial, min, max, choices, doc, ...) \
    {#field, FOCI_KEY_TYPE(((options *)0)->field), initial, min, max, choices, doc, .at = offsetof(options, field), \
     .size = sizeof(((options *)0)->field), ##__VA_ARGS__}
/* clang-format on */

/* Fills the struct that the rows are bound to with the values of their keys, "SECTION.NAME" each; with 0 or "" where a key
 * belongs to a kind that is not chosen. Strings and lists live as long as the config. */
void foci_config_read(const foci_config *c, const char *section, const foci_key *keys, void *options);

/* Values by name, for a key of another room; it must exist in the schema. Full names: "train.lr". Strings and lists live as
 * long as the config. */
bool foci_config_bool(const foci_config *c, const char *key);
int64_t foci_config_int(const foci_config *c, const char *key);
double foci_config_real(const foci_config *c, const char *key);
const char *foci_config_string(const foci_config *c, const char *key); /* strings and choices */
int foci_config_ints(const foci_config *c, const char *key, const int64_t **values);  /* returns how many */
int foci_config_reals(const foci_config *c, const char *key, const double **values);
/* Was it set by the file or --set (and is not just the default)? */
bool foci_config_is_set(const foci_config *c, const char *key);
/* Where: "FILE:LINE:COLUMN", "--set" or "default". */
const char *foci_config_place(const foci_config *c, const char *key);

/* ------------------------------------------------------------------------------------- attention variants */

/* What a block projects its tokens to, in the order in which the parts stand in the weights. */
enum { FOCI_PROJECT_Q = 1, FOCI_PROJECT_K = 2, FOCI_PROJECT_K2 = 4, FOCI_PROJECT_V = 8 };

typedef struct foci_attention_io {
    foci_graph *graph;
    const foci_config *config;         /* for messages: foci_config_place(io->config, "attention.KEY") */
    const void *options;               /* the struct that the variant's keys are bound to, filled */
    foci_tensor *x;                    /* (B, N, C): what q, k and v are projections of, for projections of the variant's own */
    foci_tensor *q, *k, *v;            /* (B, H, N, D), views of the projections */
    foci_tensor *k2;                   /* likewise, where projections asks for it */
    foci_tensor *q_before, *k_before, *v_before; /* those of the layer before, NULL in layer 0 */
    foci_tensor *q_first, *k_first, *v_first;    /* those of layer 0, NULL there */
    int layer, depth;
    int64_t longest;                   /* tokens of the longest sequence that the model takes */
    uint64_t seed;                     /* of numbers that are drawn once */
    bool causal;
    foci_tensor *mask;                 /* (B, N): 1, or 0 where a token is padding; NULL: there is none */
    foci_tensor *bias;                 /* (B, N) added to every key's scores: of the mask 0, or -1e6; NULL: nothing */
    double scale;                      /* 1/sqrt(D) */
    double dropout;                    /* on the attention map */
} foci_attention_io;

/* What a variant is able to do in causal models, besides attention over a whole sequence. */
enum {
    FOCI_LAST_QUERY = 1, /* forward takes q of the last token alone, (B, H, 1, D), with k and v (and those before) of all N */
    FOCI_INCREMENTAL = 2 /* and no later token changes what an earlier one got: keys and values may be kept from token to token */
};

typedef struct foci_attention {
    const char *name, *summary;
    const foci_key *keys; /* "attention.KEY", each bound to a field of the variant's options (FOCI_KEY) */
    /* Records the layer; extra parameters by foci_parameter. Returns (B, N, H*D). */
    foci_tensor *(*forward)(const foci_attention_io *io);
    unsigned (*abilities)(const void *options);   /* FOCI_LAST_QUERY | FOCI_INCREMENTAL; NULL: neither */
    unsigned (*projections)(const void *options); /* FOCI_PROJECT_*: without Q q is k, without K k is q; NULL: q, k and v */
} foci_attention;

/* ------------------------------------------------------------------------------------------------ models */

/* What a caller asks of a model: for how many samples it is recorded, and what will be fed. The model declares an input
 * (foci_input) for every name of `feeds` and gives its results to foci_output, the one that a training differentiates last.
 * What is fed decides what is recorded: without labels a classifier has no loss.
 *     images  images (B, 3, H, W) -> logits (B, K); with labels (B), or these and partners (B) and shares (B), or
 *             soft_targets (B, K): loss (1), the mean over the samples
 *     text    ids (B, T) -> logprob (B, T, V), of every word to be the next; with targets (B, T): nll (B*T), loss (1) */
enum { FOCI_MAX_NUMBERS = 8 };
typedef struct foci_named_number {
    const char *name;
    double value;
    bool heard; /* the model asked for it */
} foci_named_number;
typedef struct foci_request {
    foci_graph *graph;
    const foci_config *config; /* "model.KEY", "attention.KEY" */
    int64_t batch;             /* B */
    int64_t classes;           /* labels or words of the data set; 0: as configured */
    const char *feeds;         /* names with blanks between: "images labels" */
    /* What a task says beyond that, ended by a name of NULL: label_smoothing; of text: tokens (T of a window; else
     * model.context), window (positions count down to 0 at its end; else at the end of the tokens there are), last_only (1:
     * only the last token of each window is scored; targets (B, 1)). */
    foci_named_number number[FOCI_MAX_NUMBERS];
} foci_request;

bool foci_request_feeds(const foci_request *r, const char *name);
double foci_request_number(foci_request *r, const char *name, double otherwise);

typedef struct foci_model {
    const char *name, *summary;
    const char *task; /* what it is trained for, "images": a name of src/task/list.h */
    const foci_key *keys;
    const char *head; /* parameters that depend on the classes or words: prefixes of their names, with blanks between */
    void (*record)(foci_request *r);
} foci_model;

#endif
