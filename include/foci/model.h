/* A model: one file in src/models and one line in its list.h. */
#ifndef FOCI_MODEL_H
#define FOCI_MODEL_H

#include "foci/keys.h"
#include "foci/tensor.h"

/* What a caller asks of a model: for how many samples it is recorded, and what will be fed. The model declares an input
 * (foci_input) for every name of `feeds` and gives its results to foci_output, the one that a training differentiates
 * last. What is fed decides what is recorded: without labels a classifier has no loss.
 *
 *     images        images (B, 3, H, W) -> logits (B, K); with labels (B), or these and partners (B) and shares (B), or
 *                   soft_targets (B, K): loss (1), the mean over the samples
 *     segmentation  images (B, 3, H, W) -> logits (B, H, W, K); with labels (B, H, W) of which 255 does not count:
 *                   loss (1), the mean over the pixels, or their sum over `counted` (1)
 *     sequences     ids (B, T), or those of pairs, (2B, T), and mask of the same shape -> logits (B, K); with labels
 * (B): loss (1); tokens (T of a batch; else model.length) text          ids (B, T) -> logprob (B, T, V), of every word
 * to be the next; with targets (B, T): nll (B*T), loss (1) */
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
    int64_t vocabulary;        /* of inputs that are words, where classes are something else; 0: as configured */
    const char *feeds;         /* names with blanks between: "images labels" */
    /* What a task says beyond that, ended by a name of NULL: label_smoothing; of text: tokens (T of a window; else
     * model.context), window (positions count down to 0 at its end; else at the end of the tokens there are), last_only
     * (1: only the last token of each window is scored; targets (B, 1)). */
    foci_named_number number[FOCI_MAX_NUMBERS];
} foci_request;

bool foci_request_feeds(const foci_request *r, const char *name);
double foci_request_number(foci_request *r, const char *name, double otherwise);

typedef struct foci_model {
    const char *name, *summary;
    const char *task; /* what it is trained for, "images": a name of src/task/list.h */
    const foci_key *keys;
    const foci_key *shared; /* keys that it has in common with other models; NULL: none */
    /* parameters that may have another shape in weights that a training starts from, since they depend on the classes
     * or words: prefixes of their names, with blanks between; NULL: none */
    const char *head;
    const char
        *embedding; /* likewise those with a row for every word of its inputs; NULL: none, or they are the head */
    bool carries;   /* goes on from window to window of a text (foci_carried) */
    void (*record)(foci_request *r);
} foci_model;

#endif
