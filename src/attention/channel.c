/* Channel attention of the fully attentional network (Zhou et al., "Understanding the Robustness in Vision
 * Transformers", 2022), over whole sequences:
 *     out_nd = gate_d v_nd,   gate_d = temperature sigmoid(sum over n of softmax_n(q_nd) mean_d softmax_n(k_nd)) */
#include "attention/refuse.h"
#include "nn/layers.h"

static const foci_key keys[] = {{0}};

static foci_tensor *forward(const foci_attention_io *io) {
    if (foci_attention_refuses(io, FOCI_REFUSES_MASK | FOCI_REFUSES_DROPOUT)) return NULL;
    return foci_nn_channel_attention(io->graph, io->q, io->k, io->v);
}

const foci_attention foci_attention_channel = {
    .name = "channel",
    .summary = "a gate for each channel, as in FAN, where it stands beside attention of tokens",
    .cost = "N D",
    .extra = "temperature",
    .linear = true,
    .whole = true,
    .adds = true,
    .keys = keys,
    .forward = forward};
