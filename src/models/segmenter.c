/* Segmenter (Strudel et al., ICCV 2021): a vision transformer whose patch tokens are decoded to maps of classes;
 * parameter names of the published code.
 *
 *     x = norm(encoder(pad(image)))[:, 1:]                            (B, P, C), zeros up to the next patch
 *     mask transformer:  x = [proj_dec(x), cls_emb];  pre-norm blocks;  x = decoder_norm(x)
 *                        maps = mask_norm(unit(x_patches proj_patch) unit(x_classes proj_classes)t)    (B, P, K)
 *     linear:            maps = head(x)
 *     logits = upsample(maps)                                         (B, H, W, K), bilinear
 *
 * The tokens of the classes stand in front of the patches here, which attention does not see. As published, the
 * decoder has one projection for queries and keys: keys attend to keys. The published encoder keeps its classifier,
 * `encoder.head`, which nothing reads: it is not here. */
#include <math.h>

#include "models/classify.h"
#include "models/vit_encoder.h"
#include "nn/layers.h"

#define DECODERS(X) X(MASK_TRANSFORMER, "mask_transformer") X(LINEAR, "linear")

typedef struct options {
    int64_t num_classes;
    enum { DECODERS(FOCI_CHOICE_NUMBER) } decoder;
    int64_t decoder_depth, decoder_dim, decoder_heads, decoder_hidden;
    double decoder_drop_path, decoder_dropout;
    bool decoder_queries;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, num_classes, "0", 0, 1e6, NULL, "classes of a pixel; 0: those of the data set"),
    FOCI_KEY(options, decoder, "mask_transformer", 0, 0, DECODERS(FOCI_CHOICE_WORD),
             "what makes maps of tokens: attention with a token for every class, or one linear layer"),
    FOCI_KEY(options, decoder_depth, "2", 1, 1000, NULL, "mask_transformer: blocks"),
    FOCI_KEY(options, decoder_dim, "0", 0, 65536, NULL, "mask_transformer: width; 0: embed_dim"),
    FOCI_KEY(options, decoder_heads, "0", 0, 1024, NULL,
             "mask_transformer: heads; 0: of width 64, as far as that fits"),
    FOCI_KEY(options, decoder_hidden, "0", 0, 1e6, NULL,
             "mask_transformer: width inside the MLP; 0: four times decoder_dim"),
    FOCI_KEY(options, decoder_drop_path, "0", 0, 0.99, NULL, "mask_transformer: as drop_path"),
    FOCI_KEY(options, decoder_dropout, "0.1", 0, 0.99, NULL, "mask_transformer: as dropout"),
    FOCI_KEY(
        options, decoder_queries, "false", 0, 0, NULL,
        "mask_transformer: queries have a projection of their own; false: keys attend to keys, as in the published "
        "code"),
    {0}};

enum { IGNORED = 255 }; /* label of a pixel that is not learnt from */

/* ------------------------------------------------------------------------------------------------ decoders */

static int64_t or_else(int64_t given, int64_t otherwise) { return given ? given : otherwise; }

static foci_vit_blocks decoder_blocks(foci_graph *g, const options *o, int64_t width) {
    const int64_t published = 64, heads = or_else(o->decoder_heads, width % published ? 1 : width / published);
    return (foci_vit_blocks){
        .depth = (int)o->decoder_depth,
        .heads = {(int)heads, foci_nn_head_width(g, width, heads, "decoder_dim"), true, FOCI_VIT_INIT},
        .hidden = or_else(o->decoder_hidden, 4 * width),
        .eps = 1e-5,
        .drop_path = o->decoder_drop_path,
        .dropout = o->decoder_dropout};
}

/* Unit vectors (B, 1, count, C) of tokens first .. first + count - 1, times a matrix first. */
static foci_tensor *directions(foci_graph *g, const char *name, foci_tensor *x, int64_t first, int64_t count) {
    if (!x) return NULL;
    const int64_t width = foci_last_dim(x);
    foci_tensor *w = foci_parameter(g, name, FOCI_NORMAL(0, 1 / sqrt((double)width)), FOCI_SHAPE(width, width));
    x = foci_matmul(g, foci_narrow(g, x, first, count), w);
    return foci_normalise(g, foci_heads(g, x, 1, 0, 1), NULL);
}

