/* Cross-entropy of pixels between two cells: their logits x = low + share (high - low) never leave a core. Classes lie
 * in lanes, filled up with logits so low that they weigh nothing. */

static inline real largest_lane(vector x) {
    real lane[LANES];
    memcpy(lane, &x, sizeof lane);
    return row_max(LANES, lane, -INFINITY);
}

static inline real sum_of_lanes(vector x) {
    real lane[PAD] = {0};
    memcpy(lane, &x, sizeof x);
    quad sum = *(const quad *)lane;
    UNROLL (int l = 4; l < LANES; l += 4) sum += *(const quad *)(lane + l);
    return (sum[0] + sum[2]) + (sum[1] + sum[3]);
}

/* A stretch as its pixels need it, in powers of two: log2(e) low, log2(e) (high - low), both (classes); the weights
 * that are not yet divided by their sums (pixels, classes). */
typedef struct stretch {
    int64_t classes;
    real *base, *slope, *weight;
} stretch;

static stretch stretch_of(const foci_stretch *o, real *scratch) {
    const stretch s = {padded(o->classes), scratch, scratch + padded(o->classes), scratch + 2 * padded(o->classes)};
    for (int64_t k = 0; k < s.classes; k += LANES) {
        const vector low = *(const vector *)(o->low + k), high = *(const vector *)(o->high + k);
        *(vector *)(s.base + k) = low * log2_e;
        *(vector *)(s.slope + k) = (high - low) * log2_e;
    }
    return s;
}

static inline vector logits_at(const stretch *s, int64_t k, real share) {
    return *(const vector *)(s->base + k) + share * *(const vector *)(s->slope + k);
}

/* The sum of a pixel's weights 2^(x - top), which are kept. */
static real weigh_pixel(const stretch *s, real share, real *weight, real *top) {
    vector most = {0}, sum = {0};
    most -= INFINITY;
    for (int64_t k = 0; k < s->classes; k += LANES) most = larger(most, logits_at(s, k, share));
    *top = largest_lane(most);
    for (int64_t k = 0; k < s->classes; k += LANES) {
        const vector w = exp2_(logits_at(s, k, share) - *top);
        sum += w;
        *(vector *)(weight + k) = w;
    }
    return sum_of_lanes(sum);
}

/* dlow += (1 - share) p, dhigh += share p of all pixels, p = weight factor. */
static void add_weights(const foci_stretch *o, const stretch *s, const real *factor) {
    for (int64_t k = 0; k < s->classes; k += LANES) {
        vector all = {0}, upper = {0};
        for (int64_t i = 0; i < o->pixels; i++) {
            const vector p = *(const vector *)(s->weight + i * s->classes + k) * factor[i];
            all += p;
            upper += o->share[i] * p;
        }
        *(vector *)(o->dlow + k) += all - upper;
        *(vector *)(o->dhigh + k) += upper;
    }
}

/* Pixels of the ignored label have no loss and no gradient; one whose label is no class has the loss NaN. */
static void stretch_cross_entropy(const foci_stretch *o, double *loss, real *scratch) {
    const stretch s = stretch_of(o, scratch);
    real sum[FOCI_STRETCH], own[FOCI_STRETCH]; /* of the weights; the label's, as a power of two */
    for (int64_t i = 0; i < FOCI_STRETCH; i++) sum[i] = 1, own[i] = 0;
    for (int64_t i = 0; i < o->pixels; i++) {
        const int32_t label = o->label[i];
        const real share = o->share[i];
        real *weight = s.weight + i * s.classes, top;
        if (label == o->ignore) {
            memset(weight, 0, (size_t)s.classes * sizeof *weight);
            continue;
        }
        const bool known = label >= 0 && label < o->classes;
        sum[i] = weigh_pixel(&s, share, weight, &top);
        own[i] = known ? s.base[label] + share * s.slope[label] - top : (real)NAN;
        if (!o->dlow || !known) continue;
        o->dlow[label] -= 1 - share;
        o->dhigh[label] -= share;
    }
    for (int64_t i = 0; i < FOCI_STRETCH; i += LANES) {
        vector *total = (vector *)(sum + i);
        const vector losses = ln_2 * (log2_(*total) - *(const vector *)(own + i));
        for (int l = 0; l < LANES; l++) *loss += losses[l];
        *total = 1 / *total;
    }
    if (o->dlow) add_weights(o, &s, sum);
}
