/* Argument blocks of kernels that take more than a handful. */
#ifndef FOCI_KERNELS_TYPES_H
#define FOCI_KERNELS_TYPES_H

#include "foci/plugin.h" /* foci_metric_scale */

/* Elements in 64 bytes. */
enum { FOCI_ALIGN = 64 / sizeof(foci_real) };

/* Which elements dropout drops. A block of Philox decides eight of them, 16 bits each: number e looks at the lower half
 * of word e % 8 / 2 of block e / 8, or at the upper half if e is odd. Element i has number first + i. */
typedef struct foci_dropout_mask {
    uint64_t seed, stream, step, first;
    uint32_t threshold; /* halves below it drop: p * 2^16; 0: none */
    foci_real factor;   /* of the kept ones: 1 / (1 - p) */
} foci_dropout_mask;
enum { FOCI_DROPOUT_BLOCK = 8 };

/* One update of Adam or AdamW (docs/mathematics.md 1.9). */
typedef struct foci_adam_step {
    double lr, beta1, beta2, eps;
    double decay;   /* 0: none */
    bool decoupled; /* AdamW: the decay shrinks the parameter; otherwise (Adam) it is added to the gradient */
    double correction1, correction2; /* 1 - beta^t */
    double grad_scale;               /* every gradient is multiplied by it: clipping, averaging */
} foci_adam_step;

/* One update of stochastic gradient descent, momentum as in PyTorch: b = momentum b + g, theta -= lr b; Nesterov's:
 * theta -= lr (g + momentum b). */
typedef struct foci_sgd_step {
    double lr, momentum, decay, grad_scale;
    bool nesterov;
} foci_sgd_step;

/* Weights of resampling: of 32 bits 8 are for the pixel, 2 for the overshoot of bicubic. */
enum { FOCI_RESAMPLE_BITS = 32 - 8 - 2 };

/* Numbers, one behind the other: reals or, with `bf16`, in bfloat16 (kernels/bf16.h). */
typedef struct foci_numbers {
    const void *first;
    bool bf16;
} foci_numbers;
static inline foci_numbers foci_numbers_at(foci_numbers x, int64_t i) {
    return (foci_numbers){(const char *)x.first + i * (int64_t)(x.bf16 ? sizeof(uint16_t) : sizeof(foci_real)), x.bf16};
}
static inline foci_numbers foci_reals(const foci_real *x) { return (foci_numbers){x, false}; }
/* Where numbers are to be written. */
static inline void *foci_writable(foci_numbers x) { return (void *)(uintptr_t)x.first; }

/* A matrix of such, row-major, `ld` elements from row to row; `transposed`: what is meant is its transpose. */
typedef struct foci_matrix {
    const void *data;
    int64_t ld;
    bool transposed, bf16;
} foci_matrix;
static inline foci_numbers foci_matrix_at(const foci_matrix *m, int64_t row, int64_t column) {
    return foci_numbers_at((foci_numbers){m->data, m->bf16},
                           m->transposed ? column * m->ld + row : row * m->ld + column);
}
/* From this row and column on. */
static inline foci_matrix foci_matrix_from(foci_matrix m, int64_t row, int64_t column) {
    return (foci_matrix){foci_matrix_at(&m, row, column).first, m.ld, m.transposed, m.bf16};
}

/* C (rows, columns) = a (rows, depth) b (depth, columns), plus the bias (columns) in every row where there is one, plus
 * what C holds where `add`; without `add` C is never read. */
typedef struct foci_product {
    int64_t rows, columns, depth;
    foci_matrix a, b;
    foci_real *c;
    uint16_t *rounded; /* C is made here, in bfloat16, in place of `c`; not together with `add`. NULL: it is not */
    int64_t ldc;
    bool add;
    const foci_real *bias;   /* or NULL; not together with `add` */
    const foci_real *packed; /* b as foci_gemm_pack left it, or NULL */
    bool bf16;               /* a and b may be rounded to bfloat16 (kernels/bf16.h) */
} foci_product;

/* Rows that are few. */
enum { FOCI_GEMM_FEW = 8 };

/* The block of B that is copied at a time. */
enum { FOCI_GEMM_DEPTH = 384, FOCI_GEMM_COLUMNS = 256 };

/* Attention of one head of one sample. Matrices are given by their first element and the step from row to row, in
 * elements; the entries of a row are neighbours. What is of foci_numbers may lie in memory in bfloat16. */
