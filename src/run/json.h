/* JSON that was read, as a part of what will be written. */
#ifndef FOCI_RUN_JSON_H
#define FOCI_RUN_JSON_H

#include <jansson.h>

#include "base/report.h"

void foci_report_json_value(foci_report *r, const char *name, const json_t *value);

#endif
