#include "task/classes.h"

#include <math.h>

#include "task/batch_programs.h"
#include "task/rank.h"

typedef struct walk {
    const foci_labelled_source *source;
    foci_batch_programs programs;
    const foci_evaluation *how;
    const foci_watch *watch;
} walk;

/* -------------------------------------------------------------------------------------------------- a batch */

static foci_status put_scores(const foci_labelled_source *s, const foci_program *p, const foci_labelled *b,
                              foci_score *score) {
    const foci_real *loss, *logits;
    const double n = (double)b->count;
    int64_t first = 0, fifth = 0;
    FOCI_TRY(foci_program_fetch(p, "loss", &loss));
    FOCI_TRY(foci_program_fetch(p, "logits", &logits));
    for (int64_t i = 0; i < b->count; i++) {
        const int64_t rank = foci_rank(logits + i * s->classes, s->classes, b->labels[i], NULL);
        first += rank < 1;
        fifth += rank < 5;
    }
    FOCI_TRY(foci_score_put(score, "loss", (double)loss[0] * n, n));
    FOCI_TRY(foci_score_put(score, "top1", (double)first, n));
    if (s->top5) FOCI_TRY(foci_score_put(score, "top5", (double)fifth, n));
    return foci_score_put(score, s->counted, n, n);
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

static foci_status tell(const walk *w, const foci_program *p, const foci_labelled *b) {
    const foci_labelled_source *s = w->source;
    const foci_real *logits;
    if (!w->how->predicted) return FOCI_OK;
    FOCI_TRY(foci_program_fetch(p, "logits", &logits));
    for (int64_t i = 0; i < b->count; i++) {
        const foci_real *z = logits + i * s->classes;
        const int32_t label = b->labels[i];
        char name[4200];
        s->name(s->of, b->index[i], name, sizeof name);
        w->how->predicted(w->how->context, &(foci_prediction){.name = name,
                                                              .label = s->class_name(s->of, label),
                                                              .predicted = s->class_name(s->of, best(z, s->classes)),
                                                              .class = label,
                                                              .rank = foci_rank(z, s->classes, label, NULL),
                                                              .probability = probability(z, s->classes, label)});
    }
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------------ all */

static foci_status run_batches(walk *w, foci_score *score) {
    const foci_labelled_source *s = w->source;
    for (int64_t done = 0;;) {
        foci_labelled b;
        FOCI_TRY(s->next(s->of, &b));
        if (b.count == 0) return FOCI_OK;
        foci_program *p;
        FOCI_TRY(foci_batch_programs_for(&w->programs, b.count, b.tokens, &p));
        FOCI_TRY(s->feed(s->of, p));
        FOCI_TRY(foci_program_forward(p));
        FOCI_TRY(put_scores(s, p, &b, score));
        FOCI_TRY(tell(w, p, &b));
        foci_watch_tell(w->watch, done += b.count, s->count);
        FOCI_TRY(foci_watch_stopped(w->watch));
    }
}

foci_status foci_classes_evaluate(const foci_labelled_source *source, const foci_config *config,
                                  const foci_model *model, foci_parameters *p, const foci_evaluation *how,
                                  const foci_watch *watch, foci_score *score) {
    walk w = {.source = source, .how = how, .watch = watch};
    const foci_request request = {
        .config = config, .classes = source->classes, .vocabulary = source->vocabulary, .feeds = source->feeds};
    foci_batch_programs_open(&w.programs, model, p, &request);
    const foci_status s = run_batches(&w, score);
    foci_batch_programs_close(&w.programs);
    return s;
}
