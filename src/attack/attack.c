/* Attacks measured: batch after batch of the validation images, restarts and cascades, and the check that every
 * perturbation that counts is allowed. */
#include "attack/attack.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/report.h"
#include "config/config.h"
#include "attack/engine.h"
#include "images/samples.h"
#include "task/image_data.h"
#include "task/load_model.h"
#include "task/rank.h"
#include "task/task.h"

#define FOCI_ATTACK(name) extern const foci_attack foci_attack_##name;
#include "attack/list.h"
#undef FOCI_ATTACK

const foci_attack *const foci_attacks[] = {
#define FOCI_ATTACK(name) &foci_attack_##name,
#include "attack/list.h"
#undef FOCI_ATTACK
    NULL};

const foci_attack *foci_attack_find(const char *name) {
    for (int i = 0; foci_attacks[i]; i++)
        if (strcmp(foci_attacks[i]->name, name) == 0) return foci_attacks[i];
    return NULL;
}

static bool names(const char *words, const char *word) {
    const size_t length = strlen(word);
    for (const char *at = words; at && (at = strstr(at, word)); at += length)
        if ((at == words || at[-1] == ' ') && (!at[length] || at[length] == ' ')) return true;
    return false;
}

bool foci_attack_reads(const foci_attack *attack, const char *option) {
    return names("eps labels norm seed", option) || names(attack->reads, option);
}

/* ------------------------------------------------------------------------------------- what attacks call */

foci_status foci_attack_out_of_memory(void) {
    return foci_fail(FOCI_ERR_RUNTIME, "out of memory for the attack: lower --batch");
}

bool foci_attack_won(const foci_attack_job *job, int64_t slot, const foci_real *logits) {
    const int64_t class = foci_argmax(logits, job->victim->classes);
    return job->options->targeted ? class == job->target[slot] : class != job->label[slot];
}

int32_t foci_attack_runner_up(const foci_attack_job *job, int64_t slot, int64_t r) {
    const int64_t classes = job->victim->classes;
    const foci_real *z = job->clean + slot * classes;
    const int64_t own = foci_rank(z, classes, job->label[slot], NULL);
    for (int32_t k = 0; k < classes; k++)
        if (k != job->label[slot] && foci_rank(z, classes, k, NULL) == (r > own ? r : r - 1)) return k;
    return job->label[slot];
}

foci_rng foci_attack_random(const foci_attack_job *job, const char *use, int64_t slot) {
    return foci_rng_make((uint64_t)job->options->seed, foci_stream(use) + (uint64_t)job->restart,
                         (uint64_t)job->image[slot]);
}

/* ---------------------------------------------------------------------------------------------- one batch */

struct foci_attack_session {
    const foci_config *config;
    foci_image_sets sets;
    foci_transform transform;
    foci_image_samples samples;
    foci_parameters parameters;
    foci_victim victim;
    int64_t batch;

    /* one batch: (batch, pixels), (batch, classes), (batch) */
    foci_real *x, *adv, *best, *dx, *clean, *logits, *spare; /* spare: (classes) */
    double *loss, *best_loss;
    int64_t *image, *which;
    int32_t *truth, *label, *target;
    bool *outside;
    foci_arena memory; /* all of these */
};

static size_t row_bytes(const foci_attack_session *r) { return (size_t)r->victim.pixels * sizeof(foci_real); }

