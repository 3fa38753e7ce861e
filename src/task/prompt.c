#include "task/prompt.h"

#include <stdlib.h>
#include <string.h>

static const char blanks[] = " \t\r\v\f";

static foci_status add_word(foci_generator *g, const foci_vocabulary *v, const char *word) {
    int32_t id = foci_vocabulary_id(v, word);
    if (id < 0)
        return foci_fail(FOCI_ERR_CONFIG, "`%s` is not in the vocabulary, which has no <unk> (data.min_count)", word);
    return foci_generator_add(g, &id, 1);
}

static foci_status add_line(foci_generator *g, const foci_vocabulary *v, char *line) {
    char *rest;
    for (char *word = strtok_r(line, blanks, &rest); word; word = strtok_r(NULL, blanks, &rest))
        FOCI_TRY(add_word(g, v, word));
    return FOCI_OK;
}

foci_status foci_generator_prompt(foci_generator *g, const foci_vocabulary *v, const char *prompt) {
    FOCI_TRY(add_word(g, v, "<eos>"));
    char *text = strdup(prompt);
    if (!text) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    foci_status s = FOCI_OK;
    for (char *line = text, *end; line && !s; line = end) {
        if ((end = strchr(line, '\n'))) *end++ = 0;
        s = add_line(g, v, line);
        if (end && !s) s = add_word(g, v, "<eos>");
    }
    free(text);
    return s;
}
