/* The attention kernels of every instruction set here, against the formula written out in double. */
#include <math.h>

#include "dropped.h"
#include "kernels/bf16.h"
#include "kernels/kernels.h"
#include "noise.h"

enum { HEADS = 2 };

typedef struct shape {
    int64_t tokens, width; /* queries; of queries and keys */
    bool causal, bias;
    double dropout;
    int metric;                /* 0 none, 1 per head, 2 per position */
    bool add;                  /* gradients add to what is there */
    int64_t keys, value_width; /* 0: the same */
    bool key_bias, dlog_sum, score_factor;
} shape;

static int64_t keys_of(shape s) { return s.keys ? s.keys : s.tokens; }
static int64_t value_width_of(shape s) { return s.value_width ? s.value_width : s.width; }
static int64_t layout_of(shape s, bool backward, bool bf16) {
    return foci_attention_layout_of(keys_of(s), s.width, value_width_of(s), backward, bf16).reals;
}

/* ------------------------------------------------------------------------------------------------- oracle */

typedef struct answer {
    double *out, *log_sum, *dq, *dk, *dv, *dkey_bias, *dscore_factor, *map; /* map (N, M) without dropout */
} answer;

static double *zeros(int64_t n) {
    double *x = calloc((size_t)n, sizeof *x);
    assert_non_null(x);
    return x;
}

static double factor_of(const foci_attention_head *h, int64_t i, int64_t j) {
    const foci_dropout_mask *m = &h->dropout;
    const int64_t row = (h->keys + 7) / 8 * 8;
    return dropped(m, m->first + (uint64_t)(i * row + j)) ? 0 : m->factor;
}

static answer oracle(const foci_attention_head *h) {
    const int64_t n = h->queries, m = h->keys, d = h->width, e = h->value_width;
    answer a = {zeros(n * e), zeros(n), zeros(n * d), zeros(m * d), zeros(m * e), zeros(m), zeros(n * m), zeros(n * m)};
    const real *q = h->q.first, *k = h->k.first, *v = h->v.first, *dout = h->dout.first;
    double *dp = zeros(m);
    for (int64_t i = 0; i < n; i++) {
        const int64_t seen = h->causal ? i + 1 : m;
        double *p = a.map + i * m, top = -INFINITY, sum = 0, delta = 0;
        for (int64_t j = 0; j < seen; j++) {
            for (int64_t c = 0; c < d; c++) {
                double metric = h->metric ? h->metric[i * h->metric_row + c] : 1;
                p[j] += h->scale * metric * q[i * h->q_row + c] * k[j * h->k_row + c];
            }
            if (h->score_factor) p[j] *= h->score_factor[j * h->score_factor_row + i];
            if (h->bias) p[j] += h->bias[j];
            if (h->key_bias) p[j] += h->key_bias[j];
            top = fmax(top, p[j]);
        }
        for (int64_t j = 0; j < seen; j++) sum += p[j] = exp(p[j] - top);
        a.log_sum[i] = top + log(sum);
        for (int64_t j = 0; j < seen; j++) {
            p[j] /= sum;
            const double f = factor_of(h, i, j);
            dp[j] = 0;
            for (int64_t c = 0; c < e; c++) {
                a.out[i * e + c] += p[j] * f * v[j * h->v_row + c];
                a.dv[j * e + c] += p[j] * f * dout[i * h->dout_row + c];
                dp[j] += f * dout[i * h->dout_row + c] * v[j * h->v_row + c];
            }
            delta += p[j] * dp[j];
        }
        if (h->dlog_sum) delta -= h->dlog_sum[i * h->dout_row];
        for (int64_t j = 0; j < seen; j++) a.dkey_bias[j] += p[j] * (dp[j] - delta);
        for (int64_t j = 0; j < seen; j++)
            for (int64_t c = 0; c < d; c++) {
                double metric = h->metric ? h->metric[i * h->metric_row + c] : 1;
                double ds = h->scale * metric * p[j] * (dp[j] - delta);
                if (h->score_factor) {
                    a.dscore_factor[i * m + j] += ds * q[i * h->q_row + c] * k[j * h->k_row + c];
                    ds *= h->score_factor[j * h->score_factor_row + i];
                }
                a.dq[i * d + c] += ds * k[j * h->k_row + c];
                a.dk[j * d + c] += ds * q[i * h->q_row + c];
            }
    }
    free(dp);
    return a;
}

