/* Encoder of the Long Range Arena: classification of sequences, or of pairs of them by one encoder for both; parameter
 * names of the published code.
 *
 *     x = word_embeddings[token] + position_embeddings[t]             (B, N, C)
 *     per layer:  x = x + ff(attention(norm1(x)));  x = x + W3 gelu(W0 norm2(x) + b0) + b3
 *     y = mean over all N of norm(x) mask                             (B, C): padding counts, as zeros
 *     logits = W2 relu(W0 y + b0) + b2                                (B, K); of pairs [y, z, y z, y - z] for y
 *
 * Dropout where the published model has it: on the embedding sum, after attention's output projection, inside and after
 * the feed-forward, and on the attention map. */
#include <math.h>
#include <stdlib.h>

#include "attention/attend.h"
#include "nn/layers.h"

typedef struct settings {
    int64_t vocab, num_classes, length, d_model, depth, num_heads, d_head, d_inner;
    double dropout, attn_dropout;
    bool pair;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, vocab, "512", 2, 1e8, NULL,
             "rows of the embedding: the tokens that there may be, padding among them"),
    FOCI_KEY(settings, num_classes, "0", 0, 1e6, NULL, "width of the classifier; 0: the classes of the data set"),
    FOCI_KEY(settings, length, "1024", 1, 65536, NULL, "tokens that sequences are padded to, and positions"),
    FOCI_KEY(settings, d_model, "64", 1, 65536, NULL, "model width C"),
    FOCI_KEY(settings, depth, "2", 1, 1000, NULL, "number of layers"),
    FOCI_KEY(settings, num_heads, "2", 1, 1024, NULL, "attention heads"),
    FOCI_KEY(settings, d_head, "0", 0, 4096, NULL, "width of a head; 0: d_model / num_heads"),
    FOCI_KEY(settings, d_inner, "128", 1, 1e6, NULL, "hidden width of the feed-forward and of the classifier"),
    FOCI_KEY(settings, dropout, "0", 0, 0.99, NULL, "after embedding, attention, inside and after the feed-forward"),
    FOCI_KEY(settings, attn_dropout, "0", 0, 0.99, NULL, "on the attention map"),
    FOCI_KEY(settings, pair, "false", 0, 0, NULL, "two sequences a sample: one encoder for both, a classifier of both"),
    {0}};

static const double eps = 1e-5;
#define TABLE_INIT FOCI_NORMAL(0, 0.02)

/* PyTorch's, of what is `in` wide. */
static foci_init linear_init(int64_t in) { return FOCI_UNIFORM(1 / sqrt((double)in)); }

/* (1, N): 0, 1, ... */
static foci_tensor *counted(foci_graph *g, int64_t n) {
    int32_t *number = malloc((size_t)n * sizeof *number);
    if (!number) return foci_graph_fail(g, "out of memory for positions");
    for (int64_t i = 0; i < n; i++) number[i] = (int32_t)i;
    foci_tensor *t = foci_constant(g, "positions", FOCI_INT, FOCI_SHAPE(1, n), number);
    free(number);
    return t;
}

/* (B, N) -> (B, N, C) */
static foci_tensor *embed(foci_graph *g, const settings *o, foci_tensor *ids) {
    if (!ids) return NULL;
    foci_scope(g, "model.embeddings");
    foci_tensor *words = foci_parameter(g, "word_embeddings.weight", TABLE_INIT, FOCI_SHAPE(o->vocab, o->d_model));
    foci_tensor *table = foci_parameter(g, "position_embeddings.weight", TABLE_INIT, FOCI_SHAPE(o->length, o->d_model));
    foci_no_decay(table);
    foci_tensor *position = foci_embedding(g, counted(g, ids->shape[1]), table, 0, 1);
    foci_tensor *x = foci_add_position(g, foci_embedding(g, ids, words, 0, 1), position);
    foci_end_scope(g);
    return foci_dropout(g, x, o->dropout);
}

