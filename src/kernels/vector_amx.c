/* Products with operands in bfloat16 by the tiles of AMX: the bodies of the kernels gemm_pack and gemm once more (see
 * the Makefile). */
#include "kernels/bf16.h"

#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

#if (defined(__AMX_BF16__) || defined(FOCI_TILES_EMULATED)) && !defined(FOCI_DOUBLE)

#include "kernels/tiles.h"

#define FOCI_BF16_OPERANDS
#define FOCI_TILES
#include "kernels/body_operand.h"
#include "kernels/body_tiles.h"
#include "kernels/body_gemm.h"

static void gemm_by_tiles(const foci_product *p, real *scratch) {
    tiles_begin();
    gemm(p, scratch);
    tiles_end();
}

static void peak(int64_t rounds, double *operations) {
    tiles_begin();
    for (int64_t n = 0; n < rounds; n++) {
        tile_product(C00, A0, B0);
        tile_product(C01, A0, B1);
        tile_product(C10, A1, B0);
        tile_product(C11, A1, B1);
    }
    tiles_end();
    *operations = 4.0 * 4 * TILE_ROWS * TILE_ROWS * TILE_ROWS * (double)rounds;
}

const foci_bf16_products foci_bf16_tiles = {DEPTH_STEP, gemm_pack, gemm_by_tiles, peak};

#else

const foci_bf16_products foci_bf16_tiles = {0};

#endif
