#include "base/ledger.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"

static foci_status failed(const foci_ledger *r) { return foci_fail(FOCI_ERR_IO, "%s: %s", r->path, strerror(errno)); }

/* ----------------------------------------------------------------------------------------------- opening */

static bool starts_with(const char *text, const char *line) {
    const size_t length = strlen(line);
    return strncmp(text, line, length) == 0 && text[length] == '\n';
}

/* Is what is there the work's own? */
static foci_status check(const foci_ledger *r, const char *owner) {
    const int length = (int)strcspn(r->text, "\n");
    if (strncmp(r->text, "# foci ", 7) != 0)
        return foci_fail(FOCI_ERR_CONFIG, "%s: there is another file; name one that is not there", r->path);
    if (starts_with(r->text + 2, owner)) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG, "%s belongs to `%.*s`, this would be `%s`: name another file, or remove it",
                     r->path, length - 2, r->text + 2, owner);
}

static foci_status begin(foci_ledger *r, const char *owner, const char *columns) {
    r->at = NULL;
    r->file = fopen(r->path, "w");
    if (!r->file || fprintf(r->file, "# %s\n%s\n", owner, columns) < 0) return failed(r);
    return foci_ledger_keep(r);
}

/* Names of columns that a killed process left unfinished are written again. */
static foci_status open_file(foci_ledger *r, const char *owner, const char *columns) {
    enum { LIMIT = 1 << 30 };
    size_t size;
    const int kind = foci_path_kind(r->path);
    if (kind && kind != 'f') return foci_fail(FOCI_ERR_IO, "%s is no regular file", r->path);
    if (kind) FOCI_TRY(foci_read_file(r->path, LIMIT, &r->text, &size, FOCI_ERR_IO));
    if (!kind || !size) return begin(r, owner, columns);
    FOCI_TRY(check(r, owner));
    r->at = strchr(r->text, '\n') + 1;
    if (!starts_with(r->at, columns)) return begin(r, owner, columns);
    r->at += strlen(columns) + 1;
    r->kept = r->at - r->text;
    r->file = fopen(r->path, "r+");
    return r->file ? FOCI_OK : failed(r);
}

foci_status foci_ledger_open(foci_ledger *r, const char *path, const char *owner, const char *columns) {
    *r = (foci_ledger){.path = path, .columns = 1};
    for (const char *c = columns; *c; c++) r->columns += *c == ',';
    foci_status s = open_file(r, owner, columns);
    if (s) foci_ledger_close(r);
    return s;
}

/* ----------------------------------------------------------------------------------------------- reading */

/* A cell up to its comma or the end of its line, in place; NULL: it is not whole. *end: which of the two. */
static char *read_cell(char **at, char *end) {
    char *from = *at, *to = from, *cell = from;
    const bool quoted = *from == '"';
    for (from += quoted; *from; *to++ = *from++) {
        if (quoted ? *from == '"' && *++from != '"' : *from == ',' || *from == '\n') break;
    }
    if (*from != ',' && *from != '\n') return NULL;
    *end = *from;
    *at = from + 1;
    *to = 0;
    return cell;
}

bool foci_ledger_next(foci_ledger *r) {
    char *at = r->at, end = '\n';
    int n = 0;
    while (at && n < r->columns && n < FOCI_LEDGER_CELLS && (n == 0 || end == ',') &&
           (r->cell[n] = read_cell(&at, &end)))
        n++;
    if (at && n == r->columns && end == '\n') {
        r->at = at;
        r->kept = at - r->text;
        return true;
    }
    if (r->at && (fseek(r->file, r->kept, SEEK_SET) || ftruncate(fileno(r->file), r->kept))) r->kept = -1;
    r->at = NULL;
    return false;
}

foci_status foci_ledger_keep(foci_ledger *r) {
    return r->kept < 0 || fflush(r->file) || ferror(r->file) ? failed(r) : FOCI_OK;
}

void foci_ledger_close(foci_ledger *r) {
    if (r->file) fclose(r->file);
    free(r->text);
    *r = (foci_ledger){.file = NULL};
}
