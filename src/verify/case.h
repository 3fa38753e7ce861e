/* What the checkers of golden cases share. Whatever is wrong with a case is FOCI_ERR_DATA with file and
 * place. */
#ifndef FOCI_VERIFY_CASE_H
#define FOCI_VERIFY_CASE_H

#include <jansson.h>

#include "config/config.h"
#include "core/program.h"
#include "core/safetensors.h"
#include "train/optimizer.h"
#include "verify/verify.h"

typedef struct foci_case {
    const char *path;
    json_t *root;
    foci_safetensors file;
    bool *used;     /* per tensor of the file: some checker asked for it; in the end all must be */
    bool relative;  /* differences are relative to the largest expected value where that is above 1 */
    bool *compared; /* per group of the report */
    bool bf16;      /* products round their operands: differences are root mean squares, relative to what is expected */
    double usual;   /* with bf16: what is expected to be next to nothing is compared with this size; 0: with its own */
    int products;   /* that a result of the graph at hand may have gone through, one after another */
    foci_arena arena;
    foci_verify_report *report;
} foci_case;

/* The checkers, one per kind. */
foci_status foci_verify_vit(foci_case *c);
foci_status foci_verify_fan(foci_case *c);
foci_status foci_verify_segmenter(foci_case *c);
foci_status foci_verify_lm(foci_case *c);
foci_status foci_verify_gpt(foci_case *c);
foci_status foci_verify_gpt_units(foci_case *c);
foci_status foci_verify_gpt_attention(foci_case *c);
foci_status foci_verify_gpt_names(foci_case *c);
foci_status foci_verify_encoder(foci_case *c);
foci_status foci_verify_attention(foci_case *c);
foci_status foci_verify_softmax(foci_case *c);
foci_status foci_verify_units(foci_case *c);
foci_status foci_verify_attack(foci_case *c);
foci_status foci_verify_collapse(foci_case *c);
foci_status foci_verify_span(foci_case *c);
foci_status foci_verify_experts(foci_case *c);
foci_status foci_verify_lm_span(foci_case *c);
foci_status foci_verify_lm_span_classifier(foci_case *c);

foci_status foci_case_fail(const foci_case *c, const char *fmt, ...) FOCI_PRINTF(2, 3);

/* ------- the JSON; `place` is the object's name in messages, "train" */

foci_status foci_case_member(const foci_case *c, const json_t *object, const char *place, const char *key,
                             json_type type, json_t **member);
foci_status foci_case_number(const foci_case *c, const json_t *object, const char *place, const char *key, double *x);
foci_status foci_case_int(const foci_case *c, const json_t *object, const char *place, const char *key, int64_t min,
                          int64_t max, int64_t *x);
/* So many numbers. */
foci_status foci_case_list(const foci_case *c, const json_t *object, const char *place, const char *key, int64_t count,
                           double *x);
/* Fails where the object has a key that is not among `keys`, a list with spaces around every name: " a b ".
 */
foci_status foci_case_known_keys(const foci_case *c, const json_t *object, const char *place, const char *keys);

/* ------- tensors of the file: shape as asked for (ndim -1: any), memory of the case */

foci_status foci_case_tensor(foci_case *c, const char *name, int ndim, const int64_t *shape, const foci_safetensor **t);
foci_status foci_case_reals(foci_case *c, const char *name, int ndim, const int64_t *shape, foci_real **x);
/* The same, of a tensor that may hold whole numbers. */
foci_status foci_case_numbers(foci_case *c, const char *name, int ndim, const int64_t *shape, foci_real **x);
/* Integers of 0 .. below - 1, or `exception`. */
foci_status foci_case_ints(foci_case *c, const char *name, int ndim, const int64_t *shape, int64_t below,
                           int32_t exception, int32_t **x);

/* (B, X, Y, D) -> (B, Y, X, D): between heads apart and heads joined. */
void foci_case_swap_axes(int64_t b, int64_t x, int64_t y, int64_t d, const foci_real *from, foci_real *to);

/* ------- comparing */