/* (B, P, C) -> (B, 1, P, K) */
static foci_tensor *mask_transformer(foci_graph *g, const foci_config *config, const options *o, foci_tensor *x,
                                     int64_t classes) {
    if (!x) return NULL;
    const int64_t patches = x->shape[1], width = or_else(o->decoder_dim, foci_last_dim(x));
    const foci_vit_blocks blocks = decoder_blocks(g, o, width);
    x = foci_nn_linear(g, "proj_dec", x, width, true, FOCI_VIT_INIT);
    foci_tensor *tokens = foci_parameter(g, "cls_emb", FOCI_NORMAL(0, 0.02), FOCI_SHAPE(1, classes, width));
    foci_no_decay(tokens);
    foci_attending a = foci_attending_dot_product(
        g, config,
        &(foci_attend_options){.depth = blocks.depth, .longest = patches + classes, .dropout = o->decoder_dropout},
        FOCI_PROJECT_K | FOCI_PROJECT_V | (o->decoder_queries ? FOCI_PROJECT_Q : 0u));
    x = foci_vit_record_blocks(g, &a, &blocks, foci_class_token(g, tokens, x));
    x = foci_nn_layer_norm(g, "decoder_norm", x, blocks.eps, FOCI_ONES);
    foci_tensor *products = foci_inner_products(g, directions(g, "proj_patch", x, classes, patches),
                                                directions(g, "proj_classes", x, 0, classes));
    return foci_nn_layer_norm(g, "mask_norm", products, blocks.eps, FOCI_ONES);
}

/* ------------------------------------------------------------------------------------------------- a model */

/* Up to a multiple of the patch. */
static int64_t padded(int64_t size, int64_t patch) { return (size + patch - 1) / patch * patch; }

/* (B, P, C) of the padded images */
static foci_tensor *encode(foci_graph *g, const foci_config *config, const foci_vit_options *o, foci_tensor *images,
                           const foci_pixels *pixels) {
    foci_scope(g, "encoder");
    foci_tensor *x = foci_vit_encode(g, config, o, foci_pad(g, images, pixels->full_height, pixels->full_width),
                                     (foci_vit_tokens){.positions = FOCI_GRID_BILINEAR});
    if (x) x = foci_vit_norm(g, foci_narrow(g, x, 1, x->shape[1] - 1));
    foci_ignore(g, "encoder.head.weight");
    foci_ignore(g, "encoder.head.bias");
    foci_end_scope(g);
    foci_adopt(g, "encoder");
    return x;
}

static foci_tensor *decode(foci_graph *g, const foci_config *config, const options *o, foci_tensor *x,
                           int64_t classes) {
    foci_scope(g, "decoder");
    foci_tensor *maps = o->decoder == LINEAR ? foci_nn_linear(g, "head", x, classes, true, FOCI_VIT_INIT)
                                             : mask_transformer(g, config, o, x, classes);
    foci_end_scope(g);
    return maps;
}

static void record(foci_request *r) {
    foci_graph *g = r->graph;
    options o;
    foci_vit_options encoder;
    foci_config_read(r->config, "model", keys, &o);
    foci_config_read(r->config, "model", foci_vit_keys, &encoder);
    const int64_t classes = foci_classes_of(r, o.num_classes), patch = encoder.patch_size;
    foci_tensor *images = foci_images_of(r, encoder.in_chans, &encoder.img_size), *labels = NULL, *counted = NULL;
    if (!images) return;
    const int64_t height = images->shape[2], width = images->shape[3];
    const foci_pixels pixels = {padded(height, patch) / patch,
                                padded(width, patch) / patch,
                                padded(height, patch),
                                padded(width, patch),
                                height,
                                width};
    foci_tensor *maps = decode(g, r->config, &o, encode(g, r->config, &encoder, images, &pixels), classes);
    if (!foci_request_feeds(r, "labels")) {
        foci_output(g, "logits", foci_upsample(g, maps, &pixels));
        return;
    }
    labels = foci_input(g, "labels", FOCI_INT, FOCI_SHAPE(r->batch, height, width));
    if (foci_request_feeds(r, "counted")) counted = foci_input(g, "counted", FOCI_REAL, FOCI_SHAPE(1));
    if (foci_graph_observes(g)) foci_observe(g, "logits", foci_upsample(g, maps, &pixels));
    foci_output(g, "loss", foci_upsampled_cross_entropy(g, maps, labels, counted, &pixels, IGNORED));
}

const foci_model foci_model_segmenter = {
    .name = "segmenter",
    .summary = "vision transformer with a decoder to maps of classes (Segmenter), segmentation of images",
    .task = "segmentation",
    .keys = keys,
    .shared = foci_vit_keys,
    .head = "decoder.cls_emb decoder.mask_norm decoder.head",
    .record = record,
};
