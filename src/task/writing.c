#define _GNU_SOURCE
#include "task/writing.h"

#include <stdlib.h>
#include <string.h>

#include "task/prompt.h"

/* ------------------------------------------------------------------------------------------------- as bytes */

static foci_status append(foci_written *t, const char *bytes, size_t size) {
    if (t->size + size + 1 > t->room) {
        const size_t room = 2 * (t->size + size) + 64;
        char *grown = realloc(t->text, room);
        if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a text");
        t->text = grown;
        t->room = room;
    }
    memcpy(t->text + t->size, bytes, size);
    t->text[t->size += size] = 0;
    return FOCI_OK;
}

static bool line_begins(const foci_written *t) { return !t->size || t->text[t->size - 1] == '\n'; }

/* Words have blanks between, an <eos> is the end of a line; subwords are what they are. */
static foci_status spell(foci_written *t, const foci_vocabulary *v, int32_t id) {
    char text[FOCI_WORD_MAX + 1];
    const bool end = !foci_vocabulary_bpe(v) && strcmp(foci_vocabulary_word(v, id), "<eos>") == 0;
    if (end) return append(t, "\n", 1);
    if (foci_vocabulary_tokens(v) == FOCI_WORDS && !line_begins(t)) FOCI_TRY(append(t, " ", 1));
    return append(t, text, foci_vocabulary_spell(v, id, text));
}

foci_status foci_written_begin(foci_written *t, const foci_writing *w, const char *prompt, int64_t number) {
    const foci_bpe *bpe = foci_vocabulary_bpe(w->vocabulary);
    *t = (foci_written){.prompt = prompt, .number = number};
    FOCI_TRY(foci_prompt_read(&t->ids, w->vocabulary, prompt));
    if (!(t->logprob = malloc((size_t)w->words * sizeof *t->logprob)))
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld words", (long long)w->words);
    t->asked = t->ids.count;
    for (int64_t i = bpe && foci_bpe_end_of_text(bpe) < 0 ? 0 : 1; i < t->asked;
         i++) /* but for what begins every text */
        FOCI_TRY(spell(t, w->vocabulary, t->ids.id[i]));
    t->begin = t->size;
    return append(t, "", 0);
}

void foci_written_close(foci_written *t) {
    free(t->ids.id);
    free(t->logprob);
    free(t->text);
    *t = (foci_written){.prompt = NULL};
}

static size_t longest_stop(const foci_writing *w) {
    size_t longest = 0;
    for (const char *const *s = w->stop; s && *s; s++) longest = strlen(*s) > longest ? strlen(*s) : longest;
    return longest;
}

size_t foci_written_sure(const foci_written *t, const foci_writing *w) {
    const size_t longest = longest_stop(w), open = longest ? longest - 1 : 0, written = t->size - t->begin;
    return t->over ? t->size : t->size - (open < written ? open : written);
}

/* Of what was written the bytes from `from` on are new: cuts the text where one to stop at begins. */
static void stop_at(foci_written *t, const foci_writing *w, size_t from) {
    const size_t longest = longest_stop(w), back = longest ? longest - 1 : 0,
                 first = from > t->begin + back ? from - back : t->begin;
    const char *cut = NULL;
    for (const char *const *s = w->stop; s && *s; s++) {
        const char *found = memmem(t->text + first, t->size - first, *s, strlen(*s));
        if (found && (!cut || found < cut)) cut = found;
    }
    if (!cut) return;
    t->size = (size_t)(cut - t->text);
    t->text[t->size] = 0;
    t->over = true;
}

/* -------------------------------------------------------------------------------------------------- writing */

static bool ends(const foci_writing *w, int32_t id) {
    const foci_bpe *bpe = foci_vocabulary_bpe(w->vocabulary);
    return bpe && !w->past_end && id == foci_bpe_end_of_text(bpe);
}

static foci_status write_word(foci_written *t, const foci_writing *w, const foci_real *logprob, int64_t step) {
    foci_sampling s = w->sampling;
    int32_t id;
    s.text = (uint64_t)t->number;
    s.seen = t->ids.id;
    s.seen_words = t->ids.count;
    FOCI_TRY(foci_sample(&s, logprob, foci_vocabulary_size(w->vocabulary), (uint64_t)step, &id));
    if ((t->over = ends(w, id))) return FOCI_OK;
    t->logprob[t->ids.count - t->asked] = (double)logprob[id];
    FOCI_TRY(foci_ids_add(&t->ids, &id, 1));
    const size_t before = t->size;
    FOCI_TRY(spell(t, w->vocabulary, id));
    stop_at(t, w, before);
    return FOCI_OK;
}

/* A text that is over stays in its row: what comes behind it is not looked at. */
static foci_status write_group(const foci_writing *w, foci_generator *g, foci_written *const *text, int64_t count,
                               int32_t *next) {
    const int64_t words = foci_vocabulary_size(w->vocabulary);
    bool over = false;
    for (int64_t step = 0; step < w->words && !over; step++) {
        const foci_real *logprob;
        FOCI_TRY(foci_generator_next(g, &logprob));
        over = true;
        for (int64_t i = 0; i < count; i++) {
            if (!text[i]->over) FOCI_TRY(write_word(text[i], w, logprob + i * words, step));
            next[i] = text[i]->ids.id[text[i]->ids.count - 1];
            over &= text[i]->over;
            if (w->told && count == 1) w->told(w->context, text[i]);
        }
        FOCI_TRY(foci_generator_add(g, next, 1));
    }
    return FOCI_OK;
}

/* Texts whose prompts have as many words. */
static foci_status write_alike(const foci_writing *w, const foci_generator_options *options, foci_parameters *p,
                               foci_written *const *text, int64_t count) {
    const int64_t asked = text[0]->asked;
    foci_generator_options o = *options;
    foci_generator g;
    o.rows = count;
    int32_t *ids = malloc((size_t)(count * (asked + 1)) * sizeof *ids), *next = ids + count * asked;
    if (!ids) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld prompts", (long long)count);
    for (int64_t i = 0; i < count; i++) memcpy(ids + i * asked, text[i]->ids.id, (size_t)asked * sizeof *ids);
    foci_status s = foci_generator_open(&g, &o, p);
    if (!s) s = foci_generator_add(&g, ids, asked);
    if (!s) s = write_group(w, &g, text, count, next);
    foci_generator_close(&g);
    free(ids);
    return s;
}

static int by_length(const void *a, const void *b) {
    const foci_written *x = *(foci_written *const *)a, *y = *(foci_written *const *)b;
    if (x->asked != y->asked) return x->asked < y->asked ? -1 : 1;
    return (x > y) - (x < y);
}

foci_status foci_write_texts(const foci_writing *w, const foci_generator_options *g, foci_parameters *p,
                             foci_written *text, int64_t count) {
    foci_written **order = malloc((size_t)count * sizeof *order);
    foci_status s = order ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld texts", (long long)count);
    for (int64_t i = 0; i < count && !s; i++) order[i] = &text[i];
    if (!s) qsort(order, (size_t)count, sizeof *order, by_length);
    for (int64_t first = 0, end; first < count && !s; first = end) {
        for (end = first + 1; end < count && end < first + w->at_once && order[end]->asked == order[first]->asked;)
            end++;
        s = write_alike(w, g, p, order + first, end - first);
    }
    free(order);
    return s;
}
