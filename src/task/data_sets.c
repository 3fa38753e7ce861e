#include "task/data_sets.h"

#include <string.h>

#include "config/config.h"
#include "images/augment.h"

static const foci_key image_folder_keys[] = {
    {"train", FOCI_KEY_STRING, "", 0, 0, NULL, "training images: a folder CLASS/FILE, one inside a .tar (images.tar/train), or a pack (foci data pack)", true},
    {"val", FOCI_KEY_STRING, "", 0, 0, NULL, "validation images, likewise", true},
    {"scale", FOCI_KEY_REALS, "[0.08, 1]", 0.0001, 1, NULL, "random resized crop: least and largest share of the area"},
    {"ratio", FOCI_KEY_REALS, "[0.75, 1.3333333]", 0.01, 100, NULL, "random resized crop: least and largest aspect"},
    {"padding", FOCI_KEY_INT, "0", 0, 4096, NULL, "pixels to pad before a random crop, instead of the random resized crop; 0: off"},
    {"flip", FOCI_KEY_REAL, "0.5", 0, 1, NULL, "probability of a horizontal flip"},
    {"rand_augment", FOCI_KEY_STRING, "", 0, 0, NULL, "RandAugment by timm's name, rand-m9-mstd0.5-inc1: magnitude of 10, its deviation, increasing set; none if empty"},
    {"color_jitter", FOCI_KEY_REAL, "0", 0, 1, NULL, "brightness, contrast and saturation by factors of 1 - this to 1 + this; without effect beside rand_augment"},
    {"random_erasing", FOCI_KEY_REAL, "0", 0, 1, NULL, "probability that a box of 2 to 33 % of the area becomes noise"},
    {"mixup", FOCI_KEY_REAL, "0", 0, 100, NULL, "alpha of the beta distribution of lambda, by which images and labels are averaged in pairs; 0: off"},
    {"cutmix", FOCI_KEY_REAL, "0", 0, 100, NULL, "likewise, by exchanging a box; 0: off"},
    {"mix_prob", FOCI_KEY_REAL, "1", 0, 1, NULL, "probability that mixup or cutmix happens to a group"},
    {"mix_switch", FOCI_KEY_REAL, "0.5", 0, 1, NULL, "where both are on: probability of cutmix"},
    {"mix_groups", FOCI_KEY_INT, "1", 1, 1e6, NULL, "groups that a batch is dealt to in turn, each with one lambda and one partner order (DeiT: its 4 processes)"},
    {"repeats", FOCI_KEY_INT, "1", 1, 100, NULL, "repeated augmentation: an image comes so many times in a row, an epoch has as many samples as before"},
    {"crop_pct", FOCI_KEY_REAL, "0.875", 0.01, 1, NULL, "evaluation: resize the shorter side to size / crop_pct, then crop the centre"},
    {"interpolation", FOCI_KEY_CHOICE, "bicubic", 0, 0, "bicubic bilinear", "resampling, antialiased"},
    {"mean", FOCI_KEY_REALS, "[0.485, 0.456, 0.406]", 0, 1, NULL, "of the channels in [0, 1], subtracted"},
    {"std", FOCI_KEY_REALS, "[0.229, 0.224, 0.225]", 0.001, 10, NULL, "of the channels in [0, 1], divided by"},
    {"on_bad_sample", FOCI_KEY_CHOICE, "fail", 0, 0, "fail skip", "a training image that cannot be read: ends the run; skip: is named, and the next of its class takes its place"},
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
#include "task/data_list.h"
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

static foci_status check_lists(const foci_config *c) {
    static const char *const keys[] = {"data.scale", "data.ratio", "data.mean", "data.std"};
    for (int i = 0; i < 4; i++) {
        const double *v;
        int n = foci_config_reals(c, keys[i], &v);
        if (i < 2 ? n < 1 || n > 2 : n != 1 && n != 3)
            return foci_config_fail(c, keys[i], i < 2 ? "needs one number, or the least and the largest" : "needs one number, or one per channel");
        if (i < 2 && v[0] > v[n - 1]) return foci_config_fail(c, keys[i], "%g is more than %g", v[0], v[n - 1]);
    }
    return FOCI_OK;
}

void foci_mix_from_config(foci_mix *mix, const foci_config *config) {
    *mix = (foci_mix){.mixup = foci_config_real(config, "data.mixup"),
                      .cutmix = foci_config_real(config, "data.cutmix"),
                      .probability = foci_config_real(config, "data.mix_prob"),
                      .switching = foci_config_real(config, "data.mix_switch"),
                      .groups = (int)foci_config_int(config, "data.mix_groups")};
}

foci_status foci_transform_from_config(foci_transform *t, const foci_config *config, int height, int width, bool train) {
    FOCI_TRY(check_lists(config));
    *t = (foci_transform){.height = height,
                          .width = width,
                          .train = train,
                          .padding = (int)foci_config_int(config, "data.padding"),
                          .flip = foci_config_real(config, "data.flip"),
                          .color_jitter = foci_config_real(config, "data.color_jitter"),
                          .erasing = foci_config_real(config, "data.random_erasing"),
                          .crop_pct = foci_config_real(config, "data.crop_pct")};
    range(config, "data.scale", &t->scale_min, &t->scale_max);
    range(config, "data.ratio", &t->ratio_min, &t->ratio_max);
    t->interpolation = strcmp(foci_config_string(config, "data.interpolation"), "bilinear") ? FOCI_BICUBIC : FOCI_BILINEAR;
    channels(config, "data.mean", t->mean);
    channels(config, "data.std", t->std);
    if (foci_rand_augment_parse(&t->rand_augment, foci_config_string(config, "data.rand_augment")))
        return foci_config_fail(config, "data.rand_augment", "%s", foci_error_message());
    return FOCI_OK;
}