/* A group of the checker's own, beside those that the case has tolerances for. */
bool foci_case_has_group(const foci_case *c, const char *group);
foci_status foci_case_add_group(foci_case *c, const char *group, double tolerance);
/* `size` of what was expected: its magnitude, the root mean square of a tensor. */
foci_status foci_case_difference(foci_case *c, const char *group, double difference, double size);
foci_status foci_case_compare(foci_case *c, const char *group, const foci_real *got, const char *expected, int ndim,
                              const int64_t *shape);

/* ------- running */

/* What a case says of a model and of attention (verify/config.c). */
typedef struct foci_case_settings {
    const foci_model *model;   /* NULL: attention alone */
    const char *const *rename; /* the case's names of model keys, and foci's: {"n_token", "vocab", ..., NULL} */
    const json_t *sizes;       /* model keys */
    const json_t *elliptical;  /* options of elliptical attention; JSON null: the dot product */
    const json_t *attention;   /* or the options of another kind, "kind" among them; NULL, JSON null: none */
    const char *tensors;       /* how the names of tensors begin that sizes are taken from */
} foci_case_settings;
foci_status foci_case_config(foci_case *c, const foci_case_settings *s, foci_config **config);

typedef struct foci_case_run {
    foci_parameters parameters;
    foci_program_set set;
    foci_program *program;
    const char *own; /* "a b": parameters whose names begin so are filled by the checker and compared with nothing */
} foci_case_run;
/* A program that observes and differentiates: of what `record` records, by parameters and inputs named in `gradients`;
 * or of a model, as it trains or not. The caller closes it, after a failure too. */
foci_status foci_case_run_open(foci_case *c, foci_case_run *r, const char *gradients,
                               void (*record)(void *context, foci_graph *g), void *context);
foci_status foci_case_run_open_model(foci_case *c, foci_case_run *r, const foci_model *model,
                                     const foci_request *request, bool train);
/* Another program of the run, over the same parameters. */
foci_status foci_case_run_add_model(foci_case *c, foci_case_run *r, foci_program **p, const foci_model *model,
                                    const foci_request *request, bool train);
/* Takes memory and fills every parameter X from tensor PREFIX X of its shape, and buffers by their own prefix. */
foci_status foci_case_run_ready(foci_case *c, foci_case_run *r, const char *prefix, const char *buffers);
/* How many products a result of the program may have gone through; the former does it too. */
void foci_case_run_count(foci_case *c, const foci_case_run *r);
/* Compares an output, or what is observed, with a tensor of its shape. */
foci_status foci_case_run_compare(foci_case *c, const foci_case_run *r, const char *group, const char *output,
                                  const char *expected);
/* Compares the gradient of every parameter X with tensor PREFIX X. Names in `none` have no tensor and a
 * gradient of zero. */
foci_status foci_case_run_gradients(foci_case *c, foci_case_run *r, const char *group, const char *prefix,
                                    const json_t *none);
void foci_case_run_close(foci_case_run *r);

/* Norms of parameters after a training, against train.param_norm. */
foci_status foci_verify_norms(foci_case *c, const foci_parameters *p, const json_t *train);

/* What cases of models on the layers of lm_span share. */
typedef struct foci_span_case {
    const foci_model *model;
    foci_config *config; /* freed by the caller */
    json_t *train;
    int64_t words, rows, tokens; /* of the vocabulary; of input.tokens (rows, tokens) */
    int64_t split;               /* pieces that a batch is trained in, a divisor of the rows */
} foci_span_case;
/* Reads it; `keys` are those that `train` may have. */
foci_status foci_span_case_open(foci_case *c, const char *model, const char *keys, foci_span_case *o);
/* A name with a number in it, kept as long as the case. */
const char *foci_case_numbered(foci_case *c, const char *fmt, int i);
/* Metrics and routes of all layers. */
foci_status foci_span_case_layers(foci_case *c, const foci_case_run *r);
/* Adam or AdamW as `train` says. */
foci_status foci_span_case_adam(foci_case *c, const json_t *train, foci_optimizer_options *o);

/* The observed weights `route` (.., E) against tensors `index` (.., k), which must agree, and `score`. */
foci_status foci_verify_route(foci_case *c, const foci_case_run *r, const char *route, const char *index,
                              const char *score);

#endif
