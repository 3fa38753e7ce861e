/* channel_gate: channel attention of the fully attentional network (Zhou et al., "Understanding the Robustness in
 * Vision Transformers", 2022). A factor for each channel d of a head:
 *     gate_d = temperature sigmoid(sum over n of softmax_n(q_nd) mean_d softmax_n(k_nd))                */
#include "ops/attention_head.h"
#include "ops/common.h"

enum { Q, K, TEMPERATURE };
enum { Q_LSE, K_LSE, SUM, K_MEAN }; /* saved: (B, H, D) each, the last (B, H, N) */

static foci_channel_head head_of(const foci_node *n, int64_t b, int64_t h) {
    const foci_tensor *q = n->input[Q], *k = n->input[K];
    const int64_t head = b * q->shape[1] + h, width = q->shape[3];
    return (foci_channel_head){
        .tokens = q->shape[2],
        .width = width,
        .q = foci_data(q) + foci_head_offset(q, b, h),
        .k = foci_data(k) + foci_head_offset(k, b, h),
        .q_row = q->stride[2],
        .k_row = k->stride[2],
        .temperature = foci_data(n->input[TEMPERATURE])[h],
        .q_lse = foci_data(n->saved[Q_LSE]) + head * width,
        .k_lse = foci_data(n->saved[K_LSE]) + head * width,
        .sum = foci_data(n->saved[SUM]) + head * width,
        .k_mean = foci_data(n->saved[K_MEAN]) + head * q->shape[2],
        .gate = foci_data(n->output) + head * width,
    };
}

static int64_t scratch_of(const foci_tensor *q) { return 2 * q->shape[3] + q->shape[2]; }

static void forward(const foci_node *n) {
    const int64_t *shape = n->input[Q]->shape;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < shape[0] * shape[1]; task++) {
        const foci_channel_head h = head_of(n, task / shape[1], task % shape[1]);
        foci_kernel()->channel_gate(&h, (real *)n->workspace + foci_thread() * scratch_of(n->input[Q]));
    }
}

/* The gradient of a head's temperature: every (sample, head) leaves its part at the beginning of the workspace. */
static void backward(const foci_node *n) {
    const foci_tensor *q = n->input[Q], *k = n->input[K];
    const int64_t batch = q->shape[0], heads = q->shape[1];
    real *part = n->workspace, *scratch = part + batch * heads;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < batch * heads; task++) {
        const int64_t b = task / heads, i = task % heads;
        foci_channel_head h = head_of(n, b, i);
        h.dgate = foci_grad(n->output) + task * h.width;
        h.dq = foci_wants(n, Q) ? foci_grad(q) + foci_head_offset(q, b, i) : NULL;
        h.dk = foci_wants(n, K) ? foci_grad(k) + foci_head_offset(k, b, i) : NULL;
        h.dq_row = h.q_row, h.dk_row = h.k_row;
        h.add_dq = n->accumulate[Q], h.add_dk = n->accumulate[K];
        h.dtemperature = part + task;
        foci_kernel()->channel_gate_backward(&h, scratch + foci_thread() * scratch_of(q));
    }
    if (foci_wants(n, TEMPERATURE))
        foci_add_tiles(batch, heads, part, foci_grad(n->input[TEMPERATURE]), n->accumulate[TEMPERATURE]);
}

static foci_tensor *temperature(foci_graph *g) { return RANDOM(g, "temperature", 2, 1, 1); }
static foci_tensor *plain(foci_graph *g) {
    return foci_channel_gate(g, RANDOM(g, "q", 3, 2, 5, 4), RANDOM(g, "k", 3, 2, 5, 4), temperature(g));
}
static foci_tensor *one_token(foci_graph *g) {
    return foci_channel_gate(g, RANDOM(g, "q", 2, 2, 1, 3), RANDOM(g, "k", 2, 2, 1, 3), temperature(g));
}
static foci_tensor *views_of_one(foci_graph *g) {
    foci_tensor *x = foci_gelu(g, RANDOM(g, "x", 2, 3, 12)), *t = temperature(g);
    return foci_channel_gate(g, foci_heads(g, x, 2, 0, 2), foci_heads(g, x, 2, 1, 2), t);
}
static foci_tensor *one_view_twice(foci_graph *g) {
    foci_tensor *x = foci_heads(g, foci_gelu(g, RANDOM(g, "x", 2, 3, 6)), 1, 0, 2);
    return foci_channel_gate(g, x, x, temperature(g));
}
static const foci_gradient_case gradients[] = {{"(3, 2, 5, 4)", plain},
                                               {"one token", one_token},
                                               {"views of one projection", views_of_one},
                                               {"one view twice", one_view_twice},
                                               {0}};

const foci_op foci_op_channel_gate = {.name = "channel_gate",
                                      .summary = "channel attention: a factor for each channel of a head",
                                      .forward = forward,
                                      .backward = backward,
                                      .reads =
                                          FOCI_READS_INPUT(Q) | FOCI_READS_INPUT(K) | FOCI_READS_INPUT(TEMPERATURE),
                                      .gradients = gradients};

foci_tensor *foci_channel_gate(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *temperature) {
    if (!foci_head_operand(g, "channel_gate", "q", q, NULL) || !foci_head_operand(g, "channel_gate", "k", k, q) ||
        !foci_operand(g, "channel_gate", "temperature", temperature, FOCI_REAL))
        return NULL;
    const int64_t batch = q->shape[0], heads = q->shape[1], width = q->shape[3];
    if (foci_numel(temperature) != heads)
        return foci_graph_fail(g, "channel_gate: q %s has %lld heads, temperature %s has not", foci_shape_text(g, q),
                               (long long)heads, foci_shape_text(g, temperature));
    foci_node *n = foci_record(g, &foci_op_channel_gate, 3, (foci_tensor *[]){q, k, temperature}, NULL, 0);
    for (int i = Q_LSE; i <= SUM; i++) foci_save(n, FOCI_REAL, batch * heads * width);
    foci_save(n, FOCI_REAL, batch * heads * q->shape[2]);
    const int64_t scratch = foci_threads() * scratch_of(q);
    foci_workspace(n, (size_t)scratch * sizeof(real), (size_t)(scratch + batch * heads) * sizeof(real));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(batch, heads, width));
}
