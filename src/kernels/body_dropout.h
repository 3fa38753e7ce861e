/* Dropout: the mask is recomputed wherever it is needed, never stored. */

static void dropout(int64_t n, const foci_dropout_mask *mask, const real *restrict x, real *restrict y,
                    bool accumulate) {
    const uint32_t threshold = mask->threshold;
    const real factor = mask->factor;
    int64_t skip = (int64_t)(mask->first % 4); /* words of the first block that belong to elements before ours */
    uint64_t counter = mask->first / 4;
    for (int64_t done = 0; done < n; counter += PHILOX_LANES, skip = 0) {
        uint32_t words[PHILOX_WORDS];
        philox_words(mask->seed, mask->stream, mask->step, counter, words);
        int64_t count = PHILOX_WORDS - skip < n - done ? PHILOX_WORDS - skip : n - done;
        const uint32_t *w = words + skip;
        const real *a = x + done;
        real *b = y + done;
#pragma omp simd
        for (int64_t i = 0; i < count; i++) b[i] = (accumulate ? b[i] : 0) + (w[i] < threshold ? 0 : a[i] * factor);
        done += count;
    }
}
