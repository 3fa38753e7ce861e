/* adaptive_softmax: negative log-likelihood of every target (docs/mathematics.md 1.5).
 *
 * The logits of a head, (B T, 20000) and more, are never stored whole. The rows of a cluster (all rows in the head) are
 * taken in blocks. A block's logits lie in the workspace, the stage, transposed: (words, rows), so that products read
 * the large weights where they are and only the few rows need packing. Words are cut into tiles:
 *
 *     1. every tile computes its logits and turns them into e = exp(logit - the tile's largest of that row);
 *     2. the sums of all tiles make the log-sum-exp of every row, and the loss;
 *     3. every tile turns e into g = d (softmax - one at the target), and adds gt x to dweight and g weight to dx.
 *
 * The third step needs the gradient d of the loss. Where it is known beforehand (foci_gradient_known), as in training,
 * forward does all three, with three products; otherwise backward does them once more. A row's loss depends neither on
 * the rows beside it nor on the number of threads. */
#include <math.h>
#include <string.h>

#include "kernels/gemm.h"
#include "ops/adaptive.h"

enum { MOST_ROWS = 384, LEAST_ROWS = 96 }; /* of a block: what its tiles need stays in the second-level cache */
enum { STAGE_ELEMENTS = 1 << 25 };         /* wanted; as many as the fewest rows need */
enum { TILE_ELEMENTS = 192 * MOST_ROWS };
enum { CHUNKS = 16 }; /* of words: each sums a dx of its own */
enum { DHIDDEN };     /* saved, (rows, model) */

/* Rows of a block of a cluster with so many words, and words of a tile. */
static int64_t block_rows(int64_t words) {
    int64_t fit = STAGE_ELEMENTS / words / LEAST_ROWS * LEAST_ROWS;
    return fit < LEAST_ROWS ? LEAST_ROWS : fit < MOST_ROWS ? fit : MOST_ROWS;
}
static int64_t tile_words(int64_t words) { return TILE_ELEMENTS / block_rows(words); }

/* From word to word of the stage: not a multiple of 1 KB, where lines compete for places in the cache. */
static int64_t stage_row(int64_t rows) {
    int64_t ld = foci_tiles(rows, FOCI_ALIGN) * FOCI_ALIGN;
    return ld * (int64_t)sizeof(real) % 1024 ? ld : ld + FOCI_ALIGN;
}

/* Where things lie in the workspace, in bytes. R: rows of a block. */
typedef struct layout {
    size_t order;                   /* int32 (rows): the rows of tail 1, then those of tail 2, ... */
    size_t dnll;                    /* (rows) */
    size_t hidden, x;               /* (R, model) gathered; (R, width) projected */
    size_t rows_of_b, columns_of_b; /* x packed for both kinds of products */
    size_t stage;                   /* (words, R) */
    size_t max, sum;                /* (tiles, R) */
    size_t column, target, lse, d;  /* (R) each: int32; the target's logit; log-sum-exp; gradient of the loss */
    size_t partial, dx, dhidden;    /* (CHUNKS, R, width), or foci_gemm_long's; (R, width); (R, model) */
    size_t bytes;
} layout;

static size_t place(size_t *bytes, int64_t elements) {
    size_t at = *bytes;
    *bytes += ((size_t)elements * sizeof(real) + 63) & ~(size_t)63;
    return at;
}

static int64_t most(int64_t a, int64_t b) { return a > b ? a : b; }

static int64_t words_of(const foci_node *n, int cluster) {
    return ((const foci_adaptive *)n->attributes)->end[cluster] - foci_adaptive_first_word(n, cluster);
}

