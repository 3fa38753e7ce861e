/* The metric of elliptical attention: how far the values of a head moved over one layer, along each
 * coordinate. */

enum { TOKENS = FOCI_METRIC_TOKENS }; /* at a time */

/* u (rows, D) of the tokens from `first` on; `room` holds four times as much. */
static void movement(const foci_metric_head *h, int64_t first, int64_t rows, real *room, real *restrict u) {
    const int64_t width = h->width, most = TOKENS * width;
    int64_t a_row = h->cur_row, b_row = h->prev_row, c_row = h->den_row, e_row = h->den_prev_row;
    const foci_numbers cur = foci_numbers_at(h->cur, first * a_row), prev = foci_numbers_at(h->prev, first * b_row);
    const real *a = reals_of(cur, &a_row, rows, width, room), *b = reals_of(prev, &b_row, rows, width, room + most);
    const real delta = (real)h->delta, attenuation = (real)h->attenuation;
    if (!h->den.first) {
        for (int64_t r = 0; r < rows; r++, a += a_row, b += b_row, u += width)
            for (int64_t d = 0; d < width; d++) u[d] = abs_(a[d] - b[d]) / delta;
        return;
    }
    const foci_numbers den = foci_numbers_at(h->den, first * c_row),
                       den_prev = foci_numbers_at(h->den_prev, first * e_row);
    const real *c = reals_of(den, &c_row, rows, width, room + 2 * most),
               *e = reals_of(den_prev, &e_row, rows, width, room + 3 * most);
    for (int64_t r = 0; r < rows; r++, a += a_row, b += b_row, c += c_row, e += e_row, u += width)
        for (int64_t d = 0; d < width; d++) u[d] = abs_(a[d] - b[d]) / (abs_(c[d] - e[d]) + attenuation);
}

/* Divides the D coordinates by their maximum or mean; where that is 0 nothing moved, and all become 1. */
static void scale_metric(int64_t width, foci_metric_scale scale, real *restrict metric) {
    if (scale == FOCI_SCALE_NONE) return;
    double by;
    if (scale == FOCI_SCALE_MAX) {
        by = (double)row_max(width, metric, 0);
    } else {
        sum(width, metric, &by);
        by /= (double)width;
    }
    for (int64_t d = 0; d < width; d++) metric[d] = by == 0 ? 1 : (real)((double)metric[d] / by);
}

/* What is rotated by pairs (d, d + D/2) is stretched alike along both. */
static void finish_metric(const foci_metric_head *h, real *restrict metric) {
    const int64_t half = h->pairs ? h->width / 2 : 0;
    for (int64_t d = 0; d < half; d++) metric[d] = metric[half + d] = (metric[d] + metric[half + d]) / 2;
    scale_metric(h->width, h->scale, metric);
}

/* The means of the tokens up to n, u (D) that of the last. */
static void add_token(const foci_metric_head *h, int64_t n, const real *restrict u, double *restrict sums) {
    for (int64_t d = 0; d < h->width; d++) sums[d] += (double)u[d];
    if (h->causal ? n < h->silent : n + 1 < h->tokens) return;
    real *restrict out = h->out + (h->causal ? (n - h->silent) * h->width : 0);
    for (int64_t d = 0; d < h->width; d++) out[d] = (real)(sums[d] / (double)(n + 1));
    finish_metric(h, out);
}

/* Means of the tokens so far: after each of them (causal), or after the last. Sums run in double. */
static void mean_movement(const foci_metric_head *h, real *scratch) {
    double *sums = (double *)scratch;
    real *u = scratch + 2 * h->width, *room = u + TOKENS * h->width;
    memset(sums, 0, (size_t)h->width * sizeof *sums);
    for (int64_t first = 0, rows; first < h->tokens; first += rows) {
        rows = smaller(TOKENS, h->tokens - first);
        const int64_t after = smaller(TOKENS, h->tokens - first - rows);
        fetch_rows(foci_numbers_at(h->cur, (first + rows) * h->cur_row), h->cur_row, after, h->width);
        fetch_rows(foci_numbers_at(h->prev, (first + rows) * h->prev_row), h->prev_row, after, h->width);
        movement(h, first, rows, room, u);
        for (int64_t r = 0; r < rows; r++) add_token(h, first + r, u + r * h->width, sums);
    }
}

/* The lower of the two middle values, for all coordinates at once. Numbers that are not negative are ordered
 * like their bits, so the result is built bit by bit: the largest number with at most `rank` values below it.
 */
static void median_movement(const foci_metric_head *h, real *scratch) {
    const int64_t width = h->width;
    const bits_ rank = (bits_)((h->tokens - 1) / 2);
    bits_ *restrict median = (bits_ *)scratch, *restrict below = median + width, *restrict u = below + width;
    real *some = scratch + (h->tokens + 2) * width, *room = some + TOKENS * width;
    for (int64_t n = 0, rows; n < h->tokens; n += rows) {
        rows = smaller(TOKENS, h->tokens - n);
        movement(h, n, rows, room, some);
        memcpy(u + n * width, some, (size_t)(rows * width) * sizeof *u);
    }
    memset(median, 0, (size_t)width * sizeof *median);
    for (bits_ bit = (bits_)1 << (8 * sizeof(bits_) - 2); bit; bit >>= 1) {
        memset(below, 0, (size_t)width * sizeof *below);
        for (int64_t n = 0; n < h->tokens; n++)
            for (int64_t d = 0; d < width; d++) below[d] += u[n * width + d] < (median[d] | bit);
        for (int64_t d = 0; d < width; d++)
            if (below[d] <= rank) median[d] |= bit;
    }
    memcpy(h->out, median, (size_t)width * sizeof *h->out);
    finish_metric(h, h->out);
}

static void elliptical_metric(const foci_metric_head *h, real *scratch) {
    if (h->median) median_movement(h, scratch);
    else mean_movement(h, scratch);
}
