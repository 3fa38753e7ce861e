/* foci data corrupt */
#ifndef FOCI_CLI_DATA_CORRUPT_H
#define FOCI_CLI_DATA_CORRUPT_H

#include "base/error.h"

foci_status foci_data_corrupt(int argc, char **argv);

#endif
