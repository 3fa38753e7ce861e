/* Texts as sequences of bytes, by themselves or in pairs. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "sequences/set.h"

enum { VOCABULARY = 1 + 256 }; /* padding, then the bytes */
static const size_t LARGEST_FILE = (size_t)1 << 30;

static void take_bytes(const char *text, int64_t most, int32_t *ids) {
    for (int64_t t = 0; t < most; t++) ids[t] = (unsigned char)text[t] + 1;
}

foci_status foci_byte_line(const foci_vocabulary *words, const char *text, int64_t most, int32_t *ids,
                           int64_t *length) {
    (void)words;
    *length = (int64_t)strnlen(text, (size_t)most);
    take_bytes(text, *length, ids);
    return *length ? FOCI_OK : foci_fail(FOCI_ERR_DATA, "the sequence is empty");
}

static void token(const foci_sequences *s, int32_t id, char text[FOCI_TOKEN_TEXT]) {
    (void)s;
    const int byte = id - 1;
    snprintf(text, FOCI_TOKEN_TEXT, "%c", byte >= ' ' && byte < 127 ? byte : '.');
}

/* ---------------------------------------------------------------------------------------- a file of lines */

static foci_status read_line(const foci_sequences *s, const foci_sequence *x, int side, int64_t most, int32_t *ids) {
    (void)s;
    take_bytes(x->at[side], most, ids);
    return FOCI_OK;
}

static const foci_sequence_kind lines = {.vocabulary = VOCABULARY, .read = read_line, .token = token};

/* The texts of a line begin at column `first`, the label is column `label`. */
static foci_status add_row(foci_sequences *s, const foci_row *row, int label, int first) {
    foci_sequence x = {.line = s->rows.line};
    for (int side = 0; side < s->sides; side++) {
        x.at[side] = row->column[first + side].text;
        x.length[side] = (int64_t)row->column[first + side].length;
        if (!x.length[side])
            return foci_rows_fail(&s->rows, "%s", s->sides == 2 ? "a pair with one side" : "the sequence is empty");
    }
    if (foci_sequences_class(s, row->column[label].text, row->column[label].length, &x.label))
        return foci_rows_fail(&s->rows, "%s", foci_error_message());
    return foci_sequences_add(s, &x);
}

static foci_status fill_lines(foci_sequences *s, bool label_last) {
    foci_row row;
    FOCI_TRY(foci_rows_open(&s->rows, s->path));
    while (foci_rows_next(&s->rows, &row)) {
        if (row.columns != 2)
            return foci_rows_fail(&s->rows, "%d column%s, not %s", row.columns, foci_plural(row.columns, "s"),
                                  label_last ? "TEXT<TAB>LABEL" : "LABEL<TAB>TEXT");
        FOCI_TRY(add_row(s, &row, label_last, !label_last));
    }
    return FOCI_OK;
}

static foci_status fill_pairs(foci_sequences *s) {
    foci_row row;
    FOCI_TRY(foci_rows_open(&s->rows, s->path));
    while (foci_rows_next(&s->rows, &row)) {
        if (row.columns != 5 && row.columns != 3)
            return foci_rows_fail(&s->rows, "%d column%s, not LABEL<TAB>ID<TAB>ID<TAB>TEXT<TAB>TEXT", row.columns,
                                  foci_plural(row.columns, "s"));
        FOCI_TRY(add_row(s, &row, 0, row.columns - 2));
    }
    return FOCI_OK;
}

foci_status foci_byte_pairs_open(foci_sequences **s, const char *path) {
    FOCI_TRY(foci_sequences_new(s, &lines, path, 2));
    return foci_sequences_filled(s, fill_pairs(*s));
}

/* -------------------------------------------------------------------------------------- a folder of files */

