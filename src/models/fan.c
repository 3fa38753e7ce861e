/* Fully attentional network (Zhou et al., "Understanding the Robustness in Vision Transformers", 2022); parameter names
 * and defaults as published. Tokens are patches, row by row, and so are the pictures of its convolutions.
 *
 *     x = patches(image) + W [waves of row; waves of column]      (B, P, C); convolutions, batch normalisation, GELU
 *     per block:
 *         x = x + gamma1 * proj(attention(norm1(x)))
 *         y = norm2(x);  u = fc1(y);  v = norm_v(fc2(gamma * conv2(bn(gelu(conv1(u)))) + u))     depthwise convolutions
 *         x = x + gamma2 * channel attention(q = W_q y, k = y, v)
 *     x = [cls_token; x];  per class block:
 *         y = norm1(x);  x = norm2(x + gamma1 * [class attention(y); y_1..P])
 *         x = x + [gamma2 * fc2(gelu(fc1(x_0))); x_1..P]
 *     logits = head(norm(x)[:, 0])                                (B, K) */
#include <math.h>

#include "attention/attend.h"
#include "core/graph.h"
#include "models/classify.h"
#include "nn/layers.h"

typedef struct options {
    foci_int_list img_size;
    int64_t patch_size, in_chans, num_classes, embed_dim, depth, num_heads, cls_attn_layers;
    double mlp_ratio, drop_path;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, img_size, "224", 1, 4096, NULL,
             "height and width of the input in pixels; one number for a square"),
    FOCI_KEY(options, patch_size, "16", 4, 16, NULL, "side of a patch in pixels: 16, 8 or 4"),
    FOCI_KEY(options, in_chans, "3", 1, 16, NULL, "channels of the input"),
    FOCI_KEY(options, num_classes, "0", 0, 1e6, NULL, "width of the classifier; 0: the classes of the data set"),
    FOCI_KEY(options, embed_dim, "192", 1, 65536, NULL, "model width C (192 tiny, 384 small, 448 base)"),
    FOCI_KEY(options, depth, "12", 1, 1000, NULL, "number of blocks (12 tiny and small, 18 base)"),
    FOCI_KEY(options, num_heads, "4", 1, 1024, NULL, "heads of tokens and of channels (4 tiny, 8 small and base)"),
    FOCI_KEY(options, mlp_ratio, "4", 0.01, 64, NULL, "hidden width of the MLPs as a multiple of C"),
    FOCI_KEY(options, cls_attn_layers, "2", 1, 100, NULL,
             "class blocks, in which the class token attends to the others"),
    FOCI_KEY(options, drop_path, "0", 0, 0.99, NULL,
             "stochastic depth, the same in every block but class blocks (published: tiny 0, base 0.35)"),
    {0}};

static const double eps = 1e-6;
#define LINEAR_INIT FOCI_NORMAL(0, 0.02)

static foci_tensor *norm(foci_graph *g, const char *name, foci_tensor *x) {
    return foci_nn_layer_norm(g, name, x, eps, FOCI_ONES);
}

/* NAME (C), from 1: x (B, N, C) -> same */
static foci_tensor *scaled(foci_graph *g, const char *name, foci_tensor *x) {
    if (!x) return NULL;
    foci_tensor *gamma = foci_parameter(g, name, FOCI_ONES, FOCI_SHAPE(foci_last_dim(x)));
    return foci_gate(g, foci_heads(g, x, 1, 0, 1), gamma);
}

/* ------------------------------------------------------------------------------------- patches and positions */

/* "NUMBER.0" a convolution with PyTorch's initial values, "NUMBER.1" batch normalisation: half as high and wide */
static foci_tensor *halve(foci_graph *g, int number, foci_tensor *x, int64_t out) {
    if (!x) return NULL;
    const int64_t in = x->shape[3];
    foci_scope(g, "%d", number);
    foci_scope(g, "0");
    foci_tensor *w = foci_parameter(g, "weight", FOCI_UNIFORM(1 / sqrt((double)(9 * in))), FOCI_SHAPE(out, in, 3, 3));
    x = foci_conv2d(g, x, w, 2, 1);
    foci_end_scope(g);
    x = foci_nn_batch_norm(g, "1", x);
    foci_end_scope(g);
    return x;
}

