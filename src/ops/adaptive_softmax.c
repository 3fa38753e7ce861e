/* adaptive_softmax: negative log-likelihood of every target (golden/README 1.5).
 *
 * The logits of a head, (B T, 20000) and more, are never stored whole. The rows of a cluster (all rows in the
 * head) are taken in blocks, the columns too, and one such rectangle of logits, the stage, lies in the
 * workspace. Forward keeps the log-sum-exp of every row; backward computes the logits again. Rows are cut
 * into tiles for the threads; the gradient of a weight is cut by its own rows. A row's bits depend neither on the
 * rows beside it nor on the cut. */
#include <math.h>
#include <string.h>

#include "kernels/gemm.h"
#include "ops/adaptive.h"

enum {
    BLOCK_ROWS = 4096,
    STAGE_COLUMNS = 1024,
    PADDING = 16
};                                              /* the padding keeps rows off a power of two */
enum { TILE_COLUMNS = 256 };                    /* of one product */
enum { HEAD_LSE, TAIL_LSE };                    /* saved, (rows) each */

typedef struct shape {
    int64_t rows, model;    /* hidden (rows, model) */
    int64_t block;          /* most rows of a block */
    int64_t width, columns; /* the largest of a cluster's weight, and of a piece */
    bool tails, projected;
} shape;

static shape shape_of(const foci_node *n) {
    const foci_adaptive *a = n->attributes;
    const foci_tensor *hidden = n->input[ADAPTIVE_HIDDEN];
    shape s = {.rows = foci_rows(hidden), .model = foci_last_dim(hidden), .tails = a->clusters > 1};
    s.block = s.rows < BLOCK_ROWS ? s.rows : BLOCK_ROWS;
    for (int i = 0; i < a->clusters; i++) {
        int64_t width = foci_adaptive_width(n, i), words = a->end[i] - foci_adaptive_first_word(n, i);
        if (width > s.width) s.width = width;
        if (words > s.columns) s.columns = words;
        s.projected |= n->input[ADAPTIVE_PROJECTION + i] != NULL;
    }
    if (s.columns < a->clusters - 1) s.columns = a->clusters - 1;
    return s;
}

static int64_t stage_elements(const shape *s) {
    return s->block * ((s->columns < STAGE_COLUMNS ? s->columns : STAGE_COLUMNS) + PADDING);
}

/* Where things lie in the workspace, in bytes. */
typedef struct layout {
    size_t order;            /* int32 (rows): the rows of tail 1, then those of tail 2, ... */
    size_t hidden, x, stage; /* (block, model) gathered; (block, width) projected; the rectangle of logits */
    size_t row_a, row_b, row_c;  /* (block) each */
    size_t dx, dhidden, partial; /* backward: (block, width); (block, model); foci_gemm_long's */
    size_t forward_bytes, backward_bytes;
} layout;

static size_t place(size_t *bytes, int64_t elements) {
    size_t at = *bytes;
    *bytes += ((size_t)elements * sizeof(real) + 63) & ~(size_t)63;
    return at;
}

static layout layout_of(const shape *s) {
    layout l = {0};
    size_t bytes = 0;
    l.order = place(&bytes, s->tails ? s->rows : 0);
    l.hidden = place(&bytes, s->tails ? s->block * s->model : 0);
    l.x = place(&bytes, s->projected ? s->block * s->width : 0);
    l.stage = place(&bytes, stage_elements(s));
    l.row_a = place(&bytes, s->block);
    l.row_b = place(&bytes, s->block);
    l.row_c = place(&bytes, s->block);
    l.forward_bytes = bytes;
    l.dx = place(&bytes, s->block * s->width);
    l.dhidden = place(&bytes, s->projected ? s->block * s->model : 0);
    l.partial = place(
        &bytes, s->projected ? foci_gemm_chunks(s->model, s->width, s->block) * s->model * s->width : 0);
    l.backward_bytes = bytes;
    return l;
}

