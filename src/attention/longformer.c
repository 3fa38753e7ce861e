/* Longformer (Beltagy et al., 2020): token i sees those within `window` of it, and the first `globals`, which see all:
 * softmax(q kt / sqrt(D)) v over these. Each key counts once, and what is not seen is left out; the published code
 * counts a global token twice where it lies in the window, and takes 10,000 off the scores of padding. */
#include "attention/refuse.h"
#include "nn/layers.h"

typedef struct settings {
    int64_t window, globals;
    bool global_projection;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, window, "256", 0, 1e9, NULL, "tokens on either side that a token sees"),
    FOCI_KEY(settings, globals, "1", 0, 1e9, NULL,
             "first tokens, which see all and are seen by all; the class token in a vision transformer"),
    FOCI_KEY(settings, global_projection, "false", 0, 0, NULL,
             "the first tokens attend with projections of their own, begun like those of the model (in the published "
             "model as copies of the others)"),
    {0}};

/* (B, H, N, D) */
static foci_tensor *projected(const foci_attention_io *io, const char *name, foci_tensor *x) {
    const int heads = (int)io->q->shape[1];
    const double spread = 0.02; /* of the models' linear layers */
    foci_tensor *y = foci_nn_linear(io->graph, name, x, heads * io->q->shape[3], true, FOCI_NORMAL(0, spread));
    return foci_heads(io->graph, y, 1, 0, heads);
}

static void project_globals(const foci_attention_io *io, foci_window_options *o) {
    const int64_t tokens = io->x->shape[1];
    o->query_global =
        projected(io, "query_global", foci_narrow(io->graph, io->x, 0, o->globals < tokens ? o->globals : tokens));
    o->key_global = projected(io, "key_global", io->x);
    o->value_global = projected(io, "value_global", io->x);
}

static foci_tensor *forward(const foci_attention_io *io) {
    const settings *o = io->options;
    foci_graph *g = io->graph;
    foci_window_options options = {
        .scale = io->scale, .window = o->window, .globals = o->globals, .causal = io->causal, .mask = io->mask};
    if (foci_attention_refuses(io, FOCI_REFUSES_DROPOUT)) return NULL;
    if (o->global_projection && o->globals) project_globals(io, &options);
    if (!foci_graph_ok(g)) return NULL;
    if (foci_graph_observes(g)) foci_observe(g, "prob", foci_window_attention_map(g, io->q, io->k, &options));
    return foci_window_attention(g, io->q, io->k, io->v, &options);
}

/* The global tokens' own keys are projected from all tokens, which a query that comes alone has not. */
static unsigned abilities(const void *options) {
    const settings *o = options;
    return o->global_projection && o->globals ? 0 : FOCI_LAST_QUERY | FOCI_INCREMENTAL;
}

const foci_attention foci_attention_longformer = {
    .name = "longformer",
    .summary = "dot-product attention within a window and with global tokens (2020)",
    .cost = "N (2 window + 1 + globals) D",
    .extra = "query_global key_global value_global",
    .linear = true,
    .keys = keys,
    .forward = forward,
    .abilities = abilities};