static layout layout_of(const foci_node *n) {
    const foci_adaptive *a = n->attributes;
    const foci_tensor *hidden = n->input[ADAPTIVE_HIDDEN];
    int64_t rows = foci_rows(hidden), model = foci_last_dim(hidden), width = 0, stage = 0, tiles = 0, block = 0,
            partial = 0;
    bool projected = false;
    for (int i = 0; i < a->clusters; i++) {
        int64_t words = words_of(n, i), w = foci_adaptive_width(n, i), r = block_rows(words);
        r = r < rows ? r : rows;
        block = most(block, r);
        width = most(width, w);
        stage = most(stage, (words + a->clusters) * stage_row(r));
        tiles = most(tiles, (foci_tiles(words, tile_words(words)) + 1) * r);
        partial = most(partial, most(CHUNKS * r * w, foci_gemm_chunks(model, w, r) * model * w));
        projected |= n->input[ADAPTIVE_PROJECTION + i] != NULL;
    }
    layout l = {0};
    l.order = place(&l.bytes, rows);
    l.dnll = place(&l.bytes, rows);
    l.hidden = place(&l.bytes, block * model);
    l.x = place(&l.bytes, projected ? block * width : 0);
    l.rows_of_b = place(&l.bytes, foci_gemm_packed_size(width, block));
    l.columns_of_b = place(&l.bytes, foci_gemm_packed_size(block, width));
    l.stage = place(&l.bytes, stage);
    l.max = place(&l.bytes, tiles);
    l.sum = place(&l.bytes, tiles);
    l.column = place(&l.bytes, block);
    l.target = place(&l.bytes, block);
    l.lse = place(&l.bytes, block);
    l.d = place(&l.bytes, block);
    l.partial = place(&l.bytes, partial);
    l.dx = place(&l.bytes, block * width);
    l.dhidden = place(&l.bytes, projected ? block * model : 0);
    return l;
}

static void *at(const foci_node *n, size_t offset) { return (unsigned char *)n->workspace + offset; }

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
    if (own == cluster) return foci_ints(n->input[ADAPTIVE_TARGETS])[row] - foci_adaptive_first_word(n, cluster);
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

/* What a pass over all blocks is to do. */
typedef struct pass {
    real *nll;        /* (rows), or NULL */
    const real *dnll; /* (rows): make gradients; NULL: do not */
    real *dhidden;    /* (rows, model), or NULL */
    bool add;         /* to dhidden */
} pass;

/* Some rows of one cluster, against all of its words. */
typedef struct block {
    int cluster, pieces;
    foci_adaptive_piece piece[2];
    int64_t rows, width, ld;   /* ld: of the stage */
    int64_t tile_words, tiles; /* a tile belongs to one piece */
    const int32_t *row;        /* their numbers; NULL in the head: first, first + 1, ... */
    int64_t first;
    const real *hidden, *x;      /* (rows, model); projected: (rows, width) */
    foci_product logits, weight; /* per tile: stage = weight xt; dweight += stage x. Both share what is packed */
} block;

static int64_t row_of(const block *b, int64_t i) { return b->row ? b->row[i] : b->first + i; }

static block take_block(const foci_node *n, const layout *l, int cluster, int64_t first, int64_t rows,
                        const int32_t *order) {
    const foci_tensor *hidden = n->input[ADAPTIVE_HIDDEN], *projection = n->input[ADAPTIVE_PROJECTION + cluster];
    const int64_t model = foci_last_dim(hidden), words = words_of(n, cluster);
    block b = {.cluster = cluster,
               .rows = rows,
               .first = first,
               .width = foci_adaptive_width(n, cluster),
               .ld = stage_row(rows),
               .tile_words = tile_words(words)};
    b.pieces = foci_adaptive_pieces(n, cluster, b.piece);
    b.tiles = foci_tiles(words, b.tile_words) + (b.pieces == 2); /* the tails' columns in the head are few */
    b.hidden = b.x = foci_data(hidden) + first * model;
    if (cluster > 0) {
        real *gathered = at(n, l->hidden);
        b.row = order + first;
        for (int64_t i = 0; i < rows; i++)
            memcpy(gathered + i * model, foci_data(hidden) + b.row[i] * model, (size_t)model * sizeof *gathered);
        b.hidden = b.x = gathered;
    }
    const bool bf16 = foci_graph_bf16(n->graph);
    if (projection) {
        b.x = at(n, l->x);
        foci_gemm_parallel(&(foci_product){.rows = rows,
                                           .columns = b.width,
                                           .depth = model,
                                           .a = {b.hidden, model},
                                           .b = {foci_data(projection), b.width},
                                           .c = at(n, l->x),
                                           .ldc = b.width,
                                           .bf16 = bf16});
    }
    b.logits = (foci_product){.columns = rows, .depth = b.width, .b = {b.x, b.width, true}, .ldc = b.ld, .bf16 = bf16};
    b.weight = (foci_product){
        .columns = b.width, .depth = rows, .b = {b.x, b.width}, .ldc = b.width, .add = true, .bf16 = bf16};
    foci_gemm_pack(&b.logits, at(n, l->rows_of_b));
    foci_gemm_pack(&b.weight, at(n, l->columns_of_b));
    return b;
}

