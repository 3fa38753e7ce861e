#include "base/cpu.h"

#include <stdlib.h>
#include <string.h>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of leaf 7: tiles, and products of bfloat16. Their registers are large: Linux keeps them for a process that asked. */
static bool has_tiles(void) {
    enum { BF16 = 1 << 22, TILE = 1 << 24, ASK_FOR_STATE = 0x1023, STATE_OF_TILES = 18 };
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (d & BF16) && (d & TILE) &&
           syscall(SYS_arch_prctl, ASK_FOR_STATE, STATE_OF_TILES) == 0;
}
#elif defined(__x86_64__)
static bool has_tiles(void) { return false; }
#endif

static const char *const names[FOCI_ISA_COUNT] = {"generic", "neon", "avx2", "avx512", "amx"};

bool foci_isa_supported(foci_isa isa) {
    switch (isa) {
    case FOCI_ISA_GENERIC: return true;
#if defined(__x86_64__)
    case FOCI_ISA_AVX2: return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    case FOCI_ISA_AVX512:
        return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
               __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
               __builtin_cpu_supports("fma");
    case FOCI_ISA_AMX:
        return foci_isa_supported(FOCI_ISA_AVX512) && __builtin_cpu_supports("avx512bf16") && has_tiles();
#elif defined(__aarch64__)
    case FOCI_ISA_NEON: return true; /* part of every one */
#endif
    default: return false;
    }
}

const char *foci_isa_name(foci_isa isa) { return names[isa]; }

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
    return foci_fail(FOCI_ERR_CONFIG, "FOCI_ISA=%s: not one of generic, neon, avx2, avx512, amx", want);
}
