/* Commands of `foci data` that have files of their own. */
#ifndef FOCI_CLI_DATA_COMMANDS_H
#define FOCI_CLI_DATA_COMMANDS_H

#include "cli/command.h"
#include "task/data_sets.h"

extern const foci_lines foci_to_output; /* prints them */
extern const foci_command foci_command_data_corrupt, foci_command_data_show, foci_command_data_bpe;

#endif
