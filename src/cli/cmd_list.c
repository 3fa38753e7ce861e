#include <stdio.h>
#include <string.h>

#include "attention/attention.h"
#include "cli/cli.h"
#include "task/data_sets.h"
#include "models/models.h"
#include "ops/ops.h"
#include "attack/attack.h"
#include "measure/measure.h"
#include "shift/contamination.h"
#include "shift/corruption.h"
#include "task/recipes.h"

static void line(const char *name, const char *summary) { printf("%-30s %s\n", name, summary); }

static void models(void) {
    for (int i = 0; foci_models[i]; i++) line(foci_models[i]->name, foci_models[i]->summary);
}
static void attention(void) {
    for (const foci_attention *const *a = foci_attentions; *a; a++)
        printf("%-12s %-7s %-7s %-28s %-38s %s\n", (*a)->name, (*a)->whole ? "-" : "causal",
               (*a)->linear ? "linear" : "-", (*a)->cost ? (*a)->cost : "N^2 D", (*a)->extra ? (*a)->extra : "-",
               (*a)->summary);
}
static void ops(void) {
    for (int i = 0; foci_ops[i]; i++) line(foci_ops[i]->name, foci_ops[i]->summary);
}
static void data(void) {
    for (int i = 0; foci_data_sets[i]; i++) line(foci_data_sets[i]->name, foci_data_sets[i]->summary);
}
static void recipes(void) {
    for (const foci_recipe *r = foci_recipes; r->name; r++) line(r->name, r->summary);
}
static void attacks(void) {
    for (int i = 0; foci_attacks[i]; i++) line(foci_attacks[i]->name, foci_attacks[i]->summary);
}
static void contaminations(void) {
    for (int i = 0; foci_contaminations[i]; i++) line(foci_contaminations[i]->name, foci_contaminations[i]->summary);
}
static void measures(void) {
    foci_arena arena = {NULL};
    for (int i = 0; foci_measures[i]; i++) {
        const char *options = foci_measure_options(foci_measures[i], &arena);
        char text[1024];
        snprintf(text, sizeof text, "%s; options: %s", foci_measures[i]->summary, options ? options : "");
        line(foci_measures[i]->name, text);
    }
    foci_arena_free(&arena);
}
static void corruptions(void) {
    for (int i = 0; foci_corruptions[i]; i++) line(foci_corruptions[i]->name, foci_corruptions[i]->summary);
}

/* clang-format off */
#define LISTS(first, next) \
    first(models, "what is trained") \
    next(attention, "its variants: causal or not, linear in the tokens or not, cost, parameters of their own") \
    next(ops, "operations, of which models are made") \
    next(data, "kinds of data sets") \
    next(recipes, "published trainings, as defaults of a config") \
    next(measures, "what is asked of a trained model, by foci eval --measure, tables and sweeps") \
    next(attacks, "on images, for foci attack") \
    next(contaminations, "of text, for foci eval --contaminate") \
    next(corruptions, "of images, for foci eval --corrupt")
/* clang-format on */

static const struct {
    const char *name, *summary;
    void (*print)(void);
} lists[] = {
#define ROW(name, summary) {#name, summary, name},
    LISTS(ROW, ROW)};

static foci_status list(const foci_parsed *parsed) {
#define NAME(name, summary) #name
#define COMMA_NAME(name, summary) ", " #name
    if (!parsed->arguments)
        for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
            printf("foci list %-16s %s\n", lists[i].name, lists[i].summary);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (parsed->arguments && strcmp(parsed->argument[0], lists[i].name) == 0) {
            lists[i].print();
            return FOCI_OK;
        }
    if (!parsed->arguments) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG, "there is no list `%s`; there are " LISTS(NAME, COMMA_NAME), parsed->argument[0]);
}

#define BAR_NAME(name, summary) "|" #name
const foci_command foci_command_list = {.name = "list",
                                        .summary = "what is built in: models, attention, recipes and so on",
                                        .synopsis = "[" LISTS(NAME, BAR_NAME) "]",
                                        .doc = "What is built in, one line each; without a name the lists.",
                                        .most = 1,
                                        .run = list};