static void free_answer(answer *a) {
    free(a->out), free(a->log_sum), free(a->dq), free(a->dk), free(a->dv), free(a->dkey_bias), free(a->dscore_factor),
        free(a->map);
}

/* --------------------------------------------------------------------------------------------- comparison */

/* Head 1 of a packed projection (N or M, 3 HEADS D or E, the wider), so that every matrix is a part of longer rows. */
typedef struct problem {
    foci_attention_head h;
    real *qkv, *metric, *bias, *key_bias, *out, *log_sum, *dout, *dqkv, *dkey_bias, *score_factor, *dscore_factor,
        *scratch;
} problem;

static problem make_problem(shape s) {
    const int64_t n = s.tokens, m = keys_of(s), longer = n > m ? n : m, e = value_width_of(s);
    const int64_t d = s.width > e ? s.width : e, wide = 3 * HEADS * d, joined = HEADS * e;
    const int64_t reals = layout_of(s, true, false), pairs = layout_of(s, true, true);
    const int64_t scratch = reals > pairs ? reals : pairs;
    problem p = {.qkv = noisy(1, longer * wide),
                 .metric = noisy(2, n * d),
                 .bias = noisy(3, m),
                 .key_bias = noisy(8, m),
                 .dkey_bias = noisy(9, m),
                 .score_factor = noisy(11, m * (n + 16)),
                 .dscore_factor = noisy(12, m * (n + 16)),
                 .out = noisy(4, n * joined),
                 .log_sum = noisy(5, n),
                 .dout = noisy(6, n * joined),
                 .dqkv = noisy(7, longer * wide)};
    p.scratch = aligned_alloc(64, (size_t)scratch * sizeof(real));
    assert_non_null(p.scratch);
    memset(p.scratch, 0xff, (size_t)scratch * sizeof(real)); /* NaN: whoever reads before writing is found out */
    p.h =
        (foci_attention_head){.queries = n,
                              .keys = m,
                              .width = s.width,
                              .value_width = e,
                              .q = foci_reals(p.qkv + d),
                              .k = foci_reals(p.qkv + (HEADS + 1) * d),
                              .v = foci_reals(p.qkv + (2 * HEADS + 1) * d),
                              .q_row = wide,
                              .k_row = wide,
                              .v_row = wide,
                              .metric = s.metric ? p.metric : NULL,
                              .metric_row = s.metric == 2 ? d : 0,
                              .bias = s.bias ? p.bias : NULL,
                              .key_bias = s.key_bias ? p.key_bias : NULL,
                              .dlog_sum = s.dlog_sum ? p.dout : NULL,
                              .score_factor = s.score_factor ? p.score_factor : NULL,
                              .dscore_factor = s.score_factor ? p.dscore_factor : NULL,
                              .score_factor_row = n + 16,
                              .dkey_bias = s.key_bias ? p.dkey_bias : NULL,
                              .add_dkey_bias = s.add,
                              .scale = (real)(1 / sqrt((double)s.width)),
                              .causal = s.causal,
                              .dropout = {9, 8, 7, 12344, (uint32_t)(s.dropout * 0x1p16), (real)(1 / (1 - s.dropout))},
                              .out = foci_reals(p.out + e),
                              .out_row = joined,
                              .log_sum = p.log_sum,
                              .dout = foci_reals(p.dout + e),
                              .dout_row = joined,
                              .dq = foci_reals(p.dqkv + d),
                              .dk = foci_reals(p.dqkv + (HEADS + 1) * d),
                              .dv = foci_reals(p.dqkv + (2 * HEADS + 1) * d),
                              .dq_row = wide,
                              .dk_row = wide,
                              .dv_row = wide,
                              .add_dq = s.add,
                              .add_dk = s.add,
                              .add_dv = s.add};
    for (int64_t i = 0; i < n * d; i++) p.metric[i] = (real)fabs(p.metric[i]);
    for (int64_t i = 0; i < m * (n + 16); i++) p.score_factor[i] = (real)(1 / (1 + exp(-(double)p.score_factor[i])));
    return p;
}

