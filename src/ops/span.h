/* What the operations on a span share: a tile of queries against the band of keys that they see.
 *
 * Query t sees the keys t .. t + L - 1. A tile of n queries from t on is multiplied with the n + L - 1 keys from t on;
 * in the product, whose rows are `row` apart, its band begins at column i in row i. So the band alone is a matrix of
 * rows `row + 1` apart, (n, L), to which the position term is added where it lies. */
#ifndef FOCI_OPS_SPAN_H
#define FOCI_OPS_SPAN_H

#include "kernels/gemm.h"
#include "ops/attention_head.h"
#include "ops/common.h"

enum { SPAN_Q, SPAN_K, SPAN_V, SPAN_POSITION, SPAN_METRIC, SPAN_FILLED, SPAN_INPUTS };
enum { SPAN_TILE = 2 * FOCI_GEMM_STEP }; /* queries */

typedef struct foci_span_attributes {
    double scale, dropout;
    bool plain_position;
} foci_span_attributes;

typedef struct foci_spanning {
    const foci_node *node;
    int64_t batch, heads, tokens, span, width; /* B, H, T, L, D */
    int64_t row;                               /* of a tile's products */
    int64_t filled;                            /* of the L keys before the first token, the last so many are there */
    foci_product position;                     /* u (n, D) . position (D, L); packed where it was */
} foci_spanning;
foci_spanning foci_span_of(const foci_node *n);

/* Scratch memory of one tile, in reals: queries u (TILE, D), what meets the position term (TILE, D; u itself, or
 * apart), scores and probabilities (TILE, row). */
typedef struct foci_span_tile {
    real *u, *plain, *scores, *p;
} foci_span_tile;
int64_t foci_span_scratch(const foci_spanning *s);
/* At `scratch`; the probabilities are zeros beside the band from now on. */
foci_span_tile foci_span_tile_at(const foci_spanning *s, real *scratch);

/* What lies at row `first` of head h of sample b: of an input, (., D) with rows from_row apart. */
const real *foci_span_rows(const foci_spanning *s, int input, int64_t b, int64_t h, int64_t first);
/* A product with rows of an input as its columns, packed at `memory` (foci_gemm_packed_size): (., D) . rows^T. */
foci_product foci_span_across(const foci_spanning *s, int input, int64_t b, int64_t h, foci_range queries,
                              real *memory);

/* Queries r of head h of sample b: fills the tile. `keys` is foci_span_across of all queries from `first` on. */
void foci_span_probabilities(const foci_spanning *s, const foci_span_tile *t, int64_t b, int64_t h, foci_range r,
                             const foci_product *keys, int64_t first);

/* Starts a node; v may be NULL. NULL after an error. */
foci_node *foci_span_record(foci_graph *g, const foci_op *op, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                            const foci_span_options *o);

static inline int64_t foci_span_aligned(int64_t reals) { return foci_tiles(reals, FOCI_ALIGN) * FOCI_ALIGN; }

#endif
