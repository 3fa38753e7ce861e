/* Decoder of today: pre-norm, subword tokens, in GPT-2's form (Radford et al., 2019), Llama's (Touvron et al., 2023),
 * or between the two; docs/mathematics.md 8.
 *
 *     h = wte[token] + position                                               (B, T, C)
 *     per layer:  h = h + attention(norm1(h));  h = h + mlp(norm2(h))
 *     nll = cross entropy of norm(h) headt, of the targets                     (B*T)
 *
 * Heads of keys and values may be fewer than those of queries, which share them. Parameters have the names that Hugging
 * Face gives those of GPT-2, whose matrices are (in, out) in files, or of Llama. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "attention/attend.h"
#include "core/graph.h"
#include "models/words.h"

#define NORMS(X) X(LAYER, "layer") X(RMS, "rms")
#define POSITIONS(X) X(LEARNED, "learned") X(ROTARY, "rotary") X(SINUSOIDAL, "sinusoidal") X(NO_POSITION, "none")
#define MLPS(X) X(GELU_TANH, "gelu_tanh") X(GELU, "gelu") X(RELU, "relu") X(SWIGLU, "swiglu")
#define NAMES(X) X(NAMES_BY_NORM, "by_norm") X(NAMES_GPT2, "gpt2") X(NAMES_LLAMA, "llama")
#define AXES(X) X(FOCI_AXES_TOLD_BY_SHAPE, "by_shape") X(FOCI_AXES_IN_OUT, "in_out") X(FOCI_AXES_OUT_IN, "out_in")

typedef struct settings {
    int64_t vocab, context, d_model, depth, num_heads, num_kv_heads, d_head, d_inner;
    enum { NORMS(FOCI_CHOICE_NUMBER) } norm;
    double norm_eps;
    enum { POSITIONS(FOCI_CHOICE_NUMBER) } position;
    double rope_theta;
    enum { MLPS(FOCI_CHOICE_NUMBER) } mlp;
    bool bias, qk_norm, tie, init_scaled, padded_vocab;
    double dropout;
    enum { NAMES(FOCI_CHOICE_NUMBER) } names;
    foci_axes axes;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, vocab, "0", 0, 1e8, NULL, "tokens that there are, V; 0: the vocabulary of the data set"),
    FOCI_KEY(settings, context, "1024", 1, 1048576, NULL, "tokens of a window, in training and evaluation"),
    FOCI_KEY(settings, d_model, "768", 1, 65536, NULL, "model width C"),
    FOCI_KEY(settings, depth, "12", 1, 1000, NULL, "number of layers"),
    FOCI_KEY(settings, num_heads, "12", 1, 1024, NULL, "heads of queries, H"),
    FOCI_KEY(settings, num_kv_heads, "0", 0, 1024, NULL,
             "heads of keys and values, which divide num_heads: neighbours share one; 0: as many"),
    FOCI_KEY(settings, d_head, "0", 0, 4096, NULL,
             "width of a head, even with rotary positions; 0: d_model / num_heads"),
    FOCI_KEY(settings, d_inner, "0", 0, 1e6, NULL,
             "hidden width of the MLP; 0: 4 d_model, with swiglu 8/3 d_model up to a multiple of 256"),
    FOCI_KEY(settings, norm, "layer", 0, 0, NORMS(FOCI_CHOICE_WORD),
             "before attention, MLP and head: LayerNorm; or rows over the root of their mean square"),
    FOCI_KEY(settings, norm_eps, "1e-5", 1e-12, 1, NULL, "added to the variance or the mean square"),
    FOCI_KEY(settings, position, "learned", 0, 0, POSITIONS(FOCI_CHOICE_WORD),
             "a table; queries and keys turned by their distance; sines added to sqrt(C) times the embedding; none"),
    FOCI_KEY(settings, rope_theta, "10000", 1e-6, 1e12, NULL, "rotary: angles are t theta^(-2d/D)"),
    FOCI_KEY(settings, mlp, "gelu_tanh", 0, 0, MLPS(FOCI_CHOICE_WORD),
             "activation: GPT-2's GELU, the exact one, relu; silu(gate) times the other branch"),
    FOCI_KEY(settings, bias, "true", 0, 0, NULL, "biases in linear layers and LayerNorms"),
    FOCI_KEY(settings, qk_norm, "false", 0, 0, NULL,
             "rows of queries and keys over the root of their mean square, with a weight, before they are turned"),
    FOCI_KEY(settings, tie, "true", 0, 0, NULL, "the head is the embedding"),
    FOCI_KEY(settings, init_scaled, "true", 0, 0, NULL,
             "matrices that write to the residual stream begin smaller by sqrt(2 depth), as GPT-2's"),
    FOCI_KEY(settings, dropout, "0", 0, 0.99, NULL,
             "on the embedding sum, on attention maps, after attention and after the MLP"),
    FOCI_KEY(settings, names, "by_norm", 0, 0, NAMES(FOCI_CHOICE_WORD),
             "of parameters in files: those of GPT-2 with norm layer, of Llama with norm rms; or the one or the other"),
    FOCI_KEY(settings, axes, "by_shape", 0, 0, AXES(FOCI_CHOICE_WORD),
             "of GPT-2's matrices in files of others: as c_attn.weight tells; Hugging Face's; nanoGPT's"),
    FOCI_KEY(settings, padded_vocab, "false", 0, 0, NULL,
             "files may have more rows of tokens than there are (nanoGPT's 50,304 of 50,257): those beyond are left"),
    {0}};

/* Under which names the parameters stand in files. */
typedef struct names {
    const char *body, *token, *positions, *layer, *norm1, *attention, *norm2, *last_norm;
    const char *q, *k, *k2, *v; /* all the same: they are one matrix, (in, out) in files */
    const char *out, *gate, *up, *down;
    bool transposed;
} names;
static const names of_gpt2 = {"transformer", "wte",    "wpe",    "h.%d",   "ln_1",   "attn", "ln_2",   "ln_f", "c_attn",
                              "c_attn",      "c_attn", "c_attn", "c_proj", "c_gate", "c_fc", "c_proj", true};
