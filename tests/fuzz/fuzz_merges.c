/* vocab.json and, behind a 0 byte, merges.txt. */
#include "fuzz.h"

#include "bpe/bpe.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *copy = fuzz_text(data, size);
    const size_t first = strlen(copy) < size ? strlen(copy) : size;
    foci_bpe *bpe;
    foci_ids ids = {0};
    fuzz_file("vocab.json", copy, first);
    fuzz_file("merges.txt", copy + first, size - first);
    if (first < size) fuzz_file("merges.txt", copy + first + 1, size - first - 1);
    if (!foci_bpe_open(&bpe, fuzz_make_folder())) {
        if (foci_bpe_encode_text(bpe, copy, size, true, &ids)) abort();
        foci_bpe_free(bpe);
    }
    free(ids.id);
    free(copy);
    return 0;
}
