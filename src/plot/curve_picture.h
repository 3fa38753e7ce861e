/* The curves of some runs as one picture: losses, scores and learning rates side by side, a legend beneath. */
#ifndef FOCI_PLOT_CURVE_PICTURE_H
#define FOCI_PLOT_CURVE_PICTURE_H

#include "plot/curves.h"

/* Writes it to `out`, an .svg or .png. FOCI_ERR_CONFIG where some runs have accuracies and some perplexities. */
foci_status foci_curve_picture(const foci_curves *run, int runs, const char *out);

#endif
