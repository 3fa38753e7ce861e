#include "train/alike.h"

#include <stdio.h>
#include <stdlib.h>

#include "kernels/bf16.h"

/* All that decides bits, line by line. */
static foci_status describe(const foci_config *config, bool bf16, const char *data, const char *weights, char **text) {
    size_t size;
    *text = NULL;
    char *dump = foci_config_dump(config);
    FILE *f = dump ? open_memstream(text, &size) : NULL;
    if (f) {
        fprintf(f, "foci %s\ninstruction set: %s\nproducts in %s\n", FOCI_VERSION, foci_bf16_isa(),
                bf16 ? "bf16" : "fp32");
        fprintf(f, "data: %s\n%s\n%s", data ? data : "", weights, dump);
        fclose(f);
    }
    free(dump);
    return *text ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory");
}

foci_status foci_alike(foci_group *g, const foci_config *config, bool bf16, const char *data, const char *weights) {
    char *text;
    if (!g) return FOCI_OK;
    foci_status s = foci_group_agree(g, describe(config, bf16, data, weights, &text));
    if (!s) s = foci_group_compare(g, text);
    free(text);
    return s;
}
