#include "attention/attend.h"

#include <math.h>

#include "attention/attention.h"
#include "base/arena.h"
#include "config/config.h"
#include "core/graph.h"

typedef struct attending_options {
    foci_int_list layers;
} attending_options;

const foci_key foci_attending_keys[] = {
    FOCI_KEY(attending_options, layers, "[]", 0, 999, NULL,
             "layers, from 0, that attend so; the others use the dot product over the same projections; []: all"),
    {0}};

static const foci_attention *variant_of(const foci_config *config) {
    return foci_attention_find(foci_config_string(config, "attention.kind"));
}

unsigned foci_attention_abilities(const foci_config *config) {
    const foci_attention *variant = variant_of(config);
    if (!variant || !variant->abilities) return 0;
    foci_arena arena = {0};
    void *options = foci_arena_alloc(&arena, foci_keys_bytes(variant->keys));
    if (options) foci_config_read(config, "attention", variant->keys, options);
    const unsigned abilities = options ? variant->abilities(options) : 0;
    foci_arena_free(&arena);
    return abilities;
}

/* Fills io->options; false after an error. */
static bool read_options(foci_attention_io *io, const foci_attention *variant) {
    void *options = foci_graph_alloc(io->graph, foci_keys_bytes(variant->keys));
    if (options) foci_config_read(io->config, "attention", variant->keys, options);
    io->options = options;
    return options;
}

/* (B, N): 0, or -1e6 where the mask is 0 */
static foci_tensor *bias_of(foci_graph *g, foci_tensor *mask) {
    const double padding = 1e6;
    if (!mask) return NULL;
    const int64_t tokens = foci_numel(mask);
    foci_real *below = foci_graph_alloc(g, (size_t)tokens * sizeof *below);
    for (int64_t i = 0; below && i < tokens; i++) below[i] = (foci_real)-padding;
    foci_tensor *all = below ? foci_constant(g, "padding", FOCI_REAL, mask->ndim, mask->shape, below) : NULL;
    return foci_add(g, foci_scale(g, mask, padding), all);
}

static foci_attention_io first_layer(foci_graph *g, const foci_config *config, const foci_attend_options *options) {
    return (foci_attention_io){.graph = g,
                               .config = config,
                               .depth = options->depth,
                               .longest = options->longest,
                               .shared = foci_graph_alloc(g, sizeof(foci_tensor *)),
                               .seed = (uint64_t)foci_config_int(config, "train.seed"),
                               .causal = options->causal,
                               .forward_only = options->forward_only,
                               .span = options->span,
                               .mask = options->mask,
                               .bias = bias_of(g, options->mask),
                               .dropout = options->dropout};
}

extern const foci_attention foci_attention_softmax;

/* The variant, or the dot product where the variant is for other layers. */
static const foci_attention *variant_at(const foci_attending *a, int layer) {
    bool chosen = !a->layers.count;
    for (int i = 0; i < a->layers.count; i++) chosen |= a->layers.value[i] == layer;
    return chosen ? a->variant : &foci_attention_softmax;
}

/* The dot product has no use for second keys. */
static unsigned projections_at(const foci_attending *a, int layer) {
    return variant_at(a, layer) == a->variant ? a->wanted : a->wanted & ~(unsigned)FOCI_PROJECT_K2;
}

foci_attending foci_attending_with(const foci_attention *variant, foci_graph *g, const foci_config *config,
                                   const foci_attend_options *options) {
    foci_attending a = {.next = first_layer(g, config, options)};
    if (!read_options(&a.next, variant)) return a;
    attending_options chosen;
    foci_config_read(config, "attention", foci_attending_keys, &chosen);
    for (int i = 0; i < chosen.layers.count; i++)
        if (chosen.layers.value[i] >= options->depth)
            foci_graph_fail(g, "%s: attention.layers has layer %lld, of %d from 0",
                            foci_config_place(config, "attention.layers"), (long long)chosen.layers.value[i],
                            options->depth);
    a.variant = variant;
    a.turning = (foci_attention_turning){.theta = options->rope_theta, .eps = options->norm_eps};
    a.layers = chosen.layers;
    a.wanted = FOCI_PROJECT_Q | FOCI_PROJECT_K | FOCI_PROJECT_V;
    if (variant->projections) a.wanted = variant->projections(a.next.options);
    a.projections = projections_at(&a, 0);
    return a;
}

foci_attending foci_attending_begin(foci_graph *g, const foci_config *config, const foci_attend_options *options) {
    const foci_attention *variant = variant_of(config);
    if (variant) return foci_attending_with(variant, g, config, options);
    foci_graph_fail(g, "attention.kind: there is no attention variant %s",
                    foci_config_string(config, "attention.kind"));
    return (foci_attending){.variant = NULL};
}

foci_attending foci_attending_dot_product(foci_graph *g, const foci_config *config, const foci_attend_options *options,
                                          unsigned projections) {
    return (foci_attending){.variant = &foci_attention_softmax,
                            .wanted = projections,
                            .projections = projections,
                            .next = first_layer(g, config, options)};
}

/* (B, H, N, D) of a projection, normalised and turned, the last token at the last of `positions`; angles that are there
 * already serve as many tokens again. */
