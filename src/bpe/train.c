/* Merges are learnt: the most frequent pair of neighbours becomes a token, again and again. What a merge changes is
 * counted anew, in the words that have its pair; the most frequent one comes from a heap, whose entries may be of
 * counts that are no longer true. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "bpe/census.h"
#include "bpe/tokenizer.h"

typedef struct word { /* a piece, as the tokens that it has become */
    int32_t *id;
    int32_t length;
    int64_t count;
} word;

typedef struct pair_state {
    int64_t count;
    int32_t *word; /* (words) where it may be; one may stand there several times */
    int32_t words, room;
    bool grew; /* in this merge */
} pair_state;

typedef struct candidate {
    int64_t count;
    int32_t pair;
} candidate;

typedef struct trainer {
    foci_bpe *bpe;
    int64_t next; /* number of the next token */
    foci_pieces pieces;
    word *word;
    int32_t *ids;        /* of all words */
    bool *place;         /* (of the longest word) */
    int32_t number[256]; /* tokens of the bytes */
    foci_pairs pair;
    pair_state *state; /* (pair.count) */
    int64_t room;
    candidate *heap;
    int64_t heap_count, heap_room;
    int32_t *grown; /* pairs that this merge made more frequent */
    int64_t grown_count, grown_room;
} trainer;

static foci_status out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a training of tokens"); }

/* Room for one more element of a list. */
static foci_status reserve(void *list, size_t size, int64_t count, int64_t *room) {
    void **at = list;
    if (count < *room) return FOCI_OK;
    void *grown = realloc(*at, (size_t)(2 * *room + 1024) * size);
    if (!grown) return out_of_memory();
    *at = grown;
    *room = 2 * *room + 1024;
    return FOCI_OK;
}

/* --------------------------------------------------------------------------------------------------- heap */

static bool is_before(const trainer *t, candidate a, candidate b) {
    const foci_pair p = t->pair.item[a.pair], q = t->pair.item[b.pair];
    if (a.count != b.count) return a.count > b.count;
    return p.left != q.left ? p.left < q.left : p.right < q.right;
}

static foci_status push(trainer *t, candidate one) {
    FOCI_TRY(reserve(&t->heap, sizeof *t->heap, t->heap_count, &t->heap_room));
    int64_t at = t->heap_count++;
    for (; at && is_before(t, one, t->heap[(at - 1) / 2]); at = (at - 1) / 2) t->heap[at] = t->heap[(at - 1) / 2];
    t->heap[at] = one;
    return FOCI_OK;
}

static candidate pop(trainer *t) {
    const candidate first = t->heap[0], last = t->heap[--t->heap_count];
    int64_t at = 0;
    for (int64_t next; (next = 2 * at + 1) < t->heap_count; at = next) {
        if (next + 1 < t->heap_count && is_before(t, t->heap[next + 1], t->heap[next])) next++;
        if (!is_before(t, t->heap[next], last)) break;
        t->heap[at] = t->heap[next];
    }
    t->heap[at] = last;
    return first;
}

/* The most frequent pair; -1: none is left. A pair that lost some is put back by what it has; one that gained some was
 * put there again, and this entry is dropped. */
static foci_status best(trainer *t, int32_t *pair) {
    *pair = -1;
    while (t->heap_count) {
        const candidate c = pop(t);
        const int64_t now = t->state[c.pair].count;
        if (now == c.count) return *pair = c.pair, FOCI_OK;
        if (now && now < c.count) FOCI_TRY(push(t, (candidate){now, c.pair}));
    }
    return FOCI_OK;
}

/* -------------------------------------------------------------------------------------------------- counts */

static foci_status find_pair(trainer *t, int32_t left, int32_t right, int32_t *pair) {
    *pair = foci_pairs_add(&t->pair, (foci_pair){left, right});
    if (*pair < 0) return out_of_memory();
    const int64_t before = t->room;
    if (t->pair.count > before) {
        FOCI_TRY(reserve(&t->state, sizeof *t->state, before, &t->room));
        memset(t->state + before, 0, (size_t)(t->room - before) * sizeof *t->state);
    }
    return FOCI_OK;
}

static foci_status note_word(pair_state *s, int32_t w) {
    if (s->words && s->word[s->words - 1] == w) return FOCI_OK;
    if (s->words == s->room) {
        const int32_t room = s->room < INT32_MAX / 2 - 4 ? 2 * s->room + 4 : 0;
        int32_t *grown = room ? realloc(s->word, (size_t)room * sizeof *grown) : NULL;
        if (!grown) return out_of_memory();
        s->word = grown;
        s->room = room;
    }
    s->word[s->words++] = w;
    return FOCI_OK;
}

