#include "ops/fourier_head.h"

#include <math.h>
#include <string.h>

static int64_t in_fours(int64_t d) { return (d + 3) / 4 * 4; }

int64_t foci_fourier_scratch(const foci_node *n) {
    const int64_t *s = n->input[FOURIER_Q]->shape;
    return (in_fours(s[3]) + 2) * foci_in_lines(s[2]) + 2 * foci_in_lines(in_fours(s[3]));
}

static void turn_keys(const foci_fourier_head *o) {
    memset(o->keys, 0, (size_t)(o->padded * o->ld) * sizeof(real));
    for (int64_t j = 0; j < o->tokens; j++)
        for (int64_t d = 0; d < o->width; d++) o->keys[d * o->ld + j] = o->k[j * o->k_row + d];
}

foci_fourier_head foci_fourier_head_of(const foci_node *n, int64_t task, real *scratch) {
    const foci_tensor *q = n->input[FOURIER_Q], *k = n->input[FOURIER_K], *radius = n->input[FOURIER_RADIUS];
    const int64_t b = task / q->shape[1], h = task % q->shape[1], one = foci_numel(radius) == 1;
    foci_fourier_head o = {.o = n->attributes, .tokens = q->shape[2], .width = q->shape[3]};
    o.padded = in_fours(o.width), o.ld = foci_in_lines(o.tokens);
    o.q = foci_data(q) + foci_head_offset(q, b, h), o.q_row = q->stride[2];
    o.k = foci_data(k) + foci_head_offset(k, b, h), o.k_row = k->stride[2];
    o.keys = scratch;
    o.mantissa = o.keys + o.padded * o.ld;
    o.exponent = o.mantissa + o.ld;
    o.query = o.exponent + o.ld;
    o.radius = o.query + foci_in_lines(o.padded);
    turn_keys(&o);
    memset(o.query, 0, (size_t)o.padded * sizeof(real));
    memset(o.radius, 0, (size_t)o.padded * sizeof(real));
    for (int64_t d = 0; d < o.width; d++) o.radius[d] = foci_data(radius)[one ? 0 : d];
    return o;
}

void foci_fourier_row(const foci_fourier_head *o, int64_t i, real *top, bool find, real *phi) {
    const int64_t seen = foci_fourier_seen(o, i);
    memcpy(o->query, o->q + i * o->q_row, (size_t)o->width * sizeof(real));
    foci_kernel()->sinc_product(seen, o->padded, o->query, o->radius, o->keys, o->ld, o->mantissa, o->exponent);
    if (find) {
        *top = o->exponent[0];
        for (int64_t j = 1; j < seen; j++) *top = o->exponent[j] > *top ? o->exponent[j] : *top;
    }
    foci_kernel()->sinc_weights(seen, o->o->power, *top, o->mantissa, o->exponent, phi);
}

real foci_fourier_sum(const foci_fourier_head *o, int64_t i, real top, const real *phi) {
    double sum;
    foci_kernel()->sum(foci_fourier_seen(o, i), phi, &sum);
    return (real)(sum + o->o->eps * exp2(-(double)o->o->power * (double)top)); /* may be infinite: all weights are 0 */
}

foci_node *foci_record_fourier(foci_graph *g, const foci_op *op, foci_tensor *q, foci_tensor *k, foci_tensor *v,
                               foci_tensor *radius, const foci_fourier_options *o) {
    if (!foci_head_operand(g, op->name, "q", q, NULL) || !foci_head_operand(g, op->name, "k", k, q) ||
        (v && !foci_head_operand(g, op->name, "v", v, q)) || !foci_operand(g, op->name, "radius", radius, FOCI_REAL))
        return NULL;
    if (foci_numel(radius) != 1 && foci_numel(radius) != q->shape[3])
        return foci_graph_fail(g, "%s: radius %s must be one number, or one for each coordinate of q %s", op->name,
                               foci_shape_text(g, radius), foci_shape_text(g, q));
    if (o->power < 1 || o->power > 64) return foci_graph_fail(g, "%s: power must be 1 to 64", op->name);
    if (!(o->eps >= 0 && isfinite(o->eps)))
        return foci_graph_fail(g, "%s: eps %g must not be below 0", op->name, o->eps);
    return foci_record(g, op, FOURIER_INPUTS, (foci_tensor *[]){q, k, v, radius}, o, sizeof *o);
}
