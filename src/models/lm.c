/* Language model of the paper: post-norm decoder, sinusoidal positions that count down, adaptive softmax tied to the
 * embedding; parameter names of lmtool-fwms.
 *
 *     h = emb[token] * sqrt(d_model) + position                       (B, T, d_model)
 *     per layer:  h = LN(h + o_net(attention(h)));  h = LN(h + W3 relu(W0 h + b0) + b3)
 *     nll = adaptive_softmax(h, targets)                              (B*T)
 *
 * Dropout where the published model has it: on the embedding sum, after attention's output projection, inside and after
 * the feed-forward, and on the last hidden state. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention/attend.h"
#include "nn/layers.h"
#include "models/words.h"

typedef struct settings {
    int64_t vocab, context, d_model, depth, num_heads, d_head, d_inner, d_embed, div_val;
    foci_int_list cutoffs;
    double dropout;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, vocab, "0", 0, 1e8, NULL, "words; 0: the vocabulary of the data set"),
    FOCI_KEY(settings, context, "256", 1, 65536, NULL, "tokens of a window, in training and evaluation"),
    FOCI_KEY(settings, d_model, "128", 2, 65536, NULL, "model width C, even"),
    FOCI_KEY(settings, depth, "16", 1, 1000, NULL, "number of layers"),
    FOCI_KEY(settings, num_heads, "8", 1, 1024, NULL, "attention heads"),
    FOCI_KEY(settings, d_head, "0", 0, 4096, NULL, "width of a head; 0: d_model / num_heads"),
    FOCI_KEY(settings, d_inner, "2048", 1, 1e6, NULL, "hidden width of the feed-forward"),
    FOCI_KEY(settings, d_embed, "0", 0, 65536, NULL, "width of the embedding; 0: d_model"),
    FOCI_KEY(settings, cutoffs, "[0]", 0, 1e8, NULL,
             "ends of the shortlist and of the tail clusters but the last; [0]: a tenth and four tenths of the "
             "vocabulary, as far as that leaves each 1,000 words; []: an ordinary softmax"),
    FOCI_KEY(settings, div_val, "1", 1, 64, NULL, "each cluster's embedding is narrower by this factor"),
    FOCI_KEY(settings, dropout, "0", 0, 0.99, NULL,
             "after embedding, attention, inside and after the feed-forward, before the softmax"),
    {0}};

#define LINEAR_INIT FOCI_NORMAL(0, 0.02)
#define PROJECTION_INIT FOCI_NORMAL(0, 0.01)

typedef struct sizes {
    int64_t vocab, tokens, context, width, heads, head_width, inner, embed, div_val;
    int depth, clusters; /* the shortlist is a cluster too */
    int64_t end[FOCI_MAX_CLUSTERS];
    double dropout;
} sizes;

/* What [0] stands for. A softmax over fewer words costs so little that clusters save nothing. */
static int cut_by_shares(int64_t vocab, int64_t *end) {
    enum { LEAST_WORDS = 1000 };
    static const int64_t tenths[] = {1, 4};
    int n = 0;
    for (int i = 0; i < 2; i++) {
        const int64_t cut = vocab * tenths[i] / 10, before = n ? end[n - 1] : 0;
        if (cut - before >= LEAST_WORDS && vocab - cut >= LEAST_WORDS) end[n++] = cut;
    }
    return n;
}

static int cut_as_asked(foci_graph *g, foci_int_list cutoffs, int64_t vocab, int64_t *end) {
    if (cutoffs.count >= FOCI_MAX_CLUSTERS) {
        foci_graph_fail(g, "%d cutoffs, at most %d", cutoffs.count, FOCI_MAX_CLUSTERS - 1);
        return 0;
    }
    for (int i = 0; i < cutoffs.count; i++) {
        end[i] = cutoffs.value[i];
        if (end[i] >= vocab || end[i] <= (i ? end[i - 1] : 0))
            foci_graph_fail(g,
                            "model.cutoffs must rise and stay below the vocabulary of %lld words, as [%lld, %lld] do; "
                            "[0] fits any",
                            (long long)vocab, (long long)(vocab + 9) / 10, (long long)(4 * vocab + 9) / 10);
    }
    return cutoffs.count;
}

