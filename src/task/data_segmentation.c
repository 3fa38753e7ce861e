/* Images with maps of labels, in the layout of ADE20K. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "config/config.h"
#include "images/sheet.h"
#include "task/scene_data.h"

typedef struct options {
    const char *root, *train, *val, *test;
    int64_t offset;
    foci_int_list ignored;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, root, "", 0, 0, NULL,
             "a folder images/PART/NAME.jpg and annotations/PART/NAME.png, or a .tar of one; labels are grey or have a "
             "palette, of up to 16 bits",
             .may_change = true, .path = true),
    FOCI_KEY(options, train, "training", 0, 0, NULL, "the part that is trained on"),
    FOCI_KEY(options, val, "validation", 0, 0, NULL, "the part that weights are chosen by"),
    FOCI_KEY(options, test, "", 0, 0, NULL, "the part for the test; none if empty"),
    FOCI_KEY(options, offset, "1", 0, 65535, NULL, "the label of the first class (ADE20K: 1)"),
    FOCI_KEY(options, ignored, "[0]", 0, 65535, NULL, "labels of pixels that do not count (ADE20K: 0)"),
    {0}};

static foci_status open(const foci_config *config, unsigned splits, void *data) {
    foci_scene_sets *sets = data;
    options o;
    foci_config_read(config, "data", keys, &o);
    if (!*o.root) return foci_config_fail(config, "data.root", "names no images");
    FOCI_TRY(foci_config_path(config, "data.root"));
    sets->meaning.first = o.offset;
    sets->meaning.ignored = o.ignored.value;
    sets->meaning.ignored_count = o.ignored.count;
    const char *const part[FOCI_SPLITS] = {o.train, o.val, o.test};
    for (int i = 0; i < FOCI_SPLITS; i++)
        if (splits & foci_splits[i].flag && (*part[i] || foci_splits[i].flag != FOCI_TEST))
            FOCI_TRY(foci_pair_set_open(&sets->of[i], o.root, part[i]));
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------ reading all of it */

/* What the images of a split hold. */
typedef struct census {
    const foci_pair_set *set;
    const foci_label_meaning *meaning;
    int64_t (*pixels)[FOCI_NO_CLASS + 1]; /* (images), of every class */
    char **wrong;                         /* (images): what is; NULL: nothing */
} census;

static foci_status look(void *context, int64_t i) {
    census *c = context;
    foci_image image;
    unsigned char *classes;
    if (foci_pair_set_read(c->set, i, c->meaning, &image, &classes)) {
        c->wrong[i] = strdup(foci_error_message());
        return c->wrong[i] ? FOCI_OK : foci_out_of_memory();
    }
    for (int64_t at = 0; at < (int64_t)image.width * image.height; at++) c->pixels[i][classes[at]]++;
    foci_image_free(&image);
    free(classes);
    return FOCI_OK;
}

typedef struct report {
    const foci_config *config;
    const foci_lines *lines;
    bool counts; /* classes are told, too */
    int64_t bad;
} report;

static foci_status tell_classes(const report *r, const foci_scene_sets *sets, const int64_t *pixels) {
    foci_labels names;
    double all = 0;
    FOCI_TRY(foci_scene_labels(&names, r->config, sets->meaning.classes));
    for (int k = 0; k <= FOCI_NO_CLASS; k++) all += (double)pixels[k];
    for (int64_t k = 0; k < names.count; k++)
        foci_say(r->lines, "    %-32s %6.2f %%%s", names.name[k], 100 * (double)pixels[k] / all,
                 pixels[k] ? "" : "  (no pixel)");
    foci_say(r->lines, "    %-32s %6.2f %%", "ignored", 100 * (double)pixels[FOCI_NO_CLASS] / all);
    foci_labels_close(&names);
    return FOCI_OK;
}

