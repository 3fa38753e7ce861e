/* All operations, ended by NULL. */
#ifndef FOCI_OPS_OPS_H
#define FOCI_OPS_OPS_H

#include "foci/plugin.h"

extern const foci_op *const foci_ops[];

#endif
