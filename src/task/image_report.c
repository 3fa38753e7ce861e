/* Labelled images looked at by `foci data`: read one by one, counted, drawn. */
#include "task/image_data.h"

#include "config/config.h"

typedef struct report {
    const foci_config *config;
    const foci_lines *lines;
    int64_t bad;
} report;

/* The splits that the config names, one after the other. */
static foci_status each_split(report *r, void (*visit)(report *r, const char *key, const foci_image_set *set)) {
    foci_status s = FOCI_OK;
    for (int i = 0; i < FOCI_SPLITS && !s; i++) {
        foci_image_sets sets = {NULL, NULL};
        s = foci_data_set_of(r->config)->open(r->config, foci_splits[i].flag, &sets);
        const foci_image_set *set = sets.train ? sets.train : sets.val;
        if (!s && set) visit(r, foci_splits[i].key, set);
        foci_image_sets_close(&sets);
    }
    return s;
}

/* -------------------------------------------------------------------------------------------------- check */

static void check_set(report *r, const char *key, const foci_image_set *set) {
    const int64_t n = foci_image_set_count(set);
    for (int64_t i = 0; i < n; i++) {
        foci_image image;
        if (foci_image_set_read(set, i, &image, 0)) {
            r->bad++;
            foci_say(r->lines, "%s", foci_error_message());
        } else {
            foci_image_free(&image);
        }
    }
    const int classes = foci_image_set_classes(set);
    foci_say(r->lines, "%s: %lld image%s in %d class%s read", key, (long long)n, foci_plural(n, "s"), classes,
             foci_plural(classes, "es"));
    char text[512];
    if (foci_images_left_out(set, text)) foci_say(r->lines, "%s: %s", key, text);
}

foci_status foci_images_check(const foci_config *c, const foci_lines *lines) {
    report r = {c, lines, 0};
    FOCI_TRY(each_split(&r, check_set));
    if (!r.bad) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%lld image%s cannot be read", (long long)r.bad, foci_plural(r.bad, "s"));
}

/* -------------------------------------------------------------------------------------------------- count */

enum { MOST_CLASSES = 50 }; /* that are counted one by one */

static void count_classes(const foci_lines *lines, const foci_image_set *set) {
    for (int k = 0; k < foci_image_set_classes(set); k++) {
        int64_t count = 0;
        for (int64_t i = 0; i < foci_image_set_count(set); i++) count += foci_image_set_label(set, i) == k;
        foci_say(lines, "    %-32s %8lld", foci_image_set_class_name(set, k), (long long)count);
    }
}

static void count_set(report *r, const char *key, const foci_image_set *set) {
    const int64_t images = foci_image_set_count(set);
    const int classes = foci_image_set_classes(set);
    foci_say(r->lines, "%s  %s: %lld image%s, %d class%s", key, foci_image_set_path(set), (long long)images,
             foci_plural(images, "s"), classes, foci_plural(classes, "es"));
    if (foci_image_set_classes(set) <= MOST_CLASSES) count_classes(r->lines, set);
}

foci_status foci_images_count(const foci_config *c, const foci_lines *lines) {
    return each_split(&(report){c, lines, 0}, count_set);
}

/* --------------------------------------------------------------------------------------------------- show */

static foci_status fill(foci_sheet *sheet, const foci_transform *t, const foci_image_set *set,
                        foci_image_loader *loader) {
    foci_image_batch b = {0};
    int64_t at = 0;
    for (int i = 0; i < sheet->count; i++, at++) {
        if (at == b.count) {
            FOCI_TRY(foci_image_loader_next(loader, &b));
            if (b.count == 0) return FOCI_OK;
            at = 0;
        }
        foci_training_images_show(sheet, i, t, set, &b, at);
    }
    return FOCI_OK;
}

foci_status foci_images_draw(const foci_config *c, int count, int64_t epoch, foci_image *image) {
    foci_image_sets sets = {NULL, NULL};
    foci_image_loader *loader = NULL;
    foci_transform t;
    foci_sheet sheet = {0};
    foci_status s = foci_training_images_open(&sets, &loader, c);
    if (!s) s = foci_transform_from_config(&t, c, true);
    if (!s) s = foci_sheet_make(&sheet, &t, count, 0);
    if (!s) s = foci_image_loader_seek(loader, epoch, 0);
    if (!s) s = fill(&sheet, &t, sets.train, loader);
    foci_image_loader_close(loader);
    foci_image_sets_close(&sets);
    if (s) foci_image_free(&sheet.image);
    *image = sheet.image;
    return s;
}
