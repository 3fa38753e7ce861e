/* cross_entropy: mean negative log-likelihood of labels (with smoothing, and rows to ignore) or of soft
 * targets. A row's loss is  sum_k t_k (lse - x_k)  with targets t: (1 - s) at the label plus s / K
 * everywhere, or soft ones. Of a mixed row the label has the share u of (1 - s), its partner 1 - u. */
#include <math.h>

#include "ops/common.h"

enum { LOGITS, LABELS, SOFT, PARTNERS, SHARES };
enum { LSE }; /* saved, (rows) */

typedef struct loss {
    double smoothing;
    int32_t ignore;
} loss;

static bool counts(const foci_node *n, int64_t row) {
    return !n->input[LABELS] || foci_ints(n->input[LABELS])[row] != ((const loss *)n->attributes)->ignore;
}

static int64_t counted_rows(const foci_node *n) {
    int64_t count = 0;
    for (int64_t i = 0; i < foci_rows(n->input[LOGITS]); i++) count += counts(n, i);
    return count;
}

/* What a row is meant to be: label and partner, and the label's share. Not mixed: itself, wholly. */
typedef struct target {
    int32_t label, partner;
    double share;
} target;

static target target_of(const foci_node *n, int64_t row) {
    int32_t label = foci_ints(n->input[LABELS])[row];
    if (!n->input[PARTNERS]) return (target){label, label, 1};
    return (target){label, foci_ints(n->input[PARTNERS])[row], (double)foci_data(n->input[SHARES])[row]};
}
static bool is_class(int32_t label, int64_t k) { return label >= 0 && label < k; }

/* A label that is no class makes the loss NaN: loud, but no crash. */
static double row_loss(const foci_node *n, int64_t row, const real *x, double lse) {
    int64_t k = foci_last_dim(n->input[LOGITS]);
    double smoothing = ((const loss *)n->attributes)->smoothing, total, inner;
    if (n->input[SOFT]) {
        const real *t = foci_data(n->input[SOFT]) + row * k;
        foci_kernel()->sum(k, t, &total);
        foci_kernel()->dot(k, t, x, &inner);
        return total * lse - inner;
    }
    target t = target_of(n, row);
    if (!is_class(t.label, k) || !is_class(t.partner, k)) return NAN;
    double meant =
        t.share == 1 ? (double)x[t.label] : t.share * (double)x[t.label] + (1 - t.share) * (double)x[t.partner];
    if (smoothing == 0) return lse - meant;
    foci_kernel()->sum(k, x, &total);
    return lse - (1 - smoothing) * meant - smoothing * total / (double)k;
}

/* workspace: loss of every row. No rows to count: 0. */
static void forward(const foci_node *n) {
    int64_t rows = foci_rows(n->input[LOGITS]), k = foci_last_dim(n->input[LOGITS]), size = foci_tile_rows(k);
    const real *x = foci_data(n->input[LOGITS]);
    real *lse = foci_data(n->saved[LSE]);
    double *losses = n->workspace, total = 0;
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(rows, size); tile++) {
        foci_range r = foci_tile(rows, size, tile);
        for (int64_t i = r.first; i < r.end; i++) {
            real max = -INFINITY, sum = 0;
            foci_kernel()->exp_sums(1, k, x + i * k, k, &max, &sum);
            double l = (double)max + log((double)sum);
            lse[i] = (real)l;
            losses[i] = counts(n, i) ? row_loss(n, i, x + i * k, l) : 0;
        }
    }
    for (int64_t i = 0; i < rows; i++) total += losses[i];
    int64_t count = counted_rows(n);
    foci_data(n->output)[0] = (real)(count ? total / (double)count : 0);
}