/* By what C is divided in each of the convolutions, ended by 0. */
static const int *widths_of(foci_graph *g, int64_t patch) {
    static const int sixteen[] = {8, 4, 2, 1, 0}, eight[] = {4, 2, 1, 0}, four[] = {4, 1, 0};
    if (patch == 16) return sixteen;
    if (patch == 8) return eight;
    if (patch == 4) return four;
    return foci_graph_fail(g, "patch_size %lld is none of 16, 8 and 4", (long long)patch);
}

/* (B, I, H, W) -> (B, H / patch, W / patch, C); sides that the patch does not divide are rounded up, as published. */
static foci_tensor *patches(foci_graph *g, foci_tensor *images, int64_t patch, int64_t width) {
    const int *divisor = widths_of(g, patch);
    foci_tensor *x = divisor ? foci_channels_last(g, images) : NULL;
    if (divisor && width % *divisor)
        foci_graph_fail(g, "embed_dim %lld is not divisible by %d, as patch_size %lld asks for", (long long)width,
                        *divisor, (long long)patch);
    foci_scope(g, "patch_embed.proj");
    for (int i = 0; divisor && divisor[i]; i++) {
        if (i) x = foci_gelu(g, x);
        x = halve(g, 2 * i, x, width / divisor[i]);
    }
    foci_end_scope(g);
    return x;
}

enum { WAVES = 32 }; /* numbers for a row, and as many for a column */

/* Place `at` of 1 .. n: sines and cosines of an angle of its share of the circle over falling frequencies. */
static void wave(int64_t at, int64_t n, foci_real *to) {
    const double angle = (double)at / ((double)n + 1e-6) * 2 * 3.14159265358979323846;
    for (int i = 0; i < WAVES; i++) {
        const double turned = angle / pow(10000, 2.0 * (i / 2) / WAVES);
        to[i] = (foci_real)(i % 2 ? cos(turned) : sin(turned));
    }
}

/* (rows * columns, 2 WAVES), for the grid at hand */
static foci_tensor *waves_of(foci_graph *g, int64_t rows, int64_t columns) {
    foci_real *table = foci_graph_alloc(g, (size_t)(rows * columns * 2 * WAVES) * sizeof *table);
    for (int64_t i = 0; table && i < rows * columns; i++) {
        wave(1 + i / columns, rows, table + i * 2 * WAVES);
        wave(1 + i % columns, columns, table + i * 2 * WAVES + WAVES);
    }
    return table ? foci_constant(g, "waves", FOCI_REAL, FOCI_SHAPE(rows * columns, 2 * WAVES), table) : NULL;
}

/* A 1 x 1 convolution of the waves. x (B, rows, columns, C) -> (B, P, C) */
static foci_tensor *with_positions(foci_graph *g, foci_tensor *x) {
    if (!x) return NULL;
    const int64_t batch = x->shape[0], rows = x->shape[1], columns = x->shape[2], width = x->shape[3];
    foci_scope(g, "pos_embed.token_projection");
    const foci_init init = FOCI_UNIFORM(1 / sqrt(2.0 * WAVES));
    foci_tensor *w = foci_parameter(g, "weight", init, FOCI_SHAPE(width, 2 * WAVES, 1, 1));
    foci_tensor *b = foci_parameter(g, "bias", init, FOCI_SHAPE(width));
    w = foci_reshape(g, w, FOCI_SHAPE(width, 2 * WAVES));
    foci_tensor *position = foci_linear(g, waves_of(g, rows, columns), w, b);
    x = foci_add_position(g, foci_reshape(g, x, FOCI_SHAPE(batch, rows * columns, width)), position);
    foci_end_scope(g);
    return x;
}

