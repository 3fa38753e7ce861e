/* Time and memory of attention against the tokens, both axes logarithmic, a line per variant. */
#ifndef FOCI_PLOT_SCALING_PICTURE_H
#define FOCI_PLOT_SCALING_PICTURE_H

#include "measure/scaling.h"

/* The name must end in .svg or .png. */
foci_status foci_scaling_picture_check(const char *path);
foci_status foci_scaling_picture(const foci_scaling *s, const char *path);

#endif
