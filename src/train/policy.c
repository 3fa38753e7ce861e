#include "train/policy.h"

foci_verdict foci_policy_judge(foci_policy *p, const foci_training *train) {
    switch (train->on_nonfinite) {
    case FOCI_NONFINITE_SKIP: return FOCI_LEAVE_OUT;
    case FOCI_NONFINITE_ROLLBACK:
        return p->saved && ++p->rollbacks <= FOCI_MOST_ROLLBACKS ? FOCI_ROLL_BACK : FOCI_GIVE_UP;
    default: return FOCI_GIVE_UP;
    }
}

bool foci_policy_bears(foci_policy *p) { return ++p->in_a_row < FOCI_MOST_IN_A_ROW; }

void foci_policy_update(foci_policy *p) {
    p->in_a_row = 0;
    p->updated = true;
}

void foci_policy_checkpoint(foci_policy *p, int64_t step) {
    p->saved = step;
    if (p->updated) p->rollbacks = 0;
    p->updated = false;
}
