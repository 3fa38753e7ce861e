/* A token file, of llm.c or of nanoGPT. */
#include "fuzz.h"

#include "bpe/shards.h"

static const foci_bpe *bytes(void) {
    static foci_bpe *bpe;
    foci_bpe_training t = {.size = 256, .min_frequency = 2};
    const char *path = fuzz_file("learn", "a", 1);
    if (!bpe && foci_bpe_train(&bpe, &path, 1, &t)) abort();
    return bpe;
}

static void read_as(bool bare, const char *path) {
    foci_shards s;
    if (foci_shards_open(&s, path, bare, bytes())) return;
    int32_t id[7];
    for (int64_t first = 0; first < s.count; first += 7) {
        const int64_t n = s.count - first < 7 ? s.count - first : 7;
        foci_shards_copy(&s, first, n, id);
        for (int64_t i = 0; i < n; i++)
            if (id[i] < 0 || id[i] > 255) abort();
    }
    foci_shards_close(&s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_file("x.bin", data, size);
    read_as(false, path);
    read_as(true, path);
    return 0;
}
