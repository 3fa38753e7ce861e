/* Commands of a table as processes: this program, once more for each. */
#define _GNU_SOURCE
#include "cli/spawn.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

/* argv: "foci", the words, "--threads", N. From malloc. */
static char **arguments_of(const foci_table_command *c, char threads[16]) {
    int words = 0, n = 0;
    while (c->word[words]) words++;
    char **argv = calloc((size_t)words + 4, sizeof *argv);
    if (!argv) return NULL;
    snprintf(threads, 16, "%d", c->threads);
    argv[n++] = "foci";
    for (int i = 0; i < words; i++) argv[n++] = (char *)(uintptr_t)c->word[i];
    argv[n++] = "--threads";
    argv[n] = threads;
    return argv;
}

/* In a group of its own: Ctrl-C reaches this process alone, which then tells its children. With this process they
 * die. */
static void become(const foci_table_command *c, char **argv, pid_t parent) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent) _exit(1);
    const int out = open(c->out, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    const int log = open(c->log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (out < 0 || log < 0 || dup2(out, 1) < 0 || dup2(log, 2) < 0) _exit(6);
    const int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0) {
        perror("foci: /dev/null");
        _exit(6);
    }
    execv("/proc/self/exe", argv);
    perror("foci: /proc/self/exe");
    _exit(1);
}

static foci_status start(void *context, const foci_table_command *c, int *handle) {
    const pid_t parent = getpid();
    char threads[16], **argv = arguments_of(c, threads);
    (void)context;
    if (!argv) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    const pid_t pid = fork();
    if (pid == 0) become(c, argv, parent);
    const int error = errno;
    free(argv);
    if (pid < 0) return foci_fail(FOCI_ERR_RUNTIME, "cannot start: %s", strerror(error));
    setpgid(pid, pid);
    *handle = (int)pid;
    return FOCI_OK;
}

static foci_status look(void *context, int handle, bool *ended, foci_table_ending *how) {
    int status;
    const pid_t got = waitpid(handle, &status, WNOHANG);
    (void)context;
    *ended = got > 0;
    if (got < 0) return foci_fail(FOCI_ERR_RUNTIME, "%s", strerror(errno));
    if (!*ended) return FOCI_OK;
    *how = (foci_table_ending){WEXITSTATUS(status), WIFSIGNALED(status) ? strsignal(WTERMSIG(status)) : NULL};
    return FOCI_OK;
}

static void stop(void *context, int handle) {
    (void)context;
    kill(handle, SIGTERM);
}

const foci_table_runner foci_processes = {start, look, stop, NULL};