static foci_tensor *turned(const foci_attention_io *io, foci_tensor *x, foci_tensor *norm, int64_t positions,
                           foci_tensor **angles) {
    foci_attention_turning *t = io->turning;
    foci_graph *g = io->graph;
    const int64_t heads = x->shape[1], tokens = x->shape[2], width = x->shape[3];
    if (t->theta > 0 && !(*angles && (*angles)->shape[0] == tokens))
        *angles = foci_rotary_angles(g, t->first + positions - tokens, tokens, width, t->theta);
    const foci_rotary_options o = {.weight = norm, .eps = t->eps, .angles = t->theta > 0 ? *angles : NULL};
    return foci_heads(g, foci_rotary(g, x, &o), 1, 0, (int)heads);
}

/* q and k, which are projections, become what is compared. */
static void turn(foci_attention_io *io) {
    foci_attention_turning *t = io->turning;
    io->q_projected = io->q, io->k_projected = io->k;
    if (!t || !io->q || !io->k || !(t->theta > 0 || t->q_norm)) {
        io->turning = NULL;
        return;
    }
    const int64_t positions = io->k->shape[2];
    io->q = turned(io, io->q_projected, t->q_norm, positions, &t->q_angles);
    if (t->theta > 0 && t->q_angles && t->q_angles->shape[0] == positions) t->k_angles = t->q_angles;
    io->k = turned(io, io->k_projected, t->k_norm, positions, &t->k_angles);
}

foci_tensor *foci_attention_stretched_query(const foci_attention_io *io, foci_tensor *metric) {
    const foci_attention_turning *t = io->turning;
    const foci_rotary_options o = {.weight = t ? t->q_norm : NULL,
                                   .eps = t ? t->eps : 0,
                                   .metric = metric,
                                   .angles = t && t->theta > 0 ? t->q_angles : NULL};
    foci_tensor *q = foci_rotary(io->graph, io->q_projected, &o);
    return foci_heads(io->graph, q, 1, 0, (int)io->q_projected->shape[1]);
}

/* Keys and values of as many heads as the queries, for variants that know no groups. */
static void ungroup(foci_graph *g, foci_heads_of_layer *now) {
    const int64_t heads = now->q->shape[1] > now->v->shape[1] ? now->q->shape[1] : now->v->shape[1];
    foci_tensor **const part[] = {&now->q, &now->k, &now->k2, &now->v};
    for (int i = 0; i < 4; i++)
        if (*part[i]) *part[i] = foci_repeat_heads(g, *part[i], heads);
}

/* What this layer is to the next. */
static void pass_on(foci_attention_io *io, const foci_heads_of_layer *now) {
    io->q_before = now->q, io->k_before = now->k, io->v_before = now->v;
    if (io->layer++ == 0) io->q_first = now->q, io->k_first = now->k, io->v_first = now->v;
}

static foci_tensor *record(const foci_attention *variant, const foci_attention_io *io) {
    if (io->causal && variant->whole)
        return foci_graph_fail(io->graph, "%s: attention.kind %s has no causal form: it needs the whole sequence",
                               foci_config_place(io->config, "attention.kind"), variant->name);
    if (io->span && !variant->spans)
        return foci_graph_fail(io->graph,
                               "%s: attention.kind %s does not work over a span of tokens with a memory, as softmax "
                               "and elliptical do",
                               foci_config_place(io->config, "attention.kind"), variant->name);
    return variant->forward(io);
}

foci_tensor *foci_attention_dot(const foci_attention_io *io, const foci_sdpa_options *options) {
    const foci_attention_span *span = io->span;
    if (!span) return foci_scaled_dot_product_attention(io->graph, io->q, io->k, io->v, options);
    return foci_span_attention(io->graph, io->q, io->k, io->v,
                               &(foci_span_options){.position = span->position,
                                                    .filled = span->filled,
                                                    .metric = options->metric,
                                                    .plain_position = span->plain_position,
                                                    .scale = options->scale,
                                                    .dropout = options->dropout});
}

foci_tensor *foci_attend(foci_attending *a, foci_tensor *x, foci_heads_of_layer now) {
    if (!a->variant || !now.q || !now.k || !now.v) return NULL;
    if (!a->variant->groups) ungroup(a->next.graph, &now);
    if (!now.q || !now.k || !now.v) return NULL;
    foci_attention_io io = a->next;
    a->turning.q_norm = now.q_norm, a->turning.k_norm = now.k_norm;
    io.turning = &a->turning;
    io.x = x, io.q = now.q, io.k = now.k, io.k2 = now.k2, io.v = now.v;
    io.scale = 1 / sqrt((double)now.q->shape[3]);
    turn(&io);
    if (foci_graph_observes(io.graph)) foci_observe(io.graph, "keys", foci_contiguous(io.graph, io.k));
    pass_on(&a->next, &now);
    a->projections = projections_at(a, a->next.layer);
    foci_tensor *heads = record(variant_at(a, io.layer), &io);
    foci_observe(io.graph, "heads", heads);
    return heads;
}

foci_tensor *foci_attend_once(foci_attention_io *io) {
    const foci_attention *variant = variant_of(io->config);
    if (!io->bias) io->bias = bias_of(io->graph, io->mask);
    turn(io);
    return variant && read_options(io, variant) ? record(variant, io) : NULL;
}
