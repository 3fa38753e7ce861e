/* What is written in short: a measurement of a table, a contamination, RandAugment's name, groups of rates, and the
 * options of `foci attack`. The first byte chooses. */
#include "fuzz.h"

#include "cli/cli.h"
#include "images/augment.h"
#include "shift/contamination.h"
#include "table/table.h"
#include "train/optimizer.h"

static void measure(const char *text) {
    foci_table *t = foci_table_new("table.yaml");
    if (!t) abort();
    foci_table_add_measure(t, "table.yaml:1:1", "label", text, NULL, 0);
    foci_table_free(t);
}

static void contaminate(const char *text) {
    const foci_contamination *c;
    const void *settings;
    foci_arena arena = {0};
    (void)foci_contamination_parse(text, &arena, &c, &settings);
    foci_arena_free(&arena);
}

static void augment(const char *text) {
    foci_rand_augment a;
    if (!foci_rand_augment_parse(&a, text) && !(a.operations >= 0 && a.magnitude >= 0)) abort();
}

static void rates(const char *text) {
    foci_parameters p;
    foci_optimizer o;
    foci_parameters_init(&p);
    foci_parameters_declare(&p, "head.weight", FOCI_ZEROS, 2, (int64_t[]){2, 3});
    foci_parameters_declare(&p, "blocks.0.bias", FOCI_ZEROS, 1, (int64_t[]){2});
    if (foci_parameters_allocate(&p, true)) abort();
    const foci_optimizer_options scaled = {.kind = FOCI_ADAMW, .lr_scale = text},
                                 frozen = {.kind = FOCI_ADAMW, .freeze = text};
    if (!foci_optimizer_init(&o, &scaled, &p)) foci_optimizer_free(&o);
    if (!foci_optimizer_init(&o, &frozen, &p)) foci_optimizer_free(&o);
    foci_parameters_free(&p);
}

/* There is no such run: the options are all that is read. The order of argv is changed by it. */
static void attack(const char *text, const char *option) {
    char *value = strdup(text), *name = strdup(option);
    if (!value || !name) abort();
    foci_command_run(&foci_command_attack, "foci attack", 4,
                     (char *[]){(char[]){"attack"}, (char[]){"/nonexistent"}, name, value, NULL});
    free(value);
    free(name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char *const options[] = {"--method",    "--eps",  "--space", "--steps",
                                          "--step-size", "--seed", "--loss",  "--set"};
    if (!size) return 0;
    fuzz_make_folder();
    char *text = fuzz_text(data + 1, size - 1);
    switch (data[0]) {
    case 'm': measure(text); break;
    case 'c': contaminate(text); break;
    case 'a': augment(text); break;
    case 'r': rates(text); break;
    default: attack(text, options[data[0] % 8]); break;
    }
    free(text);
    return 0;
}
