/* embedding: rows of a table by token, times a factor */
#include <string.h>

#include "ops/common.h"

enum { IDS, WEIGHT };
enum { OWNERS = 32 }; /* tasks of backward: task t owns the rows whose number leaves t when divided by this */

typedef struct embedding {
    int64_t first;
    real scale;
} embedding;

/* Row of token i, -1 outside the table. */
static int64_t row_of(const foci_node *n, int64_t i) {
    const embedding *e = n->attributes;
    int64_t row = foci_ints(n->input[IDS])[i] - e->first;
    return row >= 0 && row < n->input[WEIGHT]->shape[0] ? row : -1;
}

static void forward(const foci_node *n) {
    const embedding *e = n->attributes;
    int64_t tokens = foci_numel(n->input[IDS]), c = n->input[WEIGHT]->shape[1], size = foci_tile_rows(c);
    const real *weight = foci_data(n->input[WEIGHT]);
    real *y = foci_data(n->output);
    FOCI_PARALLEL_FOR
    for (int64_t tile = 0; tile < foci_tiles(tokens, size); tile++) {
        foci_range r = foci_tile(tokens, size, tile);
        for (int64_t i = r.first; i < r.end; i++) {
            int64_t row = row_of(n, i);
            if (row < 0) memset(y + i * c, 0, (size_t)c * sizeof *y);
            else foci_kernel()->scale(c, e->scale, weight + row * c, y + i * c, false);
        }
    }
}

/* dweight: every task walks over all tokens and adds those of its rows, in order. Frequent tokens have
 * neighbouring numbers, so the remainder spreads them over the tasks. */
static void backward(const foci_node *n) {
    const embedding *e = n->attributes;
    int64_t tokens = foci_numel(n->input[IDS]), c = n->input[WEIGHT]->shape[1];
    const real *dy = foci_grad(n->output);
    real *dweight = foci_grad(n->input[WEIGHT]);
    if (!n->accumulate[WEIGHT]) memset(dweight, 0, (size_t)foci_numel(n->input[WEIGHT]) * sizeof *dweight);
    FOCI_PARALLEL_FOR
    for (int64_t owner = 0; owner < OWNERS; owner++) {
        for (int64_t i = 0; i < tokens; i++) {
            int64_t row = row_of(n, i);
            if (row >= 0 && row % OWNERS == owner)
                foci_kernel()->scale(c, e->scale, dy + i * c, dweight + row * c, true);
        }
    }
}

/* Memory for the rows of the tokens, not for the whole table. */
static foci_cost cost(const foci_node *n) {
    double rows = (double)foci_numel(n->output) * sizeof(real),
           table = (double)foci_numel(n->input[WEIGHT]) * sizeof(real);
    return (foci_cost){.forward_bytes = 2 * rows, .backward_bytes = 3 * rows + (n->accumulate[WEIGHT] ? 0 : table)};
}

static foci_tensor *ids_of(foci_graph *g) {
    static const int32_t ids[8] = {3, 0, 3, 4, 1, 3, 2, 0};
    return foci_constant(g, "ids", FOCI_INT, FOCI_SHAPE(2, 4), ids);
}
static foci_tensor *repeated(foci_graph *g) { return foci_embedding(g, ids_of(g), RANDOM(g, "weight", 6, 3), 0, 1.5); }
static foci_tensor *window(foci_graph *g) { return foci_embedding(g, ids_of(g), RANDOM(g, "weight", 2, 5), 2, 1); }
static foci_tensor *of_a_result(foci_graph *g) {
    return foci_embedding(g, ids_of(g), foci_gelu(g, RANDOM(g, "weight", 5, 2)), 0, 1);
}
static const foci_gradient_case gradients[] = {
    {"repeated tokens, scale 1.5", repeated}, {"rows 2 and 3 only", window}, {"of a computed table", of_a_result}, {0}};

const foci_op foci_op_embedding = {.name = "embedding",
                                   .summary = "rows of a table by token",
                                   .forward = forward,
                                   .backward = backward,
                                   .reads = FOCI_READS_INPUT(IDS),
                                   .cost = cost,
                                   .gradients = gradients};

foci_tensor *foci_embedding(foci_graph *g, foci_tensor *ids, foci_tensor *weight, int64_t first, double scale) {
    if (!foci_operand(g, "embedding", "ids", ids, FOCI_INT) ||
        !foci_operand(g, "embedding", "weight", weight, FOCI_REAL))
        return NULL;
    if (ids->ndim != 2 || weight->ndim != 2)
        return foci_graph_fail(g, "embedding: ids %s and weight %s must be (B, T) and (n, C)", foci_shape_text(g, ids),
                               foci_shape_text(g, weight));
    embedding e = {first, (real)scale};
    foci_node *n = foci_record(g, &foci_op_embedding, 2, (foci_tensor *[]){ids, weight}, &e, sizeof e);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(ids->shape[0], ids->shape[1], weight->shape[1]));
}
