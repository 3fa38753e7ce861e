/* One attention layer from a config, for the tests of variants: inputs (B, H, N, D) of noise, those that the
 * variant projects to, output (B, N, H*D). */
#ifndef FOCI_TESTS_ATTENTION_LAYER_H
#define FOCI_TESTS_ATTENTION_LAYER_H

#include <math.h>

#include "attention/attend.h"
#include "attention/attention.h"
#include "base/philox.h"
#include "check.h"
#include "config/config.h"
#include "core/graph.h"

typedef struct layer_sizes {
    int64_t batch, heads, tokens, width;
} layer_sizes;

enum { LAYER_INPUTS = 4 };
static const char *const layer_inputs[LAYER_INPUTS] = {"q", "k", "k2", "v"}; /* as the bits of FOCI_PROJECT_* */

typedef struct layer {
    foci_config *config;
    foci_parameters parameters;
    foci_graph *graph;
    foci_tensor *in[LAYER_INPUTS], *out; /* NULL: the variant does without */
    foci_real *data[LAYER_INPUTS];
    int64_t numel;
    void *memory;
} layer;

static inline const foci_schema *layer_schema(void) {
    static foci_section section[64];
    static foci_schema s = {section, 0};
    static char names[1024];
    static const foci_key kind[] = {{"kind", FOCI_KEY_CHOICE, "softmax", 0, 0, names, "variant"}, {0}};
    static const foci_key train[] = {{"seed", FOCI_KEY_INT, "0", 0, 1e9, NULL, "seed"}, {0}};
    if (s.count) return &s;
    section[s.count++] = (foci_section){"train", NULL, train};
    section[s.count++] = (foci_section){"attention", NULL, kind};
    for (int i = 0; foci_attentions[i]; i++) {
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s ", foci_attentions[i]->name);
        section[s.count++] = (foci_section){"attention", foci_attentions[i]->name, foci_attentions[i]->keys};
    }
    return &s;
}

/* "{kind: NAME}", or with the keys that make it exact. */
static inline void layer_kind(char attention[128], const foci_attention *variant, bool exactly) {
    const bool more = exactly && variant->exactly;
    snprintf(attention, 128, "{kind: %s%s%s}", variant->name, more ? ", " : "", more ? variant->exactly : "");
}

static inline void layer_input(layer *l, int t, layer_sizes s, double noise) {
    l->in[t] = foci_input(l->graph, layer_inputs[t], FOCI_REAL, FOCI_SHAPE(s.batch, s.heads, s.tokens, s.width));
    l->data[t] = malloc((size_t)l->numel * sizeof *l->data[t]);
    assert_non_null(l->data[t]);
    for (int64_t i = 0; i < l->numel; i++) {
        foci_u32x4 u = foci_philox(2, (uint64_t)t, 0, (uint64_t)i);
        l->data[t][i] = (foci_real)(noise * foci_normal(u.v[0], u.v[1]));
    }
}

/* Records layer 0 with noise of this size in all inputs; nothing is bound yet. */
static inline foci_status layer_open(layer *l, const char *attention, layer_sizes s, bool causal, bool observe,
                                     double noise) {
    *l = (layer){.numel = s.batch * s.heads * s.tokens * s.width};
    char text[512];
    snprintf(text, sizeof text, "attention: %s\n", attention);
    FOCI_TRY(foci_config_parse(&l->config, layer_schema(), "test.yaml", text, strlen(text), NULL, 0));
    foci_parameters_init(&l->parameters);
    l->graph = foci_graph_new(
        &l->parameters,
        &(foci_graph_options){
            .train = true, .differentiate = true, .observe = observe, .seed = 5, .gradients = "q k k2 v"});
    const unsigned wanted =
        foci_attending_begin(l->graph, l->config, &(foci_attend_options){.depth = 4, .longest = s.tokens}).projections;
    for (int t = 0; t < LAYER_INPUTS; t++)
        if (wanted >> t & 1) layer_input(l, t, s, noise);
    foci_tensor *const q = l->in[0], *const k = l->in[1];
    foci_attention_io io = {.graph = l->graph,
                            .config = l->config,
                            .q = q ? q : k,
                            .k = k ? k : q,
                            .k2 = l->in[2],
                            .v = l->in[3],
                            .depth = 4,
                            .longest = s.tokens,
                            .causal = causal,
                            .scale = 1 / sqrt((double)s.width),
                            .seed = (uint64_t)foci_config_int(l->config, "train.seed")};
    foci_scope(l->graph, "attn");
    l->out = foci_attend_once(&io);
    foci_end_scope(l->graph);
    return foci_graph_plan(l->graph, l->out);
}

static inline void layer_bind(layer *l) {
    assert_ok(foci_parameters_allocate(&l->parameters, true));
    foci_parameters_initialise(&l->parameters, 1);
    l->memory = aligned_alloc(64, foci_graph_bytes(l->graph) + 64);
    assert_non_null(l->memory);
    memset(l->memory, 0xff, foci_graph_bytes(l->graph));
    foci_graph_bind(l->graph, l->memory);
    for (int t = 0; t < LAYER_INPUTS; t++)
        if (l->in[t]) foci_graph_feed(l->graph, l->in[t], l->data[t]);
}

static inline void layer_close(layer *l) {
    foci_graph_free(l->graph);
    foci_parameters_free(&l->parameters);
    foci_config_free(l->config);
    for (int t = 0; t < LAYER_INPUTS; t++) free(l->data[t]);
    free(l->memory);
}

#endif
