#include "task/classes.h"

#include <math.h>

#include "base/parallel.h"
#include "task/batch_programs.h"
#include "task/pieces.h"
#include "task/rank.h"

typedef struct walk {
    const foci_labelled_source *source;
    foci_batch_programs programs;
    const foci_evaluation *how;
    const foci_watch *watch;
} walk;

/* -------------------------------------------------------------------------------------------------- a batch */

/* Of a batch: the loss of all its samples, how many of them are first and among the first five, and how many they are.
 */
typedef struct sums {
    double loss, first, fifth, count;
} sums;

/* What became of a sample. */
typedef struct outcome {
    int64_t index, rank;
    int32_t label, predicted;
    double probability; /* of the label */
} outcome;

/* A batch, without outcomes where nobody asks for them. */
typedef struct piece {
    sums sum;
    outcome of[];
} piece;

static foci_status sum_up(const foci_labelled_source *s, const foci_program *p, const foci_labelled *b, sums *sum) {
    const foci_real *loss, *logits;
    FOCI_TRY(foci_program_fetch(p, "loss", &loss));
    FOCI_TRY(foci_program_fetch(p, "logits", &logits));
    *sum = (sums){.loss = (double)loss[0] * (double)b->count, .count = (double)b->count};
    for (int64_t i = 0; i < b->count; i++) {
        const int64_t rank = foci_rank(logits + i * s->classes, s->classes, b->labels[i], NULL);
        sum->first += rank < 1;
        sum->fifth += rank < 5;
    }
    return FOCI_OK;
}

static foci_status put_scores(const foci_labelled_source *s, const sums *sum, foci_score *score) {
    FOCI_TRY(foci_score_put(score, "loss", sum->loss, sum->count));
    FOCI_TRY(foci_score_put(score, "top1", sum->first, sum->count));
    if (s->top5) FOCI_TRY(foci_score_put(score, "top5", sum->fifth, sum->count));
    return foci_score_put(score, s->counted, sum->count, sum->count);
}

/* The class with the largest logit, the lowest where several are. */
static int best(const foci_real *logits, int64_t classes) {
    int best = 0;
    for (int k = 1; k < classes; k++) best = logits[k] > logits[best] ? k : best;
    return best;
}

/* After a softmax. */
static double probability(const foci_real *logits, int64_t classes, int32_t label) {
    double sum = 0;
    for (int64_t k = 0; k < classes; k++) sum += exp((double)logits[k] - (double)logits[label]);
    return 1 / sum;
}

static foci_status note(const walk *w, const foci_program *p, const foci_labelled *b, outcome *of) {
    const int64_t classes = w->source->classes;
    const foci_real *logits;
    if (!w->how->predicted) return FOCI_OK;
    FOCI_TRY(foci_program_fetch(p, "logits", &logits));
    for (int64_t i = 0; i < b->count; i++) {
        const foci_real *z = logits + i * classes;
        const int32_t label = b->labels[i];
        of[i] = (outcome){b->index[i], foci_rank(z, classes, label, NULL), label, best(z, classes),
                          probability(z, classes, label)};
    }
    return FOCI_OK;
}

static void tell(const walk *w, const piece *batch) {
    const foci_labelled_source *s = w->source;
    for (int64_t i = 0; i < (int64_t)batch->sum.count && w->how->predicted; i++) {
        const outcome *o = &batch->of[i];
        char name[4200];
        s->name(s->of, o->index, name, sizeof name);
        w->how->predicted(w->how->context, &(foci_prediction){.name = name,
                                                              .label = s->class_name(s->of, o->label),
                                                              .predicted = s->class_name(s->of, o->predicted),
                                                              .class = o->label,
                                                              .rank = o->rank,
                                                              .probability = o->probability});
    }
}

/* ------------------------------------------------------------------------------------------------------ all */

static foci_status run_batch(walk *w, piece *batch, int64_t *count) {
    const foci_labelled_source *s = w->source;
    foci_labelled b;
    foci_program *p;
    FOCI_TRY(s->next(s->of, &b));
    FOCI_TRY(foci_batch_programs_for(&w->programs, b.count, b.tokens, &p));
    FOCI_TRY(s->feed(s->of, p));
    FOCI_TRY(foci_program_forward(p));
    FOCI_TRY(sum_up(s, p, &b, &batch->sum));
    FOCI_TRY(note(w, p, &b, batch->of));
    *count += b.count;
    return FOCI_OK;
}

static foci_status run_batches(walk *w, foci_pieces *batches, foci_score *score) {
    const foci_labelled_source *source = w->source;
    int64_t done = 0;
    foci_status s = source->seek(source->of, batches->first);
    for (int64_t i = batches->first; i < batches->end && !s; i++) {
        s = run_batch(w, foci_piece(batches, i), &done);
        foci_watch_tell(w->watch, foci_pieces_done(batches, done, source->count), source->count);
        if (!s) s = foci_pieces_meet(batches, i, foci_watch_stopped(w->watch));
    }
    FOCI_TRY(foci_pieces_gather(batches, s));
    for (int64_t i = 0; i < batches->count; i++) {
        const piece *batch = foci_piece(batches, i);
        FOCI_TRY(put_scores(source, &batch->sum, score));
        tell(w, batch);
    }
    return FOCI_OK;
}

foci_status foci_classes_evaluate(const foci_labelled_source *source, const foci_config *config,
                                  const foci_model *model, foci_parameters *p, const foci_evaluation *how,
                                  const foci_watch *watch, foci_score *score) {
    walk w = {.source = source, .how = how, .watch = watch};
    const foci_request request = {
        .config = config, .classes = source->classes, .vocabulary = source->vocabulary, .feeds = source->feeds};
    foci_batch_programs_open(&w.programs, model, p, &request);
    foci_pieces batches;
    const size_t outcomes = how->predicted ? (size_t)source->batch * sizeof(outcome) : 0;
    foci_status s =
        foci_pieces_open(&batches, how->group, foci_tiles(source->count, source->batch), sizeof(piece) + outcomes);
    if (!s) s = run_batches(&w, &batches, score);
    foci_pieces_close(&batches);
    foci_batch_programs_close(&w.programs);
    return s;
}
