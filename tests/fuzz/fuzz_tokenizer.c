/* A tokenizer.json; behind a 0 byte in it, a text for it. */
#include "fuzz.h"

#include "bpe/bpe.h"

static void encode(const foci_bpe *bpe, const char *text, size_t size, bool special) {
    foci_ids ids = {0};
    size_t at = 0;
    if (foci_bpe_encode_text(bpe, text, size, special, &ids)) abort();
    for (int64_t i = 0; i < ids.count; at += foci_bpe_token(bpe, ids.id[i++]).size) {
        const foci_token t = foci_bpe_token(bpe, ids.id[i]);
        if (at + t.size > size || memcmp(text + at, t.text, t.size) != 0) abort();
    }
    if (at != size) abort();
    free(ids.id);
}

/* What is printed is the same tokenizer. */
static void print(const foci_bpe *bpe) {
    char *json, one[FOCI_BPE_HASH], other[FOCI_BPE_HASH];
    foci_bpe *again;
    if (foci_bpe_print(bpe, true, &json) || foci_bpe_parse(&again, "printed", json, strlen(json))) abort();
    if (foci_bpe_hash(bpe, one) || foci_bpe_hash(again, other) || strcmp(one, other) != 0) abort();
    foci_bpe_free(again);
    free(json);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    foci_bpe *bpe;
    char *copy = fuzz_text(data, size);
    const size_t json = strlen(copy) < size ? strlen(copy) : size;
    if (!foci_bpe_parse(&bpe, "fuzzed", copy, json)) {
        const char *text = json < size ? copy + json + 1 : copy;
        const size_t length = json < size ? size - json - 1 : size;
        encode(bpe, text, length, false);
        encode(bpe, text, length, true);
        print(bpe);
        foci_bpe_free(bpe);
    }
    free(copy);
    return 0;
}
