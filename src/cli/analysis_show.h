/* What foci analyze shows of an analysis: a table, JSON, and a folder of CSV files and pictures. */
#ifndef FOCI_CLI_ANALYSIS_SHOW_H
#define FOCI_CLI_ANALYSIS_SHOW_H

#include "measure/analyze.h"
#include "plot/analysis_draw.h"

void foci_analysis_print(const foci_analysis *a);

/* analysis.json is the caller's. Writes layers.csv, heads.csv, pairs.csv, of a history history.csv too. */
foci_status foci_analysis_write_csv(const char *folder, const foci_stage *stage, int stages);

#endif