/* ----------------------------------------------------------------------------------------------------- blocks */

static foci_tensor *attention(foci_graph *g, foci_attending *a, foci_tensor *x, const foci_nn_heads *heads) {
    if (!x) return NULL;
    foci_scope(g, "attn");
    const foci_nn_projection projection[] = {{"q", x, FOCI_PROJECT_Q}, {"kv", x, ~(unsigned)FOCI_PROJECT_Q}};
    foci_heads_of_layer now = foci_nn_project(g, projection, 2, a->projections, heads);
    x = foci_nn_linear(g, "proj", foci_attend(a, x, now), foci_last_dim(x), true, LINEAR_INIT);
    foci_observe(g, "out", x);
    foci_end_scope(g);
    return x;
}

static foci_tensor *depthwise(foci_graph *g, const char *name, foci_tensor *x, int64_t rows) {
    if (!x) return NULL;
    const int64_t c = foci_last_dim(x);
    foci_scope(g, "%s", name);
    foci_tensor *w = foci_parameter(g, "weight", FOCI_NORMAL(0, sqrt(2.0 / 9)), FOCI_SHAPE(c, 1, 3, 3));
    foci_tensor *b = foci_parameter(g, "bias", FOCI_ZEROS, FOCI_SHAPE(c));
    x = foci_depthwise_conv2d(g, x, rows, w, b);
    foci_end_scope(g);
    return x;
}

static foci_tensor *convolutions(foci_graph *g, foci_tensor *x, int64_t rows) {
    foci_scope(g, "dwconv");
    x = foci_nn_batch_norm(g, "bn", foci_gelu(g, depthwise(g, "conv1", x, rows)));
    x = depthwise(g, "conv2", x, rows);
    foci_end_scope(g);
    return x;
}

/* What the channels that are gated come from. */
static foci_tensor *values(foci_graph *g, foci_tensor *x, int64_t rows, int64_t hidden) {
    const int64_t width = foci_last_dim(x);
    foci_scope(g, "mlp_v");
    x = foci_nn_linear(g, "fc1", x, hidden, true, LINEAR_INIT);
    x = foci_add(g, scaled(g, "gamma", convolutions(g, x, rows)), x);
    x = foci_nn_linear(g, "fc2", x, width, true, LINEAR_INIT);
    foci_end_scope(g);
    return x;
}

static foci_tensor *channels(foci_graph *g, foci_tensor *x, int64_t rows, int64_t hidden, int heads) {
    if (!x) return NULL;
    foci_scope(g, "mlp");
    foci_tensor *v = foci_nn_layer_norm(g, "norm_v", values(g, x, rows, hidden), 1e-5, FOCI_ONES);
    foci_tensor *q = foci_nn_linear(g, "q", x, foci_last_dim(x), true, LINEAR_INIT);
    x = foci_nn_channel_attention(g, foci_heads(g, q, 1, 0, heads), foci_heads(g, x, 1, 0, heads),
                                  foci_heads(g, v, 1, 0, heads));
    foci_end_scope(g);
    return x;
}

/* ----------------------------------------------------------------------------------------------- class blocks */

/* The class token, number 0 of x (B, N, C), attends to all: (B, 1, C). */
static foci_tensor *class_attention(foci_graph *g, foci_tensor *x, foci_tensor *token, int heads) {
    const int64_t width = foci_last_dim(x);
    foci_scope(g, "attn");
    foci_tensor *q = foci_heads(g, foci_nn_linear(g, "q", token, width, true, LINEAR_INIT), 1, 0, heads);
    foci_tensor *k = foci_heads(g, foci_nn_linear(g, "k", x, width, true, LINEAR_INIT), 1, 0, heads);
    foci_tensor *v = foci_heads(g, foci_nn_linear(g, "v", x, width, true, LINEAR_INIT), 1, 0, heads);
    const foci_sdpa_options o = {.scale = 1 / sqrt((double)(width / heads))};
    x = foci_scaled_dot_product_attention(g, q, k, v, &o);
    x = foci_nn_linear(g, "proj", x, width, true, LINEAR_INIT);
    foci_end_scope(g);
    return x;
}

