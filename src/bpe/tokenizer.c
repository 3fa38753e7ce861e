#include "bpe/tokenizer.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static foci_status out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a tokenizer"); }

/* -------------------------------------------------------------------------------------- bytes as characters */

/* 33 to 126, 161 to 172 and 174 to 255 stand for themselves, in rising order: 188 of them; then the others, 0 to 32,
 * 127 to 160 and 173, as the characters from 256 on. */
enum { SHOWN = 188 };
static bool is_shown(uint32_t c) { return (c > 32 && c < 127) || (c > 160 && c != 173 && c < 256); }

uint32_t foci_byte_character(unsigned char byte) {
    if (is_shown(byte)) return byte;
    return 256 + (byte <= 32 ? byte : byte <= 160 ? byte - 94u : 67u);
}

int foci_character_byte(uint32_t character) {
    if (character < 256) return is_shown(character) ? (int)character : -1;
    const int n = character < 512 ? (int)character - 256 : 256;
    return n <= 32 ? n : n <= 66 ? n + 94 : n == 67 ? 173 : -1;
}

unsigned char foci_byte_numbered(int n) {
    if (n >= SHOWN) return (unsigned char)foci_character_byte((uint32_t)(256 + n - SHOWN));
    return (unsigned char)(n < 94 ? n + 33 : n < 106 ? n + 67 : n + 68);
}

/* ------------------------------------------------------------------------------------------- put together */

foci_status foci_bpe_begin(foci_bpe **bpe, int64_t size) {
    foci_bpe *b = *bpe = calloc(1, sizeof *b);
    if (!b) return out_of_memory();
    b->size = size;
    b->token = calloc((size_t)size + 1, sizeof *b->token);
    b->id_of = malloc(((size_t)size + 1) * sizeof *b->id_of);
    b->special = malloc(((size_t)size + 1) * sizeof *b->special);
    if (b->token && b->id_of && b->special) return FOCI_OK;
    foci_bpe_free(b);
    *bpe = NULL;
    return out_of_memory();
}

void foci_bpe_free(foci_bpe *b) {
    if (!b) return;
    free(b->token);
    free(b->id_of);
    free(b->special);
    free(b->merge);
    free(b->ranked);
    foci_strings_free(&b->string);
    foci_pairs_free(&b->pair);
    foci_arena_free(&b->arena);
    free(b);
}

static foci_status put_special(foci_bpe *b, int32_t id, const char *text, size_t size) {
    for (int i = 0; i < b->specials; i++) {
        const foci_token *t = b->token + b->special[i];
        if (t->size == size && memcmp(t->text, text, size) == 0)
            return foci_fail(FOCI_ERR_DATA, "numbers %" PRId32 " and %" PRId32 " are the same special token",
                             b->special[i], id);
    }
    char *copy = foci_arena_alloc(&b->arena, size);
    if (!copy) return out_of_memory();
    b->token[id] = (foci_token){memcpy(copy, text, size), (uint32_t)size, true};
    b->special[b->specials++] = id;
    b->begins_special[(unsigned char)*text] = true;
    return FOCI_OK;
}

static foci_status put_ordinary(foci_bpe *b, int32_t id, const char *text, size_t size) {
    const int64_t before = b->string.count;
    const int32_t at = foci_strings_add(&b->string, text, size);
    if (at < 0) return out_of_memory();
    if (b->string.count == before)
        return foci_fail(FOCI_ERR_DATA, "numbers %" PRId32 " and %" PRId32 " are the same token", b->id_of[at], id);
    b->id_of[at] = id;
    b->token[id] = (foci_token){b->string.item[at].text, (uint32_t)size, false};
    return FOCI_OK;
}

foci_status foci_bpe_put(foci_bpe *b, int64_t id, const char *text, size_t size, bool special) {
    if (id < 0 || id >= b->size)
        return foci_fail(FOCI_ERR_DATA, "number %" PRId64 " of %" PRId64 " tokens, which have 0 to %" PRId64, id,
                         b->size, b->size - 1);
    if (!size || size > FOCI_TOKEN_MAX)
        return foci_fail(FOCI_ERR_DATA, "number %" PRId64 " has %zu bytes: 1 to %d are possible", id, size,
                         FOCI_TOKEN_MAX);
    if (b->token[id].size) return foci_fail(FOCI_ERR_DATA, "number %" PRId64 " is given twice", id);
    return (special ? put_special : put_ordinary)(b, (int32_t)id, text, size);
}

