/* Vision transformer: DeiT / ViT with a class token; parameter names and defaults of timm.
 *
 *     x = [cls_token; patches(image)] + pos_embed                     (B, 1+P, C)
 *     per block:  x = x + proj(attention(norm1(x)));  x = x + fc2(gelu(fc1(norm2(x))))
 *     logits = head(norm(x)[:, 0])                                    (B, K)
 *
 * distilled: x = [cls_token; dist_token; patches(image)] + pos_embed, logits = the mean of head(norm(x)[:, 0]) and
 * head_dist(norm(x)[:, 1]), of which the first learns from the labels and the second from a teacher (DeiT).
 *
 * All but the logits is in vit_encoder.c. */
#include "models/classify.h"
#include "models/vit_encoder.h"
#include "nn/layers.h"

typedef struct options {
    int64_t num_classes;
    bool pos_antialias, distilled;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, num_classes, "0", 0, 1e6, NULL, "width of the classifier; 0: the classes of the data set"),
    FOCI_KEY(options, distilled, "false", 0, 0, NULL,
             "a second token and head (dist_token, head_dist), which learn from train.teacher; the logits are the mean "
             "of both heads'"),
    FOCI_KEY(options, pos_antialias, "true", 0, 0, NULL,
             "a table of positions that weights have for another grid is resized antialiased, as timm does; false: by "
             "four neighbours, as timm did before 0.9"),
    {0}};

/* two (B, 2, C): the class token and the teacher's, each with a head of its own */
static void distilled(foci_request *r, foci_tensor *two, int64_t classes) {
    foci_graph *g = r->graph;
    foci_classified_by_two(r, foci_nn_linear(g, "head", foci_select(g, two, 0), classes, true, FOCI_VIT_INIT),
                           foci_nn_linear(g, "head_dist", foci_select(g, two, 1), classes, true, FOCI_VIT_INIT));
}

static void record(foci_request *r) {
    foci_graph *g = r->graph;
    options o;
    foci_vit_options encoder;
    foci_config_read(r->config, "model", keys, &o);
    foci_config_read(r->config, "model", foci_vit_keys, &encoder);
    const int64_t classes = foci_classes_of(r, o.num_classes);
    const foci_vit_tokens tokens = {o.pos_antialias ? FOCI_GRID_ANTIALIASED : FOCI_GRID_CUBIC, o.distilled};
    foci_tensor *x =
        foci_vit_encode(g, r->config, &encoder, foci_images_of(r, encoder.in_chans, &encoder.img_size), tokens);
    /* Only the tokens in front are read, so only their rows are normalised. */
    if (o.distilled) distilled(r, foci_vit_norm(g, foci_narrow(g, x, 0, 2)), classes);
    else
        foci_classified(
            r, foci_nn_linear(g, "head", foci_vit_norm(g, foci_select(g, x, 0)), classes, true, FOCI_VIT_INIT));
}

const foci_model foci_model_vit = {
    .name = "vit",
    .summary = "vision transformer with a class token (ViT, DeiT), image classification",
    .task = "images",
    .keys = keys,
    .shared = foci_vit_keys,
    .head = "head head_dist",
    .record = record,
};
