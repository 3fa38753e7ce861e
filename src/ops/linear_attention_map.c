/* linear_attention_map: the weights (B, H, N, N) that linear attention never makes; for pictures and measures */
#include <math.h>

#include "kernels/gemm.h"
#include "ops/attention_head.h"
#include "ops/common.h"

enum { Q, K };

/* What row i's products are multiplied with. */
static double factor_of(const foci_linear_options *o, double sum, double query) {
    double d = sum;
    switch (o->denominator) {
    case FOCI_DIVIDE_BY_SUM_PLUS: d = sum + o->eps; break;
    case FOCI_DIVIDE_BY_AT_LEAST: d = fmax(sum, o->eps); break;
    case FOCI_DIVIDE_BY_SUM_PLUS_QUERY: d = sum + o->eps * query; break;
    case FOCI_DIVIDE_BY_NOTHING: d = 1; break;
    default: break;
    }
    return d > 0 ? o->factor / d : 0;
}

static void forward(const foci_node *n) {
    const int64_t *shape = n->input[Q]->shape, tokens = shape[2], features = shape[3];
    const foci_linear_options *o = n->attributes;
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < shape[0] * shape[1]; task++) {
        real *map = foci_data(n->output) + task * tokens * tokens;
        const real *q = foci_data(n->input[Q]) + task * tokens * features;
        foci_gemm(&(foci_product){.rows = tokens,
                                  .columns = tokens,
                                  .depth = features,
                                  .a = {q, features},
                                  .b = {foci_data(n->input[K]) + task * tokens * features, features, true},
                                  .c = map,
                                  .ldc = tokens});
        for (int64_t i = 0; i < tokens; i++) {
            real *row = map + i * tokens;
            const int64_t seen = o->causal ? i + 1 : tokens;
            for (int64_t j = seen; j < tokens; j++) row[j] = 0;
            double sum, query;
            foci_kernel()->sum(seen, row, &sum);
            foci_kernel()->sum(features, q + i * features, &query);
            const double factor = factor_of(o, sum, query);
            for (int64_t j = 0; j < seen; j++) row[j] = (real)((double)row[j] * factor);
        }
    }
}

const foci_op foci_op_linear_attention_map = {.name = "linear_attention_map",
                                              .summary = "the weights of linear attention, for inspection",
                                              .forward = forward,
                                              .detaches = true};

foci_tensor *foci_linear_attention_map(foci_graph *g, foci_tensor *q, foci_tensor *k,
                                       const foci_linear_options *options) {
    const foci_op *op = &foci_op_linear_attention_map;
    if (!foci_head_operand(g, op->name, "q", q, NULL) || !foci_operand(g, op->name, "q", q, FOCI_REAL) ||
        !foci_head_operand(g, op->name, "k", k, q) || !foci_operand(g, op->name, "k", k, FOCI_REAL))
        return NULL;
    foci_node *n = foci_record(g, op, 2, (foci_tensor *[]){q, k}, options, sizeof *options);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(q->shape[0], q->shape[1], q->shape[2], q->shape[2]));
}