static void free_problem(problem *p) {
    free(p->qkv), free(p->metric), free(p->bias), free(p->key_bias), free(p->dkey_bias), free(p->score_factor),
        free(p->dscore_factor), free(p->out), free(p->log_sum), free(p->dout), free(p->dqkv), free(p->scratch);
}

/* got (rows, width) must be before (or 0) + want. */
static void compare(const char *what, const real *got, int64_t row, const double *want, int64_t rows, int64_t width,
                    uint64_t before, int64_t offset) {
    for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < width; c++) {
            double expected = want[i * width + c] + (before ? noise(before, offset + i * row + c) : 0);
            double error = fabs(got[i * row + c] - expected);
            if (!(error <= 1e-5 * (1 + fabs(expected))))
                fail_msg("%s[%d][%d] is %.9g, not %.9g", what, (int)i, (int)c, (double)got[i * row + c], expected);
        }
}

static void check(shape s) {
    for (foci_isa isa = 0; isa < FOCI_ISA_COUNT; isa++) {
        const foci_kernels *k = foci_kernels_of(isa);
        if (!k) continue;
        problem p = make_problem(s);
        answer a = oracle(&p.h);
        const int64_t n = s.tokens, m = keys_of(s), d = s.width, e = value_width_of(s);
        const int64_t wide = p.h.q_row, joined = HEADS * e, head = (const real *)p.h.q.first - p.qkv;
        k->attention_forward(&p.h, 0, n, p.scratch);
        compare("out", p.h.out.first, joined, a.out, n, e, 0, 0);
        compare("log_sum", p.h.log_sum, 1, a.log_sum, n, 1, 0, 0);
        k->attention_backward(&p.h, p.scratch);
        compare("dq", p.h.dq.first, wide, a.dq, n, d, s.add ? 7 : 0, head);
        compare("dk", p.h.dk.first, wide, a.dk, m, d, s.add ? 7 : 0, (HEADS + 1) * head);
        compare("dv", p.h.dv.first, wide, a.dv, m, e, s.add ? 7 : 0, (2 * HEADS + 1) * head);
        if (s.key_bias) compare("dkey_bias", p.h.dkey_bias, 1, a.dkey_bias, m, 1, s.add ? 9 : 0, 0);
        for (int64_t i = 0; i < n * m && s.score_factor; i++) {
            const int64_t at = i % m * (n + 16) + i / m;
            assert_close(p.dscore_factor[at] - noise(12, at), a.dscore_factor[i],
                         2e-5 * (1 + fabs(a.dscore_factor[i])));
        }
        real *map = noisy(10, n * m);
        k->attention_map(&p.h, map, p.scratch);
        compare("map", map, m, a.map, n, m, 0, 0);
        for (int64_t i = 0; i < n; i++) { /* head 0 was not touched */
            for (int64_t c = 0; c < e; c++) assert_true(p.out[i * joined + c] == noise(4, i * joined + c));
            for (int64_t c = 0; c < d; c++) assert_true(p.dqkv[i * wide + c] == noise(7, i * wide + c));
        }
        free(map);
        free_answer(&a);
        free_problem(&p);
    }
}

/* `s` with every number of tokens and every width. */
static void check_sizes(shape s) {
    static const int64_t tokens[] = {1, 2, 7, 48, 65, 197, 300}, widths[] = {8, 16, 20, 48, 64, 128};
    for (size_t n = 0; n < sizeof tokens / sizeof *tokens; n++)
        for (size_t d = 0; d < sizeof widths / sizeof *widths; d++) {
            s.tokens = tokens[n];
            s.width = widths[d];
            check(s);
        }
}

