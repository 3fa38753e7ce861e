/* The vector kernels: numbers only, raw pointers and sizes, one thread each. The caller (an operation) cuts the
 * work into tiles and runs kernels on them.
 *
 * One body for all instruction sets: vector.c includes the body_*.h files and is compiled once per instruction
 * set, each time filling one table of function pointers. list.h declares the table, one line per kernel. */
#ifndef FOCI_KERNELS_KERNELS_H
#define FOCI_KERNELS_KERNELS_H

#include "foci/foci.h"
#include "foci/real.h"
#include "base/cpu.h"
#include "kernels/types.h"

typedef foci_real real;

typedef struct foci_kernels {
    const char *isa;
#define FOCI_KERNEL(name, args) void(*name) args;
#include "kernels/list.h"
#undef FOCI_KERNEL
} foci_kernels;

/* The table of the chosen instruction set (base/cpu.h; generic where FOCI_ISA cannot be honoured). */
const foci_kernels *foci_kernel(void);
/* The table of one instruction set, NULL where the processor lacks it: for tests. */
const foci_kernels *foci_kernels_of(foci_isa isa);

#endif
