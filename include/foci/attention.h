/* An attention variant: one file in src/attention and one line in its list.h. */
#ifndef FOCI_ATTENTION_H
#define FOCI_ATTENTION_H

#include "foci/keys.h"
#include "foci/ops.h"
#include "foci/tensor.h"

/* What a block projects its tokens to, in the order in which the parts stand in the weights. */
enum { FOCI_PROJECT_Q = 1, FOCI_PROJECT_K = 2, FOCI_PROJECT_K2 = 4, FOCI_PROJECT_V = 8 };

/* Where every token sees those before it, within a span, across the borders of windows: k and v, (B, H, L + N, D), have
 * those of the L tokens before the window in front. */
typedef struct foci_attention_span {
    int64_t length;        /* L */
    foci_tensor *position; /* (1, D, L): learnt, as foci_span_options has it */
    foci_tensor *filled;   /* (1) int: of the L tokens only so many last ones are there; NULL: all */
    bool plain_position;   /* the position term has q without a metric */
} foci_attention_span;

/* What queries and keys become before they are compared: normalised, turned by their positions (foci_rotary). */
typedef struct foci_attention_turning {
    double theta;                     /* of the angles; 0: nothing is turned */
    int64_t first;                    /* position of the first key; the last query has that of the last key */
    double eps;                       /* of the norms */
    foci_tensor *q_norm, *k_norm;     /* (D): weights of the norms; NULL: none */
    foci_tensor *q_angles, *k_angles; /* (N, D), (M, D): made where they are NULL */
} foci_attention_turning;

typedef struct foci_attention_io {
    foci_graph *graph;
    const foci_config *config; /* for messages: foci_config_place(io->config, "attention.KEY") */
    const void *options;       /* the struct that the variant's keys are bound to, filled */
    /* (B, N, C): what q, k and v are projections of, for projections of the variant's own */
    foci_tensor *x;
    foci_tensor *q, *k, *v;                      /* (B, H, N, D): as they are compared */
    foci_tensor *q_projected, *k_projected;      /* as they were projected: q and k where there is no turning */
    foci_tensor *k2;                             /* likewise, where projections asks for it */
    foci_tensor *q_before, *k_before, *v_before; /* projections of the layer before, NULL in layer 0 */
    foci_tensor *q_first, *k_first, *v_first;    /* those of layer 0, NULL there */
    foci_attention_turning *turning;             /* how q and k were made of the projections; NULL: they are these */
    int layer, depth;
    int64_t longest;      /* tokens of the longest sequence that the model takes */
    foci_tensor **shared; /* where a layer leaves for the others what all have in common; NULL: it has no others */
    uint64_t seed;        /* of numbers that are drawn once */
    bool causal;
    bool forward_only; /* causal, and what would see the future in spite of that must be asked for expressly */
    const foci_attention_span *span; /* NULL: a token sees the whole sequence, or causal what is before it */
    foci_tensor *mask;               /* (B, N): 1, or 0 where a token is padding; NULL: there is none */
    foci_tensor *bias;               /* (B, N) added to every key's scores: of the mask 0, or -1e6; NULL: nothing */
    double scale;                    /* 1/sqrt(D) */
    double dropout;                  /* on the attention map */
} foci_attention_io;

/* What a variant is able to do in causal models, besides attention over a whole sequence. */
enum {
    /* forward takes q of the last token alone, (B, H, 1, D), with k and v (and those before) of all N */
    FOCI_LAST_QUERY = 1,
    FOCI_INCREMENTAL =
        2 /* and no later token changes what an earlier one got: keys and values may be kept from token to token */
};

typedef struct foci_attention {
    const char *name, *summary;
    const char *cost;  /* of a layer of N tokens in heads of width D, as `foci list attention` prints it; NULL: N^2 D */
    const char *extra; /* names of its parameters and buffers, with blanks between; NULL: none */
    bool linear;       /* time and memory grow with N */
    bool whole;        /* needs all tokens at once: there is no causal form */
    bool spans;        /* works over a span (io->span) too */
    bool groups;       /* k and v may have fewer heads than q, (B, G, N, D); else every head gets its own copy */
    bool adds;         /* the output is not the map times v alone, or there is no map */
    /* "eps: 0": keys with which nothing of the future is seen and no part of the gradient is left out, where that is
     * not so by default; NULL: it is */
    const char *exactly;
    const foci_key *keys; /* "attention.KEY", each bound to a field of the variant's options (FOCI_KEY) */
    /* Records the layer; extra parameters by foci_parameter. Returns (B, N, H*D). */
    foci_tensor *(*forward)(const foci_attention_io *io);
    unsigned (*abilities)(const void *options); /* FOCI_LAST_QUERY | FOCI_INCREMENTAL; NULL: neither */
    /* FOCI_PROJECT_*: without Q q is k, without K k is q; NULL: q, k and v */
    unsigned (*projections)(const void *options);
} foci_attention;

/* q by another way: stretched by a metric, (B, G, 1 or N, D), before it is turned. */
foci_tensor *foci_attention_stretched_query(const foci_attention_io *io, foci_tensor *metric);

/* Attention by the dot product among the tokens that see each other here: over the sequence, or over io->span. */
foci_tensor *foci_attention_dot(const foci_attention_io *io, const foci_sdpa_options *options);

#endif
