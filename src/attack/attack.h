/* Attacks: images moved within a ball of radius eps so that the model errs; what is left of its accuracy.
 *
 *     foci_attack_run_of *r;
 *     FOCI_TRY(foci_attack_open(&r, config, weights, &(foci_attack_images){FOCI_SPACE_PIXEL, FOCI_CLIP_VALID}));
 *     FOCI_TRY(foci_attack_measure(r, foci_attack_find("pgd"), &options, &report));
 *     foci_attack_close(r);
 *
 * An attack is one file, NAME.c as a rule, and one line in list.h; engine.h is what it is written with. */
#ifndef FOCI_ATTACK_ATTACK_H
#define FOCI_ATTACK_ATTACK_H

#include "base/watch.h"
#include "foci/plugin.h"

/* Choices, in the order in which the rows of keys name them. */
typedef enum foci_norm { FOCI_LINF, FOCI_L2 } foci_norm;
typedef enum foci_attack_loss { FOCI_LOSS_CROSS_ENTROPY, FOCI_LOSS_MARGIN, FOCI_LOSS_DLR } foci_attack_loss;
/* Towards which class a targeted attack goes: another one drawn per image, or the one least likely on the clean image.
 */
typedef enum foci_aim { FOCI_UNTARGETED, FOCI_AIM_RANDOM, FOCI_AIM_LEAST } foci_aim;
/* Labels: the true ones, or the model's own predictions on the clean images. */
typedef enum foci_attack_labels { FOCI_LABELS_TRUE, FOCI_LABELS_PREDICTED } foci_attack_labels;
typedef enum foci_attack_start { FOCI_START_RANDOM, FOCI_START_IMAGE } foci_attack_start;
/* Units: the model's input itself, or [0, 1], normalised inside the model. */
typedef enum foci_attack_space { FOCI_SPACE_NORMALISED, FOCI_SPACE_PIXEL } foci_attack_space;
typedef enum foci_attack_clip {
    FOCI_CLIP_NONE,
    FOCI_CLIP_VALID
} foci_attack_clip; /* valid: what [0, 1] becomes in these units */

/* What is 0 has the attack's own default. */
typedef struct foci_attack_options {
    double eps;        /* radius, in units of the images: [0, 1], or normalised */
    foci_norm norm;
    foci_attack_loss loss; /* fgsm, pgd */
    foci_aim targeted;     /* fgsm, pgd, spsa */
    foci_attack_labels labels;
    foci_attack_start start; /* pgd, spsa */
    int64_t steps;     /* iterations, or queries */
    double step_size;  /* pgd: a step as a share of eps; spsa: Adam's rate in units of the images */
    int64_t restarts;  /* from another random start, for the images still standing */
    int64_t samples;   /* spsa: pairs of queries per step */
    double delta;      /* spsa: length of the probes in every coordinate */
    int64_t seed;
} foci_attack_options;
extern const foci_key foci_attack_eps[], foci_attack_keys[]; /* bound to it: the radius; the rest */

typedef struct foci_attack_job foci_attack_job; /* engine.h */

typedef struct foci_attack foci_attack;
struct foci_attack {
    const char *name, *summary;
    foci_status (*run)(foci_attack_job *job); /* or: */
    const foci_attack *const *members;        /* these in turn, each on what stands after those before; ended by NULL */
    bool standing;  /* attacks true labels, and only images that are classified correctly */
    bool random;    /* restarts make a difference */
    bool aims;      /* can be targeted */
    bool losses;    /* has a choice of loss */
    int64_t steps;  /* defaults */
    double step_size;
    int64_t samples;
    double delta;
    int least_classes; /* that the model must have */
};
extern const foci_attack *const foci_attacks[];     /* ended by NULL */
const foci_attack *foci_attack_find(const char *name); /* NULL: there is none */

void foci_attack_defaults(const foci_attack *attack, foci_attack_options *options); /* fills in what is 0 */

/* Which images, in which units. */
typedef struct foci_attack_images {
    foci_attack_space space;
    foci_attack_clip clip;
    int64_t limit; /* so many, evenly spread over the validation set; 0: all */
    int64_t batch; /* attacked at once; 0: a default */
} foci_attack_images;
extern const foci_key foci_attack_image_keys[]; /* bound to it */

typedef struct foci_attack_report {
    foci_attack_options options; /* defaults filled in */
    int64_t images;
    double clean_top1, clean_top5, top1, top5; /* percent, by the true labels */
    double clean_loss, loss;  /* mean cross-entropy */
    double reached;           /* percent of images in the class that was aimed at; NAN where none was */
    int64_t outside; /* images whose perturbation left the ball or the valid range: counted as if not attacked */
    double largest;           /* of the perturbations counted, in the norm */
    double seconds;
} foci_attack_report;

typedef struct foci_attack_run_of foci_attack_run_of;
foci_status foci_attack_open(foci_attack_run_of **run, const foci_config *config, const char *weights,
                             const foci_attack_images *images);
int64_t foci_attack_count(const foci_attack_run_of *run); /* of the images */
/* Can the attack do what the options ask for, on this model? */
foci_status foci_attack_check(const foci_attack_run_of *run, const foci_attack *attack,
                              const foci_attack_options *options);
foci_status foci_attack_measure(foci_attack_run_of *run, const foci_attack *attack, const foci_attack_options *options,
                                const foci_watch *watch, foci_attack_report *report);
void foci_attack_close(foci_attack_run_of *run);

#endif
