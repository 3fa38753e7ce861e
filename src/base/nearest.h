/* The known name nearest to one that is not known: what the user may have meant.
 *
 *     foci_nearest nearest = {.wanted = "trian"};
 *     for (every name) foci_nearest_offer(&nearest, name, name);
 *     ... "did you mean `%s`?", nearest.best */
#ifndef FOCI_BASE_NEAREST_H
#define FOCI_BASE_NEAREST_H

typedef struct foci_nearest {
    const char *wanted;
    char best[128]; /* empty: nothing was offered yet */
    int distance;   /* letters to add, drop, change or swap */
} foci_nearest;

/* `label` is what the user will read of the candidate. Of several as near, the first. */
void foci_nearest_offer(foci_nearest *n, const char *candidate, const char *label);

#endif