static void *at(const foci_node *n, size_t offset) {
    return (unsigned char *)n->workspace + offset;
}

/* ------------------------------------------------------------------------------------------------ rows */

/* The cluster of a row's target; -1 where it is no word: its loss is NaN, and it has no gradient. */
static int cluster_of(const foci_node *n, int64_t row) {
    const foci_adaptive *a = n->attributes;
    int32_t target = foci_ints(n->input[ADAPTIVE_TARGETS])[row];
    if (target < 0) return -1;
    for (int i = 0; i < a->clusters; i++)
        if (target < a->end[i]) return i;
    return -1;
}

/* The column that the row's target stands for in this cluster's softmax, -1: none. */
static int64_t column_of(const foci_node *n, int cluster, int64_t row) {
    const foci_adaptive *a = n->attributes;
    int own = cluster_of(n, row);
    if (own < 0) return -1;
    if (own == cluster)
        return foci_ints(n->input[ADAPTIVE_TARGETS])[row] - foci_adaptive_first_word(n, cluster);
    return a->end[0] + (a->clusters - 1) - own; /* in the head: cluster 1 is the last column */
}

/* Sorts the rows of the tails by cluster; start[i] .. start[i + 1] are those of cluster i. */
static void group(const foci_node *n, int32_t *order, int64_t start[FOCI_MAX_CLUSTERS + 1]) {
    const foci_adaptive *a = n->attributes;
    int64_t rows = foci_rows(n->input[ADAPTIVE_HIDDEN]), used = 0;
    for (int i = 1; i < a->clusters; i++) {
        start[i] = used;
        for (int64_t row = 0; row < rows; row++)
            if (cluster_of(n, row) == i) order[used++] = (int32_t)row;
    }
    start[a->clusters] = used;
}

/* A block: up to BLOCK_ROWS rows of one cluster. */
typedef struct block {
    int cluster;
    int64_t rows, width;
    const int32_t *row; /* their numbers; NULL in the head: first, first + 1, ... */
    int64_t first;
    const real *hidden, *x; /* (rows, model); projected: (rows, width) */
    int64_t tile;           /* rows of a tile */
} block;

static int64_t row_of(const block *b, int64_t i) {
    return b->row ? b->row[i] : b->first + i;
}

static block take_block(const foci_node *n, const shape *s, const layout *l, int cluster, int64_t first,
                        int64_t count, const int32_t *order) {
    block b = {.cluster = cluster,
               .rows = count,
               .first = first,
               .width = foci_adaptive_width(n, cluster),
               .tile = foci_gemm_tile_rows(count)};
    b.hidden = b.x = foci_data(n->input[ADAPTIVE_HIDDEN]) + first * s->model;
    if (cluster > 0) {
        real *hidden = at(n, l->hidden);
        b.row = order + first;
        for (int64_t i = 0; i < count; i++)
            memcpy(hidden + i * s->model, foci_data(n->input[ADAPTIVE_HIDDEN]) + b.row[i] * s->model,
                   (size_t)s->model * sizeof *hidden);
        b.hidden = b.x = hidden;
    }
    const foci_tensor *projection = n->input[ADAPTIVE_PROJECTION + cluster];
    if (projection) {
        real *x = at(n, l->x);
        foci_gemm_parallel(&(foci_product){.rows = count, .columns = b.width, .depth = s->model, .a = {b.hidden, s->model},
                                           .b = {foci_data(projection), b.width}, .c = x, .ldc = b.width, .bf16 = foci_graph_bf16(n->graph)});
        b.x = x;
    }
    return b;
}

