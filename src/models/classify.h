/* What models that sort images into classes share: their input, and what becomes of logits. */
#ifndef FOCI_MODELS_CLASSIFY_H
#define FOCI_MODELS_CLASSIFY_H

#include "foci/plugin.h"

/* The classes that the config names, or those of the data. */
int64_t foci_classes_of(const foci_request *r, int64_t configured);
/* The input `images` (B, channels, H, W); one size stands for both sides. */
foci_tensor *foci_images_of(const foci_request *r, int64_t channels, const foci_int_list *size);
/* Gives the logits (B, K) to the caller, and the loss where there are labels: one each, or two, or shares of all
 * classes. */
void foci_classified(foci_request *r, foci_tensor *logits);

/* The same of two heads: the logits are their mean. With labels of a teacher, the input `teacher` (B), the loss is that
 * of the first by the labels and, with the share distillation_alpha, that of the second by the teacher's. */
void foci_classified_by_two(foci_request *r, foci_tensor *head, foci_tensor *second);

#endif
