/* Attacks: images moved within a ball of radius eps so that the model errs; what is left of its accuracy.
 *
 *     foci_attack_session *r;
 *     FOCI_TRY(foci_attack_open(&r, config, weights, &(foci_attack_images){FOCI_SPACE_PIXEL, FOCI_CLIP_VALID}));
 *     FOCI_TRY(foci_attack_measure(r, foci_attack_find("pgd"), &options, &report));
 *     foci_attack_close(r);
 *
 * An attack is one file, NAME.c as a rule, and one line in list.h; engine.h is what it is written with. */
#ifndef FOCI_ATTACK_ATTACK_H
#define FOCI_ATTACK_ATTACK_H

#include "attack/options.h"
#include "base/ledger.h"
#include "base/watch.h"

typedef struct foci_attack_job foci_attack_job; /* engine.h */

typedef struct foci_attack foci_attack;
struct foci_attack {
    const char *name, *summary;
    foci_status (*run)(foci_attack_job *job); /* or: */
    const foci_attack *const *members;        /* these in turn, each on what stands after those before; ended by NULL */
    const char *reads; /* options, "steps restarts", besides those that all read: eps, labels, norm, seed */
    bool standing;     /* attacks true labels, and only images that are classified correctly */
    int64_t steps;     /* defaults */
    double step_size;
    bool absolute; /* step_size is in units of the images, not a share of eps */
    int64_t samples;
    double delta;
    int least_classes; /* that the model must have */
};
extern const foci_attack *const foci_attacks[];        /* ended by NULL */
const foci_attack *foci_attack_find(const char *name); /* NULL: there is none */

bool foci_attack_reads(const foci_attack *attack, const char *option);
void foci_attack_defaults(const foci_attack *attack, foci_attack_options *options); /* fills in what is 0 */

typedef struct foci_attack_report {
    foci_attack_options options;               /* defaults filled in */
    int64_t images, attacked;                  /* all; those of this sitting, the others' rows were there */
    double clean_top1, clean_top5, top1, top5; /* percent, by the true labels */
    double clean_loss, loss;                   /* mean cross-entropy */
    double reached; /* percent of images in the class that was aimed at; NAN where none was */
    /* images whose perturbation left the ball or the valid range: counted as if not attacked */
    int64_t outside;
    double largest; /* of the perturbations counted, in the norm */
    double seconds;
} foci_attack_report;

typedef struct foci_attack_session foci_attack_session;
foci_status foci_attack_open(foci_attack_session **run, const foci_config *config, const char *weights,
                             const foci_attack_images *images);
int64_t foci_attack_count(const foci_attack_session *run); /* of the images */
/* Can the attack do what the options ask for, on this model? */
foci_status foci_attack_check(const foci_attack_session *run, const foci_attack *attack,
                              const foci_attack_options *options);
/* `ledger`: a file that gets a row for each image, after each batch; images whose rows are there are not attacked
 * again, and the report is the same. NULL: none. */
extern const char foci_attack_columns[];
foci_status foci_attack_measure(foci_attack_session *run, const foci_attack *attack, const foci_attack_options *options,
                                foci_ledger *ledger, const foci_watch *watch, foci_attack_report *report);
void foci_attack_close(foci_attack_session *run);

#endif
