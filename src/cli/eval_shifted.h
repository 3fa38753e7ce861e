/* What foci eval makes of shifted images: --corrupt, --corrupt-dir, --val-dir, --ood-dir. */
#ifndef FOCI_CLI_EVAL_SHIFTED_H
#define FOCI_CLI_EVAL_SHIFTED_H

#include "cli/cli.h"

typedef struct foci_shift_options {
    const char *corrupt, *severity, *corrupt_dir, *relative_to, *val_dir, *ood_dir, *classes;
    long long limit, seed; /* limit 0: all */
} foci_shift_options;

enum { FOCI_SHIFT_CORRUPT = 500, FOCI_SHIFT_SEVERITY, FOCI_SHIFT_CORRUPT_DIR, FOCI_SHIFT_RELATIVE_TO, FOCI_SHIFT_VAL_DIR, FOCI_SHIFT_OOD_DIR,
       FOCI_SHIFT_CLASSES, FOCI_SHIFT_LIMIT, FOCI_SHIFT_SEED };
#define FOCI_SHIFT_OPTIONS                                                                                                                      \
    {"corrupt", FOCI_SHIFT_CORRUPT, "A[,B...]", 0, "images: top-1 error on corrupted copies (foci list corruptions; imagenet-c: the 15; all); "  \
                                                   "fog:severity=3 has the severity in one word", 0},                                           \
    {"severity", FOCI_SHIFT_SEVERITY, "S", 0, "of corruptions: 1 to 5, or a range such as 1-3 (default: 1-5)", 0},                              \
    {"corrupt-dir", FOCI_SHIFT_CORRUPT_DIR, "DIR", 0, "the same of images corrupted by others: DIR/CORRUPTION/SEVERITY/CLASS/IMAGE, as "        \
                                                      "ImageNet-C is published", 0},                                                            \
    {"relative-to", FOCI_SHIFT_RELATIVE_TO, "RUN|FILE", 0, "corruption errors relative to this run, measured the same way, or to what "         \
                                                           "--corrupt --json said of one (default, with 1000 classes: AlexNet)", 0},            \
    {"val-dir", FOCI_SHIFT_VAL_DIR, "DIR", 0, "images: a folder CLASS/FILE in place of data.val; where it has some of the model's classes "     \
                                              "only, the others' logits do not count (ImageNet-A, -R)", 0},                                     \
    {"ood-dir", FOCI_SHIFT_OOD_DIR, "DIR", 0, "images of foreign things (ImageNet-O): AUPR of minus the largest softmax probability, against "  \
                                              "the images of the same classes in data.val or --val-dir", 0},                                    \
    {"classes", FOCI_SHIFT_CLASSES, "FILE", 0, "the model's classes, a line each, in the order of its outputs (default: the folders of data.val)", 0}, \
    {"limit", FOCI_SHIFT_LIMIT, "N", 0, "of a folder only so many images, evenly spread (default: all)", 0},                                    \
    {"seed", FOCI_SHIFT_SEED, "N", 0, "of the corruptions' random numbers (default 0)", 0}

foci_status foci_shift_option(foci_shift_options *o, int key, char *arg);
/* Is any of them given? */
bool foci_shift_asked(const foci_shift_options *o);
foci_status foci_eval_shifted(const foci_config *config, const char *weights, const foci_shift_options *o, const foci_common *common);

#endif
