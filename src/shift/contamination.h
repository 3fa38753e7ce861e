/* Text made worse, and what a language model makes of it. A contamination is one file and one line in contaminations.h.
 */
#ifndef FOCI_SHIFT_CONTAMINATION_H
#define FOCI_SHIFT_CONTAMINATION_H

#include "config/config.h"
#include "text/text.h"
#include "task/perplexity.h"

typedef struct foci_contamination_count {
    int64_t lines, words, swapped;
} foci_contamination_count;

typedef struct foci_contamination {
    const char *name, *summary;
    const foci_key *keys; /* its settings, "rate", bound to a struct of its own */
    /* Changes a token stream in place, the same for the same settings. */
    foci_status (*apply)(const void *settings, const foci_vocabulary *v, int32_t *ids, int64_t count,
                         foci_contamination_count *n);
} foci_contamination;

extern const foci_contamination *const foci_contaminations[]; /* ended by NULL */
extern const foci_key foci_word_swap_keys[];

/* "word-swap:rate=0.015,min=1", or the name alone. FOCI_ERR_CONFIG for names and values that are not there. */
foci_status foci_contamination_parse(const char *text, foci_arena *arena, const foci_contamination **c,
                                     const void **settings);

/* The same weights on a split as it is and contaminated; `group`: of processes that share the work, or NULL. */
typedef struct foci_contaminated_score {
    foci_score clean, contaminated;
    foci_contamination_count count;
} foci_contaminated_score;
foci_status foci_evaluate_contaminated(const foci_config *config, const char *weights, const char *split, bool sliding,
                                       const foci_contamination *c, const void *settings, foci_group *group,
                                       const foci_watch *watch, foci_contaminated_score *score);

#endif