/* Calls `visit` for every block of every cluster, the head first. */
static void for_blocks(const foci_node *n,
                       void (*visit)(const foci_node *, const shape *, const layout *, const block *)) {
    const foci_adaptive *a = n->attributes;
    shape s = shape_of(n);
    layout l = layout_of(&s);
    int32_t *order = at(n, l.order);
    int64_t start[FOCI_MAX_CLUSTERS + 1];
    group(n, order, start);
    for (int cluster = 0; cluster < a->clusters; cluster++) {
        int64_t from = cluster ? start[cluster] : 0, to = cluster ? start[cluster + 1] : s.rows;
        for (int64_t first = from; first < to; first += BLOCK_ROWS) {
            block b = take_block(n, &s, &l, cluster, first, to - first < BLOCK_ROWS ? to - first : BLOCK_ROWS,
                                 order);
            visit(n, &s, &l, &b);
        }
    }
}

/* Columns that fit into the stage beside the rows of this block, and the distance of its rows. */
static int64_t stage_columns(const shape *s, const block *b, int64_t columns) {
    int64_t fit = stage_elements(s) / b->rows - PADDING;
    return columns < fit ? columns : fit;
}

/* ---------------------------------------------------------------------------------------------- forward */

/* One tile of rows against columns first .. end of a piece: the running log-sum-exp, and the target's logit.
 */
static void tile_forward(const foci_node *n, const layout *l, const block *b, const foci_adaptive_piece *p,
                         foci_range rows, foci_range columns, real *stage, int64_t ld) {
    real *max = at(n, l->row_a), *sum = at(n, l->row_b), *target = at(n, l->row_c);
    for (int64_t c = columns.first; c < columns.end; c += TILE_COLUMNS) {
        int64_t count = columns.end - c < TILE_COLUMNS ? columns.end - c : TILE_COLUMNS;
        real *logits = stage + rows.first * ld + (c - columns.first);
        foci_affine_tile(n, rows.end - rows.first, b->width, count, b->x + rows.first * b->width,
                         p->weight + c * b->width, p->bias ? p->bias + c : NULL, logits, ld);
        foci_kernel()->exp_sums(rows.end - rows.first, count, logits, ld, max + rows.first, sum + rows.first);
        for (int64_t i = rows.first; i < rows.end; i++) {
            int64_t column = column_of(n, b->cluster, row_of(b, i)) - p->first - c;
            if (column >= 0 && column < count) target[i] = logits[(i - rows.first) * ld + column];
        }
    }
}

static void block_forward(const foci_node *n, const shape *s, const layout *l, const block *b) {
    real *max = at(n, l->row_a), *sum = at(n, l->row_b), *target = at(n, l->row_c), *stage = at(n, l->stage);
    for (int64_t i = 0; i < b->rows; i++) {
        max[i] = -INFINITY;
        sum[i] = 0;
        target[i] = NAN;
    }
    foci_adaptive_piece piece[2];
    int pieces = foci_adaptive_pieces(n, b->cluster, piece);
    for (const foci_adaptive_piece *p = piece; p < piece + pieces; p++) {
        int64_t size = stage_columns(s, b, p->columns);
        for (int64_t strip = 0; strip < foci_tiles(p->columns, size); strip++) {
            foci_range columns = foci_tile(p->columns, size, strip);
            FOCI_PARALLEL_FOR
            for (int64_t tile = 0; tile < foci_tiles(b->rows, b->tile); tile++)
                tile_forward(n, l, b, p, foci_tile(b->rows, b->tile, tile), columns, stage, size + PADDING);
        }
    }
    real *nll = foci_data(n->output), *lse = foci_data(n->saved[b->cluster ? TAIL_LSE : HEAD_LSE]);
    for (int64_t i = 0; i < b->rows; i++) {
        int64_t row = row_of(b, i);
        lse[row] = max[i] + (real)log((double)sum[i]);
        nll[row] = (b->cluster ? nll[row] : 0) + (lse[row] - target[i]);
    }
}

static void forward(const foci_node *n) {
    for_blocks(n, block_forward);
}

/* --------------------------------------------------------------------------------------------- backward */

