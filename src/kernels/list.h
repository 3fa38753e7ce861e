/* FOCI_KERNEL(name, (arguments)): the body is `static void name(arguments)` in one of the body_*.h files.
 * No include guard: included wherever the list is needed. */
