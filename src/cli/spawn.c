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

foci_status foci_launcher_read(foci_launcher *l, const char *text) {
    if (!text) return FOCI_OK;
    switch (wordexp(text, &l->words, WRDE_NOCMD | WRDE_UNDEF)) {
    case 0: break;
    case WRDE_SYNTAX: return foci_fail(FOCI_ERR_CONFIG, "--launch: `%s`: a quote that is not closed", text);
    case WRDE_BADVAL: return foci_fail(FOCI_ERR_CONFIG, "--launch: `%s`: a variable that is not set", text);
    case WRDE_NOSPACE: return foci_out_of_memory();
    default: return foci_fail(FOCI_ERR_CONFIG, "--launch: `%s`: words and quotes, and nothing for a shell to do", text);
    }
    if (l->words.we_wordc) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG, "--launch: no words");
}

void foci_launcher_free(foci_launcher *l) { wordfree(&l->words); }

/* What is executed, and its words: the launcher's, this program, the command's, "--threads", N. */
typedef struct arguments {
    const char *file;
    char **argv; /* from malloc */
    char self[4096], threads[24];
} arguments;

static foci_status arguments_of(const foci_launcher *l, const foci_table_command *c, arguments *a) {
    const size_t before = l->words.we_wordc;
    const int64_t threads = before ? l->threads : c->threads;
    size_t words = 0, n = 0;
    while (c->word[words]) words++;
    a->argv = calloc(before + words + 4, sizeof *a->argv);
    if (!a->argv) return foci_out_of_memory();
    const ssize_t length = readlink("/proc/self/exe", a->self, sizeof a->self - 1);
    a->self[length > 0 ? length : 0] = 0;
    while (n < before) a->argv[n] = l->words.we_wordv[n], n++;
    a->argv[n++] = before ? a->self : "foci";
    a->file = before ? a->argv[0] : "/proc/self/exe";
    for (size_t i = 0; i < words; i++) a->argv[n++] = (char *)(uintptr_t)c->word[i];
    if (!threads) return FOCI_OK;
    snprintf(a->threads, sizeof a->threads, "%lld", (long long)threads);
    a->argv[n++] = "--threads";
    a->argv[n] = a->threads;
    return FOCI_OK;
}

/* In a group of its own: Ctrl-C reaches this process alone, which then tells its children. With this process they
 * die; a launcher is asked to, and ends its processes. `failed` is told if the program cannot be executed. */
static void become(const foci_table_command *c, const arguments *a, pid_t parent, int failed) {
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, a->file == a->argv[0] ? SIGTERM : SIGKILL);
    if (getppid() != parent) _exit(1);
    const int out = open(c->out, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    const int log = open(c->log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (out < 0 || log < 0 || dup2(out, 1) < 0 || dup2(log, 2) < 0) _exit(6);
    const int null = open("/dev/null", O_RDONLY);
    if (null < 0 || dup2(null, 0) < 0) {
        perror("foci: /dev/null");
        _exit(6);
    }
    execvp(a->file, a->argv);
    const int error = errno;
    if (write(failed, &error, sizeof error) < 0) perror("foci");
    _exit(1);
}

static foci_status begin(const foci_table_command *c, const arguments *a, int *handle) {
    const pid_t parent = getpid();
    int failed[2], error;
    if (pipe2(failed, O_CLOEXEC)) return foci_fail(FOCI_ERR_RUNTIME, "cannot start: %s", strerror(errno));
    const pid_t pid = fork();
    if (pid == 0) become(c, a, parent, failed[1]);
    error = errno;
    close(failed[1]);
    const bool executed = pid > 0 && read(failed[0], &error, sizeof error) == 0;
    close(failed[0]);
    if (pid < 0) return foci_fail(FOCI_ERR_RUNTIME, "cannot start: %s", strerror(error));
    if (!executed) {
        waitpid(pid, NULL, 0);
        return foci_fail(FOCI_ERR_CONFIG, "cannot start %s: %s", a->file, strerror(error));
    }
    setpgid(pid, pid);
    *handle = (int)pid;
    return FOCI_OK;
}

static foci_status start(void *context, const foci_table_command *c, int *handle) {
    arguments a;
    foci_status s = arguments_of(context, c, &a);
    if (!s) s = begin(c, &a, handle);
    free(a.argv);
    return s;
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

/* Which mpirun and srun hand to their processes; with TERM these would be dead a second later. */
static void stop(void *context, int handle) {
    (void)context;
    kill(handle, SIGUSR2);
}

foci_table_runner foci_processes(foci_launcher *l) { return (foci_table_runner){start, look, stop, l}; }
