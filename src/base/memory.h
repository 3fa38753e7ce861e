/* Memory for tensors: aligned to 64 bytes, and where it is large, on large pages, so that walking through it does not
 * stop at every 4 KB to look up where the next page lies. */
#ifndef FOCI_BASE_MEMORY_H
#define FOCI_BASE_MEMORY_H

#include <stddef.h>

/* NULL when memory is out. Its contents are undefined; free() gives it back. */
void *foci_large_alloc(size_t bytes);
void *foci_large_calloc(size_t bytes); /* zeroed */
/* Zeros again, and its whole pages are given back until something is written there; of memory from the two above. */
void foci_large_forget(void *memory, size_t bytes);

/* Bytes that this process may still take: what the machine has free, the limit of its control group, its own limit. */
size_t foci_memory_available(void);
size_t foci_address_space_left(void); /* of the process's own limit; SIZE_MAX without one */

#endif
