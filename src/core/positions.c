/* Tables of positions of one square grid resized to another, as timm does and as it did. */
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

/* One for each row, or column, of the new grid; the numbers of all lie behind them in the same block. */
static reading *readings(int64_t from, int64_t to, bool antialias) {
    const size_t n = (size_t)to, least = 4, taps = (size_t)foci_taps_most((int)from, (int)to, FOCI_FILTER_CUBIC),
                 most = taps > least ? taps : least;
    reading *r = malloc(n * (sizeof *r + most * (sizeof *r->at + sizeof *r->weight)));
    if (!r) return NULL;
    int64_t *at = (int64_t *)(r + n);
    double *weight = (double *)(at + n * most);
    for (size_t i = 0; i < n; i++) {
        r[i] = (reading){0, at + i * most, weight + i * most};
        (antialias ? read_all_beneath : read_four)(&r[i], from, to, (int64_t)i);
    }
    return r;
}

static double sum_at(const foci_real *grid, int64_t side, int64_t width, int64_t channel, const reading *row,
                     const reading *column) {
    double sum = 0;
    for (int64_t y = 0; y < row->count; y++)
        for (int64_t x = 0; x < column->count; x++)
            sum += row->weight[y] * column->weight[x] *
                   (double)grid[(row->at[y] * side + column->at[x]) * width + channel];
    return sum;
}

foci_status foci_resize_positions(const foci_real *from, int64_t leading, int64_t old_side, foci_real *to,
                                  int64_t new_side, int64_t width, bool antialias) {
    reading *r = readings(old_side, new_side, antialias);
    if (!r) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for positions");
    memcpy(to, from, (size_t)(leading * width) * sizeof *to);
    from += leading * width;
    to += leading * width;
    for (int64_t cell = 0; cell < new_side * new_side; cell++)
        for (int64_t c = 0; c < width; c++)
            to[cell * width + c] =
                (foci_real)sum_at(from, old_side, width, c, &r[cell / new_side], &r[cell % new_side]);
    free(r);
    return FOCI_OK;
}
