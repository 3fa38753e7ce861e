/* What attacks are written with: a model that takes images and gives logits and gradients (the victim), losses of
 * single images, and the geometry of the ball.
 *
 * Images of a batch stay in their rows ("slots") of all arrays; lists of slots say which of them a call is about.
 * Whatever happens to an image depends on it alone: random numbers are keyed by its number in the data set, no sum runs
 * over images. */
#ifndef FOCI_ATTACK_ENGINE_H
#define FOCI_ATTACK_ENGINE_H

#include "base/arena.h"
#include "base/philox.h"
#include "core/program.h"
#include "attack/attack.h"

enum { FOCI_MAX_CHANNELS = 16, FOCI_VICTIM_RUNGS = 24 };

/* ------- the victim */

/* What the attack's images are to the model, per channel. */
typedef struct foci_units {
    double mean[FOCI_MAX_CHANNELS], std[FOCI_MAX_CHANNELS]; /* the model reads (x - mean) / std */
    double low[FOCI_MAX_CHANNELS], high[FOCI_MAX_CHANNELS]; /* of valid images; infinite: nothing is clipped */
} foci_units;
foci_units foci_units_plain(double low, double high); /* the model reads x */

/* A model recorded for whole batches and, so that few images cost little, for a half, a quarter, ... 1 of them: the
 * rungs of a ladder, in one block of memory. Gradients are those of the images; parameters get none. */
typedef struct foci_victim {
    foci_units units;
    int64_t channels, height, width, pixels; /* pixels = channels * height * width */
    int64_t classes, capacity;
    foci_program_set set;
    foci_program *rung[FOCI_VICTIM_RUNGS]; /* the largest first */
    int64_t batch[FOCI_VICTIM_RUNGS];
    int rungs;
    foci_real *input; /* (capacity, pixels) */
    foci_real *dz;    /* (capacity, classes) */
    /* nonzero: the model is no longer run, so that an attack ends soon, its answer void */
    const volatile sig_atomic_t *stop;
    foci_status status; /* of the first run that failed: likewise */
} foci_victim;
static inline bool foci_victim_stopped(const foci_victim *v) { return v->status || (v->stop && *v->stop); }

/* Records `model` for `capacity` images at once; the parameters are the caller's, and allocated here where they are not
 * yet. */
foci_status foci_victim_open(foci_victim *v, const foci_model *model, const foci_config *config, foci_parameters *p,
                             const foci_units *units, int64_t classes, int64_t capacity, bool bf16);
void foci_victim_close(foci_victim *v);

/* Logits of the images in slots which[0 .. n-1] (NULL: 0 .. n-1) of x (slots, pixels), to the same slots of
 * logits (slots, classes). */
void foci_victim_logits(foci_victim *v, int64_t n, const int64_t *which, const foci_real *x, foci_real *logits);

/* A loss of one image: of its logits z (classes), its label and its target; bigger is better for the attack. dz, zeroed
 * before, gets its gradient. */
typedef double foci_head(const foci_real *z, int64_t classes, int32_t label, int32_t target, foci_real *dz);
foci_head foci_head_cross_entropy, foci_head_cross_entropy_target; /* the target's: minus that of the target */
foci_head foci_head_margin, foci_head_margin_target; /* best other logit - logit of the label; target - best other */
/* Croce and Hein 2020: differences over the spread of the best logits */
foci_head foci_head_dlr, foci_head_dlr_target;
foci_head foci_head_difference; /* logit of the target - logit of the label */

/* Logits and loss of those images, and the gradient dx (slots, pixels) of each one's own loss. `logits` may be NULL. */
void foci_victim_gradient(foci_victim *v, int64_t n, const int64_t *which, const foci_real *x, foci_head *head,
                          const int32_t *label, const int32_t *target, foci_real *logits, double *loss, foci_real *dx);

int64_t foci_argmax(const foci_real *z, int64_t classes); /* the first of equals */

/* ------- a batch under attack */

struct foci_attack_job {
    foci_victim *victim;
    const foci_attack_options *options; /* defaults filled in */
    foci_head *head;                    /* that options.loss and options.targeted ask for */
    int64_t restart;
    int64_t slots;
    const int64_t *image;          /* (slots) number in the data set */
    const foci_real *x;            /* (slots, pixels) the clean images */
    const foci_real *clean;        /* (slots, classes) their logits */
    const int32_t *label, *target; /* (slots) */
    const int64_t *which;          /* the slots to attack, n of them */
    int64_t n;

    foci_real *adv; /* (slots, pixels) what the attack leaves there is its answer */

    foci_real *dx; /* (slots, pixels), logits (slots, classes), loss (slots): for its own use */
    foci_real *logits;
    double *loss;
    foci_arena *memory; /* for more; given back after the batch */
};

/* Is the image in its wrong class, or in the one aimed at? */
bool foci_attack_won(const foci_attack_job *job, int64_t slot, const foci_real *logits);

/* The wrong class with the r-th largest logit on the clean image, r = 1 ...: what targeted attacks aim at in turn. */
int32_t foci_attack_runner_up(const foci_attack_job *job, int64_t slot, int64_t r);

/* Numbers of this use ("pgd"), image and restart. */
foci_rng foci_attack_random(const foci_attack_job *job, const char *use, int64_t slot);

static inline foci_real *foci_row(const foci_attack_job *job, foci_real *x, int64_t slot) {
    return x + slot * job->victim->pixels;
}
static inline const foci_real *foci_clean_row(const foci_attack_job *job, int64_t slot) {
    return job->x + slot * job->victim->pixels;
}

/* Memory for n elements, from job->memory; NULL where there is none. */
#define foci_attack_alloc(job, type, n) ((type *)foci_arena_alloc((job)->memory, (size_t)(n) * sizeof(type)))
foci_status foci_attack_out_of_memory(void);

/* ------- the ball around image `slot`; y (pixels) */

void foci_clip_to_valid(const foci_victim *v, foci_real *y); /* each number to what an image may hold */
/* y = clip(x + the nearest point of the ball to y - x) */
void foci_ball_project(const foci_attack_job *job, int64_t slot, foci_real *y);
/* y = x + a random point of the ball, clipped */
void foci_ball_start(const foci_attack_job *job, int64_t slot, foci_rng *random, foci_real *y);
/* y += length * the direction of steepest ascent in the norm: sign(g), or g / |g| */
void foci_ball_step(const foci_attack_job *job, const foci_real *g, double length, foci_real *y);
double foci_ball_norm(foci_norm norm, int64_t n, const foci_real *x, const foci_real *y); /* of y - x */
/* Is y inside the ball and valid, up to rounding? */
bool foci_ball_holds(const foci_attack_job *job, int64_t slot, const foci_real *y);

/* ------- attacks that others use */

/* Steps of length `step` from job->adv (docs/mathematics.md 1.10), all images at once. */
void foci_pgd(foci_attack_job *job, int64_t steps, double step);

#endif
