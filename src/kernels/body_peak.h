/* Fused multiply-adds that depend on nothing but registers: what the processor can do at best. */

static void peak(int64_t rounds, double *operations) {
    enum { CHAINS = 12 }; /* enough to hide the latency of each */
    vector sum[CHAINS], x, y;
    for (int j = 0; j < LANES; j++) x[j] = (real)0.999, y[j] = (real)0.001;
    for (int i = 0; i < CHAINS; i++) sum[i] = y * (real)i;
    for (int64_t n = 0; n < rounds; n++) {
        UNROLL (int i = 0; i < CHAINS; i++) sum[i] = sum[i] * x + y;
    }
    real total = 0;
    for (int i = 0; i < CHAINS; i++) total += sum[i][0];
    *operations = 2.0 * CHAINS * LANES * (double)rounds +
                  (total == (real)-1 ? 1 : 0); /* total is used, so nothing is optimised away */
}
