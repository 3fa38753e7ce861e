#include "nn/project.h"

enum { PARTS = 4 }; /* q, k, k2, v: bits 0 to 3 */

/* (B, N, parts H D) of the parts that are wanted */
static foci_tensor *together(foci_graph *g, const foci_nn_projection *p, unsigned wanted, const foci_nn_heads *h) {
    const int64_t out = __builtin_popcount(p->parts & wanted) * h->heads * h->width;
    foci_tensor *y = out ? foci_nn_linear(g, p->name, p->x, out, h->bias, h->weight) : NULL;
    return y && p->cached ? foci_cached(g, p->name, y) : y;
}

static void take_apart(foci_graph *g, foci_tensor *y, unsigned parts, int heads, foci_tensor **part[PARTS]) {
    const int count = __builtin_popcount(parts);
    for (int bit = 0, i = 0; y && bit < PARTS; bit++)
        if (parts >> bit & 1) *part[bit] = foci_heads(g, y, count, i++, heads);
}

foci_heads_of_layer foci_nn_project(foci_graph *g, const foci_nn_projection *projection, int count, unsigned wanted,
                                    const foci_nn_heads *heads) {
    foci_tensor *y[PARTS];
    foci_heads_of_layer now = {NULL};
    foci_tensor **part[PARTS] = {&now.q, &now.k, &now.k2, &now.v};
    for (int i = 0; i < count; i++) y[i] = together(g, &projection[i], wanted, heads);
    for (int i = 0; i < count; i++) take_apart(g, y[i], projection[i].parts & wanted, heads->heads, part);
    if (!now.q) now.q = now.k;
    if (!now.k) now.k = now.q;
    return now;
}
