/* ListOps: expressions read and evaluated, and sets of them. */
#include "sequences/listops.h"

#include <stdio.h>
#include <string.h>

#include "sequences/set.h"

enum { DEEPEST = 1000 };

static const char *const operator_name[] = {"[MIN", "[MAX", "[MED", "[SM"};

/* A list that is open: its operator, and how often each digit stands in it. */
typedef struct open_list {
    int operator;
    int64_t digit[10];
} open_list;

typedef struct reading {
    open_list list[DEEPEST];
    int depth;
    int64_t round; /* round brackets that are open */
    int value;     /* of the whole, -1: not yet known */
} reading;

/* ---------------------------------------------------------------------------------------------- evaluating */

static int64_t total(const open_list *l) {
    int64_t n = 0;
    for (int d = 0; d < 10; d++) n += l->digit[d];
    return n;
}

/* Digit number i of the list, sorted. */
static int sorted_at(const open_list *l, int64_t i) {
    int d = 0;
    while (i >= l->digit[d]) i -= l->digit[d++];
    return d;
}

static int value_of(const open_list *l) {
    const int64_t n = total(l);
    int sum = 0;
    switch (l->operator) {
    case FOCI_LISTOPS_MIN: return sorted_at(l, 0);
    case FOCI_LISTOPS_MAX: return sorted_at(l, n - 1);
    case FOCI_LISTOPS_MED: return (sorted_at(l, (n - 1) / 2) + sorted_at(l, n / 2)) / 2;
    default:
        for (int d = 0; d < 10; d++) sum += (int)(d * (l->digit[d] % 10));
        return sum % 10;
    }
}

static foci_status take_value(reading *r, int value) {
    if (r->depth) r->list[r->depth - 1].digit[value]++;
    else if (r->value >= 0) return foci_fail(FOCI_ERR_DATA, "something stands behind the expression");
    else r->value = value;
    return FOCI_OK;
}

static foci_status take(reading *r, int32_t id) {
    if (id < FOCI_LISTOPS_MIN) return take_value(r, id - FOCI_LISTOPS_DIGIT);
    if (id != FOCI_LISTOPS_END) {
        if (r->depth == DEEPEST) return foci_fail(FOCI_ERR_DATA, "more than %d lists within each other", DEEPEST);
        r->list[r->depth++] = (open_list){.operator= id };
        return FOCI_OK;
    }
    if (!r->depth) return foci_fail(FOCI_ERR_DATA, "] closes nothing");
    if (!total(&r->list[r->depth - 1])) return foci_fail(FOCI_ERR_DATA, "a list of nothing");
    r->depth--;
    return take_value(r, value_of(&r->list[r->depth]));
}

/* ------------------------------------------------------------------------------------------------ tokens */

/* 0: the word is none. */
static int32_t id_of(const char *word, size_t length) {
    if (length == 1 && *word >= '0' && *word <= '9') return FOCI_LISTOPS_DIGIT + *word - '0';
    if (length == 1 && *word == ']') return FOCI_LISTOPS_END;
    for (int k = 0; k < 4; k++)
        if (strlen(operator_name[k]) == length && memcmp(operator_name[k], word, length) == 0)
            return FOCI_LISTOPS_MIN + k;
    return 0;
}

void foci_listops_token(int32_t id, char text[16]) {
    if (id >= FOCI_LISTOPS_MIN && id < FOCI_LISTOPS_END)
        snprintf(text, 16, "%s ", operator_name[id - FOCI_LISTOPS_MIN]);
    else if (id == FOCI_LISTOPS_END) snprintf(text, 16, "] ");
    else snprintf(text, 16, "%d ", (int)id - FOCI_LISTOPS_DIGIT);
}
static void token(const foci_sequences *s, int32_t id, char text[FOCI_TOKEN_TEXT]) {
    (void)s;
    foci_listops_token(id, text);
}

/* ( and ) are no tokens. */
static foci_status take_round(reading *r, char bracket) {
    r->round += bracket == '(' ? 1 : -1;
    return r->round >= 0 ? FOCI_OK : foci_fail(FOCI_ERR_DATA, ") closes nothing");
}

static foci_status take_word(reading *r, const char *word, size_t length, int64_t most, int32_t *ids,
                             foci_listops *out) {
    if (length == 1 && (*word == '(' || *word == ')')) return take_round(r, *word);
    const int32_t id = id_of(word, length);
    if (!id) return foci_fail(FOCI_ERR_DATA, "`%.*s` is no token", (int)(length < 20 ? length : 20), word);
    if (ids && out->tokens < most) ids[out->tokens] = id;
    out->tokens++;
    return take(r, id);
}

