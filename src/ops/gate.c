/* gate: channels times factors: x (B, H, N, D), any strides, gate (B, H, D) of each sample or (H*D) of all -> (B, N,
 * H*D). The channels of head h stand from h D on. */
#include <string.h>

#include "ops/attention_head.h"
#include "ops/common.h"

enum { X, GATE };

typedef struct shape {
    int64_t batch, heads, tokens, width, channels;
    int64_t size, tiles; /* tokens of a tile, tiles of a sample */
    bool own;            /* every sample has factors of its own */
} shape;

static shape shape_of(const foci_tensor *x, const foci_tensor *gate) {
    shape s = {x->shape[0], x->shape[1], x->shape[2], x->shape[3], x->shape[1] * x->shape[3], 0, 0, gate->ndim == 3};
    s.size = foci_tile_rows(s.channels);
    s.tiles = foci_tiles(s.tokens, s.size);
    return s;
}

/* Head h of a tile of tokens: rows of x, x_row apart; of what is (B, N, H*D); its factors. */
typedef struct part {
    int64_t rows, x, x_row, y, gate;
} part;

static part part_of(const foci_node *n, const shape *s, int64_t task, int64_t h) {
    const foci_tensor *x = n->input[X];
    const int64_t b = task / s->tiles;
    const foci_range r = foci_tile(s->tokens, s->size, task % s->tiles);
    return (part){r.end - r.first, foci_head_offset(x, b, h) + r.first * x->stride[2], x->stride[2],
                  (b * s->tokens + r.first) * s->channels + h * s->width,
                  (s->own ? b * s->channels : 0) + h * s->width};
}

static void forward(const foci_node *n) {
    const shape s = shape_of(n->input[X], n->input[GATE]);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s.batch * s.tiles; task++)
        for (int64_t h = 0; h < s.heads; h++) {
            const part p = part_of(n, &s, task, h);
            foci_kernel()->gate(p.rows, s.width, foci_data(n->input[X]) + p.x, p.x_row,
                                foci_data(n->input[GATE]) + p.gate, foci_data(n->output) + p.y, s.channels, false);
        }
}

/* dx = gate dy;  dgate: every tile leaves its sums of x dy in its row of the workspace (B tiles, H*D) */
static void backward(const foci_node *n) {
    const shape s = shape_of(n->input[X], n->input[GATE]);
    real *sums = n->workspace;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s.batch * s.tiles; task++) {
        if (foci_wants(n, GATE)) memset(sums + task * s.channels, 0, (size_t)s.channels * sizeof *sums);
        for (int64_t h = 0; h < s.heads; h++) {
            const part p = part_of(n, &s, task, h);
            const real *dy = foci_grad(n->output) + p.y;
            if (foci_wants(n, GATE))
                foci_kernel()->gate_sums(p.rows, s.width, foci_data(n->input[X]) + p.x, p.x_row, dy, s.channels,
                                         sums + task * s.channels + h * s.width);
            if (foci_wants(n, X))
                foci_kernel()->gate(p.rows, s.width, dy, s.channels, foci_data(n->input[GATE]) + p.gate,
                                    foci_grad(n->input[X]) + p.x, p.x_row, n->accumulate[X]);
        }
    }
    if (!foci_wants(n, GATE)) return;
    const int64_t groups = s.own ? s.batch : 1, rows = s.batch * s.tiles / groups;
    for (int64_t i = 0; i < groups; i++)
        foci_add_tiles(rows, s.channels, sums + i * rows * s.channels, foci_grad(n->input[GATE]) + i * s.channels,
                       n->accumulate[GATE]);
}

static foci_tensor *of_samples(foci_graph *g) {
    return foci_gate(g, RANDOM(g, "x", 2, 3, 5, 4), RANDOM(g, "gate", 2, 3, 4));
}
static foci_tensor *of_all(foci_graph *g) { return foci_gate(g, RANDOM(g, "x", 3, 2, 5, 4), RANDOM(g, "gate", 8)); }
static foci_tensor *view_used_twice(foci_graph *g) {
    foci_tensor *x = foci_heads(g, foci_gelu(g, RANDOM(g, "x", 2, 3, 12)), 2, 1, 2), *gate = RANDOM(g, "gate", 2, 2, 3);
    return foci_add(g, foci_gate(g, x, gate), foci_gate(g, x, gate));
}
static foci_tensor *several_tiles(foci_graph *g) {
    return foci_gate(g, RANDOM(g, "x", 1, 1, 5, 5000), foci_scale(g, RANDOM(g, "gate", 5000), 2));
}
static const foci_gradient_case gradients[] = {{"of each sample", of_samples},
                                               {"of all", of_all},
                                               {"a view, used twice", view_used_twice},
                                               {"several tiles", several_tiles},
                                               {0}};

const foci_op foci_op_gate = {.name = "gate",
                              .summary = "channels times factors, of each sample or of all",
                              .forward = forward,
                              .backward = backward,
                              .reads = FOCI_READS_INPUT(X) | FOCI_READS_INPUT(GATE),
                              .gradients = gradients};

foci_tensor *foci_gate(foci_graph *g, foci_tensor *x, foci_tensor *gate) {
    if (!foci_head_operand(g, "gate", "input", x, NULL) || !foci_operand(g, "gate", "gate", gate, FOCI_REAL))
        return NULL;
    const int64_t *d = x->shape, *f = gate->shape;
    const bool of_samples = gate->ndim == 3 && f[0] == d[0] && f[1] == d[1] && f[2] == d[3];
    if (!of_samples && !(gate->ndim == 1 && f[0] == d[1] * d[3]))
        return foci_graph_fail(g, "gate: %s is neither (batch, heads, width) nor (heads * width) of the input %s",
                               foci_shape_text(g, gate), foci_shape_text(g, x));
    const shape s = shape_of(x, gate);
    foci_node *n = foci_record(g, &foci_op_gate, 2, (foci_tensor *[]){x, gate}, NULL, 0);
    foci_workspace(n, 0, (size_t)(s.batch * s.tiles * s.channels) * sizeof(real));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s.batch, s.tokens, s.channels));
}