static int32_t id_of(const foci_bpe *b, foci_string s) {
    const int32_t at = foci_strings_find(&b->string, s.text, s.size);
    return at < 0 ? -1 : b->id_of[at];
}

static foci_status make_room(foci_bpe *b) {
    if (b->ranks < b->room) return FOCI_OK;
    const int64_t room = 2 * b->room + 1024;
    int32_t *ranked = realloc(b->ranked, (size_t)room * sizeof *ranked);
    if (ranked) b->ranked = ranked;
    foci_merge *merge = realloc(b->merge, (size_t)room * sizeof *merge);
    if (merge) b->merge = merge;
    if (!ranked || !merge || room > INT32_MAX) return out_of_memory();
    b->room = room;
    return FOCI_OK;
}

foci_status foci_bpe_put_merge(foci_bpe *b, foci_string left, foci_string right) {
    char both[2 * FOCI_TOKEN_MAX];
    const foci_pair pair = {id_of(b, left), id_of(b, right)};
    if (pair.left < 0 || pair.right < 0)
        return foci_fail(FOCI_ERR_DATA, "the %s half is no token", pair.left < 0 ? "left" : "right");
    memcpy(both, left.text, left.size);
    memcpy(both + left.size, right.text, right.size);
    const int32_t made = id_of(b, (foci_string){both, left.size + right.size});
    if (made < 0) return foci_fail(FOCI_ERR_DATA, "the two halves together are no token");
    FOCI_TRY(make_room(b));
    const int32_t at = foci_pairs_add(&b->pair, pair);
    if (at < 0) return out_of_memory();
    b->merge[at] = (foci_merge){(int32_t)b->ranks, made};
    b->ranked[b->ranks++] = at;
    return FOCI_OK;
}

/* Few as they are. */
static void sort_specials(foci_bpe *b) {
    for (int i = 1; i < b->specials; i++)
        for (int k = i; k > 0; k--) {
            const int32_t one = b->special[k - 1], two = b->special[k];
            if (b->token[one].size > b->token[two].size || (b->token[one].size == b->token[two].size && one < two))
                break;
            b->special[k - 1] = two;
            b->special[k] = one;
        }
}

foci_status foci_bpe_finish(foci_bpe *b) {
    for (int64_t id = 0; id < b->size; id++)
        if (!b->token[id].size) return foci_fail(FOCI_ERR_DATA, "number %" PRId64 " has no token", id);
    for (int byte = 0; byte < 256; byte++) {
        const char text = (char)byte;
        if ((b->byte[byte] = id_of(b, (foci_string){&text, 1})) < 0)
            return foci_fail(FOCI_ERR_DATA, "byte %d has no token of its own", byte);
    }
    sort_specials(b);
    b->decodes_only = !b->ranks && !b->whole && b->string.count > 256;
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------- look-up */

int64_t foci_bpe_size(const foci_bpe *b) { return b->size; }
foci_token foci_bpe_token(const foci_bpe *b, int32_t id) { return b->token[id]; }

int32_t foci_bpe_special_at(const foci_bpe *b, const char *text, size_t size) {
    if (!b->begins_special[(unsigned char)*text]) return -1;
    for (int i = 0; i < b->specials; i++) {
        const foci_token *t = b->token + b->special[i];
        if (t->size <= size && memcmp(t->text, text, t->size) == 0) return b->special[i];
    }
    return -1;
}

int32_t foci_bpe_end_of_text(const foci_bpe *b) {
    static const char *const names[] = {"<|endoftext|>", "<|end_of_text|>"};
    for (size_t k = 0; k < sizeof names / sizeof *names; k++)
        for (int i = 0; i < b->specials; i++) {
            const foci_token *t = b->token + b->special[i];
            if (t->size == strlen(names[k]) && memcmp(t->text, names[k], t->size) == 0) return b->special[i];
        }
    return b->specials == 1 ? b->special[0] : -1;
}