static sizes read_sizes(foci_request *r) {
    foci_graph *g = r->graph;
    settings o;
    foci_config_read(r->config, "model", keys, &o);
    sizes s = {
        .vocab = o.vocab,
        .tokens = (int64_t)foci_request_number(r, "tokens", (double)o.context),
        .context = o.context,
        .width = o.d_model,
        .heads = o.num_heads,
        .head_width = o.d_head,
        .inner = o.d_inner,
        .embed = o.d_embed,
        .div_val = o.div_val,
        .depth = (int)o.depth,
        .dropout = o.dropout,
    };
    if (!s.vocab) s.vocab = r->classes;
    if (!s.embed) s.embed = s.width;
    if (!s.vocab) foci_graph_fail(g, "vocab is 0 and no data set tells how many words there are");
    if (s.width % 2) foci_graph_fail(g, "d_model %lld is odd: positions need pairs", (long long)s.width);
    if (!s.head_width) s.head_width = foci_nn_head_width(g, s.width, s.heads, "d_model");
    const bool by_shares = o.cutoffs.count == 1 && !o.cutoffs.value[0];
    const int cutoffs = by_shares ? cut_by_shares(s.vocab, s.end) : cut_as_asked(g, o.cutoffs, s.vocab, s.end);
    s.end[cutoffs] = s.vocab;
    s.clusters = cutoffs + 1;
    return s;
}

static int64_t cluster_width(foci_graph *g, const sizes *s, int cluster) {
    int64_t width = s->embed;
    for (int i = 0; i < cluster; i++) width /= s->div_val;
    if (!width) foci_graph_fail(g, "div_val %lld leaves cluster %d no width", (long long)s->div_val, cluster);
    return width ? width : 1;
}

static foci_tensor *numbered(foci_graph *g, const char *fmt, int i, foci_init init, int64_t rows, int64_t columns) {
    char name[64];
    snprintf(name, sizeof name, fmt, i);
    return foci_parameter(g, name, init, FOCI_SHAPE(rows, columns));
}

/* Embedding and softmax share their weights: one (vocab, d_embed) for all clusters where div_val is 1, else one per
 * cluster, each with a projection to d_model. */
typedef struct tied {
    foci_tensor *weight[FOCI_MAX_CLUSTERS], *projection[FOCI_MAX_CLUSTERS];
    int layers; /* 1 or the number of clusters */
    bool projected;
} tied;

static tied declare_embedding(foci_graph *g, const sizes *s) {
    tied e = {.layers = s->div_val == 1 ? 1 : s->clusters, .projected = s->div_val > 1 || s->embed != s->width};
    foci_scope(g, "word_emb");
    for (int i = 0; i < e.layers; i++) {
        int64_t first = i ? s->end[i - 1] : 0, end = e.layers == 1 ? s->vocab : s->end[i];
        int64_t width = cluster_width(g, s, i);
        e.weight[i] = numbered(g, "emb_layers.%d.weight", i, LINEAR_INIT, end - first, width);
        if (e.projected) e.projection[i] = numbered(g, "emb_projs.%d", i, PROJECTION_INIT, s->width, width);
    }
    foci_end_scope(g);
    return e;
}

static foci_tensor *embed(foci_graph *g, const sizes *s, const tied *e, foci_tensor *ids) {
    foci_tensor *sum = NULL;
    foci_scope(g, "word_emb");
    for (int i = 0; i < e->layers; i++) {
        foci_tensor *x = foci_embedding(g, ids, e->weight[i], i ? s->end[i - 1] : 0, sqrt((double)s->width));
        if (e->projected) x = foci_linear(g, x, e->projection[i], NULL);
        sum = i ? foci_add(g, sum, x) : x;
    }
    foci_end_scope(g);
    return sum;
}

/* (B, T, C) -> (B, 1, C) */
static foci_tensor *last_token(foci_graph *g, foci_tensor *h) {
    return !h || h->shape[1] == 1 ? h : foci_narrow(g, h, h->shape[1] - 1, 1);
}

static foci_tensor *post_norm(foci_graph *g, foci_tensor *h, foci_tensor *y) {
    return foci_nn_layer_norm(g, "layer_norm", foci_add(g, h, y), 1e-5, FOCI_NORMAL(1, 0.02));
}

/* With last_query the last token alone asks, and h (B, T, C) becomes (B, 1, C). */
static foci_tensor *attention(foci_graph *g, foci_attending *a, const sizes *s, foci_tensor *h, bool last_query) {
    const foci_nn_heads heads = {(int)s->heads, s->head_width, false, LINEAR_INIT};
    foci_scope(g, "dec_attn");
    foci_tensor *asking = last_query ? last_token(g, h) : h;
    const foci_nn_projection projections[] = {{"q_net", asking, FOCI_PROJECT_Q},
                                              {"kv_net", h, ~(unsigned)FOCI_PROJECT_Q, .cached = true}};
    foci_tensor *y = foci_attend(a, h, foci_nn_project(g, projections, 2, a->projections, &heads));
    y = foci_dropout(g, foci_nn_linear(g, "o_net", y, s->width, false, LINEAR_INIT), s->dropout);
    foci_observe(g, "out", y);
    h = post_norm(g, asking, y);
    foci_end_scope(g);
    return h;
}

