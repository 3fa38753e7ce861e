/* block_attention: softmax(scale q kt) v over the keys of one block for each query, as choose_block chose them. Queries
 * of one block are gathered, and attend to its keys as one piece (kernels/body_pieces.h): N size D of work, no N x N.
 */
#include <math.h>
#include <string.h>

#include "ops/blocks.h"

enum { Q, K, V, BLOCKS, CHOICE, INPUTS };
enum { TILE = FOCI_ATTENTION_QUERIES };

typedef struct attributes {
    double scale;
    bool causal;
} attributes;

/* One block of one head; everything gathered has rows of whole cache lines. */
typedef struct part {
    const attributes *o;
    int64_t task, block, tokens, width, row, keys;
    real *kernel;                  /* its scratch */
    real *k, *v, *dk, *dv, *place; /* (size, row), (size) */
    real *q, *out, *dout, *dq;     /* (TILE, row) */
    int64_t token[TILE];           /* the queries of a tile */
    real log_sum[TILE], delta[TILE];
    foci_sight sight;
} part;

static int64_t line(int64_t n) { return (n + FOCI_ALIGN - 1) / FOCI_ALIGN * FOCI_ALIGN; }

static int64_t scratch_of(const foci_node *n) {
    const int64_t width = n->input[Q]->shape[3], size = n->input[BLOCKS]->shape[1];
    return foci_pieces_layout_of(width).reals + 4 * (size + TILE) * line(width) + line(size);
}

static const real *rows_of(const foci_node *n, int input, int64_t task) {
    const foci_tensor *t = n->input[input];
    return foci_data(t) + foci_head_offset(t, task / t->shape[1], task % t->shape[1]);
}

/* The offset of token t of a head in the output (B, N, H*D). */
static int64_t place_in_output(const foci_node *n, int64_t task, int64_t token) {
    const int64_t *s = n->input[Q]->shape;
    return ((task / s[1] * s[2] + token) * s[1] + task % s[1]) * s[3];
}

static void lay_out(const foci_node *n, part *p, real *scratch) {
    const int64_t size = n->input[BLOCKS]->shape[1];
    p->o = n->attributes;
    p->tokens = n->input[Q]->shape[2], p->width = n->input[Q]->shape[3], p->row = line(p->width);
    p->kernel = scratch;
    p->k = scratch + foci_pieces_layout_of(p->width).reals;
    p->v = p->k + size * p->row, p->dk = p->v + size * p->row, p->dv = p->dk + size * p->row;
    p->q = p->dv + size * p->row;
    p->out = p->q + TILE * p->row, p->dout = p->out + TILE * p->row, p->dq = p->dout + TILE * p->row;
    p->place = p->dq + TILE * p->row;
}

/* Keys and values of the block, and where they stand. */
static void gather_keys(const foci_node *n, part *p) {
    const foci_tensor *blocks = n->input[BLOCKS];
    p->keys = 0;
    for (int64_t at = 0; at < blocks->shape[1]; at++) {
        const int64_t j = foci_block_token(blocks, p->block, at, p->tokens);
        if (j < 0) continue;
        p->place[p->keys] = (real)j;
        memcpy(p->k + p->keys * p->row, rows_of(n, K, p->task) + j * n->input[K]->stride[2],
               (size_t)p->width * sizeof(real));
        memcpy(p->v + p->keys * p->row, rows_of(n, V, p->task) + j * n->input[V]->stride[2],
               (size_t)p->width * sizeof(real));
        p->keys++;
    }
}

/* The next queries from *at on that chose the block; returns how many. */
static int64_t gather_queries(const foci_node *n, part *p, int64_t *at) {
    int64_t count = 0;
    for (; *at < p->tokens && count < TILE; ++*at) {
        if (foci_block_choice(n->input[CHOICE], n->input[Q], p->task, *at) != p->block) continue;
        p->sight.low[count] = 0;
        p->sight.high[count] = p->o->causal ? (real)*at : INFINITY;
        memcpy(p->q + count * p->row, rows_of(n, Q, p->task) + *at * n->input[Q]->stride[2],
               (size_t)p->width * sizeof(real));
        p->token[count++] = *at;
    }
    for (int64_t i = 0; i < TILE; i++) p->sight.self[i] = -1;
    for (int64_t i = count; i < TILE; i++) p->sight.low[i] = INFINITY;
    return count;
}

static foci_key_piece piece_of(const part *p) {
    return (foci_key_piece){.keys = p->keys,
                            .k = p->k,
                            .v = p->v,
                            .k_row = p->row,
                            .v_row = p->row,
                            .place = p->place,
                            .sight = &p->sight,
                            .sum_row = p->row};
}

