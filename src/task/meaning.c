#include "task/meaning.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "task/task.h"

static foci_status out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory for names"); }

void foci_meaning_free(foci_meaning *m) {
    foci_arena_free(&m->arena);
    *m = (foci_meaning){.count = 0};
}

foci_status foci_meaning_add(foci_meaning *m, const char *key, const char *text) {
    if (m->count == FOCI_MEANINGS) return foci_fail(FOCI_ERR_RUNTIME, "%s: weights mean too much", key);
    const foci_text_pair pair = {foci_arena_strdup(&m->arena, key), foci_arena_strdup(&m->arena, text)};
    if (!pair.key || !pair.value) return out_of_memory();
    m->pair[m->count++] = pair;
    return FOCI_OK;
}

foci_status foci_meaning_add_names(foci_meaning *m, const char *key, int64_t count,
                                   const char *(*name)(const void *of, int64_t k), const void *of) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    for (int64_t k = 0; f && k < count; k++) fprintf(f, "%s\n", name(of, k));
    const foci_status s = f && fclose(f) == 0 ? foci_meaning_add(m, key, text) : out_of_memory();
    free(text);
    return s;
}

foci_status foci_meaning_add_report(foci_meaning *m, const char *key, const foci_report *r) {
    char *text;
    FOCI_TRY(foci_report_string(r, &foci_json_line, &text));
    const foci_status s = foci_meaning_add(m, key, text);
    free(text);
    return s;
}

const char *foci_meaning_find(const foci_meaning *m, const char *key) {
    for (int i = 0; i < m->count; i++)
        if (strcmp(m->pair[i].key, key) == 0) return m->pair[i].value;
    return NULL;
}

/* -------------------------------------------------------------------------------------------------- labels */

/* By its first bytes: the length of a header, and the header. */
static bool is_weights(const char *path) {
    char head[9] = "";
    FILE *f = fopen(path, "rbe");
    const bool read = f && fread(head, 1, sizeof head, f) == sizeof head;
    if (f) fclose(f);
    return read && head[8] == '{' && memchr(head, 0, 8);
}

foci_status foci_meaning_of_weights(const char *path, const char *key, char **text) {
    foci_safetensors f;
    if (!is_weights(path)) return foci_fail(FOCI_ERR_DATA, "%s: no weights", path);
    FOCI_TRY(foci_safetensors_open(&f, path));
    const char *names = foci_safetensors_metadata(&f, key);
    foci_status s = FOCI_OK;
    if (!names) s = foci_fail(FOCI_ERR_DATA, "%s: the weights carry no \"%s\"", path, key);
    else if (!(*text = strdup(names))) s = out_of_memory();
    foci_safetensors_close(&f);
    return s;
}

/* No line is empty, and the last one is ended. */
static foci_status check_lines(const char *path, const char *text, size_t size) {
    long long line = 1;
    for (const char *at = text, *end; at < text + size; at = end + 1, line++) {
        end = memchr(at, '\n', (size_t)(text + size - at));
        if (!end) return foci_fail(FOCI_ERR_DATA, "%s:%lld: the line is not ended", path, line);
        if (end == at || memchr(at, 0, (size_t)(end - at)))
            return foci_fail(FOCI_ERR_DATA, "%s:%lld: no name", path, line);
    }
    return size ? FOCI_OK : foci_fail(FOCI_ERR_DATA, "%s: the file is empty", path);
}

foci_status foci_names_read(const foci_config *config, const char *path_key, const char *key, char **text,
                            size_t *size) {
    enum { MOST = 1 << 28 };
    const char *path = foci_config_string(config, path_key);
    *text = NULL;
    *size = 0;
    if (!*path) return FOCI_OK;
    if (is_weights(path)) {
        FOCI_TRY(foci_meaning_of_weights(path, key, text));
        *size = strlen(*text);
    } else FOCI_TRY(foci_read_file(path, MOST, text, size, FOCI_ERR_DATA));
    foci_status s = check_lines(path, *text, *size);
    if (!s) return FOCI_OK;
    free(*text);
    *text = NULL;
    return s;
}

foci_status foci_labels_note(const foci_config *config, const char *key, const char *silent, char **text) {
    const char *path = foci_config_string(config, "data.labels");
    foci_safetensors f;
    *text = NULL;
    if (!*path || !is_weights(path)) return FOCI_OK;
    FOCI_TRY(foci_safetensors_open(&f, path));
    const char *note = foci_safetensors_metadata(&f, key);
    const foci_status s = (*text = strdup(note ? note : silent)) ? FOCI_OK : out_of_memory();
    foci_safetensors_close(&f);
    return s;
}

foci_status foci_labels_read(const foci_config *config, const char *key, char **text, size_t *size) {
    return foci_names_read(config, "data.labels", key, text, size);
}

/* The ends of lines become 0. */
static foci_status split(foci_labels *l, size_t size) {
    for (size_t i = 0; i < size; i++) l->count += l->text[i] == '\n';
    l->name = malloc(((size_t)l->count + 1) * sizeof *l->name);
    if (!l->name) return out_of_memory();
    char *at = l->text;
    for (int64_t k = 0; k < l->count; k++) {
        l->name[k] = at;
        at = strchr(at, '\n');
        *at++ = 0;
    }
    return FOCI_OK;
}

foci_status foci_labels_open(foci_labels *l, const foci_config *config, const char *key) {
    size_t size;
    *l = (foci_labels){.count = 0};
    FOCI_TRY(foci_labels_read(config, key, &l->text, &size));
    const foci_status s = l->text ? split(l, size) : FOCI_OK;
    if (s) foci_labels_close(l);
    return s;
}

void foci_labels_close(foci_labels *l) {
    free(l->name);
    free(l->text);
    *l = (foci_labels){.count = 0};
}

/* Weights that cannot be read have none; who reads them says what is wrong. */
static bool carries_labels(const char *weights) {
    foci_safetensors f;
    bool found = false;
    if (foci_safetensors_open(&f, weights)) return false;
    for (int i = 0; foci_tasks[i]; i++)
        found |= foci_tasks[i]->labels && foci_safetensors_metadata(&f, foci_tasks[i]->labels);
    foci_safetensors_close(&f);
    return found;
}

foci_status foci_labels_of_weights(const char *weights, char *path, size_t size) {
    const char *slash = strrchr(weights, '/');
    if (carries_labels(weights)) return foci_path_join(path, size, "", weights);
    for (int i = 0; foci_tasks[i]; i++) {
        if (!foci_tasks[i]->labels) continue;
        const int n =
            snprintf(path, size, "%.*s%s.txt", slash ? (int)(slash + 1 - weights) : 0, weights, foci_tasks[i]->labels);
        if (n > 0 && (size_t)n < size && foci_path_kind(path) == 'f') return FOCI_OK;
    }
    *path = 0;
    return FOCI_OK;
}