/* Takes over the answers that win, or beat what was there; the winners leave the list. */
static void merge(foci_attack_session *r, foci_attack_job *job) {
    const int64_t classes = r->victim.classes, pixels = r->victim.pixels;
    foci_head *head = job->options->targeted ? foci_head_cross_entropy_target : foci_head_cross_entropy;
    int64_t left = 0;
    foci_victim_logits(&r->victim, job->n, job->which, job->adv, job->logits);
    for (int64_t k = 0; k < job->n; k++) {
        const int64_t slot = job->which[k];
        const foci_real *z = job->logits + slot * classes;
        const double loss = head(z, classes, job->label[slot], job->target[slot], r->spare);
        const bool holds = foci_ball_holds(job, slot, job->adv + slot * pixels),
                   won = holds && foci_attack_won(job, slot, z);
        r->outside[slot] |= !holds;
        if (won || (holds && loss > r->best_loss[slot])) {
            memcpy(r->best + slot * pixels, job->adv + slot * pixels, row_bytes(r));
            r->best_loss[slot] = loss;
        }
        if (!won) r->which[left++] = slot;
    }
    job->n = left;
}

static foci_status attack_with(foci_attack_session *r, foci_attack_job *job, const foci_attack *attack) {
    foci_attack_options own = *job->options, *all = &own;
    foci_attack_defaults(attack, all);
    const foci_attack_options *before = job->options;
    job->options = all;
    for (job->restart = 0; job->restart < (foci_attack_reads(attack, "restarts") ? own.restarts : 1) && job->n;
         job->restart++) {
        foci_arena memory = {NULL};
        job->memory = &memory;
        foci_status status = attack->run(job);
        foci_arena_free(&memory);
        if (status) return status;
        merge(r, job);
    }
    job->options = before;
    return FOCI_OK;
}

/* What the batch is attacked by, and towards what. */
static void choose_labels(foci_attack_session *r, const foci_attack_options *o, int64_t slots) {
    const int64_t classes = r->victim.classes;
    for (int64_t i = 0; i < slots; i++) {
        const foci_real *z = r->clean + i * classes;
        r->label[i] = o->labels == FOCI_LABELS_PREDICTED ? (int32_t)foci_argmax(z, classes) : r->truth[i];
        r->target[i] = r->label[i];
        if (o->targeted == FOCI_AIM_RANDOM && classes > 1) {
            foci_rng random = foci_rng_make((uint64_t)o->seed, foci_stream("target"), (uint64_t)r->image[i]);
            r->target[i] = (int32_t)((r->label[i] + 1 + foci_rng_below(&random, (uint32_t)(classes - 1))) % classes);
        } else if (o->targeted == FOCI_AIM_LEAST) {
            for (int32_t k = 0; k < classes; k++)
                if (foci_rank(z, classes, k, NULL) == classes - 1) r->target[i] = k;
        }
    }
}

static foci_head *head_of(const foci_attack_options *o) {
    static foci_head *const head[][2] = {
        [FOCI_LOSS_CROSS_ENTROPY] = {foci_head_cross_entropy, foci_head_cross_entropy_target},
        [FOCI_LOSS_MARGIN] = {foci_head_margin, foci_head_margin_target},
        [FOCI_LOSS_DLR] = {foci_head_dlr, foci_head_dlr_target}};
    return head[o->loss][o->targeted != FOCI_UNTARGETED];
}

static foci_status attack_batch(foci_attack_session *r, const foci_attack *attack, const foci_attack_options *o,
                                int64_t slots) {
    foci_attack_job job = {.victim = &r->victim,
                           .options = o,
                           .head = head_of(o),
                           .slots = slots,
                           .image = r->image,
                           .x = r->x,
                           .clean = r->clean,
                           .label = r->label,
                           .target = r->target,
                           .which = r->which,
                           .adv = r->adv,
                           .dx = r->dx,
                           .logits = r->logits,
                           .loss = r->loss};
    choose_labels(r, o, slots);
    memcpy(r->best, r->x, (size_t)slots * row_bytes(r));
    for (int64_t i = 0; i < slots; i++) {
        r->best_loss[i] = -(double)INFINITY;
        r->outside[i] = false;
        if (!attack->standing || !foci_attack_won(&job, i, r->clean + i * r->victim.classes)) r->which[job.n++] = i;
    }
    if (!attack->members) return attack_with(r, &job, attack);
    for (const foci_attack *const *member = attack->members; *member; member++) FOCI_TRY(attack_with(r, &job, *member));
    return FOCI_OK;
}

