#include "models/words.h"

#include "core/graph.h"

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
