/* Argument blocks of kernels that take more than a handful. */
#ifndef FOCI_KERNELS_TYPES_H
#define FOCI_KERNELS_TYPES_H

#include "foci/foci.h"

#endif
