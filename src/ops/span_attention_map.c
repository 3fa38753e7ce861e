/* span_attention_map: the probabilities (B, H, T, L) of attention over a span; for pictures and measures */
#include <string.h>

#include "ops/span.h"

static int64_t scratch_of(const foci_spanning *s) {
    return foci_span_scratch(s) + foci_gemm_packed_size(s->width, s->tokens + s->span);
}

static void forward(const foci_node *n) {
    const foci_spanning s = foci_span_of(n);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < s.batch * s.heads; task++) {
        const int64_t b = task / s.heads, h = task % s.heads;
        real *scratch = (real *)n->workspace + foci_thread() * scratch_of(&s);
        const foci_span_tile t = foci_span_tile_at(&s, scratch);
        const foci_product keys =
            foci_span_across(&s, SPAN_K, b, h, (foci_range){0, s.tokens}, scratch + foci_span_scratch(&s));
        for (int64_t tile = 0; tile < foci_tiles(s.tokens, SPAN_TILE); tile++) {
            const foci_range r = foci_tile(s.tokens, SPAN_TILE, tile);
            real *map = foci_data(n->output) + (task * s.tokens + r.first) * s.span;
            foci_span_probabilities(&s, &t, b, h, r, &keys, 0);
            for (int64_t i = 0; i < r.end - r.first; i++)
                memcpy(map + i * s.span, t.p + i * (s.row + 1), (size_t)s.span * sizeof *map);
        }
    }
}

const foci_op foci_op_span_attention_map = {.name = "span_attention_map",
                                            .summary = "the probabilities of attention over a span, for inspection",
                                            .forward = forward,
                                            .detaches = true};

foci_tensor *foci_span_attention_map(foci_graph *g, foci_tensor *q, foci_tensor *k, const foci_span_options *o) {
    foci_node *n = foci_span_record(g, &foci_op_span_attention_map, q, k, NULL, o);
    if (!n) return NULL;
    const foci_spanning s = foci_span_of(n);
    foci_workspace(n, (size_t)foci_threads() * (size_t)scratch_of(&s) * sizeof(real), 0);
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s.batch, s.heads, s.tokens, s.span));
}
