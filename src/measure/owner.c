#include "measure/owner.h"

#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/file.h"
#include "task/task.h"

static void tell_hash(foci_report *r, const char *name, const void *data, size_t size) {
    char text[17];
    snprintf(text, sizeof text, "%016llx", (unsigned long long)XXH3_64bits(data, size));
    foci_report_text(r, name, text);
}

foci_status foci_owner_begin(const foci_subject *subject, foci_report *owner) {
    foci_map weights;
    char data[512];
    FOCI_TRY(foci_map_open(&weights, subject->weights, FOCI_ERR_CHECKPOINT));
    tell_hash(owner, "weights", weights.data, weights.size);
    foci_map_close(&weights);
    char *config = foci_config_essence(subject->config);
    if (!config) return foci_out_of_memory();
    tell_hash(owner, "config", config, strlen(config));
    free(config);
    FOCI_TRY(foci_task_fingerprint(subject->config, FOCI_VALID | FOCI_TEST, data, sizeof data));
    foci_report_text(owner, "data", data);
    return FOCI_OK;
}

foci_status foci_owner_text(foci_report *owner, const char *command, char **text) {
    size_t size;
    FILE *f = open_memstream(text, &size);
    foci_status s = f ? FOCI_OK : foci_out_of_memory();
    if (f) {
        fprintf(f, "foci %s ", command);
        s = foci_report_json(owner, &(foci_json_form){.digits = 17}, f);
        if (fclose(f) && !s) s = foci_out_of_memory();
        if (s) free(*text);
    }
    foci_report_free(owner);
    return s;
}