static const names of_llama = {"model",
                               "embed_tokens",
                               "embed_positions",
                               "layers.%d",
                               "input_layernorm",
                               "self_attn",
                               "post_attention_layernorm",
                               "norm",
                               "q_proj",
                               "k_proj",
                               "k2_proj",
                               "v_proj",
                               "o_proj",
                               "gate_proj",
                               "up_proj",
                               "down_proj",
                               false};

typedef struct gpt {
    foci_graph *g;
    settings o;
    const names *names;
    int64_t vocab, tokens, past; /* T of this graph, behind `past` others */
    bool last_only;
} gpt;

/* ------------------------------------------------------------------------------------------------- sizes */

static int64_t inner_width(const settings *o) {
    return o->mlp == SWIGLU ? (8 * o->d_model / 3 + 255) / 256 * 256 : 4 * o->d_model;
}

static void fill_in(gpt *m, const foci_request *r) {
    settings *o = &m->o;
    m->vocab = o->vocab ? o->vocab : r->classes;
    if (!m->vocab) foci_graph_fail(m->g, "vocab is 0 and no data set tells how many tokens there are");
    if (!o->num_kv_heads) o->num_kv_heads = o->num_heads;
    if (o->num_heads % o->num_kv_heads)
        foci_graph_fail(m->g, "num_kv_heads %lld does not divide num_heads %lld", (long long)o->num_kv_heads,
                        (long long)o->num_heads);
    if (!o->d_head) o->d_head = foci_nn_head_width(m->g, o->d_model, o->num_heads, "d_model");
    if (o->position == ROTARY && o->d_head % 2)
        foci_graph_fail(m->g, "d_head %lld is odd: rotary positions need pairs", (long long)o->d_head);
    if (o->position == SINUSOIDAL && o->d_model % 2)
        foci_graph_fail(m->g, "d_model %lld is odd: sinusoidal positions need pairs", (long long)o->d_model);
    if (o->position == LEARNED && m->past + m->tokens > o->context)
        foci_graph_fail(m->g, "a window of %lld tokens, the table of positions has %lld",
                        (long long)(m->past + m->tokens), (long long)o->context);
    if (!o->d_inner) o->d_inner = inner_width(o);
}

