/* Attention to keys in pieces, with every instruction set here, against the formula written out in double. */
#include <math.h>

#include "kernels/kernels.h"
#include "noise.h"

enum { QUERIES = FOCI_ATTENTION_QUERIES, BEHIND = 256 };

typedef struct shape {
    int64_t queries, width, keys[2];
    bool add;
} shape;

typedef struct problem {
    foci_attention_pieces o;
    foci_key_piece piece[2];
    foci_sight sight[2];
    real *rows[3], *dout, *out, *dq, *delta, *log_sum; /* rows: q, k, v */
    real *place, *sums[2], *scratch;
} problem;

static int64_t line(int64_t width) { return (width + FOCI_ALIGN - 1) / FOCI_ALIGN * FOCI_ALIGN; }

/* Query i sees the places i .. i + 40 of the first piece without number 9, and all of the second; every seventh key is
 * seen by nobody, query 3 sees nothing. Rows have a gap behind them. */
static problem make_problem(shape s) {
    const int64_t keys = s.keys[0] + s.keys[1], row = s.width + 3, reals = foci_pieces_layout_of(s.width).reals;
    problem p = {.dout = noisy(4, s.queries * row),
                 .out = noisy(5, s.queries * row),
                 .dq = noisy(6, s.queries * row),
                 .delta = noisy(7, s.queries),
                 .log_sum = noisy(8, s.queries),
                 .place = noisy(9, keys)};
    for (int i = 0; i < 3; i++) p.rows[i] = noisy(1 + (uint64_t)i, (i ? keys : s.queries) * row);
    for (int i = 0; i < 2; i++) p.sums[i] = noisy(10 + (uint64_t)i, keys * line(s.width));
    for (int64_t j = 0; j < keys; j++) p.place[j] = j % 7 == 6 ? (real)NAN : (real)j;
    for (int i = 0; i < QUERIES; i++) {
        p.sight[0].low[i] = i == 3 ? INFINITY : (real)i, p.sight[0].high[i] = (real)(i + 40);
        p.sight[1].low[i] = i == 3 ? INFINITY : -INFINITY, p.sight[1].high[i] = INFINITY;
        p.sight[0].self[i] = p.sight[1].self[i] = 9;
    }
    p.scratch = aligned_alloc(64, (size_t)(reals + BEHIND) * sizeof(real));
    assert_non_null(p.scratch);
    memset(p.scratch, 0xff, (size_t)(reals + BEHIND) * sizeof(real)); /* NaN: whoever reads before writing is found */
    p.o = (foci_attention_pieces){.queries = s.queries,
                                  .width = s.width,
                                  .q = p.rows[0],
                                  .q_row = row,
                                  .pieces = 2,
                                  .scale = (real)(1 / sqrt((double)s.width)),
                                  .out = p.out,
                                  .out_row = row,
                                  .log_sum = p.log_sum,
                                  .dout = p.dout,
                                  .dout_row = row,
                                  .delta = p.delta,
                                  .dq = p.dq,
                                  .dq_row = row,
                                  .add_dq = s.add};
    return p;
}

/* The pieces point into the problem itself. */
static void place_pieces(problem *p, shape s) {
    const int64_t row = s.width + 3, sum_row = line(s.width);
    for (int i = 0; i < 2; i++) {
        const int64_t first = i ? s.keys[0] : 0;
        p->piece[i] = (foci_key_piece){.keys = s.keys[i],
                                       .k = p->rows[1] + first * row,
                                       .v = p->rows[2] + first * row,
                                       .k_row = row,
                                       .v_row = row,
                                       .place = p->place + first,
                                       .sight = &p->sight[i],
                                       .dk = p->sums[0] + first * sum_row,
                                       .dv = p->sums[1] + first * sum_row,
                                       .sum_row = sum_row};
    }
    p->o.piece = p->piece;
}

static void free_problem(problem *p) {
    for (int i = 0; i < 3; i++) free(p->rows[i]);
    free(p->dout), free(p->out), free(p->dq), free(p->delta), free(p->log_sum), free(p->place), free(p->sums[0]),
        free(p->sums[1]), free(p->scratch);
}

static void close_to(const char *what, int64_t i, real got, double want) {
    if (!(fabs((double)got - want) <= 1e-5 * (1 + fabs(want))))
        fail_msg("%s[%d] is %.9g, not %.9g", what, (int)i, (double)got, want);
}

/* Scores of query i, -inf where it does not see the key; returns the log of the sum of their exponentials. */
static double scores_of(const problem *p, shape s, int64_t i, double *score) {
    const int64_t row = s.width + 3;
    double sum = 0;
    for (int64_t j = 0; j < s.keys[0] + s.keys[1]; j++) {
        const bool seen = i != 3 && j % 7 != 6 && j != 9 && (j >= s.keys[0] || (j >= i && j <= i + 40));
        score[j] = seen ? 0 : -INFINITY;
        for (int64_t d = 0; d < s.width && seen; d++)
            score[j] += (double)p->o.scale * (double)p->rows[0][i * row + d] * (double)p->rows[1][j * row + d];
        sum += exp(score[j]);
    }
    return sum > 0 ? log(sum) : INFINITY;
}