/* ----------------------------------------------------------------------------------------------- counting */

/* Of one image: what the model says of it, clean and attacked. */
typedef struct answer {
    int64_t class, rank; /* predicted; place of the true one */
    double loss;
} answer;
typedef struct outcome {
    answer clean, adv;
    int64_t target;
    double distance;
    bool outside;
} outcome;

static foci_status answer_of(const foci_attack_session *r, int64_t slot, const foci_real *logits, answer *a) {
    const int64_t classes = r->victim.classes;
    const foci_real *z = logits + slot * classes;
    *a = (answer){foci_argmax(z, classes), foci_rank(z, classes, r->truth[slot], NULL),
                  foci_head_cross_entropy(z, classes, r->truth[slot], -1, r->spare)};
    if (isfinite(a->loss)) return FOCI_OK;
    return foci_fail(FOCI_ERR_DIVERGED, "%s: the model's logits are not finite",
                     foci_image_set_name(r->sets.val, r->image[slot]));
}

typedef struct counts {
    int64_t top1, top5;
    double loss;
} counts;

static void count(counts *sum, const answer *a) {
    sum->top1 += a->rank < 1;
    sum->top5 += a->rank < 5;
    sum->loss += a->loss;
}

typedef struct totals {
    counts clean, adv;
    int64_t reached, outside;
    double largest;
} totals;

static void add(totals *sum, const outcome *o) {
    count(&sum->clean, &o->clean);
    count(&sum->adv, &o->adv);
    sum->reached += o->adv.class == o->target;
    sum->outside += o->outside;
    sum->largest = fmax(sum->largest, o->distance);
}

/* --------------------------------------------------------------------------------------------------- rows */

const char foci_attack_columns[] = "method,eps,image,label,clean,attacked,target,distance,clean_rank,rank,"
                                   "clean_loss,loss,left_ball";
enum column {
    METHOD,
    EPS,
    IMAGE,
    LABEL,
    CLEAN,
    ATTACKED,
    TARGET,
    DISTANCE,
    CLEAN_RANK,
    RANK,
    CLEAN_LOSS,
    LOSS,
    LEFT_BALL
};

static void write_class(const foci_attack_session *r, FILE *f, int64_t class) {
    foci_csv_text(f, foci_image_set_class_name(r->sets.val, (int)class));
    fputc(',', f);
}

static void write_row(const foci_attack_session *r, const foci_attack *attack, const foci_attack_options *o,
                      int64_t slot, const outcome *is, FILE *f) {
    fprintf(f, "%s,%.17g,", attack->name, o->eps);
    foci_csv_text(f, foci_image_set_name(r->sets.val, r->image[slot]));
    fputc(',', f);
    write_class(r, f, r->truth[slot]);
    write_class(r, f, is->clean.class);
    write_class(r, f, is->adv.class);
    if (o->targeted) foci_csv_text(f, foci_image_set_class_name(r->sets.val, (int)is->target));
    fprintf(f, ",%.17g,%lld,%lld,%.17g,%.17g,%d\n", is->distance, (long long)is->clean.rank + 1,
            (long long)is->adv.rank + 1, is->clean.loss, is->adv.loss, is->outside);
}

/* What a row says that counts; of its classes whether the target was reached. */
static outcome read_row(const foci_ledger *ledger) {
    const char *const *cell = ledger->cell;
    return (outcome){.clean = {0, atoll(cell[CLEAN_RANK]) - 1, atof(cell[CLEAN_LOSS])},
                     .adv = {strcmp(cell[ATTACKED], cell[TARGET]) != 0, atoll(cell[RANK]) - 1, atof(cell[LOSS])},
                     .distance = atof(cell[DISTANCE]),
                     .outside = atoi(cell[LEFT_BALL])};
}

