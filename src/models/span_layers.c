#include "models/span_layers.h"

#include <math.h>
#include <stdio.h>

#include "attention/attend.h"
#include "attention/attention.h"
#include "config/config.h"
#include "core/graph.h"

const foci_key foci_span_keys[] = {
    FOCI_KEY(
        foci_span_settings, architecture, "rgegeg", 0, 0, NULL,
        "sublayers, in order: s or r (dot-product attention) or e (attention.kind) begins a layer, then g (experts) "
        "and f (feed-forward) where there are any; the first layer is no e"),
    FOCI_KEY(foci_span_settings, span, "512", 1, 65536, NULL,
             "every token sees so many tokens before it, across windows: also the rows of the memory"),
    FOCI_KEY(foci_span_settings, d_model, "128", 1, 65536, NULL, "model width C"),
    FOCI_KEY(foci_span_settings, num_heads, "8", 1, 1024, NULL, "attention heads"),
    FOCI_KEY(foci_span_settings, d_inner, "128", 1, 1e6, NULL, "hidden width of an expert, and of the feed-forward"),
    FOCI_KEY(foci_span_settings, experts, "16", 0, 4096, NULL, "experts of a layer"),
    FOCI_KEY(foci_span_settings, top_k, "2", 0, 64, NULL, "experts that a token uses"),
    FOCI_KEY(foci_span_settings, gate, "topk", 0, 0, FOCI_GATES(FOCI_CHOICE_WORD),
             "weights of a token's experts: a softmax over those chosen, or their part of that over all (Switch)"),
    FOCI_KEY(foci_span_settings, capacity, "0", 0, 1000, NULL,
             "an expert takes at most this factor of an even share of a pass's tokens, the others go without; 0: all"),
    FOCI_KEY(
        foci_span_settings, empty, "mask", 0, 0, FOCI_SPAN_EMPTIES(FOCI_CHOICE_WORD),
        "rows of the memory before the beginning of a text: not seen, or zeros that are attended to (as published)"),
    FOCI_KEY(foci_span_settings, position_metric, "true", 0, 0, NULL,
             "the metric of elliptical attention weighs the position term too"),
    FOCI_KEY(foci_span_settings, expert_init, "fan_in", 0, 0, FOCI_EXPERT_INITS(FOCI_CHOICE_WORD),
             "half width of experts' first weights: 1/sqrt(inputs), or 1/sqrt(inputs outputs) as published"),
    FOCI_KEY(foci_span_settings, dropout, "0", 0, 0.99, NULL,
             "on attention's probabilities, behind the relus, on what the experts give"),
    {0}};

/* -------------------------------------------------------------------------------------------- architecture */

static bool wrong(foci_request *r, const char *text, const char *at, const char *what) {
    foci_graph_fail(r->graph, "%s: model.architecture %.80s: letter %d, %c, %s",
                    foci_config_place(r->config, "model.architecture"), text, (int)(at - text) + 1, *at, what);
    return false;
}

static bool read_letter(foci_request *r, foci_span_layers *m, const char *text, const char *at) {
    foci_span_layer *now = m->depth ? &m->layer[m->depth - 1] : NULL;
    switch (*at) {
    case 's':
    case 'r':
    case 'e':
        if (m->depth == FOCI_SPAN_MOST_LAYERS) return wrong(r, text, at, "begins one layer too many");
        if (*at == 'e' && !now) return wrong(r, text, at, "has no layer before it, whose values it needs");
        m->layer[m->depth++] = (foci_span_layer){.elliptical = *at == 'e'};
        return true;
    case 'g':
        if (!now) return wrong(r, text, at, "stands before any attention");
        if (now->experts || now->dense) return wrong(r, text, at, "must follow an attention letter");
        return now->experts = true;
    case 'f':
        if (!now) return wrong(r, text, at, "stands before any attention");
        if (now->dense) return wrong(r, text, at, "is the second of its layer");
        return now->dense = true;
    default: return wrong(r, text, at, "is none of s, r, e, g and f");
    }
}

static void read_architecture(foci_request *r, foci_span_layers *m) {
    const char *text = m->o.architecture;
    for (const char *at = text; *at && read_letter(r, m, text, at);) at++;
    if (!*text)
        foci_graph_fail(r->graph, "%s: model.architecture is empty",
                        foci_config_place(r->config, "model.architecture"));
}

