#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/data_commands.h"
#include "data/pack.h"
#include "task/data_sets.h"
#include "task/makers.h"
#include "text/text.h"
#include "train/trainer.h"

/* ----------------------------------------------------------------------------- foci data make KIND DIR */

typedef struct make_settings {
    int64_t size, train, val, test, words, seed, shortest, longest, depth, args, images, contour,
        distractors; /* 0: the default of the kind */
} make_settings;

static const foci_key make_rows[] = {
    FOCI_KEY(make_settings, train, NULL, 1, 1e9, NULL,
             "training images (default 6,000), expressions (96,000) or, about, tokens (400,000)"),
    FOCI_KEY(make_settings, val, NULL, 1, 1e9, NULL,
             "validation images (default 1,000), expressions (2,000) or tokens (20,000)"),
    {"valid", FOCI_KEY_INT, NULL, 1, 1e9, NULL, "the same", .at = offsetof(make_settings, val),
     .size = sizeof(int64_t)},
    FOCI_KEY(make_settings, test, NULL, 1, 1e9, NULL, "test tokens (default 20,000) or expressions (2,000)"),
    FOCI_KEY(make_settings, size, NULL, 16, 512, NULL, "images, pathfinder: side in pixels (default 32)"),
    FOCI_KEY(make_settings, words, NULL, 50, 1e6, NULL, "text: size of the vocabulary, about (default 2,000)"),
    FOCI_KEY(make_settings, shortest, NULL, 1, 1e6, NULL, "listops: all have more tokens (default 500)"),
    FOCI_KEY(make_settings, longest, NULL, 2, 1e6, NULL, "listops: all have fewer tokens (default 2,000)"),
    FOCI_KEY(make_settings, depth, NULL, 2, 1000, NULL, "listops: lists within each other (default 10)"),
    FOCI_KEY(make_settings, args, NULL, 2, 1000, NULL, "listops: most parts of a list (default 10)"),
    FOCI_KEY(make_settings, images, NULL, 2, 1e7, NULL, "pathfinder: images (default 200,000)"),
    FOCI_KEY(make_settings, contour, NULL, 3, 300, NULL, "pathfinder: dashes of a long contour (default 14)"),
    FOCI_KEY(make_settings, distractors, NULL, 1, 300, NULL, "pathfinder: short contours (default 5)"),
    FOCI_KEY(make_settings, seed, "0", 0, 9e15, NULL, "another data set of the same kind"),
    {0}};

static bool has_key(const foci_maker *maker, const char *name) {
    for (const foci_key *k = maker->keys; k->name; k++)
        if (strcmp(k->name, name) == 0) return true;
    return false;
}

/* Both names of the validation part are one option; a kind has one of them as its key. */
static const char *key_of(const foci_maker *maker, const char *option) {
    return strcmp(option, "val") == 0 && !has_key(maker, option) ? "valid" : option;
}

enum { MAKE_SETTINGS = sizeof(make_settings) / sizeof(int64_t), SETTING = 64 };

/* Options that were given as settings of the kind, whose own defaults hold for the others. */
static foci_status make_settings_of(const foci_maker *maker, const make_settings *o, char text[][SETTING], int *sets) {
    for (const foci_key *row = make_rows; row->name; row++) {
        const int64_t value = *(const int64_t *)foci_key_field(row, o);
        const char *key = key_of(maker, row->name);
        if (!value || strcmp(row->name, "valid") == 0) continue;
        if (!has_key(maker, key)) return foci_fail(FOCI_ERR_CONFIG, "--%s is not for %s", row->name, maker->name);
        snprintf(text[(*sets)++], SETTING, "%s=%lld", key, (long long)value);
    }
    return FOCI_OK;
}

static foci_status make(const foci_parsed *parsed) {
    const char *kind = parsed->argument[0], *set[MAKE_SETTINGS];
    const foci_maker *maker = foci_maker_find(kind);
    char text[MAKE_SETTINGS][SETTING];
    int sets = 0;
    if (maker) FOCI_TRY(make_settings_of(maker, parsed->options, text, &sets));
    for (int i = 0; i < sets; i++) set[i] = text[i];
    return foci_make_data(kind, parsed->argument[1], set, sets);
}

