#include "kernels/kernels.h"

extern const foci_kernels foci_kernels_generic;
#if defined(__x86_64__)
extern const foci_kernels foci_kernels_avx2, foci_kernels_avx512;
#elif defined(__aarch64__)
extern const foci_kernels foci_kernels_neon;
#endif

const foci_kernels *foci_kernels_of(foci_isa isa) {
    if (!foci_isa_supported(isa)) return NULL;
    switch (isa) {
#if defined(__x86_64__)
    case FOCI_ISA_AMX:
    case FOCI_ISA_AVX512: return &foci_kernels_avx512;
    case FOCI_ISA_AVX2: return &foci_kernels_avx2;
#elif defined(__aarch64__)
    case FOCI_ISA_NEON: return &foci_kernels_neon;
#endif
    default: return &foci_kernels_generic;
    }
}

const foci_kernels *foci_kernel(void) {
    static const foci_kernels *chosen; /* the same value whichever thread writes it first */
    const foci_kernels *k = __atomic_load_n(&chosen, __ATOMIC_RELAXED);
    if (!k) {
        foci_isa isa;
        k = foci_kernels_of(foci_isa_choose(&isa) ? FOCI_ISA_GENERIC : isa);
        __atomic_store_n(&chosen, k, __ATOMIC_RELAXED);
    }
    return k;
}