static foci_status read_file(const foci_sequences *s, const foci_sequence *x, int side, int64_t most, int32_t *ids) {
    char path[8192], *text;
    size_t size;
    (void)side;
    snprintf(path, sizeof path, "%s/%s", s->path, x->at[0]);
    FOCI_TRY(foci_read_file(path, LARGEST_FILE, &text, &size, FOCI_ERR_DATA));
    const bool whole = (int64_t)size == x->length[0];
    if (whole) take_bytes(text, most, ids);
    free(text);
    return whole ? FOCI_OK : foci_fail(FOCI_ERR_DATA, "%s: has changed since it was listed", path);
}

static const foci_sequence_kind files = {.vocabulary = VOCABULARY, .read = read_file, .token = token};

static bool ends_in_txt(const char *name) {
    const size_t n = strlen(name);
    return n > 4 && strcmp(name + n - 4, ".txt") == 0;
}

/* Sorted names in a folder: of folders, or of texts. From malloc, each and the list. */
typedef struct listing {
    struct dirent **entry;
    int count;
} listing;

static int shown(const struct dirent *e) { return e->d_name[0] != '.'; }

static int by_name(const struct dirent **a, const struct dirent **b) { return strcmp((*a)->d_name, (*b)->d_name); }

static foci_status list_folder(const char *path, listing *l) {
    l->count = scandir(path, &l->entry, shown, by_name);
    return l->count >= 0 ? FOCI_OK : foci_fail(FOCI_ERR_DATA, "%s: %s", path, strerror(errno));
}
static void free_listing(listing *l) {
    for (int i = 0; i < l->count; i++) free(l->entry[i]);
    free(l->entry);
}

static foci_status add_text(foci_sequences *s, const char *class, const char *file) {
    char path[8192];
    struct stat st;
    foci_sequence x = {.line = 0};
    x.at[0] = foci_arena_printf(&s->names, "%s/%s", class, file);
    if (!x.at[0]) return foci_sequences_no_memory(s);
    snprintf(path, sizeof path, "%s/%s", s->path, x.at[0]);
    if (stat(path, &st) || !S_ISREG(st.st_mode)) return foci_fail(FOCI_ERR_DATA, "%s: no file", path);
    if (!st.st_size) return foci_fail(FOCI_ERR_DATA, "%s: the sequence is empty", path);
    x.length[0] = st.st_size;
    FOCI_TRY(foci_sequences_class(s, class, strlen(class), &x.label));
    return foci_sequences_add(s, &x);
}

static foci_status fill_class(foci_sequences *s, const char *class) {
    char path[8192];
    listing l;
    const int64_t before = s->count;
    snprintf(path, sizeof path, "%s/%s", s->path, class);
    FOCI_TRY(list_folder(path, &l));
    foci_status status = FOCI_OK;
    for (int i = 0; i < l.count && !status; i++)
        if (ends_in_txt(l.entry[i]->d_name)) status = add_text(s, class, l.entry[i]->d_name);
    free_listing(&l);
    if (!status && s->count == before) status = foci_fail(FOCI_ERR_DATA, "%s: a class without a .txt", path);
    return status;
}

/* A folder a class. */
static foci_status fill_folder(foci_sequences *s) {
    listing l;
    FOCI_TRY(list_folder(s->path, &l));
    foci_status status = FOCI_OK;
    for (int i = 0; i < l.count && !status; i++) {
        char path[8192];
        const char *class = l.entry[i]->d_name;
        snprintf(path, sizeof path, "%s/%s", s->path, class);
        if (foci_path_kind(path) == 'd' && strcmp(class, "unsup") != 0) status = fill_class(s, class);
    }
    free_listing(&l);
    return status;
}

foci_status foci_byte_text_open(foci_sequences **s, const char *path, bool label_last) {
    const bool folder = foci_path_kind(path) == 'd';
    FOCI_TRY(foci_sequences_new(s, folder ? &files : &lines, path, 1));
    return foci_sequences_filled(s, folder ? fill_folder(*s) : fill_lines(*s, label_last));
}
