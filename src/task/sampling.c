#define _GNU_SOURCE
#include "task/sampling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/philox.h"

const foci_key foci_sampling_keys[] = {
    FOCI_KEY(foci_sampling, temperature, "1", 0, 1e6, NULL,
             "below 1 likely words are preferred more; 0: always the likeliest"),
    FOCI_KEY(foci_sampling, top_k, "0", 0, INT32_MAX, NULL, "draw from the K likeliest words only; 0: from all",
             .placeholder = "K"),
    FOCI_KEY(foci_sampling, top_p, "1", 1e-9, 1, NULL, "draw from the likeliest words that together have probability P",
             .placeholder = "P"),
    FOCI_KEY(foci_sampling, repetition_penalty, "1", 1, 1e3, NULL,
             "log-probabilities of words that the text has already are multiplied by X", .placeholder = "X"),
    FOCI_KEY(foci_sampling, seed, "0", 0, 9e15, NULL, "of the draws"),
    {0}};

static int likelier_first(const void *a, const void *b, void *logprob) {
    const int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
    const foci_real p = ((const foci_real *)logprob)[x], q = ((const foci_real *)logprob)[y];
    if (p != q) return p > q ? -1 : 1;
    return (x > y) - (x < y);
}

/* Of the likeliest words, `count` of them, as many as top_k and top_p leave; weights are those of the words in order.
 */
static int64_t keep(const foci_sampling *s, const double *weight, int64_t count) {
    if (s->top_k && s->top_k < count) count = s->top_k;
    double all = 0, sum = 0;
    for (int64_t i = 0; i < count; i++) all += weight[i];
    for (int64_t i = 0; i < count && s->top_p < 1; i++)
        if ((sum += weight[i]) >= s->top_p * all) return i + 1;
    return count;
}

static int32_t draw(const foci_sampling *s, const foci_real *logprob, int32_t *word, double *weight, int64_t count,
                    uint64_t step) {
    if (s->top_k || s->top_p < 1)
        qsort_r(word, (size_t)count, sizeof *word, likelier_first, (void *)(uintptr_t)logprob);
    double largest = -INFINITY, all = 0;
    for (int64_t i = 0; i < count; i++) largest = fmax(largest, (double)logprob[word[i]]);
    for (int64_t i = 0; i < count; i++) weight[i] = exp(((double)logprob[word[i]] - largest) / s->temperature);
    count = keep(s, weight, count);
    for (int64_t i = 0; i < count; i++) all += weight[i];
    foci_u32x4 u = foci_philox((uint64_t)s->seed, foci_stream("generate"), step, s->text);
    double left = ((double)u.v[0] + (double)(u.v[1] >> 11) * 0x1p-21) * 0x1p-32 * all; /* [0, all) */
    int64_t i = 0;
    while (i < count - 1 && (left -= weight[i]) >= 0) i++;
    return word[i];
}

/* A copy in which words that were seen are less likely. */
static foci_real *penalised(const foci_sampling *s, const foci_real *logprob, int64_t words) {
    foci_real *copy = malloc((size_t)words * sizeof *copy);
    if (copy) memcpy(copy, logprob, (size_t)words * sizeof *copy);
    for (int64_t i = 0; copy && i < s->seen_words; i++)
        copy[s->seen[i]] = (foci_real)s->repetition_penalty * logprob[s->seen[i]];
    return copy;
}

static foci_status sample(const foci_sampling *s, const foci_real *logprob, int64_t words, uint64_t step,
                          int32_t *word) {
    int32_t best = -1;
    for (int64_t i = 0; i < words; i++)
        if (i != s->never && !isnan(logprob[i]) && (best < 0 || logprob[i] > logprob[best])) best = (int32_t)i;
    if (best < 0 || !isfinite(logprob[best]))
        return foci_fail(FOCI_ERR_CHECKPOINT, "the model gives no word a probability: its weights are not finite");
    *word = best;
    if (s->temperature == 0 || s->top_k == 1) return FOCI_OK;
    int32_t *candidate = malloc((size_t)words * sizeof *candidate);
    double *weight = malloc((size_t)words * sizeof *weight);
    int64_t count = 0;
    for (int64_t i = 0; candidate && i < words; i++)
        if (i != s->never && !isnan(logprob[i])) candidate[count++] = (int32_t)i;
    if (candidate && weight) *word = draw(s, logprob, candidate, weight, count, step);
    free(candidate);
    free(weight);
    return candidate && weight ? FOCI_OK
                               : foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld words", (long long)words);
}

foci_status foci_sample(const foci_sampling *s, const foci_real *logprob, int64_t words, uint64_t step, int32_t *word) {
    if (!(s->repetition_penalty > 1) || !s->seen_words) return sample(s, logprob, words, step, word);
    foci_real *copy = penalised(s, logprob, words);
    if (!copy) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld words", (long long)words);
    const foci_status status = sample(s, copy, words, step, word);
    free(copy);
    return status;
}
