/* Event files for TensorBoard: records of a length, its checksum, an Event of protocol buffers and its checksum. */
#ifndef FOCI_RUN_TENSORBOARD_H
#define FOCI_RUN_TENSORBOARD_H

#include "base/report.h"
#include "images/images.h"

/* All take NULL for no file, and do nothing then. A failure is FOCI_ERR_IO and leaves the file at its last whole
 * record, so that later records may follow. */
typedef struct foci_events foci_events;

/* A new file events.out.tfevents.TIME.HOST.PID in the folder, whose name sorts after those that are there: TensorBoard
 * reads them in that order as one run, and forgets what the older ones tell of steps beyond `step`, which is where this
 * one goes on. */
foci_status foci_events_open(foci_events **events, const char *folder, int64_t step);
bool foci_events_is_file(const char *name); /* by its name, without a folder */
void foci_events_close(foci_events *events);

/* One record of scalars: a line of metrics.jsonl, by the tags of task/metrics.h. */
foci_status foci_events_metrics(foci_events *events, const foci_report *line);
foci_status foci_events_image(foci_events *events, int64_t step, const char *tag, const foci_image *image);

/* The checksum: CRC-32C (Castagnoli), as in RFC 3720. */
uint32_t foci_crc32c(const void *data, size_t size);

#endif
