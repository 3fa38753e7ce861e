#include "run/open.h"

#include <string.h>

#include "base/file.h"
#include "config/config.h"
#include "task/meaning.h"
#include "task/schema.h"

foci_status foci_config_open(foci_config **config, const char *file_or_run, const char *const *set, int sets) {
    char path[4200];
    FOCI_TRY(foci_path_join(path, sizeof path, "", file_or_run));
    if (foci_path_kind(path) == 'd') FOCI_TRY(foci_path_join(path, sizeof path, file_or_run, "config.yaml"));
    return foci_config_load(config, foci_schema_all(), path, set, sets);
}

foci_status foci_config_open_trained(foci_config **config, const char *file_or_run, const char *weights,
                                     const char *const *set, int sets) {
    FOCI_TRY(foci_config_open(config, file_or_run, set, sets));
    return foci_config_label(*config, weights);
}

foci_status foci_config_label(foci_config *config, const char *weights) {
    char labels[4200];
    FOCI_TRY(foci_labels_of_weights(weights, labels, sizeof labels));
    if (*labels) return foci_config_put(config, "data.labels", labels);
    if (!*foci_config_string(config, "data.labels") && foci_path_kind(weights) == 'f')
        foci_log(FOCI_LOG_INFO, "%s carries no names of its classes or words; those of the data count, in their order",
                 weights);
    return FOCI_OK;
}

foci_status foci_config_from_text(foci_config **config, const char *text, const char *const *set, int sets) {
    return foci_config_parse(config, foci_schema_all(), "config", text, strlen(text), set, sets);
}

foci_status foci_find_weights(const char *run, const char *checkpoint, char *path, size_t size) {
    if (checkpoint) return foci_path_join(path, size, "", checkpoint);
    if (foci_path_kind(run) != 'd')
        return foci_fail(FOCI_ERR_CONFIG, "%s is no run folder: --checkpoint must name the weights", run);
    FOCI_TRY(foci_path_join(path, size, run, "best.safetensors"));
    if (foci_path_kind(path)) return FOCI_OK;
    FOCI_TRY(foci_path_join(path, size, run, "last.safetensors"));
    if (foci_path_kind(path)) return FOCI_OK;
    return foci_fail(FOCI_ERR_CHECKPOINT,
                     "%s: no best.safetensors or last.safetensors here; --checkpoint names another file", run);
}

foci_status foci_weights_of(const char *file_or_run, char *path, size_t size) {
    const bool run = foci_path_kind(file_or_run) == 'd';
    return foci_find_weights(file_or_run, run ? NULL : file_or_run, path, size);
}
