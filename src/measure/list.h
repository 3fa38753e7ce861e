/* FOCI_MEASURE(name): the descriptor `const foci_measure foci_measure_NAME`, of src/measure/NAME.c as a rule.
 * Every attack is one. No include guard. */
FOCI_MEASURE(val)
FOCI_MEASURE(test)
#define FOCI_ATTACK FOCI_MEASURE
#include "attack/list.h"
#undef FOCI_ATTACK
FOCI_MEASURE(corrupt)
FOCI_MEASURE(corrupt_pixels)
FOCI_MEASURE(classes)
FOCI_MEASURE(outliers)
FOCI_MEASURE(word_swap)
FOCI_MEASURE(analyze)
FOCI_MEASURE(experts)
FOCI_MEASURE(bench)