static const foci_command make_command = {
    .name = "make",
    .summary = "generates a built-in data set",
    .synopsis = "images|text|listops|pathfinder DIR",
    .doc = "Generates a built-in data set: images whose classes differ in shape and context (an ImageFolder), "
           "text of a grammar with agreement over long distances (WikiText format), ListOps as the Long Range Arena "
           "draws it (DIR/basic_{train,val,test}.tsv), or Pathfinder in its layout (DIR/imgs, DIR/metadata).",
    .least = 2,
    .most = 2,
    .size = sizeof(make_settings),
    .options = {{make_rows}},
    .run = make,
};

/* ---------------------------------------------------------------------- foci data pack images|text FROM OUT */

typedef struct pack_settings {
    int64_t size, vocab_limit, min_count;
    const char *vocabulary, *bpe;
    foci_token_kind tokens;
    foci_documents documents;
} pack_settings;

static const foci_key pack_rows[] = {
    FOCI_KEY(pack_settings, size, NULL, 1, 16384, NULL,
             "images: the shorter side is reduced to N pixels (default: sizes stay)"),
    FOCI_KEY(pack_settings, tokens, "words", 0, 0, FOCI_TOKEN_KINDS(FOCI_CHOICE_WORD), "text: what its tokens are"),
    FOCI_KEY(pack_settings, vocab_limit, NULL, 2, 1e8, NULL,
             "text: keep the N most frequent words, the others are <unk> (default: all)"),
    FOCI_KEY(pack_settings, min_count, NULL, 1, 1e9, NULL,
             "text: words seen less often than N times are <unk> (default: those seen once, where there is no <unk>)"),
    FOCI_KEY(pack_settings, vocabulary, NULL, 0, 0, NULL,
             "text: take the words of this training text or pack of one (default: FROM's own)", .placeholder = "TRAIN"),
    FOCI_KEY(pack_settings, bpe, NULL, 0, 0, NULL,
             "text of tokens bpe: the tokenizer, as data.bpe (default: that of the pack that --vocabulary names)",
             .placeholder = "DIR"),
    FOCI_KEY(pack_settings, documents, "file", 0, 0, FOCI_DOCUMENTS(FOCI_CHOICE_WORD),
             "text of tokens bpe: what begins with the end-of-text token"),
    {0}};

static foci_status pack_images(const char *from, const char *to, const pack_settings *o) {
    foci_image_set *set;
    FOCI_TRY(foci_image_set_open(&set, from));
    foci_catch_signals();
    foci_status s = foci_pack_images(to, set, (int)o->size, &foci_on_terminal);
    if (!s)
        printf("%s: %lld image%s in %d class%s\n", to, (long long)foci_image_set_count(set),
               foci_plural(foci_image_set_count(set), "s"), foci_image_set_classes(set),
               foci_plural(foci_image_set_classes(set), "es"));
    foci_image_set_close(set);
    return s;
}

static foci_status open_vocabulary(const char *from, const pack_settings *o, foci_vocabulary **v) {
    foci_bpe *bpe;
    if (!o->bpe)
        return foci_vocabulary_cached(v, o->vocabulary ? o->vocabulary : from,
                                      (foci_word_choice){o->vocab_limit, o->min_count, o->tokens, {o->documents}});
    FOCI_TRY(foci_bpe_open(&bpe, o->bpe));
    return foci_vocabulary_of_bpe(v, bpe, (foci_subword_reading){o->documents, false});
}

static foci_status pack_text(const char *from, const char *to, const pack_settings *o) {
    foci_vocabulary *v;
    foci_tokens t = {0};
    FOCI_TRY(open_vocabulary(from, o, &v));
    foci_status s = foci_tokens_read(&t, v, from);
    if (!s) s = foci_tokens_gather(&t);
    if (!s) s = foci_pack_text(to, &t, v);
    if (!s)
        printf("%s: %lld tokens, %lld %s\n", to, (long long)t.count, (long long)foci_vocabulary_size(v),
               foci_token_noun(o->tokens));
    foci_tokens_free(&t);
    foci_vocabulary_free(v);
    return s;
}

