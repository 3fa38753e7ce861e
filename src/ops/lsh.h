/* What attention by hashing and the map of it share: which token meets which. */
#ifndef FOCI_OPS_LSH_H
#define FOCI_OPS_LSH_H

#include "foci/plugin.h"

/* The inputs of both. */
enum { LSH_Q, LSH_V, LSH_BUCKETS, LSH_MASK, LSH_INPUTS };

/* Every round has all tokens once, and entries without a token behind them up to a whole number of chunks; the entries
 * of all rounds, by round, bucket and position, are cut into chunks. An entry meets those of its own chunk and of the
 * one before it, where there are several. */
typedef struct foci_lsh {
    int64_t tokens, filled; /* tokens of a round, and its entries */
    int64_t rounds, chunk, chunks, buckets;
    bool causal;
} foci_lsh;
foci_lsh foci_lsh_of(const foci_node *n);
static inline int64_t foci_lsh_entries(const foci_lsh *s) { return s->rounds * s->filled; }

/* order (entries): the token of each, `tokens` or above where there is none. buckets (rounds, tokens) of one head, or
 * NULL: by position; starts: room for the buckets and two more. */
void foci_lsh_sort(const foci_lsh *s, const foci_real *buckets, int32_t *order, int32_t *starts);

/* What a query is divided by where it serves as a key: the root of (mean of its squares + 1e-6) times that of D. */
double foci_lsh_key_factor(int64_t width, const foci_real *q);

/* Checks the operands and starts the node: NULL after an error. */
foci_node *foci_record_lsh(foci_graph *g, const foci_op *op, foci_tensor *q, foci_tensor *v,
                           const foci_lsh_options *options);

#endif
