/* mix_keys: two keys of a position in one, by weights that each position has: p_j a_j + weight r_j b_j */
#include <string.h>

#include "ops/attention_head.h"
#include "ops/common.h"

enum { KEY_A, KEY_B, WEIGHT_A, WEIGHT_B };
enum { TILE = 64 };

static double weight_of(const foci_node *n, int key) { return key == KEY_A ? 1 : *(const double *)n->attributes; }

/* Of position j of head h, held within [0, 1]; *moves: not held. */
static real share(const foci_node *n, int key, int64_t h, int64_t j, bool *moves) {
    const foci_tensor *t = n->input[WEIGHT_A + key];
    const real w = foci_data(t)[h * t->shape[1] + j];
    *moves = w >= 0 && w <= 1;
    return (w < 0 ? 0 : w > 1 ? 1 : w) * (real)weight_of(n, key);
}

static void forward(const foci_node *n) {
    const int64_t *shape = n->output->shape, heads = shape[1], tokens = shape[2], width = shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < shape[0] * heads; task++)
        for (int64_t j = 0; j < tokens; j++) {
            const int64_t at = (task * tokens + j) * width;
            bool moves;
            for (int key = KEY_A; key <= KEY_B; key++)
                foci_kernel()->scale(width, share(n, key, task % heads, j, &moves), foci_data(n->input[key]) + at,
                                     foci_data(n->output) + at, key == KEY_B);
        }
}

/* Gradients of one key and its weight at position j of head h, over the samples in order. */
static void backward_at(const foci_node *n, int key, int64_t h, int64_t j) {
    const int64_t *shape = n->output->shape, heads = shape[1], tokens = shape[2], width = shape[3];
    const foci_tensor *x = n->input[key], *w = n->input[WEIGHT_A + key];
    bool moves;
    const real factor = share(n, key, h, j, &moves);
    double sum = 0;
    for (int64_t b = 0; b < shape[0]; b++) {
        const int64_t at = ((b * heads + h) * tokens + j) * width;
        const real *dy = foci_grad(n->output) + at;
        double inner;
        if (foci_wants(n, key)) foci_kernel()->scale(width, factor, dy, foci_grad(x) + at, n->accumulate[key]);
        foci_kernel()->dot(width, dy, foci_data(x) + at, &inner);
        sum += inner;
    }
    if (foci_wants(n, WEIGHT_A + key) && moves) foci_grad(w)[h * w->shape[1] + j] += (real)(sum * weight_of(n, key));
}

static void backward(const foci_node *n) {
    const int64_t heads = n->output->shape[1], tokens = n->output->shape[2], tiles = foci_tiles(tokens, TILE);
    for (int w = WEIGHT_A; w <= WEIGHT_B; w++)
        if (foci_wants(n, w) && !n->accumulate[w])
            memset(foci_grad(n->input[w]), 0, (size_t)foci_numel(n->input[w]) * sizeof(real));
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < heads * tiles; task++) {
        const foci_range t = foci_tile(tokens, TILE, task % tiles);
        for (int64_t j = t.first; j < t.end; j++)
            for (int key = KEY_A; key <= KEY_B; key++) backward_at(n, key, task / tiles, j);
    }
}

/* Weights outside [0, 1] are among them. */
static foci_tensor *mixed(foci_graph *g, foci_tensor *a, foci_tensor *b, int64_t heads, int64_t length) {
    return foci_mix_keys(g, a, b, RANDOM(g, "p", heads, length), RANDOM(g, "r", heads, length), 0.7);
}
static foci_tensor *plain(foci_graph *g) {
    return mixed(g, RANDOM(g, "a", 3, 2, 5, 4), RANDOM(g, "b", 3, 2, 5, 4), 2, 7);
}
static foci_tensor *several_tiles(foci_graph *g) {
    return mixed(g, RANDOM(g, "a", 2, 1, 70, 2), RANDOM(g, "b", 2, 1, 70, 2), 1, 70);
}
static foci_tensor *one_key_twice(foci_graph *g) {
    foci_tensor *a = foci_scale(g, RANDOM(g, "a", 2, 2, 3, 4), 2);
    foci_tensor *w = foci_scale(g, RANDOM(g, "w", 2, 3), 0.5);
    return foci_mix_keys(g, a, a, w, w, 2);
}
static const foci_gradient_case gradients[] = {
    {"(3, 2, 5, 4), (2, 7)", plain}, {"several tiles", several_tiles}, {"one key twice", one_key_twice}, {0}};

const foci_op foci_op_mix_keys = {.name = "mix_keys",
                                  .summary = "two keys of a position in one, by weights of the position",
                                  .forward = forward,
                                  .backward = backward,
                                  .reads = FOCI_READS_INPUT(KEY_A) | FOCI_READS_INPUT(KEY_B) |
                                           FOCI_READS_INPUT(WEIGHT_A) | FOCI_READS_INPUT(WEIGHT_B),
                                  .gradients = gradients};

foci_tensor *foci_mix_keys(foci_graph *g, foci_tensor *a, foci_tensor *b, foci_tensor *p, foci_tensor *r,
                           double weight) {
    const foci_op *op = &foci_op_mix_keys;
    foci_tensor *const weights[] = {p, r};
    if (!foci_head_operand(g, op->name, "a", a, NULL) || !foci_operand(g, op->name, "a", a, FOCI_REAL) ||
        !foci_head_operand(g, op->name, "b", b, a) || !foci_operand(g, op->name, "b", b, FOCI_REAL))
        return NULL;
    for (int i = 0; i < 2; i++) {
        if (!foci_operand(g, op->name, "a weight", weights[i], FOCI_REAL)) return NULL;
        if (weights[i]->ndim != 2 || weights[i]->shape[0] != a->shape[1] || weights[i]->shape[1] < a->shape[2])
            return foci_graph_fail(g, "%s: weights %s are not one for each head and position of %s", op->name,
                                   foci_shape_text(g, weights[i]), foci_shape_text(g, a));
    }
    foci_node *n = foci_record(g, op, 4, (foci_tensor *[]){a, b, p, r}, &weight, sizeof weight);
    return foci_emit(n, FOCI_REAL, 4, a->shape);
}
