/* The built-in data sets. foci_make_data makes one (foci/foci.h). */
#ifndef FOCI_TASK_MAKERS_H
#define FOCI_TASK_MAKERS_H

#include "data/maker.h"

extern const foci_maker *const foci_makers[];        /* ended by NULL */
const foci_maker *foci_maker_find(const char *name); /* NULL: there is none */

#endif
