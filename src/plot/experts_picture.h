/* The load of experts as a picture: a row of bars for each layer. */
#ifndef FOCI_PLOT_EXPERTS_PICTURE_H
#define FOCI_PLOT_EXPERTS_PICTURE_H

#include "analyze/expert_load.h"

foci_status foci_experts_picture_check(const char *path); /* before the work: an ending that cannot be drawn */
foci_status foci_experts_picture(const foci_expert_load *load, const char *path);

#endif
