#include "ops/adaptive.h"

int64_t foci_adaptive_first_word(const foci_node *n, int cluster) {
    const foci_adaptive *a = n->attributes;
    return cluster ? a->end[cluster - 1] : 0;
}

int64_t foci_adaptive_width(const foci_node *n, int cluster) {
    const foci_adaptive *a = n->attributes;
    return n->input[ADAPTIVE_WEIGHT + (a->shared ? 0 : cluster)]->shape[1];
}

/* Rows `first` .. of a weight and its bias. */
static foci_adaptive_piece piece_of(const foci_tensor *weight, const foci_tensor *bias, int64_t first, int64_t column,
                                    int64_t columns) {
    int64_t width = weight->shape[1];
    return (foci_adaptive_piece){column,
                                 columns,
                                 foci_data(weight) + first * width,
                                 bias ? foci_data(bias) + first : NULL,
                                 weight->host_grad ? foci_grad(weight) + first * width : NULL,
                                 bias && bias->host_grad ? foci_grad(bias) + first : NULL};
}

int foci_adaptive_pieces(const foci_node *n, int cluster, foci_adaptive_piece piece[2]) {
    const foci_adaptive *a = n->attributes;
    int own = a->shared ? 0 : cluster;
    int64_t first = foci_adaptive_first_word(n, cluster), words = a->end[cluster] - first;
    piece[0] =
        piece_of(n->input[ADAPTIVE_WEIGHT + own], n->input[ADAPTIVE_BIAS + own], a->shared ? first : 0, 0, words);
    if (cluster > 0 || a->clusters == 1) return 1;
    piece[1] = piece_of(n->input[ADAPTIVE_CLUSTER_WEIGHT], n->input[ADAPTIVE_CLUSTER_BIAS], 0, words, a->clusters - 1);
    return 2;
}

/* ----------------------------------------------------------------------------------------------- checks */

static bool bias_fits(foci_graph *g, const char *op, const char *what, const foci_tensor *bias, int64_t rows) {
    if (!bias) return true;
    if (!foci_operand(g, op, what, bias, FOCI_REAL)) return false;
    if (foci_numel(bias) != rows)
        foci_graph_fail(g, "%s: %s %s must have %lld elements", op, what, foci_shape_text(g, bias), (long long)rows);
    return foci_graph_ok(g);
}

static bool weight_fits(foci_graph *g, const char *op, const char *what, const foci_tensor *weight, int64_t rows) {
    if (!foci_operand(g, op, what, weight, FOCI_REAL)) return false;
    if (weight->ndim != 2 || weight->shape[0] != rows)
        foci_graph_fail(g, "%s: %s %s must have %lld rows", op, what, foci_shape_text(g, weight), (long long)rows);
    return foci_graph_ok(g);
}

/* hidden -> (projection) -> weight of cluster i */
static bool widths_fit(foci_graph *g, const char *op, const foci_adaptive_softmax_options *o, int i) {
    const foci_tensor *weight = o->weight[o->shared ? 0 : i], *projection = o->projection[i];
    int64_t model = foci_last_dim(o->hidden), width = weight->shape[1];
    if (projection && !foci_operand(g, op, "projection", projection, FOCI_REAL)) return false;
    bool fits = projection ? projection->ndim == 2 && projection->shape[0] == model && projection->shape[1] == width
                           : width == model;
    if (!fits)
        foci_graph_fail(g, "%s: hidden %s does not reach weight %s of cluster %d%s%s", op,
                        foci_shape_text(g, o->hidden), foci_shape_text(g, weight), i,
                        projection ? " through projection " : " without a projection",
                        projection ? foci_shape_text(g, projection) : "");
    return fits;
}

static bool options_fit(foci_graph *g, const char *op, const foci_adaptive_softmax_options *o) {
    if (!foci_operand(g, op, "hidden", o->hidden, FOCI_REAL)) return false;
    if (o->tails < 0 || o->tails >= FOCI_MAX_CLUSTERS) {
        foci_graph_fail(g, "%s: %d tail clusters; at most %d are possible", op, o->tails, FOCI_MAX_CLUSTERS - 1);
        return false;
    }
    int64_t before = 0;
    for (int i = 0; i <= o->tails; before = o->cutoff[i++])
        if (o->cutoff[i] <= before) {
            foci_graph_fail(g, "%s: cutoffs must rise: %lld after %lld", op, (long long)o->cutoff[i],
                            (long long)before);
            return false;
        }
    before = 0;
    for (int i = 0; i <= o->tails; before = o->cutoff[i++]) {
        int64_t words = o->shared ? o->cutoff[o->tails] : o->cutoff[i] - before;
        int own = o->shared ? 0 : i;
        if (!weight_fits(g, op, "weight", o->weight[own], words) || !bias_fits(g, op, "bias", o->bias[own], words) ||
            !widths_fit(g, op, o, i))
            return false;
    }
    if (o->tails == 0) return true;
    if (!weight_fits(g, op, "cluster weight", o->cluster_weight, o->tails) ||
        !bias_fits(g, op, "cluster bias", o->cluster_bias, o->tails))
        return false;
    if (o->cluster_weight->shape[1] != o->weight[0]->shape[1])
        foci_graph_fail(g, "%s: cluster weight %s and weight %s of the head differ in width", op,
                        foci_shape_text(g, o->cluster_weight), foci_shape_text(g, o->weight[0]));
    return foci_graph_ok(g);
}

foci_node *foci_adaptive_record(foci_graph *g, const foci_op *op, const foci_adaptive_softmax_options *o) {
    if (!foci_graph_ok(g) || !options_fit(g, op->name, o)) return NULL;
    foci_adaptive a = {.clusters = 1 + o->tails, .shared = o->shared};
    foci_tensor *input[ADAPTIVE_INPUTS] = {[ADAPTIVE_HIDDEN] = o->hidden, [ADAPTIVE_TARGETS] = o->targets};
    if (o->tails > 0) {
        input[ADAPTIVE_CLUSTER_WEIGHT] = o->cluster_weight;
        input[ADAPTIVE_CLUSTER_BIAS] = o->cluster_bias;
    }
    for (int i = 0; i < a.clusters; i++) {
        a.end[i] = o->cutoff[i];
        input[ADAPTIVE_PROJECTION + i] = o->projection[i];
        if (o->shared && i > 0) continue;
        input[ADAPTIVE_WEIGHT + i] = o->weight[i];
        input[ADAPTIVE_BIAS + i] = o->bias[i];
    }
    return foci_record(g, op, ADAPTIVE_INPUTS, input, &a, sizeof a);
}
