/* How a trained model holds its tokens and heads apart: the measures of collapse.h, layer by layer, means over samples
 * of the validation data.
 *
 * What is measured are tensors that recording offers by name (foci_observe): inside the layers, scopes such as blocks.3
 * and layers.3, `keys`, `heads` the joined heads, `out` the attention output before the residual sum, `output` the
 * residual stream after the block, `prob` the attention map, `metric` the diagonal of elliptical attention. No model
 * and no variant is known here; a measure whose tensor is not offered is NAN. */
#ifndef FOCI_ANALYZE_ANALYSIS_H
#define FOCI_ANALYZE_ANALYSIS_H

#include <signal.h>

#include "core/program.h"
#include "images/images.h"
#include "analyze/collapse.h"

typedef struct foci_layer_analysis {
    char name[64];                                       /* "blocks.3" */
    double cosine_attention, cosine_heads, cosine_block; /* token cosine of out, heads, output */
    double effective_rank;                               /* of output */
    double head_distance;                                /* mean over pairs */
    double key_change;                                   /* mean |k - k of the layer before|; NAN of the first */
    double *pair;                                        /* (pairs) head distances */
    foci_spread *metric;                                 /* (heads), NULL: the layer has none */
} foci_layer_analysis;

/* What is kept of one sample for pictures. */
typedef struct foci_attention_picture {
    foci_real *input; /* (3, height, width) in [0, 1]; NULL: no image */
    foci_real *map;   /* (heads, N, N) of the layer asked for */
    double *rollout;  /* (N, N) over all layers */
} foci_attention_picture;

typedef struct foci_analysis {
    int layers, layer; /* layer: the one pictured */
    int64_t heads, tokens, width, head_width, samples;
    foci_layer_analysis *of;   /* (layers) */
    double head_distance_mean; /* over layers and pairs */
    const char *items;         /* what the samples are: "images", "windows" */
    int height, columns;       /* of the input in pixels; 0: it is no image */
    int pictures;
    foci_attention_picture *picture;
    foci_arena memory; /* of all these */
} foci_analysis;

/* The analysis of one set of weights; of a run's history there are several. */
typedef struct foci_stage {
    long long step; /* -1: the weights that were asked for */
    foci_analysis analysis;
} foci_stage;

typedef struct foci_analysis_options {
    int64_t limit;                     /* samples, evenly spread over the data; 0: 256 images, or 64 windows of text */
    int64_t batch;                     /* at once; 0: a default. Changes speed and memory only */
    int layer;                         /* for pictures; -1: the last */
    int pictures;                      /* samples kept for pictures */
    const volatile sig_atomic_t *stop; /* not 0: FOCI_INTERRUPTED, soon; may be NULL */
} foci_analysis_options;

foci_status foci_analyze(const foci_config *config, const char *weights, const foci_analysis_options *options,
                         foci_analysis *a);
void foci_analysis_free(foci_analysis *a);

/* How many coordinates of the layer's metric count, the mean over heads; NAN where it has none. */
double foci_metric_coordinates(const foci_analysis *a, int layer);

/* The measures alone, of whatever the program computed last: `samples` first rows of its batch. Free it, after a
 * failure too. */
foci_status foci_analyze_program(const foci_program *p, int64_t samples, foci_analysis *a);

#endif
