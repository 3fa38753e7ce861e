/* The table in all its forms, as files. */
#define _GNU_SOURCE
#include <stdlib.h>

#include "base/file.h"
#include "table/table.h"

static foci_status write_one(const foci_grid *g, const char *folder, const char *name,
                             void (*write)(const foci_grid *g, FILE *f)) {
    char path[4200], *text = NULL;
    size_t size = 0;
    FOCI_TRY(foci_path_join(path, sizeof path, folder, name));
    FILE *f = open_memstream(&text, &size);
    if (!f) return foci_out_of_memory();
    write(g, f);
    foci_status s = fclose(f) == 0 ? foci_write_file(path, text, size) : foci_out_of_memory();
    free(text);
    return s;
}

foci_status foci_table_write(const foci_grid *g, const char *folder) {
    FOCI_TRY(foci_make_dirs(folder));
    FOCI_TRY(write_one(g, folder, "table.md", foci_grid_markdown));
    FOCI_TRY(write_one(g, folder, "table.csv", foci_grid_csv));
    FOCI_TRY(write_one(g, folder, "table.tex", foci_grid_latex));
    return write_one(g, folder, "table.html", foci_grid_html);
}