/* Adds the rows that are there of this attack; *done: how many. */
static foci_status read_rows(const foci_attack_session *r, const foci_attack *attack, foci_ledger *ledger, totals *sum,
                             int64_t *done) {
    for (*done = 0; ledger && *done < r->samples.count && foci_ledger_next(ledger); ++*done) {
        const char *image = foci_image_set_name(r->sets.val, foci_image_samples_at(&r->samples, *done));
        if (strcmp(ledger->cell[METHOD], attack->name) != 0 || strcmp(ledger->cell[IMAGE], image) != 0)
            return foci_fail(FOCI_ERR_DATA, "%s: %s of %s where %s of %s was expected: other images than before?",
                             ledger->path, ledger->cell[METHOD], ledger->cell[IMAGE], attack->name, image);
        const outcome o = read_row(ledger);
        add(sum, &o);
    }
    if (*done) foci_log(FOCI_LOG_INFO, "%s: %s of %lld images is there", ledger->path, attack->name, (long long)*done);
    return FOCI_OK;
}

/* ----------------------------------------------------------------------------------------------- measuring */

static foci_status read_batch(foci_attack_session *r, int64_t first, int64_t slots) {
    for (int64_t i = 0; i < slots; i++) {
        r->image[i] = foci_image_samples_at(&r->samples, first + i);
        r->truth[i] = foci_image_set_label(r->sets.val, r->image[i]);
    }
    return foci_image_samples_read(&r->samples, &r->transform, first, slots, r->x);
}

static foci_status conclude(const foci_attack_session *r, const foci_attack_options *o, int64_t slot, outcome *is) {
    const int64_t at = slot * r->victim.pixels;
    *is = (outcome){.target = r->target[slot],
                    .distance = foci_ball_norm(o->norm, r->victim.pixels, r->x + at, r->best + at),
                    .outside = r->outside[slot]};
    FOCI_TRY(answer_of(r, slot, r->clean, &is->clean));
    return answer_of(r, slot, r->logits, &is->adv);
}

static foci_status measure_batch(foci_attack_session *r, const foci_attack *attack, const foci_attack_options *o,
                                 int64_t first, int64_t slots, foci_ledger *ledger, totals *sum) {
    answer clean;
    FOCI_TRY(read_batch(r, first, slots));
    foci_victim_logits(&r->victim, slots, NULL, r->x, r->clean);
    for (int64_t i = 0; i < slots; i++) FOCI_TRY(answer_of(r, i, r->clean, &clean)); /* finite, or there is no attack */
    FOCI_TRY(attack_batch(r, attack, o, slots));
    foci_victim_logits(&r->victim, slots, NULL, r->best, r->logits);
    if (foci_victim_stopped(&r->victim)) return FOCI_OK; /* no answers */
    for (int64_t i = 0; i < slots; i++) {
        outcome is;
        FOCI_TRY(conclude(r, o, i, &is));
        add(sum, &is);
        if (ledger) write_row(r, attack, o, i, &is, ledger->file);
    }
    return ledger ? foci_ledger_keep(ledger) : FOCI_OK;
}

void foci_attack_defaults(const foci_attack *attack, foci_attack_options *o) {
    if (!o->steps) o->steps = attack->steps;
    if (!(o->step_size > 0)) o->step_size = attack->step_size;
    if (!o->samples) o->samples = attack->samples;
    if (!(o->delta > 0)) o->delta = attack->delta;
    if (!o->restarts || !foci_attack_reads(attack, "restarts")) o->restarts = 1;
    if (attack->standing) o->labels = FOCI_LABELS_TRUE;
}

