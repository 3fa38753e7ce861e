#include "train/pace.h"

#include <math.h>

#include "base/clock.h"

void foci_pace_start(foci_pace *p) {
    p->started = p->saved = foci_now();
    foci_pace_line(p);
}

void foci_pace_line(foci_pace *p) {
    p->loss_sum = p->wait = 0;
    p->steps = p->losses = p->items = 0;
    p->since = foci_now();
}

void foci_pace_step(foci_pace *p, double loss, int64_t items) {
    p->steps++;
    if (isfinite(loss)) {
        p->loss_sum += loss;
        p->losses++;
    }
    p->items += items;
}

double foci_pace_elapsed(const foci_pace *p, double before) { return before + foci_now() - p->started; }

void foci_pace_checkpoint(foci_pace *p) { p->saved = foci_now(); }

double foci_pace_loss(const foci_pace *p) { return p->losses ? p->loss_sum / (double)p->losses : (double)NAN; }
double foci_pace_seconds(const foci_pace *p) { return foci_now() - p->since; }

void foci_pace_report(const foci_pace *p, foci_report *line) {
    const double seconds = foci_pace_seconds(p);
    foci_report_number(line, "loss", foci_pace_loss(p));
    foci_report_number(line, "lr", p->lr);
    foci_report_number(line, "grad_norm", p->grad_norm);
    foci_report_number(line, "items_per_s", (double)p->items / seconds);
    foci_report_number(line, "data_wait_ms", 1e3 * p->wait / (double)p->steps);
}
