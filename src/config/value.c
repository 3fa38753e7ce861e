/* Entries to values of the type, bounds and choices of their key. */
#include "config/internal.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_any(const char *text, const char *const *words) {
    for (; *words; words++)
        if (strcasecmp(text, *words) == 0) return true;
    return false;
}
#define IS_ANY(text, ...) is_any(text, (const char *const[]){__VA_ARGS__, NULL})

bool foci_choice(const foci_key *key, int i, char word[64]) {
    const char *p = key->choices ? key->choices : "";
    for (;; i--) {
        p += strspn(p, " ");
        size_t length = strcspn(p, " ");
        if (!length) return false;
        if (i == 0) {
            snprintf(word, 64, "%.*s", (int)length, p);
            return true;
        }
        p += length;
    }
}

foci_shown foci_bounds(const foci_key *key) {
    foci_shown s = {""};
    bool below = !isinf(key->min), above = !isinf(key->max);
    if (key->min == 0 && key->max == 0) return s;
    if (below && above) snprintf(s.text, sizeof s.text, "%.9g to %.9g", key->min, key->max);
    else if (below) snprintf(s.text, sizeof s.text, "%.9g or more", key->min);
    else if (above) snprintf(s.text, sizeof s.text, "%.9g or less", key->max);
    return s;
}

/* What one element of the type is called. */
static const char *expected(foci_key_type type) {
    switch (type) {
    case FOCI_KEY_BOOL: return "true or false";
    case FOCI_KEY_INT:
    case FOCI_KEY_INTS: return "a whole number";
    case FOCI_KEY_REAL:
    case FOCI_KEY_REALS: return "a number";
    default: return "a text";
    }
}

/* What is being read: one element of an entry, for a key. */
typedef struct element {
    const foci_value *value;
    const foci_entry *entry;
    const foci_scalar *scalar;
} element;

#define FAIL(e, fmt, ...) foci_fail_at((e)->entry->source, (e)->scalar->at, "%s: " fmt, (e)->value->name, __VA_ARGS__)

static foci_shown shown(const element *e) {
    char text[FOCI_CONFIG_SCALAR + 3];
    const char *quote = e->scalar->quoted ? "\"" : "";
    snprintf(text, sizeof text, "%s%s%s", quote, e->scalar->text, quote);
    return foci_show(text, strlen(text));
}

/* Digits with sign, point and decimal exponent; no hexadecimal numbers, no nan, no inf. */
static bool is_decimal(const char *s, bool *digits_only) {
    static const char digits[] = "0123456789";
    s += *s == '+' || *s == '-';
    size_t whole = strspn(s, digits), part = 0;
    s += whole;
    *digits_only = whole && !*s;
    if (*s == '.') {
        part = strspn(++s, digits);
        s += part;
    }
    if (!whole && !part) return false;
    if (*s != 'e' && *s != 'E') return !*s;
    s++;
    s += *s == '+' || *s == '-';
    size_t exponent = strspn(s, digits);
    return exponent && !s[exponent];
}

static foci_status read_number(const element *e, bool whole, int64_t *integer, double *real) {
    const foci_key *key = &e->value->key;
    const char *text = e->scalar->text;
    bool digits_only;
    if (e->scalar->quoted || !is_decimal(text, &digits_only))
        return FAIL(e, "`%s` is not %s", shown(e).text, expected(key->type));
    *real = strtod(text, NULL);
    if (whole && *real != floor(*real)) return FAIL(e, "`%s` is not %s", shown(e).text, expected(key->type));
    errno = 0;
    if (whole && digits_only) *integer = strtoll(text, NULL, 10);
    else if (whole && fabs(*real) <= 0x1p53) *integer = (int64_t)*real;
    else if (whole || !isfinite(*real)) errno = ERANGE;
    if (errno) return FAIL(e, "`%s` is too large", shown(e).text);
    bool bounded = key->min != 0 || key->max != 0;
    if (bounded && (*real < key->min || *real > key->max))
        return FAIL(e, "`%s` is out of bounds: %s", shown(e).text, foci_bounds(key).text);
    return FOCI_OK;
}

