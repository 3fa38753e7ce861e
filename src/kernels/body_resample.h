/* Resampling of 8-bit images: sums of rows of bytes, rounded and cut to a byte. The weights are of
 * FOCI_RESAMPLE_BITS-bit fixed point: whole numbers only, so every instruction set gives the same. */

enum { WIDTH = VECTOR_BYTES / 4, HALF = 1 << (FOCI_RESAMPLE_BITS - 1) };
typedef int32_t numbers __attribute__((vector_size(VECTOR_BYTES)));
typedef int16_t halves __attribute__((vector_size(2 * WIDTH)));
typedef uint8_t bytes __attribute__((vector_size(WIDTH)));

/* In two steps, which compilers have instructions for. */
static inline numbers bytes_at(const unsigned char *x) {
    bytes b;
    memcpy(&b, x, WIDTH);
    return __builtin_convertvector(__builtin_convertvector(b, halves), numbers);
}

static inline void put_bytes(numbers sum, unsigned char *y) {
    sum >>= FOCI_RESAMPLE_BITS;
    sum = (sum & (sum > 0)) | (sum > 255); /* a comparison gives 0 or -1, whose last byte is 255 */
    bytes b = __builtin_convertvector(__builtin_convertvector(sum, halves), bytes);
    memcpy(y, &b, WIDTH);
}

/* `vectors` is constant in every call. */
static inline __attribute__((always_inline)) void resample_block(int vectors, int64_t n, int64_t count,
                                                                 const int *weight, const unsigned char *x,
                                                                 unsigned char *y) {
    numbers sum[4];
    UNROLL (int v = 0; v < vectors; v++) sum[v] = (numbers){0} + HALF;
    for (int64_t k = 0; k < count; k++, x += n) {
        UNROLL (int v = 0; v < vectors; v++) sum[v] += weight[k] * bytes_at(x + v * WIDTH);
    }
    UNROLL (int v = 0; v < vectors; v++) put_bytes(sum[v], y + v * WIDTH);
}

static void resample(int64_t n, int64_t count, const int *weight, const unsigned char *x, unsigned char *y) {
    int64_t i = 0;
    for (; i + 4 * WIDTH <= n; i += 4 * WIDTH) resample_block(4, n, count, weight, x + i, y + i);
    for (; i + WIDTH <= n; i += WIDTH) resample_block(1, n, count, weight, x + i, y + i);
    for (; i < n; i++) {
        int32_t sum = HALF;
        for (int64_t k = 0; k < count; k++) sum += weight[k] * x[k * n + i];
        sum >>= FOCI_RESAMPLE_BITS;
        y[i] = (unsigned char)(sum < 0 ? 0 : sum > 255 ? 255 : sum);
    }
}