static foci_attention_pieces pieces_of(part *p, const foci_key_piece *piece, int64_t queries) {
    return (foci_attention_pieces){.queries = queries,
                                   .width = p->width,
                                   .q = p->q,
                                   .q_row = p->row,
                                   .scale = (real)p->o->scale,
                                   .piece = piece,
                                   .pieces = 1,
                                   .out = p->out,
                                   .out_row = p->row,
                                   .log_sum = p->log_sum};
}

static void forward_block(const foci_node *n, part *p) {
    const foci_key_piece piece = piece_of(p);
    for (int64_t at = 0, queries; (queries = gather_queries(n, p, &at)) > 0;) {
        const foci_attention_pieces a = pieces_of(p, &piece, queries);
        foci_kernel()->pieces_forward(&a, p->kernel);
        for (int64_t i = 0; i < queries; i++) {
            foci_data(n->saved[0])[p->task * p->tokens + p->token[i]] = p->log_sum[i];
            memcpy(foci_data(n->output) + place_in_output(n, p->task, p->token[i]), p->out + i * p->row,
                   (size_t)p->width * sizeof(real));
        }
    }
}

static void forward(const foci_node *n) {
    const int64_t *s = n->input[Q]->shape, blocks = n->input[BLOCKS]->shape[0];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s[0] * s[1] * blocks; task++) {
        part p = {.task = task / blocks, .block = task % blocks};
        lay_out(n, &p, (real *)n->workspace + foci_thread() * scratch_of(n));
        gather_keys(n, &p);
        forward_block(n, &p);
    }
}

/* ------------------------------------------------------------------------------------------------------ backward */

static real *gradient_of(const foci_node *n, int input, int64_t task) {
    return foci_wants(n, input) ? foci_grad(n->input[input]) + (rows_of(n, input, task) - foci_data(n->input[input]))
                                : NULL;
}

static void take_outputs(const foci_node *n, part *p, int64_t queries) {
    for (int64_t i = 0; i < queries; i++) {
        const int64_t at = place_in_output(n, p->task, p->token[i]);
        const real *out = foci_data(n->output) + at, *dout = foci_grad(n->output) + at;
        double delta;
        foci_kernel()->dot(p->width, dout, out, &delta);
        p->delta[i] = (real)delta;
        p->log_sum[i] = foci_data(n->saved[0])[p->task * p->tokens + p->token[i]];
        memcpy(p->out + i * p->row, out, (size_t)p->width * sizeof(real));
        memcpy(p->dout + i * p->row, dout, (size_t)p->width * sizeof(real));
    }
}

/* dk, dv of the block in p, dq of its queries where they belong. */
static void backward_block(const foci_node *n, part *p, real *dq) {
    foci_key_piece piece = piece_of(p);
    piece.dk = p->dk, piece.dv = p->dv;
    memset(p->dk, 0, (size_t)(p->keys * p->row) * sizeof(real));
    memset(p->dv, 0, (size_t)(p->keys * p->row) * sizeof(real));
    for (int64_t at = 0, queries; (queries = gather_queries(n, p, &at)) > 0;) {
        foci_attention_pieces a = pieces_of(p, &piece, queries);
        take_outputs(n, p, queries);
        a.dout = p->dout, a.dout_row = p->row, a.delta = p->delta, a.dq = p->dq, a.dq_row = p->row;
        foci_kernel()->pieces_backward(&a, p->kernel);
        for (int64_t i = 0; dq && i < queries; i++)
            foci_kernel()->scale(p->width, 1, p->dq + i * p->row, dq + p->token[i] * n->input[Q]->stride[2],
                                 n->accumulate[Q]);
    }
}

/* sums (N, row) += rows of the block */
static void scatter(const part *p, const real *rows, real *sums) {
    for (int64_t j = 0; j < p->keys; j++)
        foci_kernel()->scale(p->width, 1, rows + j * p->row, sums + (int64_t)p->place[j] * p->row, true);
}

static void give(const foci_node *n, int input, const part *p, const real *sums) {
    real *to = gradient_of(n, input, p->task);
    for (int64_t j = 0; to && j < p->tokens; j++)
        foci_kernel()->scale(p->width, 1, sums + j * p->row, to + j * n->input[input]->stride[2], n->accumulate[input]);
}

static int64_t sums_of(const foci_node *n) { return n->input[Q]->shape[2] * line(n->input[Q]->shape[3]); }

/* Queries come before keys and values: they may be the same memory. */
static void backward(const foci_node *n) {
    const int64_t *s = n->input[Q]->shape;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s[0] * s[1]; task++) {
        part p = {.task = task};
        real *scratch = (real *)n->workspace + foci_thread() * (scratch_of(n) + 2 * sums_of(n));
        real *dk = scratch + scratch_of(n), *dv = dk + sums_of(n);
        lay_out(n, &p, scratch);
        memset(dk, 0, (size_t)(2 * sums_of(n)) * sizeof(real));
        for (p.block = 0; p.block < n->input[BLOCKS]->shape[0]; p.block++) {
            gather_keys(n, &p);
            backward_block(n, &p, gradient_of(n, Q, task));
            scatter(&p, p.dk, dk), scatter(&p, p.dv, dv);
        }
        give(n, K, &p, dk), give(n, V, &p, dv);
    }
}