static void plain(void **state) {
    (void)state;
    check_sizes((shape){0});
}
static void causal(void **state) {
    (void)state;
    check_sizes((shape){.causal = true});
}
static void with_bias(void **state) {
    (void)state;
    check_sizes((shape){.bias = true});
}
static void with_dropout(void **state) {
    (void)state;
    check_sizes((shape){.dropout = 0.3});
}
static void metric_of_head(void **state) {
    (void)state;
    check_sizes((shape){.metric = 1});
}
static void metric_of_position(void **state) {
    (void)state;
    check_sizes((shape){.metric = 2, .causal = true});
}
static void gradients_add(void **state) {
    (void)state;
    check_sizes((shape){.metric = 1, .add = true});
}
static void other_keys_and_widths(void **state) {
    (void)state;
    static const int64_t keys[] = {3, 7, 48, 65, 300}, widths[] = {1, 8, 20, 64};
    for (int i = 0; i < 5 * 4; i++) {
        for (int64_t tokens = 1; tokens < 200; tokens += 64)
            check(
                (shape){tokens, 20, .keys = keys[i % 5], .value_width = widths[i / 5], .bias = i % 2, .metric = i % 3});
        check((shape){65, 20, .causal = true, .value_width = widths[i / 5], .dropout = 0.2});
        check((shape){65, widths[i / 5], .keys = keys[i % 5], .dropout = 0.2, .add = true});
    }
}
static void key_bias_and_log_sums(void **state) {
    (void)state;
    check_sizes((shape){.key_bias = true, .dlog_sum = true});
    check_sizes((shape){.key_bias = true, .causal = true, .add = true});
    check((shape){65, 20, .key_bias = true, .bias = true, .dlog_sum = true, .dropout = 0.2, .keys = 270});
}
static void factor_of_scores(void **state) {
    (void)state;
    check_sizes((shape){.score_factor = true});
    check((shape){65, 20, .score_factor = true, .causal = true, .key_bias = true, .dropout = 0.2, .metric = 1});
    check((shape){50, 20, .score_factor = true, .keys = 270, .bias = true, .add = true, .dlog_sum = true});
}
static void all_together(void **state) {
    (void)state;
    check((shape){65, 20, true, true, 0.2, 2, true});
    check((shape){600, 16, true, true, 0.2, 2, false}); /* three tiles of keys */
    check((shape){1, 1});
    check((shape){3, 1, true, true, 0.9, 1, true});
}

/* ----------------------------------------------------------------------------------------------- bfloat16 */

/* Operands are rounded by at most 2^-9 of themselves, at random, and sums cancel in part: the whole is off by less than
 * 3 %. */
static void nearly(const char *what, const real *got, int64_t row, const double *want, int64_t rows, int64_t width,
                   uint64_t before, int64_t offset) {
    double error = 0, size = 0;
    for (int64_t i = 0; i < rows; i++)
        for (int64_t c = 0; c < width; c++) {
            const double x = want[i * width + c], there = before ? noise(before, offset + i * row + c) : 0;
            error += pow(got[i * row + c] - there - x, 2);
            size += x * x;
        }
    if (!(sqrt(error) <= 0.03 * sqrt(size)))
        fail_msg("%s (%d, %d) is off by %g of %g", what, (int)rows, (int)width, sqrt(error), sqrt(size));
}

static void check_bf16(shape s) {
    problem p = make_problem(s);
    answer a = oracle(&p.h);
    const int64_t wide = p.h.q_row, head = (const real *)p.h.q.first - p.qkv, m = keys_of(s), e = value_width_of(s);
    foci_bf16_attention_forward(&p.h, 0, s.tokens, p.scratch);
    nearly("out", p.h.out.first, p.h.out_row, a.out, s.tokens, e, 0, 0);
    foci_bf16_attention_backward(&p.h, p.scratch);
    nearly("dq", p.h.dq.first, wide, a.dq, s.tokens, s.width, s.add ? 7 : 0, head);
    nearly("dk", p.h.dk.first, wide, a.dk, m, s.width, s.add ? 7 : 0, (HEADS + 1) * head);
    nearly("dv", p.h.dv.first, wide, a.dv, m, e, s.add ? 7 : 0, (2 * HEADS + 1) * head);
    if (s.key_bias) nearly("dkey_bias", p.h.dkey_bias, 1, a.dkey_bias, m, 1, s.add ? 9 : 0, 0);
    free_answer(&a);
    free_problem(&p);
}

