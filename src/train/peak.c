#include "train/peak.h"

#include "base/clock.h"
#include "base/parallel.h"
#include "kernels/bf16.h"
#include "kernels/kernels.h"

/* What the processor can do at best: fused multiply-adds in registers on all threads at once, the best of some turns.
 */
double foci_peak_gflops(bool bf16, int turns, int64_t rounds) {
    const int threads = foci_threads();
    double best = 0;
    for (int turn = 0; turn < turns; turn++) {
        double start = foci_now_ms(), operations = 0;
        FOCI_PARALLEL_FOR
        for (int t = 0; t < threads; t++) {
            double done;
            if (bf16) foci_bf16_peak(rounds, &done);
            else foci_kernel()->peak(rounds, &done);
#pragma omp atomic
            operations += done;
        }
        double rate = operations / (foci_now_ms() - start) / 1e6;
        if (rate > best) best = rate;
    }
    return best;
}
