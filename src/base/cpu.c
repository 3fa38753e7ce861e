#include "base/cpu.h"

#include <stdlib.h>
#include <string.h>

static const char *const names[FOCI_ISA_COUNT] = {"generic", "avx2", "avx512"};

bool foci_isa_supported(foci_isa isa) {
    switch (isa) {
    case FOCI_ISA_GENERIC: return true;
#if defined(__x86_64__)
    case FOCI_ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case FOCI_ISA_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("fma");
#endif
    default: return false;
    }
}

foci_status foci_isa_choose(foci_isa *isa) {
    const char *want = getenv("FOCI_ISA");
    for (int i = FOCI_ISA_COUNT - 1; i >= 0; i--) {
        if (want && *want && strcmp(want, names[i]) != 0) continue;
        if (foci_isa_supported((foci_isa)i)) {
            *isa = (foci_isa)i;
            return FOCI_OK;
        }
        if (want && *want) return foci_fail(FOCI_ERR_CONFIG, "FOCI_ISA=%s: this processor does not have it", want);
    }
    return foci_fail(FOCI_ERR_CONFIG, "FOCI_ISA=%s: not one of generic, avx2, avx512", want);
}
