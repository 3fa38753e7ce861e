/* What `foci analyze` shares with the measure: options, the run's history, and its report. */
#ifndef FOCI_MEASURE_ANALYZE_H
#define FOCI_MEASURE_ANALYZE_H

#include "analyze/analysis.h"
#include "measure/measure.h"

typedef struct foci_analyze_options {
    int64_t limit, batch, layer, maps;
    bool history;
} foci_analyze_options;
extern const foci_key foci_analyze_keys[]; /* bound to it */

enum { FOCI_STAGES = 200 };
typedef struct foci_stages {
    foci_stage stage[FOCI_STAGES]; /* the last is of the weights that were asked for */
    int count;
} foci_stages;

/* Analyses the weights, before them those of the history if it is asked for; `pictures` samples, at least as many as
 * options->maps, are kept for drawing. Free it, after a failure too. */
foci_status foci_analyze_stages(const foci_subject *subject, const foci_analyze_options *options, int pictures,
                                const foci_watch *watch, foci_stages *stages);
void foci_stages_free(foci_stages *stages);
/* "token_cosine", "effective_rank": of the last block; "head_distance": over layers and pairs; "layers":
 * [...]; "maps": [{"photograph": a PNG in base64, "attention": what the class token takes of each patch, mean over
 * heads, [[...]]}]. */
foci_status foci_analyze_tell(const foci_subject *subject, const foci_analyze_options *options,
                              const foci_stages *stages, foci_report *r);

#endif