/* dx = (sum(t) softmax(x) - t) dout / count */
static void backward(const foci_node *n) {
    int64_t rows = foci_rows(n->input[LOGITS]), k = foci_last_dim(n->input[LOGITS]), size = foci_tile_rows(k);
    const real *x = foci_data(n->input[LOGITS]), *lse = foci_data(n->saved[LSE]);
    const real *soft = n->input[SOFT] ? foci_data(n->input[SOFT]) : NULL;
    const double smoothing = ((const loss *)n->attributes)->smoothing;
    real *dx = foci_grad(n->input[LOGITS]);
    int64_t count = counted_rows(n);
    const real each = (real)(count ? (double)foci_grad(n->output)[0] / (double)count : 0);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(rows, size); tile++) {
        foci_range r = foci_tile(rows, size, tile);
        for (int64_t i = r.first; i < r.end; i++) {
            real factor = counts(n, i) ? each : 0;
            double total = 1;
            if (soft) foci_kernel()->sum(k, soft + i * k, &total);
            foci_kernel()->cross_entropy_backward(k, x + i * k, lse[i], (real)total, soft ? soft + i * k : NULL,
                                                  (real)(smoothing / (double)k), factor, dx + i * k,
                                                  n->accumulate[LOGITS]);
            if (soft) continue;
            target t = target_of(n, i);
            if (is_class(t.label, k)) dx[i * k + t.label] -= factor * (real)((1 - smoothing) * t.share);
            if (t.share != 1 && is_class(t.partner, k))
                dx[i * k + t.partner] -= factor * (real)((1 - smoothing) * (1 - t.share));
        }
    }
}

static const int32_t example[6] = {2, 0, 255, 4, 4, 1};
static foci_tensor *labelled(foci_graph *g, double smoothing) {
    foci_tensor *x = foci_scale(g, RANDOM(g, "x", 2, 3, 5), 2);
    return foci_cross_entropy(g, x, foci_constant(g, "labels", FOCI_INT, FOCI_SHAPE(2, 3), example), NULL, smoothing,
                              255);
}
static foci_tensor *ignoring(foci_graph *g) { return labelled(g, 0); }
static foci_tensor *smoothed(foci_graph *g) { return labelled(g, 0.1); }
static foci_tensor *all_ignored(foci_graph *g) {
    static const int32_t none[2] = {-1, -1};
    return foci_cross_entropy(g, RANDOM(g, "x", 2, 3), foci_constant(g, "labels", FOCI_INT, FOCI_SHAPE(2), none), NULL,
                              0, -1);
}
static foci_tensor *soft_targets(foci_graph *g) {
    static const foci_real soft[6] = {(real)0.2, (real)0.5, (real)0.3, 0, 0, (real)0.9}; /* the second sums to 0.9 */
    foci_tensor *t = foci_constant(g, "soft", FOCI_REAL, FOCI_SHAPE(2, 3), soft);
    return foci_cross_entropy(g, RANDOM(g, "x", 2, 3), NULL, t, 0, 255);
}
static foci_tensor *mixed(foci_graph *g) { /* the second row with itself, the third not at all */
    static const int32_t labels[3] = {2, 1, 4}, partners[3] = {4, 1, 2};
    static const foci_real shares[3] = {(real)0.3, (real)0.6, 1};
    return foci_mixed_cross_entropy(g, RANDOM(g, "x", 3, 5),
                                    foci_constant(g, "labels", FOCI_INT, FOCI_SHAPE(3), labels),
                                    foci_constant(g, "partners", FOCI_INT, FOCI_SHAPE(3), partners),
                                    foci_constant(g, "shares", FOCI_REAL, FOCI_SHAPE(3), shares), 0.1);
}
static foci_tensor *used_twice(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 6, 7)),
                *l = foci_constant(g, "labels", FOCI_INT, FOCI_SHAPE(6), example);
    return foci_add(g, foci_cross_entropy(g, x, l, NULL, 0, 255), foci_cross_entropy(g, x, l, NULL, 0.3, 255));
}
static const foci_gradient_case gradients[] = {{"one row ignored", ignoring},
                                               {"label smoothing 0.1", smoothed},
                                               {"all rows ignored", all_ignored},
                                               {"soft targets", soft_targets},
                                               {"mixed labels", mixed},
                                               {"logits used twice", used_twice},
                                               {0}};

