/* A factor for each channel: applied, summed up, and made by channel attention. Rows are `row` apart. */

static void gate(int64_t rows, int64_t c, const real *restrict x, int64_t x_row, const real *restrict factor,
                 real *restrict y, int64_t y_row, bool accumulate) {
    for (int64_t r = 0; r < rows; r++) {
        const real *a = x + r * x_row;
        real *b = y + r * y_row;
#pragma omp simd
        for (int64_t i = 0; i < c; i++) b[i] = (accumulate ? b[i] : 0) + factor[i] * a[i];
    }
}

/* sum (c) += of x dy down the rows */
static void gate_sums(int64_t rows, int64_t c, const real *restrict x, int64_t x_row, const real *restrict dy,
                      int64_t dy_row, real *restrict sum) {
    for (int64_t r = 0; r < rows; r++) {
        const real *a = x + r * x_row, *d = dy + r * dy_row;
#pragma omp simd
        for (int64_t i = 0; i < c; i++) sum[i] += a[i] * d[i];
    }
}

/* lse (c) = log of the sum of exp(x) down the rows; scratch (c) */
static void log_sums_down(int64_t rows, int64_t c, const real *restrict x, int64_t row, real *restrict lse,
                          real *restrict scratch) {
    for (int64_t i = 0; i < c; i++) lse[i] = x[i], scratch[i] = 0;
    for (int64_t r = 1; r < rows; r++) {
#pragma omp simd
        for (int64_t i = 0; i < c; i++) lse[i] = x[r * row + i] > lse[i] ? x[r * row + i] : lse[i];
    }
    for (int64_t r = 0; r < rows; r++) {
#pragma omp simd
        for (int64_t i = 0; i < c; i++) scratch[i] += exp_(x[r * row + i] - lse[i]);
    }
    for (int64_t i = 0; i < c; i++) lse[i] += (real)log((double)scratch[i]);
}

/* Saves k_mean, the mean over the width of softmax(k) down the tokens, and sum = softmax(q)t k_mean. */
static void channel_gate(const foci_channel_head *h, real *restrict scratch) {
    const int64_t d = h->width;
    const real *q_lse = h->q_lse, *k_lse = h->k_lse;
    real *sum = h->sum;
    log_sums_down(h->tokens, d, h->q, h->q_row, h->q_lse, scratch);
    log_sums_down(h->tokens, d, h->k, h->k_row, h->k_lse, scratch);
    memset(sum, 0, (size_t)d * sizeof *sum);
    for (int64_t n = 0; n < h->tokens; n++) {
        const real *q = h->q + n * h->q_row, *k = h->k + n * h->k_row;
        real all = 0;
#pragma omp simd reduction(+ : all)
        for (int64_t i = 0; i < d; i++) all += exp_(k[i] - k_lse[i]);
        const real mean = h->k_mean[n] = all / (real)d;
#pragma omp simd
        for (int64_t i = 0; i < d; i++) sum[i] += exp_(q[i] - q_lse[i]) * mean;
    }
    for (int64_t i = 0; i < d; i++) h->gate[i] = h->temperature / (1 + exp_(-sum[i]));
}

/* da = dgate temperature s (1 - s), s = sigmoid(sum);  scratch (2 D + N): da, the k below, the gradient of k_mean
 *     dq_nd = Q_nd da_d (k_mean_n - sum_d),   dk_mean_n = sum over d of da_d Q_nd
 *     dk_nd = K_nd (dk_mean_n - sum over m of K_md dk_mean_m) / D            with Q, K the softmaxes down the tokens */
static void channel_gate_backward(const foci_channel_head *h, real *restrict scratch) {
    const int64_t d = h->width;
    const real *q_lse = h->q_lse, *k_lse = h->k_lse, *sum = h->sum;
    real *da = scratch, *along = da + d, *dmean = along + d;
    double dtemperature = 0;
    for (int64_t i = 0; i < d; i++) {
        const real s = 1 / (1 + exp_(-sum[i]));
        dtemperature += (double)(h->dgate[i] * s);
        da[i] = h->dgate[i] * h->temperature * s * (1 - s);
        along[i] = 0;
    }
    *h->dtemperature = (real)dtemperature;
    for (int64_t n = 0; n < h->tokens; n++) {
        const real *q = h->q + n * h->q_row, *k = h->k + n * h->k_row, mean = h->k_mean[n];
        real *dq = h->dq ? h->dq + n * h->dq_row : NULL, back = 0;
#pragma omp simd reduction(+ : back)
        for (int64_t i = 0; i < d; i++) back += da[i] * exp_(q[i] - q_lse[i]);
        dmean[n] = back;
#pragma omp simd
        for (int64_t i = 0; i < d; i++) along[i] += exp_(k[i] - k_lse[i]) * back;
        if (!dq) continue;
#pragma omp simd
        for (int64_t i = 0; i < d; i++)
            dq[i] = (h->add_dq ? dq[i] : 0) + exp_(q[i] - q_lse[i]) * da[i] * (mean - sum[i]);
    }
    for (int64_t n = 0; h->dk && n < h->tokens; n++) {
        const real *k = h->k + n * h->k_row, back = dmean[n];
        real *dk = h->dk + n * h->dk_row;
#pragma omp simd
        for (int64_t i = 0; i < d; i++)
            dk[i] = (h->add_dk ? dk[i] : 0) + exp_(k[i] - k_lse[i]) * (back - along[i]) / (real)d;
    }
}
