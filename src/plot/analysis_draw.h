/* The pictures of an analysis, of one set of weights or of a run's history. */
#ifndef FOCI_PLOT_ANALYSIS_DRAW_H
#define FOCI_PLOT_ANALYSIS_DRAW_H

#include "analyze/analysis.h"

/* The analysis of one set of weights; of a run's history there are several. */
typedef struct foci_stage {
    long long step; /* -1: the weights that were asked for */
    foci_analysis analysis;
} foci_stage;

/* Draws layers.svg, and where there is such a thing metric.svg, history.svg, attention.png (patch: pixels of a patch's side). */
foci_status foci_analysis_draw(const char *folder, const foci_stage *stage, int stages, int patch);


#endif
