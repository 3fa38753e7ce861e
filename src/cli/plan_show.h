/* A plan of a training as people read it. */
#ifndef FOCI_CLI_PLAN_SHOW_H
#define FOCI_CLI_PLAN_SHOW_H

#include "base/report.h"

void foci_plan_print(const foci_report *plan); /* of foci_train_plan */

#endif
