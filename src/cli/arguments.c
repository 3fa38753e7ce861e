/* Command lines, by glibc's getopt_long: options anywhere, `--name value`, `--name=value`, names as short as they are
 * unique. */
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/parallel.h"
#include "cli/cli.h"

/* ------------------------------------------------------------------------------------------------- options */

static const foci_key common_options[] =
    {/* in the order of the bits FOCI_TAKES_ */
     FOCI_KEY(foci_parsed, set, NULL, 0, 0, NULL, "change a key of the config; repeatable", .placeholder = "KEY=VALUE"),
     FOCI_KEY(foci_parsed, threads, NULL, 1, 1024, NULL,
              "threads to compute with (default: OMP_NUM_THREADS, else all cores); results do not depend on it"),
     FOCI_KEY(foci_parsed, json, "false", 0, 0, NULL, "print one JSON object to standard output"),
     FOCI_KEY(foci_parsed, checkpoint, NULL, 0, 0, NULL,
              "weights (default: the run's best.safetensors, else last.safetensors)", .placeholder = "FILE"),
     FOCI_KEY(foci_parsed, dtype, NULL, 0, 0, FOCI_DTYPES(FOCI_CHOICE_WORD),
              "operands of products, as --set train.eval_dtype says it (default: the config's)"),
     {0}};

/* "a|b|c" of choices, else a letter or a word for the type. */
static void value_text(const foci_key *key, char *text, size_t size) {
    static const char *const words[] = {
        [FOCI_KEY_BOOL] = "",       [FOCI_KEY_INT] = "N",        [FOCI_KEY_REAL] = "X",
        [FOCI_KEY_STRING] = "TEXT", [FOCI_KEY_INTS] = "[N,...]", [FOCI_KEY_REALS] = "[X,...]"};
    const bool choices = !key->placeholder && key->type == FOCI_KEY_CHOICE;
    snprintf(text, size, "%s", choices ? key->choices : key->placeholder ? key->placeholder : words[key->type]);
    for (char *at = text; choices && (at = strchr(at, ' '));) *at = at[1] ? '|' : 0;
}

static foci_option option_of(const foci_key *key, size_t at, bool common) {
    foci_option o = {.key = key, .at = at, .common = common};
    snprintf(o.name, sizeof o.name, "%s", key->name);
    for (char *c = o.name; (c = strchr(c, '_'));) *c = '-';
    value_text(key, o.value, sizeof o.value);
    o.may_be_bare = key->placeholder && *key->placeholder == '[';
    return o;
}

int foci_options_of(const foci_command *c, foci_option option[FOCI_MAX_OPTIONS]) {
    int n = 0;
    for (const foci_option_rows *rows = c->options; rows->keys; rows++)
        for (const foci_key *key = rows->keys; key->name && n < FOCI_MAX_OPTIONS; key++)
            option[n++] = option_of(key, rows->at, false);
    for (int i = 0; common_options[i].name && n < FOCI_MAX_OPTIONS; i++)
        if (c->takes & 1u << i) option[n++] = option_of(&common_options[i], 0, true);
    return n;
}

/* ------------------------------------------------------------------------------------------------- reading */

typedef struct reading {
    foci_parsed *parsed;
    unsigned char *options;
    foci_option option[FOCI_MAX_OPTIONS];
    int count;
    bool answered; /* by help or the version */
} reading;

static unsigned char *struct_of(const reading *r, const foci_option *o) {
    return (o->common ? (unsigned char *)r->parsed : r->options) + o->at;
}

static foci_status set_option(reading *r, const foci_option *o, const char *text) {
    char label[80];
    snprintf(label, sizeof label, "--%s", o->name);
    return foci_key_parse(o->key, label, text, &r->parsed->arena, struct_of(r, o));
}

static foci_status set_defaults(reading *r) {
    for (const foci_option *o = r->option; o < r->option + r->count; o++)
        if (o->key->initial) FOCI_TRY(set_option(r, o, o->key->initial));
    return FOCI_OK;
}

static foci_status give_option(reading *r, const foci_option *o, const char *text) {
    foci_parsed *parsed = r->parsed;
    if (!text) text = o->key->type == FOCI_KEY_BOOL ? "true" : "";
    parsed->given[parsed->gives++] = (struct foci_given){struct_of(r, o) + o->key->at, text};
    return set_option(r, o, text);
}

