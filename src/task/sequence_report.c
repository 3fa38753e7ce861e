/* Labelled sequences looked at by `foci data`: read one by one, counted, told, drawn. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "images/sheet.h"
#include "task/sequence_data.h"
#include "task/training.h"

/* The splits that the config names, as they are for training, one after the other. */
typedef struct report {
    const foci_config *config;
    const foci_lines *lines;
    const foci_vocabulary *words;
    int64_t bad;
} report;

static foci_status each_split(report *r, foci_status (*visit)(report *r, const char *name, const foci_sequences *s)) {
    foci_sequence_splits s;
    FOCI_TRY(foci_sequence_splits_open(&s, r->config, FOCI_TRAIN | FOCI_VALID | FOCI_TEST));
    foci_status status = FOCI_OK;
    r->words = s.words;
    for (int i = 0; i < FOCI_SPLITS && !status; i++)
        if (s.of[i]) status = visit(r, foci_splits[i].name, s.of[i]);
    foci_sequence_splits_close(&s);
    return status;
}

/* ---------------------------------------------------------------------------------------------------- check */

static foci_status check_set(report *r, const char *name, const foci_sequences *s) {
    const int64_t n = foci_sequences_count(s), length = foci_config_int(r->config, "model.length");
    int32_t *ids = malloc((size_t)(length * foci_sequences_sides(s)) * sizeof *ids);
    if (!ids) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a sequence");
    for (int64_t i = 0; i < n; i++)
        if (foci_sequences_read(s, i, length, length, ids, NULL) || foci_sequences_prove(s, i)) {
            r->bad++;
            foci_say(r->lines, "%s", foci_error_message());
        }
    free(ids);
    foci_say(r->lines, "%s: %lld sequence%s in %d class%s read", name, (long long)n, foci_plural(n, "s"),
             foci_sequences_classes(s), foci_plural(foci_sequences_classes(s), "es"));
    return FOCI_OK;
}

foci_status foci_sequences_check(const foci_config *c, const foci_lines *lines) {
    report r = {.config = c, .lines = lines};
    FOCI_TRY(each_split(&r, check_set));
    if (!r.bad) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%lld sequence%s bad", (long long)r.bad, r.bad == 1 ? " is" : "s are");
}

/* ---------------------------------------------------------------------------------------------------- count */

enum { MOST_CLASSES = 50 }; /* that are counted one by one */

static int64_t count_class(const foci_sequences *s, int label) {
    int64_t count = 0;
    for (int64_t i = 0; i < foci_sequences_count(s); i++) count += foci_sequences_label(s, i) == label;
    return count;
}

static void say_lengths(const report *r, const foci_sequences *s) {
    const int sides = foci_sequences_sides(s);
    const int64_t n = foci_sequences_count(s);
    int64_t least = foci_sequences_length(s, 0, 0), most = least;
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        for (int side = 0; side < sides; side++) {
            const int64_t length = foci_sequences_length(s, i, side);
            least = length < least ? length : least;
            most = length > most ? length : most;
            sum += (double)length;
        }
    char cut[160];
    foci_say(r->lines, "       %lld to %lld tokens, %.1f in the mean, of %lld", (long long)least, (long long)most,
             sum / (double)(n * sides), (long long)foci_sequences_vocabulary(s));
    if (foci_sequences_cut_text(s, foci_sequence_cut(r->config), cut)) foci_say(r->lines, "       %s", cut);
    if (foci_sequences_unknown_text(s, r->words, cut)) foci_say(r->lines, "       %s", cut);
}

static foci_status count_set(report *r, const char *name, const foci_sequences *s) {
    const int64_t n = foci_sequences_count(s);
    const int classes = foci_sequences_classes(s);
    int64_t largest = 0;
    foci_say(r->lines, "%-5s  %s: %lld %s%s, %d class%s", name, foci_sequences_path(s), (long long)n,
             foci_sequences_sides(s) == 2 ? "pair" : "sequence", foci_plural(n, "s"), classes,
             foci_plural(classes, "es"));
    say_lengths(r, s);
    for (int k = 0; k < classes; k++) {
        const int64_t count = count_class(s, k);
        if (classes <= MOST_CLASSES)
            foci_say(r->lines, "    %-32s %8lld", foci_sequences_class_name(s, k), (long long)count);
        largest = count > largest ? count : largest;
    }
    foci_say(r->lines, "       the largest class alone: top-1 %.2f %%", 100 * (double)largest / (double)n);
    return FOCI_OK;
}

foci_status foci_sequences_count_all(const foci_config *c, const foci_lines *lines) {
    return each_split(&(report){.config = c, .lines = lines}, count_set);
}

/* ----------------------------------------------------------------------------------------------------- show */

