/* A folder becomes that of a run, or again: whose it is, its lock, what an earlier run left, and how it is given back
 * where nothing comes of the run. */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "run/folder.h"

/* ------------------------------------------------------------------------------------------------- names */

static bool is_kept_weights(const char *name) {
    int length = 0;
    sscanf(name, "step-%*[0-9].safetensors%n", &length);
    return length && !name[length];
}

/* What says that a run is here; the rest is what it made. */
static bool is_description(const char *name) {
    return strcmp(name, "config.yaml") == 0 || strcmp(name, "env.json") == 0;
}

/* Every name that a run writes, but for `lock`. */
static bool is_of_a_run(const char *name) {
    static const char *const names[] = {"metrics.jsonl",   "metrics.csv",       "summary.json",     "log.txt",
                                        "trained.json",    "state.safetensors", "last.safetensors", "best.safetensors",
                                        "ema.safetensors", "data.txt",          "classes.txt",      "vocabulary.txt"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return is_description(name) || is_kept_weights(name) || foci_events_is_file(name);
}

static bool is_product(const char *name) { return is_of_a_run(name) && !is_description(name); }

/* Left behind by a write that was interrupted. */
static bool is_orphan(const char *name) {
    char whole[256];
    const size_t n = strlen(name);
    if (n < 4 || n >= sizeof whole || strcmp(name + n - 4, ".tmp") != 0) return false;
    snprintf(whole, sizeof whole, "%.*s", (int)(n - 4), name);
    return is_of_a_run(whole);
}

/* Removes the files of the folder that `unwanted` names. */
static foci_status remove_files(const foci_run_folder *r, bool (*unwanted)(const char *name)) {
    DIR *folder = opendir(r->path);
    if (!folder) return foci_fail(FOCI_ERR_IO, "%s: %s", r->path, strerror(errno));
    foci_status s = FOCI_OK;
    for (struct dirent *e; !s && (e = readdir(folder));)
        if (unwanted(e->d_name) && unlinkat(dirfd(folder), e->d_name, 0) < 0 && errno != ENOENT)
            s = foci_fail(FOCI_ERR_IO, "%s/%s: %s", r->path, e->d_name, strerror(errno));
    closedir(folder);
    return s;
}

/* -------------------------------------------------------------------------------------------- whose it is */

static bool there(const char *folder, const char *name) {
    char path[4200];
    return !foci_path_join(path, sizeof path, folder, name) && foci_path_kind(path);
}

/* `lock` holds the number of a process, or nothing yet. */
static bool is_lock_of_foci(const char *folder, bool *holds_number) {
    char path[4200], *text;
    size_t size;
    *holds_number = false;
    if (foci_path_join(path, sizeof path, folder, "lock") || foci_read_file(path, 32, &text, &size, FOCI_ERR_IO))
        return false;
    const bool ours = strspn(text, "0123456789\n") == size;
    *holds_number = ours && size;
    free(text);
    return ours;
}

/* env.json names the version of foci. */
static bool is_described(const char *folder) {
    char path[4200];
    if (foci_path_join(path, sizeof path, folder, "env.json") || foci_path_kind(path) != 'f') return false;
    json_t *environment = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    const bool described = json_is_string(json_object_get(environment, "foci"));
    json_decref(environment);
    return described;
}

/* A folder that no run of foci's wrote may hold anything but files by the names that a run writes. */
static foci_status check_owner(const char *path, bool resume) {
    bool written;
    const bool lock = is_lock_of_foci(path, &written);
    if (written || is_described(path) || (resume && there(path, "state.safetensors"))) return FOCI_OK;
    DIR *folder = opendir(path);
    if (!folder) return foci_fail(FOCI_ERR_IO, "%s: %s", path, strerror(errno));
    foci_status s = FOCI_OK;
    for (const struct dirent *e; !s && (e = readdir(folder));)
        if (is_of_a_run(e->d_name) || (!lock && strcmp(e->d_name, "lock") == 0))
            s = foci_fail(FOCI_ERR_CONFIG, "%s/%s is there, and no run of foci's wrote it: --out names another folder",
                          path, e->d_name);
    closedir(folder);
    return s;
}

/* The file `lock`, with the process that holds it. */
static foci_status take_lock(foci_run_folder *r) {
    char path[4200], holder[32] = "";
    bool taken;
    FOCI_TRY(foci_path_join(path, sizeof path, r->path, "lock"));
    r->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (r->lock < 0) return foci_fail(FOCI_ERR_IO, "%s: %s", path, strerror(errno));
    FOCI_TRY(foci_lock(r->lock, path, &taken));
    if (!taken) {
        if (pread(r->lock, holder, sizeof holder - 1, 0) < 0) holder[0] = 0;
        holder[strcspn(holder, "\n")] = 0;
        close(r->lock);
        r->lock = -1;
        return foci_fail(FOCI_ERR_CONFIG, "%s: another foci writes into this run (process %s)", r->path,
                         *holder ? holder : "?");
    }
    int n = snprintf(holder, sizeof holder, "%ld\n", (long)getpid());
    /* for people to read, and the mark of a run: it is empty at no instant */
    if (pwrite(r->lock, holder, (size_t)n, 0) < 0 || ftruncate(r->lock, n) < 0) holder[0] = 0;
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------ opening, giving back */

/* The part of a path that is there: its length. */
static size_t standing(const char *path) {
    char part[4096];
    snprintf(part, sizeof part, "%s", path);
    while (*part && !foci_path_kind(part)) {
        char *slash = strrchr(part, '/');
        if (!slash) return 0;
        *slash = 0;
    }
    return strlen(part);
}

/* Of an earlier run: refused, gone on with, or removed. */
static foci_status face_earlier(foci_run_folder *r, bool resume, bool force) {
    r->earlier = there(r->path, "config.yaml");
    if (!r->earlier || resume) return FOCI_OK;
    if (force) return remove_files(r, is_product);
    return foci_fail(
        FOCI_ERR_CONFIG,
        "%s already holds a run: --resume goes on with it, --force replaces it, --out names another folder", r->path);
}

static foci_status occupy(foci_run_folder *r, bool resume, bool force) {
    if (foci_path_kind(r->path) == 'd') FOCI_TRY(check_owner(r->path, resume));
    else FOCI_TRY(foci_make_dirs(r->path));
    FOCI_TRY(take_lock(r));
    FOCI_TRY(remove_files(r, is_orphan));
    FOCI_TRY(face_earlier(r, resume, force));
    FOCI_TRY(foci_run_folder_append(r, "log.txt", &r->log));
    return foci_run_folder_append(r, "metrics.jsonl", &r->metrics);
}

foci_status foci_run_folder_open(foci_run_folder *r, const char *path, bool resume, bool force) {
    *r = (foci_run_folder){.lock = -1};
    FOCI_TRY(foci_path_join(r->path, sizeof r->path, "", path));
    r->stood = standing(r->path);
    return occupy(r, resume, force);
}

static bool is_lock(const char *name) { return strcmp(name, "lock") == 0; }

void foci_run_folder_give_back(foci_run_folder *r) {
    foci_error why;
    char path[4096];
    if (r->earlier) return;
    foci_error_take(&why, FOCI_OK); /* a failure here is none to tell of */
    if (r->lock >= 0 && !remove_files(r, is_of_a_run)) remove_files(r, is_lock);
    snprintf(path, sizeof path, "%s", r->path);
    while (strlen(path) > r->stood && rmdir(path) == 0) {
        char *slash = strrchr(path, '/');
        if (!slash) break;
        *slash = 0;
    }
    foci_error_raise(&why);
}
