#ifndef FOCI_CLI_DATA_SHOW_H
#define FOCI_CLI_DATA_SHOW_H

#include "base/error.h"

/* A contact sheet of augmented training images; a command of `foci data`. */
foci_status foci_data_show(int argc, char **argv);

#endif
