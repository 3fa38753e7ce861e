/* Tiles of AMX: eight registers of 16 rows of 64 bytes, and the product of pairs in bfloat16. With FOCI_TILES_EMULATED
 * the same in plain C, as the instructions are defined: the oracle of the tests, on any machine. */
#ifndef FOCI_KERNELS_TILES_H
#define FOCI_KERNELS_TILES_H

#include <stdint.h>
#include <string.h>

enum { TILES = 8, TILE_ROWS = 16, TILE_ROW_BYTES = 64 };

#ifndef FOCI_TILES_EMULATED

#include <immintrin.h>

/* All tiles whole. */
static void tiles_begin(void) {
    static const struct {
        uint8_t palette, start, reserved[14];
        uint16_t row_bytes[16];
        uint8_t rows[16];
    } whole = {.palette = 1, .row_bytes = {64, 64, 64, 64, 64, 64, 64, 64}, .rows = {16, 16, 16, 16, 16, 16, 16, 16}};
    _tile_loadconfig(&whole);
}
static void tiles_end(void) { _tile_release(); }

#define tile_zero(tile) _tile_zero(tile)
#define tile_load(tile, from, row_bytes) _tile_loadd(tile, from, row_bytes)
#define tile_store(tile, to, row_bytes) _tile_stored(tile, to, row_bytes)
#define tile_product(sum, a, b) _tile_dpbf16ps(sum, a, b)

#else

static _Thread_local uint32_t tiles_[TILES][TILE_ROWS][TILE_ROW_BYTES / 4];

static void tiles_begin(void) { memset(tiles_, 0, sizeof tiles_); }
static void tiles_end(void) {}

static void tile_zero(int tile) { memset(tiles_[tile], 0, sizeof tiles_[tile]); }
static void tile_load(int tile, const void *from, int64_t row_bytes) {
    for (int r = 0; r < TILE_ROWS; r++) memcpy(tiles_[tile][r], (const char *)from + r * row_bytes, TILE_ROW_BYTES);
}
static void tile_store(int tile, void *to, int64_t row_bytes) {
    for (int r = 0; r < TILE_ROWS; r++) memcpy((char *)to + r * row_bytes, tiles_[tile][r], TILE_ROW_BYTES);
}

/* What is smaller than the normal numbers counts as 0, before and after. */
static float tile_number(uint32_t bits) {
    float x;
    if ((bits & 0x7f800000) == 0) bits &= 0x80000000;
    memcpy(&x, &bits, sizeof x);
    return x;
}
static float tile_flushed(float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return tile_number(bits);
}

/* sum (16, 16) += a (16, 16 pairs) b (16 pairs, 16): firsts and seconds of the pairs are summed apart, by fused
 * multiply-adds, and come together at the end. */
static void tile_product(int sum, int a, int b) {
    for (int i = 0; i < TILE_ROWS; i++)
        for (int j = 0; j < TILE_ROWS; j++) {
            float firsts = 0, seconds = 0, c;
            for (int p = 0; p < TILE_ROWS; p++) {
                const uint32_t x = tiles_[a][i][p], y = tiles_[b][p][j];
                firsts = tile_flushed(fmaf(tile_number(x << 16), tile_number(y << 16), firsts));
                seconds = tile_flushed(fmaf(tile_number(x & 0xffff0000), tile_number(y & 0xffff0000), seconds));
            }
            c = tile_flushed(tile_number(tiles_[sum][i][j]) + tile_flushed(firsts + seconds));
            memcpy(&tiles_[sum][i][j], &c, sizeof c);
        }
}

#endif

#endif
