#include "task/score.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The number of the part that a metric's value is made of, or -1. */
static int part_of(const foci_score *s, const foci_metric *m) {
    const char *name = m && m->of ? m->of : m ? m->name : "";
    if (m && m->per && !foci_score_has(s, m->per)) return -1;
    for (int i = 0; i < s->count; i++)
        if (strcmp(s->part[i].metric->name, name) == 0) return i;
    return -1;
}

foci_status foci_score_put(foci_score *s, const char *metric, double sum, double weight) {
    const foci_metric *m = foci_metric_find(metric);
    if (!m || !m->value || m->of) return foci_fail(FOCI_ERR_RUNTIME, "`%s` is no metric that can be summed up", metric);
    int i = part_of(s, m);
    if (i < 0 && s->count == FOCI_SCORE_PARTS)
        return foci_fail(FOCI_ERR_RUNTIME, "a score of more than %d metrics", FOCI_SCORE_PARTS);
    if (i < 0) s->part[i = s->count++].metric = m;
    s->part[i].sum += sum;
    s->part[i].weight += weight;
    return FOCI_OK;
}

foci_status foci_score_add(foci_score *s, const foci_score *part) {
    for (int i = 0; i < part->count; i++)
        FOCI_TRY(foci_score_put(s, part->part[i].metric->name, part->part[i].sum, part->part[i].weight));
    return FOCI_OK;
}

static double value_of(const foci_score *s, const foci_metric *m) {
    const int i = part_of(s, m), per = m && m->per ? part_of(s, foci_metric_find(m->per)) : i;
    return i < 0 || !m->value ? (double)NAN : m->value(s->part[i].sum, per == i ? s->part[i].weight : s->part[per].sum);
}

bool foci_score_has(const foci_score *s, const char *metric) { return part_of(s, foci_metric_find(metric)) >= 0; }
double foci_score_value(const foci_score *s, const char *metric) { return value_of(s, foci_metric_find(metric)); }

double foci_score_sum(const foci_score *s, const char *metric) {
    const int i = part_of(s, foci_metric_find(metric));
    return i < 0 ? (double)NAN : s->part[i].sum;
}

int foci_score_metrics(const foci_score *s, const foci_metric *metric[FOCI_SCORE_METRICS]) {
    int n = 0;
    for (int i = 0; i < s->count && n < FOCI_SCORE_METRICS; i++) {
        metric[n++] = s->part[i].metric;
        for (const foci_metric *m = foci_metrics; m->name && n < FOCI_SCORE_METRICS; m++)
            if (m->of && part_of(s, m) == i) metric[n++] = m;
    }
    return n;
}

/* ---------------------------------------------------------------------------------------------- for files */

static void put_value(const foci_score *s, const foci_metric *m, const char *name, foci_report *r) {
    const double x = value_of(s, m);
    if (foci_metric_is_count(m)) foci_report_whole(r, name, (int64_t)x);
    else foci_report_number(r, name, x);
}

/* A result has text's loss under that name, too. Averages are scored on as many samples as the weights beside them. */
void foci_score_report(const foci_score *s, foci_metric_place place, foci_report *r) {
    const foci_metric *metric[FOCI_SCORE_METRICS];
    const int n = foci_score_metrics(s, metric);
    for (int i = 0; i < n; i++) {
        const foci_metric *m = metric[i], *plain = foci_metric_plain(m);
        char name[FOCI_METRIC_NAME];
        if (place == FOCI_IN_AVERAGE && foci_metric_is_count(m)) continue;
        foci_metric_name(m, place, name);
        put_value(s, m, name, r);
        if (place == FOCI_IN_RESULT && plain != m) put_value(s, m, plain->name, r);
    }
}

/* --------------------------------------------------------------------------------------------- for people */

static bool is_told(const foci_report *r, const foci_metric *m) { return foci_report_find(r, m->name); }

/* Is it what another metric of the result is made of, or text's loss, which stands there as nll? */
static bool is_told_by_another(const foci_report *r, const foci_metric *m) {
    for (const foci_metric *k = foci_metrics; k->name; k++) {
        const bool made = k->of && strcmp(k->of, m->name) == 0;
        if (k != m && is_told(r, k) && (made || foci_metric_plain(k) == m)) return true;
    }
    return false;
}

static int decimals_at_length(const foci_metric *m) { return m->decimals + !*m->unit; }

/* What it is made of, unless one before it told. */
static const foci_metric *made_of(const foci_report *r, const foci_metric *m) {
    for (const foci_metric *k = foci_metrics; k < m && m->of; k++)
        if (k->of && strcmp(k->of, m->of) == 0 && is_told(r, k)) return NULL;
    return m->of ? foci_metric_find(m->of) : NULL;
}

static void text_at_length(const foci_report *r, const foci_metric *m, char *text, size_t size) {
    const foci_metric *of = made_of(r, m);
    foci_metric_text(m, m->title, foci_report_number_of(r, m->name), decimals_at_length(m), text, size);
    const size_t used = strlen(text);
    if (of)
        snprintf(text + used, size - used, " (%.*f %s)", decimals_at_length(of), foci_report_number_of(r, of->name),
                 of->title);
}

/* "A", then "A, B" */
static size_t append(char *text, size_t used, size_t size, const char *one) {
    if (used >= size) return used;
    return used + (size_t)snprintf(text + used, size - used, "%s%s", used ? ", " : "", one);
}

static size_t append_count(char *text, size_t used, size_t size, const char *before, const foci_metric *m, double x) {
    return used >= size ? used
                        : used + (size_t)snprintf(text + used, size - used, "%s %.0f %.*s", before, x,
                                                  (int)strlen(m->title) - (x == 1), m->title) /* images, tokens */;
}

void foci_result_text(const foci_report *r, char *text, size_t size) {
    size_t used = 0;
    char one[128];
    text[0] = 0;
    for (const foci_metric *m = foci_metrics; m->name; m++) {
        if (!is_told(r, m) || foci_metric_is_count(m) || is_told_by_another(r, m)) continue;
        text_at_length(r, m, one, sizeof one);
        used = append(text, used, size, one);
    }
    const char *before = " over";
    for (const foci_metric *m = foci_metrics; m->name; m++) {
        if (!foci_metric_is_count(m) || !is_told(r, m)) continue;
        used = append_count(text, used, size, before, m, foci_report_number_of(r, m->name));
        before = ",";
    }
}

static void score_at_length(const foci_score *s, char *text, size_t size) {
    foci_report r = {NULL};
    foci_score_report(s, FOCI_IN_RESULT, &r);
    foci_result_text(&r, text, size);
    foci_report_free(&r);
}

void foci_score_text(const foci_score *s, bool at_length, char *text, size_t size) {
    if (at_length) {
        score_at_length(s, text, size);
        return;
    }
    size_t used = 0;
    char one[128];
    text[0] = 0;
    for (const foci_metric *m = foci_metrics; m->name; m++) {
        const foci_metric *plain = foci_metric_plain(m);
        if (part_of(s, m) < 0 || foci_metric_is_count(m)) continue;
        foci_metric_text(plain, plain->title, value_of(s, m), plain->decimals, one, sizeof one);
        used = append(text, used, size, one);
    }
    const char *before = " over";
    for (const foci_metric *m = foci_metrics; m->name; m++) {
        if (!foci_metric_is_count(m) || part_of(s, m) < 0) continue;
        used = append_count(text, used, size, before, m, value_of(s, m));
        before = ",";
    }
}