static bool mixes(const foci_span_layers *m) {
    bool any = false;
    for (int i = 0; i < m->depth; i++) any |= m->layer[i].experts;
    return any;
}

foci_span_layers *foci_span_layers_read(foci_request *r, bool carries) {
    foci_graph *g = r->graph;
    foci_span_layers *m = foci_graph_alloc(g, sizeof *m);
    if (!m) return NULL;
    foci_config_read(r->config, "model", foci_span_keys, &m->o);
    m->carries = carries;
    m->balance = foci_request_number(r, "balance", foci_config_real(r->config, "train.balance"));
    read_architecture(r, m);
    if (mixes(m) && (m->o.top_k < 1 || m->o.top_k > m->o.experts))
        foci_graph_fail(g, "%s: model.top_k %lld of %lld experts", foci_config_place(r->config, "model.top_k"),
                        (long long)m->o.top_k, (long long)m->o.experts);
    return foci_graph_ok(g) ? m : NULL;
}

/* ------------------------------------------------------------------------------------------------- layers */

/* PyTorch's first values of a linear layer, weight (out, in). */
static foci_init uniform(int64_t in) { return FOCI_UNIFORM(1 / sqrt((double)in)); }

foci_tensor *foci_span_biased(foci_graph *g, const char *name, int64_t out, int64_t in, foci_tensor **bias) {
    foci_scope(g, "%s", name);
    foci_tensor *weight = foci_parameter(g, "weight", uniform(in), FOCI_SHAPE(out, in));
    *bias = foci_parameter(g, "bias", uniform(in), FOCI_SHAPE(out));
    foci_end_scope(g);
    return weight;
}

static foci_tensor *normed_sum(foci_graph *g, const char *name, foci_tensor *h, foci_tensor *y) {
    return foci_nn_layer_norm(g, name, foci_add(g, h, y), 1e-5, FOCI_ONES);
}

/* (B, L + T, C) of what is projected: behind the rows of the memory's, which are zeros where that is always empty. */
static foci_tensor *project(foci_graph *g, const foci_span_layers *m, const char *name, foci_tensor *x) {
    foci_tensor *y = foci_nn_linear(g, name, x, m->o.d_model, false, uniform(m->o.d_model));
    return m->carries ? y : foci_zeros_before(g, y, m->o.span);
}

static foci_tensor *attention(foci_graph *g, foci_attending *a, const foci_span_layers *m, foci_tensor *h) {
    const int64_t width = m->o.d_model;
    const int heads = (int)m->o.num_heads;
    foci_tensor *x = m->carries ? foci_carried(g, "memory", h, m->o.span) : h;
    foci_scope(g, "attn");
    foci_heads_of_layer now = {.q = foci_nn_linear(g, "proj_query", h, width, false, uniform(width)),
                               .k = project(g, m, "proj_key", x),
                               .v = project(g, m, "proj_val", x)};
    if (!foci_graph_ok(g)) return NULL;
    now.q = foci_heads(g, now.q, 1, 0, heads);
    now.k = foci_heads(g, now.k, 1, 0, heads);
    now.v = foci_heads(g, now.v, 1, 0, heads);
    foci_tensor *y = foci_nn_linear(g, "proj_out", foci_attend(a, h, now), width, false, uniform(width));
    foci_observe(g, "out", y);
    foci_end_scope(g);
    return normed_sum(g, "norm1", h, y);
}

static foci_tensor *experts(foci_graph *g, const foci_span_layers *m, foci_tensor *h) {
    const foci_nn_experts_options o = {.experts = m->o.experts,
                                       .top_k = m->o.top_k,
                                       .hidden = m->o.d_inner,
                                       .gate = m->o.gate,
                                       .capacity = m->o.capacity,
                                       .dropout = m->o.dropout,
                                       .small = m->o.expert_init == FOCI_INIT_SMALL,
                                       .balanced = m->balance > 0};
    foci_scope(g, "smoe");
    const foci_nn_mixture mix = foci_nn_experts(g, h, &o);
    if (m->balance > 0) foci_penalty(g, foci_scale(g, mix.balance, m->balance));
    foci_tensor *y = normed_sum(g, "layer_norm", h, foci_dropout(g, mix.y, m->o.dropout));
    foci_end_scope(g);
    return normed_sum(g, "norm2", h, y);
}

