/* Which instruction set the kernels use: the best the processor has, unless FOCI_ISA names another. */
#ifndef FOCI_BASE_CPU_H
#define FOCI_BASE_CPU_H

#include "base/error.h"

typedef enum foci_isa {
    FOCI_ISA_GENERIC,
    FOCI_ISA_NEON,
    FOCI_ISA_AVX2,
    FOCI_ISA_AVX512,
    FOCI_ISA_AMX,
    FOCI_ISA_COUNT
} foci_isa;

/* AMX: AVX-512 with products of bfloat16 by tiles, of which the operating system has to give leave. */
bool foci_isa_supported(foci_isa isa);

/* "generic", "neon", "avx2", "avx512", "amx". */
const char *foci_isa_name(foci_isa isa);

/* FOCI_ERR_CONFIG where FOCI_ISA in the environment is unknown or not supported here. */
foci_status foci_isa_choose(foci_isa *isa);

#endif
