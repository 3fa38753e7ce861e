/* What a variant cannot do with a layer that asks for it. */
#ifndef FOCI_ATTENTION_REFUSE_H
#define FOCI_ATTENTION_REFUSE_H

#include "foci/plugin.h"

enum {
    FOCI_REFUSES_MASK = 1,    /* tokens that are padding */
    FOCI_REFUSES_DROPOUT = 2, /* on the attention map */
};

/* Does the layer ask for one of these? Then the graph has failed. */
bool foci_attention_refuses(const foci_attention_io *io, unsigned what);

#endif
