#include "task/rank.h"

static bool is_below(const foci_real *logits, int64_t k, int64_t label) {
    return logits[k] < logits[label] || (logits[k] == logits[label] && k > label);
}

int64_t foci_rank(const foci_real *logits, int64_t classes, int32_t label, const bool *mask) {
    int64_t rank = 0;
    for (int64_t k = 0; k < classes; k++)
        if (k != label && (!mask || mask[k])) rank += !is_below(logits, k, label);
    return rank;
}
