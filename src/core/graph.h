/* The recorded graph, from the side of core and of tests: whoever else runs one has program.h. (Operations and models
 * see foci/plugin.h.)
 *
 *     foci_graph *g = foci_graph_new(&parameters, &(foci_graph_options){.train = true, .differentiate = true});
 *     foci_tensor *loss = record(g);               // appends nodes; errors stick
 *     FOCI_TRY(foci_graph_plan(g, loss));          // the first error, or the layout
 *     FOCI_TRY(foci_parameters_allocate(...));
 *     foci_graph_bind(g, memory);                  // at least foci_graph_bytes(g), 64-byte aligned
 *     foci_graph_forward(g);
 *     foci_graph_backward(g, 1);                   // adds to the parameters' gradients
 *
 * Several graphs (training and evaluation, full and last batch) may share one block of memory as long as they do
 * not run in turns that need each other's results. */
#ifndef FOCI_CORE_GRAPH_H
#define FOCI_CORE_GRAPH_H

#include "core/parameters.h"
#include "foci/plugin.h"

typedef struct foci_graph_options {
    bool train;         /* dropout and drop path are active */
    bool differentiate; /* plan a backward pass */
    bool frozen;        /* parameters need no gradient (inputs may) */
    const char *freeze; /* nor do these: names, or what they begin with, with blanks between; NULL: none */
    bool observe;       /* keep what foci_observe is given */
    int64_t room, past; /* tokens that what foci_cached keeps has room for, and those that earlier graphs left there */
    uint64_t seed;      /* of the random numbers of dropout */
    bool bf16;          /* products of matrices round their operands to bfloat16 */
    bool recompute;     /* the results of segments are not kept for the backward pass, but computed again */
    const char *place;  /* where the model stands in the config, for messages; may be NULL */
    const char *gradients; /* names of inputs that the caller wants the gradient of, with blanks between; NULL: none */
} foci_graph_options;

foci_graph *foci_graph_new(foci_parameters *parameters, const foci_graph_options *options); /* NULL: out of memory */
void foci_graph_free(foci_graph *g);
/* Memory, zeroed, that lives as long as the graph; NULL fails it. */
void *foci_graph_alloc(foci_graph *g, size_t bytes);

/* Lays out memory; with `differentiate` the gradient flows from `output` (any shape). NULL: from what foci_output was
 * given last. */
foci_status foci_graph_plan(foci_graph *g, foci_tensor *output);
size_t foci_graph_bytes(const foci_graph *g);          /* of the planned block */
size_t foci_graph_bytes_unshared(const foci_graph *g); /* if every tensor had memory of its own */
void foci_graph_bind(foci_graph *g, void *memory);
void foci_graph_feed(foci_graph *g, foci_tensor *input, const void *data); /* the caller's array; before or after */

/* Training steps and samples number the random numbers: `first_sample` is the position of this graph's first sample in
 * the whole batch, so that a batch run in parts draws the same masks. */
void foci_graph_set_step(foci_graph *g, uint64_t step, uint64_t first_sample);
/* How many samples run at once: where a tensor has several rows for each (a pair of sequences), all are numbered. */
void foci_graph_set_batch(foci_graph *g, int64_t batch);

/* A promise: from now on gradients are cleared before every forward pass, and foci_graph_backward with this seed
 * follows it. Operations may then make gradients of parameters in the forward pass already, where they need less work
 * there. */
void foci_graph_promise(foci_graph *g, foci_real seed);

void foci_graph_forward(foci_graph *g);
foci_status foci_graph_failure(const foci_graph *g); /* what an operation said that it cannot do in that pass */
/* every element of the output's gradient = seed, of penalties' too */
void foci_graph_backward(foci_graph *g, foci_real seed);
/* the output's gradient was filled by the caller; without penalties */
void foci_graph_backward_from_output(foci_graph *g);

/* A call is the run of one node. Those of the forward pass come first, one for every node; then those of the backward
 * pass, among them forward runs again of what was not kept (`recompute`). */
typedef enum foci_pass { FOCI_FORWARD, FOCI_AGAIN, FOCI_BACKWARD } foci_pass;
typedef struct foci_call {
    foci_node *node;
    foci_pass pass;
    int workspace;     /* internal: block or -1 */
    foci_tensor *zero; /* internal: gradient to clear before, or NULL */
} foci_call;
int foci_graph_calls(const foci_graph *g); /* of a planned graph */
const foci_call *foci_graph_call(const foci_graph *g, int i);
/* Floating-point operations of a call (0: not counted), and the bytes that it must read and write at least; of a bound
 * graph. */
double foci_call_flop(const foci_call *c);
double foci_call_bytes(const foci_call *c);

/* Times every call from now on; NULL ends it. */
typedef struct foci_span {
    double start_ms; /* when the last run began, on the clock of foci_now_ms */
    double last_ms, total_ms;
} foci_span;
void foci_graph_profile(foci_graph *g, foci_span *spans);

/* What the caller of a graph knows by name, SCOPE.name, in the order of recording: what was given to foci_input,
 * foci_output and (with `observe`) foci_observe. A CACHE (B, room, C) of foci_cached is memory that the caller feeds to
 * one graph after the other; each finds rows 0 .. past - 1 of every text there and writes those behind them. What
 * foci_carried makes is a PAST, which is fed, and a NOW, which is read (core/carry.h). */
typedef enum foci_slot_kind {
    FOCI_SLOT_INPUT,
    FOCI_SLOT_OUTPUT,
    FOCI_SLOT_OBSERVED,
    FOCI_SLOT_CACHE,
    FOCI_SLOT_PAST,
    FOCI_SLOT_NOW
} foci_slot_kind;
typedef struct foci_slot {
    const char *name;
    foci_slot_kind kind;
    foci_tensor *tensor; /* of outputs and what is observed: without gaps */
} foci_slot;
int foci_graph_slots(const foci_graph *g);
const foci_slot *foci_graph_slot(const foci_graph *g, int i);
foci_tensor *foci_graph_find(const foci_graph *g, const char *name); /* NULL: there is none */

/* Is the name one of those, with blanks between (NULL: none)? */
bool foci_names_hold(const char *names, const char *name);

/* For foci_carried: a PAST, and the NOW behind it (NULL: what is fed is no rows, but their number). */
void foci_graph_carry(foci_graph *g, foci_tensor *past, foci_tensor *now);
void foci_graph_cache(foci_graph *g, const foci_tensor *input); /* for foci_cached: the input is a CACHE */

foci_cost foci_graph_cost(const foci_graph *g);    /* floating-point operations of one forward and one backward pass */
double foci_graph_cost_again(const foci_graph *g); /* and of what the backward pass computes again */
int foci_graph_nodes(const foci_graph *g);
const foci_node *foci_graph_node(const foci_graph *g, int i);

#endif
