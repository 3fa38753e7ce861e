/* The pictures of an analysis, of one set of weights or of a run's history. */
#ifndef FOCI_PLOT_ANALYSIS_DRAW_H
#define FOCI_PLOT_ANALYSIS_DRAW_H

#include "analyze/analysis.h"

/* Draws layers.svg, and where there is such a thing metric.svg, history.svg, attention.png (patch: pixels of a patch's
 * side). */
foci_status foci_analysis_draw(const char *folder, const foci_stage *stage, int stages, int patch);

#endif
