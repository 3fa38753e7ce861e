/* Pictures by gnuplot: a script is written to a FILE, and what gnuplot makes of it becomes a file. */
#ifndef FOCI_PLOT_GNUPLOT_H
#define FOCI_PLOT_GNUPLOT_H

#include <stdio.h>

#include "base/error.h"

/* Text in a script, in quotes of its own, nothing in it special. */
void foci_gnuplot_text(FILE *script, const char *text);

/* Colours told apart by everybody (Okabe and Ito, 2008), as rrggbb, and how many there are until they begin again. */
enum { FOCI_GNUPLOT_COLOURS = 8 };
const char *foci_gnuplot_colour(int i);

/* `set terminal ...` for a picture of width x height named *.svg or *.png; another ending is FOCI_ERR_CONFIG, which
 * names the option. */
foci_status foci_gnuplot_terminal(const char *option, const char *path, int width, int height, char *line, size_t size);

/* A script to be written, in memory; NULL after a failure, which is told. Close it with fclose. */
FILE *foci_gnuplot_script(void);
/* Runs the script; its output becomes the file at `path`, whole or not at all; FOCI_ERR_IO where that cannot be
 * written. */
foci_status foci_gnuplot_run(FILE *script, const char *path);

#endif
