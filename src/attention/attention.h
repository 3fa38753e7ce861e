/* The built-in attention variants. */
#ifndef FOCI_ATTENTION_ATTENTION_H
#define FOCI_ATTENTION_ATTENTION_H

#include "foci/plugin.h"

extern const foci_attention *const foci_attentions[];        /* ended by NULL */
const foci_attention *foci_attention_find(const char *name); /* NULL: there is none */

#endif
