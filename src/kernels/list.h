/* FOCI_KERNEL(name, (arguments)): the body is `static void name(arguments)` in one of the body_*.h files.
 * No include guard: included wherever the list is needed.
 * x, y: input and output; `accumulate`: add to the output instead of overwriting it; ld: elements from row to row. */

/* body_elementwise.h */
FOCI_KERNEL(add, (int64_t n, const real *a, const real *b, real *y))
FOCI_KERNEL(scale, (int64_t n, real factor, const real *x, real *y, bool accumulate))
FOCI_KERNEL(lerp, (int64_t n, real weight, const real *x, real *y)) /* y += weight (x - y) */
FOCI_KERNEL(relu, (int64_t n, const real *x, real *y))
FOCI_KERNEL(relu_backward, (int64_t n, const real *y, const real *dy, real *dx, bool accumulate))
FOCI_KERNEL(sigmoid, (int64_t n, const real *x, real *y))
FOCI_KERNEL(sigmoid_backward, (int64_t n, const real *y, const real *dy, real *dx, bool accumulate))
FOCI_KERNEL(gelu, (int64_t n, const real *x, real *y))
FOCI_KERNEL(gelu_backward, (int64_t n, const real *x, const real *dy, real *dx, bool accumulate))
/* y = gelu(x), and its backward */
FOCI_KERNEL(gelu_again, (int64_t n, const real *x, const real *dy, real *y, real *dx))
FOCI_KERNEL(gelu_tanh, (int64_t n, const real *x, real *y))
FOCI_KERNEL(gelu_tanh_again, (int64_t n, const real *x, const real *dy, real *y, real *dx))
/* y = silu(gate) up, and its backward */
FOCI_KERNEL(swiglu, (int64_t n, const real *gate, const real *up, real *y))
FOCI_KERNEL(swiglu_again,
            (int64_t n, const real *gate, const real *up, const real *dy, real *y, real *dgate, real *dup))
/* x (rows, columns) -> y (columns, rows) */
FOCI_KERNEL(turn_matrix, (int64_t rows, int64_t columns, const real *x, int64_t ldx, real *y, int64_t ldy))

/* body_sums.h: in double, or by columns */
FOCI_KERNEL(sum, (int64_t n, const real *x, double *sum))
FOCI_KERNEL(sum_squares, (int64_t n, const real *x, double *sum))
FOCI_KERNEL(dot, (int64_t n, const real *a, const real *b, double *sum))
FOCI_KERNEL(double_dot, (int64_t n, const double *a, const double *b, double *sum))
FOCI_KERNEL(column_sums, (int64_t rows, int64_t c, const real *x, int64_t ld, real *sum)) /* sum (c) += */

/* body_norm.h: x (rows, c); weight, bias (c) or NULL; mean, rstd (rows) */
FOCI_KERNEL(layer_norm, (int64_t rows, int64_t c, const real *x, const real *weight, const real *bias, double eps,
                         real *y, real *mean, real *rstd))
FOCI_KERNEL(layer_norm_backward, (int64_t rows, int64_t c, const real *x, const real *weight, const real *mean,
                                  const real *rstd, const real *dy, real *dx, bool accumulate))
FOCI_KERNEL(layer_norm_sums, (int64_t rows, int64_t c, const real *x, const real *mean, const real *rstd,
                              const real *dy, real *dweight, real *dbias)) /* dweight, dbias (c) += */
FOCI_KERNEL(rms_norm,
            (int64_t rows, int64_t c, const real *x, const real *weight, double eps, real factor, real *y, real *rstd))
/* dx or dweight may be NULL; dweight (c) += */
FOCI_KERNEL(rms_norm_backward, (int64_t rows, int64_t c, const real *x, const real *weight, real factor,
                                const real *rstd, const real *dy, real *dx, bool accumulate, real *dweight))
/* by columns: mean, factor, bias, sum, moment, even, slope (c) */
FOCI_KERNEL(column_squares, (int64_t rows, int64_t c, const real *x, const real *mean, real *sum))
FOCI_KERNEL(batch_norm,
            (int64_t rows, int64_t c, const real *x, const real *mean, const real *factor, const real *bias, real *y))
FOCI_KERNEL(batch_norm_sums,
            (int64_t rows, int64_t c, const real *x, const real *mean, const real *dy, real *sum, real *moment))