/* One tile of rows: stage = dnll (softmax - one at the target), and what it adds to dx. */
static void tile_backward(const foci_node *n, const layout *l, const block *b, const foci_adaptive_piece *p,
                          foci_range rows, foci_range columns, real *stage, int64_t ld, bool wants_dx) {
    const real *lse = at(n, l->row_a), *dnll = at(n, l->row_b);
    real *dx = (real *)at(n, l->dx) + rows.first * b->width;
    for (int64_t c = columns.first; c < columns.end; c += TILE_COLUMNS) {
        int64_t count = columns.end - c < TILE_COLUMNS ? columns.end - c : TILE_COLUMNS;
        real *logits = stage + rows.first * ld + (c - columns.first);
        foci_affine_tile(n, rows.end - rows.first, b->width, count, b->x + rows.first * b->width,
                         p->weight + c * b->width, p->bias ? p->bias + c : NULL, logits, ld);
        foci_kernel()->exp_scaled(rows.end - rows.first, count, logits, ld, lse + rows.first,
                                  dnll + rows.first);
        for (int64_t i = rows.first; i < rows.end; i++) {
            int64_t column = column_of(n, b->cluster, row_of(b, i)) - p->first - c;
            if (column >= 0 && column < count) logits[(i - rows.first) * ld + column] -= dnll[i];
        }
        if (wants_dx)
            foci_gemm(&(foci_product){.rows = rows.end - rows.first, .columns = b->width, .depth = count, .a = {logits, ld},
                                      .b = {p->weight + c * b->width, b->width}, .c = dx, .ldc = b->width, .add = true, .bf16 = foci_graph_bf16(n->graph)});
    }
}

/* Columns first .. end of the stage: what they add to those rows of dweight and dbias. */
static void weight_backward(const foci_node *n, const block *b, const foci_adaptive_piece *p, int64_t first, foci_range columns,
                            const real *stage, int64_t ld) {
    int64_t count = columns.end - columns.first, c = first + columns.first;
    if (p->dweight)
        foci_gemm(&(foci_product){.rows = count, .columns = b->width, .depth = b->rows, .a = {stage + columns.first, ld, true},
                                  .b = {b->x, b->width}, .c = p->dweight + c * b->width, .ldc = b->width, .add = true, .bf16 = foci_graph_bf16(n->graph)});
    if (p->dbias) foci_kernel()->column_sums(b->rows, count, stage + columns.first, ld, p->dbias + c);
}

static void pieces_backward(const foci_node *n, const shape *s, const layout *l, const block *b,
                            bool wants_dx) {
    real *stage = at(n, l->stage);
    foci_adaptive_piece piece[2];
    int pieces = foci_adaptive_pieces(n, b->cluster, piece);
    for (const foci_adaptive_piece *p = piece; p < piece + pieces; p++) {
        int64_t size = stage_columns(s, b, p->columns), ld = size + PADDING;
        for (int64_t strip = 0; strip < foci_tiles(p->columns, size); strip++) {
            foci_range columns = foci_tile(p->columns, size, strip);
            int64_t count = columns.end - columns.first, height = foci_gemm_tile_rows(count);
            FOCI_PARALLEL_FOR
            for (int64_t tile = 0; tile < foci_tiles(b->rows, b->tile); tile++)
                tile_backward(n, l, b, p, foci_tile(b->rows, b->tile, tile), columns, stage, ld, wants_dx);
            FOCI_PARALLEL_FOR
            for (int64_t tile = 0; tile < foci_tiles(count, height); tile++)
                weight_backward(n, b, p, columns.first, foci_tile(count, height, tile), stage, ld);
        }
    }
}

