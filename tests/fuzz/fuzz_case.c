/* A golden case: JSON up to the first 0 byte, then the tensors. */
#include "fuzz.h"

#include "verify/verify.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static foci_verify_report report;
    const uint8_t *end = size ? memchr(data, 0, size) : NULL;
    size_t json = end ? (size_t)(end - data) : size;
    fuzz_file("case.safetensors", end ? end + 1 : data, end ? size - json - 1 : 0);
    foci_verify_case(fuzz_file("case.json", data, json), false, &report);
    return 0;
}