typedef struct tile {
    const foci_adaptive_piece *piece;
    int64_t first, words; /* of the piece */
    real *stage;          /* (words, rows) */
    real *max, *sum;      /* (rows) */
} tile;

static tile take_tile(const foci_node *n, const layout *l, const block *b, int64_t i) {
    const bool second = b->pieces == 2 && i == b->tiles - 1;
    tile t = {.piece = &b->piece[second],
              .max = (real *)at(n, l->max) + i * b->rows,
              .sum = (real *)at(n, l->sum) + i * b->rows};
    foci_range words = second ? (foci_range){0, t.piece->columns} : foci_tile(t.piece->columns, b->tile_words, i);
    t.first = words.first;
    t.words = words.end - words.first;
    t.stage = (real *)at(n, l->stage) + (t.piece->first + t.first) * b->ld;
    return t;
}

static const real *weight_of(const block *b, const tile *t) { return t->piece->weight + t->first * b->width; }

/* The place of row i's target in the tile, NULL where it is elsewhere. */
static real *target_in(const block *b, const tile *t, const int32_t *column, int64_t i) {
    int64_t word = column[i] - t->piece->first - t->first;
    return column[i] >= 0 && word >= 0 && word < t->words ? t->stage + word * b->ld + i : NULL;
}

/* --------------------------------------------------------------------------------------- the three steps */

static void exponentials(const foci_node *n, const layout *l, const block *b, int64_t i) {
    const tile t = take_tile(n, l, b, i);
    const real *bias = t.piece->bias ? t.piece->bias + t.first : NULL;
    foci_product p = b->logits;
    p.rows = t.words;
    p.a = (foci_matrix){weight_of(b, &t), b->width};
    p.c = t.stage;
    foci_gemm(&p);
    real *target = at(n, l->target);
    for (int64_t r = 0; r < b->rows; r++) {
        const real *x = target_in(b, &t, at(n, l->column), r);
        if (x) target[r] = *x + (bias ? bias[(x - t.stage) / b->ld] : 0);
    }
    foci_kernel()->column_exp(t.words, b->rows, t.stage, b->ld, bias, t.max, t.sum);
}

static void losses(const foci_node *n, const layout *l, const block *b, real *nll) {
    const real *lse = at(n, l->lse), *target = at(n, l->target);
    for (int64_t i = 0; i < b->rows; i++) {
        int64_t row = row_of(b, i);
        nll[row] = (b->cluster ? nll[row] : 0) + (lse[i] - target[i]);
    }
}

/* dx: (rows, width) of its chunk, or NULL */
static void tile_gradients(const foci_node *n, const layout *l, const block *b, int64_t i, real *dx, bool add) {
    const tile t = take_tile(n, l, b, i);
    const real *d = at(n, l->d);
    real *dbias = t.piece->dbias ? t.piece->dbias + t.first : NULL;
    foci_kernel()->column_softmax(t.words, b->rows, t.stage, b->ld, t.max, at(n, l->lse), d, dbias);
    for (int64_t r = 0; r < b->rows; r++) {
        real *x = target_in(b, &t, at(n, l->column), r);
        if (x) *x -= d[r];
        if (x && dbias) dbias[(x - t.stage) / b->ld] -= d[r];
    }
    if (t.piece->dweight) {
        foci_product p = b->weight;
        p.rows = t.words;
        p.a = (foci_matrix){t.stage, b->ld};
        p.c = t.piece->dweight + t.first * b->width;
        foci_gemm(&p);
    }
    if (dx)
        foci_gemm(&(foci_product){.rows = b->rows,
                                  .columns = b->width,
                                  .depth = t.words,
                                  .a = {t.stage, b->ld, true},
                                  .b = {weight_of(b, &t), b->width},
                                  .c = dx,
                                  .ldc = b->width,
                                  .add = add,
                                  .bf16 = b->weight.bf16});
}

/* The tiles of chunk i: as even as can be. */
static foci_range chunk(const block *b, int64_t i) {
    return (foci_range){i * b->tiles / CHUNKS, (i + 1) * b->tiles / CHUNKS};
}

