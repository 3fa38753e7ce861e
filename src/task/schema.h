/* Every key a config may have: the common ones, and those of each model, attention variant and kind of data set. */
#ifndef FOCI_TASK_SCHEMA_H
#define FOCI_TASK_SCHEMA_H

#include "config/config.h"

const foci_schema *foci_schema_all(void);

#endif