/* As attention to the keys of one block. */
static foci_cost cost(const foci_node *n) {
    const attributes *a = n->attributes;
    const double product =
        2.0 * (double)foci_numel(n->input[Q]) * (double)n->input[BLOCKS]->shape[1] * (a->causal ? 0.5 : 1);
    return (foci_cost){2 * product, 4 * product};
}

/* ------------------------------------------------------------------------------------------------ gradient check */

static foci_tensor *numbers(foci_graph *g, const char *name, int ndim, const int64_t *shape, const foci_real *x) {
    return foci_constant(g, name, FOCI_REAL, ndim, shape, x);
}
static foci_tensor *attend(foci_graph *g, foci_tensor *choice, bool causal) {
    static const foci_real blocks[3 * 4] = {0, 2, 5, -1, 1, 2, 3, 6, 0, 4, 5, 6};
    return foci_block_attention(g, RANDOM(g, "q", 2, 2, 7, 3), RANDOM(g, "k", 2, 2, 7, 3), RANDOM(g, "v", 2, 2, 7, 3),
                                numbers(g, "blocks", FOCI_SHAPE(3, 4), blocks), choice, 0.7, causal);
}
static foci_tensor *for_all(foci_graph *g) {
    return attend(g, numbers(g, "choice", FOCI_SHAPE(1), (const foci_real[]){1}), false);
}
static foci_tensor *for_heads(foci_graph *g) {
    return attend(g, numbers(g, "choice", FOCI_SHAPE(2, 2), (const foci_real[]){1, 0, 2, 2}), false);
}
static foci_tensor *for_queries(foci_graph *g, bool causal) {
    foci_real choice[2 * 2 * 7];
    for (int i = 0; i < 28; i++) choice[i] = (foci_real)(i % 7 ? i * i % 3 : 0);
    return attend(g, numbers(g, "choice", FOCI_SHAPE(2, 2, 7), choice), causal);
}
static foci_tensor *of_each_query(foci_graph *g) { return for_queries(g, false); }
static foci_tensor *causal(foci_graph *g) { return for_queries(g, true); } /* one sees nothing of its block */
static foci_tensor *several_tiles(foci_graph *g) {
    foci_real blocks[2 * 60], choice[120];
    for (int i = 0; i < 120; i++) blocks[i] = (foci_real)(i % 60 * 2 + i / 60), choice[i] = (foci_real)(i % 7 < 2);
    foci_tensor *x = foci_heads(g, foci_scale(g, RANDOM(g, "x", 1, 120, 2), 1.5), 2, 1, 1);
    return foci_block_attention(g, x, x, x, numbers(g, "blocks", FOCI_SHAPE(2, 60), blocks),
                                numbers(g, "choice", FOCI_SHAPE(1, 1, 120), choice), 1, false);
}
static const foci_gradient_case gradients[] = {{"one block for all", for_all},
                                               {"one block for each head", for_heads},
                                               {"one block for each query", of_each_query},
                                               {"causal", causal},
                                               {"several tiles, one view three times", several_tiles},
                                               {0}};

const foci_op foci_op_block_attention = {
    .name = "block_attention",
    .summary = "softmax(scale q kt) v over the keys of a chosen block",
    .forward = forward,
    .backward = backward,
    .reads = FOCI_READS_INPUT(Q) | FOCI_READS_INPUT(K) | FOCI_READS_INPUT(V) | FOCI_READS_INPUT(BLOCKS) |
             FOCI_READS_INPUT(CHOICE) | FOCI_READS_OUTPUT,
    .cost = cost,
    .gradients = gradients,
};

foci_tensor *foci_block_attention(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *v, foci_tensor *blocks,
                                  foci_tensor *choice, double scale, bool masked) {
    const foci_op *op = &foci_op_block_attention;
    if (!foci_head_operand(g, op->name, "q", q, NULL) || !foci_head_operand(g, op->name, "k", k, q) ||
        !foci_head_operand(g, op->name, "v", v, q) || !foci_blocks_operand(g, op->name, blocks) ||
        !foci_choice_operand(g, op->name, choice, q))
        return NULL;
    const attributes a = {scale, masked};
    foci_node *n = foci_record(g, op, INPUTS, (foci_tensor *[]){q, k, v, blocks, choice}, &a, sizeof a);
    if (!n) return NULL;
    const int64_t *s = q->shape, threads = foci_threads();
    foci_save(n, FOCI_REAL, s[0] * s[1] * s[2]);
    foci_workspace(n, (size_t)(threads * scratch_of(n)) * sizeof(real),
                   (size_t)(threads * (scratch_of(n) + 2 * sums_of(n))) * sizeof(real));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s[0], s[2], s[1] * s[3]));
}