static foci_status pack(const foci_parsed *parsed) {
    const pack_settings *o = parsed->options;
    const char *const *word = parsed->argument;
    if (strcmp(word[0], "images") == 0) {
        if (o->vocab_limit || o->min_count || o->vocabulary || o->tokens || o->bpe)
            return foci_fail(FOCI_ERR_CONFIG,
                             "--vocab-limit, --min-count, --vocabulary, --tokens and --bpe are for text");
        return pack_images(word[1], word[2], o);
    }
    if (strcmp(word[0], "text") != 0)
        return foci_fail(FOCI_ERR_CONFIG, "data pack: `%s` is neither images nor text", word[0]);
    if (o->size) return foci_fail(FOCI_ERR_CONFIG, "--size is for images");
    const bool subwords = o->tokens == FOCI_SUBWORDS;
    if ((o->tokens == FOCI_BYTES || subwords) && (o->vocab_limit || o->min_count))
        return foci_fail(FOCI_ERR_CONFIG, "--vocab-limit and --min-count are not for --tokens %s",
                         foci_token_kinds[o->tokens]);
    if (o->bpe && !subwords) return foci_fail(FOCI_ERR_CONFIG, "--bpe is for --tokens bpe");
    if (subwords && !o->bpe && !(o->vocabulary && foci_is_pack(o->vocabulary)))
        return foci_fail(FOCI_ERR_CONFIG, "--tokens bpe needs --bpe DIR, the tokenizer");
    return pack_text(word[1], word[2], o);
}

static const foci_command pack_command = {
    .name = "pack",
    .summary = "images, decoded and resized once, or the token ids of a text, in one file",
    .synopsis = "images|text FROM OUT",
    .doc = "Writes the file OUT, which data.train and the like may name: the images of a folder CLASS/FILE or a "
           ".tar, decoded and resized once (--size 256 suits training at 224), or the token ids and the vocabulary "
           "of a text.",
    .least = 3,
    .most = 3,
    .takes = FOCI_TAKES_THREADS,
    .size = sizeof(pack_settings),
    .options = {{pack_rows}},
    .run = pack,
};

/* ----------------------------------------------------------------------- foci data check|stats CONFIG */

static void print_line(void *context, const char *line) {
    (void)context;
    puts(line);
}

const foci_lines foci_to_output = {print_line, NULL};

static foci_status run_stats(const foci_parsed *parsed) {
    return foci_data_set_of(parsed->config)->count(parsed->config, &foci_to_output);
}

static foci_status run_check(const foci_parsed *parsed) {
    const foci_data_set *set = foci_data_set_of(parsed->config);
    if (set->check) FOCI_TRY(set->check(parsed->config, &foci_to_output));
    FOCI_TRY(set->count(parsed->config, &foci_to_output));
    return foci_train_check(parsed->config);
}

static const foci_command check_command = {
    .name = "check",
    .summary = "reads every file, naming each that is bad",
    .synopsis = "CONFIG",
    .doc = "Reads a data set file by file, naming each that is bad, and counts; refuses what foci train would refuse.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_SET | FOCI_TAKES_THREADS | FOCI_OPENS_CONFIG,
    .run = run_check,
};

static const foci_command stats_command = {
    .name = "stats",
    .summary = "counts",
    .synopsis = "CONFIG",
    .doc = "Counts a data set.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_SET | FOCI_TAKES_THREADS | FOCI_OPENS_CONFIG,
    .run = run_stats,
};

const foci_command foci_command_data = {
    .name = "data",
    .summary = "make, check and count data sets",
    .commands = (const foci_command *const[]){&make_command, &pack_command, &check_command, &stats_command,
                                              &foci_command_data_corrupt, &foci_command_data_show,
                                              &foci_command_data_bpe, NULL},
};