static void check_forward(const problem *p, shape s) {
    const int64_t keys = s.keys[0] + s.keys[1], row = s.width + 3;
    double *score = malloc((size_t)keys * sizeof *score);
    for (int64_t i = 0; i < s.queries; i++) {
        const double log_sum = scores_of(p, s, i, score);
        if (isinf(log_sum)) assert_true(p->log_sum[i] == INFINITY);
        else close_to("log_sum", i, p->log_sum[i], log_sum);
        for (int64_t d = 0; d < s.width; d++) {
            double out = 0;
            for (int64_t j = 0; j < keys; j++) out += exp(score[j] - log_sum) * (double)p->rows[2][j * row + d];
            close_to("out", i, p->out[i * row + d], out);
        }
    }
    free(score);
}

static void check_backward(const problem *p, shape s) {
    const int64_t keys = s.keys[0] + s.keys[1], row = s.width + 3, sum_row = line(s.width);
    double *score = malloc((size_t)keys * sizeof *score), *dq = calloc((size_t)(s.queries * s.width), sizeof *dq);
    double *dk = calloc((size_t)(keys * s.width), sizeof *dk), *dv = calloc((size_t)(keys * s.width), sizeof *dv);
    for (int64_t i = 0; i < s.queries; i++) {
        const double log_sum = scores_of(p, s, i, score);
        for (int64_t j = 0; j < keys; j++) {
            const double prob = exp(score[j] - log_sum);
            double ds = -(double)p->delta[i];
            for (int64_t d = 0; d < s.width; d++) ds += (double)p->dout[i * row + d] * (double)p->rows[2][j * row + d];
            ds *= prob * (double)p->o.scale;
            for (int64_t d = 0; d < s.width; d++) {
                dv[j * s.width + d] += prob * (double)p->dout[i * row + d];
                dk[j * s.width + d] += ds * (double)p->rows[0][i * row + d];
                dq[i * s.width + d] += ds * (double)p->rows[1][j * row + d];
            }
        }
    }
    for (int64_t i = 0; i < s.queries * s.width; i++) {
        const int64_t at = i / s.width * row + i % s.width;
        close_to("dq", i, p->dq[at], dq[i] + (s.add ? noise(6, at) : 0));
    }
    for (int64_t i = 0; i < keys * s.width; i++) {
        const int64_t at = i / s.width * sum_row + i % s.width;
        close_to("dk", i, p->sums[0][at], dk[i] + noise(10, at));
        close_to("dv", i, p->sums[1][at], dv[i] + noise(11, at));
    }
    free(score), free(dq), free(dk), free(dv);
}

static void check(shape s) {
    for (foci_isa isa = 0; isa < FOCI_ISA_COUNT; isa++) {
        const foci_kernels *k = foci_kernels_of(isa);
        if (!k) continue;
        real untouched[BEHIND];
        problem p = make_problem(s);
        place_pieces(&p, s);
        k->pieces_forward(&p.o, p.scratch);
        check_forward(&p, s);
        k->pieces_backward(&p.o, p.scratch);
        check_backward(&p, s);
        memset(untouched, 0xff, sizeof untouched);
        assert_memory_equal(p.scratch + foci_pieces_layout_of(s.width).reals, untouched, sizeof untouched);
        free_problem(&p);
    }
}

static void sizes(void **state) {
    (void)state;
    static const int64_t queries[] = {1, 5, 16, 33, 48}, widths[] = {1, 8, 16, 20, 64};
    for (int i = 0; i < 25; i++) {
        check((shape){queries[i % 5], widths[i / 5], {70, 2}, i % 2});
        check((shape){queries[i % 5], widths[i / 5], {0, 300}, i % 2}); /* two tiles of keys */
        check((shape){queries[i % 5], widths[i / 5], {90, 0}, i % 2});
    }
}

static void gradients_that_nobody_wants(void **state) {
    (void)state;
    const shape s = {20, 16, {60, 10}, false};
    problem p = make_problem(s);
    place_pieces(&p, s);
    for (int i = 0; i < 2; i++) p.piece[i].dk = p.piece[i].dv = NULL;
    p.o.dq = NULL;
    foci_kernel()->pieces_forward(&p.o, p.scratch);
    foci_kernel()->pieces_backward(&p.o, p.scratch);
    for (int64_t i = 0; i < 20 * 19; i++) assert_true(p.dq[i] == noise(6, i));
    for (int64_t i = 0; i < 70 * 16; i++) assert_true(p.sums[0][i] == noise(10, i) && p.sums[1][i] == noise(11, i));
    free_problem(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(sizes), cmocka_unit_test(gradients_that_nobody_wants)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