foci_status foci_attack_check(const foci_attack_session *r, const foci_attack *attack, const foci_attack_options *o) {
    if (!(o->eps >= 0 && isfinite(o->eps))) return foci_fail(FOCI_ERR_CONFIG, "eps %g is not a radius", o->eps);
    if (o->targeted && !foci_attack_reads(attack, "targeted"))
        return foci_fail(FOCI_ERR_CONFIG, "%s has no targeted form", attack->name);
    if (o->loss && !foci_attack_reads(attack, "loss"))
        return foci_fail(FOCI_ERR_CONFIG, "%s has no choice of loss", attack->name);
    if (o->schedule && !foci_attack_reads(attack, "schedule"))
        return foci_fail(FOCI_ERR_CONFIG, "%s has no choice of schedule", attack->name);
    const int64_t least = o->loss == FOCI_LOSS_DLR ? o->targeted ? 4 : 3 : attack->least_classes;
    if (r->victim.classes < least || r->victim.classes < 2)
        return foci_fail(FOCI_ERR_CONFIG, "%s needs a model of at least %d classes", attack->name,
                         least > 2 ? (int)least : 2);
    return FOCI_OK;
}

static foci_status measure_from(foci_attack_session *r, const foci_attack *attack, const foci_attack_options *o,
                                int64_t done, foci_ledger *ledger, const foci_watch *watch, totals *sum) {
    for (int64_t first = done; first < r->samples.count; first += r->batch) {
        const int64_t slots = r->samples.count - first < r->batch ? r->samples.count - first : r->batch;
        foci_status status = measure_batch(r, attack, o, first, slots, ledger, sum);
        if (r->victim.status) return r->victim.status;
        if (foci_victim_stopped(&r->victim))
            return foci_fail(FOCI_INTERRUPTED, "interrupted after %lld images%s%s", (long long)first,
                             ledger ? "; the same command goes on from " : "", ledger ? ledger->path : "");
        if (status) return status;
        foci_watch_tell(watch, first + slots, r->samples.count);
    }
    return FOCI_OK;
}

