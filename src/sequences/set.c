/* A set of labelled sequences: what all kinds have in common. */
#include "sequences/set.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"

enum { MOST_CLASSES = 1000 };

foci_status foci_sequences_no_memory(const foci_sequences *s) {
    return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", s->path);
}

foci_status foci_sequences_new(foci_sequences **set, const foci_sequence_kind *kind, const char *path, int sides) {
    foci_sequences *s = *set = calloc(1, sizeof *s);
    if (s) s->path = strdup(path);
    if (!s || !s->path) {
        free(s);
        *set = NULL;
        return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
    }
    for (size_t n = strlen(path); n > 1 && s->path[n - 1] == '/'; n--) s->path[n - 1] = 0;
    s->kind = kind;
    s->sides = sides;
    return FOCI_OK;
}

foci_status foci_sequences_filled(foci_sequences **s, foci_status status) {
    if (!status) status = foci_sequences_end(*s);
    if (!status) return FOCI_OK;
    foci_sequences_close(*s);
    *s = NULL;
    return status;
}

void foci_sequences_close(foci_sequences *s) {
    if (!s) return;
    foci_rows_close(&s->rows);
    foci_image_set_close(s->images);
    foci_arena_free(&s->names);
    free(s->item);
    free(s->class_name);
    free(s->path);
    free(s);
}

foci_status foci_sequences_add(foci_sequences *s, const foci_sequence *x) {
    if (s->count == s->room) {
        s->room = s->room ? 2 * s->room : 1024;
        foci_sequence *grown = realloc(s->item, (size_t)s->room * sizeof *grown);
        if (!grown) return foci_sequences_no_memory(s);
        s->item = grown;
    }
    s->item[s->count++] = *x;
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------- classes */

/* Of a whole number, of which "1.0" is one; false: the text is none. */
static bool whole_number(const char *text, size_t length, char out[32]) {
    char copy[32], *end;
    if (!length || length >= sizeof copy || isspace((unsigned char)*text)) return false;
    snprintf(copy, sizeof copy, "%.*s", (int)length, text);
    const double x = strtod(copy, &end);
    if (*end || !(x >= -1e15 && x <= 1e15) || x != (double)(long long)x) return false;
    snprintf(out, 32, "%lld", (long long)x);
    return true;
}

static bool printable(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 127) return false;
    return length > 0;
}

static foci_status new_class(foci_sequences *s, const char *name, size_t length) {
    if (s->classes == MOST_CLASSES)
        return foci_fail(FOCI_ERR_DATA, "`%.*s` is one label more than %d: is this the column of the labels?",
                         (int)(length < 40 ? length : 40), name, MOST_CLASSES);
    if (s->classes == s->class_room) {
        s->class_room = s->class_room ? 2 * s->class_room : 16;
        const char **grown = realloc(s->class_name, (size_t)s->class_room * sizeof *grown);
        if (!grown) return foci_sequences_no_memory(s);
        s->class_name = grown;
    }
    const char *copy = foci_arena_printf(&s->names, "%.*s", (int)length, name);
    if (!copy) return foci_sequences_no_memory(s);
    s->class_name[s->classes++] = copy;
    return FOCI_OK;
}

foci_status foci_sequences_class(foci_sequences *s, const char *name, size_t length, int32_t *label) {
    char number[32];
    if (whole_number(name, length, number)) name = number, length = strlen(number);
    if (!printable(name, length) || length > 255) return foci_fail(FOCI_ERR_DATA, "there is no label");
    for (*label = 0; *label < s->classes; ++*label)
        if (strlen(s->class_name[*label]) == length && memcmp(s->class_name[*label], name, length) == 0) return FOCI_OK;
    return new_class(s, name, length);
}

static int by_number(const void *a, const void *b) {
    const long long x = atoll(**(const char ***)a), y = atoll(**(const char ***)b);
    return (x > y) - (x < y);
}
static int by_text(const void *a, const void *b) { return strcmp(**(const char ***)a, **(const char ***)b); }

