#include "models/words.h"

#include <math.h>

#include "core/graph.h"

foci_tensor *foci_words_sines(foci_graph *g, int64_t first, int64_t step, int64_t tokens, int64_t width) {
    foci_real *p = foci_graph_alloc(g, (size_t)(tokens * width) * sizeof *p);
    if (!p) return NULL;
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t i = 0; i < width / 2; i++) {
            const double angle = (double)(first + t * step) * pow(10000, -2.0 * (double)i / (double)width);
            p[t * width + i] = (foci_real)sin(angle);
            p[t * width + width / 2 + i] = (foci_real)cos(angle);
        }
    return foci_constant(g, "positions", FOCI_REAL, FOCI_SHAPE(tokens, width), p);
}

void foci_words_scored(foci_graph *g, const foci_adaptive_softmax_options *softmax) {
    if (!foci_graph_ok(g)) return;
    if (!softmax->targets) {
        foci_output(g, "logprob", foci_adaptive_log_prob(g, softmax));
        return;
    }
    if (foci_graph_observes(g)) foci_observe(g, "logprob", foci_adaptive_log_prob(g, softmax));
    foci_tensor *nll = foci_adaptive_softmax(g, softmax);
    foci_output(g, "nll", nll);
    foci_output(g, "loss", foci_average(g, nll));
}
