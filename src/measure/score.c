/* val, test: the score of a split, top-1 or perplexity, whatever the model's task measures. */
#include "measure/score.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/ledger.h"
#include "measure/owner.h"
#include "models/models.h"
#include "task/task.h"
#include "train/trainer.h"

const foci_key foci_score_keys[] = {
    FOCI_KEY(foci_score_options, split, "val", 0, 0, NULL, "val; text, segmentation and sequences also have test",
             .placeholder = "S"),
    FOCI_KEY(foci_score_options, walk, "disjoint", 0, 0, FOCI_WALKS(FOCI_CHOICE_WORD),
             "text: disjoint windows, or sliding by one token, each token but those of the first window "
             "predicted from a full window, or strided by --stride; or every document by itself; of a model with a "
             "memory, its windows in order"),
    FOCI_KEY(foci_score_options, stride, "0", 0, 1e9, NULL,
             "text: tokens from window to window of the walks strided and documents; 0: those of a window"),
    FOCI_KEY(foci_score_options, rows, "1", 1, 1e6, NULL,
             "text: it is cut into so many rows, each a text of its own that begins with nothing before it"),
    FOCI_KEY(foci_score_options, whole_windows, "false", 0, 0, NULL,
             "text: what is left of a row behind its whole windows is not scored"),
    {0}};

const foci_key foci_score_detail_keys[] = {
    FOCI_KEY(foci_score_options, per_class, "false", 0, 0, NULL,
             "images, sequences: the accuracy of each class, too; segmentation: and its IoU"),
    FOCI_KEY(foci_score_options, predictions, NULL, 0, 0, NULL,
             "images, sequences: CSV, a row each: its label, what the model says, rank and probability of the label",
             .placeholder = "FILE"),
    FOCI_KEY(foci_score_options, out, NULL, 0, 0, NULL,
             "text: keeps the sums so far, so that the same command goes on after an interruption (CSV)",
             .placeholder = "FILE"),
    {0}};

static const char *const walk_name[] = {FOCI_WALKS(FOCI_CHOICE_NAME)};

void foci_score_head(const foci_score_options *o, bool walks, foci_report *r) {
    foci_report_text(r, "split", o->split);
    if (walks) foci_report_text(r, "walk", walk_name[o->walk]);
    if (o->stride) foci_report_whole(r, "stride", o->stride);
    if (o->rows != 1) foci_report_whole(r, "rows", o->rows);
    if (o->whole_windows) foci_report_flag(r, "whole_windows", true);
}

/* The settings of the task; one without a choice is asked only for what is not the default: it refuses. */
enum { SETTINGS = 4, SETTING = 32 };
static int settings_of(const foci_score_options *o, const foci_task *task, char text[SETTINGS][SETTING],
                       const char *set[SETTINGS]) {
    int n = 0;
    if (task->settings || o->walk) snprintf(text[n++], SETTING, "walk=%s", walk_name[o->walk]);
    if (o->stride) snprintf(text[n++], SETTING, "stride=%lld", (long long)o->stride);
    if (o->rows != 1) snprintf(text[n++], SETTING, "rows=%lld", (long long)o->rows);
    if (o->whole_windows) snprintf(text[n++], SETTING, "whole_windows=true");
    for (int i = 0; i < n; i++) set[i] = text[i];
    return n;
}

/* ---------------------------------------------------------------------------------------- sample by sample */

typedef struct class_count {
    const char *name; /* NULL: no sample of it */
    int64_t samples, right;
} class_count;

