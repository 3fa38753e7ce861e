/* foci COMMAND ...: sets up the log, runs the command, and turns a status into a message and an exit code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/cpu.h"
#include "cli/cli.h"
#include "kernels/gemm.h"
#include "kernels/bf16.h"

const char foci_program_version[] = FOCI_VERSION FOCI_COMMIT;

volatile sig_atomic_t foci_stop, foci_save_now;
bool foci_speaks = true;

static void on_signal(int number) {
    if (number == SIGUSR1) {
        foci_save_now = 1;
        return;
    }
    if (foci_stop && number != SIGUSR2) _exit(128 + number);
    foci_stop = 1;
}

void foci_catch_signals(void) {
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&a.sa_mask);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
    sigaction(SIGUSR1, &a, NULL);
    sigaction(SIGUSR2, &a, NULL);
    struct sigaction hangup;
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN) /* which is nohup's wish */
        sigaction(SIGHUP, &a, NULL);
    signal(SIGPIPE, SIG_IGN); /* who read along is gone, with the terminal maybe: there is still something to save */
}

bool foci_is_terminal(void) {
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}

static void show(void *context, int64_t done, int64_t count) {
    (void)context;
    if (foci_speaks && foci_is_terminal())
        fprintf(stderr, done < count ? "\r\033[K%lld of %lld" : "\r\033[K", (long long)done, (long long)count);
}
const foci_watch foci_on_terminal = {show, NULL, &foci_stop};

static char command_line[2048];
const char *foci_command_line(void) { return command_line; }

static void keep_command_line(int argc, char **argv) {
    size_t used = 0;
    for (int i = 0; i < argc && used < sizeof command_line; i++)
        used += (size_t)snprintf(command_line + used, sizeof command_line - used, "%s%s", i ? " " : "", argv[i]);
}

static void print_log(void *context, foci_log_level level, const char *line) {
    (void)context;
    if (foci_is_terminal()) fputs("\r\033[K", stderr); /* over a progress line */
    fprintf(stderr, "%s%s\n", level == FOCI_LOG_WARN ? "warning: " : "", line);
}

void foci_print_version(void) {
    printf("foci %s (%s; products by %s; %s kernels; %d thread%s)\n", FOCI_VERSION, __VERSION__, foci_gemm_provider(),
           foci_bf16_isa(), foci_threads(), foci_plural(foci_threads(), "s"));
}

static foci_status run(int argc, char **argv) {
    foci_isa isa;
    FOCI_TRY(foci_isa_choose(&isa));
    FOCI_TRY(foci_gemm_choose(getenv("FOCI_GEMM")));
    return foci_command_run(&foci_root, foci_root.name, argc, argv);
}

/* Threads that wait for others spin, by default for so long that on a busy machine they take the processor from those
 * they wait for: steps get many times slower. Some microseconds are enough; who has set a policy keeps it. */
static bool spins_long(void) {
    return !getenv("OMP_WAIT_POLICY") && !getenv("GOMP_SPINCOUNT") && !getenv("KMP_BLOCKTIME");
}

/* Stacks of threads are as large as the process's may get: where that is little, too little. */
static bool stacks_are_small(void) {
    struct rlimit limit;
    return !getenv("OMP_STACKSIZE") && getrlimit(RLIMIT_STACK, &limit) == 0 && limit.rlim_cur < 4 << 20;
}

/* The OpenMP library reads its settings before main, so foci starts itself once more with them. */
static void settle_threads(char **argv) {
    const bool spin = spins_long(), stack = stacks_are_small();
    if (!spin && !stack) return;
    if (spin) setenv("GOMP_SPINCOUNT", "10000", 1); /* libgomp: rounds */
    if (spin) setenv("KMP_BLOCKTIME", "0", 1);      /* libomp: milliseconds */
    if (stack) setenv("OMP_STACKSIZE", "4M", 1);
    execv("/proc/self/exe", argv);
}

void foci_print_failure(foci_status s) {
    if (!s || !foci_speaks) return;
    if (foci_is_terminal()) fputs("\r\033[K", stderr);
    fprintf(stderr, "foci: %s\n", foci_error_message());
}

int main(int argc, char **argv) {
    settle_threads(argv);
    signal(SIGXFSZ, SIG_IGN); /* a file over the limit is a write that fails */
    keep_command_line(argc, argv);
    foci_set_log(print_log, NULL);
    foci_status s = run(argc, argv);
    if ((fflush(stdout) != 0 || ferror(stdout)) && !s) s = foci_fail(FOCI_ERR_IO, "standard output: cannot write");
    foci_print_failure(s);
    return (int)s;
}
