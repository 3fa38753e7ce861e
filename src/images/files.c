#include "images/files.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/file.h"

enum { DEEPEST = 16 }; /* folders within folders; ends a loop of links */

void foci_image_files_free(foci_image_files *f) {
    free(f->file);
    foci_arena_free(&f->arena);
    *f = (foci_image_files){NULL};
}

static foci_status no_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a list of files"); }

/* Behind the last slash, and up to the ending. */
static foci_status add(foci_image_files *f, const char *path, const char *beside) {
    const char *dot = strrchr(beside, '.');
    if (f->count == f->room) {
        f->room = f->room ? 2 * f->room : 256;
        foci_image_file *grown = realloc(f->file, (size_t)f->room * sizeof *grown);
        if (!grown) return no_memory();
        f->file = grown;
    }
    if (!dot || strchr(dot, '/') || dot == beside) dot = beside + strlen(beside);
    const foci_image_file one = {foci_arena_strdup(&f->arena, path),
                                 foci_arena_printf(&f->arena, "%.*s", (int)(dot - beside), beside)};
    if (!one.path || !one.beside) return no_memory();
    f->file[f->count++] = one;
    return FOCI_OK;
}

static bool is_image(const char *name) {
    static const char *const endings[] = {".jpg", ".jpeg", ".png"};
    const size_t n = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        const size_t m = strlen(endings[i]);
        if (n > m && strcasecmp(name + n - m, endings[i]) == 0) return true;
    }
    return false;
}

/* `inside`: below the folder that was asked for, "" or "street/". */
static foci_status scan(foci_image_files *f, const char *root, const char *inside, int depth) {
    char path[4096], name[4096];
    if (snprintf(path, sizeof path, "%s/%s", root, inside) >= (int)sizeof path || depth > DEEPEST)
        return foci_fail(FOCI_ERR_DATA, "%.64s...: too deep", root);
    DIR *folder = opendir(path);
    if (!folder) return foci_fail(FOCI_ERR_DATA, "%s: %s", path, strerror(errno));
    foci_status s = FOCI_OK;
    for (struct dirent *e; !s && (e = readdir(folder));) {
        if (e->d_name[0] == '.' || snprintf(name, sizeof name, "%s%s", inside, e->d_name) >= (int)sizeof name - 1)
            continue;
        if (snprintf(path, sizeof path, "%s/%s", root, name) >= (int)sizeof path) continue;
        const int kind = foci_path_kind(path);
        if (kind == 'f' && is_image(name)) s = add(f, path, name);
        else if (kind == 'd') s = scan(f, root, strcat(name, "/"), depth + 1);
    }
    closedir(folder);
    return s;
}

static int by_path(const void *a, const void *b) {
    return strcmp(((const foci_image_file *)a)->path, ((const foci_image_file *)b)->path);
}

foci_status foci_image_files_add(foci_image_files *f, const char *path) {
    const int kind = foci_path_kind(path);
    const char *slash = strrchr(path, '/');
    const int64_t before = f->count;
    if (kind == 'f' || kind == '?') return add(f, path, slash ? slash + 1 : path);
    if (kind != 'd') return foci_fail(FOCI_ERR_DATA, "%s: no such file or folder", path);
    FOCI_TRY(scan(f, path, "", 0));
    if (f->count == before) return foci_fail(FOCI_ERR_DATA, "%s: no image in it (.jpg, .jpeg, .png)", path);
    qsort(f->file + before, (size_t)(f->count - before), sizeof *f->file, by_path);
    return FOCI_OK;
}

static int by_beside(const void *a, const void *b) {
    return strcmp(((const foci_image_file *)a)->beside, ((const foci_image_file *)b)->beside);
}

foci_status foci_image_files_check(const foci_image_files *f) {
    foci_image_file *sorted = malloc(((size_t)f->count + 1) * sizeof *sorted);
    if (!sorted) return no_memory();
    memcpy(sorted, f->file, (size_t)f->count * sizeof *sorted);
    qsort(sorted, (size_t)f->count, sizeof *sorted, by_beside);
    foci_status s = FOCI_OK;
    for (int64_t i = 1; i < f->count && !s; i++)
        if (strcmp(sorted[i].beside, sorted[i - 1].beside) == 0)
            s = foci_fail(FOCI_ERR_CONFIG, "%s and %s would leave files of one name", sorted[i - 1].path,
                          sorted[i].path);
    free(sorted);
    return s;
}
