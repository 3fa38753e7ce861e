/* The file of a table. */
#include "fuzz.h"

#include "table/table.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    foci_table *t;
    if (!foci_table_read(&t, fuzz_file("table.yaml", data, size))) foci_table_free(t);
    return 0;
}
