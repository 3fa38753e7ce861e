/* Perplexity of a language model on a token stream (docs/mathematics.md 1.6 and 8.7).
 *
 * The stream is cut into `columns` equal rows of n tokens, the remainder is dropped.
 *   strided:  windows of length w start at 0, S, 2S, ..., the last may be shorter; each counts the predictions that
 * none before it made, so that they have w - S tokens before their own input, those of the first window apart.
 *   disjoint: S = w.
 *   sliding:  S = 1, and the stream is longer than a window. This is the test figure of the paper's models.
 * All predict n - 1 tokens a row.
 *   documents: what stands between two ends of text is a row of its own, strided, behind one end of text; that token
 * and the one behind the document are not predicted. The figure depends on no neighbour and on no cut. A model that
 * carries something from window to window (foci_model.carries) has one walk: the disjoint windows of each row in their
 * order, the first with nothing before it. */
#ifndef FOCI_TASK_PERPLEXITY_H
#define FOCI_TASK_PERPLEXITY_H

#include "base/ledger.h"
#include "base/watch.h"
#include "core/program.h"
#include "task/score.h"
#include "text/text.h"

#define FOCI_WALKS(X) \
    X(FOCI_WALK_DISJOINT, "disjoint") \
    X(FOCI_WALK_SLIDING, "sliding") \
    X(FOCI_WALK_STRIDED, "strided") \
    X(FOCI_WALK_DOCUMENTS, "documents")
typedef enum foci_walk { FOCI_WALKS(FOCI_CHOICE_NUMBER) } foci_walk;

/* The setting of an evaluation of text. */
typedef struct foci_walk_settings {
    foci_walk walk;
    int64_t stride, rows;
    bool whole_windows;
} foci_walk_settings;
extern const foci_key foci_walk_keys[];

typedef struct foci_perplexity_options {
    const foci_model *model;
    const foci_config *config;
    int64_t vocabulary;  /* words of the data set */
    const char *counted; /* the metric that counts predictions; NULL: tokens */
    foci_walk walk;
    int64_t window, columns, stride; /* stride: of strided and documents; 0: the window */
    int32_t end_of_text;             /* of documents; -1: there is no such token */
    const int32_t *token_bytes;      /* (vocabulary): of each token, which are counted too; NULL: they are not */
    bool whole_windows;              /* what is left of a row behind its windows is not scored; disjoint alone */
    int64_t at_once;                 /* windows per forward pass; changes speed and memory only */
    foci_ledger *ledger;             /* a row a pass: windows and tokens so far, and their nats; NULL: none */
    foci_group *group;               /* of processes that share the passes, without a ledger; NULL: one alone */
    const foci_watch *watch;         /* counts windows */
} foci_perplexity_options;

/* The score has nll (nats, of so many tokens), of which ppl is made, and the count of predictions. Tokens
 * must be below the vocabulary. FOCI_ERR_DATA where there are too few for one prediction, or for one window. */
foci_status foci_perplexity(const foci_perplexity_options *options, foci_parameters *p, const int32_t *token,
                            int64_t count, foci_score *score);

/* The same with the window of the config; characters and bytes are counted as such, and of subwords the bytes, so that
 * the score has their bits. */
foci_status foci_perplexity_as_configured(const foci_config *config, const foci_model *model,
                                          const foci_vocabulary *vocabulary, const foci_walk_settings *how,
                                          foci_parameters *p, const int32_t *token, int64_t count, foci_ledger *ledger,
                                          foci_group *group, const foci_watch *watch, foci_score *score);

#endif