static foci_status tell(report *r, const char *key, const foci_scene_sets *sets, const census *c) {
    const int64_t n = foci_pair_set_count(c->set);
    int64_t pixels[FOCI_NO_CLASS + 1] = {0};
    for (int64_t i = 0; i < n; i++) {
        if (c->wrong[i]) foci_say(r->lines, "%s", c->wrong[i]);
        r->bad += c->wrong[i] != NULL;
        for (int k = 0; k <= FOCI_NO_CLASS; k++) pixels[k] += c->pixels[i][k];
    }
    foci_say(r->lines, "%s  %s: %lld image%s with labels, %lld classes", key, foci_config_string(r->config, key),
             (long long)n, foci_plural(n, "s"), (long long)sets->meaning.classes);
    if (r->counts) return tell_classes(r, sets, pixels);
    for (int k = 0; k < FOCI_NO_CLASS; k++)
        if (pixels[k]) return FOCI_OK;
    return r->bad ? FOCI_OK : foci_pair_set_no_class(c->set);
}

static foci_status take(report *r, const char *key, const foci_scene_sets *sets, const foci_pair_set *set) {
    const size_t n = (size_t)foci_pair_set_count(set);
    census c = {set, &sets->meaning, calloc(n, sizeof *c.pixels), calloc(n, sizeof *c.wrong)};
    foci_status s = c.pixels && c.wrong ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for counts");
    if (!s) s = foci_each((int64_t)n, look, &c);
    if (!s) s = tell(r, key, sets, &c);
    for (size_t i = 0; i < n && c.wrong; i++) free(c.wrong[i]);
    free(c.pixels);
    free(c.wrong);
    return s;
}

static foci_status each_split(report *r) {
    for (int i = 0; i < FOCI_SPLITS; i++) {
        foci_scene_sets sets = {{{NULL}}};
        foci_status s = foci_scene_sets_open(&sets, r->config, foci_splits[i].flag);
        if (!s && sets.of[i]) s = take(r, foci_splits[i].key, &sets, sets.of[i]);
        foci_scene_sets_close(&sets);
        FOCI_TRY(s);
    }
    return FOCI_OK;
}

static foci_status check(const foci_config *c, const foci_lines *lines) {
    report r = {c, lines, false, 0};
    FOCI_TRY(each_split(&r));
    if (!r.bad) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%lld image%s cannot be read with labels", (long long)r.bad,
                     foci_plural(r.bad, "s"));
}

static foci_status count(const foci_config *c, const foci_lines *lines) {
    return each_split(&(report){c, lines, true, 0});
}

/* --------------------------------------------------------------------------------------------------- show */

static foci_status fill(foci_sheet *sheet, const foci_scene_transform *t, const foci_scene_sets *sets,
                        foci_scene_loader *loader) {
    foci_scene_batch b = {0};
    int64_t at = 0;
    for (int i = 0; i < sheet->count; i++, at++) {
        if (at == b.count) {
            FOCI_TRY(foci_scene_loader_next(loader, &b));
            if (b.count == 0) return FOCI_OK;
            at = 0;
        }
        foci_scene_show(sheet, i, t, &b, at, foci_pair_set_name(sets->train, b.index[at]));
    }
    return FOCI_OK;
}

static foci_status show(const foci_config *c, int count, int64_t epoch, foci_image *image) {
    foci_scene_sets sets = {{{NULL}}};
    foci_scene_loader *loader = NULL;
    foci_scene_transform t = {0};
    foci_sheet sheet = {0};
    foci_status s = foci_scene_sets_open(&sets, c, FOCI_TRAIN);
    if (!s) s = foci_scene_transform_from_config(&t, c);
    if (!s) s = foci_scene_loader_from_config(&loader, &sets, c);
    if (!s) s = foci_sheet_make(&sheet, &(foci_transform){.height = t.height, .width = t.width}, count, 0);
    if (!s) s = foci_scene_loader_seek(loader, epoch, 0);
    if (!s) s = fill(&sheet, &t, &sets, loader);
    foci_scene_loader_close(loader);
    foci_scene_sets_close(&sets);
    if (s) foci_image_free(&sheet.image);
    *image = sheet.image;
    return s;
}

const foci_data_set foci_data_set_segmentation = {
    .name = "segmentation",
    .summary = "images with a label for every pixel, in the layout of ADE20K, a folder or an uncompressed .tar",
    .task = "segmentation",
    .keys = keys,
    .shared = foci_scene_keys,
    .open = open,
    .check = check,
    .count = count,
    .show = show,
};
