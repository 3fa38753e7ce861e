#include "base/nearest.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* Insertions, deletions, substitutions and swaps of neighbours that make b of a (optimal string alignment). */
static int distance(const char *a, const char *b) {
    enum { LONGEST = 64 };
    int n = (int)strnlen(a, LONGEST), m = (int)strnlen(b, LONGEST), row[3][LONGEST + 1];
    for (int j = 0; j <= m; j++) row[0][j] = j;
    for (int i = 1; i <= n; i++) {
        int *now = row[i % 3], *above = row[(i + 2) % 3], *before = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= m; j++) {
            int d = above[j - 1] + (a[i - 1] != b[j - 1]);
            if (above[j] + 1 < d) d = above[j] + 1;
            if (now[j - 1] + 1 < d) d = now[j - 1] + 1;
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && before[j - 2] + 1 < d) d = before[j - 2] + 1;
            now[j] = d;
        }
    }
    return row[n % 3][m];
}

void foci_nearest_offer(foci_nearest *n, const char *candidate, const char *label) {
    int d = distance(n->wanted, candidate);
    if (n->best[0] && d >= n->distance) return;
    n->distance = d;
    snprintf(n->best, sizeof n->best, "%s", label);
}
