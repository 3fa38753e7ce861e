/* The metric of elliptical attention: how far the values of a head moved over one layer, along each
 * coordinate. */

/* A row as reals: where it lies, or in `room`. */
static const real *reals_of(foci_numbers x, int64_t width, real *room) {
    if (!x.bf16) return x.first;
    for (int64_t d = 0; d < width; d++) room[d] = real_at(x, d);
    return room;
}

/* u (D) of one token; `room` holds four such rows. */
static void movement(const foci_metric_head *h, int64_t token, real *room, real *restrict u) {
    const int64_t width = h->width;
    const real *a = reals_of(foci_numbers_at(h->cur, token * h->cur_row), width, room);
    const real *b = reals_of(foci_numbers_at(h->prev, token * h->prev_row), width, room + width);
    if (h->den.first) {
        const real *c = reals_of(foci_numbers_at(h->den, token * h->den_row), width, room + 2 * width);
        const real *e = reals_of(foci_numbers_at(h->den_prev, token * h->den_prev_row), width, room + 3 * width);
        const real attenuation = (real)h->attenuation;
        for (int64_t d = 0; d < width; d++) u[d] = abs_(a[d] - b[d]) / (abs_(c[d] - e[d]) + attenuation);
    } else {
        const real delta = (real)h->delta;
        for (int64_t d = 0; d < width; d++) u[d] = abs_(a[d] - b[d]) / delta;
    }
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

/* Means of the tokens so far: after each of them (causal), or after the last. Sums run in double. */
static void mean_movement(const foci_metric_head *h, real *scratch) {
    double *restrict sums = (double *)scratch;
    real *restrict u = scratch + 2 * h->width, *room = u + h->width;
    memset(sums, 0, (size_t)h->width * sizeof *sums);
    for (int64_t n = 0; n < h->tokens; n++) {
        const int64_t ahead = smaller(n + 8, h->tokens - 1);
        fetch_rows(foci_numbers_at(h->cur, ahead * h->cur_row), 0, 1, h->width);
        fetch_rows(foci_numbers_at(h->prev, ahead * h->prev_row), 0, 1, h->width);
        movement(h, n, room, u);
        for (int64_t d = 0; d < h->width; d++) sums[d] += (double)u[d];
        if (h->causal ? n < h->silent : n + 1 < h->tokens) continue;
        real *restrict out = h->out + (h->causal ? (n - h->silent) * h->width : 0);
        for (int64_t d = 0; d < h->width; d++) out[d] = (real)(sums[d] / (double)(n + 1));
        finish_metric(h, out);
    }
}

/* The lower of the two middle values, for all coordinates at once. Numbers that are not negative are ordered
 * like their bits, so the result is built bit by bit: the largest number with at most `rank` values below it.
 */
static void median_movement(const foci_metric_head *h, real *scratch) {
    const int64_t width = h->width;
    const bits_ rank = (bits_)((h->tokens - 1) / 2);
    bits_ *restrict median = (bits_ *)scratch, *restrict below = median + width, *restrict u = below + width;
    real *room = scratch + (h->tokens + 2) * width;
    for (int64_t n = 0; n < h->tokens; n++) {
        movement(h, n, room, h->out);
        memcpy(u + n * width, h->out, (size_t)width * sizeof *u);
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
