/* Tables of positions of one grid resized to another, as timm does, as it did, and as Segmenter does. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/load.h"
#include "kernels/taps.h"

/* Which cells of a row or column of the old grid make one of the new, and their weights. */
typedef struct reading {
    int64_t count, *at;
    double *weight;
} reading;

/* Keys' cubic with a = -0.75 over the four nearest, which beyond the border are the outermost again. */
static void read_four(reading *r, int64_t from, int64_t to, int64_t i) {
    static const double a = -0.75;
    const double x = ((double)i + 0.5) * ((double)from / (double)to) - 0.5, t = x - floor(x);
    r->count = 4;
    for (int64_t k = 0; k < 4; k++) {
        const double d = fabs(t - (double)(k - 1));
        const int64_t at = (int64_t)floor(x) - 1 + k;
        r->weight[k] = d <= 1 ? ((a + 2) * d - (a + 3)) * d * d + 1 : ((a * d - 5 * a) * d + 8 * a) * d - 4 * a;
        r->at[k] = at < 0 ? 0 : at < from ? at : from - 1;
    }
}

static void read_all_beneath(reading *r, int64_t from, int64_t to, int64_t i) {
    int first;
    r->count = foci_taps((int)from, (int)to, FOCI_FILTER_CUBIC, (int)i, &first, r->weight);
    for (int64_t k = 0; k < r->count; k++) r->at[k] = first + k;
}

static void read_two(reading *r, int64_t from, int64_t to, int64_t i) {
    const foci_neighbours n = foci_neighbours_of(from, to, i);
    r->count = 2;
    r->at[0] = n.low, r->weight[0] = 1 - n.share;
    r->at[1] = n.high, r->weight[1] = n.share;
}

static void (*const readers[])(reading *r, int64_t from, int64_t to, int64_t i) = {
    [FOCI_GRID_ANTIALIASED] = read_all_beneath, [FOCI_GRID_CUBIC] = read_four, [FOCI_GRID_BILINEAR] = read_two};

/* One for each row, or column, of the new grid; the numbers of all lie behind them in the same block. */
static reading *readings(int64_t from, int64_t to, foci_grid_resizing how) {
    const size_t n = (size_t)to, least = 4, taps = (size_t)foci_taps_most((int)from, (int)to, FOCI_FILTER_CUBIC),
                 most = taps > least ? taps : least;
    reading *r = malloc(n * (sizeof *r + most * (sizeof *r->at + sizeof *r->weight)));
    if (!r) return NULL;
    int64_t *at = (int64_t *)(r + n);
    double *weight = (double *)(at + n * most);
    for (size_t i = 0; i < n; i++) {
        r[i] = (reading){0, at + i * most, weight + i * most};
        readers[how](&r[i], from, to, (int64_t)i);
    }
    return r;
}

static double sum_at(const foci_real *cells, foci_grid grid, int64_t width, int64_t channel, const reading *row,
                     const reading *column) {
    double sum = 0;
    for (int64_t y = 0; y < row->count; y++)
        for (int64_t x = 0; x < column->count; x++)
            sum += row->weight[y] * column->weight[x] *
                   (double)cells[(row->at[y] * grid.columns + column->at[x]) * width + channel];
    return sum;
}

foci_status foci_resize_positions(const foci_real *table, int64_t leading, foci_grid from, foci_real *out, foci_grid to,
                                  int64_t width, foci_grid_resizing how) {
    reading *row = readings(from.rows, to.rows, how), *column = readings(from.columns, to.columns, how);
    if (row && column) memcpy(out, table, (size_t)(leading * width) * sizeof *out);
    table += leading * width;
    out += leading * width;
    for (int64_t cell = 0; row && column && cell < to.rows * to.columns; cell++)
        for (int64_t c = 0; c < width; c++)
            out[cell * width + c] =
                (foci_real)sum_at(table, from, width, c, &row[cell / to.columns], &column[cell % to.columns]);
    const bool made = row && column;
    free(row);
    free(column);
    return made ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for positions");
}
