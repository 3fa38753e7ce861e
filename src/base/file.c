#define _GNU_SOURCE
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_regular(const char *path, size_t *size, foci_status code, foci_status *status) {
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        *status = foci_fail(code, "%s: %s", path, strerror(errno));
        return -1;
    }
    struct stat st;
    if (fstat(fd, &st) < 0) *status = foci_fail(code, "%s: %s", path, strerror(errno));
    else if (!S_ISREG(st.st_mode)) *status = foci_fail(code, "%s: not a regular file", path);
    else {
        *size = (size_t)st.st_size;
        *status = FOCI_OK;
        return fd;
    }
    close(fd);
    return -1;
}

foci_status foci_map_open(foci_map *map, const char *path, foci_status code) {
    *map = (foci_map){NULL, 0};
    size_t size;
    foci_status status;
    int fd = open_regular(path, &size, code, &status);
    if (fd < 0) return status;
    if (size) {
        void *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED) status = foci_fail(code, "%s: cannot map %zu bytes: %s", path, size, strerror(errno));
        else *map = (foci_map){p, size};
    }
    close(fd);
    return status;
}

void foci_map_close(foci_map *map) {
    if (map->data) munmap((void *)(uintptr_t)map->data, map->size);
    *map = (foci_map){NULL, 0};
}

foci_status foci_read_file(const char *path, size_t limit, char **text, size_t *size, foci_status code) {
    *text = NULL;
    size_t n;
    foci_status status;
    int fd = open_regular(path, &n, code, &status);
    if (fd < 0) return status;
    if (n > limit) {
        close(fd);
        return foci_fail(code, "%s: %zu bytes, more than the limit of %zu", path, n, limit);
    }
    char *buffer = malloc(n + 1);
    if (!buffer) {
        close(fd);
        return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory for %zu bytes", path, n);
    }
    size_t got = 0;
    while (got < n) {
        ssize_t r = read(fd, buffer + got, n - got);
        if (r < 0 && errno == EINTR) continue;
        if (r < 0) {
            status = foci_fail(code, "%s: %s", path, strerror(errno));
            break;
        }
        if (r == 0) break;
        got += (size_t)r;
    }
    close(fd);
    if (status) {
        free(buffer);
        return status;
    }
    buffer[got] = 0;
    *text = buffer;
    if (size) *size = got;
    return FOCI_OK;
}

foci_status foci_writer_open(foci_writer *w, const char *path) {
    w->fd = -1;
    w->status = FOCI_OK;
    *w->temporary = 0;
    if (snprintf(w->path, sizeof w->path, "%s", path) >= (int)sizeof w->path)
        return w->status = foci_fail(FOCI_ERR_IO, "%.64s...: path too long", path);
    const int kind = foci_path_kind(path);
    if (kind && kind != 'f') return w->status = foci_fail(FOCI_ERR_IO, "%s: not a regular file", path);
    snprintf(w->temporary, sizeof w->temporary, "%s.tmp", w->path);
    w->fd = open(w->temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (w->fd < 0) w->status = foci_fail(FOCI_ERR_IO, "%s: %s", w->temporary, strerror(errno));
    return w->status;
}

/* At the end of what was written, or over it at `offset` >= 0. */
static foci_status put(foci_writer *w, int64_t offset, const void *data, size_t size) {
    const char *p = data;
    while (!w->status && size) {
        ssize_t n = offset < 0 ? write(w->fd, p, size) : pwrite(w->fd, p, size, offset + (p - (const char *)data));
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) {
            w->status = foci_fail(FOCI_ERR_IO, "%s: %s", w->temporary, n < 0 ? strerror(errno) : "wrote nothing");
            break;
        }
        p += n;
        size -= (size_t)n;
    }
    return w->status;
}

foci_status foci_write(foci_writer *w, const void *data, size_t size) { return put(w, -1, data, size); }
foci_status foci_write_at(foci_writer *w, int64_t offset, const void *data, size_t size) {
    return put(w, offset, data, size);
}

