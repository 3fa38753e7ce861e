#include "attention/refuse.h"

bool foci_attention_refuses(const foci_attention_io *io, unsigned what) {
    const char *kind = foci_config_string(io->config, "attention.kind");
    const char *place = foci_config_place(io->config, "attention.kind");
    if (what & FOCI_REFUSES_MASK && io->mask)
        foci_graph_fail(io->graph, "%s: attention.kind %s knows no padding", place, kind);
    else if (what & FOCI_REFUSES_DROPOUT && io->dropout > 0)
        foci_graph_fail(io->graph, "%s: attention.kind %s has no map for dropout, which must be 0, not %g", place, kind,
                        io->dropout);
    return !foci_graph_ok(io->graph);
}