typedef struct foci_attention_head {
    int64_t queries, keys;      /* N, M; causal: the same */
    int64_t width, value_width; /* D of q and k, E of v and out */
    foci_numbers q, k, v;       /* (N, D), (M, D), (M, E) */
    int64_t q_row, k_row, v_row;
    const foci_real *metric; /* multiplies q: (N, D), or one row for all where metric_row is 0; NULL: ones */
    int64_t metric_row;
    const foci_real *bias, *key_bias; /* (M) each, added to the scores of each key, or NULL */
    /* (M, score_factor_row), the queries of a key side by side up to whole vectors: multiplies the scores, or NULL */
    const foci_real *score_factor;
    int64_t score_factor_row;
    foci_real scale;
    bool causal;
    foci_dropout_mask dropout; /* of the probabilities. Element (i, j) has number first + i M' + j, M' = M up to whole
                                * blocks; `first` is a multiple of a block */
    foci_numbers out;          /* (N, E) */
    int64_t out_row;
    foci_real *log_sum; /* (N): log of the sum of exp(score) over the keys */
    /* backward only; a gradient that is not wanted is NULL */
    foci_numbers dout;
    int64_t dout_row;
    const foci_real *dlog_sum; /* (N), dout_row apart: gradients of log_sum, or NULL */
    foci_numbers dq, dk, dv;
    foci_real *dkey_bias, *dscore_factor; /* as score_factor: added to */
    int64_t dq_row, dk_row, dv_row;
    bool add_dq, add_dk, add_dv, add_dkey_bias; /* add to what is there, which then is reals, or overwrite it */
} foci_attention_head;

/* Tiles of queries and keys. A head's forward pass may be cut between tiles of queries. */
enum { FOCI_ATTENTION_QUERIES = 48, FOCI_ATTENTION_KEYS = 256 };

/* Where attention keeps things in its scratch memory (64-byte aligned), in reals; the same for every instruction set. D
 * and E are the widths, filled up to 16. What is a copy for products has room where there is need of one
 * (kernels/body_operand.h). */
typedef struct foci_attention_layout {
    int64_t queries, queries_across; /* a tile of scaled queries, (QUERIES, D); copy: its transpose */
    int64_t rows;                    /* (QUERIES, D or E): what a transpose is made from */
    int64_t sums;                    /* (QUERIES, E): of values; backward (QUERIES, D): gradients of queries */
    /* (KEYS, QUERIES): scores, then probabilities; what dropout multiplies them with */
    int64_t scores, factor;
    int64_t copy;         /* (KEYS, QUERIES): copy of a tile of probabilities or of gradients */
    int64_t keys, values; /* (M, D), (M, E): copies */
    /* backward only */
    int64_t douts, douts_across;       /* (QUERIES, E): as queries are, of the gradients of the output */
    int64_t outs;                      /* (QUERIES, E): the output as reals */
    int64_t queries_down, douts_down;  /* (QUERIES, D), (QUERIES, E): copies, the depth from row to row */
    int64_t dscores;                   /* (KEYS, QUERIES): gradients of scores */
    int64_t keys_down, dkeys, dvalues; /* (M, D): copy, the depth from row to row; (M, D), (M, E): sums of gradients */
    int64_t dkey_bias;                 /* (M, 16): sums of gradients of scores, of every 16th query */
    int64_t raw;                       /* (KEYS, QUERIES): scores before their factor */
    int64_t reals;                     /* of all */
} foci_attention_layout;
foci_attention_layout foci_attention_layout_of(int64_t keys, int64_t width, int64_t value_width, bool backward,
                                               bool bf16);

/* Pixels between two cells, whose logits are low + share (high - low). Rows of classes are filled up to FOCI_STRETCH
 * with logits so low that they weigh nothing. */
enum { FOCI_STRETCH = 16 }; /* pixels at most */
typedef struct foci_stretch {
    int64_t pixels, classes;
    const foci_real *low, *high; /* (classes) */
    const foci_real *share;      /* (pixels) */
    const int32_t *label;        /* (pixels) */
    int32_t ignore;
    foci_real *dlow, *dhigh; /* (classes) each, may be the same: gradients, added to; NULL: not wanted */
} foci_stretch;

/* Which keys a query sees, for FOCI_ATTENTION_QUERIES of them: those whose place lies in [low, high] and is not self.
 */
typedef struct foci_sight {
    foci_real low[FOCI_ATTENTION_QUERIES], high[FOCI_ATTENTION_QUERIES], self[FOCI_ATTENTION_QUERIES];
} foci_sight;