static foci_status read_bool(const element *e, int64_t *out) {
    const char *text = e->scalar->text;
    *out = strcmp(text, "true") == 0;
    if (!e->scalar->quoted && (*out || strcmp(text, "false") == 0)) return FOCI_OK;
    bool yes = IS_ANY(text, "true", "yes", "on", "y", "1"), no = IS_ANY(text, "false", "no", "off", "n", "0");
    if (!yes && !no) return FAIL(e, "`%s` is not true or false", shown(e).text);
    return FAIL(e, "`%s` is not true or false: write %s", shown(e).text, yes ? "true" : "false");
}

static foci_status read_choice(const element *e) {
    foci_nearest nearest = {.wanted = e->scalar->text};
    char list[768] = "", word[64];
    for (int i = 0; foci_choice(&e->value->key, i, word); i++) {
        if (strcmp(word, e->scalar->text) == 0) return FOCI_OK;
        foci_nearest_offer(&nearest, word, word);
        size_t used = strlen(list);
        snprintf(list + used, sizeof list - used, "%s%s", used ? ", " : "", word);
    }
    return FAIL(e, "`%s` is not one of %s; did you mean `%s`?", shown(e).text, list, nearest.best);
}

/* What a name of a file must not be, or have; NULL where all is well. */
static const char *wrong_with_name(const char *text) {
    enum { MOST = 200 }; /* bytes: file systems take 255, and names get endings */
    if (!*text) return "is empty";
    if (*text == '.') return "begins with a dot";
    size_t left = strlen(text);
    if (left > MOST) return "has more than 200 bytes";
    for (int length; left; text += length, left -= (size_t)length) {
        uint32_t code;
        if (!(length = foci_utf8(text, left, &code))) return "is not UTF-8";
        if (code == '/') return "has a slash";
        if (code < 0x20 || (code >= 0x7f && code < 0xa0)) return "has control characters";
    }
    return NULL;
}

static foci_status read_string(const element *e, const char **out) {
    *out = e->scalar->text;
    const char *wrong = e->value->key.names_file ? wrong_with_name(*out) : NULL;
    return wrong ? FAIL(e, "`%s` %s; it is to be the name of a folder", shown(e).text, wrong) : FOCI_OK;
}

static foci_status read_list(foci_arena *arena, foci_value *v, element e) {
    bool whole = v->key.type == FOCI_KEY_INTS;
    size_t n = (size_t)e.entry->count;
    int64_t *integers = whole ? foci_arena_alloc(arena, n * sizeof *integers) : NULL;
    double *reals = foci_arena_alloc(arena, n * sizeof *reals);
    if (!reals || (whole && !integers)) return foci_out_of_memory();
    for (size_t i = 0; i < n; i++) {
        e.scalar = &e.entry->items[i];
        FOCI_TRY(read_number(&e, whole, whole ? &integers[i] : NULL, &reals[i]));
    }
    v->count = (int)n;
    v->integers = integers;
    v->reals = reals;
    return FOCI_OK;
}

foci_status foci_value_read(foci_arena *arena, foci_value *v, const foci_entry *entry) {
    foci_key_type type = v->key.type;
    bool list = type == FOCI_KEY_INTS || type == FOCI_KEY_REALS;
    element e = {v, entry, entry->items};
    v->entry = entry;
    v->place = foci_place(arena, entry->source, entry->at);
    if (!v->place) return foci_out_of_memory();
    if (entry->list && !list)
        return foci_fail_at(entry->source, entry->at, "%s: a list where %s belongs", v->name, expected(type));
    for (int i = 0; i < entry->count; i++) {
        e.scalar = &entry->items[i];
        if (!e.scalar->quoted && IS_ANY(e.scalar->text, "", "~", "null"))
            return FAIL(&e, "no value; write %s or leave the key out", expected(type));
    }
    e.scalar = entry->items;
    switch (type) {
    case FOCI_KEY_BOOL: return read_bool(&e, &v->integer);
    case FOCI_KEY_INT: return read_number(&e, true, &v->integer, &v->real);
    case FOCI_KEY_REAL: return read_number(&e, false, &v->integer, &v->real);
    case FOCI_KEY_CHOICE: v->string = e.scalar->text; return read_choice(&e);
    case FOCI_KEY_STRING: return read_string(&e, &v->string);
    default: return read_list(arena, v, e);
    }
}