static gpt begin(foci_request *r) {
    gpt m = {.g = r->graph, .past = foci_graph_past(r->graph)};
    foci_config_read(r->config, "model", keys, &m.o);
    m.tokens = (int64_t)foci_request_number(r, "tokens", (double)m.o.context);
    m.last_only = foci_request_number(r, "last_only", 0) != 0;
    foci_request_number(r, "window", 0); /* positions count from the start of a window, wherever it ends */
    const bool llama = m.o.names == NAMES_BY_NORM ? m.o.norm == RMS : m.o.names == NAMES_LLAMA;
    m.names = llama ? &of_llama : &of_gpt2;
    if (foci_graph_ok(m.g)) fill_in(&m, r);
    return m;
}

/* -------------------------------------------------------------------------------------------- parameters */

#define SPREAD 0.02
static foci_init usual(void) { return FOCI_NORMAL(0, SPREAD); }
static foci_init residual(const gpt *m) {
    return FOCI_NORMAL(0, m->o.init_scaled ? SPREAD / sqrt(2.0 * (double)m->o.depth) : SPREAD);
}

typedef struct affine {
    foci_tensor *weight, *bias; /* (out, in), (out) or NULL */
} affine;

static affine declare(const gpt *m, const char *name, int64_t in, int64_t out, foci_init init) {
    foci_scope(m->g, "%s", name);
    affine a = {foci_parameter(m->g, "weight", init, FOCI_SHAPE(out, in)),
                m->o.bias ? foci_parameter(m->g, "bias", FOCI_ZEROS, FOCI_SHAPE(out)) : NULL};
    if (m->names->transposed) foci_stored_transposed(a.weight, m->o.axes);
    foci_end_scope(m->g);
    return a;
}

/* Rows of it. */
static affine rows_of(affine a, int64_t first, int64_t rows) {
    if (!a.weight) return a;
    const int64_t in = a.weight->shape[1];
    return (affine){foci_view(a.weight, first * in, 2, (int64_t[]){rows, in}, (int64_t[]){in, 1}),
                    foci_view(a.bias, first, 1, &rows, (int64_t[]){1})};
}

static foci_tensor *linear(const gpt *m, foci_tensor *x, affine a) { return foci_linear(m->g, x, a.weight, a.bias); }

static foci_tensor *weight(const gpt *m, const char *name, foci_init init, int64_t rows, int64_t columns) {
    foci_scope(m->g, "%s", name);
    foci_tensor *w = foci_parameter(m->g, "weight", init, columns ? 2 : 1, (int64_t[]){rows, columns});
    foci_end_scope(m->g);
    return w;
}

/* --------------------------------------------------------------------------------------- names of others */

static const char *layered(const gpt *m, const char *fmt, int layer, const char *what) {
    char prefix[64], *full = foci_graph_alloc(m->g, 160);
    if (!full) return "";
    snprintf(prefix, sizeof prefix, fmt, layer);
    snprintf(full, 160, "%s.%s", prefix, what);
    return full;
}

/* Tables and masks that Hugging Face's files may hold. */
static void ignore_buffers(const gpt *m) {
    static const char *const gpt2[] = {"attn.bias", "attn.masked_bias", NULL}, *const llama[] = {
                                                                                   "self_attn.rotary_emb.inv_freq",
                                                                                   NULL};
    foci_adopt(m->g, m->names->body);
    for (const char *const *b = m->names->transposed ? gpt2 : llama; *b; b++)
        for (int i = 0; i < m->o.depth; i++)
            foci_ignore(m->g, layered(m, m->names->transposed ? "transformer.h.%d" : "model.layers.%d", i, *b));
    if (m->names->transposed) return;
    foci_ignore(m->g, "model.rotary_emb.inv_freq");
    foci_ignore(m->g, "rope.freqs");
}

