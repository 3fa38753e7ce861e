/* Loaded before libc: makes the n-th call of one kind fail, among those that write a file in place of another (to
 * PATH.tmp, or on the folder that is synced after the rename).
 *
 *   FAULT=write:3:ENOSPC   open, write, fsync, close, rename or dirsync; which one, from 1 (0: none); ENOSPC, EIO,
 * EINTR or short FAULT_STICKS=1         and all calls of that kind after it FAULT_LOG=FILE         at the end, how many
 * calls there were: "open 5 write 20 ..." */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { OPEN, WRITE, FSYNC, CLOSE, RENAME, DIRSYNC, KINDS };
static const char *const names[KINDS] = {"open", "write", "fsync", "close", "rename", "dirsync"};
static int count[KINDS], kind = -1, at, error;
static bool short_write, sticks;

__attribute__((constructor)) static void begin(void) {
    char what[16] = "", how[16] = "";
    const char *fault = getenv("FAULT");
    if (fault && sscanf(fault, "%15[^:]:%d:%15s", what, &at, how) == 3)
        for (int i = 0; i < KINDS; i++)
            if (strcmp(what, names[i]) == 0) kind = i;
    error = strcmp(how, "ENOSPC") == 0 ? ENOSPC : strcmp(how, "EINTR") == 0 ? EINTR : EIO;
    short_write = strcmp(how, "short") == 0;
    sticks = getenv("FAULT_STICKS");
}

__attribute__((destructor)) static void end(void) {
    const char *log = getenv("FAULT_LOG");
    FILE *f = log ? fopen(log, "w") : NULL;
    for (int i = 0; f && i < KINDS; i++) fprintf(f, "%s %d\n", names[i], count[i]);
    if (f) fclose(f);
}

static bool strikes(int k) {
    count[k]++;
    return k == kind && at > 0 && (count[k] == at || (sticks && count[k] > at));
}

static bool is_temporary(const char *path) {
    size_t n = strlen(path);
    return n > 4 && strcmp(path + n - 4, ".tmp") == 0;
}
static bool writes_temporary(int fd) {
    char link[64], path[4096];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    path[n < 0 ? 0 : n] = 0;
    return is_temporary(path);
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))
#define FAIL return errno = error, -1

int open(const char *path, int flags, ...) {
    va_list ap;
    va_start(ap, flags);
    mode_t mode = flags & O_CREAT ? va_arg(ap, mode_t) : 0;
    va_end(ap);
    if (is_temporary(path) && flags & O_CREAT && strikes(OPEN)) FAIL;
    return REAL(open)(path, flags, mode);
}
ssize_t write(int fd, const void *data, size_t size) {
    if (writes_temporary(fd) && strikes(WRITE)) {
        if (!short_write) FAIL;
        size = (size + 1) / 2;
    }
    return REAL(write)(fd, data, size);
}
int fsync(int fd) {
    struct stat s;
    if (fstat(fd, &s) == 0 && S_ISDIR(s.st_mode) ? strikes(DIRSYNC) : writes_temporary(fd) && strikes(FSYNC)) FAIL;
    return REAL(fsync)(fd);
}
int close(int fd) {
    bool struck = writes_temporary(fd) && fcntl(fd, F_GETFL) & O_WRONLY && strikes(CLOSE);
    int r = REAL(close)(fd);
    if (struck) FAIL;
    return r;
}
int rename(const char *from, const char *to) {
    if (is_temporary(from) && strikes(RENAME)) FAIL;
    return REAL(rename)(from, to);
}
