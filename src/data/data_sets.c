#include "data/data_sets.h"

#include <string.h>

static const foci_key image_folder_keys[] = {
    {"train", FOCI_KEY_STRING, "", 0, 0, NULL, "training images: a folder CLASS/FILE, one inside a .tar (images.tar/train), or a pack (foci data pack)", true},
    {"val", FOCI_KEY_STRING, "", 0, 0, NULL, "validation images, likewise", true},
    {"scale", FOCI_KEY_REALS, "[0.08, 1]", 0.0001, 1, NULL, "random resized crop: least and largest share of the area"},
    {"ratio", FOCI_KEY_REALS, "[0.75, 1.3333333]", 0.01, 100, NULL, "random resized crop: least and largest aspect"},
    {"padding", FOCI_KEY_INT, "0", 0, 4096, NULL, "pixels to pad before a random crop, instead of the random resized crop; 0: off"},
    {"flip", FOCI_KEY_REAL, "0.5", 0, 1, NULL, "probability of a horizontal flip"},
    {"crop_pct", FOCI_KEY_REAL, "0.875", 0.01, 1, NULL, "evaluation: resize the shorter side to size / crop_pct, then crop the centre"},
    {"interpolation", FOCI_KEY_CHOICE, "bicubic", 0, 0, "bicubic bilinear", "resampling, antialiased"},
    {"mean", FOCI_KEY_REALS, "[0.485, 0.456, 0.406]", 0, 1, NULL, "of the channels in [0, 1], subtracted"},
    {"std", FOCI_KEY_REALS, "[0.229, 0.224, 0.225]", 0.001, 10, NULL, "of the channels in [0, 1], divided by"},
    {"workers", FOCI_KEY_INT, "2", 1, 64, NULL, "threads that decode and transform ahead of training", true},
    {0}};

static const foci_key text_keys[] = {
    {"train", FOCI_KEY_STRING, "", 0, 0, NULL, "training text in WikiText format, plain or .gz, or a pack of it (foci data pack); its words are the vocabulary", true},
    {"valid", FOCI_KEY_STRING, "", 0, 0, NULL, "validation text, likewise", true},
    {"test", FOCI_KEY_STRING, "", 0, 0, NULL, "test text, likewise", true},
    {"vocab_limit", FOCI_KEY_INT, "0", 0, 1e8, NULL, "keep so many of the most frequent words, the others are <unk>; 0: all"},
    {0}};

static const foci_data_set foci_data_set_image_folder = {
    "image_folder", "labelled images, one folder a class (ImageFolder), an uncompressed .tar or a pack of that", FOCI_TASK_IMAGES, image_folder_keys};
static const foci_data_set foci_data_set_text = {
    "text", "words between spaces, one paragraph a line (WikiText), plain or gzip, or a pack of that", FOCI_TASK_TEXT, text_keys};

const foci_data_set *const foci_data_sets[] = {
#define FOCI_DATA_SET(name) &foci_data_set_##name,
#include "data/list.h"
#undef FOCI_DATA_SET
    NULL};

const foci_data_set *foci_data_set_find(const char *name) {
    for (int i = 0; foci_data_sets[i]; i++)
        if (strcmp(foci_data_sets[i]->name, name) == 0) return foci_data_sets[i];
    return NULL;
}

/* The first and the last number of a list; both the same where there is one. */
static void range(const foci_config *config, const char *key, double *low, double *high) {
    const double *v;
    int n = foci_config_reals(config, key, &v);
    *low = n > 0 ? v[0] : 0;
    *high = n > 0 ? v[n - 1] : 0;
}

static void channels(const foci_config *config, const char *key, double out[3]) {
    const double *v;
    int n = foci_config_reals(config, key, &v);
    for (int i = 0; i < 3; i++) out[i] = n > 0 ? v[i < n ? i : n - 1] : 0;
}

void foci_transform_from_config(foci_transform *t, const foci_config *config, int height, int width, bool train) {
    *t = (foci_transform){.height = height,
                          .width = width,
                          .train = train,
                          .padding = (int)foci_config_int(config, "data.padding"),
                          .flip = foci_config_real(config, "data.flip"),
                          .crop_pct = foci_config_real(config, "data.crop_pct")};
    range(config, "data.scale", &t->scale_min, &t->scale_max);
    range(config, "data.ratio", &t->ratio_min, &t->ratio_max);
    t->interpolation = strcmp(foci_config_string(config, "data.interpolation"), "bilinear") ? FOCI_BICUBIC : FOCI_BILINEAR;
    channels(config, "data.mean", t->mean);
    channels(config, "data.std", t->std);
}
