/* What the two operations on an adaptive softmax (docs/mathematics.md 1.5) share: their inputs, checked, and the
 * pieces that a cluster's softmax is made of. Cluster 0 is the head: the shortlist, then one column per tail,
 * in reverse. */
#ifndef FOCI_OPS_ADAPTIVE_H
#define FOCI_OPS_ADAPTIVE_H

#include "ops/common.h"

enum {
    ADAPTIVE_HIDDEN,
    ADAPTIVE_TARGETS,
    ADAPTIVE_CLUSTER_WEIGHT,
    ADAPTIVE_CLUSTER_BIAS,
    ADAPTIVE_WEIGHT, /* + cluster; shared: of cluster 0 alone */
    ADAPTIVE_BIAS = ADAPTIVE_WEIGHT + FOCI_MAX_CLUSTERS,
    ADAPTIVE_PROJECTION = ADAPTIVE_BIAS + FOCI_MAX_CLUSTERS,
    ADAPTIVE_INPUTS = ADAPTIVE_PROJECTION + FOCI_MAX_CLUSTERS
};

typedef struct foci_adaptive {
    int clusters; /* head and tails */
    bool shared;
    int64_t end[FOCI_MAX_CLUSTERS]; /* words of cluster i: end[i - 1] .. end[i] - 1 */
} foci_adaptive;

/* Columns of a cluster's softmax that come from one weight. */
typedef struct foci_adaptive_piece {
    int64_t first, columns;
    const real *weight, *bias; /* (columns, width), (columns) or NULL */
    real *dweight, *dbias;     /* NULL: not wanted */
} foci_adaptive_piece;

/* Checks the options and starts the node, with foci_adaptive as attributes; NULL after an error. */
foci_node *foci_adaptive_record(foci_graph *g, const foci_op *op, const foci_adaptive_softmax_options *o);

int64_t foci_adaptive_first_word(const foci_node *n, int cluster);
int64_t foci_adaptive_width(const foci_node *n, int cluster); /* columns of its weight */
/* Returns how many there are: 1, or 2 in a head with tails. */
int foci_adaptive_pieces(const foci_node *n, int cluster, foci_adaptive_piece piece[2]);

#endif
