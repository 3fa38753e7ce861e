#include "task/schema.h"

#include <stdio.h>

#include "attention/attend.h"
#include "attention/attention.h"
#include "task/data_sets.h"
#include "models/models.h"
#include "task/recipes.h"
#include "task/training.h"

enum { MOST_SECTIONS = 128, NAMES = 1024 };
static char recipe_names[NAMES] = "none", model_names[NAMES], attention_names[NAMES], data_names[NAMES];

static const foci_key top_keys[] = {
    {"name", FOCI_KEY_STRING, "run", 0, 0, NULL, "of the run; its folder is runs/NAME unless --out says otherwise",
     .may_change = true, .names_file = true},
    {"recipe", FOCI_KEY_CHOICE, "none", 0, 0, recipe_names,
     "a published recipe as defaults for the keys below (foci list recipes); what files and --set say wins"},
    {0}};

/* A row "kind" whose choices are the names of a registry. */
static foci_key model_kind[] = {{"kind", FOCI_KEY_CHOICE, NULL, 0, 0, model_names, "which model; its keys are below"},
                                {0}};
static foci_key attention_kind[] = {
    {"kind", FOCI_KEY_CHOICE, "softmax", 0, 0, attention_names, "which attention; its keys are below"}, {0}};
static foci_key data_kind[] = {
    {"kind", FOCI_KEY_CHOICE, "image_folder", 0, 0, data_names, "which kind of data set; its keys are below"},
    {"labels", FOCI_KEY_STRING, "", 0, 0, NULL,
     "names of the classes or words, in the order of the model's outputs: a list, one a line, or weights that carry "
     "them; those of the training data if empty, and always the run's own where trained weights are used",
     true},
    {0}};

static void append_name(char *names, const char *name) {
    size_t used = 0;
    while (names[used]) used++;
    snprintf(names + used, NAMES - used, "%s%s", used ? " " : "", name);
}

const foci_schema *foci_schema_all(void) {
    static foci_section section[MOST_SECTIONS];
    static foci_schema schema;
    if (schema.count) return &schema;
    int n = 0;
    for (const foci_recipe *r = foci_recipes; r->name; r++) append_name(recipe_names, r->name);
    section[n++] = (foci_section){"", NULL, top_keys};
    section[n++] = (foci_section){"model", NULL, model_kind};
    for (int i = 0; foci_models[i] && n < MOST_SECTIONS - 1; i++) {
        append_name(model_names, foci_models[i]->name);
        section[n++] = (foci_section){"model", foci_models[i]->name, foci_models[i]->keys};
        section[n++] = (foci_section){"model", foci_models[i]->name, foci_models[i]->shared};
    }
    section[n++] = (foci_section){"attention", NULL, attention_kind};
    section[n++] = (foci_section){"attention", NULL, foci_attending_keys};
    for (int i = 0; foci_attentions[i] && n < MOST_SECTIONS; i++) {
        append_name(attention_names, foci_attentions[i]->name);
        if (foci_attentions[i]->keys)
            section[n++] = (foci_section){"attention", foci_attentions[i]->name, foci_attentions[i]->keys};
    }
    section[n++] = (foci_section){"data", NULL, data_kind};
    for (int i = 0; foci_data_sets[i] && n < MOST_SECTIONS - 1; i++) {
        append_name(data_names, foci_data_sets[i]->name);
        section[n++] = (foci_section){"data", foci_data_sets[i]->name, foci_data_sets[i]->keys};
        section[n++] = (foci_section){"data", foci_data_sets[i]->name, foci_data_sets[i]->shared};
    }
    section[n++] = (foci_section){"train", NULL, foci_training_keys};
    schema = (foci_schema){section, n, foci_recipes};
    return &schema;
}
