#include "train/alike.h"

#include <stdio.h>
#include <stdlib.h>

#include "core/safetensors.h"
#include "kernels/bf16.h"
#include "task/task.h"
#include "task/training.h"

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
    return *text ? FOCI_OK : foci_out_of_memory();
}

foci_status foci_alike(foci_group *g, const foci_config *config, bool bf16, const char *data, const char *weights) {
    char *text;
    if (!g) return FOCI_OK;
    foci_status s = foci_group_agree(g, describe(config, bf16, data, weights, &text));
    if (!s) s = foci_group_compare(g, text);
    free(text);
    return s;
}

foci_status foci_alike_scores(foci_group *g, const foci_config *config, const char *weights, unsigned splits) {
    char data[512], checksum[FOCI_CHECKSUM], line[FOCI_CHECKSUM + 16];
    if (!g) return FOCI_OK;
    g->seconds = foci_training_read(config).timeout;
    foci_group_doing(g, "before the evaluation: version, instruction set, config, data and weights of all");
    foci_status s = foci_safetensors_checksum(weights, checksum);
    if (!s) s = foci_task_fingerprint(config, splits, data, sizeof data);
    FOCI_TRY(foci_group_agree(g, s));
    snprintf(line, sizeof line, "weights: %s", checksum);
    FOCI_TRY(foci_alike(g, config, foci_eval_bf16(config), data, line));
    foci_group_doing(g, "evaluation");
    return FOCI_OK;
}
