/* What operations share: the check of an operand, tile sizes, and sums over rows. */
#ifndef FOCI_OPS_COMMON_H
#define FOCI_OPS_COMMON_H

#include "base/parallel.h"
#include "foci/plugin.h"
#include "kernels/kernels.h"

/* Is `t` there, of this type, and contiguous? Otherwise (or after an earlier error) false, and the graph has
 * failed with "OP: WHAT ...". */
bool foci_operand(foci_graph *g, const char *op, const char *what, const foci_tensor *t, foci_dtype dtype);
bool foci_same_shape(const foci_tensor *a, const foci_tensor *b);

/* Elements of a tile of elementwise work (a multiple of what one Philox block of kernels covers), and rows of
 * a tile of row-wise work: about as much. */
enum { FOCI_TILE_ELEMENTS = 16384 };
static inline int64_t foci_tile_rows(int64_t row_elements) {
    int64_t rows = FOCI_TILE_ELEMENTS / row_elements;
    return rows > 0 ? rows : 1;
}

/* What a tensor holds, and its gradient, of operations that take FOCI_BF16 as well (foci_op.rounds). */
static inline foci_numbers foci_values(const foci_tensor *t) {
    return (foci_numbers){t->host_data, t->dtype == FOCI_BF16};
}
static inline foci_numbers foci_gradients(const foci_tensor *t) {
    return (foci_numbers){t->host_grad, t->dtype == FOCI_BF16};
}
static inline foci_matrix foci_matrix_of(foci_numbers x, int64_t ld) {
    return (foci_matrix){x.first, ld, false, x.bf16};
}
static inline foci_matrix foci_transposed_of(foci_numbers x, int64_t ld) {
    return (foci_matrix){x.first, ld, true, x.bf16};
}
/* Where a product is to be made. */
void foci_product_to(foci_product *p, foci_numbers c);
/* n numbers as reals: where they are, or widened into `room`. And back from there. */
const real *foci_as_reals(foci_numbers x, int64_t n, real *room);
void foci_from_reals(int64_t n, const real *x, foci_numbers y);
/* Reals that a thread needs for a tile of rows (foci_tile_rows) of an output that may become FOCI_BF16. */
int64_t foci_row_room(const foci_node *n);

/* Operations of one input, over all threads: y = f(x) on every element or on every row, and dx (+)= f'(seen, dy), where
 * `seen` is x or y, whichever backward reads. */
typedef void foci_element_kernel(int64_t n, const real *x, real *y);
typedef void foci_element_gradient(int64_t n, const real *seen, const real *dy, real *dx, bool accumulate);
typedef void foci_row_kernel(int64_t rows, int64_t c, const real *x, real *y);
typedef void foci_row_gradient(int64_t rows, int64_t c, const real *seen, const real *dy, real *dx, bool accumulate);
void foci_each_element(const foci_node *n, foci_element_kernel *kernel);
void foci_each_element_backward(const foci_node *n, const foci_tensor *seen, foci_element_gradient *kernel);
void foci_each_row(const foci_node *n, foci_row_kernel *kernel);
void foci_each_row_backward(const foci_node *n, const foci_tensor *seen, foci_row_gradient *kernel);

/* out (c) = column sums of x (rows, c), added to what is there or not. `scratch` holds foci_column_scratch
 * elements. */
int64_t foci_column_scratch(int64_t rows, int64_t c);
void foci_column_sums(int64_t rows, int64_t c, foci_numbers x, real *out, bool accumulate, real *scratch);

/* y (rows, out) = x (rows, in) weightt + bias, weight (out, in), bias (out) or NULL, y with rows ldy apart.
 * In the precision of the node's graph. */
void foci_affine(const foci_node *n, int64_t rows, int64_t in, int64_t out, const real *x, const real *weight,
                 const real *bias, real *y, int64_t ldy);

/* The gradients of an affine map over some rows, on the calling thread: weight (out, in) = or += dyt x, bias (out) = or
 * += the sums of dy; where it is NULL, it is not wanted. */
typedef struct foci_strip {
    const void *first;
    int64_t ld, width;
    bool bf16;
} foci_strip;
void foci_weight_gradient(const foci_node *n, int64_t rows, foci_strip dy, foci_strip x, real *weight, bool add);
void foci_bias_gradient(int64_t rows, foci_strip dy, real *bias, bool add);

/* Which elements a node drops with probability p, to the nearest 2^-16, from element `first` of the step's whole batch
 * on; the same in forward and backward. */
foci_dropout_mask foci_node_dropout(const foci_node *n, double p, uint64_t first);

/* The number of tiles that a long sum over rows is cut into, and the sum of what they left: out (c) from
 * `partial` (tiles, c), in order. */
static inline int64_t foci_sum_tile(int64_t rows) { return rows <= 256 * 64 ? 256 : foci_tiles(rows, 64); }
/* The same over all threads: out (count), the partial sums `stride` apart. */
void foci_add_partial(int64_t tiles, int64_t stride, int64_t count, const real *partial, real *out, bool accumulate);
void foci_add_tiles(int64_t tiles, int64_t c, const real *partial, real *out, bool accumulate);

/* For gradient-check rows: a parameter of this shape, standard normal. */
#define RANDOM(g, name, ...) foci_parameter(g, name, FOCI_NORMAL(0, 1), FOCI_SHAPE(__VA_ARGS__))

#endif
