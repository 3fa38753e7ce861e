#include "attention/attention.h"

#include <string.h>

#define FOCI_ATTENTION(name) extern const foci_attention foci_attention_##name;
#include "attention/list.h"
#undef FOCI_ATTENTION

const foci_attention *const foci_attentions[] = {
#define FOCI_ATTENTION(name) &foci_attention_##name,
#include "attention/list.h"
#undef FOCI_ATTENTION
    NULL};

const foci_attention *foci_attention_find(const char *name) {
    for (int i = 0; foci_attentions[i]; i++)
        if (strcmp(foci_attentions[i]->name, name) == 0) return foci_attentions[i];
    return NULL;
}