static foci_status sort_classes(foci_sequences *s) {
    const char **sorted = malloc(2 * (size_t)s->classes * sizeof *sorted),
               ***order = (const char ***)(sorted + s->classes);
    int32_t *place = malloc((size_t)s->classes * sizeof *place);
    char number[32];
    bool numbers = true;
    if (!sorted || !place) {
        free(sorted);
        free(place);
        return foci_sequences_no_memory(s);
    }
    for (int k = 0; k < s->classes; k++) {
        order[k] = &s->class_name[k];
        numbers &= whole_number(s->class_name[k], strlen(s->class_name[k]), number);
    }
    qsort(order, (size_t)s->classes, sizeof *order, numbers ? by_number : by_text);
    for (int k = 0; k < s->classes; k++) sorted[k] = *order[k], place[order[k] - s->class_name] = k;
    memcpy(s->class_name, sorted, (size_t)s->classes * sizeof *sorted);
    for (int64_t i = 0; i < s->count; i++) s->item[i].label = place[s->item[i].label];
    free(sorted);
    free(place);
    return FOCI_OK;
}

foci_status foci_sequences_end(foci_sequences *s) {
    if (!s->count) return foci_fail(FOCI_ERR_DATA, "%s: no sequences", s->path);
    return sort_classes(s);
}

foci_status foci_sequences_take_labels(foci_sequences *s, const char *const *names, int count) {
    const char **taken = malloc((size_t)count * sizeof *taken);
    int32_t place[MOST_CLASSES];
    if (!taken) return foci_sequences_no_memory(s);
    for (int k = 0; k < s->classes; k++)
        for (place[k] = 0; place[k] < count && strcmp(names[place[k]], s->class_name[k]) != 0;) place[k]++;
    for (int64_t i = 0; i < s->count; i++) {
        char name[4200];
        foci_sequence *x = &s->item[i];
        if (place[x->label] < count) continue;
        foci_sequences_name(s, i, name, sizeof name);
        free(taken);
        return foci_fail(FOCI_ERR_DATA, "%s: the label %s is none of the model's %d (%s, ...)", name,
                         s->class_name[x->label], count, names[0]);
    }
    for (int64_t i = 0; i < s->count; i++) s->item[i].label = place[s->item[i].label];
    for (int k = 0; k < count; k++) taken[k] = foci_arena_strdup(&s->names, names[k]);
    free(s->class_name);
    s->class_name = taken;
    s->classes = s->class_room = count;
    return taken[count - 1] ? FOCI_OK : foci_sequences_no_memory(s);
}

/* ------------------------------------------------------------------------------------------------- looking */

const char *foci_sequences_path(const foci_sequences *s) { return s->path; }
int64_t foci_sequences_count(const foci_sequences *s) { return s->count; }
int foci_sequences_sides(const foci_sequences *s) { return s->sides; }
int64_t foci_sequences_vocabulary(const foci_sequences *s) {
    return s->words ? foci_vocabulary_size(s->words) : s->kind->vocabulary;
}
int foci_sequences_classes(const foci_sequences *s) { return s->classes; }
const char *foci_sequences_class_name(const foci_sequences *s, int label) { return s->class_name[label]; }
int32_t foci_sequences_label(const foci_sequences *s, int64_t i) { return s->item[i].label; }
int64_t foci_sequences_length(const foci_sequences *s, int64_t i, int side) { return s->item[i].length[side]; }
int64_t foci_sequences_passed_over(const foci_sequences *s) { return s->passed_over; }

void foci_sequences_name(const foci_sequences *s, int64_t i, char *name, size_t size) {
    if (s->item[i].line) snprintf(name, size, "%s:%lld", s->path, (long long)s->item[i].line);
    else snprintf(name, size, "%s/%s", s->path, s->item[i].at[0]);
}