/* Meta's names of Llama's parameters; their rotary pairs are neighbours. */
static void tie_meta(const gpt *m, int layer, const char *name, const affine *a, int64_t rotary_heads) {
    if (m->names->transposed || !a->weight) return;
    char what[80];
    snprintf(what, sizeof what, "%s.weight", name);
    foci_tie_interleaved(m->g, layered(m, "layers.%d", layer, what), a->weight, rotary_heads);
    snprintf(what, sizeof what, "%s.bias", name);
    if (a->bias) foci_tie_interleaved(m->g, layered(m, "layers.%d", layer, what), a->bias, rotary_heads);
}

/* `meta`: Meta's name of it. */
static foci_tensor *norm(const gpt *m, const char *name, const char *meta, foci_tensor *x) {
    foci_tensor *w = weight(m, name, FOCI_ONES, m->o.d_model, 0), *bias = NULL;
    if (w && !m->names->transposed) foci_tie(m->g, meta, w);
    if (m->o.norm == RMS) return foci_rms_norm(m->g, x, w, m->o.norm_eps, 1);
    foci_scope(m->g, "%s", name);
    if (m->o.bias) bias = foci_parameter(m->g, "bias", FOCI_ZEROS, FOCI_SHAPE(m->o.d_model));
    foci_end_scope(m->g);
    return foci_layer_norm(m->g, x, w, bias, m->o.norm_eps);
}

/* ----------------------------------------------------------------------------------------------- attention */

/* (B, T, C) -> (B, 1, C) */
static foci_tensor *last_token(const gpt *m, foci_tensor *h) {
    return !h || h->shape[1] == 1 ? h : foci_narrow(m->g, h, h->shape[1] - 1, 1);
}

/* Parts of a projection, in the order of their bits. */
enum { PARTS = 4 };
typedef struct part {
    const char *name, *meta;
    int64_t heads; /* 0: not wanted */
    foci_tensor **to;
} part;

/* One matrix for all. Where the last token alone asks, its rows are taken apart: keys and values are kept. */
static void project_together(const gpt *m, const part *parts, foci_tensor *asking, foci_tensor *h) {
    const int64_t width = m->o.d_head, q = parts[0].heads * width;
    int64_t heads = 0, first = 0;
    for (int i = 0; i < PARTS; i++) heads += parts[i].heads;
    const affine all = declare(m, m->names->q, m->o.d_model, heads * width, usual());
    const bool apart = m->last_only && q > 0;
    foci_tensor *y =
        apart ? foci_cached(m->g, m->names->q, linear(m, h, rows_of(all, q, heads * width - q))) : linear(m, h, all);
    if (apart) *parts[0].to = foci_heads_from(m->g, linear(m, asking, rows_of(all, 0, q)), 0, parts[0].heads, width);
    for (int i = apart; i < PARTS; first += parts[i++].heads * width)
        if (parts[i].heads) *parts[i].to = foci_heads_from(m->g, y, first, parts[i].heads, width);
}

static void project_apart(const gpt *m, const part *parts, foci_tensor *asking, foci_tensor *h, int layer) {
    const int64_t width = m->o.d_head;
    for (int i = 0; i < PARTS; i++) {
        const part *p = &parts[i];
        if (!p->heads) continue;
        const affine a = declare(m, p->name, m->o.d_model, p->heads * width, usual());
        if (p->meta) tie_meta(m, layer, p->meta, &a, p->to == parts[PARTS - 1].to ? 0 : p->heads);
        foci_tensor *y = linear(m, i ? h : asking, a);
        *p->to = foci_heads_from(m->g, i ? foci_cached(m->g, p->name, y) : y, 0, p->heads, width);
    }
}

