/* Classifier of sentences on the layers of a language model with a span of attention and experts, from which it is
 * fine-tuned as a rule. Parameter names of its published code.
 *
 *     h = the layers of span_layers.h, with an empty memory           (B, T, C)
 *     y = log_softmax(out_emb(the last token of h))                   (B, C): over features, not words
 *     logits = project_head.3(tanh(project_head.0(y)))                (B, K)
 *
 * Padding stands in front, and is a word as any other: it is attended to, counts in a metric, and goes through experts.
 * Dropout in the layers and before project_head.3. */
#include "config/config.h"
#include "core/graph.h"
#include "models/span_layers.h"

typedef struct settings {
    int64_t vocab, num_classes, length;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, vocab, "0", 0, 1e8, NULL, "words; 0: the vocabulary of the data set"),
    FOCI_KEY(settings, num_classes, "0", 0, 1e6, NULL, "width of the classifier; 0: the classes of the data set"),
    FOCI_KEY(settings, length, "64", 1, 65536, NULL, "tokens of the longest sentence, with <CLS> and <S>"),
    {0}};

static foci_tensor *affine(foci_graph *g, const char *name, foci_tensor *x, int64_t out) {
    if (!x) return NULL;
    foci_tensor *bias, *weight = foci_span_biased(g, name, out, foci_last_dim(x), &bias);
    return foci_linear(g, x, weight, bias);
}

/* (B, C) -> (B, K) */
static foci_tensor *classify(foci_graph *g, const foci_span_layers *layers, foci_tensor *h, int64_t classes) {
    const int64_t width = layers->o.d_model;
    foci_tensor *y = foci_log_softmax(g, affine(g, "out_emb", h, width));
    y = foci_tanh(g, affine(g, "project_head.0", y, width));
    return affine(g, "project_head.3", foci_dropout(g, y, layers->o.dropout), classes);
}

static settings read_settings(foci_request *r) {
    settings o;
    foci_config_read(r->config, "model", keys, &o);
    if (!o.vocab) o.vocab = r->vocabulary;
    if (!o.num_classes) o.num_classes = r->classes;
    if (!o.vocab) foci_graph_fail(r->graph, "vocab is 0 and no data set tells how many words there are");
    if (!o.num_classes) foci_graph_fail(r->graph, "num_classes is 0 and no data set tells how many there are");
    return o;
}

static void record(foci_request *r) {
    foci_graph *g = r->graph;
    const settings o = read_settings(r);
    const int64_t tokens = (int64_t)foci_request_number(r, "tokens", (double)o.length);
    const foci_span_layers *layers = foci_span_layers_read(r, false);
    foci_tensor *ids = foci_input(g, "ids", FOCI_INT, FOCI_SHAPE(r->batch, tokens));
    if (!foci_graph_ok(g)) return;
    foci_tensor *h = foci_span_layers_record(r, layers, ids, o.vocab);
    if (!h) return;
    foci_tensor *logits = classify(g, layers, foci_select(g, h, tokens - 1), o.num_classes);
    foci_output(g, "logits", logits);
    if (!foci_request_feeds(r, "labels")) return;
    foci_tensor *labels = foci_input(g, "labels", FOCI_INT, FOCI_SHAPE(r->batch));
    foci_output(g, "loss", foci_cross_entropy(g, logits, labels, NULL, 0, -1));
}

const foci_model foci_model_lm_span_classifier = {
    .name = "lm_span_classifier",
    .summary = "classifier of sentences with the layers of lm_span, to be fine-tuned from one",
    .task = "sequences",
    .keys = keys,
    .shared = foci_span_keys,
    .head = "out_emb project_head",
    .embedding = "in_emb",
    .record = record,
};