void foci_sequences_shape(const foci_sequences *s, int *height, int *width) { *height = s->height, *width = s->width; }
int64_t foci_sequences_unknown(const foci_sequences *s) { return s->unknown; }
void foci_sequences_token(const foci_sequences *s, int32_t id, char text[FOCI_TOKEN_TEXT]) {
    s->kind->token(s, id, text);
}

bool foci_sequences_in_front(const foci_sequences *s) { return s->kind->in_front; }
bool foci_sequences_padded(const foci_sequences *s, int64_t longest) {
    if (s->kind->in_front) return false;
    return !s->kind->full || s->pixels.black_is_padding || s->item[0].length[0] < longest;
}

static foci_status read_side(const foci_sequences *s, int64_t i, int side, int64_t longest, int64_t cut, int32_t *ids,
                             foci_real *mask) {
    const foci_sequence *x = &s->item[i];
    const int64_t length = x->length[side] < cut ? x->length[side] : cut;
    if (s->kind->full && x->length[side] > cut)
        return foci_fail(FOCI_ERR_CONFIG, "images of %d x %d pixels are longer than the model's %lld tokens", s->width,
                         s->height, (long long)cut);
    const int64_t first = s->kind->in_front ? longest - length : 0, end = first + length;
    memset(ids, 0, (size_t)longest * sizeof *ids);
    FOCI_TRY(s->kind->read(s, x, side, length, ids + first));
    for (int64_t t = 0; mask && t < longest; t++)
        mask[t] = t >= first && t < end && !(s->pixels.black_is_padding && ids[t] == 0);
    return FOCI_OK;
}

foci_status foci_sequences_read(const foci_sequences *s, int64_t i, int64_t longest, int64_t cut, int32_t *ids,
                                foci_real *mask) {
    for (int side = 0; side < s->sides; side++)
        FOCI_TRY(read_side(s, i, side, longest, cut, ids + side * longest, mask ? mask + side * longest : NULL));
    return FOCI_OK;
}

foci_status foci_sequences_prove(const foci_sequences *s, int64_t i) {
    return s->kind->prove ? s->kind->prove(s, &s->item[i]) : FOCI_OK;
}

/* Of one side: pairs stand in lines. */
static foci_status read_one(void *context, int64_t i) {
    const foci_sequences *s = context;
    const int64_t length = foci_sequences_length(s, i, 0);
    int32_t *ids = malloc((size_t)length * sizeof *ids);
    if (!ids) return foci_sequences_no_memory(s);
    const foci_status status = foci_sequences_read(s, i, length, length, ids, NULL);
    free(ids);
    return status;
}

foci_status foci_sequences_look(const foci_sequences *s) {
    foci_manifest files = {NULL};
    if (s->rows.path) return FOCI_OK;
    const bool few = !foci_sequences_list(s, "", &files) && foci_manifest_is_small(&files);
    foci_manifest_free(&files);
    if (few) return foci_each(s->count, read_one, (void *)(uintptr_t)s);
    return s->images ? foci_image_set_check(s->images) : FOCI_OK;
}

foci_status foci_sequences_list(const foci_sequences *s, const char *part, foci_manifest *m) {
    const char *slash = strrchr(s->path, '/');
    if (s->images) return foci_image_set_list(s->images, part, m);
    if (s->rows.path)
        return foci_manifest_add(
            m, &(foci_manifest_file){.part = part, .name = slash ? slash + 1 : s->path, .path = s->path});
    for (int64_t i = 0; i < s->count; i++) {
        foci_manifest_file f = {.part = part, .name = s->item[i].at[0]};
        f.path = foci_arena_printf(&m->arena, "%s/%s", s->path, f.name);
        if (!f.path) return foci_sequences_no_memory(s);
        FOCI_TRY(foci_manifest_add(m, &f));
    }
    return FOCI_OK;
}