/* Where queries are keys, there are as many heads of keys. */
static foci_heads_of_layer project(const gpt *m, unsigned wanted, foci_tensor *asking, foci_tensor *h, int layer) {
    const names *n = m->names;
    const int64_t heads = m->o.num_heads, key_heads = wanted & FOCI_PROJECT_Q ? m->o.num_kv_heads : heads;
    foci_heads_of_layer now = {NULL};
    const part parts[PARTS] = {{n->q, "attention.wq", wanted & FOCI_PROJECT_Q ? heads : 0, &now.q},
                               {n->k, "attention.wk", wanted & FOCI_PROJECT_K ? key_heads : 0, &now.k},
                               {n->k2, NULL, wanted & FOCI_PROJECT_K2 ? key_heads : 0, &now.k2},
                               {n->v, "attention.wv", m->o.num_kv_heads, &now.v}};
    if (n->transposed) project_together(m, parts, asking, h);
    else project_apart(m, parts, asking, h, layer);
    if (!now.q) now.q = now.k;
    if (!now.k) now.k = now.q;
    if (!m->o.qk_norm) return now;
    now.q_norm = weight(m, "q_norm", FOCI_ONES, m->o.d_head, 0);
    now.k_norm = weight(m, "k_norm", FOCI_ONES, m->o.d_head, 0);
    return now;
}

/* x + attention(norm(x)); with last_query the last token alone asks, and x (B, T, C) becomes (B, 1, C). */
static foci_tensor *attend(const gpt *m, foci_attending *a, foci_tensor *x, bool last_query, int layer) {
    foci_tensor *h = norm(m, m->names->norm1, layered(m, "layers.%d", layer, "attention_norm.weight"), x);
    foci_scope(m->g, "%s", m->names->attention);
    foci_heads_of_layer now = project(m, a->projections, last_query ? last_token(m, h) : h, h, layer);
    foci_tensor *y = foci_attend(a, h, now);
    const affine out =
        declare(m, m->names->out, y ? foci_last_dim(y) : m->o.num_heads * m->o.d_head, m->o.d_model, residual(m));
    tie_meta(m, layer, "attention.wo", &out, 0);
    y = foci_dropout(m->g, linear(m, y, out), m->o.dropout);
    foci_observe(m->g, "out", y);
    foci_end_scope(m->g);
    return foci_add(m->g, last_query ? last_token(m, x) : x, y);
}

/* ----------------------------------------------------------------------------------------------- the rest */

static foci_tensor *mlp(const gpt *m, foci_tensor *x, int layer) {
    static const foci_activation activation[] = {
        [GELU_TANH] = FOCI_GELU_TANH, [GELU] = FOCI_GELU, [RELU] = FOCI_RELU, [SWIGLU] = FOCI_SWIGLU};
    foci_tensor *h = norm(m, m->names->norm2, layered(m, "layers.%d", layer, "ffn_norm.weight"), x), *y;
    foci_scope(m->g, "mlp");
    const affine up = declare(m, m->names->up, m->o.d_model, m->o.d_inner, usual()),
                 down = declare(m, m->names->down, m->o.d_inner, m->o.d_model, residual(m));
    tie_meta(m, layer, "feed_forward.w3", &up, 0);
    tie_meta(m, layer, "feed_forward.w2", &down, 0);
    if (m->o.mlp == SWIGLU) {
        const affine gate = declare(m, m->names->gate, m->o.d_model, m->o.d_inner, usual());
        tie_meta(m, layer, "feed_forward.w1", &gate, 0);
        y = foci_gated_mlp(m->g, h, gate.weight, gate.bias, up.weight, up.bias, down.weight, down.bias, 0);
    } else {
        y = foci_mlp(m->g, h, up.weight, up.bias, down.weight, down.bias, activation[m->o.mlp], 0);
    }
    y = foci_dropout(m->g, y, m->o.dropout);
    foci_end_scope(m->g);
    return foci_add(m->g, x, y);
}