enum { HELP = FOCI_MAX_OPTIONS, USAGE, VERSION, SHORT_HELP = 'h' };

static void answer(reading *r, int what) {
    r->answered = true;
    if (what == VERSION) foci_print_version();
    else if (what == USAGE) foci_print_usage(stdout, r->parsed->name, r->parsed->command);
    else foci_print_help(stdout, r->parsed->name, r->parsed->command);
}

/* getopt itself prints what is wrong with an option; foci prints every other message in main. */
static foci_status read_options(reading *r, int argc, char **argv) {
    struct option all[FOCI_MAX_OPTIONS + 4] = {{"help", no_argument, NULL, HELP},
                                               {"usage", no_argument, NULL, USAGE},
                                               {"version", no_argument, NULL, VERSION}};
    for (int i = 0; i < r->count; i++) {
        const foci_option *o = &r->option[i];
        const int has = !*o->value ? no_argument : o->may_be_bare ? optional_argument : required_argument;
        all[i + 3] = (struct option){o->name, has, NULL, i};
    }
    optind = 0; /* another command line than the last */
    for (int found; (found = getopt_long(argc, argv, "h", all, NULL)) != -1;) {
        if (found == '?') return foci_fail(FOCI_ERR_CONFIG, "see %s --help", r->parsed->name);
        if (found >= FOCI_MAX_OPTIONS) {
            answer(r, found);
            return FOCI_OK;
        }
        FOCI_TRY(give_option(r, &r->option[found], optarg));
    }
    return FOCI_OK;
}

static foci_status take_arguments(foci_parsed *parsed, char **argument, int count) {
    const foci_command *c = parsed->command;
    if (count > c->most)
        return foci_fail(FOCI_ERR_CONFIG, "`%s` is one argument too many (see %s --help)", argument[c->most],
                         parsed->name);
    if (count < c->least)
        return foci_fail(FOCI_ERR_CONFIG, "usage: %s %s (see %s --help)", parsed->name, c->synopsis, parsed->name);
    parsed->argument = (const char *const *)argument;
    parsed->arguments = count;
    return FOCI_OK;
}

static foci_status take_overrides(foci_parsed *parsed) {
    for (const char *text; (text = foci_parsed_text(parsed, &parsed->set, parsed->overrides)); parsed->overrides++) {
        if (parsed->overrides == FOCI_MAX_SETS) return foci_fail(FOCI_ERR_CONFIG, "--set: more than %d", FOCI_MAX_SETS);
        parsed->override[parsed->overrides] = text;
    }
    const char *dtype = foci_parsed_text(parsed, &parsed->dtype, 0);
    if (!dtype) return FOCI_OK;
    if (parsed->overrides == FOCI_MAX_SETS) return foci_fail(FOCI_ERR_CONFIG, "--set: more than %d", FOCI_MAX_SETS - 1);
    parsed->override[parsed->overrides++] = foci_arena_printf(&parsed->arena, "train.eval_dtype=%s", dtype);
    return parsed->override[parsed->overrides - 1] ? FOCI_OK : foci_out_of_memory();
}

const char *foci_parsed_text(const foci_parsed *parsed, const void *field, int i) {
    for (int k = 0; k < parsed->gives; k++)
        if (parsed->given[k].field == field && i-- == 0) return parsed->given[k].text;
    return NULL;
}

/* ------------------------------------------------------------------------------------------------- running */

/* As its weights want it, where there are some. */
static foci_status open_config(foci_parsed *parsed) {
    const char *what = parsed->argument[0], *const *set = parsed->override;
    char weights[sizeof parsed->weights];
    const bool trained = parsed->command->takes & FOCI_TAKES_CHECKPOINT &&
                         !foci_find_weights(what, parsed->checkpoint, weights, sizeof weights);
    return trained ? foci_config_open_trained(&parsed->config, what, weights, set, parsed->overrides)
                   : foci_config_open(&parsed->config, what, set, parsed->overrides);
}