static void in_bf16(void **state) {
    (void)state;
    if (!foci_bf16_supported()) {
        print_message("no AVX512-BF16 here\n");
        skip();
    }
    static const int64_t tokens[] = {7, 48, 65, 197, 300}, widths[] = {3, 8, 16, 20, 24, 48, 64, 128};
    for (size_t n = 0; n < sizeof tokens / sizeof *tokens; n++)
        for (size_t d = 0; d < sizeof widths / sizeof *widths; d++) {
            check_bf16((shape){tokens[n], widths[d]});
            check_bf16((shape){tokens[n], widths[d], .causal = true, .metric = 2, .dropout = 0.2});
            check_bf16((shape){tokens[n], widths[d], .bias = true, .metric = 1, .add = true});
            check_bf16((shape){tokens[n], widths[d], .keys = 77, .value_width = 72 - widths[d] / 2});
            check_bf16((shape){tokens[n], widths[d], .key_bias = true, .dlog_sum = true});
            check_bf16((shape){tokens[n], widths[d], .score_factor = true});
        }
}

/* -------------------------------------------------------------------------------- rows that lie in bfloat16 */

/* Of a matrix of n numbers: rounded, and what that is as reals, which takes its place. */
static uint16_t *rounded(real *x, int64_t n) {
    uint16_t *half = malloc((size_t)n * sizeof *half);
    assert_non_null(half);
    foci_bf16_round(1, n, x, n, half, n);
    foci_bf16_widen(1, n, half, n, x, n);
    return half;
}

/* The same place in the rounded matrix. */
static foci_numbers in_half(foci_numbers part, const real *whole, const uint16_t *half) {
    return (foci_numbers){half + ((const real *)part.first - whole), true};
}

/* As if reals had been rounded behind the kernel, bit for bit; k NULL: with operands in bfloat16 */
static void check_rounded(shape s, const foci_kernels *k) {
    problem p = make_problem(s);
    const int64_t wide = p.h.q_row, outs = s.tokens * p.h.out_row,
                  all = (s.tokens > p.h.keys ? s.tokens : p.h.keys) * wide;
    foci_attention_head h = p.h;
    uint16_t *qkv = rounded(p.qkv, all), *dout = rounded(p.dout, outs), *out = rounded(p.out, outs),
             *gradient = rounded(p.dqkv, all);
    h.q = in_half(h.q, p.qkv, qkv), h.k = in_half(h.k, p.qkv, qkv), h.v = in_half(h.v, p.qkv, qkv);
    h.dq = in_half(h.dq, p.dqkv, gradient), h.dk = in_half(h.dk, p.dqkv, gradient);
    h.dv = in_half(h.dv, p.dqkv, gradient);
    h.out = in_half(h.out, p.out, out), h.dout = in_half(h.dout, p.dout, dout);
    void (*forward)(const foci_attention_head *, int64_t, int64_t, real *) =
        k ? k->attention_forward : foci_bf16_attention_forward;
    void (*backward)(const foci_attention_head *, real *) = k ? k->attention_backward : foci_bf16_attention_backward;
    forward(&h, 0, s.tokens, p.scratch);
    forward(&p.h, 0, s.tokens, p.scratch);
    uint16_t *want = rounded(p.out, outs);
    assert_memory_equal(out, want, (size_t)outs * sizeof *out);
    backward(&h, p.scratch);
    backward(&p.h, p.scratch);
    uint16_t *want_gradient = rounded(p.dqkv, all);
    assert_memory_equal(gradient, want_gradient, (size_t)all * sizeof *gradient);
    free(qkv), free(dout), free(out), free(gradient), free(want), free(want_gradient);
    free_problem(&p);
}

static void rows_in_bf16(void **state) {
    (void)state;
    if (!foci_bf16_supported()) {
        print_message("no AVX512-BF16 here\n");
        skip();
    }
    static const int64_t tokens[] = {1, 48, 65, 300}, widths[] = {3, 16, 20, 32, 48, 64};
    for (int i = 0; i < 4 * 6 * 2; i++) {
        const foci_kernels *k = i % 2 ? foci_kernel() : NULL;
        const int64_t n = tokens[i / 2 % 4], d = widths[i / 8];
        check_rounded((shape){n, d}, k);
        check_rounded((shape){n, d, .causal = true, .metric = 2, .dropout = 0.2}, k);
        check_rounded((shape){n, d, .metric = 1, .keys = 77, .value_width = 72 - d / 2}, k);
    }
}

