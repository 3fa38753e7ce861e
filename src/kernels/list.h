/* FOCI_KERNEL(name, (arguments)): the body is `static void name(arguments)` in one of the body_*.h files.
 * No include guard: included wherever the list is needed. */

FOCI_KERNEL(attention_forward, (const foci_attention_head *h, int64_t first_query, int64_t end_query, real *scratch))
FOCI_KERNEL(attention_backward, (const foci_attention_head *h, real *scratch))
FOCI_KERNEL(attention_map, (const foci_attention_head *h, real *map, real *scratch))
