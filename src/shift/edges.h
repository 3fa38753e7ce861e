/* Edges as Canny finds them, after OpenCV's cv2.Canny in all that its definition leaves open: Sobel slopes of 3 x 3
 * over a border that repeats, their size |dx| + |dy|, which outside of the picture is 0, and what happens to equals. */
#ifndef FOCI_SHIFT_EDGES_H
#define FOCI_SHIFT_EDGES_H

#include "shift/corruption.h"

/* Of a picture of one channel, multiples of 1/255: edge[i] is 1 or 0. Ridges steeper than `high` are edges, and those
 * steeper than `low` that are joined to them. */
foci_status foci_find_edges(const foci_picture *p, int low, int high, unsigned char *edge);

#endif
