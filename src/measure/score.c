/* val, test: the score of a split, top-1 or perplexity, whatever the model's task measures. */
#include "measure/score.h"

#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/ledger.h"
#include "measure/owner.h"
#include "models/models.h"
#include "task/task.h"
#include "train/trainer.h"

const foci_key foci_score_keys[] = {
    FOCI_KEY(foci_score_options, split, "val", 0, 0, NULL, "val; text also has test", .placeholder = "S"),
    FOCI_KEY(foci_score_options, walk, "disjoint", 0, 0, "disjoint sliding",
             "text: disjoint windows, or sliding by one token, each token but those of the first window "
             "predicted from a "
             "full window"),
    {0}};

const foci_key foci_score_detail_keys[] = {
    FOCI_KEY(foci_score_options, per_class, "false", 0, 0, NULL, "images: the accuracy of each class, too"),
    FOCI_KEY(foci_score_options, predictions, NULL, 0, 0, NULL,
             "images: CSV, a row an image: its label, what the model says, rank and probability of the label",
             .placeholder = "FILE"),
    FOCI_KEY(foci_score_options, out, NULL, 0, 0, NULL,
             "text: keeps the sums so far, so that the same command goes on after an interruption (CSV)",
             .placeholder = "FILE"),
    {0}};

void foci_score_head(const foci_score_options *o, bool walks, foci_report *r) {
    foci_report_text(r, "split", o->split);
    if (walks) foci_report_text(r, "walk", o->walk == FOCI_SLIDING ? "sliding" : "disjoint");
}

/* ---------------------------------------------------------------------------------------- sample by sample */

typedef struct class_count {
    const char *name; /* NULL: no image of it */
    int64_t images, right;
} class_count;

typedef struct details {
    foci_writer file;
    char *text; /* what it will hold */
    size_t size;
    FILE *rows;         /* writes the text; NULL: no file is wanted */
    class_count *class; /* NULL: not wanted */
    int64_t classes;
    foci_arena names;
    bool failed; /* memory was out */
} details;

static class_count *class_at(details *d, const foci_prediction *p) {
    if (p->class >= d->classes) {
        const int64_t more = 2 * (int64_t)p->class + 16;
        class_count *grown = realloc(d->class, (size_t)more * sizeof *grown);
        if (!grown) return NULL;
        memset(grown + d->classes, 0, (size_t)(more - d->classes) * sizeof *grown);
        d->class = grown;
        d->classes = more;
    }
    class_count *c = &d->class[p->class];
    if (!c->name) c->name = foci_arena_strdup(&d->names, p->label);
    return c->name ? c : NULL;
}

static void note(void *context, const foci_prediction *p) {
    details *d = context;
    class_count *c = class_at(d, p);
    if (c) {
        c->images++;
        c->right += p->rank == 0;
    } else d->failed = true;
    if (!d->rows) return;
    const char *const text[] = {p->name, p->label, p->predicted};
    for (int i = 0; i < 3; i++) {
        foci_csv_text(d->rows, text[i]);
        fputc(',', d->rows);
    }
    fprintf(d->rows, "%lld,", (long long)p->rank + 1);
    foci_csv_number(d->rows, p->probability, 9);
    fputc('\n', d->rows);
}

/* The file is opened before the evaluation: what cannot be written is better known then. */
static foci_status open_details(details *d, const char *path) {
    if (!path) return FOCI_OK;
    FOCI_TRY(foci_writer_open(&d->file, path));
    d->rows = open_memstream(&d->text, &d->size);
    if (d->rows) fputs("image,label,predicted,rank,probability\n", d->rows);
    return d->rows ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
}

static foci_status write_details(details *d) {
    if (d->failed || (d->rows && fflush(d->rows))) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for predictions");
    if (!d->rows) return FOCI_OK;
    FOCI_TRY(foci_write(&d->file, d->text, d->size));
    return foci_writer_commit(&d->file);
}

static void close_details(details *d, const char *path, foci_status s) {
    if (d->rows) fclose(d->rows);
    if (path && s) foci_writer_abort(&d->file);
    foci_arena_free(&d->names);
    free(d->text);
    free(d->class);
}

static void tell_classes(const details *d, foci_report *r) {
    foci_report *all = foci_report_part(r, "per_class");
    for (int64_t k = 0; k < d->classes; k++) {
        const class_count *c = &d->class[k];
        if (!c->images) continue;
        foci_report *one = foci_report_part(all, c->name);
        foci_report_whole(one, "images", c->images);
        foci_report_number(one, "top1", 100.0 * (double)c->right / (double)c->images);
    }
}

