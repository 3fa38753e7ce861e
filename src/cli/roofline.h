/* The operations of a step under the processor's roof, as a picture. */
#ifndef FOCI_CLI_ROOFLINE_H
#define FOCI_CLI_ROOFLINE_H

#include "train/bench.h"

/* Needs a profile. An operation that counts no arithmetic is taken to do one for every number it touches. */
foci_status foci_roofline_draw(const foci_bench_result *r, const char *title, const char *path);

/* "linear, backward" */
void foci_profile_label(const foci_profile_row *row, char *label, size_t size);

#endif
