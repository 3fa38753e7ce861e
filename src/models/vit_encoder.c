#include "models/vit_encoder.h"

#include <math.h>

#include "nn/layers.h"

#define ROW(name, ...) FOCI_KEY(foci_vit_options, name, __VA_ARGS__)
const foci_key foci_vit_keys[] = {
    ROW(img_size, "224", 1, 4096, NULL, "height and width of the input in pixels; one number for a square"),
    ROW(patch_size, "16", 1, 1024, NULL, "side of a patch in pixels"),
    ROW(in_chans, "3", 1, 16, NULL, "channels of the input"),
    ROW(embed_dim, "192", 1, 65536, NULL, "model width C (192 tiny, 384 small, 768 base)"),
    ROW(depth, "12", 1, 1000, NULL, "number of blocks"),
    ROW(num_heads, "3", 1, 1024, NULL, "attention heads (3 tiny, 6 small, 12 base)"),
    ROW(mlp_ratio, "4", 0.01, 64, NULL, "hidden width of the MLP as a multiple of C"),
    ROW(qkv_bias, "true", 0, 0, NULL, "biases in the projection to q, k, v"),
    ROW(drop_path, "0", 0, 0.99, NULL, "stochastic depth of the last block, rising linearly from 0 at the first"),
    ROW(dropout, "0", 0, 0.99, NULL,
        "on the sum with the positions, on attention maps, after attention, inside and after "
        "the MLP"),
    {0}};
#undef ROW

static const double eps = 1e-6;

static foci_tensor *attention(foci_graph *g, foci_attending *a, const foci_vit_blocks *b, foci_tensor *x) {
    if (!x) return NULL;
    const int64_t width = foci_last_dim(x);
    foci_scope(g, "attn");
    foci_heads_of_layer now = foci_nn_project(g, &(foci_nn_projection){"qkv", x, ~0u}, 1, a->projections, &b->heads);
    x = foci_dropout(g, foci_nn_linear(g, "proj", foci_attend(a, x, now), width, true, FOCI_VIT_INIT), b->dropout);
    foci_observe(g, "out", x);
    foci_end_scope(g);
    return x;
}

static foci_tensor *mlp(foci_graph *g, const foci_vit_blocks *b, foci_tensor *x) {
    foci_scope(g, "mlp");
    x = foci_nn_mlp(g, "fc1", "fc2", x, b->hidden, FOCI_GELU, b->dropout, FOCI_VIT_INIT);
    x = foci_dropout(g, x, b->dropout);
    foci_end_scope(g);
    return x;
}

foci_tensor *foci_vit_record_blocks(foci_graph *g, foci_attending *a, const foci_vit_blocks *b, foci_tensor *x) {
    for (int i = 0; i < b->depth; i++) {
        const double drop = b->depth > 1 ? b->drop_path * i / (b->depth - 1) : 0;
        foci_segment(g, "blocks.%d", i);
        foci_tensor *y = attention(g, a, b, foci_nn_layer_norm(g, "norm1", x, b->eps, FOCI_ONES));
        x = foci_add(g, x, foci_drop_path(g, y, drop));
        y = mlp(g, b, foci_nn_layer_norm(g, "norm2", x, b->eps, FOCI_ONES));
        x = foci_add(g, x, foci_drop_path(g, y, drop));
        foci_observe(g, "output", x);
        foci_end_scope(g);
    }
    return x;
}

/* (B, I, H, W) -> (B, P, C); the convolution keeps PyTorch's default initialisation. */
static foci_tensor *patch_embed(foci_graph *g, foci_tensor *images, int64_t patch, int64_t width) {
    if (!images) return NULL;
    int64_t channels = images->shape[1];
    double bound = 1 / sqrt((double)(channels * patch * patch));
    foci_scope(g, "patch_embed.proj");
    foci_tensor *w = foci_parameter(g, "weight", FOCI_UNIFORM(bound), FOCI_SHAPE(width, channels, patch, patch));
    foci_tensor *b = foci_parameter(g, "bias", FOCI_UNIFORM(bound), FOCI_SHAPE(width));
    foci_tensor *x = foci_patch_embed(g, images, w, b);
    foci_end_scope(g);
    return x;
}

static foci_tensor *with_token(foci_graph *g, const char *name, foci_tensor *x, int64_t width) {
    foci_tensor *token = foci_parameter(g, name, FOCI_NORMAL(0, 0.02), FOCI_SHAPE(1, 1, width));
    foci_no_decay(token);
    return foci_class_token(g, token, x);
}

foci_tensor *foci_vit_encode(foci_graph *g, const foci_config *config, const foci_vit_options *o, foci_tensor *images,
                             foci_vit_tokens tokens) {
    const int64_t width = o->embed_dim;
    const foci_vit_blocks blocks = {.depth = (int)o->depth,
                                    .heads = {(int)o->num_heads,
                                              foci_nn_head_width(g, width, o->num_heads, "embed_dim"), o->qkv_bias,
                                              FOCI_VIT_INIT},
                                    .hidden = (int64_t)((double)width * o->mlp_ratio),
                                    .eps = eps,
                                    .drop_path = o->drop_path,
                                    .dropout = o->dropout};
    foci_tensor *x = patch_embed(g, images, o->patch_size, width);
    if (tokens.distilled) x = with_token(g, "dist_token", x, width);
    x = with_token(g, "cls_token", x, width);
    const int64_t count = x ? x->shape[1] : 1;
    foci_tensor *position = foci_parameter(g, "pos_embed", FOCI_NORMAL(0, 0.02), FOCI_SHAPE(1, count, width));
    foci_no_decay(position);
    foci_resize_as_grid(position, tokens.distilled ? 2 : 1, images ? images->shape[3] / o->patch_size : 1,
                        tokens.positions);
    x = foci_dropout(g, foci_add_position(g, x, position), o->dropout);
    foci_attending a = foci_attending_begin(
        g, config, &(foci_attend_options){.depth = blocks.depth, .longest = count, .dropout = o->dropout});
    return foci_vit_record_blocks(g, &a, &blocks, x);
}

foci_tensor *foci_vit_norm(foci_graph *g, foci_tensor *x) { return foci_nn_layer_norm(g, "norm", x, eps, FOCI_ONES); }
