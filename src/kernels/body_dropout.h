/* Dropout: the mask is recomputed wherever it is needed, never stored. */

static void dropout(int64_t n, const foci_dropout_mask *mask, const real *restrict x, real *restrict y,
                    bool accumulate) {
    enum { BLOCK_OF = FOCI_DROPOUT_BLOCK, MOST = BLOCK_OF * PHILOX_LANES };
    const philox p = philox_of(mask);
    const uint32_t threshold = mask->threshold;
    const real factor = mask->factor;
    int64_t skip = (int64_t)(mask->first % BLOCK_OF); /* halves of the first block, of elements before ours */
    uint64_t counter = mask->first / BLOCK_OF;
    for (int64_t done = 0; done < n; counter += PHILOX_LANES, skip = 0) {
        uint16_t halves[MOST];
        philox_halves(&p, counter, halves);
        int64_t count = MOST - skip < n - done ? MOST - skip : n - done;
        const uint16_t *h = halves + skip;
        const real *a = x + done;
        real *b = y + done;
#pragma omp simd
        for (int64_t i = 0; i < count; i++) b[i] = (accumulate ? b[i] : 0) + (h[i] < threshold ? 0 : a[i] * factor);
        done += count;
    }
}