FOCI_KERNEL(batch_norm_backward, (int64_t rows, int64_t c, const real *x, const real *mean, const real *dy,
                                  const real *factor, const real *even, const real *slope, real *dx, bool accumulate))

/* body_softmax.h: over the c elements of each row */
FOCI_KERNEL(softmax, (int64_t rows, int64_t c, const real *x, real *y))
FOCI_KERNEL(softmax_backward, (int64_t rows, int64_t c, const real *y, const real *dy, real *dx, bool accumulate))
/* of one row that dropout made `kept` of: dx = kept dy - y sum(kept dy) */
FOCI_KERNEL(softmax_dropout_backward, (int64_t c, const real *y, const real *kept, const real *dy, real *dx))
FOCI_KERNEL(log_softmax, (int64_t rows, int64_t c, const real *x, real *y))
FOCI_KERNEL(log_softmax_backward, (int64_t rows, int64_t c, const real *y, const real *dy, real *dx, bool accumulate))
/* Running log-sum-exp: max (rows) starts at -inf, sum (rows) at 0; afterwards lse = max + log(sum). */
FOCI_KERNEL(exp_sums, (int64_t rows, int64_t c, const real *x, int64_t ld, real *max, real *sum))
/* Down the columns of x (words, rows), a tile of their words: x = exp(x + bias - max), bias (words) or NULL; max, sum
 * (rows) are the tile's. Then lse (rows) from those of all tiles, (tiles, rows); then x = d exp(x - lse), sums (words)
 * += its row sums, or NULL; d, lse (rows), and max and sum are used up. */
FOCI_KERNEL(column_exp, (int64_t words, int64_t rows, real *x, int64_t ld, const real *bias, real *max, real *sum))
FOCI_KERNEL(column_lse, (int64_t tiles, int64_t rows, const real *max, real *sum, real *lse))
FOCI_KERNEL(column_softmax,
            (int64_t words, int64_t rows, real *x, int64_t ld, real *max, const real *lse, const real *d, real *sums))
/* One row: dx = factor (total exp(x - lse) - soft - uniform); soft (c) or NULL */
FOCI_KERNEL(cross_entropy_backward, (int64_t c, const real *x, real lse, real total, const real *soft, real uniform,
                                     real factor, real *dx, bool accumulate))

/* body_blend.h: the losses of pixels between two cells, added to *loss; scratch (2 + FOCI_STRETCH, classes filled up)
 */
FOCI_KERNEL(stretch_cross_entropy, (const foci_stretch *o, double *loss, real *scratch))

/* body_features.h: elu(x) + 1; rows of a given length, the inner product of dy and y beside; elu(x) + 1 over its sum,
 * scratch (n); features turned by a position's angle; those of a performer, in place */
FOCI_KERNEL(elu_one, (int64_t n, const real *x, real *y))
FOCI_KERNEL(elu_one_backward, (int64_t n, const real *y, const real *dy, real *dx, bool accumulate))
FOCI_KERNEL(normalise, (int64_t n, real length, const real *x, real *y))
FOCI_KERNEL(normalise_backward,
            (int64_t n, real length, const real *x, const real *dy, real *dx, bool accumulate, real *inner))
FOCI_KERNEL(elu_shares, (int64_t n, const real *x, real *y))
FOCI_KERNEL(elu_shares_backward,
            (int64_t n, const real *x, const real *y, const real *dy, real *dx, bool accumulate, real *scratch))
FOCI_KERNEL(turned_features, (int64_t n, real c, real s, const real *x, real *y))
FOCI_KERNEL(turned_features_backward,
            (int64_t n, real c, real s, const real *x, const real *dy, real *dx, bool accumulate))
/* rows turned by their positions */
FOCI_KERNEL(turn, (int64_t n, const real *metric, const real *angles, const real *x, real *y))
FOCI_KERNEL(turn_back, (int64_t n, const real *metric, const real *angles, const real *dy, real *dx, bool accumulate))
FOCI_KERNEL(largest, (int64_t n, const real *x, real *result))
FOCI_KERNEL(exp_features, (int64_t n, real sign, real less, real eps, real factor, const real *y, real *out))
FOCI_KERNEL(exp_features_backward, (int64_t n, real sign, real eps, real factor, const real *out, const real *dout,
                                    real *dy, bool accumulate, real *total))
