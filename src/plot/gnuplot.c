#define _GNU_SOURCE
#include "plot/gnuplot.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"

/* Inside single quotes only the quote itself is special; a line must not end there. */
void foci_gnuplot_text(FILE *script, const char *text) {
    putc('\'', script);
    for (; *text; text++) {
        if (*text == '\'') putc('\'', script);
        putc((unsigned char)*text < ' ' || *text == 127 ? '?' : *text, script);
    }
    putc('\'', script);
}

const char *foci_gnuplot_colour(int i) {
    static const char *const colours[FOCI_GNUPLOT_COLOURS] = {"0072b2", "d55e00", "009e73", "cc79a7",
                                                              "e69f00", "56b4e9", "555555", "b8a900"};
    return colours[i % FOCI_GNUPLOT_COLOURS];
}

foci_status foci_gnuplot_terminal(const char *option, const char *path, int width, int height, char *line,
                                  size_t size) {
    const char *dot = strrchr(path, '.');
    if (dot && strcmp(dot, ".svg") == 0)
        snprintf(line, size, "set terminal svg size %d,%d font 'Helvetica,13' background '#ffffff'", width, height);
    else if (dot && strcmp(dot, ".png") == 0)
        snprintf(line, size, "set terminal pngcairo size %d,%d font 'Sans,10' background '#ffffff'", width, height);
    else return foci_fail(FOCI_ERR_CONFIG, "%s: `%s` does not end in .svg or .png", option, path);
    return FOCI_OK;
}

static foci_status start(pid_t *child, int in, int out, int err) {
    extern char **environ;
    char *const argv[] = {"gnuplot", "--default-settings", NULL};
    posix_spawn_file_actions_t files;
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_adddup2(&files, in, STDIN_FILENO);
    posix_spawn_file_actions_adddup2(&files, out, STDOUT_FILENO);
    posix_spawn_file_actions_adddup2(&files, err, STDERR_FILENO);
    int e = posix_spawnp(child, argv[0], &files, NULL, argv, environ);
    posix_spawn_file_actions_destroy(&files);
    if (e == ENOENT)
        return foci_fail(FOCI_ERR_RUNTIME, "gnuplot is not here; install the package gnuplot-nox (or gnuplot)");
    return e ? foci_fail(FOCI_ERR_RUNTIME, "gnuplot: %s", strerror(e)) : FOCI_OK;
}

/* The first line that says something. */
static void read_complaint(FILE *messages, char *line, size_t size) {
    rewind(messages);
    do {
        if (!fgets(line, (int)size, messages)) snprintf(line, size, "it failed");
        line[strcspn(line, "\n")] = 0;
    } while (!line[strspn(line, " ^")]);
}

/* All that comes through the pipe, into the file. */
static foci_status take(int from, foci_writer *w) {
    static char block[1 << 16];
    for (ssize_t n; (n = read(from, block, sizeof block)) != 0;) {
        if (n < 0 && errno != EINTR) return foci_fail(FOCI_ERR_RUNTIME, "gnuplot: %s", strerror(errno));
        if (n > 0) foci_write(w, block, (size_t)n); /* a failure sticks, and gnuplot is heard to its end */
    }
    return w->status;
}

/* gnuplot writes into a pipe: what a disk refuses is refused to foci, which says so. */
static foci_status draw(FILE *script, FILE *messages, foci_writer *w) {
    pid_t child;
    int status, end[2];
    if (fflush(script) != 0 || ferror(script) || fseek(script, 0, SEEK_SET) != 0)
        return foci_fail(FOCI_ERR_IO, "a temporary file: %s", strerror(errno));
    if (pipe2(end, O_CLOEXEC) < 0) return foci_fail(FOCI_ERR_RUNTIME, "gnuplot: %s", strerror(errno));
    foci_status s = start(&child, fileno(script), end[1], fileno(messages));
    close(end[1]);
    if (s) {
        close(end[0]);
        return s;
    }
    s = take(end[0], w);
    const bool drawn = lseek(w->fd, 0, SEEK_CUR) > 0;
    close(end[0]);
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR) return foci_fail(FOCI_ERR_RUNTIME, "gnuplot: %s", strerror(errno));
    if (s || (WIFEXITED(status) && WEXITSTATUS(status) == 0 && drawn)) return s;
    char line[512];
    read_complaint(messages, line, sizeof line);
    return foci_fail(FOCI_ERR_RUNTIME, "gnuplot: %s", line + strspn(line, " "));
}

FILE *foci_gnuplot_script(void) {
    const int fd = memfd_create("gnuplot", MFD_CLOEXEC);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "w+");
    if (fd >= 0 && !f) close(fd);
    if (!f) foci_fail(FOCI_ERR_RUNTIME, "a script for gnuplot: %s", strerror(errno));
    return f;
}

foci_status foci_gnuplot_run(FILE *script, const char *path) {
    foci_writer w;
    FILE *messages = foci_gnuplot_script();
    if (!messages) return FOCI_ERR_RUNTIME;
    foci_status s = foci_writer_open(&w, path);
    if (!s) {
        s = draw(script, messages, &w);
        if (s) foci_writer_abort(&w);
        else s = foci_writer_commit(&w);
    }
    fclose(messages);
    return s;
}
