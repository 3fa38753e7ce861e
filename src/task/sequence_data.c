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

foci_status foci_sequence_files(foci_sequence_splits *s, const foci_config *c, unsigned splits,
                                foci_status (*open)(foci_sequences **s, const char *path)) {
    for (int i = 0; i < FOCI_SPLITS; i++) {
        const char *key = foci_splits[i].key, *path = foci_config_string(c, key);
        if (!(splits & foci_splits[i].flag)) continue;
        FOCI_TRY(foci_config_path(c, key));
        if (*path) FOCI_TRY(open(&s->of[i], path));
    }
    return FOCI_OK;
}

void foci_sequence_splits_close(foci_sequence_splits *s) {
    for (int i = 0; i < FOCI_SPLITS; i++) foci_sequences_close(s->of[i]);
    foci_vocabulary_free(s->words);
    *s = (foci_sequence_splits){.words = NULL};
}

static foci_status take_names(foci_sequence_splits *s, const char *const *names, int count) {
    for (int i = 0; i < FOCI_SPLITS; i++)
        if (s->of[i]) FOCI_TRY(foci_sequences_take_labels(s->of[i], names, count));
    return FOCI_OK;
}

/* Those of the training data for all. */
static foci_status take_training_names(foci_sequence_splits *s) {
    const int count = s->train ? foci_sequences_classes(s->train) : 0;
    const char **names = count ? malloc((size_t)count * sizeof *names) : NULL;
    if (!names) return count ? foci_fail(FOCI_ERR_RUNTIME, "out of memory for names of classes") : FOCI_OK;
    for (int k = 0; k < count; k++) names[k] = foci_sequences_class_name(s->train, k);
    const foci_status status = take_names(s, names, count);
    free(names);
    return status;
}

static foci_status label(foci_sequence_splits *s, const foci_config *c) {
    foci_labels l;
    FOCI_TRY(foci_labels_open(&l, c, foci_task_sequences.labels));
    const foci_status status = l.count ? take_names(s, l.name, (int)l.count) : take_training_names(s);
    foci_labels_close(&l);
    return status;
}

/* Does the model take them? */
static foci_status check_model(const foci_sequences *s, const char *key, const foci_config *c) {
    const int sides = foci_config_bool(c, "model.pair") ? 2 : 1;
    const int64_t vocab = foci_config_int(c, "model.vocab"), wanted = foci_config_int(c, "model.num_classes");
    const int64_t length = foci_config_int(c, "model.length");
    int height, width;
    if (foci_sequences_sides(s) != sides)
        return foci_config_fail(c, "model.pair", "%s has %s", foci_sequences_path(s),
                                sides == 2 ? "sequences by themselves: false" : "pairs of sequences: true");
    if (vocab && foci_sequences_vocabulary(s) > vocab)
        return foci_config_fail(c, "model.vocab", "%lld is less than the %lld tokens that %s may have",
                                (long long)vocab, (long long)foci_sequences_vocabulary(s), key);
    if (wanted && wanted != foci_sequences_classes(s))
        return foci_config_fail(c, "model.num_classes", "%lld, but %s has %d classes", (long long)wanted, key,
                                foci_sequences_classes(s));
    foci_sequences_shape(s, &height, &width);
    if ((int64_t)height * width > length)
        return foci_config_fail(c, "model.length", "%lld is less than the %d x %d pixels of %s", (long long)length,
                                width, height, foci_sequences_path(s));
    return FOCI_OK;
}

static foci_status finish(foci_sequence_splits *s, const foci_config *c) {
    FOCI_TRY(label(s, c));
    for (int i = 0; i < FOCI_SPLITS; i++)
        if (s->of[i]) FOCI_TRY(check_model(s->of[i], foci_splits[i].key, c));
    return FOCI_OK;
}

foci_status foci_sequence_splits_open(foci_sequence_splits *s, const foci_config *c, unsigned splits) {
    const foci_data_set *kind = foci_data_set_of(c);
    *s = (foci_sequence_splits){.words = NULL};
    if (strcmp(kind->task, "sequences") != 0)
        return foci_config_fail(c, "data.kind", "%s has no sequences", kind->name);
    foci_status status = kind->open(c, splits, s);
    if (!status) status = finish(s, c);
    if (status) foci_sequence_splits_close(s);
    return status;
}

foci_status foci_sequence_split(const foci_sequence_splits *s, const foci_config *c, const char *name,
                                foci_sequences **set) {
    int split;
    FOCI_TRY(foci_split_of("sequences", name, &split));
    *set = s->of[split];
    if (*set) return FOCI_OK;
    return foci_config_fail(c, "data.kind", "names no sequences for %s", foci_splits[split].what);
}

foci_status foci_sequence_splits_list(const foci_sequence_splits *s, foci_manifest *m) {
    for (int i = 0; i < FOCI_SPLITS; i++)
        if (s->of[i]) FOCI_TRY(foci_sequences_list(s->of[i], foci_splits[i].name, m));
    return FOCI_OK;
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

bool foci_sequences_unknown_text(const foci_sequences *s, const foci_vocabulary *words, char text[160]) {
    const int64_t count = foci_sequences_unknown(s);
    snprintf(text, 160, "%lld word%s that the vocabulary does not have, %s", (long long)count, foci_plural(count, "s"),
             words && foci_vocabulary_id(words, "<unk>") >= 0 ? "read as <unk>" : "passed over");
    return count > 0;
}

foci_status foci_sequences_check_words(const foci_vocabulary *words, const foci_config *c, const foci_model *model,
                                       const foci_parameters *p) {
    if (foci_config_int(c, "model.vocab")) return FOCI_OK;
    for (int i = 0; words && model->embedding && i < p->count; i++) {
        const foci_parameter_entry *e = &p->entry[i];
        if (!foci_names_within(e->name, model->embedding) || e->shape[0] == foci_vocabulary_size(words)) continue;
        return foci_fail(FOCI_ERR_CHECKPOINT, "the weights are of %lld words, those of the data are %lld",
                         (long long)e->shape[0], (long long)foci_vocabulary_size(words));
    }
    return FOCI_OK;
}

bool foci_sequences_fit(const foci_config *c) { return strcmp(foci_config_string(c, "data.pad"), "batch") == 0; }

static const char *class_name(const void *s, int64_t k) { return foci_sequences_class_name(s, (int)k); }
static const char *word(const void *v, int64_t k) { return foci_vocabulary_word(v, (int32_t)k); }
foci_status foci_sequences_mean(const foci_sequences *s, const foci_vocabulary *words, foci_meaning *m) {
    FOCI_TRY(foci_meaning_add_names(m, foci_task_sequences.labels, foci_sequences_classes(s), class_name, s));
    if (!words) return FOCI_OK;
    return foci_meaning_add_names(m, foci_task_sequences.words, foci_vocabulary_size(words), word, words);
}
