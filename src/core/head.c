/* The head of a model for other outputs than its weights learnt: rows go by the names of the outputs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/load.h"

/* from[k]: which line of `there` line k of `here` is, or -1; all lines are ended. From malloc. */
static int32_t *find_lines(const char *here, const char *there, int64_t *known) {
    int64_t count = 0, k = 0;
    for (const char *c = here; *c; c++) count += *c == '\n';
    int32_t *from = malloc(((size_t)count + 1) * sizeof *from);
    *known = 0;
    for (const char *line = here, *end; from && (end = strchr(line, '\n')); line = end + 1, k++) {
        const size_t n = (size_t)(end + 1 - line);
        int32_t at = 0;
        const char *other = there, *other_end;
        while ((other_end = strchr(other, '\n')) &&
               ((size_t)(other_end + 1 - other) != n || memcmp(other, line, n) != 0)) {
            other = other_end + 1;
            at++;
        }
        from[k] = other_end ? at : -1;
        *known += other_end != NULL;
    }
    return from;
}

static int64_t count_lines(const char *text) {
    int64_t n = 0;
    for (; *text; text++) n += *text == '\n';
    return n;
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
                             const foci_real *before, char *note, size_t size) {
    const int64_t rows = count_lines(head->labels), rows_there = count_lines(there);
    int64_t known, parameters = 0;
    int32_t *from = find_lines(head->labels, there, &known);
    foci_status s = from ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", f->path);
    for (int i = 0; i < p->count && !s; i++) {
        const foci_parameter_entry *e = &p->entry[i];
        const foci_safetensor *t = foci_safetensors_find(f, e->name);
        if (!foci_names_within(e->name, head->names) || !has_rows(e, rows, t, rows_there)) continue;
        s = take_rows(f, t, e, from, rows, before + e->offset, p->value + e->offset);
        parameters++;
    }
    free(from);
    const size_t used = strlen(note);
    if (!s && parameters)
        snprintf(note + used, size - used,
                 "; of %lld outputs %lld are known there by name and keep their weights, the others (%lld) are new",
                 (long long)rows, (long long)known, (long long)(rows - known));
    return s;
}

foci_status foci_init_head(foci_parameters *p, const char *path, const foci_head *head, const foci_real *before,
                           char *note, size_t size) {
    foci_safetensors f;
    if (!head->names || !head->labels) return FOCI_OK;
    FOCI_TRY(foci_safetensors_open(&f, path));
    const char *there = foci_safetensors_metadata(&f, head->key);
    foci_status s = FOCI_OK;
    if (there && strcmp(there, head->labels) != 0) s = take_head(p, &f, head, there, before, note, size);
    foci_safetensors_close(&f);
    return s;
}
