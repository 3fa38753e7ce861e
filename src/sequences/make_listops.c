/* The built-in ListOps: expressions as the Long Range Arena draws its own. A part of a list is a digit in three of four
 * cases, else a list of 2 to `args` parts below one of the four operators, all equally likely; lists within `depth`
 * lists have digits alone. What is not longer than `shortest` and shorter than `longest` tokens is thrown away, and so
 * is what was there before: no expression stands twice in the three files. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/philox.h"
#include "data/generate.h"
#include "data/maker.h"
#include "sequences/listops.h"

static const double LIST = 0.25; /* the share of lists among the parts */

typedef struct drawing {
    const foci_listops_options *options;
    foci_rng random;
    int32_t *id; /* of the tokens so far */
    int64_t tokens;
} drawing;

/* false: it is too long. */
static bool put(drawing *d, int32_t id) {
    if (d->tokens == d->options->longest) return false;
    d->id[d->tokens++] = id;
    return true;
}

static bool draw(drawing *d, int64_t depth) {
    const bool list = depth < d->options->depth && foci_rng_uniform(&d->random) <= LIST;
    if (!list) return put(d, FOCI_LISTOPS_DIGIT + (int32_t)foci_rng_below(&d->random, 10));
    int64_t parts = 2 + (int64_t)foci_rng_below(&d->random, (uint32_t)(d->options->args - 1));
    bool fits = put(d, FOCI_LISTOPS_MIN + (int32_t)foci_rng_below(&d->random, 4));
    while (fits && parts-- > 0) fits = draw(d, depth + 1);
    return fits && put(d, FOCI_LISTOPS_END);
}

/* ------------------------------------------------------------------------------------------------ expressions */

/* Hashes of those that were written. */
typedef struct seen {
    uint64_t *hash; /* 0: free */
    size_t mask;
} seen;

static bool is_new(seen *s, const drawing *d) {
    uint64_t h = XXH3_64bits(d->id, (size_t)d->tokens * sizeof *d->id);
    h += h == 0;
    size_t at = (size_t)h & s->mask;
    while (s->hash[at] && s->hash[at] != h) at = (at + 1) & s->mask;
    if (s->hash[at]) return false;
    s->hash[at] = h;
    return true;
}

enum { MOST_TRIES = 1000000 };

/* Sample i of a file: the first of its own sequence of drawings that fits. */
static foci_status draw_sample(drawing *d, seen *s, const char *split, int64_t i) {
    const foci_listops_options *o = d->options;
    d->random = foci_rng_make((uint64_t)o->seed, foci_stream(split), (uint64_t)i);
    for (int tries = 0; tries < MOST_TRIES; tries++) {
        d->tokens = 0;
        if (draw(d, 1) && d->tokens > o->shortest && d->tokens < o->longest && is_new(s, d)) return FOCI_OK;
    }
    return foci_fail(FOCI_ERR_CONFIG,
                     "ListOps: none of %d drawings is new and longer than %" PRId64 " and shorter than %" PRId64
                     " tokens",
                     MOST_TRIES, o->shortest, o->longest);
}

/* Writes the part that begins at token `at` as the Long Range Arena does, "( ( ( [MAX 2 ) 9 ) ] )": every pair of an
 * operator so far and its next part in round brackets. Returns the token behind it. */
static int64_t print_part(FILE *f, const drawing *d, int64_t at) {
    char token[16];
    if (d->id[at] < FOCI_LISTOPS_MIN) return fprintf(f, "%d", d->id[at] - FOCI_LISTOPS_DIGIT), at + 1;
    int64_t parts = 0, depth = 0, end = at;
    do { /* parts of this list: what begins one level below it */
        const int32_t id = d->id[end++];
        parts += depth == 1 && id != FOCI_LISTOPS_END;
        depth += id == FOCI_LISTOPS_END ? -1 : id >= FOCI_LISTOPS_MIN;
    } while (depth);
    for (int64_t i = 0; i <= parts; i++) fputs("( ", f);
    foci_listops_token(d->id[at++], token);
    fputs(token, f);
    for (int64_t i = 0; i < parts; i++) {
        at = print_part(f, d, at);
        fputs(" ) ", f);
    }
    fputs("] )", f);
    return end;
}

