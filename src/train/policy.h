/* What is done about an update whose loss or gradient is no number, or out of the ordinary: train.on_nonfinite.
 * Decisions and their counts alone; who trains carries them out. */
#ifndef FOCI_TRAIN_POLICY_H
#define FOCI_TRAIN_POLICY_H

#include "task/training.h"

enum { FOCI_MOST_ROLLBACKS = 3, FOCI_MOST_IN_A_ROW = 100 };

typedef struct foci_policy {
    int64_t saved; /* the step of the last checkpoint, 0: there is none */
    bool updated;  /* since then */
    int rollbacks; /* since training got on */
    int in_a_row;  /* updates left out one after another */
} foci_policy;

typedef enum foci_verdict { FOCI_GIVE_UP, FOCI_LEAVE_OUT, FOCI_ROLL_BACK } foci_verdict;

/* Of a loss or a gradient that is no number. Rolling back needs a checkpoint, and ends where it does not help. */
foci_verdict foci_policy_judge(foci_policy *p, const foci_training *train);
/* An update is left out: false where too many were, one after another. */
bool foci_policy_bears(foci_policy *p);
void foci_policy_update(foci_policy *p);                   /* one was made */
void foci_policy_checkpoint(foci_policy *p, int64_t step); /* written: training got on if there were updates */

#endif
