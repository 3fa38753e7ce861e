#include "task/sequence_data.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/config.h"
#include "task/task.h"

const foci_key foci_sequence_keys[] = {
    FOCI_KEY(foci_sequence_keys_of, cut, "0", 0, 65536, NULL,
             "sequences lose what is behind so many tokens; 0: behind model.length"),
    FOCI_KEY(foci_sequence_keys_of, workers, "2", 1, 64, NULL, "threads that prepare batches", .may_change = true),
    {0}};

static foci_sequence_keys_of read_keys(const foci_config *c) {
    foci_sequence_keys_of o;
    foci_config_read(c, "data", foci_sequence_keys, &o);
    return o;
}

int64_t foci_sequence_cut(const foci_config *c) {
    const int64_t length = foci_config_int(c, "model.length"), cut = read_keys(c).cut;
    return cut && cut < length ? cut : length;
}

/* -------------------------------------------------------------------------------------------------- opening */

typedef struct place {
    unsigned split;
    const char *key;
    foci_sequences *set;
} place;
enum { SPLITS = 3 };
static void places_of(const foci_sequence_splits *s, place p[SPLITS]) {
    p[0] = (place){FOCI_TRAIN, "data.train", s->train};
    p[1] = (place){FOCI_VALID, "data.val", s->val};
    p[2] = (place){FOCI_TEST, "data.test", s->test};
}

foci_status foci_sequence_file(foci_sequences **s, const foci_config *c, const char *key,
                               foci_status (*open)(foci_sequences **s, const char *path)) {
    const char *path = foci_config_string(c, key);
    FOCI_TRY(foci_config_path(c, key));
    return *path ? open(s, path) : FOCI_OK;
}

void foci_sequence_splits_close(foci_sequence_splits *s) {
    foci_sequences_close(s->train);
    foci_sequences_close(s->val);
    foci_sequences_close(s->test);
    *s = (foci_sequence_splits){NULL, NULL, NULL};
}

static foci_status take_names(place p[SPLITS], const char *const *names, int count) {
    for (int i = 0; i < SPLITS; i++)
        if (p[i].set) FOCI_TRY(foci_sequences_take_labels(p[i].set, names, count));
    return FOCI_OK;
}

/* Those of the training data for all. */
static foci_status take_training_names(place p[SPLITS]) {
    const int count = p[0].set ? foci_sequences_classes(p[0].set) : 0;
    const char **names = count ? malloc((size_t)count * sizeof *names) : NULL;
    if (!names) return count ? foci_fail(FOCI_ERR_RUNTIME, "out of memory for names of classes") : FOCI_OK;
    for (int k = 0; k < count; k++) names[k] = foci_sequences_class_name(p[0].set, k);
    foci_status status = FOCI_OK;
    for (int i = 1; i < SPLITS && !status; i++)
        if (p[i].set) status = foci_sequences_take_labels(p[i].set, names, count);
    free(names);
    return status;
}

static foci_status label(place p[SPLITS], const foci_config *c) {
    foci_labels l;
    FOCI_TRY(foci_labels_open(&l, c, foci_task_sequences.labels));
    const foci_status status = l.count ? take_names(p, l.name, (int)l.count) : take_training_names(p);
    foci_labels_close(&l);
    return status;
}

/* Does the model take them? */
static foci_status check_model(const place *p, const foci_config *c) {
    const int sides = foci_config_bool(c, "model.pair") ? 2 : 1;
    const int64_t vocab = foci_config_int(c, "model.vocab"), wanted = foci_config_int(c, "model.num_classes");
    const int64_t length = foci_config_int(c, "model.length");
    int height, width;
    if (foci_sequences_sides(p->set) != sides)
        return foci_config_fail(c, "model.pair", "%s has %s", foci_sequences_path(p->set),
                                sides == 2 ? "sequences by themselves: false" : "pairs of sequences: true");
    if (foci_sequences_vocabulary(p->set) > vocab)
        return foci_config_fail(c, "model.vocab", "%lld is less than the %lld tokens that %s may have",
                                (long long)vocab, (long long)foci_sequences_vocabulary(p->set), p->key);
    if (wanted && wanted != foci_sequences_classes(p->set))
        return foci_config_fail(c, "model.num_classes", "%lld, but %s has %d classes", (long long)wanted, p->key,
                                foci_sequences_classes(p->set));
    foci_sequences_shape(p->set, &height, &width);
    if ((int64_t)height * width > length)
        return foci_config_fail(c, "model.length", "%lld is less than the %d x %d pixels of %s", (long long)length,
                                width, height, foci_sequences_path(p->set));
    return FOCI_OK;
}

static foci_status finish(foci_sequence_splits *s, const foci_config *c) {
    place p[SPLITS];
    places_of(s, p);
    FOCI_TRY(label(p, c));
    for (int i = 0; i < SPLITS; i++)
        if (p[i].set) FOCI_TRY(check_model(&p[i], c));
    return FOCI_OK;
}

foci_status foci_sequence_splits_open(foci_sequence_splits *s, const foci_config *c, unsigned splits) {
    const foci_data_set *kind = foci_data_set_of(c);
    *s = (foci_sequence_splits){NULL, NULL, NULL};
    if (strcmp(kind->task, "sequences") != 0)
        return foci_config_fail(c, "data.kind", "%s has no sequences", kind->name);
    foci_status status = kind->open(c, splits, s);
    if (!status) status = finish(s, c);
    if (status) foci_sequence_splits_close(s);
    return status;
}

foci_status foci_sequence_split(const foci_sequence_splits *s, const foci_config *c, const char *name,
                                foci_sequences **set) {
    const bool test = strcmp(name, "test") == 0;
    if (!test && strcmp(name, "val") != 0 && strcmp(name, "valid") != 0)
        return foci_fail(FOCI_ERR_CONFIG, "sequences have the splits val and test, not %s", name);
    *set = test ? s->test : s->val;
    return *set ? FOCI_OK : foci_config_fail(c, "data.kind", "names no sequences for %s", test ? "test" : "validation");
}

/* ---------------------------------------------------------------------------------------------- what they are */

bool foci_sequences_cut_text(const foci_sequences *s, int64_t cut, char text[160]) {
    const int64_t count = foci_sequences_count(s);
    int64_t longer = 0;
    for (int64_t i = 0; i < count; i++)
        for (int side = 0; side < foci_sequences_sides(s); side++) longer += foci_sequences_length(s, i, side) > cut;
    snprintf(text, 160, "%lld of %lld sequence%s longer than %lld tokens, cut there", (long long)longer,
             (long long)count * foci_sequences_sides(s), foci_plural(count, "s"), (long long)cut);
    return longer > 0;
}

foci_status foci_sequences_mean(const foci_sequences *s, foci_meaning *m) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    for (int k = 0; f && k < foci_sequences_classes(s); k++) fprintf(f, "%s\n", foci_sequences_class_name(s, k));
    foci_status status = f && fclose(f) == 0 ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for names");
    if (!status) status = foci_meaning_add(m, foci_task_sequences.labels, text);
    free(text);
    return status;
}