static foci_tensor *attention(foci_graph *g, foci_attending *a, const settings *o, foci_tensor *x) {
    const foci_nn_heads heads = {(int)o->num_heads, o->d_head, true, linear_init(o->d_model)};
    const foci_nn_projection projections[] = {{"W_q", x, FOCI_PROJECT_Q},
                                              {"W_k", x, FOCI_PROJECT_K},
                                              {"W_k2", x, FOCI_PROJECT_K2},
                                              {"W_v", x, FOCI_PROJECT_V}};
    foci_scope(g, "mha");
    foci_tensor *y = foci_attend(a, x, foci_nn_project(g, projections, 4, a->projections, &heads));
    y = foci_nn_linear(g, "ff", y, o->d_model, true, linear_init(o->num_heads * o->d_head));
    foci_observe(g, "out", y);
    foci_end_scope(g);
    return foci_dropout(g, y, o->dropout);
}

static foci_tensor *layer(foci_graph *g, foci_attending *a, const settings *o, foci_tensor *x) {
    const foci_init init = linear_init(o->d_model);
    x = foci_add(g, x, attention(g, a, o, foci_nn_layer_norm(g, "norm1", x, eps, FOCI_ONES)));
    foci_tensor *y = foci_nn_layer_norm(g, "norm2", x, eps, FOCI_ONES);
    y = foci_nn_mlp(g, "mlpblock.0", "mlpblock.3", y, o->d_inner, FOCI_GELU, o->dropout, init);
    x = foci_add(g, x, foci_dropout(g, y, o->dropout));
    foci_observe(g, "output", x);
    return x;
}

/* (B, C) -> (B, K), or pairs (2B, C) */
static foci_tensor *classify(foci_graph *g, const settings *o, foci_tensor *y) {
    if (o->pair) y = foci_pair(g, y);
    if (!y) return NULL;
    foci_scope(g, "seq_classifer"); /* spelt so */
    y = foci_nn_linear(g, "mlpblock.0", y, o->d_inner, true, linear_init(y->shape[1]));
    y = foci_nn_linear(g, "mlpblock.2", foci_relu(g, y), o->num_classes, true, linear_init(o->d_inner));
    foci_end_scope(g);
    return y;
}

static settings read_settings(foci_request *r) {
    settings o;
    foci_graph *g = r->graph;
    foci_config_read(r->config, "model", keys, &o);
    if (!o.num_classes) o.num_classes = r->classes;
    if (!o.num_classes) foci_graph_fail(g, "num_classes is 0 and no data set tells how many there are");
    if (!o.d_head) o.d_head = foci_nn_head_width(g, o.d_model, o.num_heads, "d_model");
    return o;
}

static void record(foci_request *r) {
    foci_graph *g = r->graph;
    const settings o = read_settings(r);
    const int64_t rows = o.pair ? 2 * r->batch : r->batch;
    const int64_t tokens = (int64_t)foci_request_number(r, "tokens", (double)o.length);
    if (tokens > o.length)
        foci_graph_fail(g, "%lld tokens, but model.length is %lld", (long long)tokens, (long long)o.length);
    foci_tensor *ids = foci_input(g, "ids", FOCI_INT, FOCI_SHAPE(rows, tokens)), *mask = NULL;
    if (foci_request_feeds(r, "mask")) mask = foci_input(g, "mask", FOCI_REAL, FOCI_SHAPE(rows, tokens));

    foci_tensor *x = embed(g, &o, ids);
    foci_attending a = foci_attending_begin(
        g, r->config,
        &(foci_attend_options){.depth = (int)o.depth, .longest = o.length, .dropout = o.attn_dropout, .mask = mask});
    for (int i = 0; i < o.depth; i++) {
        foci_segment(g, "model.transformer_%d", i);
        x = layer(g, &a, &o, x);
        foci_end_scope(g);
    }
    x = foci_nn_layer_norm(g, "model.norm", x, eps, FOCI_ONES);
    foci_tensor *logits = classify(g, &o, mask ? foci_masked_mean(g, x, mask) : foci_mean(g, x));
    foci_output(g, "logits", logits);
    if (!foci_request_feeds(r, "labels")) return;
    foci_tensor *labels = foci_input(g, "labels", FOCI_INT, FOCI_SHAPE(r->batch));
    foci_output(g, "loss", foci_cross_entropy(g, logits, labels, NULL, 0, -1));
}

const foci_model foci_model_encoder = {
    .name = "encoder",
    .summary = "pre-norm encoder with mean pooling (Long Range Arena), classification of sequences",
    .task = "sequences",
    .keys = keys,
    .head = "seq_classifer.mlpblock.2",
    .record = record,
};
