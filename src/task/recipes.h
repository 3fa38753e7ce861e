/* The published training recipes, as configs: what `recipe: NAME` stands for. */
#ifndef FOCI_TASK_RECIPES_H
#define FOCI_TASK_RECIPES_H

#include "config/config.h"

extern const foci_recipe foci_recipes[]; /* ended by {0} */

#endif
