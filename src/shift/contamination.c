#include "shift/contamination.h"

#include <stdlib.h>
#include <string.h>

#include "task/corpus.h"
#include "task/load_model.h"
#include "task/perplexity.h"
#include "task/task.h"
#include "train/alike.h"

#define FOCI_CONTAMINATION(name) extern const foci_contamination foci_contamination_##name;
#include "shift/contaminations.h"
#undef FOCI_CONTAMINATION

const foci_contamination *const foci_contaminations[] = {
#define FOCI_CONTAMINATION(name) &foci_contamination_##name,
#include "shift/contaminations.h"
#undef FOCI_CONTAMINATION
    NULL};

/* ----------------------------------------------------------------------------------------------- settings */

enum { MOST_SETTINGS = 32 };

foci_status foci_contamination_parse(const char *text, foci_arena *arena, const foci_contamination **c,
                                     const void **settings) {
    char copy[1024];
    const size_t length = strlen(text), name = strcspn(text, ":");
    if (length >= sizeof copy) return foci_fail(FOCI_ERR_CONFIG, "a contamination of %zu bytes", length);
    memcpy(copy, text, length + 1);
    for (int i = 0; (*c = foci_contaminations[i]); i++)
        if (strlen((*c)->name) == name && memcmp((*c)->name, text, name) == 0) break;
    if (!*c)
        return foci_fail(FOCI_ERR_CONFIG, "there is no contamination `%.*s`; foci list contaminations names them",
                         (int)name, text);
    const char *set[MOST_SETTINGS];
    int sets = 0;
    char *rest;
    for (char *one = text[name] ? strtok_r(copy + name + 1, ",", &rest) : NULL; one; one = strtok_r(NULL, ",", &rest)) {
        if (sets == MOST_SETTINGS)
            return foci_fail(FOCI_ERR_CONFIG, "%s: more than %d settings", (*c)->name, MOST_SETTINGS);
        set[sets++] = one;
    }
    void *filled = foci_arena_alloc(arena, foci_keys_bytes((*c)->keys));
    if (!filled) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for the settings of %s", (*c)->name);
    *settings = filled;
    return foci_keys_parse((*c)->keys, (*c)->name, set, sets, arena, filled);
}

/* --------------------------------------------------------------------------------------------- evaluation */

typedef struct study {
    const foci_config *config;
    const foci_model *model;
    foci_corpus corpus;
    foci_group *group;
    foci_parameters parameters;
    const foci_tokens *clean;
    unsigned split;
    int32_t *ids; /* the contaminated copy */
} study;

static foci_status contaminate(study *s, const foci_contamination *c, const void *settings,
                               foci_contamination_count *count) {
    const size_t bytes = (size_t)s->clean->count * sizeof *s->ids;
    if (!(s->ids = malloc(bytes)))
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld tokens", (long long)s->clean->count);
    memcpy(s->ids, s->clean->ids, bytes);
    return c->apply(settings, s->corpus.vocabulary, s->ids, s->clean->count, count);
}

static foci_status open_study(study *s, const char *weights, const foci_contamination *contamination,
                              const void *settings, foci_contamination_count *count) {
    const foci_config *c = s->config;
    FOCI_TRY(foci_corpus_open(&s->corpus, c, s->split));
    if (foci_vocabulary_tokens(s->corpus.vocabulary) != FOCI_WORDS)
        return foci_config_fail(c, "data.tokens", "%s: only words are swapped", foci_config_string(c, "data.tokens"));
    FOCI_TRY(foci_corpus_tokens(&s->corpus, c, s->split, &s->clean));
    FOCI_TRY(foci_load_model(&s->parameters, s->model, c, foci_vocabulary_size(s->corpus.vocabulary), weights));
    return contaminate(s, contamination, settings, count);
}

static foci_status perplexity_of(study *s, bool sliding, const int32_t *ids, const foci_watch *watch,
                                 foci_score *score) {
    const foci_walk_settings how = {sliding ? FOCI_WALK_SLIDING : FOCI_WALK_DISJOINT, .rows = 1};
    return foci_corpus_blame(s->config, s->split,
                             foci_perplexity_as_configured(s->config, s->model, s->corpus.vocabulary, &how,
                                                           &s->parameters, ids, s->clean->count, NULL, s->group, watch,
                                                           score));
}

foci_status foci_evaluate_contaminated(const foci_config *config, const char *weights, const char *split, bool sliding,
                                       const foci_contamination *c, const void *settings, foci_group *group,
                                       const foci_watch *watch, foci_contaminated_score *score) {
    *score = (foci_contaminated_score){.count = {0}};
    study s = {.config = config, .group = group};
    FOCI_TRY(foci_task_wanted(config, &foci_task_text, "text to contaminate", &s.model));
    FOCI_TRY(foci_corpus_split(split, &s.split));
    FOCI_TRY(foci_alike_scores(group, config, weights, s.split));
    foci_status status = foci_group_agree(group, open_study(&s, weights, c, settings, &score->count));
    if (!status) status = perplexity_of(&s, sliding, s.clean->ids, watch, &score->clean);
    if (!status) status = perplexity_of(&s, sliding, s.ids, watch, &score->contaminated);
    free(s.ids);
    foci_parameters_free(&s.parameters);
    foci_corpus_close(&s.corpus);
    return status;
}