/* As many threads as there are cores for each process of this machine, unless somebody said how many. */
static void share_cores(const foci_parsed *parsed) {
    const int local = parsed->group->local, cores = (int)sysconf(_SC_NPROCESSORS_ONLN), allowed = foci_threads();
    if (parsed->threads || getenv("OMP_NUM_THREADS")) return;
    if (allowed == cores) foci_set_threads(cores > local ? cores / local : 1);
    else if (allowed == 1 && cores > local)
        foci_log(FOCI_LOG_WARN,
                 "one of %d cores for each of %d processes: `mpirun --bind-to none` gives them the others too", cores,
                 local);
}

/* The first process speaks for all. */
static foci_status join(foci_parsed *parsed) {
    FOCI_TRY(foci_group_join(&parsed->group));
    if (!parsed->group) return FOCI_OK;
    foci_speaks = !foci_group_rank(parsed->group);
    if (!foci_speaks) foci_set_log(NULL, NULL);
    share_cores(parsed);
    return FOCI_OK;
}

/* What is work for one is never done by each of several: the first does it, or says that it will not. */
static foci_status be_alone(const foci_parsed *parsed, bool *leaves) {
    int rank;
    const int count = foci_group_started(&rank);
    *leaves = rank > 0;
    if (count < 2 || *leaves) return FOCI_OK;
    if (!(parsed->command->takes & FOCI_FIRST_DOES))
        return foci_fail(FOCI_ERR_CONFIG, "%s is work for one process, and %d were started", parsed->name, count);
    foci_log(FOCI_LOG_INFO, "%s is work for one process: the first of %d does it, the others leave", parsed->name,
             count);
    return FOCI_OK;
}

static bool is_shared(const foci_parsed *parsed) {
    const foci_command *c = parsed->command;
    return c->takes & FOCI_TAKES_GROUP || (c->shares && c->shares(parsed));
}

static foci_status open_and_run(foci_parsed *parsed) {
    const foci_command *c = parsed->command;
    bool leaves = false;
    FOCI_TRY(is_shared(parsed) ? join(parsed) : be_alone(parsed, &leaves));
    if (leaves) return FOCI_OK;
    if (c->check) FOCI_TRY(foci_group_agree(parsed->group, c->check(parsed)));
    if (parsed->threads) foci_set_threads((int)parsed->threads);
    if (c->takes & FOCI_TAKES_THREADS) foci_start_threads();
    if (c->takes & FOCI_ENDS_BY_SIGNAL) foci_catch_signals();
    if ((c->takes & FOCI_OPENS_WEIGHTS) == FOCI_OPENS_WEIGHTS)
        FOCI_TRY(foci_find_weights(parsed->argument[0], parsed->checkpoint, parsed->weights, sizeof parsed->weights));
    if (c->takes & FOCI_OPENS_CONFIG) FOCI_TRY(foci_group_agree(parsed->group, open_config(parsed)));
    return c->run(parsed);
}

static foci_status read_and_run(foci_parsed *parsed, int argc, char **argv) {
    reading r = {.parsed = parsed, .options = foci_arena_alloc(&parsed->arena, parsed->command->size + 1)};
    parsed->options = r.options;
    parsed->given = foci_arena_alloc(&parsed->arena, (size_t)argc * sizeof *parsed->given);
    if (!r.options || !parsed->given) return foci_out_of_memory();
    r.count = foci_options_of(parsed->command, r.option);
    FOCI_TRY(set_defaults(&r));
    FOCI_TRY(read_options(&r, argc, argv));
    if (r.answered) return FOCI_OK;
    FOCI_TRY(take_arguments(parsed, argv + optind, argc - optind));
    FOCI_TRY(take_overrides(parsed));
    return open_and_run(parsed);
}

/* Whatever is to be said is said before the others can end: a launcher that sees one of them fail ends the rest. */
static void leave(foci_group *group, foci_status s) {
    foci_print_failure(s);
    fflush(stdout);
    foci_speaks = false;
    foci_group_leave(group);
}

foci_status foci_parsed_run(const foci_command *command, const char *name, int argc, char **argv) {
    foci_parsed *parsed = calloc(1, sizeof *parsed);
    if (!parsed) return foci_out_of_memory();
    parsed->command = command;
    parsed->name = name;
    foci_status s = read_and_run(parsed, argc, argv);
    if (parsed->group) leave(parsed->group, s);
    foci_config_free(parsed->config);
    foci_arena_free(&parsed->arena);
    free(parsed);
    return s;
}