FOCI_KERNEL(relu_features, (int64_t n, real eps, real *y))
FOCI_KERNEL(relu_features_backward, (int64_t n, real eps, const real *out, const real *dout, real *dy))

/* body_channels.h: a factor (c) for each channel; channel attention of one head, scratch (2 D + N) */
FOCI_KERNEL(gate, (int64_t rows, int64_t c, const real *x, int64_t x_row, const real *factor, real *y, int64_t y_row,
                   bool accumulate))
FOCI_KERNEL(gate_sums,
            (int64_t rows, int64_t c, const real *x, int64_t x_row, const real *dy, int64_t dy_row, real *sum))
FOCI_KERNEL(channel_gate, (const foci_channel_head *h, real *scratch))
FOCI_KERNEL(channel_gate_backward, (const foci_channel_head *h, real *scratch))

/* body_convolution.h: one line of a depthwise convolution, weight (9, channels), bias (channels) or NULL */
FOCI_KERNEL(depthwise, (const foci_depthwise_line *l, const real *weight, const real *bias, real *y, bool accumulate))
FOCI_KERNEL(depthwise_sums, (const foci_depthwise_line *l, const real *dy, real *sum)) /* sum (10, channels) += */
/* body_features.h: x (n) = exp(factor (2 x - own - length)), at most 1: of inner products, a Gaussian kernel */
FOCI_KERNEL(gaussians, (int64_t n, real factor, real own, const real *length, real *x))

/* body_dropout.h */
FOCI_KERNEL(dropout, (int64_t n, const foci_dropout_mask *mask, const real *x, real *y, bool accumulate))

/* body_optimizer.h: one pass over a range of parameters */
FOCI_KERNEL(adam, (int64_t n, real *theta, const real *grad, real *m, real *v, const foci_adam_step *step))
FOCI_KERNEL(sgd, (int64_t n, real *theta, const real *grad, real *momentum, const foci_sgd_step *step))

/* body_gemm.h: b (depth, columns) to panels, the last filled up; scratch (FOCI_GEMM_DEPTH * FOCI_GEMM_COLUMNS), 64-byte
 * aligned */
FOCI_KERNEL(gemm_pack, (const foci_matrix *b, int64_t depth, int64_t columns, real *to))
FOCI_KERNEL(gemm, (const foci_product *p, real *scratch))
/* body_few.h: the same bits; at most FOCI_GEMM_FEW rows, a not transposed, b transposed */
FOCI_KERNEL(gemm_few, (const foci_product *p))

/* body_attention.h: one head; scratch as types.h says, 64-byte aligned */
FOCI_KERNEL(attention_forward, (const foci_attention_head *h, int64_t first_query, int64_t end_query, real *scratch))
FOCI_KERNEL(attention_backward, (const foci_attention_head *h, real *scratch))
FOCI_KERNEL(attention_map, (const foci_attention_head *h, real *map, real *scratch)) /* map (N, M) */

/* body_pieces.h: some queries and keys in pieces; scratch as types.h says, 64-byte aligned */
FOCI_KERNEL(pieces_forward, (const foci_attention_pieces *o, real *scratch))
FOCI_KERNEL(pieces_backward, (const foci_attention_pieces *o, real *scratch))

/* body_metric.h: one head */
FOCI_KERNEL(elliptical_metric, (const foci_metric_head *h, real *scratch))
FOCI_KERNEL(scale_metric, (int64_t width, foci_metric_scale scale, real *metric))

/* body_sinc.h: one query, q, radius (width), against keys (width, ld): width a multiple of 4, filled up with zeros */
FOCI_KERNEL(sinc_product, (int64_t keys, int64_t width, const real *q, const real *radius, const real *k, int64_t ld,
                           real *mantissa, real *exponent))
FOCI_KERNEL(sinc_weights, (int64_t keys, int64_t power, real top, const real *mantissa, const real *exponent, real *w))
FOCI_KERNEL(sinc_gradient, (int64_t keys, int64_t width, const real *q, const real *radius, const real *k, int64_t ld,
                            const real *g, real *dq, real *dk, double *dradius))

/* body_resample.h: y (n) = sum over the `count` rows of x (count, n), times their weights */
FOCI_KERNEL(resample, (int64_t n, int64_t count, const int *weight, const unsigned char *x, unsigned char *y))

/* body_peak.h */
FOCI_KERNEL(peak, (int64_t rounds, double *operations)) /* operations: floating-point operations done */
