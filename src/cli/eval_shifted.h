/* What foci eval makes of shifted images: --corrupt, --corrupt-dir, --val-dir, --ood-dir. */
#ifndef FOCI_CLI_EVAL_SHIFTED_H
#define FOCI_CLI_EVAL_SHIFTED_H

#include "cli/cli.h"
#include "shift/options.h"

/* Is any of these options given? */
bool foci_shift_asked(const foci_shift_options *o);
/* Do those given go together? */
foci_status foci_shift_check(const foci_shift_options *o);
foci_status foci_eval_shifted(const foci_parsed *parsed, const foci_shift_options *o);

#endif
