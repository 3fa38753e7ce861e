#include "task/classes.h"

#include <math.h>

#include "task/rank.h"

foci_status foci_classes_score(foci_score *score, const foci_program *p, const int32_t *labels, int64_t count,
                               int64_t classes, bool top5, const char *counted) {
    const foci_real *loss, *logits;
    const double n = (double)count;
    int64_t first = 0, fifth = 0;
    FOCI_TRY(foci_program_fetch(p, "loss", &loss));
    FOCI_TRY(foci_program_fetch(p, "logits", &logits));
    for (int64_t i = 0; i < count; i++) {
        const int64_t rank = foci_rank(logits + i * classes, classes, labels[i], NULL);
        first += rank < 1;
        fifth += rank < 5;
    }
    FOCI_TRY(foci_score_put(score, "loss", (double)loss[0] * n, n));
    FOCI_TRY(foci_score_put(score, "top1", (double)first, n));
    if (top5) FOCI_TRY(foci_score_put(score, "top5", (double)fifth, n));
    return foci_score_put(score, counted, n, n);
}

int64_t foci_classes_best(const foci_real *logits, int64_t classes) {
    int64_t best = 0;
    for (int64_t k = 1; k < classes; k++) best = logits[k] > logits[best] ? k : best;
    return best;
}

double foci_classes_probability(const foci_real *logits, int64_t classes, int32_t label) {
    double sum = 0;
    for (int64_t k = 0; k < classes; k++) sum += exp((double)logits[k] - (double)logits[label]);
    return 1 / sum;
}
