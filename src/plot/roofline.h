/* The roofline picture: every operation of a step where its arithmetic intensity puts it, beneath the roof of the
 * processor (Williams, Waterman and Patterson, "Roofline", 2009). */
#ifndef FOCI_PLOT_ROOFLINE_H
#define FOCI_PLOT_ROOFLINE_H

#include "train/bench.h"

/* The name must end in .svg or .png. */
foci_status foci_roofline_check(const char *path);
foci_status foci_roofline_draw(const foci_bench_result *r, const char *name, const char *path);

#endif
