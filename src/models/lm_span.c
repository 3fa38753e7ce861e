/* Language model with a memory of earlier windows, a fixed span of attention and expert layers (Switch, GLaM): that of
 * the paper's mixture-of-experts tables. Parameter names of its published code.
 *
 *     h = the layers of span_layers.h                                 (B, T, C)
 *     nll = cross entropy of out_emb(h)                               (B*T) */
#include "config/config.h"
#include "core/graph.h"
#include "models/span_layers.h"
#include "models/words.h"

typedef struct settings {
    int64_t vocab, context;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, vocab, "0", 0, 1e8, NULL, "words; 0: the vocabulary of the data set"),
    FOCI_KEY(settings, context, "256", 1, 65536, NULL, "tokens T of a window, in training and evaluation"),
    {0}};

static void give_results(foci_request *r, int64_t words, foci_tensor *h, foci_tensor *targets) {
    foci_graph *g = r->graph;
    foci_adaptive_softmax_options softmax = {.hidden = h, .targets = targets, .cutoff = {words}};
    softmax.weight[0] = foci_span_biased(g, "out_emb", words, foci_last_dim(h), &softmax.bias[0]);
    foci_words_scored(g, &softmax);
}

static void record(foci_request *r) {
    foci_graph *g = r->graph;
    settings o;
    foci_config_read(r->config, "model", keys, &o);
    const int64_t words = o.vocab ? o.vocab : r->classes;
    const int64_t tokens = (int64_t)foci_request_number(r, "tokens", (double)o.context);
    const bool last_only = foci_request_number(r, "last_only", 0) != 0, scored = foci_request_feeds(r, "targets");
    if (!words) foci_graph_fail(g, "vocab is 0 and no data set tells how many words there are");
    const foci_span_layers *layers = foci_span_layers_read(r, true);
    foci_tensor *ids = foci_input(g, "ids", FOCI_INT, FOCI_SHAPE(r->batch, tokens)), *targets = NULL;
    if (scored) targets = foci_input(g, "targets", FOCI_INT, FOCI_SHAPE(r->batch, last_only ? 1 : tokens));
    if (!foci_graph_ok(g)) return;
    foci_tensor *h = foci_span_layers_record(r, layers, ids, words);
    if (h) give_results(r, words, last_only ? foci_narrow(g, h, tokens - 1, 1) : h, targets);
}

const foci_model foci_model_lm_span = {
    .name = "lm_span",
    .summary = "language model with a memory, a span of attention, and experts (Switch, GLaM)",
    .task = "text",
    .carries = true,
    .keys = keys,
    .shared = foci_span_keys,
    .head = "in_emb out_emb",
    .record = record,
};
