/* What `foci attack` shares with the measures of attacks, one for each: options and report. */
#ifndef FOCI_MEASURE_ATTACK_H
#define FOCI_MEASURE_ATTACK_H

#include "attack/attack.h"
#include "measure/measure.h"

/* How an attack is measured, on so many images. What the attack does not read is null. */
void foci_attack_tell_settings(const foci_attack *attack, const foci_attack_images *images,
                               const foci_attack_options *options, int64_t count, foci_report *r);
/* That, and what was left. */
void foci_attack_tell(const foci_subject *subject, const foci_attack *attack, const foci_attack_images *images,
                      const foci_attack_report *result, foci_report *r);

/* What a file of their rows belongs to; attacks and radii are the caller's to add. */
foci_status foci_attack_own(const foci_subject *subject, const foci_attack_images *images,
                            const foci_attack_options *options, foci_report *owner);

extern const foci_json_form foci_attack_json;
/* The table that people see: of the settings "8 images, pixel space, ..." and its columns; then a line for
 * each report. */
void foci_attack_print_head(const foci_subject *subject, const foci_report *settings, FILE *f);
void foci_attack_print_line(const foci_report *r, FILE *f);

#endif