/* ------------------------------------------------------------------------------------------------ details */

static void forward_in_parts_is_the_same(void **state) {
    (void)state;
    for (int triangle = 0; triangle < 2; triangle++) {
        const shape s = {300, 16, .causal = triangle, .dropout = 0.1};
        problem whole = make_problem(s), parts = make_problem(s);
        const foci_kernels *k = foci_kernel();
        k->attention_forward(&whole.h, 0, 300, whole.scratch);
        for (int64_t first = 0, end; first < 300; first = end) {
            end = first + FOCI_ATTENTION_QUERIES < 300 ? first + FOCI_ATTENTION_QUERIES : 300;
            k->attention_forward(&parts.h, first, end, parts.scratch);
        }
        assert_memory_equal(whole.out, parts.out, 300 * HEADS * 16 * sizeof(real));
        assert_memory_equal(whole.log_sum, parts.log_sum, 300 * sizeof(real));
        free_problem(&whole);
        free_problem(&parts);
    }
}

/* The kernels write nothing behind what foci_attention_layout_of counts. */
static void check_scratch(shape s, const foci_kernels *k, bool backward) {
    enum { BEHIND = 256 };
    const size_t reals = (size_t)layout_of(s, backward, !k);
    problem p = make_problem(s);
    real *scratch = aligned_alloc(64, (reals + BEHIND) * sizeof *scratch), untouched[BEHIND];
    assert_non_null(scratch);
    memset(scratch, 0xff, (reals + BEHIND) * sizeof *scratch);
    memset(untouched, 0xff, sizeof untouched);
    if (backward) (k ? k->attention_backward : foci_bf16_attention_backward)(&p.h, scratch);
    else (k ? k->attention_forward : foci_bf16_attention_forward)(&p.h, 0, s.tokens, scratch);
    assert_memory_equal(scratch + reals, untouched, sizeof untouched);
    free(scratch);
    free_problem(&p);
}

static void scratch_is_what_the_layout_says(void **state) {
    (void)state;
    static const int64_t tokens[] = {1, 47, 65, 300}, widths[] = {3, 16, 20, 24, 64};
    for (int i = 0; i < 4 * 5 * 4; i++) {
        const shape s = {tokens[i / 2 % 4], widths[i / 8 % 5],   .dropout = 0.1, .value_width = i < 40 ? 0 : 24,
                         .key_bias = true,  .score_factor = true};
        for (foci_isa isa = 0; isa < FOCI_ISA_COUNT; isa++)
            if (foci_kernels_of(isa)) check_scratch(s, foci_kernels_of(isa), i % 2);
        if (foci_bf16_supported()) check_scratch(s, NULL, i % 2);
    }
}

/* Segmenter's keys attend to keys: one matrix, and one gradient that both parts add up in. */
static void queries_that_are_keys(void **state) {
    (void)state;
    problem p = make_problem((shape){65, 16});
    p.h.q = p.h.k;
    p.h.dq = p.h.dk;
    p.h.add_dk = true;
    answer a = oracle(&p.h);
    for (int64_t i = 0; i < 65 * 16; i++) a.dk[i] += a.dq[i];
    foci_kernel()->attention_forward(&p.h, 0, 65, p.scratch);
    foci_kernel()->attention_backward(&p.h, p.scratch);
    compare("dk", p.h.dk.first, p.h.dk_row, a.dk, 65, 16, 0, 0);
    free_answer(&a);
    free_problem(&p);
}

