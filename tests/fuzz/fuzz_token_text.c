/* A text of any bytes, plain or gzip: a tokenizer is learnt from it, and it becomes tokens whole, and as documents. */
#include "fuzz.h"

#include "bpe/bpe.h"

static foci_status add_size(void *context, const int32_t *id, int64_t count) {
    void **c = context;
    const foci_bpe *bpe = c[0];
    for (int64_t i = 0; i < count; i++)
        if (!foci_bpe_token(bpe, id[i]).special) *(int64_t *)c[1] += foci_bpe_token(bpe, id[i]).size;
    return FOCI_OK;
}

static void read_as(foci_documents documents, const char *path) {
    static const char *const special[] = {"<|endoftext|>"};
    foci_bpe_training t = {.size = 300, .min_frequency = 2, .special = special, .specials = 1, .documents = documents};
    foci_bpe *bpe;
    if (foci_bpe_train(&bpe, &path, 1, &t)) return;
    int64_t size = 0;
    void *context[] = {bpe, &size};
    foci_bpe_reading r = {.documents = documents, .take = add_size, .context = context};
    if (foci_bpe_encode_file(bpe, path, &r) || size != r.bytes || size != t.bytes) abort();
    foci_bpe_free(bpe);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    const char *path = fuzz_file("text", data, size);
    for (int documents = FOCI_NO_DOCUMENTS; documents <= FOCI_LINES; documents++)
        read_as((foci_documents)documents, path);
    return 0;
}
