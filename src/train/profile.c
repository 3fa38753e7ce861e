#include "train/profile.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"

static const char *const pass_name[] = {
    [FOCI_FORWARD] = "forward", [FOCI_AGAIN] = "again", [FOCI_BACKWARD] = "backward"};

static foci_profile_row *find_row(foci_profile *p, const char *op, const char *pass) {
    for (int i = 0; i < p->rows; i++)
        if (p->row[i].pass == pass && strcmp(p->row[i].op, op) == 0) return &p->row[i];
    p->row[p->rows] = (foci_profile_row){.op = op, .pass = pass};
    return &p->row[p->rows++];
}

static void add(foci_profile *p, const foci_call *c, const foci_span *span, int64_t steps, int passes) {
    if (span->total_ms <= 0) return;
    foci_profile_row *r = find_row(p, c->node->op->name, pass_name[c->pass]);
    r->calls += passes;
    r->ms += span->total_ms / (double)steps;
    r->flop += passes * foci_call_flop(c);
    r->bytes += passes * foci_call_bytes(c);
}

static int longest_first(const void *a, const void *b) {
    double x = ((const foci_profile_row *)a)->ms, y = ((const foci_profile_row *)b)->ms;
    return (x < y) - (x > y);
}

foci_status foci_profile_make(foci_profile *p, const foci_graph *g, const foci_span *spans, int64_t steps, int passes,
                              const foci_profile_row *update) {
    int calls = foci_graph_calls(g);
    *p = (foci_profile){.row = calloc((size_t)calls + 1, sizeof *p->row)};
    if (!p->row) return foci_out_of_memory();
    for (int i = 0; i < calls; i++) add(p, foci_graph_call(g, i), &spans[i], steps, passes);
    p->row[p->rows++] = *update;
    for (int i = 0; i < p->rows; i++) p->ms += p->row[i].ms;
    qsort(p->row, (size_t)p->rows, sizeof *p->row, longest_first);
    return FOCI_OK;
}

double foci_profile_roof_ms(const foci_profile_row *r, double gflops, double gbs) {
    return fmax(r->flop / gflops, r->bytes / gbs) / 1e6;
}
bool foci_profile_memory_bound(const foci_profile_row *r, double gflops, double gbs) {
    return r->bytes / gbs > r->flop / gflops;
}

void foci_profile_free(foci_profile *p) {
    free(p->row);
    *p = (foci_profile){.row = NULL};
}

static void report_event(foci_report *events, const foci_call *c, const foci_span *span, double start) {
    if (span->total_ms <= 0) return;
    foci_report *e = foci_report_part(events, NULL);
    foci_report_text(e, "name", c->node->op->name);
    foci_report_text(e, "cat", pass_name[c->pass]);
    foci_report_text(e, "ph", "X");
    foci_report_decimals(e, "ts", 1e3 * (span->start_ms - start), 3);
    foci_report_decimals(e, "dur", 1e3 * span->last_ms, 3);
    foci_report_whole(e, "pid", 1);
    foci_report_whole(e, "tid", 1);
    foci_report_text(foci_report_part(e, "args"), "layer", c->node->layer ? c->node->layer : "");
}

foci_status foci_profile_trace(const char *path, const foci_graph *g, const foci_span *spans) {
    foci_report r = {NULL};
    foci_report_text(&r, "displayTimeUnit", "ms");
    foci_report *events = foci_report_list(&r, "traceEvents");
    for (int i = 0; i < foci_graph_calls(g); i++)
        report_event(events, foci_graph_call(g, i), &spans[i], spans[0].start_ms);
    foci_status s = foci_report_write(&r, &foci_json_line, path);
    foci_report_free(&r);
    return s;
}