static void gradients_that_nobody_wants(void **state) {
    (void)state;
    for (int unwanted = 0; unwanted < 8; unwanted++) {
        problem p = make_problem((shape){65, 16});
        answer a = oracle(&p.h);
        if (unwanted & 1) p.h.dq.first = NULL;
        if (unwanted & 2) p.h.dk.first = NULL;
        if (unwanted & 4) p.h.dv.first = NULL;
        foci_kernel()->attention_forward(&p.h, 0, 65, p.scratch);
        foci_kernel()->attention_backward(&p.h, p.scratch);
        if (p.h.dq.first) compare("dq", p.h.dq.first, p.h.dq_row, a.dq, 65, 16, 0, 0);
        if (p.h.dk.first) compare("dk", p.h.dk.first, p.h.dk_row, a.dk, 65, 16, 0, 0);
        if (p.h.dv.first) compare("dv", p.h.dv.first, p.h.dv_row, a.dv, 65, 16, 0, 0);
        free_answer(&a);
        free_problem(&p);
    }
}

/* Padding: keys at -inf or far below weigh nothing, even a whole tile of them; a row that sees none gives
 * zeros. */
static void masked_keys(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        const bool all = i % 2, of_head = i > 1;
        problem p = make_problem((shape){300, 8, .bias = !of_head, .key_bias = of_head});
        real *bias = of_head ? p.key_bias : p.bias;
        for (int64_t j = 0; j < 300; j++) bias[j] = all || j < 270 ? (j % 2 && !all ? (real)-1e6 : -INFINITY) : 0;
        foci_kernel()->attention_forward(&p.h, 0, 300, p.scratch);
        foci_kernel()->attention_backward(&p.h, p.scratch);
        const real *out = p.h.out.first, *dq = p.h.dq.first, *dk = p.h.dk.first, *dv = p.h.dv.first;
        for (int64_t j = 0; j < 300; j++)
            for (int64_t c = 0; c < 8; c++) {
                assert_true(isfinite(out[j * p.h.out_row + c]));
                assert_true(isfinite(dq[j * p.h.dq_row + c]));
                if (all) assert_true(out[j * p.h.out_row + c] == 0);
                if (all || j < 270) assert_true(dv[j * p.h.dv_row + c] == 0 && dk[j * p.h.dk_row + c] == 0);
                if (of_head && (all || j < 270)) assert_true(p.dkey_bias[j] == 0);
            }
        if (!all) {
            answer a = oracle(&p.h);
            compare("out", p.h.out.first, p.h.out_row, a.out, 300, 8, 0, 0);
            free_answer(&a);
        }
        free_problem(&p);
    }
}

static void large_scores_do_not_overflow(void **state) {
    (void)state;
    problem p = make_problem((shape){65, 16});
    p.h.scale = 300;
    answer a = oracle(&p.h);
    foci_kernel()->attention_forward(&p.h, 0, 65, p.scratch);
    for (int64_t i = 0; i < 65 * 16; i++) {
        double got = ((const real *)p.h.out.first)[i / 16 * p.h.out_row + i % 16];
        assert_close(got, a.out[i], 0.02); /* scores of thousands: the rounding of float is seen */
    }
    free_answer(&a);
    free_problem(&p);
}

static void not_a_number_shows(void **state) {
    (void)state;
    problem p = make_problem((shape){65, 16});
    p.qkv[(HEADS + 1) * 16] = NAN; /* of key 0 */
    foci_kernel()->attention_forward(&p.h, 0, 65, p.scratch);
    for (int64_t i = 0; i < 65; i++) assert_true(isnan(((const real *)p.h.out.first)[i * p.h.out_row]));
    free_problem(&p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain),
        cmocka_unit_test(causal),
        cmocka_unit_test(with_bias),
        cmocka_unit_test(with_dropout),
        cmocka_unit_test(metric_of_head),
        cmocka_unit_test(metric_of_position),
        cmocka_unit_test(gradients_add),
        cmocka_unit_test(other_keys_and_widths),
        cmocka_unit_test(key_bias_and_log_sums),
        cmocka_unit_test(factor_of_scores),
        cmocka_unit_test(all_together),
        cmocka_unit_test(in_bf16),
        cmocka_unit_test(rows_in_bf16),
        cmocka_unit_test(forward_in_parts_is_the_same),
        cmocka_unit_test(scratch_is_what_the_layout_says),
        cmocka_unit_test(queries_that_are_keys),
        cmocka_unit_test(gradients_that_nobody_wants),
        cmocka_unit_test(masked_keys),
        cmocka_unit_test(large_scores_do_not_overflow),
        cmocka_unit_test(not_a_number_shows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
