/* The built-in models. */
#ifndef FOCI_MODELS_MODELS_H
#define FOCI_MODELS_MODELS_H

#include "foci/plugin.h"

extern const foci_model *const foci_models[]; /* ended by NULL */
const foci_model *foci_model_find(const char *name);

#endif