static foci_tensor *feed_forward(foci_graph *g, const foci_span_layers *m, foci_tensor *h) {
    foci_tensor *b1, *b2;
    foci_scope(g, "ff");
    foci_tensor *w1 = foci_span_biased(g, "fc1", m->o.d_inner, m->o.d_model, &b1);
    foci_tensor *w2 = foci_span_biased(g, "fc2", m->o.d_model, m->o.d_inner, &b2);
    foci_tensor *y = foci_mlp(g, h, w1, b1, w2, b2, FOCI_RELU, m->o.dropout);
    foci_end_scope(g);
    return normed_sum(g, "norm3", h, y);
}

/* Published files have all norms in every layer, used or not. */
static void ignore_unused(foci_graph *g, int i, const foci_span_layer *l) {
    static const char *const kind[] = {"weight", "bias"};
    char name[64];
    for (int k = 0; k < 2; k++)
        for (int norm = 2; norm <= 3; norm++) {
            snprintf(name, sizeof name, "layers.%d.norm%d.%s", i, norm, kind[k]);
            if (!(norm == 2 ? l->experts : l->dense)) foci_ignore(g, name);
        }
}

/* ------------------------------------------------------------------------------------------------- all of them */

/* The layers that attend as attention.kind says are those of the architecture. */
static foci_attending begin(foci_request *r, const foci_span_layers *m, int64_t tokens,
                            const foci_attention_span *span) {
    foci_graph *g = r->graph;
    const foci_attend_options options = {
        .depth = m->depth, .longest = tokens, .causal = true, .dropout = m->o.dropout, .span = span};
    int64_t *chosen = foci_graph_alloc(g, FOCI_SPAN_MOST_LAYERS * sizeof *chosen);
    int count = 0;
    for (int i = 0; i < m->depth && chosen; i++)
        if (m->layer[i].elliptical) chosen[count++] = i;
    foci_attending a = count ? foci_attending_begin(g, r->config, &options)
                             : foci_attending_with(foci_attention_find("softmax"), g, r->config, &options);
    if (a.layers.count)
        foci_graph_fail(g, "%s: attention.layers: model.architecture says which layers attend so",
                        foci_config_place(r->config, "attention.layers"));
    a.layers = (foci_int_list){count, chosen};
    return a;
}

/* How many rows of the memory are there; NULL: all are taken to be. */
static foci_tensor *filled(foci_graph *g, const foci_span_layers *m) {
    static const int32_t none[] = {0};
    if (m->o.empty != FOCI_EMPTY_MASK) return NULL;
    return m->carries ? foci_carried_filled(g) : foci_constant(g, "filled", FOCI_INT, FOCI_SHAPE(1), none);
}

foci_tensor *foci_span_layers_record(foci_request *r, const foci_span_layers *m, foci_tensor *ids, int64_t words) {
    foci_graph *g = r->graph;
    const int64_t width = foci_graph_ok(g) ? foci_nn_head_width(g, m->o.d_model, m->o.num_heads, "d_model") : 0;
    if (!foci_graph_ok(g)) return NULL;
    foci_tensor *embedding = foci_parameter(g, "in_emb.weight", FOCI_NORMAL(0, 1), FOCI_SHAPE(words, m->o.d_model));
    foci_tensor *h = foci_embedding(g, ids, embedding, 0, 1);
    const foci_attention_span span = {
        .length = m->o.span,
        .position = foci_parameter(g, "key_pe", FOCI_NORMAL(0, 1), FOCI_SHAPE(1, width, m->o.span)),
        .filled = filled(g, m),
        .plain_position = !m->o.position_metric};
    foci_attending a = begin(r, m, ids->shape[1], &span);
    for (int i = 0; i < m->depth && foci_graph_ok(g); i++) {
        ignore_unused(g, i, &m->layer[i]);
        foci_segment(g, "layers.%d", i);
        h = attention(g, &a, m, h);
        if (m->layer[i].experts) h = experts(g, m, h);
        if (m->layer[i].dense) h = feed_forward(g, m, h);
        foci_observe(g, "output", h);
        foci_end_scope(g);
    }
    return foci_graph_ok(g) ? h : NULL;
}
