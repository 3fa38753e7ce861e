#include <stdio.h>
#include <string.h>

#include "attention/attention.h"
#include "cli/cli.h"
#include "task/data_sets.h"
#include "models/models.h"
#include "ops/ops.h"
#include "attack/attack.h"
#include "shift/contamination.h"
#include "shift/corruption.h"
#include "task/recipes.h"

static void line(const char *name, const char *summary) { printf("%-30s %s\n", name, summary); }

static void models(void) {
    for (int i = 0; foci_models[i]; i++) line(foci_models[i]->name, foci_models[i]->summary);
}
static void attention(void) {
    for (int i = 0; foci_attentions[i]; i++) line(foci_attentions[i]->name, foci_attentions[i]->summary);
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
static void corruptions(void) {
    for (int i = 0; foci_corruptions[i]; i++) line(foci_corruptions[i]->name, foci_corruptions[i]->summary);
}

static const struct {
    const char *name;
    void (*print)(void);
} lists[] = {
    {"models", models},
    {"attention", attention},
    {"ops", ops},
    {"data", data},
    {"recipes", recipes},
    {"attacks", attacks},
    {"contaminations", contaminations},
    {"corruptions", corruptions},
};
enum { LISTS = sizeof lists / sizeof *lists };

/* "models, attention, ..." */
static void join_names(const char *between, char *text, size_t size) {
    size_t used = 0;
    for (int i = 0; i < LISTS && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? between : "", lists[i].name);
}

foci_status foci_cmd_list(int argc, char **argv) {
    const char *what[1];
    char names[256];
    int count;
    bool done;
    join_names("|", names, sizeof names);
    const foci_arguments a = {NULL, NULL, NULL, names, "What is built in, one line each.", false, 1, 1};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, NULL, what, &count, &done));
    if (done) return FOCI_OK;
    for (int i = 0; i < LISTS; i++)
        if (strcmp(what[0], lists[i].name) == 0) {
            lists[i].print();
            return FOCI_OK;
        }
    join_names(", ", names, sizeof names);
    return foci_fail(FOCI_ERR_CONFIG, "there is no list `%s`; there are %s", what[0], names);
}
