/* Vision transformer: DeiT / ViT with a class token; parameter names and defaults of timm.
 *
 *     x = [cls_token; patches(image)] + pos_embed                     (B, 1+P, C)
 *     per block:  x = x + proj(attention(norm1(x)));  x = x + fc2(gelu(fc1(norm2(x))))
 *     logits = head(norm(x)[:, 0])                                    (B, K)
 *
 * distilled: x = [cls_token; dist_token; patches(image)] + pos_embed, logits = the mean of head(norm(x)[:, 0]) and
 * head_dist(norm(x)[:, 1]), of which the first learns from the labels and the second from a teacher (DeiT). */
#include <math.h>

#include "attention/attend.h"
#include "models/classify.h"
#include "nn/layers.h"

typedef struct options {
    foci_int_list img_size;
    int64_t patch_size, in_chans, num_classes, embed_dim, depth, num_heads;
    double mlp_ratio, drop_path;
    bool qkv_bias, pos_antialias, distilled;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, img_size, "224", 1, 4096, NULL,
             "height and width of the input in pixels; one number for a square"),
    FOCI_KEY(options, patch_size, "16", 1, 1024, NULL, "side of a patch in pixels"),
    FOCI_KEY(options, in_chans, "3", 1, 16, NULL, "channels of the input"),
    FOCI_KEY(options, num_classes, "0", 0, 1e6, NULL, "width of the classifier; 0: the classes of the data set"),
    FOCI_KEY(options, embed_dim, "192", 1, 65536, NULL, "model width C (192 tiny, 384 small, 768 base)"),
    FOCI_KEY(options, depth, "12", 1, 1000, NULL, "number of blocks"),
    FOCI_KEY(options, num_heads, "3", 1, 1024, NULL, "attention heads (3 tiny, 6 small, 12 base)"),
    FOCI_KEY(options, mlp_ratio, "4", 0.01, 64, NULL, "hidden width of the MLP as a multiple of C"),
    FOCI_KEY(options, qkv_bias, "true", 0, 0, NULL, "biases in the projection to q, k, v"),
    FOCI_KEY(options, drop_path, "0", 0, 0.99, NULL,
             "stochastic depth of the last block, rising linearly from 0 at the first"),
    FOCI_KEY(options, distilled, "false", 0, 0, NULL,
             "a second token and head (dist_token, head_dist), which learn from train.teacher; the logits are the mean "
             "of both heads'"),
    FOCI_KEY(options, pos_antialias, "true", 0, 0, NULL,
             "a table of positions that weights have for another grid is resized antialiased, as timm does; false: by "
             "four neighbours, as timm did before 0.9"),
    {0}};

static const double eps = 1e-6;
#define LINEAR_INIT FOCI_NORMAL(0, 0.02)

static foci_tensor *norm(foci_graph *g, const char *name, foci_tensor *x) {
    return foci_nn_layer_norm(g, name, x, eps, FOCI_ONES);
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

static foci_tensor *attention(foci_graph *g, foci_attending *a, foci_tensor *x, const foci_nn_heads *heads) {
    if (!x) return NULL;
    int64_t width = foci_last_dim(x);
    foci_scope(g, "attn");
    foci_heads_of_layer now = foci_nn_project(g, &(foci_nn_projection){"qkv", x, ~0u}, 1, a->projections, heads);
    x = foci_nn_linear(g, "proj", foci_attend(a, x, now), width, true, LINEAR_INIT);
    foci_observe(g, "out", x);
    foci_end_scope(g);
    return x;
}

static foci_tensor *mlp(foci_graph *g, foci_tensor *x, double ratio) {
    if (!x) return NULL;
    int64_t width = foci_last_dim(x);
    foci_scope(g, "mlp");
    x = foci_nn_mlp(g, "fc1", "fc2", x, (int64_t)((double)width * ratio), FOCI_GELU, 0, LINEAR_INIT);
    foci_end_scope(g);
    return x;
}

static foci_tensor *with_token(foci_graph *g, const char *name, foci_tensor *x, int64_t width) {
    foci_tensor *token = foci_parameter(g, name, FOCI_NORMAL(0, 0.02), FOCI_SHAPE(1, 1, width));
    foci_no_decay(token);
    return foci_class_token(g, token, x);
}

/* two (B, 2, C): the class token and the teacher's, each with a head of its own */
static void distilled(foci_request *r, foci_tensor *two, int64_t classes) {
    foci_graph *g = r->graph;
    foci_classified_by_two(r, foci_nn_linear(g, "head", foci_select(g, two, 0), classes, true, LINEAR_INIT),
                           foci_nn_linear(g, "head_dist", foci_select(g, two, 1), classes, true, LINEAR_INIT));
}

static void record(foci_request *r) {
    foci_graph *g = r->graph;
    const foci_config *c = r->config;
    options o;
    foci_config_read(c, "model", keys, &o);
    const int64_t width = o.embed_dim, classes = foci_classes_of(r, o.num_classes);
    int depth = (int)o.depth;
    const foci_nn_heads heads = {(int)o.num_heads, foci_nn_head_width(g, width, o.num_heads, "embed_dim"), o.qkv_bias,
                                 LINEAR_INIT};
    foci_tensor *x = patch_embed(g, foci_images_of(r, o.in_chans, &o.img_size), o.patch_size, width);
    if (o.distilled) x = with_token(g, "dist_token", x, width);
    x = with_token(g, "cls_token", x, width);
    int64_t tokens = x ? x->shape[1] : 1;
    foci_tensor *position = foci_parameter(g, "pos_embed", FOCI_NORMAL(0, 0.02), FOCI_SHAPE(1, tokens, width));
    foci_no_decay(position);
    foci_resize_as_grid(position, o.distilled ? 2 : 1, o.pos_antialias);
    x = foci_add_position(g, x, position);

    foci_attending a = foci_attending_begin(g, c, &(foci_attend_options){.depth = depth, .longest = tokens});
    for (int i = 0; i < depth; i++) {
        double drop = depth > 1 ? o.drop_path * i / (depth - 1) : 0;
        foci_segment(g, "blocks.%d", i);
        foci_tensor *y = attention(g, &a, norm(g, "norm1", x), &heads);
        x = foci_add(g, x, foci_drop_path(g, y, drop));
        y = mlp(g, norm(g, "norm2", x), o.mlp_ratio);
        x = foci_add(g, x, foci_drop_path(g, y, drop));
        foci_observe(g, "output", x);
        foci_end_scope(g);
    }
    if (o.distilled) distilled(r, norm(g, "norm", foci_narrow(g, x, 0, 2)), classes);
    /* Only the class token is read, so only its row is normalised. */
    else
        foci_classified(r,
                        foci_nn_linear(g, "head", norm(g, "norm", foci_select(g, x, 0)), classes, true, LINEAR_INIT));
}

const foci_model foci_model_vit = {
    .name = "vit",
    .summary = "vision transformer with a class token (ViT, DeiT), image classification",
    .task = "images",
    .keys = keys,
    .head = "head head_dist",
    .record = record,
};
