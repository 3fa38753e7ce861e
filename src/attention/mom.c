/* Median of means (Han et al., "Designing Robust Transformers using Robust Kernel Density Estimation", NeurIPS 2023):
 * tokens are put into blocks at random, one block is chosen for being in the middle, and attention is kde, softmax of
 * -|q - k / |k||^2 / sqrt(D), over its keys alone. The blocks are a buffer, drawn anew in training. */
#include "attention/refuse.h"
#include "base/philox.h"

/* The first: whichever the model has a form of. */
#define SELECTIONS(X) X(SELECT_AUTO, "auto") X(SELECT_BATCH, "batch") X(SELECT_HEAD, "head") X(SELECT_QUERY, "query")

typedef struct settings {
    enum { SELECTIONS(FOCI_CHOICE_NUMBER) } select;
    int64_t blocks, block_size, redraw;
    bool redraw_evaluation;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, select, "auto", 0, 0, SELECTIONS(FOCI_CHOICE_WORD),
             "who chooses: batch (published): all samples and heads together, those of a micro-batch or of an "
             "evaluation's batch at a time; head: each head of a sample; query (the paper): each query, the only one "
             "with a causal form (the published one for text sees the future); auto: batch, causal: query"),
    FOCI_KEY(settings, blocks, "5", 1, 64, NULL, "number of blocks; causal: all tokens are dealt out to them"),
    FOCI_KEY(settings, block_size, "0", 0, 1e9, NULL,
             "tokens of a block; 0: 9 of 10, so that blocks overlap (published, images), causal: just so many as it "
             "takes for each token to have its block"),
    FOCI_KEY(settings, redraw, "1", 0, 1e9, NULL, "blocks are drawn anew in every so many training steps; 0: never"),
    FOCI_KEY(settings, redraw_evaluation, "false", 0, 0, NULL,
             "and for evaluation (published: in every pass), which then does not see the blocks of training"),
    {0}};

/* Every block (K, size): `of` tokens, each taken with the chance that makes every subset as likely; in their order. */
static void draw_subsets(foci_rng *random, int64_t tokens, const int64_t *shape, foci_real *blocks) {
    for (int64_t b = 0; b < shape[0]; b++) {
        int64_t taken = 0;
        for (int64_t t = 0; t < tokens; t++)
            if (foci_rng_below(random, (uint32_t)(tokens - t)) < (uint32_t)(shape[1] - taken))
                blocks[b * shape[1] + taken++] = (foci_real)t;
    }
}

/* Tokens go one after the other to a block, by the room that is left there: sizes differ by 1 at most. -1: nothing. */
static void draw_partition(foci_rng *random, int64_t tokens, const int64_t *shape, foci_real *blocks) {
    int64_t taken[FOCI_MAX_BLOCKS] = {0};
    for (int64_t i = 0; i < shape[0] * shape[1]; i++) blocks[i] = -1;
    for (int64_t t = 0; t < tokens; t++) {
        int64_t place = foci_rng_below(random, (uint32_t)(tokens - t)), b = 0;
        for (int64_t room; place >= (room = (tokens + b) / shape[0] - taken[b]); b++) place -= room;
        blocks[b * shape[1] + taken[b]++] = (foci_real)t;
    }
}

/* Of the longest sequence, as far as they reach; shorter ones have fewer of the tokens. NULL where they do not fit. */
static foci_tensor *blocks_of(const foci_attention_io *io, const settings *o) {
    foci_graph *g = io->graph;
    const int64_t now = io->k->shape[2], longest = io->longest > now ? io->longest : now;
    const int64_t all = (longest + o->blocks - 1) / o->blocks, most = longest - (longest + 9) / 10;
    const int64_t size = o->block_size ? o->block_size : io->causal ? all : most > 0 ? most : 1;
    const int64_t room = size * o->blocks, tokens = io->causal && room < longest ? room : longest;
    if (io->causal ? room < now : size > now)
        return foci_graph_fail(g, "%s: %lld blocks of %lld tokens do not fit %lld tokens",
                               foci_config_place(io->config, "attention.block_size"), (long long)o->blocks,
                               (long long)size, (long long)now);
    foci_tensor *blocks = foci_buffer(g, "blocks", FOCI_DRAWN(io->causal ? draw_partition : draw_subsets, tokens),
                                      FOCI_SHAPE(o->blocks, size));
    return foci_redraw(g, blocks, io->seed, o->redraw, o->redraw_evaluation);
}

static foci_tensor *forward(const foci_attention_io *io) {
    foci_graph *g = io->graph;
    const settings *o = io->options;
    static const foci_block_select selection[] = {
        [SELECT_BATCH] = FOCI_SELECT_BATCH, [SELECT_HEAD] = FOCI_SELECT_HEAD, [SELECT_QUERY] = FOCI_SELECT_QUERY};
    const int select = o->select != SELECT_AUTO ? (int)o->select : io->causal ? SELECT_QUERY : SELECT_BATCH;
    const foci_block_options choosing = {.factor = io->scale, .select = selection[select], .causal = io->causal};
    if (foci_attention_refuses(io, FOCI_REFUSES_MASK | FOCI_REFUSES_DROPOUT)) return NULL;
    if (io->causal && select != SELECT_QUERY)
        return foci_graph_fail(g, "%s: attention.kind mom has a causal form only with attention.select query",
                               foci_config_place(io->config, "attention.select"));
    foci_tensor *k = foci_normalise(g, io->k, NULL), *blocks = blocks_of(io, o);
    foci_tensor *choice = foci_choose_block(g, io->q, k, blocks, &choosing);
    if (foci_graph_observes(g)) {
        foci_observe(g, "choice", choice);
        foci_observe(g, "prob", foci_block_map(g, io->q, k, blocks, choice, 2 * io->scale, io->causal));
    }
    return foci_block_attention(g, io->q, k, io->v, blocks, choice, 2 * io->scale, io->causal);
}

const foci_attention foci_attention_mom = {
    .name = "mom",
    .summary = "median of means: Gaussian-kernel attention over one of several random blocks of keys (NeurIPS 2023)",
    .extra = "blocks",
    .keys = keys,
    .forward = forward};
