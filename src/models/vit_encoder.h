/* The encoder of a vision transformer, and the pre-norm block that it is made of: what a classifier (vit.c) and a
 * segmenter (segmenter.c) share. Parameter names and defaults of timm. */
#ifndef FOCI_MODELS_VIT_ENCODER_H
#define FOCI_MODELS_VIT_ENCODER_H

#include "attention/attend.h"

/* "model.KEY" */
typedef struct foci_vit_options {
    foci_int_list img_size;
    int64_t patch_size, in_chans, embed_dim, depth, num_heads;
    double mlp_ratio, drop_path, dropout;
    bool qkv_bias;
} foci_vit_options;
extern const foci_key foci_vit_keys[];

/* [cls_token; patches(images)] + pos_embed, and all blocks: (B, I, H, W) -> (B, 1+P, C); distilled: a dist_token stands
 * behind the first. */
typedef struct foci_vit_tokens {
    foci_grid_resizing positions; /* how the table is resized where weights have one of another size */
    bool distilled;
} foci_vit_tokens;
foci_tensor *foci_vit_encode(foci_graph *g, const foci_config *config, const foci_vit_options *o, foci_tensor *images,
                             foci_vit_tokens tokens);
/* Its last norm, of some tokens. */
foci_tensor *foci_vit_norm(foci_graph *g, foci_tensor *x);

/* blocks.0 and so on: x = x + proj(attention(norm1(x)));  x = x + fc2(gelu(fc1(norm2(x))))    (B, N, C) -> same */
typedef struct foci_vit_blocks {
    int depth;
    foci_nn_heads heads;
    int64_t hidden;   /* width of the MLP */
    double eps;       /* of the norms */
    double drop_path; /* of the last block, rising linearly from 0 at the first */
    double dropout;   /* after the projection, inside and after the MLP */
} foci_vit_blocks;
foci_tensor *foci_vit_record_blocks(foci_graph *g, foci_attending *a, const foci_vit_blocks *b, foci_tensor *x);

#define FOCI_VIT_INIT FOCI_NORMAL(0, 0.02)

#endif
