#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "cli/data_corrupt.h"
#include "cli/data_show.h"
#include "task/data_sets.h"
#include "text/text.h"

/* ----------------------------------------------------------------------------- foci data make KIND DIR */

typedef struct make_options {
    long long size, train, val, test, words, seed; /* -1: the default of the kind */
} make_options;

enum { SIZE = 1, TRAIN, VAL, TEST, WORDS, SEED };
static const struct argp_option make_table[] = {
    {"train", TRAIN, "N", 0, "training images (default 6,000) or, about, tokens (400,000)", 0},
    {"val", VAL, "N", 0, "validation images (default 1,000) or tokens (20,000)", 0},
    {"test", TEST, "N", 0, "text: test tokens (default 20,000)", 0},
    {"size", SIZE, "N", 0, "images: side in pixels (default 32)", 0},
    {"words", WORDS, "N", 0, "text: size of the vocabulary, about (default 2,000)", 0},
    {"seed", SEED, "N", 0, "another data set of the same kind (default 0)", 0},
    {"valid", VAL, NULL, OPTION_ALIAS, NULL, 0},
    {0}};

static foci_status set_make_option(void *state, int key, char *arg) {
    make_options *o = state;
    switch (key) {
    case SIZE: return foci_parse_int("--size", arg, 16, 512, &o->size);
    case TRAIN: return foci_parse_int("--train", arg, 1, 1000000000, &o->train);
    case VAL: return foci_parse_int("--val", arg, 1, 1000000000, &o->val);
    case TEST: return foci_parse_int("--test", arg, 1, 1000000000, &o->test);
    case WORDS: return foci_parse_int("--words", arg, 50, 1000000, &o->words);
    default: return foci_parse_int("--seed", arg, 0, 1LL << 53, &o->seed);
    }
}

static long long or_default(long long chosen, long long usual) { return chosen < 0 ? usual : chosen; }

static foci_status make(int argc, char **argv) {
    make_options o = {-1, -1, -1, -1, -1, -1};
    const char *rest[2];
    int count;
    bool done;
    const foci_arguments a = {make_table, set_make_option, &o, "images|text DIR",
                              "Generates a built-in data set: images whose classes differ in shape and context (an ImageFolder), or text of a "
                              "grammar with agreement over long distances (WikiText format).",
                              false, 2, 2};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, NULL, rest, &count, &done));
    if (done) return FOCI_OK;
    int64_t seed = or_default(o.seed, 0);
    if (strcmp(rest[0], "images") == 0) {
        if (o.words >= 0 || o.test >= 0) return foci_fail(FOCI_ERR_CONFIG, "--words and --test are for text");
        return foci_make_images(rest[1], &(foci_shapes_options){or_default(o.size, 32), or_default(o.train, 6000), or_default(o.val, 1000), seed});
    }
    if (strcmp(rest[0], "text") != 0) return foci_fail(FOCI_ERR_CONFIG, "data make: `%s` is neither images nor text", rest[0]);
    if (o.size >= 0) return foci_fail(FOCI_ERR_CONFIG, "--size is for images");
    return foci_make_text(rest[1], &(foci_grammar_options){or_default(o.train, 400000), or_default(o.val, 20000), or_default(o.test, 20000),
                                                           or_default(o.words, 2000), seed});
}

/* ---------------------------------------------------------------------- foci data pack images|text FROM OUT */

typedef struct pack_options {
    long long size, limit; /* -1: not given */
    const char *vocabulary;
} pack_options;

enum { LIMIT = SEED + 1, VOCABULARY };
static const struct argp_option pack_table[] = {
    {"size", SIZE, "N", 0, "images: the shorter side is reduced to N pixels (default: sizes stay)", 0},
    {"vocab-limit", LIMIT, "N", 0, "text: keep the N most frequent words, the others are <unk> (default: all)", 0},
    {"vocabulary", VOCABULARY, "TRAIN", 0, "text: take the words of this training text or pack of one (default: FROM's own)", 0},
    {0}};

static foci_status set_pack_option(void *state, int key, char *arg) {
    pack_options *o = state;
    switch (key) {
    case SIZE: return foci_parse_int("--size", arg, 1, 16384, &o->size);
    case LIMIT: return foci_parse_int("--vocab-limit", arg, 2, 100000000, &o->limit);
    default: o->vocabulary = arg; return FOCI_OK;
    }
}