/* (V, C) */
static foci_tensor *rows_of_tokens(const gpt *m, const char *name) {
    foci_tensor *w = weight(m, name, usual(), m->vocab, m->o.d_model);
    if (m->o.padded_vocab) foci_stored_longer(w);
    return w;
}

static foci_tensor *embed(const gpt *m, foci_tensor *ids, foci_tensor *words) {
    const int64_t width = m->o.d_model;
    foci_tensor *h = foci_embedding(m->g, ids, words, 0, m->o.position == SINUSOIDAL ? sqrt((double)width) : 1);
    if (m->o.position == SINUSOIDAL)
        h = foci_add_position(m->g, h, foci_words_sines(m->g, m->past, 1, m->tokens, width));
    if (m->o.position == LEARNED) {
        const affine table = {weight(m, m->names->positions, usual(), m->o.context, width), NULL};
        h = foci_add_position(m->g, h, rows_of(table, m->past, m->tokens).weight);
    }
    return foci_dropout(m->g, h, m->o.dropout);
}

/* (V, C): the embedding, or a matrix of its own */
static foci_tensor *head(const gpt *m, foci_tensor *words) {
    foci_tensor *w = m->o.tie ? words : rows_of_tokens(m, "lm_head");
    if (!w) return NULL;
    if (m->o.tie) foci_tie(m->g, "lm_head.weight", w);
    if (m->names->transposed) return w;
    foci_tie(m->g, "tok_embeddings.weight", words);
    foci_tie(m->g, "output.weight", w);
    return w;
}

static foci_tensor *blocks(const gpt *m, const foci_config *config, foci_tensor *h) {
    const int depth = (int)m->o.depth;
    const bool last_query = m->last_only && foci_attention_abilities(config) & FOCI_LAST_QUERY;
    const int64_t all = m->past + m->tokens;
    foci_attending a =
        foci_attending_begin(m->g, config,
                             &(foci_attend_options){.depth = depth,
                                                    .longest = m->o.context > all ? m->o.context : all,
                                                    .causal = true,
                                                    .forward_only = true,
                                                    .dropout = m->o.dropout,
                                                    .rope_theta = m->o.position == ROTARY ? m->o.rope_theta : 0,
                                                    .norm_eps = m->o.norm_eps});
    for (int i = 0; i < depth && foci_graph_ok(m->g); i++) {
        foci_segment(m->g, m->names->layer, i);
        h = mlp(m, attend(m, &a, h, last_query && i == depth - 1, i), i);
        foci_observe(m->g, "output", h);
        foci_end_scope(m->g);
    }
    return h;
}

static void record(foci_request *r) {
    gpt m = begin(r);
    foci_graph *g = m.g;
    foci_tensor *ids = foci_input(g, "ids", FOCI_INT, FOCI_SHAPE(r->batch, m.tokens)), *targets = NULL;
    if (foci_request_feeds(r, "targets"))
        targets = foci_input(g, "targets", FOCI_INT, FOCI_SHAPE(r->batch, m.last_only ? 1 : m.tokens));
    if (!foci_graph_ok(g)) return;
    ignore_buffers(&m);
    foci_scope(g, "%s", m.names->body);
    foci_tensor *words = rows_of_tokens(&m, m.names->token);
    foci_tensor *h = blocks(&m, r->config, embed(&m, ids, words));
    h = norm(&m, m.names->last_norm, "norm.weight", m.last_only ? last_token(&m, h) : h);
    foci_end_scope(g);
    foci_tensor *logits = head(&m, words);
    if (!foci_graph_ok(g)) return;
    if (foci_graph_observes(g)) foci_observe(g, "logits", foci_linear(g, h, logits, NULL));
    foci_words_scored(
        g, &(foci_adaptive_softmax_options){.hidden = h, .targets = targets, .cutoff = {m.vocab}, .weight = {logits}});
}

const foci_model foci_model_gpt = {
    .name = "gpt",
    .summary = "pre-norm decoder of GPT-2's or Llama's form, language modelling on subwords",
    .task = "text",
    .keys = keys,
    .record = record,
};