foci_status foci_attack_measure(foci_attack_session *r, const foci_attack *attack, const foci_attack_options *options,
                                foci_ledger *ledger, const foci_watch *watch, foci_attack_report *report) {
    foci_attack_options o = *options;
    totals sum = {.outside = 0};
    int64_t done;
    const double start = foci_now_ms();
    FOCI_TRY(foci_attack_check(r, attack, &o));
    r->victim.stop = watch ? watch->stop : NULL;
    if (!attack->members) foci_attack_defaults(attack, &o);
    else if (attack->standing) o.labels = FOCI_LABELS_TRUE;
    FOCI_TRY(read_rows(r, attack, ledger, &sum, &done));
    FOCI_TRY(measure_from(r, attack, &o, done, ledger, watch, &sum));
    const double n = (double)r->samples.count;
    *report = (foci_attack_report){.options = o,
                                   .images = r->samples.count,
                                   .attacked = r->samples.count - done,
                                   .clean_top1 = 100 * (double)sum.clean.top1 / n,
                                   .clean_top5 = 100 * (double)sum.clean.top5 / n,
                                   .clean_loss = sum.clean.loss / n,
                                   .top1 = 100 * (double)sum.adv.top1 / n,
                                   .top5 = 100 * (double)sum.adv.top5 / n,
                                   .loss = sum.adv.loss / n,
                                   .reached = o.targeted ? 100 * (double)sum.reached / n : (double)NAN,
                                   .outside = sum.outside,
                                   .largest = sum.largest,
                                   .seconds = 1e-3 * (foci_now_ms() - start)};
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------ opening */

/* In units of [0, 1] the loader does not normalise and the victim does; else the other way round. */
static foci_units choose_units(foci_attack_session *r, const foci_attack_images *images) {
    foci_units u = foci_units_plain(-(double)INFINITY, (double)INFINITY);
    const bool pixel = images->space == FOCI_SPACE_PIXEL;
    for (int c = 0; c < 3; c++) {
        const double mean = r->transform.mean[c], std = r->transform.std[c];
        if (pixel) {
            u.mean[c] = mean;
            u.std[c] = std;
            r->transform.mean[c] = 0;
            r->transform.std[c] = 1;
        }
        if (images->clip == FOCI_CLIP_NONE) continue;
        u.low[c] = pixel ? 0 : (0 - mean) / std;
        u.high[c] = pixel ? 1 : (1 - mean) / std;
    }
    return u;
}

static foci_status allocate(foci_attack_session *r) {
    const size_t n = (size_t)r->batch, pixels = n * (size_t)r->victim.pixels, classes = (size_t)r->victim.classes;
    foci_arena *a = &r->memory;
    foci_real **const rows[] = {&r->x, &r->adv, &r->best, &r->dx};
    bool ok = true;
    for (int i = 0; i < 4; i++) ok = (*rows[i] = foci_arena_alloc(a, pixels * sizeof(foci_real))) && ok;
    ok = (r->clean = foci_arena_alloc(a, n * classes * sizeof *r->clean)) && ok;
    ok = (r->logits = foci_arena_alloc(a, n * classes * sizeof *r->logits)) && ok;
    ok = (r->spare = foci_arena_alloc(a, classes * sizeof *r->spare)) && ok;
    ok = (r->loss = foci_arena_alloc(a, n * sizeof *r->loss)) && ok;
    ok = (r->best_loss = foci_arena_alloc(a, n * sizeof *r->best_loss)) && ok;
    ok = (r->image = foci_arena_alloc(a, n * sizeof *r->image)) && ok;
    ok = (r->which = foci_arena_alloc(a, n * sizeof *r->which)) && ok;
    ok = (r->truth = foci_arena_alloc(a, n * sizeof *r->truth)) && ok;
    ok = (r->label = foci_arena_alloc(a, n * sizeof *r->label)) && ok;
    ok = (r->target = foci_arena_alloc(a, n * sizeof *r->target)) && ok;
    ok = (r->outside = foci_arena_alloc(a, n * sizeof *r->outside)) && ok;
    return ok ? FOCI_OK : foci_attack_out_of_memory();
}

static foci_status fill(foci_attack_session *r, const char *weights, const foci_attack_images *images) {
    enum { BATCH = 128 };
    const foci_model *model;
    FOCI_TRY(foci_task_wanted(r->config, &foci_task_images, "images to attack", &model));
    FOCI_TRY(foci_validation_images_open(&r->sets, &r->transform, r->config));
    r->samples = foci_image_samples_of(r->sets.val, images->limit);
    const foci_units units = choose_units(r, images);
    const int64_t classes = foci_image_set_classes(r->sets.val);
    const int64_t capacity = images->batch ? images->batch : BATCH; /* queries of one image fill it too */
    r->batch = capacity < r->samples.count ? capacity : r->samples.count;
    FOCI_TRY(foci_load_model(&r->parameters, model, r->config, classes, weights));
    FOCI_TRY(foci_victim_open(&r->victim, model, r->config, &r->parameters, &units, classes, capacity,
                              foci_run_options(r->config).bf16));
    return allocate(r);
}

foci_status foci_attack_open(foci_attack_session **run, const foci_config *config, const char *weights,
                             const foci_attack_images *images) {
    foci_attack_session *r = calloc(1, sizeof *r);
    if (!r) return foci_out_of_memory();
    r->config = config;
    foci_parameters_init(&r->parameters);
    foci_status status = fill(r, weights, images);
    if (status) {
        foci_attack_close(r);
        r = NULL;
    }
    *run = r;
    return status;
}

int64_t foci_attack_count(const foci_attack_session *r) { return r->samples.count; }

void foci_attack_close(foci_attack_session *r) {
    if (!r) return;
    foci_victim_close(&r->victim);
    foci_parameters_free(&r->parameters);
    foci_arena_free(&r->memory);
    foci_image_sets_close(&r->sets);
    free(r);
}
