/* Random erasing: a box of noise. */
#include <math.h>

#include "images/augment.h"

static double between(foci_rng *r, double low, double high) { return low + (high - low) * foci_rng_uniform(r); }

static void fill_with_noise(foci_real *sample, int height, int width, int top, int left, int h, int w, foci_rng *r) {
    for (int c = 0; c < 3; c++)
        for (int y = top; y < top + h; y++)
            for (int x = left; x < left + w; x++)
                sample[((int64_t)c * height + y) * width + x] = (foci_real)foci_rng_normal(r);
}

/* Ten tries at a box that fits. */
void foci_random_erasing(double probability, foci_real *sample, int height, int width, foci_rng *r) {
    if (foci_rng_uniform(r) >= probability) return;
    for (int try = 0; try < 10; try++) {
        double area = between(r, 0.02, 1.0 / 3) * height * width, aspect = exp(between(r, log(0.3), log(1 / 0.3)));
        int h = (int)nearbyint(sqrt(area * aspect)), w = (int)nearbyint(sqrt(area / aspect));
        if (h >= height || w >= width) continue;
        int top = (int)foci_rng_below(r, (uint32_t)(height - h + 1)),
            left = (int)foci_rng_below(r, (uint32_t)(width - w + 1));
        fill_with_noise(sample, height, width, top, left, h, w, r);
        return;
    }
}