/* dx (rows, width) = the chunks' in order */
static void add_chunks(const foci_node *n, const layout *l, const block *b) {
    const int64_t size = b->rows * b->width;
    const real *partial = at(n, l->partial);
    real *dx = at(n, l->dx);
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < foci_tiles(size, FOCI_TILE_ELEMENTS); i++) {
        foci_range r = foci_tile(size, FOCI_TILE_ELEMENTS, i);
        memset(dx + r.first, 0, (size_t)(r.end - r.first) * sizeof *dx);
        for (int64_t c = 0; c < CHUNKS; c++)
            if (chunk(b, c).first < chunk(b, c).end)
                foci_kernel()->scale(r.end - r.first, 1, partial + c * size + r.first, dx + r.first, true);
    }
}

/* dx back through the projection, and to the rows of hidden it belongs to */
static void hidden_gradient(const foci_node *n, const layout *l, const block *b, const pass *p) {
    const foci_tensor *projection = n->input[ADAPTIVE_PROJECTION + b->cluster];
    const int64_t model = foci_last_dim(n->input[ADAPTIVE_HIDDEN]);
    const real *dhidden = at(n, l->dx);
    if (projection && projection->host_grad)
        foci_gemm_long(&(foci_product){.rows = model,
                                       .columns = b->width,
                                       .depth = b->rows,
                                       .a = {b->hidden, model, true},
                                       .b = {dhidden, b->width},
                                       .c = foci_grad(projection),
                                       .ldc = b->width,
                                       .add = true,
                                       .bf16 = b->weight.bf16},
                       at(n, l->partial));
    if (!p->dhidden) return;
    if (projection) {
        foci_gemm_parallel(&(foci_product){.rows = b->rows,
                                           .columns = model,
                                           .depth = b->width,
                                           .a = {dhidden, b->width},
                                           .b = {foci_data(projection), b->width, true},
                                           .c = at(n, l->dhidden),
                                           .ldc = model,
                                           .bf16 = b->weight.bf16});
        dhidden = at(n, l->dhidden);
    }
    for (int64_t i = 0; i < b->rows; i++) /* the head has been in every row */
        foci_kernel()->scale(model, 1, dhidden + i * model, p->dhidden + row_of(b, i) * model,
                             p->add || b->cluster > 0);
}

static void run_block(const foci_node *n, const layout *l, const block *b, const pass *p) {
    int32_t *column = at(n, l->column);
    real *target = at(n, l->target), *d = at(n, l->d), *partial = at(n, l->partial);
    const foci_tensor *projection = n->input[ADAPTIVE_PROJECTION + b->cluster];
    for (int64_t i = 0; i < b->rows; i++) {
        column[i] = (int32_t)column_of(n, b->cluster, row_of(b, i));
        target[i] = NAN;
        d[i] = p->dnll && column[i] >= 0 ? p->dnll[row_of(b, i)] : 0;
    }
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < b->tiles; i++) exponentials(n, l, b, i);
    foci_kernel()->column_lse(b->tiles, b->rows, at(n, l->max), at(n, l->sum), at(n, l->lse));
    if (p->nll) losses(n, l, b, p->nll);
    if (!p->dnll) return;
    const bool wants_dx = p->dhidden || (projection && projection->host_grad);
    FOCI_PARALLEL_FOR
    for (int64_t c = 0; c < CHUNKS; c++)
        for (int64_t first = chunk(b, c).first, i = first; i < chunk(b, c).end; i++)
            tile_gradients(n, l, b, i, wants_dx ? partial + c * b->rows * b->width : NULL, i > first);
    if (!wants_dx) return;
    add_chunks(n, l, b);
    hidden_gradient(n, l, b, p);
}

/* Block by block, the head first. */
static void run(const foci_node *n, const pass *p) {
    const foci_adaptive *a = n->attributes;
    const layout l = layout_of(n);
    int32_t *order = at(n, l.order);
    int64_t start[FOCI_MAX_CLUSTERS + 1];
    group(n, order, start);
    for (int cluster = 0; cluster < a->clusters; cluster++) {
        int64_t first = cluster ? start[cluster] : 0,
                end = cluster ? start[cluster + 1] : foci_rows(n->input[ADAPTIVE_HIDDEN]);
        int64_t size = block_rows(words_of(n, cluster));
        for (int64_t i = 0; i < foci_tiles(end - first, size); i++) {
            foci_range rows = foci_tile(end - first, size, i);
            const block b = take_block(n, &l, cluster, first + rows.first, rows.end - rows.first, order);
            run_block(n, &l, &b, p);
        }
    }
}

