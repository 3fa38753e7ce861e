/* attention_map: the probabilities (B, H, N, N) that fused attention never stores; for pictures and measures
 */
#include "ops/attention_head.h"

/* Scratch of one thread: the kernel's, then an output that nobody reads (N, D), then log_sum (N). */
static int64_t scratch_of(const int64_t *shape) {
    int64_t rows = shape[2] * (shape[3] + 1);
    return foci_attention_layout_of(shape[2], shape[3], false, false).reals +
           (rows + FOCI_ALIGN) / FOCI_ALIGN * FOCI_ALIGN;
}

/* The fused kernel, with the keys as values, gives each row's log_sum; from it the map. */
static void forward(const foci_node *n) {
    const int64_t *shape = n->input[ATTENTION_Q]->shape, heads = shape[1], tokens = shape[2], width = shape[3];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < shape[0] * heads; task++) {
        real *scratch = (real *)n->workspace + foci_thread() * scratch_of(shape);
        foci_attention_head head = foci_attention_head_of(n, task / heads, task % heads);
        head.dropout.threshold = 0;
        head.v = head.k;
        head.v_row = head.k_row;
        head.out = scratch + foci_attention_layout_of(tokens, width, false, false).reals;
        head.out_row = width;
        head.log_sum = head.out + tokens * width;
        foci_kernel()->attention_forward(&head, 0, tokens, scratch);
        foci_kernel()->attention_map(&head, foci_data(n->output) + task * tokens * tokens, scratch);
    }
}

const foci_op foci_op_attention_map = {.name = "attention_map",
                                       .summary = "the probabilities of attention, for inspection",
                                       .forward = forward,
                                       .detaches = true};

foci_tensor *foci_attention_map(foci_graph *g, foci_tensor *q, foci_tensor *k, const foci_sdpa_options *options) {
    foci_node *n = foci_record_attention(g, &foci_op_attention_map, q, k, NULL, options, FOCI_SCALE_NONE);
    if (!n) return NULL;
    foci_workspace(n, (size_t)foci_threads() * (size_t)scratch_of(q->shape) * sizeof(real), 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(q->shape[0], q->shape[1], q->shape[2], q->shape[2]));
}