/* ----------------------------------------------------------------------------------------------- the score */

/* A file for the sums belongs to the weights, the config, the split and the walk. */
static foci_status open_ledger(foci_ledger *ledger, const foci_subject *subject, const foci_score_options *o,
                               const foci_task *task) {
    foci_report owner = {NULL};
    char *text;
    foci_status s = foci_owner_begin(subject, &owner);
    if (s) return s;
    foci_score_head(o, true, &owner);
    FOCI_TRY(foci_owner_text(&owner, "eval", &text));
    s = foci_ledger_open(ledger, o->out, text, task->sums);
    free(text);
    return s;
}

static foci_status check(const foci_score_options *o, const foci_task *task) {
    const char *which = o->predictions ? "--predictions" : "--per-class";
    if ((o->predictions || o->per_class) && !task->predicts)
        return foci_fail(FOCI_ERR_CONFIG, "%s is for models that tell classes; one of %s has none", which, task->name);
    if (o->out && !task->sums)
        return foci_fail(FOCI_ERR_CONFIG, "--out is for text; %s have --predictions", task->items);
    return FOCI_OK;
}

/* A task without a choice of walks is asked for one only where the user chose another than the default: it refuses. */
static foci_status evaluate(const foci_subject *subject, const foci_score_options *o, const foci_task *task, details *d,
                            foci_ledger *ledger, const foci_watch *watch, foci_score *score) {
    const bool sliding = o->walk == FOCI_SLIDING, told = o->predictions || o->per_class;
    const char *const set[] = {sliding ? "walk=sliding" : "walk=disjoint"};
    const foci_evaluation how = {.split = o->split,
                                 .set = set,
                                 .sets = sliding || task->settings,
                                 .predicted = told ? note : NULL,
                                 .context = d,
                                 .ledger = ledger};
    foci_status s = foci_evaluate(subject->config, subject->weights, &how, watch, score);
    if (s == FOCI_INTERRUPTED && ledger)
        return foci_fail(s, "interrupted; the same command goes on from %s", ledger->path);
    return s ? s : write_details(d);
}

static foci_status run(const foci_subject *subject, const void *options, const foci_watch *watch, foci_report *r) {
    const foci_score_options *o = options;
    const foci_task *task = foci_task_of(foci_model_find(foci_config_string(subject->config, "model.kind")));
    foci_ledger ledger = {NULL};
    details d = {.rows = NULL};
    foci_score score;
    FOCI_TRY(check(o, task));
    if (o->out) FOCI_TRY(open_ledger(&ledger, subject, o, task));
    foci_status s = open_details(&d, o->predictions);
    if (!s) s = evaluate(subject, o, task, &d, o->out ? &ledger : NULL, watch, &score);
    if (!s) {
        foci_score_head(o, task->settings, r);
        foci_score_report(&score, FOCI_IN_RESULT, r);
        if (o->per_class) tell_classes(&d, r);
    }
    close_details(&d, o->predictions, s);
    foci_ledger_close(&ledger);
    return s;
}

/* "val: top-1 65.14 %, ..." */
static void print(const foci_report *r, FILE *f) {
    const char *walk = foci_report_text_of(r, "walk");
    char text[256];
    foci_result_text(r, text, sizeof text);
    fprintf(f, "%s%s%s%s: %s\n", foci_report_text_of(r, "split"), walk ? ", " : "", walk ? walk : "",
            walk ? " windows" : "", text);
    const foci_report_entry *e = foci_report_part_of(r, "per_class")->first;
    if (e) fprintf(f, "%-24s %8s %8s\n", "class", "images", "top-1 %");
    for (; e; e = e->next)
        fprintf(f, "%-24s %8.0f %8.2f\n", e->name, foci_report_number_of(e->part, "images"),
                foci_report_number_of(e->part, "top1"));
}

#define OF_SPLIT(which) \
    .size = sizeof(foci_score_options), .options = {{foci_score_keys}, {foci_score_detail_keys}}, .run = run, \
    .print = print, .command = "eval", .preset = {"split=" which}

const foci_measure foci_measure_val = {
    .name = "val", .summary = "score of the validation data", .metrics = {"top1", "top5", "ppl"}, OF_SPLIT("val")};
const foci_measure foci_measure_test = {
    .name = "test", .summary = "score of the test data", .metrics = {"top1", "ppl"}, OF_SPLIT("test")};
