#define _GNU_SOURCE
#include "run/environment.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/cpu.h"
#include "base/file.h"
#include "base/report.h"
#include "kernels/gemm.h"
#include "kernels/bf16.h"

/* What results depend on, to the last bit. */
static void report_arithmetic(foci_report *r) {
    foci_report_text(r, "foci", FOCI_VERSION);
    foci_report_text(r, "compiler", __VERSION__);
    foci_report_text(r, "isa", foci_bf16_isa());
    foci_report_text(r, "gemm", foci_gemm_provider());
}

static void report_environment(foci_report *r, const char *command) {
    char host[256] = "?", date[64];
    gethostname(host, sizeof host - 1);
    time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &utc));
    report_arithmetic(r);
    foci_report_whole(r, "threads", foci_threads());
    foci_report_text(r, "host", host);
    foci_report_text(r, "date", date);
    foci_report_text(r, "command", command ? command : "");
}

foci_status foci_environment_write(const char *run, const char *command) {
    char path[4200];
    foci_report environment = {NULL};
    FOCI_TRY(foci_path_join(path, sizeof path, run, "env.json"));
    report_environment(&environment, command);
    foci_status s = foci_report_write(&environment, &(foci_json_form){.indent = 2, .digits = 9}, path);
    foci_report_free(&environment);
    return s;
}

bool foci_environment_differs(const char *run, char *text, size_t size) {
    char path[4200];
    foci_report now = {NULL};
    *text = 0;
    if (foci_path_join(path, sizeof path, run, "env.json")) return false;
    json_t *then = json_load_file(path, JSON_REJECT_DUPLICATES, NULL);
    report_arithmetic(&now);
    for (const foci_report_entry *e = now.first; e && then; e = e->next) {
        const char *word = json_string_value(json_object_get(then, e->name));
        const size_t used = strlen(text);
        if (word && strcmp(word, e->text) != 0)
            snprintf(text + used, size - used, "%s%s %.100s (now %.100s)", used ? ", " : "", e->name, word, e->text);
    }
    json_decref(then);
    foci_report_free(&now);
    return *text;
}
