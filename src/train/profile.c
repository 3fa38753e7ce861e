#include "train/profile.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"

static const char *const pass_name[] = {[FOCI_FORWARD] = "forward", [FOCI_AGAIN] = "again", [FOCI_BACKWARD] = "backward"};

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
    if (!p->row) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    for (int i = 0; i < calls; i++) add(p, foci_graph_call(g, i), &spans[i], steps, passes);
    p->row[p->rows++] = *update;
    for (int i = 0; i < p->rows; i++) p->ms += p->row[i].ms;
    qsort(p->row, (size_t)p->rows, sizeof *p->row, longest_first);
    return FOCI_OK;
}

double foci_profile_roof_ms(const foci_profile_row *r, double gflops, double gbs) { return fmax(r->flop / gflops, r->bytes / gbs) / 1e6; }
bool foci_profile_memory_bound(const foci_profile_row *r, double gflops, double gbs) { return r->bytes / gbs > r->flop / gflops; }

void foci_profile_free(foci_profile *p) {
    free(p->row);
    *p = (foci_profile){.row = NULL};
}

static void write_event(FILE *f, const foci_call *c, const foci_span *span, double start, bool *first) {
    const foci_node *n = c->node;
    if (span->total_ms <= 0) return;
    fprintf(f, "%s\n{\"name\": \"%s\", \"cat\": \"%s\", \"ph\": \"X\", \"ts\": %.3f, \"dur\": %.3f, \"pid\": 1, \"tid\": 1, \"args\": {\"layer\": \"%s\"}}",
            *first ? "" : ",", n->op->name, pass_name[c->pass], 1e3 * (span->start_ms - start), 1e3 * span->last_ms, n->layer ? n->layer : "");
    *first = false;
}

foci_status foci_profile_trace(const char *path, const foci_graph *g, const foci_span *spans) {
    char *text = NULL;
    size_t size = 0;
    FILE *f = open_memstream(&text, &size);
    if (!f) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    bool first = true;
    fputs("{\"displayTimeUnit\": \"ms\", \"traceEvents\": [", f);
    for (int i = 0; i < foci_graph_calls(g); i++) write_event(f, foci_graph_call(g, i), &spans[i], spans[0].start_ms, &first);
    fputs("\n]}\n", f);
    foci_status s = fclose(f) ? foci_fail(FOCI_ERR_RUNTIME, "out of memory") : foci_write_file(path, text, size);
    free(text);
    return s;
}
