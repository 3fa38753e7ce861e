/* An ImageFolder root: the folders of its splits, on disk or in an archive. */
#include <stdio.h>
#include <string.h>

#include "data/tar.h"
#include "images/images.h"

/* The next of words with blanks between; false behind the last. */
static bool next_word(const char **words, char word[64]) {
    *words += strspn(*words, " ");
    const size_t n = strcspn(*words, " ");
    snprintf(word, 64, "%.*s", (int)n, *words);
    *words += n;
    return n > 0;
}

static foci_status join(char path[4096], const char *folder, const char *name) {
    if (snprintf(path, 4096, "%s/%s", folder, name) < 4096) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%.64s...: path too long", folder);
}

static foci_status find_on_disk(const char *root, const char *names, char path[4096]) {
    char word[64];
    while (next_word(&names, word)) {
        FOCI_TRY(join(path, root, word));
        if (foci_path_kind(path) == 'd') return FOCI_OK;
    }
    path[0] = 0;
    return FOCI_OK;
}

/* What of an entry's name lies below the folder; NULL: it is elsewhere, or hidden. */
static const char *below(const char *name, const char *folder) {
    const size_t n = strlen(folder);
    if (n && (strncmp(name, folder, n) != 0 || name[n] != '/')) return NULL;
    name += n + (n > 0);
    return *name == '.' ? NULL : name;
}

static bool holds_folder(const foci_tar *tar, const char *folder, const char *word) {
    const size_t n = strlen(word);
    for (int64_t i = 0; i < tar->count; i++) {
        const char *name = below(tar->entry[i].name, folder);
        if (name && strncmp(name, word, n) == 0 && name[n] == '/') return true;
    }
    return false;
}

/* The one folder that everything lies in; "" where there are several. */
static void only_folder(const foci_tar *tar, char folder[4096]) {
    folder[0] = 0;
    for (int64_t i = 0; i < tar->count; i++) {
        const char *name = below(tar->entry[i].name, "");
        if (!name) continue;
        const size_t n = strcspn(name, "/");
        const bool fits = name[n] && (!*folder || (strlen(folder) == n && memcmp(folder, name, n) == 0));
        snprintf(folder, 4096, "%.*s", fits ? (int)n : 0, name);
        if (!fits) return;
    }
}

/* In the folder of the archive, "" for all of it. */
static foci_status find_in(const foci_tar *tar, const char *archive, const char *folder, const char *names,
                           char path[4096]) {
    char word[64], base[8200];
    snprintf(base, sizeof base, "%s%s%s", archive, *folder ? "/" : "", folder);
    while (!*path && next_word(&names, word))
        if (holds_folder(tar, folder, word)) FOCI_TRY(join(path, base, word));
    return FOCI_OK;
}

static foci_status find_in_archive(const char *root, size_t part, const char *names, char path[4096]) {
    char archive[4096], folder[4096];
    foci_tar tar;
    snprintf(archive, sizeof archive, "%.*s", (int)part, root);
    snprintf(folder, sizeof folder, "%s", root + part + (root[part] == '/'));
    for (size_t n = strlen(folder); n && folder[n - 1] == '/'; n--) folder[n - 1] = 0;
    FOCI_TRY(foci_tar_open(&tar, archive));
    foci_status status = find_in(&tar, archive, folder, names, path);
    if (!status && !*path && !*folder) {
        only_folder(&tar, folder);
        if (*folder) status = *names ? find_in(&tar, archive, folder, names, path) : join(path, archive, folder);
    }
    foci_tar_close(&tar);
    return status;
}

foci_status foci_image_root_find(const char *root, const char *names, char path[4096]) {
    path[0] = 0;
    const bool folder = foci_path_kind(root) == 'd';
    const size_t part = folder ? 0 : foci_tar_part(root);
    if (!folder && !part) return foci_fail(FOCI_ERR_DATA, "%s: no such folder or .tar", root);
    FOCI_TRY(folder ? find_on_disk(root, names, path) : find_in_archive(root, part, names, path));
    if (!*names && !*path) snprintf(path, 4096, "%s", root);
    return FOCI_OK;
}