const foci_op foci_op_cross_entropy = {.name = "cross_entropy",
                                       .summary = "mean negative log-likelihood of labels or soft targets",
                                       .forward = forward,
                                       .backward = backward,
                                       .reads = FOCI_READS_INPUT(LOGITS) | FOCI_READS_INPUT(LABELS) |
                                                FOCI_READS_INPUT(SOFT) | FOCI_READS_INPUT(PARTNERS) |
                                                FOCI_READS_INPUT(SHARES),
                                       .gradients = gradients};

static foci_tensor *record(foci_graph *g, foci_tensor *input[5], double smoothing, int32_t ignore) {
    loss l = {smoothing, ignore};
    int64_t rows = foci_rows(input[LOGITS]);
    foci_node *n = foci_record(g, &foci_op_cross_entropy, 5, input, &l, sizeof l);
    foci_save(n, FOCI_REAL, rows);
    foci_workspace(n, (size_t)rows * sizeof(double), 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(1));
}

foci_tensor *foci_cross_entropy(foci_graph *g, foci_tensor *logits, foci_tensor *labels, foci_tensor *soft,
                                double label_smoothing, int32_t ignore_index) {
    if (!foci_operand(g, "cross_entropy", "logits", logits, FOCI_REAL)) return NULL;
    if (!labels == !soft)
        return foci_graph_fail(g, "cross_entropy: either labels or soft targets are needed, not both");
    if (labels && !foci_operand(g, "cross_entropy", "labels", labels, FOCI_INT)) return NULL;
    if (soft && !foci_operand(g, "cross_entropy", "soft targets", soft, FOCI_REAL)) return NULL;
    if (labels && foci_numel(labels) != foci_rows(logits))
        return foci_graph_fail(g, "cross_entropy: logits %s have %lld rows, labels %s", foci_shape_text(g, logits),
                               (long long)foci_rows(logits), foci_shape_text(g, labels));
    if (soft && !foci_same_shape(soft, logits))
        return foci_graph_fail(g, "cross_entropy: logits %s and soft targets %s differ in shape",
                               foci_shape_text(g, logits), foci_shape_text(g, soft));
    if (!(label_smoothing >= 0 && label_smoothing <= 1) || (soft && label_smoothing != 0))
        return foci_graph_fail(g,
                               "cross_entropy: label smoothing is %g; it must lie in 0..1, and be 0 with soft targets",
                               label_smoothing);
    return record(g, (foci_tensor *[]){logits, labels, soft, NULL, NULL}, label_smoothing, ignore_index);
}

foci_tensor *foci_mixed_cross_entropy(foci_graph *g, foci_tensor *logits, foci_tensor *labels, foci_tensor *partners,
                                      foci_tensor *shares, double label_smoothing) {
    if (!foci_operand(g, "cross_entropy", "logits", logits, FOCI_REAL)) return NULL;
    if (!foci_operand(g, "cross_entropy", "labels", labels, FOCI_INT)) return NULL;
    if (!foci_operand(g, "cross_entropy", "partners", partners, FOCI_INT)) return NULL;
    if (!foci_operand(g, "cross_entropy", "shares", shares, FOCI_REAL)) return NULL;
    int64_t rows = foci_rows(logits);
    if (foci_numel(labels) != rows || foci_numel(partners) != rows || foci_numel(shares) != rows)
        return foci_graph_fail(g, "cross_entropy: logits %s have %lld rows, labels %s, partners %s, shares %s",
                               foci_shape_text(g, logits), (long long)rows, foci_shape_text(g, labels),
                               foci_shape_text(g, partners), foci_shape_text(g, shares));
    if (!(label_smoothing >= 0 && label_smoothing <= 1))
        return foci_graph_fail(g, "cross_entropy: label smoothing is %g; it must lie in 0..1", label_smoothing);
    return record(g, (foci_tensor *[]){logits, labels, NULL, partners, shares}, label_smoothing, INT32_MIN);
}