/* dx (rows, width) back through the projection and to the rows of hidden it belongs to */
static void hidden_backward(const foci_node *n, const shape *s, const layout *l, const block *b) {
    const foci_tensor *projection = n->input[ADAPTIVE_PROJECTION + b->cluster];
    const real *dhidden = at(n, l->dx);
    if (projection && projection->grad)
        foci_gemm_long(&(foci_product){.rows = s->model, .columns = b->width, .depth = b->rows, .a = {b->hidden, s->model, true},
                                       .b = {dhidden, b->width}, .c = foci_grad(projection), .ldc = b->width, .add = true, .bf16 = foci_graph_bf16(n->graph)},
                       at(n, l->partial));
    if (!foci_wants(n, ADAPTIVE_HIDDEN)) return;
    if (projection) {
        foci_gemm_parallel(&(foci_product){.rows = b->rows, .columns = s->model, .depth = b->width, .a = {dhidden, b->width},
                                           .b = {foci_data(projection), b->width, true}, .c = at(n, l->dhidden), .ldc = s->model, .bf16 = foci_graph_bf16(n->graph)});
        dhidden = at(n, l->dhidden);
    }
    bool accumulate = n->accumulate[ADAPTIVE_HIDDEN] || b->cluster > 0; /* the head has been in every row */
    for (int64_t i = 0; i < b->rows; i++)
        foci_kernel()->scale(s->model, 1, dhidden + i * s->model,
                             foci_grad(n->input[ADAPTIVE_HIDDEN]) + row_of(b, i) * s->model, accumulate);
}

static void block_backward(const foci_node *n, const shape *s, const layout *l, const block *b) {
    const real *saved = foci_data(n->saved[b->cluster ? TAIL_LSE : HEAD_LSE]), *dout = foci_grad(n->output);
    real *lse = at(n, l->row_a), *dnll = at(n, l->row_b), *dx = at(n, l->dx);
    const foci_tensor *projection = n->input[ADAPTIVE_PROJECTION + b->cluster];
    bool wants_dx = foci_wants(n, ADAPTIVE_HIDDEN) || (projection && projection->grad);
    for (int64_t i = 0; i < b->rows; i++) {
        int64_t row = row_of(b, i);
        lse[i] = saved[row];
        dnll[i] = cluster_of(n, row) < 0 ? 0 : dout[row];
    }
    if (wants_dx) memset(dx, 0, (size_t)(b->rows * b->width) * sizeof *dx);
    pieces_backward(n, s, l, b, wants_dx);
    if (wants_dx) hidden_backward(n, s, l, b);
}

/* All weights are added to, block by block: those that are to be overwritten start at zero. */
static void backward(const foci_node *n) {
    for (int i = ADAPTIVE_CLUSTER_WEIGHT; i < ADAPTIVE_INPUTS; i++)
        if (foci_wants(n, i) && !n->accumulate[i])
            memset(n->input[i]->grad, 0, (size_t)foci_numel(n->input[i]) * sizeof(real));
    for_blocks(n, block_backward);
}

/* Of the head; what the tails cost depends on the targets. */
static foci_cost cost(const foci_node *n) {
    const foci_adaptive *a = n->attributes;
    shape s = shape_of(n);
    double width = (double)foci_adaptive_width(n, 0), rows = (double)s.rows;
    double product = 2 * rows * width * (double)(a->end[0] + a->clusters - 1);
    if (n->input[ADAPTIVE_PROJECTION]) product += 2 * rows * width * (double)s.model;
    return (foci_cost){product, 2 * product};
}

/* ---------------------------------------------------------------------------------------- gradient check */

static const int32_t example[8] = {0, 4, 11, 5, 2, 7, 6, 3};

