#include "models/models.h"

#include <string.h>

#define FOCI_MODEL(name) extern const foci_model foci_model_##name;
#include "models/list.h"
#undef FOCI_MODEL

const foci_model *const foci_models[] = {
#define FOCI_MODEL(name) &foci_model_##name,
#include "models/list.h"
#undef FOCI_MODEL
    NULL};

const foci_model *foci_model_find(const char *name) {
    for (int i = 0; foci_models[i]; i++)
        if (strcmp(foci_models[i]->name, name) == 0) return foci_models[i];
    return NULL;
}
