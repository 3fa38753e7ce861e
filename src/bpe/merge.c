#include "bpe/merge.h"

#include <stdlib.h>
#include <string.h>

enum { SHORT = 48 /* bytes up to which going through all of them each round is faster */, NO_RANK = INT32_MAX };

void foci_merger_free(foci_merger *m) {
    free(m->id);
    free(m->rank);
    free(m->left);
    free(m->right);
    free(m->heap.place);
    free(m->later.place);
    *m = (foci_merger){NULL};
}

static bool grow(int32_t **list, size_t room) {
    int32_t *grown = realloc(*list, room * sizeof *grown);
    if (grown) *list = grown;
    return grown;
}

static foci_status begin(foci_merger *m, const foci_bpe *b, const char *piece, size_t size) {
    if (size > m->room) {
        if (!grow(&m->id, size) || !grow(&m->rank, size) || !grow(&m->left, size) || !grow(&m->right, size))
            return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a piece of %zu bytes", size);
        m->room = size;
    }
    for (size_t i = 0; i < size; i++) m->id[i] = b->byte[(unsigned char)piece[i]];
    return FOCI_OK;
}

static const foci_merge no_merge = {NO_RANK, -1};

static foci_merge merge_of(const foci_bpe *b, int32_t left, int32_t right) {
    const int32_t at = foci_pairs_find(&b->pair, (foci_pair){left, right});
    return at < 0 ? no_merge : b->merge[at];
}

/* ---------------------------------------------------------------------------------------------- in rounds */

/* The lowest rank of all; each pair's is noted. */
static foci_merge lowest(foci_merger *m, const foci_bpe *b, size_t n) {
    foci_merge best = no_merge;
    for (size_t i = 0; i + 1 < n; i++) {
        const foci_merge one = merge_of(b, m->id[i], m->id[i + 1]);
        m->rank[i] = one.rank;
        if (one.rank < best.rank) best = one;
    }
    m->rank[n - 1] = NO_RANK;
    return best;
}

/* Returns how many tokens are left. */
static size_t join(foci_merger *m, foci_merge best, size_t n) {
    size_t left = 0;
    for (size_t i = 0; i < n; left++) {
        const bool is_it = m->rank[i] == best.rank;
        m->id[left] = is_it ? best.made : m->id[i];
        i += 1 + (size_t)is_it;
    }
    return left;
}

foci_status foci_merge_in_rounds(foci_merger *m, const foci_bpe *b, const char *piece, size_t size, const int32_t **id,
                                 int64_t *count) {
    FOCI_TRY(begin(m, b, piece, size));
    size_t n = size;
    for (foci_merge best; (best = lowest(m, b, n)).rank != NO_RANK;) n = join(m, best, n);
    *id = m->id;
    *count = (int64_t)n;
    return FOCI_OK;
}

/* ---------------------------------------------------------------------------------------------- by a heap */

typedef struct foci_place place;
typedef struct foci_places places;

static bool is_before(place a, place b) { return a.rank != b.rank ? a.rank < b.rank : a.at < b.at; }

static foci_status append(places *p, place one) {
    if (p->count == p->room) {
        const size_t room = 2 * p->room + 256;
        place *grown = realloc(p->place, room * sizeof *grown);
        if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a piece of text");
        p->place = grown;
        p->room = room;
    }
    p->place[p->count++] = one;
    return FOCI_OK;
}

static foci_status push(places *heap, place one) {
    FOCI_TRY(append(heap, one));
    size_t at = heap->count - 1;
    for (; at && is_before(one, heap->place[(at - 1) / 2]); at = (at - 1) / 2)
        heap->place[at] = heap->place[(at - 1) / 2];
    heap->place[at] = one;
    return FOCI_OK;
}

static place pop(places *heap) {
    const place first = heap->place[0], last = heap->place[--heap->count];
    size_t at = 0;
    for (size_t next; (next = 2 * at + 1) < heap->count; at = next) {
        if (next + 1 < heap->count && is_before(heap->place[next + 1], heap->place[next])) next++;
        if (!is_before(heap->place[next], last)) break;
        heap->place[at] = heap->place[next];
    }
    heap->place[at] = last;
    return first;
}

/* The pair that begins at `at` is another one now. Its turn comes after this round, be its rank as low as it may:
 * so a string that two pairs make is merged as in rounds. */
static foci_status look_again(foci_merger *m, const foci_bpe *b, int32_t at) {
    const int32_t right = m->right[at];
    m->rank[at] = right < 0 ? NO_RANK : merge_of(b, m->id[at], m->id[right]).rank;
    return m->rank[at] == NO_RANK ? FOCI_OK : append(&m->later, (place){m->rank[at], at});
}

static foci_status join_at(foci_merger *m, const foci_bpe *b, int32_t at) {
    const int32_t right = m->right[at], next = m->right[right];
    m->id[at] = merge_of(b, m->id[at], m->id[right]).made;
    m->id[right] = -1;
    m->rank[right] = NO_RANK;
    m->right[at] = next;
    if (next >= 0) m->left[next] = at;
    FOCI_TRY(look_again(m, b, at));
    return m->left[at] < 0 ? FOCI_OK : look_again(m, b, m->left[at]);
}

static foci_status end_round(foci_merger *m) {
    for (size_t i = 0; i < m->later.count; i++) FOCI_TRY(push(&m->heap, m->later.place[i]));
    m->later.count = 0;
    return FOCI_OK;
}

static foci_status link_up(foci_merger *m, const foci_bpe *b, size_t size) {
    m->heap.count = m->later.count = 0;
    for (size_t i = 0; i < size; i++) {
        m->left[i] = (int32_t)i - 1;
        m->right[i] = i + 1 < size ? (int32_t)i + 1 : -1;
    }
    for (size_t i = 0; i < size; i++) FOCI_TRY(look_again(m, b, (int32_t)i));
    return end_round(m);
}

static foci_status merge_all(foci_merger *m, const foci_bpe *b) {
    int32_t round = -1;
    while (m->heap.count) {
        if (m->heap.place[0].rank != round) FOCI_TRY(end_round(m));
        round = m->heap.place[0].rank;
        const place p = pop(&m->heap);
        if (m->rank[p.at] == p.rank) FOCI_TRY(join_at(m, b, p.at));
        if (!m->heap.count) FOCI_TRY(end_round(m));
    }
    return FOCI_OK;
}

foci_status foci_merge_by_heap(foci_merger *m, const foci_bpe *b, const char *piece, size_t size, const int32_t **id,
                               int64_t *count) {
    size_t n = 0;
    FOCI_TRY(begin(m, b, piece, size));
    FOCI_TRY(link_up(m, b, size));
    FOCI_TRY(merge_all(m, b));
    for (int32_t at = 0; at >= 0; at = m->right[at]) m->id[n++] = m->id[at];
    *id = m->id;
    *count = (int64_t)n;
    return FOCI_OK;
}

foci_status foci_merge_bytes(foci_merger *m, const foci_bpe *b, const char *piece, size_t size, const int32_t **id,
                             int64_t *count) {
    return (size <= SHORT ? foci_merge_in_rounds : foci_merge_by_heap)(m, b, piece, size, id, count);
}