static foci_adaptive_softmax_options options(foci_graph *g, int64_t model, int tails, const int64_t *cutoff) {
    foci_adaptive_softmax_options o = {.tails = tails};
    o.hidden = RANDOM(g, "hidden", 2, 4, model);
    o.targets = foci_constant(g, "targets", FOCI_INT, FOCI_SHAPE(2, 4), example);
    for (int i = 0; i <= tails; i++) o.cutoff[i] = cutoff[i];
    return o;
}
static void give_cluster_weight(foci_graph *g, foci_adaptive_softmax_options *o, int64_t width) {
    o->cluster_weight = RANDOM(g, "cluster_weight", o->tails, width);
    o->cluster_bias = RANDOM(g, "cluster_bias", o->tails);
}
static foci_tensor *ordinary(foci_graph *g) {
    foci_adaptive_softmax_options o = options(g, 5, 0, (int64_t[]){12});
    o.weight[0] = RANDOM(g, "weight", 12, 5);
    o.bias[0] = RANDOM(g, "bias", 12);
    return foci_adaptive_softmax(g, &o);
}
static foci_tensor *shared_weight(foci_graph *g) {
    foci_adaptive_softmax_options o = options(g, 5, 2, (int64_t[]){4, 7, 12});
    o.shared = true;
    o.weight[0] = RANDOM(g, "weight", 12, 5);
    o.bias[0] = RANDOM(g, "bias", 12);
    give_cluster_weight(g, &o, 5);
    return foci_adaptive_softmax(g, &o);
}
static foci_tensor *
shared_and_projected(foci_graph *g) { /* the tails share one projection; weight and hidden are results */
    foci_adaptive_softmax_options o = options(g, 6, 2, (int64_t[]){4, 7, 12});
    o.shared = true;
    o.hidden = foci_gelu(g, o.hidden);
    o.weight[0] = foci_gelu(g, RANDOM(g, "weight", 12, 3));
    give_cluster_weight(g, &o, 3);
    o.projection[0] = RANDOM(g, "first", 6, 3);
    o.projection[1] = o.projection[2] = foci_scale(g, RANDOM(g, "others", 6, 3), 1);
    return foci_adaptive_softmax(g, &o);
}
static foci_tensor *divided_widths(foci_graph *g) {
    foci_adaptive_softmax_options o = options(g, 6, 2, (int64_t[]){3, 5, 12});
    for (int i = 0; i < 3; i++) {
        int64_t words = (int64_t[]){3, 2, 7}[i], width = (int64_t[]){4, 2, 1}[i];
        foci_scope(g, "cluster%d", i);
        o.weight[i] = RANDOM(g, "weight", words, width);
        o.bias[i] = RANDOM(g, "bias", words);
        o.projection[i] = RANDOM(g, "projection", 6, width);
        foci_end_scope(g);
    }
    give_cluster_weight(g, &o, 4);
    return foci_adaptive_softmax(g, &o);
}
static const foci_gradient_case gradients[] = {
    {"ordinary softmax", ordinary},
    {"two tails, shared weight", shared_weight},
    {"shared projection, of results, no bias", shared_and_projected},
    {"a width for every cluster", divided_widths},
    {0}};

const foci_op foci_op_adaptive_softmax = {
    .name = "adaptive_softmax",
    .summary = "negative log-likelihood of words, frequent and rare ones apart",
    .forward = forward,
    .backward = backward,
    .reads = FOCI_READS_INPUT(ADAPTIVE_INPUTS) - 1, /* all of them */
    .cost = cost,
    .gradients = gradients};

foci_tensor *foci_adaptive_softmax(foci_graph *g, const foci_adaptive_softmax_options *o) {
    if (!foci_operand(g, "adaptive_softmax", "targets", o->targets, FOCI_INT)) return NULL;
    foci_node *n = foci_adaptive_record(g, &foci_op_adaptive_softmax, o);
    if (!n) return NULL;
    shape s = shape_of(n);
    if (foci_numel(o->targets) != s.rows)
        return foci_graph_fail(g, "adaptive_softmax: hidden %s has %lld rows, targets %s",
                               foci_shape_text(g, o->hidden), (long long)s.rows,
                               foci_shape_text(g, o->targets));
    layout l = layout_of(&s);
    foci_save(n, FOCI_REAL, s.rows);
    foci_save(n, FOCI_REAL, s.tails ? s.rows : 1);
    foci_workspace(n, l.forward_bytes, l.backward_bytes);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s.rows));
}