static foci_status pack_images(const char *from, const char *to, const pack_options *o) {
    foci_image_set *set;
    FOCI_TRY(foci_image_set_open(&set, from));
    foci_catch_signals();
    foci_status s = foci_pack_images(to, set, (int)or_default(o->size, 0), &foci_on_terminal);
    if (!s) printf("%s: %lld images in %d classes\n", to, (long long)foci_image_set_count(set), foci_image_set_classes(set));
    foci_image_set_close(set);
    return s;
}

static foci_status pack_text(const char *from, const char *to, const pack_options *o) {
    foci_vocabulary *v;
    foci_tokens t = {0};
    FOCI_TRY(foci_vocabulary_cached(&v, o->vocabulary ? o->vocabulary : from, or_default(o->limit, 0)));
    foci_status s = foci_tokens_read(&t, v, from);
    if (!s) s = foci_pack_text(to, &t, v);
    if (!s) printf("%s: %lld tokens, %lld words\n", to, (long long)t.count, (long long)foci_vocabulary_size(v));
    foci_tokens_free(&t);
    foci_vocabulary_free(v);
    return s;
}

static foci_status pack(int argc, char **argv) {
    pack_options o = {-1, -1, NULL};
    const char *rest[3];
    int count;
    bool done;
    const foci_arguments a = {pack_table, set_pack_option, &o, "images|text FROM OUT",
                              "Writes the file OUT, which data.train and the like may name: the images of a folder CLASS/FILE or a .tar, decoded "
                              "and resized once (--size 256 suits training at 224), or the token ids and the vocabulary of a text.",
                              false, 3, 3};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, NULL, rest, &count, &done));
    if (done) return FOCI_OK;
    if (strcmp(rest[0], "images") == 0) {
        if (o.limit >= 0 || o.vocabulary) return foci_fail(FOCI_ERR_CONFIG, "--vocab-limit and --vocabulary are for text");
        return pack_images(rest[1], rest[2], &o);
    }
    if (strcmp(rest[0], "text") != 0) return foci_fail(FOCI_ERR_CONFIG, "data pack: `%s` is neither images nor text", rest[0]);
    if (o.size >= 0) return foci_fail(FOCI_ERR_CONFIG, "--size is for images");
    return pack_text(rest[1], rest[2], &o);
}

/* ----------------------------------------------------------------------- foci data check|stats CONFIG */

static void print_line(void *context, const char *line) {
    (void)context;
    puts(line);
}

static foci_status look(const foci_config *config, bool checking) {
    const foci_data_set *set = foci_data_set_of(config);
    const foci_lines lines = {print_line, NULL};
    if (checking && set->check) FOCI_TRY(set->check(config, &lines));
    return set->count(config, &lines);
}

static foci_status with_config(int argc, char **argv, bool checking) {
    foci_common common = {0};
    const char *path[1];
    int count;
    bool done;
    const foci_arguments a = {NULL, NULL, NULL, "CONFIG",
                              checking ? "Reads a data set file by file, naming each that is bad, and counts." : "Counts a data set.", true, 1, 1};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, &common, path, &count, &done));
    if (done) return FOCI_OK;
    foci_config *config;
    FOCI_TRY(foci_open_config(&config, path[0], &common));
    foci_status s = look(config, checking);
    foci_config_free(config);
    return s;
}

static foci_status check_config(int argc, char **argv) { return with_config(argc, argv, true); }
static foci_status count_config(int argc, char **argv) { return with_config(argc, argv, false); }

foci_status foci_cmd_data(int argc, char **argv) {
    static const foci_command commands[] = {
        {"make", "generates a built-in data set", make},
        {"pack", "images, decoded and resized once, or the token ids of a text, in one file", pack},
        {"check", "reads every file, naming each that is bad", check_config},
        {"stats", "counts", count_config},
        {"corrupt", "corrupted copies of images, as in ImageNet-C", foci_data_corrupt},
        {"show", "draws training images as the model gets them, with their labels", foci_data_show},
        {0}};
    return foci_run_command("foci data", commands, argc, argv);
}
