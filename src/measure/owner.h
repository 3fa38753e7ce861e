/* What a file of rows belongs to (base/ledger.h): the weights by their bytes, the config by what differs from its
 * defaults, the data by names and content, and the options. The same work has the same text, any other another. */
#ifndef FOCI_MEASURE_OWNER_H
#define FOCI_MEASURE_OWNER_H

#include "measure/measure.h"

/* Begins with weights, config and data; options follow. */
foci_status foci_owner_begin(const foci_subject *subject, foci_report *owner);
/* "foci attack {...}", from malloc. The report is freed. */
foci_status foci_owner_text(foci_report *owner, const char *command, char **text);

#endif
