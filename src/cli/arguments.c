/* Command lines, by glibc's argp. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "task/schema.h"

foci_status foci_parse_int(const char *option, const char *text, long long min, long long max, long long *value) {
    char *end;
    errno = 0;
    *value = strtoll(text, &end, 10);
    if (!*text || *end || errno || *value < min || *value > max)
        return foci_fail(FOCI_ERR_CONFIG, "%s: `%s` is not a whole number from %lld to %lld", option, text, min, max);
    return FOCI_OK;
}

foci_status foci_parse_real(const char *option, const char *text, double min, double max, double *value) {
    char *end;
    *value = strtod(text, &end);
    if (!*text || *end || !(*value >= min && *value <= max))
        return foci_fail(FOCI_ERR_CONFIG, "%s: `%s` is not a number from %g to %g", option, text, min, max);
    return FOCI_OK;
}

enum { KEY_SET = 1000, KEY_THREADS, KEY_JSON, KEY_USAGE, KEY_VERSION, KEY_HELP = 'h' };
const struct argp_option foci_common_options[] = {
    {"set", KEY_SET, "KEY=VALUE", 0, "change a key of the config; repeatable", 90},
    {"threads", KEY_THREADS, "N", 0, "threads to compute with (default: all cores); results do not depend on it", 90},
    {"json", KEY_JSON, NULL, 0, "print one JSON object to standard output", 90},
    {0}};

typedef struct parse {
    const foci_arguments *a;
    foci_common *common;
    const char **rest;
    int count;
    bool done;
    foci_status status;
} parse;

static foci_status common_option(foci_common *c, int key, char *arg) {
    long long n;
    switch (key) {
    case KEY_SET:
        if (c->sets == FOCI_MAX_SETS) return foci_fail(FOCI_ERR_CONFIG, "--set: more than %d", FOCI_MAX_SETS);
        c->set[c->sets++] = arg;
        return FOCI_OK;
    case KEY_THREADS:
        FOCI_TRY(foci_parse_int("--threads", arg, 1, 1024, &n));
        c->threads = (int)n;
        return FOCI_OK;
    default: c->json = true; return FOCI_OK;
    }
}

static error_t on_key(int key, char *arg, struct argp_state *state) {
    parse *p = state->input;
    switch (key) {
    case KEY_HELP:
    case KEY_USAGE:
        argp_state_help(state, stdout, (key == KEY_HELP ? ARGP_HELP_STD_HELP : ARGP_HELP_USAGE) & ~ARGP_HELP_EXIT_OK & ~ARGP_HELP_EXIT_ERR);
        p->done = true;
        return ECANCELED;
    case KEY_VERSION:
        foci_print_version();
        p->done = true;
        return ECANCELED;
    case ARGP_KEY_ARG:
        if (p->count < p->a->most) {
            p->rest[p->count++] = arg;
            return 0;
        }
        p->status = foci_fail(FOCI_ERR_CONFIG, "`%s` is one argument too many (see %s --help)", arg, state->name);
        return EINVAL;
    case ARGP_KEY_END:
        if (p->count >= p->a->least) return 0;
        p->status = foci_fail(FOCI_ERR_CONFIG, "usage: %s %s (see %s --help)", state->name, p->a->synopsis, state->name);
        return EINVAL;
    case KEY_SET:
    case KEY_THREADS:
    case KEY_JSON: p->status = common_option(p->common, key, arg); break;
    default:
        if (key <= 0 || key >= 0x1000000 || !p->a->option) return ARGP_ERR_UNKNOWN;
        p->status = p->a->option(p->a->state, key, arg);
    }
    return p->status ? EINVAL : 0;
}

/* While there is one, commands show it their arguments and do nothing else. */
static const foci_visitor *visitor;

bool foci_visiting(void) { return visitor; }

foci_status foci_visit_commands(const foci_visitor *v) {
    visitor = v;
    foci_status s = foci_run_command("foci", foci_commands, 0, NULL);
    visitor = NULL;
    return s;
}

foci_status foci_parse_arguments(const foci_arguments *a, int argc, char **argv, foci_common *common, const char **rest,
                                 int *count, bool *done) {
    if (visitor) {
        visitor->visit(visitor->context, argv[0], a);
        *done = true;
        return FOCI_OK;
    }
    struct argp_option all[64] = {{"help", KEY_HELP, NULL, 0, "print this help", 99},
                                  {"usage", KEY_USAGE, NULL, 0, "print only how it is called", 99},
                                  {"version", KEY_VERSION, NULL, 0, "print the version", 99}};
    int n = 3;
    for (const struct argp_option *o = a->options; o && o->name; o++) all[n++] = *o;
    for (const struct argp_option *o = foci_common_options; a->common && o->name; o++) all[n++] = *o;
    const struct argp argp = {all, on_key, a->synopsis, a->doc, NULL, NULL, NULL};
    parse p = {.a = a, .common = common, .rest = rest};
    /* argp itself prints what is wrong with an option; foci prints every other message in main. */
    error_t e = argp_parse(&argp, argc, argv, ARGP_NO_HELP | ARGP_NO_EXIT, NULL, &p);
    *done = p.done;
    *count = p.count;
    if (p.done) return FOCI_OK;
    if (p.status) return p.status;
    if (e) return foci_fail(FOCI_ERR_CONFIG, "see %s --help", argv[0]);
    if (a->common && common->threads) foci_set_threads(common->threads);
    return FOCI_OK;
}

foci_status foci_open_config(foci_config **config, const char *config_or_run, const foci_common *common) {
    return foci_config_open(config, config_or_run, common->set, common->sets);
}

bool foci_is_terminal(void) {
    const char *term = getenv("TERM");
    return isatty(STDERR_FILENO) && term && strcmp(term, "dumb") != 0;
}
