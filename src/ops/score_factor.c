#include "ops/score_factor.h"

enum { FACTOR = ATTENTION_SCORE_FACTOR };
enum { SQUARE = 16 }; /* turned at a time */

static int64_t row_of(const foci_node *n) {
    return (n->input[FACTOR]->shape[1] + FOCI_ALIGN - 1) / FOCI_ALIGN * FOCI_ALIGN;
}

int64_t foci_score_factor_reals(const foci_node *n) {
    const foci_tensor *f = n->input[FACTOR];
    return f ? f->shape[0] * f->shape[2] * row_of(n) : 0;
}

/* Of head `task / strips`, keys in strips of SQUARE; where there are no queries any more, zeros. */
void foci_turn_score_factor(const foci_node *n, real *to) {
    const foci_tensor *f = n->input[FACTOR];
    if (!f) return;
    const int64_t queries = f->shape[1], keys = f->shape[2], row = row_of(n), strips = foci_tiles(keys, SQUARE);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < f->shape[0] * strips; task++) {
        const foci_range r = foci_tile(keys, SQUARE, task % strips);
        const real *from = foci_data(f) + task / strips * queries * keys;
        real *turned = to + task / strips * keys * row;
        for (int64_t i = 0; i < row; i++)
            for (int64_t j = r.first; j < r.end; j++) turned[j * row + i] = i < queries ? from[i * keys + j] : 0;
    }
}

void foci_use_score_factor(const foci_node *n, const real *turned, int64_t h, foci_attention_head *head) {
    if (!n->input[FACTOR]) return;
    head->score_factor_row = row_of(n);
    head->score_factor = turned + h * head->keys * head->score_factor_row;
}

int64_t foci_sample_groups(const foci_node *n) {
    const int64_t batch = n->input[ATTENTION_Q]->shape[0], one = foci_score_factor_reals(n), most = 1 << 24;
    const int64_t groups = one == 0 ? batch : one < most / 8 ? 8 : one < most ? most / one : 1;
    return groups < batch ? groups : batch;
}

void foci_score_factor_gradient(const foci_node *n, const real *turned) {
    const foci_tensor *f = n->input[FACTOR];
    const int64_t queries = f->shape[1], keys = f->shape[2], row = row_of(n), strips = foci_tiles(queries, SQUARE);
    const int64_t groups = foci_sample_groups(n), group = foci_score_factor_reals(n);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < f->shape[0] * strips; task++) {
        const foci_range r = foci_tile(queries, SQUARE, task % strips);
        const real *from = turned + task / strips * keys * row;
        real *to = foci_grad(f) + task / strips * queries * keys;
        for (int64_t j = 0; j < keys; j++)
            for (int64_t i = r.first; i < r.end; i++) {
                real sum = n->accumulate[FACTOR] ? to[i * keys + j] : 0;
                for (int64_t g = 0; g < groups; g++) sum += from[g * group + j * row + i];
                to[i * keys + j] = sum;
            }
    }
}
