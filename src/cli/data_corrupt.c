/* foci data corrupt SRC [DIR] */
#include "cli/cli.h"
#include "cli/data_commands.h"
#include "shift/folder.h"

typedef struct settings {
    const char *corruption, *severity, *frost, *sheet;
    int64_t size, seed, limit, quality, image;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, corruption, "all", 0, 0, NULL,
             "as foci list corruptions names them; imagenet-c: the 15; all: those and the 4 extras",
             .placeholder = "A[,B...]"),
    FOCI_KEY(settings, severity, NULL, 0, 0, NULL, "1 to 5, or a range such as 1-3 (default: 1-5)", .placeholder = "S"),
    FOCI_KEY(settings, size, NULL, 1, 4096, NULL,
             "first cut to N x N as ImageNet-C was with N = 224: the shorter side to N * 256 / 224, then the centre "
             "(default: as they are)"),
    FOCI_KEY(settings, frost, NULL, 0, 0, NULL,
             "frost1.png to frost6.jpg of ImageNet-C's code, to mix in as it does (default: frost is generated)",
             .placeholder = "DIR"),
    FOCI_KEY(settings, seed, "0", 0, 9e15, NULL, "of the random numbers"),
    FOCI_KEY(settings, limit, NULL, 1, 1e12, NULL, "so many images, evenly spread (default: all)"),
    FOCI_KEY(settings, quality, NULL, 1, 100, NULL, "write JPEG of this quality, ImageNet-C has 85 (default: PNG)",
             .placeholder = "Q"),
    FOCI_KEY(settings, sheet, NULL, 0, 0, NULL, "draw one image, clean and corrupted, on a contact sheet",
             .placeholder = "FILE.png"),
    FOCI_KEY(settings, image, "0", 0, 1e12, NULL, "the image on the sheet, from 0"),
    {0}};

static foci_status corrupt(const foci_image_set *set, const char *dir, const settings *o,
                           const foci_corrupt_options *how) {
    if (o->sheet) {
        FOCI_TRY(foci_corrupt_sheet(set, o->image, how, o->sheet));
        printf("%s: %s\n", o->sheet, foci_image_set_name(set, o->image));
    }
    if (!dir) return FOCI_OK;
    int64_t images, copies = 0, frosted = 0;
    FOCI_TRY(foci_corrupt_folder(set, dir, how, &images));
    for (int i = 0; i < FOCI_CORRUPTIONS * FOCI_SEVERITIES; i++)
        copies += how->chosen[i / FOCI_SEVERITIES][i % FOCI_SEVERITIES];
    for (int s = 0; s < FOCI_SEVERITIES; s++) frosted += how->chosen[FOCI_CORRUPTION_frost][s];
    printf("%s: %lld image%s, each corrupted in %lld way%s", dir, (long long)images, foci_plural(images, "s"),
           (long long)copies, foci_plural(copies, "s"));
    if (frosted) printf("; frost: %s", foci_frost_name(how->how.frost));
    printf("\n");
    return FOCI_OK;
}

static foci_status run(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    const char *dir = parsed->arguments > 1 ? parsed->argument[1] : NULL;
    if (!dir && !o->sheet) return foci_fail(FOCI_ERR_CONFIG, "data corrupt: DIR is missing, and --sheet too");
    foci_frost frost = {NULL};
    foci_corrupt_options how = {.size = (int)o->size,
                                .quality = (int)o->quality,
                                .how = {(uint64_t)o->seed, o->frost ? &frost : NULL},
                                .limit = o->limit,
                                .watch = &foci_on_terminal};
    FOCI_TRY(foci_corruption_choose(o->corruption, o->severity, how.chosen));
    foci_image_set *set;
    FOCI_TRY(foci_image_set_open(&set, parsed->argument[0]));
    foci_status s = o->frost ? foci_frost_read(&frost, o->frost) : FOCI_OK;
    if (!s) s = corrupt(set, dir, o, &how);
    foci_frost_free(&frost);
    foci_image_set_close(set);
    return s;
}

const foci_command foci_command_data_corrupt = {
    .name = "corrupt",
    .summary = "corrupted copies of images, as in ImageNet-C",
    .synopsis = "SRC [DIR]",
    .doc = "Writes corrupted copies of the images SRC (a folder CLASS/FILE, a .tar or a pack) to "
           "DIR/CORRUPTION/SEVERITY/CLASS/FILE, the layout of ImageNet-C, with its parameters (below 64 pixels: "
           "those of CIFAR-10-C).",
    .least = 1,
    .most = 2,
    .takes = FOCI_TAKES_THREADS | FOCI_ENDS_BY_SIGNAL,
    .size = sizeof(settings),
    .options = {{rows}},
    .run = run,
};