/* A rename is on disk only when its directory is. */
static int sync_parent(const char *path) {
    char dir[4096];
    snprintf(dir, sizeof dir, "%s", path);
    char *slash = strrchr(dir, '/');
    if (!slash) strcpy(dir, ".");
    else slash[slash == dir] = 0;
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) return -1;
    int r = fsync(fd);
    close(fd);
    return r;
}

foci_status foci_writer_sync(foci_writer *w) {
    if (!w->status && fsync(w->fd) < 0) w->status = foci_fail(FOCI_ERR_IO, "%s: %s", w->temporary, strerror(errno));
    if (w->fd >= 0 && close(w->fd) < 0 && !w->status)
        w->status = foci_fail(FOCI_ERR_IO, "%s: %s", w->temporary, strerror(errno));
    w->fd = -1;
    if (w->status) foci_writer_abort(w);
    return w->status;
}

foci_status foci_writer_publish(foci_writer *w) {
    if (!w->status && rename(w->temporary, w->path) < 0)
        w->status = foci_fail(FOCI_ERR_IO, "%s: %s", w->path, strerror(errno));
    if (!w->status && sync_parent(w->path) < 0)
        w->status = foci_fail(FOCI_ERR_IO, "folder of %s: %s", w->path, strerror(errno));
    if (w->status) foci_writer_abort(w);
    return w->status;
}

foci_status foci_writer_commit(foci_writer *w) {
    FOCI_TRY(foci_writer_sync(w));
    return foci_writer_publish(w);
}

void foci_writer_abort(foci_writer *w) {
    if (w->fd >= 0) close(w->fd);
    w->fd = -1;
    unlink(w->temporary);
}

foci_status foci_write_file(const char *path, const void *data, size_t size) {
    foci_writer w;
    FOCI_TRY(foci_writer_open(&w, path));
    foci_write(&w, data, size);
    return foci_writer_commit(&w);
}

foci_status foci_lock(int fd, const char *path, bool *taken) {
    *taken = flock(fd, LOCK_EX | LOCK_NB) == 0;
    if (*taken || errno == EWOULDBLOCK) return FOCI_OK;
    if (errno != ENOLCK && errno != EOPNOTSUPP && errno != ENOSYS)
        return foci_fail(FOCI_ERR_IO, "%s: %s", path, strerror(errno));
    foci_log(FOCI_LOG_WARN, "%s: no lock is to be had here (%s): nothing keeps a second foci from writing into it",
             path, strerror(errno));
    *taken = true;
    return FOCI_OK;
}

bool foci_same_file(const char *a, const char *b) {
    struct stat one, other;
    return stat(a, &one) == 0 && stat(b, &other) == 0 && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
}

foci_status foci_make_dirs(const char *path) {
    char p[4096];
    if (snprintf(p, sizeof p, "%s", path) >= (int)sizeof p)
        return foci_fail(FOCI_ERR_IO, "%.64s...: path too long", path);
    for (char *s = p + 1;; s++) {
        if (*s != '/' && *s) continue;
        char c = *s;
        *s = 0;
        if (mkdir(p, 0777) < 0 && errno != EEXIST) return foci_fail(FOCI_ERR_IO, "%s: %s", p, strerror(errno));
        *s = c;
        if (!c) break;
    }
    if (foci_path_kind(path) != 'd') return foci_fail(FOCI_ERR_IO, "%s: not a folder", path);
    return FOCI_OK;
}

int foci_path_kind(const char *path) {
    struct stat st;
    if (stat(path, &st) < 0) return 0;
    return S_ISREG(st.st_mode) ? 'f' : S_ISDIR(st.st_mode) ? 'd' : '?';
}

foci_status foci_path_join(char *out, size_t size, const char *folder, const char *name) {
    int n = name[0] == '/' || !folder[0] ? snprintf(out, size, "%s", name) : snprintf(out, size, "%s/%s", folder, name);
    if (n < 0 || (size_t)n >= size) return foci_fail(FOCI_ERR_IO, "%.64s...: path too long", name);
    return FOCI_OK;
}
