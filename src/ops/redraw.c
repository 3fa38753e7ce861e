/* redraw: random numbers that a buffer keeps from step to step (FOCI_DRAWN), now and then drawn anew. However often the
 * pass of a step runs, for parts of a batch or in the backward pass again, it draws the same. */
#include <string.h>

#include "base/philox.h"
#include "ops/common.h"

typedef struct attributes {
    uint64_t seed;
    int64_t every; /* 0: only the output, not the buffer, is drawn */
} attributes;

static void draw(const foci_tensor *buffer, uint64_t seed, const char *use, uint64_t step, real *to) {
    const foci_init init = foci_init_of(buffer);
    foci_rng random = foci_rng_make(seed, foci_stream(buffer->name) + foci_stream(use), step);
    init.draw(&random, init.of, buffer->shape, to);
}

/* Step 0 has what the buffer began with. */
static void forward(const foci_node *n) {
    const attributes *a = n->attributes;
    const foci_tensor *buffer = n->input[0];
    const uint64_t step = foci_node_random(n).step;
    if (!a->every) {
        draw(buffer, a->seed, "evaluation", 0, foci_data(n->output));
        return;
    }
    if (step && step % (uint64_t)a->every == 0) draw(buffer, a->seed, "training", step, foci_data(buffer));
    memcpy(foci_data(n->output), foci_data(buffer), (size_t)foci_numel(buffer) * sizeof(real));
}

const foci_op foci_op_redraw = {.name = "redraw",
                                .summary = "random numbers of a buffer, drawn anew every few steps",
                                .forward = forward,
                                .detaches = true};

foci_tensor *foci_redraw(foci_graph *g, foci_tensor *buffer, uint64_t seed, int64_t every, bool evaluation) {
    const foci_op *op = &foci_op_redraw;
    if (!foci_operand(g, op->name, "buffer", buffer, FOCI_REAL)) return NULL;
    if (!foci_is_parameter(buffer) || foci_init_of(buffer).kind != FOCI_INIT_DRAWN)
        return foci_graph_fail(g, "%s: %s is no buffer that FOCI_DRAWN began", op->name, buffer->name);
    if (foci_graph_trains(g) ? every <= 0 : !evaluation) return buffer;
    const attributes a = {seed, foci_graph_trains(g) ? every : 0};
    return foci_emit(foci_record(g, op, 1, &buffer, &a, sizeof a), FOCI_REAL, buffer->ndim, buffer->shape);
}
