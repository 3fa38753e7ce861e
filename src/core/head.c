/* The head of a model for other outputs than its weights learnt: rows go by the names of the outputs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/load.h"

static int64_t count_lines(const char *text) {
    int64_t n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
}

typedef struct line {
    const char *text; /* with its end */
    int32_t number;
} line;

/* Where one ends, both end. */
static int by_text(const void *a, const void *b) {
    const unsigned char *x = (const unsigned char *)((const line *)a)->text,
                        *y = (const unsigned char *)((const line *)b)->text;
    while (*x == *y && *x != '\n') x++, y++;
    return (*x > *y) - (*x < *y);
}
static int by_text_and_number(const void *a, const void *b) {
    const int order = by_text(a, b), x = ((const line *)a)->number, y = ((const line *)b)->number;
    return order ? order : (x > y) - (x < y);
}

static void number_lines(const char *text, line *l) {
    int32_t number = 0;
    for (const char *at = text, *end; (end = strchr(at, '\n')); at = end + 1) l[number] = (line){at, number}, number++;
}

/* The first of those that are alike; NULL: there is none. */
static const line *find_line(const line *sorted, int64_t count, const line *wanted) {
    const line *found = bsearch(wanted, sorted, (size_t)count, sizeof *sorted, by_text);
    while (found && found > sorted && by_text(found - 1, wanted) == 0) found--;
    return found;
}

/* from[k]: which line of `there` line k of `here` is, or -1; all lines are ended. From malloc. */
static int32_t *find_lines(const char *here, const char *there, int64_t *known) {
    const int64_t count = count_lines(here), others = count_lines(there);
    int32_t *from = malloc(((size_t)count + 1) * sizeof *from);
    line *ours = malloc(((size_t)(count + others) + 1) * sizeof *ours), *sorted = ours + count;
    *known = 0;
    if (from && ours) {
        number_lines(here, ours);
        number_lines(there, sorted);
        qsort(sorted, (size_t)others, sizeof *sorted, by_text_and_number);
        for (int64_t k = 0; k < count; k++) {
            const line *found = find_line(sorted, others, &ours[k]);
            from[k] = found ? found->number : -1;
            *known += found != NULL;
        }
    } else {
        free(from);
        from = NULL;
    }
    free(ours);
    return from;
}

/* A row for each output, perhaps behind dimensions of 1, as many in all other dimensions. */
static bool has_rows(const foci_parameter_entry *e, int64_t rows, const foci_safetensor *t, int64_t rows_there) {
    int i = 0;
    if (!t || t->ndim != e->ndim) return false;
    while (i < e->ndim && e->shape[i] == 1 && t->shape[i] == 1 && rows > 1) i++;
    if (i == e->ndim || e->shape[i] != rows || t->shape[i] != rows_there) return false;
    return memcmp(t->shape + i + 1, e->shape + i + 1, (size_t)(e->ndim - i - 1) * sizeof *e->shape) == 0;
}

/* The rows of outputs that the file knows; the others as they were before. */
static foci_status take_rows(const foci_safetensors *f, const foci_safetensor *t, const foci_parameter_entry *e,
                             const int32_t *from, int64_t rows, const foci_real *before, foci_real *to) {
    const int64_t width = e->numel / rows;
    for (int64_t k = 0; k < rows; k++) {
        if (from[k] >= 0) FOCI_TRY(foci_safetensors_reals(f, t, from[k] * width, width, to + k * width));
        else memcpy(to + k * width, before + k * width, (size_t)width * sizeof *to);
    }
    return FOCI_OK;
}

static foci_status take_head(foci_parameters *p, const foci_safetensors *f, const foci_head *head, const char *there,
                             const char *fresh, const foci_real *before, char *note, size_t size) {
    const int64_t rows = count_lines(head->labels), rows_there = count_lines(there);
    int64_t known, parameters = 0;
    int32_t *from = find_lines(head->labels, there, &known);
    foci_status s = from ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", f->path);
    for (int i = 0; i < p->count && !s; i++) {
        const foci_parameter_entry *e = &p->entry[i];
        const foci_safetensor *t = foci_safetensors_find(f, e->name);
        if (!foci_names_within(e->name, head->names) || !has_rows(e, rows, t, rows_there)) continue;
        if (fresh && foci_names_within(e->name, fresh)) continue;
        s = take_rows(f, t, e, from, rows, before + e->offset, p->value + e->offset);
        parameters++;
    }
    free(from);
    const size_t used = strlen(note);
    if (!s && parameters)
        snprintf(note + used, size - used,
                 "; of %lld %s %lld are known there by name and keep their weights, the others (%lld) are new",
                 (long long)rows, head->what, (long long)known, (long long)(rows - known));
    return s;
}

foci_status foci_init_head(foci_parameters *p, const char *path, const foci_head *head, const char *fresh,
                           const foci_real *before, char *note, size_t size) {
    foci_safetensors f;
    if (!head->names || !head->labels) return FOCI_OK;
    FOCI_TRY(foci_safetensors_open(&f, path));
    const char *there = foci_safetensors_metadata(&f, head->key);
    foci_status s = FOCI_OK;
    if (there && strcmp(there, head->labels) != 0) s = take_head(p, &f, head, there, fresh, before, note, size);
    foci_safetensors_close(&f);
    return s;
}