/* Gives the first `count` samples of an epoch of training, as the model gets them, to `take`. */
static foci_status each_sample(const foci_config *c, int count, int64_t epoch, const foci_sequences *s,
                               foci_status (*take)(void *context, const foci_sequences *s, int i,
                                                   const foci_sequence_batch *b),
                               void *context) {
    const foci_sequence_options o = {.longest = foci_config_int(c, "model.length"),
                                     .cut = foci_sequence_cut(c),
                                     .batch = 1,
                                     .shuffle = true,
                                     .seed = (uint64_t)foci_config_int(c, "train.seed"),
                                     .workers = 1};
    foci_sequence_loader *loader;
    FOCI_TRY(foci_sequence_loader_open(&loader, s, &o));
    foci_status status = foci_sequence_loader_seek(loader, epoch, 0);
    for (int i = 0; i < count && !status; i++) {
        foci_sequence_batch b;
        status = foci_sequence_loader_next(loader, &b);
        if (!status && !b.count) break;
        if (!status) status = take(context, s, i, &b);
    }
    foci_sequence_loader_close(loader);
    return status;
}

static foci_status open_training(foci_sequence_splits *s, const foci_config *c) {
    FOCI_TRY(foci_sequence_splits_open(s, c, FOCI_TRAIN));
    return s->train ? FOCI_OK : foci_config_fail(c, "data.kind", "names no sequences for training");
}

typedef struct drawing {
    foci_sheet sheet;
    foci_transform t;
    foci_real *pixels;
} drawing;

static foci_status draw_one(void *context, const foci_sequences *s, int i, const foci_sequence_batch *b) {
    drawing *d = context;
    const int64_t n = (int64_t)d->t.height * d->t.width;
    for (int64_t k = 0; k < 3 * n; k++) d->pixels[k] = (foci_real)b->ids[k % n] / 255;
    foci_sheet_put(&d->sheet, &d->t, i, d->pixels);
    foci_sheet_write(&d->sheet, i, 0, foci_sequences_class_name(s, b->labels[0]));
    return FOCI_OK;
}

static foci_status draw(const foci_config *c, const foci_sequences *s, int count, int64_t epoch, foci_image *image) {
    drawing d = {.t = {.std = {1, 1, 1}}};
    foci_sequences_shape(s, &d.t.height, &d.t.width);
    d.pixels = malloc(3 * (size_t)d.t.height * (size_t)d.t.width * sizeof *d.pixels);
    if (!d.pixels) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for an image");
    foci_status status = foci_sheet_make(&d.sheet, &d.t, count, 0);
    if (!status) status = each_sample(c, count, epoch, s, draw_one, &d);
    if (status) foci_image_free(&d.sheet.image);
    *image = d.sheet.image;
    free(d.pixels);
    return status;
}

foci_status foci_sequences_draw(const foci_config *c, int count, int64_t epoch, foci_image *image) {
    foci_sequence_splits s;
    foci_status status = open_training(&s, c);
    if (!status) status = draw(c, s.train, count, epoch, image);
    foci_sequence_splits_close(&s);
    return status;
}

typedef struct telling {
    const foci_config *config;
    const foci_lines *lines;
} telling;

enum { MOST_TOLD = 200 }; /* tokens of a sequence */

/* "7 (FILE:12), 431 tokens: [MAX 2 9 ..." */
static foci_status tell_one(void *context, const foci_sequences *s, int i, const foci_sequence_batch *b) {
    const telling *t = context;
    const int64_t cut = foci_sequence_cut(t->config);
    (void)i;
    for (int side = 0; side < foci_sequences_sides(s); side++) {
        char name[4200], text[FOCI_TOKEN_TEXT * MOST_TOLD + 1] = "", token[FOCI_TOKEN_TEXT];
        const int64_t all = foci_sequences_length(s, b->index[0], side), length = all < cut ? all : cut;
        const int32_t *ids = b->ids + side * b->longest + (foci_sequences_in_front(s) ? b->longest - length : 0);
        foci_sequences_name(s, b->index[0], name, sizeof name);
        for (int64_t k = 0; k < length && k < MOST_TOLD; k++) {
            foci_sequences_token(s, ids[k], token);
            const size_t used = strlen(text);
            snprintf(text + used, sizeof text - used, "%s", token);
        }
        foci_say(t->lines, "%s (%s), %lld token%s: %s%s", foci_sequences_class_name(s, b->labels[0]), name,
                 (long long)length, foci_plural(length, "s"), text, length > MOST_TOLD ? " ..." : "");
    }
    return FOCI_OK;
}

foci_status foci_sequences_tell(const foci_config *c, int count, int64_t epoch, const foci_lines *lines) {
    foci_sequence_splits s;
    foci_status status = open_training(&s, c);
    if (!status) status = each_sample(c, count, epoch, s.train, tell_one, &(telling){c, lines});
    foci_sequence_splits_close(&s);
    return status;
}