static foci_tensor *class_block(foci_graph *g, foci_tensor *x, int64_t hidden, int heads) {
    if (!x) return NULL;
    const int64_t patches = x->shape[1] - 1;
    foci_tensor *y = norm(g, "norm1", x), *token = foci_narrow(g, y, 0, 1);
    if (!token) return NULL;
    y = foci_cat(g, class_attention(g, y, token, heads), foci_narrow(g, y, 1, patches));
    x = norm(g, "norm2", foci_add(g, x, scaled(g, "gamma1", y)));
    foci_scope(g, "mlp");
    y = foci_nn_mlp(g, "fc1", "fc2", foci_narrow(g, x, 0, 1), hidden, FOCI_GELU, 0, LINEAR_INIT);
    foci_end_scope(g);
    return foci_add(g, x, foci_cat(g, scaled(g, "gamma2", y), foci_narrow(g, x, 1, patches)));
}

/* -------------------------------------------------------------------------------------------------- the model */

static foci_tensor *blocks(foci_graph *g, const foci_config *c, const options *o, foci_tensor *x) {
    if (!x) return NULL;
    const int64_t rows = x->shape[1], hidden = (int64_t)((double)o->embed_dim * o->mlp_ratio);
    const foci_nn_heads heads = {(int)o->num_heads, foci_nn_head_width(g, o->embed_dim, o->num_heads, "embed_dim"),
                                 true, LINEAR_INIT};
    const foci_attend_options attending = {.depth = (int)o->depth, .longest = rows * x->shape[2]};
    foci_attending a = foci_attending_begin(g, c, &attending);
    x = with_positions(g, x);
    for (int i = 0; i < o->depth; i++) {
        foci_segment(g, "blocks.%d", i);
        foci_tensor *y = scaled(g, "gamma1", attention(g, &a, norm(g, "norm1", x), &heads));
        x = foci_add(g, x, foci_drop_path(g, y, o->drop_path));
        y = scaled(g, "gamma2", channels(g, norm(g, "norm2", x), rows, hidden, heads.heads));
        x = foci_add(g, x, foci_drop_path(g, y, o->drop_path));
        foci_observe(g, "output", x);
        foci_end_scope(g);
    }
    return x;
}

static foci_tensor *class_blocks(foci_graph *g, const options *o, foci_tensor *x) {
    const int64_t hidden = (int64_t)((double)o->embed_dim * o->mlp_ratio);
    foci_tensor *token = foci_parameter(g, "cls_token", FOCI_NORMAL(0, 0.02), FOCI_SHAPE(1, 1, o->embed_dim));
    foci_no_decay(token);
    x = foci_class_token(g, token, x);
    for (int i = 0; i < o->cls_attn_layers; i++) {
        foci_segment(g, "cls_attn_blocks.%d", i);
        x = class_block(g, x, hidden, (int)o->num_heads);
        foci_end_scope(g);
    }
    return x;
}

static void record(foci_request *r) {
    foci_graph *g = r->graph;
    options o;
    foci_config_read(r->config, "model", keys, &o);
    const int64_t classes = foci_classes_of(r, o.num_classes);
    foci_tensor *x = patches(g, foci_images_of(r, o.in_chans, &o.img_size), o.patch_size, o.embed_dim);
    x = class_blocks(g, &o, blocks(g, r->config, &o, x));
    x = norm(g, "norm", foci_select(g, x, 0));
    foci_classified(r, foci_nn_linear(g, "head", x, classes, true, LINEAR_INIT));
}

const foci_model foci_model_fan = {
    .name = "fan",
    .summary = "fully attentional network (FAN): attention of tokens and of channels, image classification",
    .task = "images",
    .keys = keys,
    .head = "head",
    .record = record,
};