static foci_status write_sample(FILE *f, const drawing *d) {
    char *text = NULL;
    size_t size;
    foci_listops e;
    FILE *memory = open_memstream(&text, &size);
    if (memory) print_part(memory, d, 0);
    if (!memory || fclose(memory)) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for an expression");
    const foci_status s = foci_listops_read(text, size, 0, NULL, &e);
    if (!s) fprintf(f, "%s\t%d\n", text, e.value);
    free(text);
    return s;
}

static foci_status write_file(const char *dir, const char *split, int64_t count, drawing *d, seen *s) {
    char path[4352];
    snprintf(path, sizeof path, "%s/basic_%s.tsv", dir, split);
    FILE *f = fopen(path, "wbe");
    if (!f) return foci_fail(FOCI_ERR_IO, "%s: %m", path);
    foci_status status = FOCI_OK;
    fputs("Source\tTarget\n", f);
    for (int64_t i = 0; i < count && !status; i++) {
        status = draw_sample(d, s, split, i);
        if (!status) status = write_sample(f, d);
    }
    const bool failed = ferror(f);
    if ((fclose(f) || failed) && !status) status = foci_fail(FOCI_ERR_IO, "%s: %m", path);
    return status;
}

static foci_status fill(const char *dir, const void *options) {
    const foci_listops_options *o = options;
    drawing d = {.options = o, .id = malloc((size_t)o->longest * sizeof *d.id)};
    seen s = {.mask = 1};
    while ((int64_t)s.mask < 2 * (o->train + o->val + o->test)) s.mask = 2 * s.mask + 1;
    s.hash = calloc(s.mask + 1, sizeof *s.hash);
    foci_status status = d.id && s.hash ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for expressions");
    if (!status) status = write_file(dir, "train", o->train, &d, &s);
    if (!status) status = write_file(dir, "val", o->val, &d, &s);
    if (!status) status = write_file(dir, "test", o->test, &d, &s);
    free(d.id);
    free(s.hash);
    return status;
}

foci_status foci_make_listops(const char *dir, const foci_listops_options *o) {
    char marker[320];
    if (o->shortest + 1 >= o->longest)
        return foci_fail(FOCI_ERR_CONFIG, "ListOps: no length is more than %" PRId64 " and less than %" PRId64,
                         o->shortest, o->longest);
    snprintf(marker, sizeof marker,
             "{\"foci_listops\": 1, \"train\": %" PRId64 ", \"val\": %" PRId64 ", \"test\": %" PRId64
             ", \"shortest\": %" PRId64 ", \"longest\": %" PRId64 ", \"depth\": %" PRId64 ", \"args\": %" PRId64
             ", \"seed\": %" PRId64 "}\n",
             o->train, o->val, o->test, o->shortest, o->longest, o->depth, o->args, o->seed);
    return foci_generate(dir, "foci-listops.json", marker, fill, o);
}

static const foci_key keys[] = {
    FOCI_KEY(foci_listops_options, train, "96000", 1, 1e8, NULL, "expressions for training"),
    FOCI_KEY(foci_listops_options, val, "2000", 1, 1e8, NULL, "expressions for validation"),
    FOCI_KEY(foci_listops_options, test, "2000", 1, 1e8, NULL, "expressions for test"),
    FOCI_KEY(foci_listops_options, shortest, "500", 0, 1e6, NULL, "all have more tokens"),
    FOCI_KEY(foci_listops_options, longest, "2000", 2, 1e6, NULL, "all have fewer tokens"),
    FOCI_KEY(foci_listops_options, depth, "10", 2, 1000, NULL, "lists within each other, digits counted"),
    FOCI_KEY(foci_listops_options, args, "10", 2, 1000, NULL, "most parts of a list"),
    FOCI_KEY(foci_listops_options, seed, "0", 0, 9e15, NULL, "of what is drawn"),
    {0}};

static foci_status make(const char *dir, const void *options) { return foci_make_listops(dir, options); }

const foci_maker foci_maker_listops = {
    .name = "listops",
    .summary = "expressions of lists and their values, as the Long Range Arena draws them",
    .keys = keys,
    .size = sizeof(foci_listops_options),
    .make = make,
};
