/* Reformer (Kitaev et al., 2020): queries serve as keys, divided by their length, and attend to those that hashing
 * brings together (ops/lsh_attention.c). Scores are not divided by sqrt(D) again, which the paper does. What hides a
 * token from itself and from the masked is exact here; the published code adds -1e5 and -1e9. In a causal model the
 * sorting looks ahead: later tokens move the ends of chunks, and with them whom a token meets. */
#include "attention/refuse.h"
#include "base/philox.h"
#include "config/config.h"

typedef struct settings {
    int64_t buckets, rounds, chunk, redraw;
    bool redraw_evaluation, pad;
} settings;

static const foci_key keys[] = {
    FOCI_KEY(settings, buckets, "32", 2, 65536, NULL,
             "an even number (the published library: the largest power of two up to 2 N / chunk)"),
    FOCI_KEY(settings, rounds, "2", 1, 1000, NULL, "how often tokens are hashed, each time by other rotations"),
    FOCI_KEY(settings, chunk, "64", 1, 1e6, NULL,
             "a token sees those of its chunk and of the one before; a sequence that fits into one is not hashed"),
    FOCI_KEY(settings, pad, "true", 0, 0, NULL,
             "chunks are filled up with what nobody sees; false: the tokens must be a multiple of chunk"),
    FOCI_KEY(settings, redraw, "1", 0, 1e9, NULL,
             "the rotations are drawn anew in every so many training steps (published: in every pass); 0: never"),
    FOCI_KEY(settings, redraw_evaluation, "false", 0, 0, NULL,
             "and for evaluation, which then does not see those of training (published)"),
    {0}};

/* Normal numbers. */
static void draw(foci_rng *random, int64_t of, const int64_t *shape, foci_real *x) {
    (void)of;
    for (int64_t i = 0; i < shape[0] * shape[1] * shape[2] * shape[3]; i++) x[i] = (foci_real)foci_rng_normal(random);
}

static const char *place_of(const foci_attention_io *io, const char *key) { return foci_config_place(io->config, key); }

/* Chunks that would do: the next divisors of n below and above. */
static void *refuse_rest(const foci_attention_io *io, int64_t n, int64_t chunk) {
    int64_t below = chunk, above = chunk;
    while (n % below) below--;
    while (n % above) above++;
    return foci_graph_fail(io->graph,
                           "%s: %lld tokens are no multiple of attention.chunk %lld (%lld and %lld would do); with "
                           "attention.pad true the last chunk is filled up",
                           place_of(io, "attention.chunk"), (long long)n, (long long)chunk, (long long)below,
                           (long long)above);
}

/* (B, H, rounds, N) */
static foci_tensor *buckets(const foci_attention_io *io, const settings *o) {
    foci_graph *g = io->graph;
    foci_tensor *rotations = foci_buffer(g, "rotations", FOCI_DRAWN(draw, 0),
                                         FOCI_SHAPE(io->q->shape[1], io->q->shape[3], o->rounds, o->buckets / 2));
    if (io->q->shape[2] <= o->chunk) return NULL;
    rotations = foci_redraw(g, rotations, io->seed, o->redraw, o->redraw_evaluation);
    return foci_lsh_buckets(g, io->q, rotations, io->mask);
}

static foci_tensor *forward(const foci_attention_io *io) {
    const settings *o = io->options;
    foci_graph *g = io->graph;
    const int64_t tokens = io->q->shape[2];
    if (foci_attention_refuses(io, FOCI_REFUSES_DROPOUT)) return NULL;
    if (o->buckets % 2)
        return foci_graph_fail(g, "%s: attention.buckets %lld is odd: half of them are the opposites of the others",
                               place_of(io, "attention.buckets"), (long long)o->buckets);
    if (!o->pad && tokens > o->chunk && tokens % o->chunk) return refuse_rest(io, tokens, o->chunk);
    const foci_lsh_options options = {
        .chunk = o->chunk, .buckets = o->buckets, .causal = io->causal, .bucket = buckets(io, o), .mask = io->mask};
    if (!foci_graph_ok(g)) return NULL;
    if (options.bucket) foci_observe(g, "buckets", options.bucket);
    if (foci_graph_observes(g)) foci_observe(g, "prob", foci_lsh_attention_map(g, io->q, &options));
    return foci_lsh_attention(g, io->q, io->v, &options);
}

static unsigned projections(const void *options) {
    (void)options;
    return FOCI_PROJECT_Q | FOCI_PROJECT_V;
}

const foci_attention foci_attention_reformer = {.name = "reformer",
                                                .summary = "attention among tokens that hashing brings together (2020)",
                                                .cost = "rounds N 2 chunk D",
                                                .extra = "rotations",
                                                .linear = true,
                                                .exactly = "chunk: 1000000",
                                                .keys = keys,
                                                .forward = forward,
                                                .projections = projections};