/* ------------------------------------------------------------------------------------- forward, backward */

/* May forward make the gradients? Those of parameters have their memory all the time; that of hidden is saved. */
static bool gradients_in_forward(const foci_node *n, real *dnll) {
    for (int i = ADAPTIVE_CLUSTER_WEIGHT; i < ADAPTIVE_INPUTS; i++)
        if (foci_wants(n, i) && !foci_is_parameter(n->input[i])) return false;
    return n->reached && foci_gradient_known(n, dnll);
}

static void forward(const foci_node *n) {
    pass p = {.nll = foci_data(n->output)};
    real even;
    if (gradients_in_forward(n, &even)) {
        real *dnll = at(n, layout_of(n).dnll);
        for (int64_t i = 0; i < foci_numel(n->output); i++) dnll[i] = even;
        p.dnll = dnll;
        if (n->input[ADAPTIVE_HIDDEN]->requires_grad) p.dhidden = foci_data(n->saved[DHIDDEN]);
    }
    run(n, &p);
}

/* All weights are added to, block by block: those that are to be overwritten start at zero. */
static void backward(const foci_node *n) {
    const foci_tensor *hidden = n->input[ADAPTIVE_HIDDEN];
    real *dhidden = foci_wants(n, ADAPTIVE_HIDDEN) ? foci_grad(hidden) : NULL, even;
    if (gradients_in_forward(n, &even)) {
        if (dhidden)
            foci_kernel()->scale(foci_numel(hidden), 1, foci_data(n->saved[DHIDDEN]), dhidden,
                                 n->accumulate[ADAPTIVE_HIDDEN]);
        return;
    }
    for (int i = ADAPTIVE_CLUSTER_WEIGHT; i < ADAPTIVE_INPUTS; i++)
        if (foci_wants(n, i) && !n->accumulate[i])
            memset(n->input[i]->host_grad, 0, (size_t)foci_numel(n->input[i]) * sizeof(real));
    run(n, &(pass){.dnll = foci_grad(n->output), .dhidden = dhidden, .add = n->accumulate[ADAPTIVE_HIDDEN]});
}

/* Three products, wherever they are made. The tails' rows are known once there are targets; no row, no work. */
static foci_cost cost(const foci_node *n) {
    const foci_adaptive *a = n->attributes;
    const int64_t rows = foci_rows(n->input[ADAPTIVE_HIDDEN]), model = foci_last_dim(n->input[ADAPTIVE_HIDDEN]);
    double product = 0, hidden = (double)(rows * model) * sizeof(real), weights = 0;
    real even;
    for (int cluster = 0; cluster < a->clusters; cluster++) {
        int64_t own = cluster ? 0 : rows, words = words_of(n, cluster) + (cluster ? 0 : a->clusters - 1),
                width = foci_adaptive_width(n, cluster);
        for (int64_t row = 0; cluster && n->input[ADAPTIVE_TARGETS]->host_data && row < rows; row++)
            own += cluster_of(n, row) == cluster;
        if (n->input[ADAPTIVE_PROJECTION + cluster]) words += model;
        product += 2.0 * (double)own * (double)words * (double)width;
        if (own) weights += (double)(words * width) * sizeof(real);
    }
    if (gradients_in_forward(n, &even)) return (foci_cost){3 * product, 0, 2 * hidden + 3 * weights, 2 * hidden};
    return (foci_cost){product, 2 * product, hidden + weights, 2 * hidden + 3 * weights};
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
static foci_tensor *shared_and_projected(
    foci_graph *g) { /* the tails share one projection; weight and hidden are results */
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
static const foci_gradient_case gradients[] = {{"ordinary softmax", ordinary},
                                               {"two tails, shared weight", shared_weight},
                                               {"shared projection, of results, no bias", shared_and_projected},
                                               {"a width for every cluster", divided_widths},
                                               {0}};

const foci_op foci_op_adaptive_softmax = {.name = "adaptive_softmax",
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
    int64_t rows = foci_rows(o->hidden);
    if (foci_numel(o->targets) != rows)
        return foci_graph_fail(g, "adaptive_softmax: hidden %s has %lld rows, targets %s",
                               foci_shape_text(g, o->hidden), (long long)rows, foci_shape_text(g, o->targets));
    foci_save(n, FOCI_REAL, foci_numel(o->hidden));
    foci_workspace(n, layout_of(n).bytes, layout_of(n).bytes);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(rows));
}
