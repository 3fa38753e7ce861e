/* attention_map: the probabilities (B, H, N, M) that fused attention never stores; for pictures and measures
 */
#include "ops/score_factor.h"

static int64_t kernel_scratch(const foci_node *n) {
    const int64_t *keys = n->input[ATTENTION_K]->shape;
    return foci_attention_layout_of(keys[2], keys[3], 0, false, false).reals;
}

/* Scratch of one thread: the kernel's, then log_sum (N). */
static int64_t scratch_of(const foci_node *n) {
    return kernel_scratch(n) + (n->input[ATTENTION_Q]->shape[2] + FOCI_ALIGN - 1) / FOCI_ALIGN * FOCI_ALIGN;
}

/* The fused kernel, without values, gives each row's log_sum; from it the map. */
static void forward(const foci_node *n) {
    const int64_t *shape = n->input[ATTENTION_Q]->shape, heads = shape[1];
    real *turned = (real *)n->workspace + foci_threads() * scratch_of(n);
    foci_turn_score_factor(n, turned);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < shape[0] * heads; task++) {
        real *scratch = (real *)n->workspace + foci_thread() * scratch_of(n);
        foci_attention_head head = foci_attention_head_of(n, task / heads, task % heads);
        foci_use_score_factor(n, turned, task % heads, &head);
        head.dropout.threshold = 0;
        head.log_sum = scratch + kernel_scratch(n);
        foci_kernel()->attention_forward(&head, 0, head.queries, scratch);
        foci_kernel()->attention_map(&head, foci_data(n->output) + task * head.queries * head.keys, scratch);
    }
}

const foci_op foci_op_attention_map = {.name = "attention_map",
                                       .summary = "the probabilities of attention, for inspection",
                                       .forward = forward,
                                       .detaches = true};

foci_tensor *foci_attention_map(foci_graph *g, foci_tensor *q, foci_tensor *k, const foci_sdpa_options *options) {
    foci_node *n = foci_record_attention(g, &foci_op_attention_map, q, k, NULL, options, FOCI_SCALE_NONE);
    if (!n) return NULL;
    foci_workspace(n, (size_t)(foci_threads() * scratch_of(n) + foci_score_factor_reals(n)) * sizeof(real), 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(q->shape[0], q->shape[1], q->shape[2], k->shape[2]));
}