static foci_status gain(trainer *t, int32_t w, int32_t left, int32_t right) {
    int32_t pair;
    FOCI_TRY(find_pair(t, left, right, &pair));
    pair_state *s = t->state + pair;
    s->count += t->word[w].count;
    if (!s->grew) {
        s->grew = true;
        FOCI_TRY(reserve(&t->grown, sizeof *t->grown, t->grown_count, &t->grown_room));
        t->grown[t->grown_count++] = pair;
    }
    return note_word(s, w);
}

static void lose(trainer *t, int32_t w, int32_t left, int32_t right) {
    t->state[foci_pairs_find(&t->pair, (foci_pair){left, right})].count -= t->word[w].count;
}

static foci_status end_merge(trainer *t) {
    for (int64_t i = 0; i < t->grown_count; i++) {
        pair_state *s = t->state + t->grown[i];
        s->grew = false;
        if (s->count) FOCI_TRY(push(t, (candidate){s->count, t->grown[i]}));
    }
    t->grown_count = 0;
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------- merging */

/* The places of the pair, from left to right: which tokens are part of one. */
static bool find_places(trainer *t, const word *w, foci_pair p) {
    bool any = false;
    memset(t->place, 0, (size_t)w->length);
    for (int32_t i = 0; i + 1 < w->length; i++) {
        if (w->id[i] != p.left || w->id[i + 1] != p.right) continue;
        t->place[i] = t->place[i + 1] = any = true;
        i++;
    }
    return any;
}

/* What is a place becomes one token, and stays marked. */
static void join_places(trainer *t, word *w, int32_t made) {
    int32_t n = 0;
    for (int32_t i = 0; i < w->length; n++) {
        t->place[n] = t->place[i];
        w->id[n] = t->place[n] ? made : w->id[i];
        i += t->place[n] ? 2 : 1;
    }
    w->length = n;
}

/* Pairs beside the places become others; all others stay. */
static foci_status merge_word(trainer *t, int32_t number, foci_pair p, int32_t made) {
    word *w = t->word + number;
    if (!find_places(t, w, p)) return FOCI_OK;
    for (int32_t i = 0; i + 1 < w->length; i++)
        if (t->place[i] || t->place[i + 1]) lose(t, number, w->id[i], w->id[i + 1]);
    join_places(t, w, made);
    for (int32_t i = 0; i + 1 < w->length; i++)
        if (t->place[i] || t->place[i + 1]) FOCI_TRY(gain(t, number, w->id[i], w->id[i + 1]));
    return FOCI_OK;
}

static foci_string string_of(const trainer *t, int32_t id) {
    return (foci_string){t->bpe->token[id].text, t->bpe->token[id].size};
}

/* The token of both strings, perhaps a new one; -1: it would be too long. */
static foci_status make_token(trainer *t, foci_pair p, int32_t *made) {
    const foci_string left = string_of(t, p.left), right = string_of(t, p.right);
    char both[2 * FOCI_TOKEN_MAX];
    memcpy(both, left.text, left.size);
    memcpy(both + left.size, right.text, right.size);
    *made = -1;
    if (left.size + right.size > FOCI_TOKEN_MAX) return FOCI_OK;
    const int32_t at = foci_strings_find(&t->bpe->string, both, left.size + right.size);
    if (at < 0) FOCI_TRY(foci_bpe_put(t->bpe, t->next, both, left.size + right.size, false));
    *made = at < 0 ? (int32_t)t->next++ : t->bpe->id_of[at];
    return foci_bpe_put_merge(t->bpe, left, right);
}

static foci_status merge(trainer *t, int32_t pair) {
    const foci_pair p = t->pair.item[pair];
    const int32_t words = t->state[pair].words;
    int32_t *list = t->state[pair].word, made;
    FOCI_TRY(make_token(t, p, &made));
    if (made < 0) return FOCI_OK;
    t->state[pair].word = NULL;
    t->state[pair].words = t->state[pair].room = 0;
    foci_status s = FOCI_OK;
    for (int32_t i = 0; i < words && !s; i++) s = merge_word(t, list[i], p, made);
    free(list);
    return s ? s : end_merge(t);
}

/* -------------------------------------------------------------------------------------------- the training */

static foci_status begin_words(trainer *t) {
    const foci_strings *pieces = &t->pieces.piece;
    size_t bytes = 1, longest = 1;
    for (int64_t i = 0; i < pieces->count; i++) {
        bytes += pieces->item[i].size;
        if (pieces->item[i].size > longest) longest = pieces->item[i].size;
    }
    t->word = calloc((size_t)pieces->count + 1, sizeof *t->word);
    t->ids = malloc(bytes * sizeof *t->ids);
    t->place = malloc(longest);
    return t->word && t->ids && t->place ? FOCI_OK : out_of_memory();
}

/* Every piece, as bytes, with its pairs. */
static foci_status count_pairs(trainer *t) {
    const foci_strings *pieces = &t->pieces.piece;
    int32_t *at = t->ids;
    for (int32_t i = 0; i < pieces->count; i++) {
        word *w = t->word + i;
        *w = (word){at, (int32_t)pieces->item[i].size, t->pieces.count[i]};
        for (int32_t k = 0; k < w->length; k++) *at++ = t->number[(unsigned char)pieces->item[i].text[k]];
        for (int32_t k = 0; k + 1 < w->length; k++) FOCI_TRY(gain(t, i, w->id[k], w->id[k + 1]));
    }
    return end_merge(t);
}

static foci_status put_bytes(trainer *t) {
    for (; t->next < 256; t->next++) {
        const char text = (char)foci_byte_numbered((int)t->next);
        t->number[(unsigned char)text] = (int32_t)t->next;
        FOCI_TRY(foci_bpe_put(t->bpe, t->next, &text, 1, false));
    }
    return FOCI_OK;
}

static foci_status learn(trainer *t, const foci_bpe_training *o) {
    const int64_t end = o->size - o->specials;
    int32_t pair;
    while (t->next < end) {
        FOCI_TRY(best(t, &pair));
        if (pair < 0 || t->state[pair].count < o->min_frequency) return FOCI_OK;
        FOCI_TRY(merge(t, pair));
        foci_watch_tell(o->watch, t->next, end);
        FOCI_TRY(foci_watch_stopped(o->watch));
    }
    return FOCI_OK;
}

static foci_status put_specials(trainer *t, const foci_bpe_training *o) {
    for (int i = 0; i < o->specials; i++)
        FOCI_TRY(foci_bpe_put(t->bpe, t->next++, o->special[i], strlen(o->special[i]), true));
    t->bpe->size = t->next;
    return foci_bpe_finish(t->bpe);
}

static void count_tokens(const trainer *t, foci_bpe_training *o) {
    o->bytes = t->pieces.bytes;
    o->kinds = t->pieces.piece.count;
    o->pieces = o->tokens = o->whole = 0;
    for (int64_t i = 0; i < o->kinds; i++) {
        o->pieces += t->word[i].count;
        o->tokens += t->word[i].count * t->word[i].length;
        o->whole += t->word[i].length == 1 ? t->word[i].count : 0;
    }
}

static foci_status run(trainer *t, const char *const *path, int paths, foci_bpe_training *o) {
    FOCI_TRY(foci_bpe_begin(&t->bpe, o->size));
    FOCI_TRY(put_bytes(t));
    FOCI_TRY(foci_pieces_count(&t->pieces, path, paths, o->documents));
    FOCI_TRY(begin_words(t));
    FOCI_TRY(count_pairs(t));
    FOCI_TRY(learn(t, o));
    count_tokens(t, o);
    return put_specials(t, o);
}

static void close_trainer(trainer *t) {
    for (int64_t i = 0; i < t->pair.count && i < t->room; i++) free(t->state[i].word);
    foci_pieces_free(&t->pieces);
    foci_pairs_free(&t->pair);
    free(t->word);
    free(t->ids);
    free(t->place);
    free(t->state);
    free(t->heap);
    free(t->grown);
}

foci_status foci_bpe_train(foci_bpe **bpe, const char *const *path, int paths, foci_bpe_training *o) {
    trainer t = {.next = 0};
    *bpe = NULL;
    if (o->size < 256 + o->specials)
        return foci_fail(FOCI_ERR_CONFIG, "%" PRId64 " tokens: at least %d, the bytes and the special ones", o->size,
                         256 + o->specials);
    const foci_status s = run(&t, path, paths, o);
    close_trainer(&t);
    if (s) foci_bpe_free(t.bpe);
    else *bpe = t.bpe;
    return s;
}
