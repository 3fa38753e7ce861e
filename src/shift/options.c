#include "shift/options.h"

const foci_key foci_shift_keys[] = {
    FOCI_KEY(foci_shift_options, corrupt, NULL, 0, 0, NULL,
             "images: top-1 error on corrupted copies (foci list corruptions; imagenet-c: the 15; all); fog:severity=3 "
             "has the severity in "
             "one word",
             .placeholder = "A[,B...]"),
    FOCI_KEY(foci_shift_options, severity, NULL, 0, 0, NULL,
             "of corruptions: 1 to 5, or a range such as 1-3 (default: 1-5)", .placeholder = "S"),
    FOCI_KEY(foci_shift_options, corrupt_dir, NULL, 0, 0, NULL,
             "the same of images corrupted by others: DIR/CORRUPTION/SEVERITY/CLASS/IMAGE, as ImageNet-C is published",
             .placeholder = "DIR"),
    FOCI_KEY(foci_shift_options, relative_to, NULL, 0, 0, NULL,
             "corruption errors relative to this run, measured the same way, or to what --corrupt --json said of one "
             "(default, with 1000 "
             "classes: AlexNet)",
             .placeholder = "RUN|FILE"),
    FOCI_KEY(foci_shift_options, val_dir, NULL, 0, 0, NULL,
             "images: a folder CLASS/FILE in place of data.val; where it has some of the model's classes only, the "
             "others' logits do not "
             "count (ImageNet-A, -R)",
             .placeholder = "DIR"),
    FOCI_KEY(foci_shift_options, ood_dir, NULL, 0, 0, NULL,
             "images of foreign things (ImageNet-O): AUPR of minus the largest softmax probability, against the images "
             "of the same "
             "classes in data.val or --val-dir",
             .placeholder = "DIR"),
    FOCI_KEY(foci_shift_options, classes, NULL, 0, 0, NULL,
             "the model's classes, a line each, in the order of its outputs (default: the folders of data.val)",
             .placeholder = "FILE"),
    FOCI_KEY(foci_shift_options, limit, "0", 0, 1e12, NULL, "of a folder only so many images, evenly spread; 0: all"),
    FOCI_KEY(foci_shift_options, seed, "0", 0, 9e15, NULL, "of the corruptions' random numbers"),
    {0}};
