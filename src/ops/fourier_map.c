/* fourier_map: the weights (B, H, N, N) of fourier_attention; for pictures and measures */
#include "ops/fourier_head.h"

static void forward(const foci_node *n) {
    const int64_t *s = n->input[FOURIER_Q]->shape, tokens = s[2];
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s[0] * s[1]; task++) {
        real *scratch = (real *)n->workspace + foci_thread() * foci_fourier_scratch(n);
        const foci_fourier_head o = foci_fourier_head_of(n, task, scratch);
        for (int64_t i = 0; i < tokens; i++) {
            real *row = foci_data(n->output) + (task * tokens + i) * tokens, top;
            const int64_t seen = foci_fourier_seen(&o, i);
            foci_fourier_row(&o, i, &top, true, row);
            const real sum = foci_fourier_sum(&o, i, top, row);
            for (int64_t j = 0; j < tokens; j++) row[j] = j < seen ? row[j] / sum : 0;
        }
    }
}

const foci_op foci_op_fourier_map = {.name = "fourier_map",
                                     .summary = "the weights of fourier_attention, for inspection",
                                     .forward = forward,
                                     .detaches = true};

foci_tensor *foci_fourier_map(foci_graph *g, foci_tensor *q, foci_tensor *k, foci_tensor *radius,
                              const foci_fourier_options *options) {
    foci_node *n = foci_record_fourier(g, &foci_op_fourier_map, q, k, NULL, radius, options);
    if (!n) return NULL;
    foci_workspace(n, (size_t)(foci_threads() * foci_fourier_scratch(n)) * sizeof(real), 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(q->shape[0], q->shape[1], q->shape[2], q->shape[2]));
}