/* Keys that lie one behind the other, with their values. */
typedef struct foci_key_piece {
    int64_t keys;
    const foci_real *k, *v; /* (keys, D) */
    int64_t k_row, v_row;
    const foci_real *place;  /* (keys); of a key that nobody sees: NAN */
    const foci_sight *sight; /* of the queries, in this piece */
    foci_real *dk, *dv;      /* backward: (keys, sum_row) to be added to; NULL: not wanted */
    int64_t sum_row;         /* at least D filled up to whole cache lines, which are written whole */
} foci_key_piece;

/* Attention of some queries, FOCI_ATTENTION_QUERIES at most, to keys in pieces. A key that is in two pieces counts
 * twice. */
typedef struct foci_attention_pieces {
    int64_t queries, width;
    const foci_real *q; /* (queries, D) */
    int64_t q_row;
    foci_real scale;
    const foci_key_piece *piece;
    int pieces;
    foci_real *out; /* (queries, D) */
    int64_t out_row;
    foci_real *log_sum; /* (queries): log of the sum of exp(score); inf: sees no key, and its out is 0 */
    /* backward only */
    const foci_real *dout, *delta; /* (queries, D); (queries): dout . out */
    int64_t dout_row;
    foci_real *dq; /* (queries, D); NULL: not wanted */
    int64_t dq_row;
    bool add_dq; /* add to what is there, or overwrite it */
} foci_attention_pieces;

/* Scratch memory of it, 64-byte aligned, in reals. */
typedef struct foci_pieces_layout {
    int64_t queries, across;     /* (QUERIES, D): scaled queries, and their transpose */
    int64_t rows;                /* (QUERIES, D): sums of values; backward: gradients of queries */
    int64_t douts, douts_across; /* backward: (QUERIES, D) */
    int64_t scores, dscores;     /* (KEYS, QUERIES) */
    int64_t copy;                /* (KEYS, D): of values or keys whose rows are not whole vectors */
    int64_t reals;               /* of all */
} foci_pieces_layout;
foci_pieces_layout foci_pieces_layout_of(int64_t width);

/* How far something moved from one layer to the next, along each coordinate: u = |cur - prev| / delta, or
 * u = |cur - prev| / (|den - den_prev| + attenuation) where den is given; reduced over the tokens, then scaled. */
typedef struct foci_metric_head {
    int64_t tokens, width;
    foci_numbers cur, prev, den, den_prev; /* (N, D), den NULL: divide by the constant delta */
    int64_t cur_row, prev_row, den_row, den_prev_row;
    double delta, attenuation;
    foci_metric_scale scale;
    bool causal; /* the mean over tokens 0..n for every token n from `silent` on */
    int64_t silent;
    bool median;    /* in place of the mean over all */
    bool pairs;     /* both coordinates d, d + D/2 get the mean of the two, before the scaling */
    foci_real *out; /* (D), causal: (N - silent, D) */
} foci_metric_head;

enum { FOCI_METRIC_TOKENS = 8 }; /* that the kernel looks at together */
static inline int64_t foci_metric_scratch(int64_t tokens, int64_t width, bool median) {
    int64_t elements = ((median ? tokens : 0) + 2 + 5 * FOCI_METRIC_TOKENS) * width + FOCI_ALIGN;
    return (elements + FOCI_ALIGN) / FOCI_ALIGN * FOCI_ALIGN;
}

/* Three lines of a picture whose channels lie side by side: that above, the one at hand, that below. */
typedef struct foci_depthwise_line {
    int64_t width, channels;
    const foci_real *line[3]; /* (width, channels); NULL: beyond the edge */
    const foci_real *zeros;   /* (channels) */
} foci_depthwise_line;

/* Channel attention of one head: a gate for each of D channels, out of N tokens. */
typedef struct foci_channel_head {
    int64_t tokens, width;  /* N, D */
    const foci_real *q, *k; /* (N, D) */
    int64_t q_row, k_row;
    foci_real temperature;
    foci_real *q_lse, *k_lse, *sum; /* (D) */
    foci_real *k_mean;              /* (N) */
    foci_real *gate;                /* (D): temperature sigmoid(sum) */
    /* backward only; a gradient that is not wanted is NULL */
    const foci_real *dgate;
    foci_real *dq, *dk;
    int64_t dq_row, dk_row;
    bool add_dq, add_dk;
    foci_real *dtemperature; /* one number */
} foci_channel_head;

#endif
