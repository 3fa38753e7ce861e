#define _GNU_SOURCE
#include "base/report.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/utf8.h"

static foci_report *whole_of(foci_report *r) { return r->whole ? r->whole : r; }

static const char *copy(foci_report *whole, const char *text) {
    const char *own = text ? foci_arena_strdup(&whole->arena, text) : NULL;
    if (text && !own) whole->failed = true;
    return own;
}

static foci_report_entry *find(const foci_report *r, const char *name) {
    foci_report_entry *e = name ? r->first : NULL;
    while (e && (!e->name || strcmp(e->name, name) != 0)) e = e->next;
    return e;
}

static foci_report_entry *append(foci_report *r, const char *name) {
    foci_report *whole = whole_of(r);
    foci_report_entry *e = foci_arena_alloc(&whole->arena, sizeof *e);
    const char *own = copy(whole, name);
    if (!e || (name && !own)) {
        whole->failed = true;
        return NULL;
    }
    e->name = own;
    if (r->last) r->last->next = e;
    else r->first = e;
    return r->last = e;
}

static void put(foci_report *r, const char *name, foci_report_entry value) {
    foci_report_entry *e = find(r, name);
    if (!e && !(e = append(r, name))) return;
    value.name = e->name;
    value.next = e->next;
    *e = value;
}

void foci_report_free(foci_report *r) {
    foci_arena_free(&r->arena);
    *r = (foci_report){NULL};
}

void foci_report_number(foci_report *r, const char *name, double x) { foci_report_decimals(r, name, x, -1); }
void foci_report_decimals(foci_report *r, const char *name, double x, int decimals) {
    put(r, name, (foci_report_entry){.kind = FOCI_NUMBER, .number = x, .decimals = decimals});
}
void foci_report_whole(foci_report *r, const char *name, int64_t x) {
    put(r, name, (foci_report_entry){.kind = FOCI_WHOLE, .whole = x});
}
void foci_report_flag(foci_report *r, const char *name, bool x) {
    put(r, name, (foci_report_entry){.kind = FOCI_FLAG, .flag = x});
}
void foci_report_text(foci_report *r, const char *name, const char *text) {
    const char *own = copy(whole_of(r), text);
    put(r, name, (foci_report_entry){.kind = own ? FOCI_TEXT : FOCI_NOTHING, .text = own});
}

/* Without memory the values for a part go to where it would be: nothing of that is printed. */
static foci_report *put_part(foci_report *r, const char *name, foci_value_kind kind) {
    foci_report *whole = whole_of(r), *part = foci_arena_alloc(&whole->arena, sizeof *part);
    if (!part) {
        whole->failed = true;
        return r;
    }
    part->whole = whole;
    put(r, name, (foci_report_entry){.kind = kind, .part = part});
    return part;
}
foci_report *foci_report_part(foci_report *r, const char *name) { return put_part(r, name, FOCI_PART); }
foci_report *foci_report_list(foci_report *r, const char *name) { return put_part(r, name, FOCI_LIST); }

void foci_report_numbers(foci_report *r, const char *name, int64_t count, const double *x) {
    foci_report *list = foci_report_list(r, name);
    for (int64_t i = 0; i < count; i++) foci_report_number(list, NULL, x[i]);
}

double foci_report_value(const foci_report_entry *e) {
    if (e->kind == FOCI_WHOLE) return (double)e->whole;
    return e->kind == FOCI_NUMBER ? e->number : (double)NAN;
}

const foci_report_entry *foci_report_find(const foci_report *r, const char *name) {
    const foci_report_entry *e = r->first;
    while (e && !(e->name && strcmp(e->name, name) == 0)) e = e->next;
    return e;
}

double foci_report_number_of(const foci_report *r, const char *name) {
    const foci_report_entry *e = foci_report_find(r, name);
    return e ? foci_report_value(e) : (double)NAN;
}

const char *foci_report_text_of(const foci_report *r, const char *name) {
    const foci_report_entry *e = foci_report_find(r, name);
    return e && e->kind == FOCI_TEXT ? e->text : NULL;
}

const foci_report *foci_report_part_of(const foci_report *r, const char *name) {
    static const foci_report none = {NULL};
    const foci_report_entry *e = foci_report_find(r, name);
    return e && (e->kind == FOCI_PART || e->kind == FOCI_LIST) ? e->part : &none;
}

/* ------------------------------------------------------------------------------------------------- as JSON */

const foci_json_form foci_json_line = {.digits = 9}, foci_json_compact = {.compact = true, .digits = 9, .point = true};

