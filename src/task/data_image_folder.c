/* Labelled images, a folder a class. */
#include <stdio.h>
#include <string.h>

#include "config/config.h"
#include "task/image_data.h"

typedef struct options {
    const char *root, *train, *val;
    double val_split;
} options;

static const foci_key keys[] = {
    FOCI_KEY(options, root, "", 0, 0, NULL,
             "an ImageFolder root, or a .tar of one: data.train is its folder train, or where it has none the root "
             "itself; data.val its folder val, valid, validation or test",
             .may_change = true, .path = true),
    FOCI_KEY(options, train, "", 0, 0, NULL,
             "training images: a folder CLASS/FILE, one inside a .tar (images.tar/train), or a pack (foci data pack)",
             .may_change = true, .path = true),
    FOCI_KEY(options, val, "", 0, 0, NULL, "validation images, likewise", .may_change = true, .path = true),
    FOCI_KEY(options, val_split, "0", 0, 0.9, NULL,
             "where there are no validation images: about this share of the training images, chosen by a hash of "
             "CLASS/FILE, so that no image changes sides when others come or go"),
    {0}};

/* ------------------------------------------------------------------------------------------------- where */

/* Paths of the splits; "": there is none. */
typedef struct places {
    char train[4096], val[4096];
    double split; /* > 0: what is not trained on is for validation */
} places;

static void place(char path[4096], const char *named) { snprintf(path, 4096, "%s", named); }

/* What the root has in place of keys that are not given. */
static foci_status look_into_root(const foci_config *c, const options *o, places *p) {
    FOCI_TRY(foci_config_path(c, "data.root"));
    if (!*o->val) FOCI_TRY(foci_image_root_find(o->root, "val valid validation test", p->val));
    if (*o->train) return FOCI_OK;
    FOCI_TRY(foci_image_root_find(o->root, "train", p->train));
    if (*p->train) return FOCI_OK;
    if (!*o->val && *p->val)
        return foci_config_fail(c, "data.root", "%s has no folder train beside %s", o->root, p->val);
    return foci_image_root_find(o->root, "", p->train);
}

static foci_status find_places(const foci_config *c, places *p) {
    options o;
    foci_config_read(c, "data", keys, &o);
    FOCI_TRY(foci_config_path(c, "data.train"));
    FOCI_TRY(foci_config_path(c, "data.val"));
    place(p->train, o.train);
    place(p->val, o.val);
    if (*o.root) FOCI_TRY(look_into_root(c, &o, p));
    p->split = *p->val ? 0 : o.val_split;
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------- opening */

static bool is_split(const char *name) {
    static const char *const names[] = {"train", "val", "valid", "validation", "test"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return true;
    return false;
}

/* Folders train/CLASS and val/CLASS would be read as two classes, and the model would learn to tell them apart. */
static foci_status check_no_root(const foci_config *c, const char *key, const foci_image_set *set) {
    bool train = false;
    for (int k = 0; k < foci_image_set_classes(set); k++) {
        if (!is_split(foci_image_set_class_name(set, k))) return FOCI_OK;
        train |= strcmp(foci_image_set_class_name(set, k), "train") == 0;
    }
    const char *file = strchr(foci_image_set_name(set, 0), '/') + 1;
    if (!train || !strchr(file, '/')) return FOCI_OK;
    return foci_config_fail(c, key,
                            "%s holds the folders of splits (train/CLASS), not of classes: name it as data.root",
                            foci_image_set_path(set));
}

static foci_status open_split(const foci_config *c, const char *key, const char *path, double share, bool split_off,
                              foci_image_set **set) {
    FOCI_TRY(foci_image_set_open(set, path));
    FOCI_TRY(check_no_root(c, key, *set));
    if (!share) return FOCI_OK;
    const int64_t all = foci_image_set_count(*set);
    foci_image_set_split(*set, share, split_off);
    if (foci_image_set_count(*set)) return FOCI_OK;
    return foci_config_fail(c, "data.val_split", "%g of the %lld images of %s leaves none for %s", share,
                            (long long)all, path, split_off ? "validation" : "training");
}

static foci_status open(const foci_config *config, unsigned splits, void *data) {
    foci_image_sets *sets = data;
    places p;
    FOCI_TRY(find_places(config, &p));
    if (splits & FOCI_TRAIN && *p.train)
        FOCI_TRY(open_split(config, "data.train", p.train, p.split, false, &sets->train));
    if (!(splits & FOCI_VALID)) return FOCI_OK;
    if (*p.val) return open_split(config, "data.val", p.val, 0, false, &sets->val);
    return p.split && *p.train ? open_split(config, "data.train", p.train, p.split, true, &sets->val) : FOCI_OK;
}

const foci_data_set foci_data_set_image_folder = {
    .name = "image_folder",
    .summary = "labelled images, one folder a class (ImageFolder), an uncompressed .tar or a pack of that",
    .task = "images",
    .keys = keys,
    .shared = foci_image_keys,
    .open = open,
    .check = foci_images_check,
    .count = foci_images_count,
    .show = foci_images_draw,
};
