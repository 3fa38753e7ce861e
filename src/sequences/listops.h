/* Expressions of ListOps (Nangia and Bowman 2018), "[MAX 2 9 [MIN 4 7 ] 0 ]": lists of digits and lists below MIN, MAX,
 * MED (the median, of an even number the mean of the middle two without its half) and SM (the sum mod 10). */
#ifndef FOCI_SEQUENCES_LISTOPS_H
#define FOCI_SEQUENCES_LISTOPS_H

#include "base/error.h"

/* Ids of tokens: 0 is padding, 1 to 10 are the digits. */
enum {
    FOCI_LISTOPS_DIGIT = 1,
    FOCI_LISTOPS_MIN = 11,
    FOCI_LISTOPS_MAX,
    FOCI_LISTOPS_MED,
    FOCI_LISTOPS_SM,
    FOCI_LISTOPS_END,
    FOCI_LISTOPS_VOCABULARY
};

typedef struct foci_listops {
    int64_t tokens; /* without round brackets, which only pair a list's parts */
    int value;      /* 0 to 9 */
} foci_listops;

/* Reads an expression whole; the first `most` ids go to `ids` (may be NULL). FOCI_ERR_DATA says which token is wrong:
 * a bracket that is not closed or not opened, a list of nothing, a word that is none. */
foci_status foci_listops_read(const char *text, size_t size, int64_t most, int32_t *ids, foci_listops *out);
/* "[MIN ", "7 ", "] " */
void foci_listops_token(int32_t id, char text[16]);

/* What DIR/basic_{train,val,test}.tsv are made of, as the Long Range Arena made its own. */
typedef struct foci_listops_options {
    int64_t train, val, test;  /* lines */
    int64_t shortest, longest; /* tokens: more than, fewer than */
    int64_t depth, args;       /* lists within lists; parts of a list, at least 2 */
    int64_t seed;
} foci_listops_options;
foci_status foci_make_listops(const char *dir, const foci_listops_options *options);

#endif
