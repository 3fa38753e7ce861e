#include "train/loss_watch.h"

#include <math.h>

enum { MEMORY = 100 };

bool foci_loss_spikes(const foci_loss_watch *w, double loss, double zscore) {
    return zscore > 0 && w->losses >= FOCI_WATCH_LEAST && loss > w->mean + zscore * sqrt(w->variance);
}

void foci_loss_take(foci_loss_watch *w, double loss) {
    w->losses++;
    double share = 1.0 / (double)(w->losses < MEMORY ? w->losses : MEMORY), off = loss - w->mean;
    w->mean += share * off;
    w->variance = (1 - share) * (w->variance + share * off * off);
}
