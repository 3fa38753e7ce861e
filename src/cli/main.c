/* foci COMMAND ...: finds the command, sets up the log, and turns a status into a message and an exit code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/cpu.h"
#include "cli/cli.h"
#include "kernels/gemm.h"
#include "kernels/kernels.h"

const foci_command foci_commands[] = {
#define FOCI_COMMAND(name, summary) {#name, summary, foci_cmd_##name},
#include "cli/list.h"
#undef FOCI_COMMAND
    {0}};

volatile sig_atomic_t foci_stop;

static void on_signal(int number) {
    if (foci_stop) _exit(128 + number);
    foci_stop = 1;
}

void foci_catch_signals(void) {
    struct sigaction a = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigemptyset(&a.sa_mask);
    sigaction(SIGINT, &a, NULL);
    sigaction(SIGTERM, &a, NULL);
}

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
    printf("foci %s (%s; products by %s; %s kernels; %d threads)\n", FOCI_VERSION, __VERSION__, foci_gemm_provider(),
           foci_kernel()->isa, foci_threads());
}

static void print_commands(FILE *out) {
    fputs("usage: foci COMMAND [ARGUMENT...]\n\nTransformers trained from C.\n\n", out);
    for (const foci_command *c = foci_commands; c->name; c++) fprintf(out, "  %-8s %s\n", c->name, c->summary);
    fputs("\n  foci COMMAND --help   its arguments\n  foci help config      every key of a config\n  foci --version        "
          "version, compiler, instruction set\n", out);
}

/* Letters apart, by the textbook's edit distance. */
static int distance(const char *a, const char *b) {
    int row[64];
    int n = (int)strnlen(b, 62);
    for (int j = 0; j <= n; j++) row[j] = j;
    for (int i = 1; a[i - 1] && i < 64; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int change = diagonal + (a[i - 1] != b[j - 1]), least = row[j] < row[j - 1] ? row[j] + 1 : row[j - 1] + 1;
            diagonal = row[j];
            row[j] = change < least ? change : least;
        }
    }
    return row[n];
}

static foci_status unknown_command(const char *name) {
    const char *nearest = NULL;
    int best = 3;
    for (const foci_command *c = foci_commands; c->name; c++)
        if (distance(name, c->name) < best) {
            best = distance(name, c->name);
            nearest = c->name;
        }
    if (nearest) return foci_fail(FOCI_ERR_CONFIG, "there is no command `%s`; did you mean `%s`?", name, nearest);
    return foci_fail(FOCI_ERR_CONFIG, "there is no command `%s`; foci --help lists them", name);
}

static foci_status run(int argc, char **argv) {
    foci_isa isa;
    FOCI_TRY(foci_isa_choose(&isa));
    FOCI_TRY(foci_gemm_check());
    if (argc < 2) {
        print_commands(stderr);
        return foci_fail(FOCI_ERR_CONFIG, "no command");
    }
    if (strcmp(argv[1], "--version") == 0) {
        foci_print_version();
        return FOCI_OK;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_commands(stdout);
        return FOCI_OK;
    }
    for (const foci_command *c = foci_commands; c->name; c++)
        if (strcmp(argv[1], c->name) == 0) {
            static char name[64];
            snprintf(name, sizeof name, "foci %s", c->name);
            argv[1] = name;
            return c->run(argc - 1, argv + 1);
        }
    return unknown_command(argv[1]);
}

/* Threads that wait for others spin, by default for so long that on a busy machine they take the processor from those
 * they wait for: steps get many times slower. Some microseconds are enough. The OpenMP library reads its settings before
 * main, so foci starts itself once more with them; who has set a policy keeps it. */
static void spin_less(char **argv) {
    if (getenv("OMP_WAIT_POLICY") || getenv("GOMP_SPINCOUNT") || getenv("KMP_BLOCKTIME")) return;
    setenv("GOMP_SPINCOUNT", "10000", 1); /* libgomp: rounds */
    setenv("KMP_BLOCKTIME", "0", 1);      /* libomp: milliseconds */
    execv("/proc/self/exe", argv);
}

int main(int argc, char **argv) {
    spin_less(argv);
    keep_command_line(argc, argv);
    foci_set_log(print_log, NULL);
    foci_status s = run(argc, argv);
    if (fflush(stdout) != 0 && !s) s = foci_fail(FOCI_ERR_IO, "standard output: cannot write");
    if (s) {
        if (foci_is_terminal()) fputs("\r\033[K", stderr);
        fprintf(stderr, "foci: %s\n", foci_error_message());
    }
    return (int)s;
}