static void write_character(FILE *f, uint32_t code, const char *bytes, int length) {
    static const char letters[] = "btn\vfr"; /* of the codes from 8 on */
    if (code == '"' || code == '\\') fprintf(f, "\\%c", (int)code);
    else if (code >= 8 && code <= 13 && code != 11) fprintf(f, "\\%c", letters[code - 8]);
    else if (code < 32) fprintf(f, "\\u%04X", (unsigned)code);
    else fwrite(bytes, 1, (size_t)length, f);
}

static void write_text(FILE *f, const char *text) {
    fputc('"', f);
    for (size_t left = strlen(text); left;) {
        uint32_t code = 0;
        const int length = foci_utf8(text, left, &code), used = length ? length : 1;
        if (length) write_character(f, code, text, length);
        else fputc('?', f);
        text += used;
        left -= (size_t)used;
    }
    fputc('"', f);
}

/* 50 -> 50.0, 1e-05 -> 1e-5, 1e+20 -> 1e20 */
static void write_pointed(FILE *f, const char *text) {
    const char *e = strchr(text, 'e');
    if (!e) {
        fprintf(f, "%s%s", text, strchr(text, '.') ? "" : ".0");
        return;
    }
    fprintf(f, "%.*s%s%s", (int)(e + 1 - text), text, e[1] == '-' ? "-" : "", e + 2 + strspn(e + 2, "0"));
}

static void write_number(FILE *f, const foci_report_entry *e, const foci_json_form *form) {
    const double x = e->number;
    char text[64];
    snprintf(text, sizeof text, "%.*g", form->digits, x);
    if (!isfinite(x)) fputs("null", f);
    else if (e->decimals >= 0) fprintf(f, "%.*f", e->decimals, x);
    else if (form->point) write_pointed(f, text);
    else if (x == floor(x) && fabs(x) < 1e15) fprintf(f, "%.0f", x);
    else fputs(text, f);
}

static void new_line(FILE *f, const foci_json_form *form, int depth) {
    if (form->indent) fprintf(f, "\n%*s", form->indent * depth, "");
}

static void write_report(FILE *f, const foci_report *r, bool list, const foci_json_form *form, int depth);

static void write_value(FILE *f, const foci_report_entry *e, const foci_json_form *form, int depth) {
    switch (e->kind) {
    case FOCI_NOTHING: fputs("null", f); break;
    case FOCI_FLAG: fputs(e->flag ? "true" : "false", f); break;
    case FOCI_WHOLE: fprintf(f, "%" PRId64, e->whole); break;
    case FOCI_NUMBER: write_number(f, e, form); break;
    case FOCI_TEXT: write_text(f, e->text); break;
    case FOCI_PART:
    case FOCI_LIST: write_report(f, e->part, e->kind == FOCI_LIST, form, depth + 1); break;
    }
}

static void write_report(FILE *f, const foci_report *r, bool list, const foci_json_form *form, int depth) {
    const char *between = form->compact || form->indent ? "," : ", ", *colon = form->compact ? ":" : ": ";
    fputc(list ? '[' : '{', f);
    for (const foci_report_entry *e = r->first; e; e = e->next) {
        new_line(f, form, depth + 1);
        if (!list) {
            write_text(f, e->name);
            fputs(colon, f);
        }
        write_value(f, e, form, depth);
        if (e->next) fputs(between, f);
    }
    if (r->first) new_line(f, form, depth);
    fputc(list ? ']' : '}', f);
}

foci_status foci_report_json(const foci_report *r, const foci_json_form *form, FILE *f) {
    if (r->whole ? r->whole->failed : r->failed) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a result");
    write_report(f, r, false, form, 0);
    return FOCI_OK;
}

foci_status foci_report_string(const foci_report *r, const foci_json_form *form, char **text) {
    size_t size = 0;
    *text = NULL;
    FILE *f = open_memstream(text, &size);
    foci_status s = f ? foci_report_json(r, form, f) : foci_out_of_memory();
    if (f && fclose(f) && !s) s = foci_out_of_memory();
    if (!s) return FOCI_OK;
    free(*text);
    *text = NULL;
    return s;
}

foci_status foci_report_write(const foci_report *r, const foci_json_form *form, const char *path) {
    char *text;
    foci_status s = foci_report_string(r, form, &text);
    if (s) return foci_context(s, "%s", path);
    s = foci_write_file(path, text, strlen(text));
    free(text);
    return s;
}

/* -------------------------------------------------------------------------------------------------- as CSV */

void foci_csv_number(FILE *f, double x, int digits) {
    if (isfinite(x)) fprintf(f, "%.*g", digits, x);
}

/* A quote is doubled. */
void foci_csv_text(FILE *f, const char *text) {
    fputc('"', f);
    for (; *text; text++) {
        if (*text == '"') fputc('"', f);
        fputc(*text, f);
    }
    fputc('"', f);
}