foci_status foci_listops_read(const char *text, size_t size, int64_t most, int32_t *ids, foci_listops *out) {
    reading r;
    r.depth = 0, r.round = 0, r.value = -1;
    *out = (foci_listops){0};
    for (size_t at = 0, end; at < size; at = end + 1) {
        const char *blank = memchr(text + at, ' ', size - at);
        end = blank ? (size_t)(blank - text) : size;
        if (end == at) continue;
        const foci_status s = take_word(&r, text + at, end - at, most, ids, out);
        if (s) return foci_context(s, "token %lld", (long long)out->tokens);
    }
    if (r.depth) return foci_fail(FOCI_ERR_DATA, "%d [ without ]", r.depth);
    if (r.round) return foci_fail(FOCI_ERR_DATA, "%lld ( without )", (long long)r.round);
    if (r.value < 0) return foci_fail(FOCI_ERR_DATA, "the sequence is empty");
    out->value = r.value;
    return FOCI_OK;
}

foci_status foci_listops_line(const foci_vocabulary *words, const char *text, int64_t most, int32_t *ids,
                              int64_t *length) {
    foci_listops e;
    (void)words;
    FOCI_TRY(foci_listops_read(text, strlen(text), most, ids, &e));
    *length = e.tokens < most ? e.tokens : most;
    return FOCI_OK;
}

/* -------------------------------------------------------------------------------------------------- a set */

static foci_status read(const foci_sequences *s, const foci_sequence *x, int side, int64_t most, int32_t *ids) {
    (void)side;
    foci_listops e;
    const foci_status status = foci_listops_read(x->at[0], x->bytes, most, ids, &e);
    return status ? foci_context(status, "%s:%lld", s->path, (long long)x->line) : FOCI_OK;
}

static foci_status prove(const foci_sequences *s, const foci_sequence *x) {
    foci_listops e;
    char value[16];
    FOCI_TRY(foci_listops_read(x->at[0], x->bytes, 0, NULL, &e));
    snprintf(value, sizeof value, "%d", e.value);
    if (strcmp(s->class_name[x->label], value) == 0) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%s:%lld: the value is %s, but the label is %s", s->path, (long long)x->line, value,
                     s->class_name[x->label]);
}

static const foci_sequence_kind kind = {
    .vocabulary = FOCI_LISTOPS_VOCABULARY, .read = read, .prove = prove, .token = token};

static bool is(const foci_row *row, int k, const char *word) {
    return row->column[k].length == strlen(word) && memcmp(row->column[k].text, word, strlen(word)) == 0;
}

static foci_status add_row(foci_sequences *s, const foci_row *row, int source) {
    const foci_rows *r = &s->rows;
    foci_listops e;
    if (row->columns != 2)
        return foci_rows_fail(r, "%d column%s, not an expression and its value", row->columns,
                              foci_plural(row->columns, "s"));
    const int target = 1 - source;
    const char *text = row->column[source].text, *label = row->column[target].text;
    const size_t length = row->column[source].length;
    if (foci_listops_read(text, length, 0, NULL, &e)) return foci_rows_fail(r, "%s", foci_error_message());
    if (row->column[target].length != 1 || *label < '0' || *label > '9')
        return foci_rows_fail(r, "the label is no digit: `%.*s`",
                              (int)(row->column[target].length < 20 ? row->column[target].length : 20), label);
    return foci_sequences_add(
        s,
        &(foci_sequence){.at = {text}, .bytes = length, .length = {e.tokens}, .line = r->line, .label = *label - '0'});
}

static foci_status fill(foci_sequences *s) {
    foci_row row;
    int source = 1;
    FOCI_TRY(foci_rows_open(&s->rows, s->path));
    for (int32_t k = 0, label; k < 10; k++) FOCI_TRY(foci_sequences_class(s, &"0123456789"[k], 1, &label));
    while (foci_rows_next(&s->rows, &row)) {
        if (s->rows.line == 1 && row.columns == 2 && is(&row, 0, "Source") && is(&row, 1, "Target")) source = 0;
        else FOCI_TRY(add_row(s, &row, source));
    }
    return FOCI_OK;
}

foci_status foci_listops_open(foci_sequences **s, const char *path) {
    FOCI_TRY(foci_sequences_new(s, &kind, path, 1));
    return foci_sequences_filled(s, fill(*s));
}
