/* Programs: a model recorded and planned for one shape of its inputs, to be run as often as wanted.
 *
 * Whoever is above the operations records, plans and runs here and nowhere else, and knows inputs and outputs by their
 * names: where their numbers lie is core's business.
 *
 *     foci_program_set set;
 *     foci_program *p;
 *     const foci_real *logits;
 *     foci_program_set_init(&set, &parameters);
 *     FOCI_TRY(foci_program_open_model(&p, &set, &(foci_graph_options){0}, model,
 *                                      &(foci_request){.config = config, .batch = 32, .feeds = "images"}));
 *     FOCI_TRY(foci_program_set_ready(&set));
 *     FOCI_TRY(foci_load_weights(&parameters, path));
 *     FOCI_TRY(foci_program_feed(p, "images", images));      // (32, 3, H, W)
 *     FOCI_TRY(foci_program_forward(p));
 *     FOCI_TRY(foci_program_fetch(p, "logits", &logits));    // (32, K)
 *     foci_program_set_free(&set);
 *
 * Programs of a set share the parameters and one block of memory, as large as the largest needs: training's whole and
 * last window, a batch and half of it. They run in turns: what one has computed is gone when the next one runs. */
#ifndef FOCI_CORE_PROGRAM_H
#define FOCI_CORE_PROGRAM_H

#include "core/graph.h"

typedef struct foci_program foci_program;

typedef struct foci_program_set {
    foci_parameters *parameters; /* the caller's, who frees them */
    foci_program **program;
    int count;
    void *memory;
    size_t room;        /* bytes of it */
    const char *advice; /* for whoever runs out of memory: "lower --batch"; NULL: none */
} foci_program_set;

void foci_program_set_init(foci_program_set *set, foci_parameters *parameters);
void foci_program_set_free(foci_program_set *set); /* closes the programs too */

/* Bytes of the block that the largest program needs; `unshared` (may be NULL): if each of its tensors had memory of its
 * own. */
size_t foci_program_set_bytes(const foci_program_set *set, size_t *unshared);
/* Takes the memory for all programs opened so far: the block; and the parameters, of zeros and with gradients where a
 * program makes them, unless they are allocated. To be called again after programs were opened, or the arrays of the
 * parameters exchanged. */
foci_status foci_program_set_ready(foci_program_set *set);

/* Records and plans. The gradient flows from what `record` gave to foci_output last, a loss as a rule. The first error
 * of recording is the program's; then *p is NULL. */
foci_status foci_program_open(foci_program **p, foci_program_set *set, const foci_graph_options *options,
                              void (*record)(void *context, foci_graph *g), void *context);
/* The same of a model; `graph` of the request is filled in. FOCI_ERR_CONFIG too where the model's inputs are not those
 * that the request wants to feed, or it passes over a number of the request. */
foci_status foci_program_open_model(foci_program **p, foci_program_set *set, const foci_graph_options *options,
                                    const foci_model *model, const foci_request *request);
void foci_program_close(foci_program *p); /* before its set; NULL is fine */

/* ------- inputs and outputs; a name that the program does not have is FOCI_ERR_RUNTIME */

/* Shape and type of an input, an output or what is observed. NULL: the program has no such name. */
const foci_tensor *foci_program_find(const foci_program *p, const char *name);
/* What the input holds from the next run on, without gaps in the order of its shape: foci_real or int32_t. `data` stays
 * the caller's and must last, and may change between runs, until another array is fed. */
foci_status foci_program_feed(foci_program *p, const char *name, const void *data);
/* The numbers of an output or of what is observed, without gaps; valid until a program of the set runs. */
foci_status foci_program_fetch(const foci_program *p, const char *name, const foci_real **data);
/* The gradient of an input among the options' `gradients`, or of what foci_program_fetch gives; valid likewise. */
foci_status foci_program_fetch_gradient(const foci_program *p, const char *name, const foci_real **data);

/* ------- running; nothing is allocated */

/* FOCI_ERR_RUNTIME where an input was never fed, foci_program_set_ready not called, or an operation says that it cannot
 * compute what it is to (foci_node_fail). */
foci_status foci_program_forward(foci_program *p);
/* After forward, in programs that differentiate: adds to the parameters' gradients. Every element of the last output's
 * own gradient is `seed`, or they are given one by one. */
void foci_program_backward(foci_program *p, foci_real seed);
void foci_program_backward_from(foci_program *p, const foci_real *gradient);

/* The number of the step and of its first sample, which random numbers are drawn by; foci_graph_set_step. */
void foci_program_set_step(foci_program *p, uint64_t step, uint64_t first_sample);
void foci_program_promise(foci_program *p, foci_real seed);   /* foci_graph_promise */
void foci_program_profile(foci_program *p, foci_span *spans); /* foci_graph_profile */

/* The graph, for whoever counts: costs, bytes, nodes, moments, names. */
const foci_graph *foci_program_graph(const foci_program *p);

#endif