static foci_tensor *feed_forward(foci_graph *g, const sizes *s, foci_tensor *h) {
    foci_scope(g, "pos_ff");
    foci_tensor *y = foci_nn_mlp(g, "CoreNet.0", "CoreNet.3", h, s->inner, FOCI_RELU, s->dropout, LINEAR_INIT);
    h = post_norm(g, h, foci_dropout(g, y, s->dropout));
    foci_end_scope(g);
    return h;
}

/* The output layers take the embedding's weights; of the projections, all but the first are the embedding's too. */
static foci_adaptive_softmax_options criterion(foci_graph *g, const sizes *s, const tied *e, foci_tensor *h,
                                               foci_tensor *targets) {
    foci_adaptive_softmax_options a = {
        .hidden = h, .targets = targets, .tails = s->clusters - 1, .shared = e->layers == 1};
    char name[64];
    memcpy(a.cutoff, s->end, sizeof s->end);
    foci_scope(g, "crit");
    for (int i = 0; i < e->layers; i++) {
        a.weight[i] = e->weight[i];
        snprintf(name, sizeof name, "crit.out_layers.%d.weight", i);
        foci_tie(g, name, a.weight[i]);
        snprintf(name, sizeof name, "out_layers.%d.bias", i);
        a.bias[i] = a.weight[i] ? foci_parameter(g, name, FOCI_ZEROS, FOCI_SHAPE(a.weight[i]->shape[0])) : NULL;
    }
    for (int i = 0; i < s->clusters && e->projected; i++) {
        if (i == 0) {
            a.projection[0] = numbered(g, "out_projs.%d", 0, PROJECTION_INIT, s->width, s->embed);
            continue;
        }
        a.projection[i] = e->projection[e->layers == 1 ? 0 : i];
        snprintf(name, sizeof name, "crit.out_projs.%d", i);
        foci_tie(g, name, a.projection[i]);
    }
    if (a.tails) {
        a.cluster_weight = foci_parameter(g, "cluster_weight", LINEAR_INIT, FOCI_SHAPE(a.tails, s->embed));
        a.cluster_bias = foci_parameter(g, "cluster_bias", FOCI_ZEROS, FOCI_SHAPE(a.tails));
    }
    foci_end_scope(g);
    return a;
}

static void record(foci_request *r) {
    foci_graph *g = r->graph;
    sizes s = read_sizes(r);
    const bool last_only = foci_request_number(r, "last_only", 0) != 0, scored = foci_request_feeds(r, "targets");
    foci_tensor *ids = foci_input(g, "ids", FOCI_INT, FOCI_SHAPE(r->batch, s.tokens)), *targets = NULL;
    if (scored) targets = foci_input(g, "targets", FOCI_INT, FOCI_SHAPE(r->batch, last_only ? 1 : s.tokens));
    if (!foci_graph_ok(g)) return;
    const int64_t past = foci_graph_past(g);
    const int64_t window = (int64_t)foci_request_number(r, "window", (double)(past + s.tokens));
    /* Where one token is scored, the last layer need not ask for the others. */
    bool last_query = last_only && foci_attention_abilities(r->config) & FOCI_LAST_QUERY;

    tied e = declare_embedding(g, &s);
    foci_ignore(g, "pos_emb.inv_freq");
    foci_tensor *h = embed(g, &s, &e, ids);
    h = foci_add_position(g, h, foci_words_sines(g, window - 1 - past, -1, s.tokens, s.width));
    h = foci_dropout(g, h, s.dropout);
    const int64_t longest = s.context > past + s.tokens ? s.context : past + s.tokens;
    foci_attending a = foci_attending_begin(
        g, r->config, &(foci_attend_options){.depth = s.depth, .longest = longest, .causal = true});
    for (int i = 0; i < s.depth; i++) {
        foci_segment(g, "layers.%d", i);
        h = attention(g, &a, &s, h, last_query && i == s.depth - 1);
        h = feed_forward(g, &s, h);
        foci_observe(g, "output", h);
        foci_end_scope(g);
    }
    h = foci_dropout(g, last_only ? last_token(g, h) : h, s.dropout);

    if (!foci_graph_ok(g)) return;
    const foci_adaptive_softmax_options softmax = criterion(g, &s, &e, h, targets);
    foci_words_scored(g, &softmax);
}

const foci_model foci_model_lm = {
    .name = "lm",
    .summary = "post-norm decoder with tied adaptive softmax (WikiText), language modelling",
    .task = "text",
    .keys = keys,
    .head = "word_emb crit",
    .record = record,
};