typedef struct details {
    foci_writer file;
    char *text; /* what it will hold */
    size_t size;
    FILE *rows;         /* writes the text; NULL: no file is wanted */
    class_count *class; /* NULL: not wanted */
    int64_t classes;
    foci_class_score *scored; /* of pixels */
    int64_t scores;
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
        c->samples++;
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

static void note_class(void *context, const foci_class_score *c) {
    details *d = context;
    foci_class_score *grown = realloc(d->scored, (size_t)(d->scores + 1) * sizeof *grown);
    const char *name = grown ? foci_arena_strdup(&d->names, c->name) : NULL;
    if (grown) d->scored = grown;
    if (name) {
        d->scored[d->scores] = *c;
        d->scored[d->scores++].name = name;
    } else d->failed = true;
}

/* The file is opened before the evaluation: what cannot be written is better known then. */
static foci_status open_details(details *d, const char *path, const foci_task *task) {
    if (!path) return FOCI_OK;
    FOCI_TRY(foci_writer_open(&d->file, path));
    d->rows = open_memstream(&d->text, &d->size);
    if (d->rows) fprintf(d->rows, "%s,label,predicted,rank,probability\n", task->item);
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
    free(d->scored);
}

static void tell_pixels(const foci_class_score *c, foci_report *one) {
    foci_report_whole(one, "pixels", c->pixels);
    foci_report_number(one, "iou", c->iou);
    foci_report_number(one, "accuracy", c->accuracy);
}

/* Classes that no pixel has, which count for no mean. */
static void tell_absent(const details *d, foci_report *r) {
    foci_report *absent = NULL;
    for (int64_t k = 0; k < d->scores; k++) {
        if (d->scored[k].pixels) continue;
        if (!absent) absent = foci_report_list(r, "left_out");
        foci_report_text(absent, NULL, d->scored[k].name);
    }
}

static void tell_classes(const details *d, const foci_task *task, foci_report *r) {
    foci_report *all = foci_report_part(r, "per_class");
    for (int64_t k = 0; k < d->scores; k++) tell_pixels(&d->scored[k], foci_report_part(all, d->scored[k].name));
    for (int64_t k = 0; k < d->classes; k++) {
        const class_count *c = &d->class[k];
        if (!c->samples) continue;
        foci_report *one = foci_report_part(all, c->name);
        foci_report_whole(one, task->items, c->samples);
        foci_report_number(one, "top1", 100.0 * (double)c->right / (double)c->samples);
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
    if ((o->predictions || (o->per_class && !task->scores_classes)) && !task->predicts)
        return foci_fail(FOCI_ERR_CONFIG, "%s is for models that tell classes; one of %s has none", which, task->name);
    if (o->out && !task->sums) return foci_fail(FOCI_ERR_CONFIG, "--out is for text, not for %s", task->items);
    return FOCI_OK;
}

/* What is written, the first of several processes writes; the sums so far have their order, and are one's. */
static bool shares(const void *options) { return !((const foci_score_options *)options)->out; }

static const char *file_of(const foci_subject *subject, const foci_score_options *o) {
    return foci_group_leads(subject->group) ? o->predictions : NULL;
}

static foci_status open(const foci_subject *subject, const foci_score_options *o, const foci_task *task, details *d,
                        foci_ledger *ledger) {
    FOCI_TRY(check(o, task));
    if (o->out) FOCI_TRY(open_ledger(ledger, subject, o, task));
    return open_details(d, file_of(subject, o), task);
}

static foci_status evaluate(const foci_subject *subject, const foci_score_options *o, const foci_task *task, details *d,
                            foci_ledger *ledger, const foci_watch *watch, foci_score *score) {
    const bool told = o->predictions || o->per_class;
    char text[SETTINGS][SETTING];
    const char *set[SETTINGS];
    const int sets = settings_of(o, task, text, set);
    const foci_evaluation how = {.split = o->split,
                                 .set = set,
                                 .sets = sets,
                                 .predicted = told ? note : NULL,
                                 .class_scored = note_class,
                                 .context = d,
                                 .group = subject->group,
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
    details d = {.file.fd = -1};
    foci_score score;
    foci_status s = foci_group_agree(subject->group, open(subject, o, task, &d, &ledger));
    if (!s) s = evaluate(subject, o, task, &d, o->out ? &ledger : NULL, watch, &score);
    if (!s) {
        foci_score_head(o, task->settings, r);
        foci_score_report(&score, FOCI_IN_RESULT, r);
        tell_absent(&d, r);
        if (o->per_class) tell_classes(&d, task, r);
    }
    close_details(&d, file_of(subject, o), s);
    foci_ledger_close(&ledger);
    return s;
}

static void print_classes(const foci_report *all, FILE *f) {
    const char *items = all->first->part->first->name;
    fprintf(f, "%-24s %8s %8s\n", "class", items, "top-1 %");
    for (const foci_report_entry *e = all->first; e; e = e->next)
        fprintf(f, "%-24s %8.0f %8.2f\n", e->name, foci_report_number_of(e->part, items),
                foci_report_number_of(e->part, "top1"));
}

static void print_pixels(const foci_report *all, FILE *f) {
    fprintf(f, "%-24s %12s %8s %12s\n", "class", "pixels", "IoU %", "accuracy %");
    for (const foci_report_entry *e = all->first; e; e = e->next) {
        const double pixels = foci_report_number_of(e->part, "pixels");
        fprintf(f, "%-24s %12.0f", e->name, pixels);
        if (pixels > 0)
            fprintf(f, " %8.2f %12.2f", foci_report_number_of(e->part, "iou"),
                    foci_report_number_of(e->part, "accuracy"));
        fputc('\n', f);
    }
}

/* "left out of the means, since no pixel has them: sky, bicyclist" */
static void print_absent(const foci_report *names, FILE *f) {
    for (const foci_report_entry *e = names->first; e; e = e->next)
        fprintf(f, "%s%s%s", e == names->first ? "left out of the means, since no pixel has them: " : ", ", e->text,
                e->next ? "" : "\n");
}

/* "val: top-1 65.14 %, ..." */
static void print(const foci_report *r, FILE *f) {
    const char *walk = foci_report_text_of(r, "walk");
    char text[256];
    foci_result_text(r, text, sizeof text);
    const bool documents = walk && strcmp(walk, "documents") == 0;
    fprintf(f, "%s%s%s%s", foci_report_text_of(r, "split"), walk ? ", " : "",
            documents ? "document by document"
            : walk    ? walk
                      : "",
            walk && !documents ? " windows" : "");
    if (foci_report_find(r, "stride")) fprintf(f, " by %.0f tokens", foci_report_number_of(r, "stride"));
    if (foci_report_find(r, "rows")) fprintf(f, ", %.0f rows", foci_report_number_of(r, "rows"));
    fprintf(f, "%s: %s\n", foci_report_find(r, "whole_windows") ? ", whole windows alone" : "", text);
    print_absent(foci_report_part_of(r, "left_out"), f);
    const foci_report *all = foci_report_part_of(r, "per_class");
    if (all->first) (foci_report_find(all->first->part, "iou") ? print_pixels : print_classes)(all, f);
}

#define OF_SPLIT(which) \
    .size = sizeof(foci_score_options), .options = {{foci_score_keys}, {foci_score_detail_keys}}, .run = run, \
    .print = print, .shares = shares, .command = "eval", .preset = {"split=" which}

const foci_measure foci_measure_val = {.name = "val",
                                       .summary = "score of the validation data",
                                       .metrics = {"top1", "top5", "miou", "pixel_accuracy", "bpc", "bpb", "ppl"},
                                       OF_SPLIT("val")};
const foci_measure foci_measure_test = {.name = "test",
                                        .summary = "score of the test data",
                                        .metrics = {"top1", "miou", "pixel_accuracy", "bpc", "bpb", "ppl"},
                                        OF_SPLIT("test")};
