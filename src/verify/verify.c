#include "verify/verify.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "verify/case.h"

static const struct {
    const char *kind;
    foci_status (*check)(foci_case *c);
} checker[] = {
    {"vit", foci_verify_vit},
    {"fan", foci_verify_fan},
    {"segmenter", foci_verify_segmenter},
    {"lm", foci_verify_lm},
    {"gpt", foci_verify_gpt},
    {"gpt-units", foci_verify_gpt_units},
    {"gpt-attention", foci_verify_gpt_attention},
    {"gpt-names", foci_verify_gpt_names},
    {"encoder", foci_verify_encoder},
    {"attention", foci_verify_attention},
    {"adaptive-softmax", foci_verify_softmax},
    {"units", foci_verify_units},
    {"attack", foci_verify_attack},
    {"collapse", foci_verify_collapse},
    {"span-attention", foci_verify_span},
    {"moe", foci_verify_experts},
    {"lm-span", foci_verify_lm_span},
    {"lm-span-classifier", foci_verify_lm_span_classifier},
};
enum { CHECKERS = sizeof checker / sizeof *checker };

static const size_t max_json = 4 << 20; /* the parser may need 70 times as much memory */

/* Comments anywhere at the top do no harm; numbers and objects that nobody reads would be ignored answers. */
static foci_status check_top_level(const foci_case *c) {
    static const char known[] =
        " case kind model elliptical attention constants tied expected no_gradient train eval variants attacks "
        "float32_difference filled margin end_of_text rotary models tolerance tensors ";
    const char *key;
    json_t *value;
    json_object_foreach(c->root, key, value) {
        char padded[80];
        snprintf(padded, sizeof padded, " %.70s ", key);
        if (!json_is_string(value) && !strstr(known, padded))
            return foci_case_fail(c, "%s: foci does not know this field", key);
    }
    return FOCI_OK;
}

static foci_status read_tolerances(foci_case *c) {
    json_t *tolerance;
    FOCI_TRY(foci_case_member(c, c->root, "case", "tolerance", JSON_OBJECT, &tolerance));
    if (json_object_size(tolerance) > FOCI_VERIFY_MAX_GROUPS)
        return foci_case_fail(c, "tolerance: more than %d groups", FOCI_VERIFY_MAX_GROUPS);
    const char *key;
    json_t *value;
    json_object_foreach(tolerance, key, value) {
        foci_verify_group *g = &c->report->group[c->report->groups++];
        snprintf(g->name, sizeof g->name, "%s", key);
        FOCI_TRY(foci_case_number(c, tolerance, "tolerance", key, &g->tolerance));
        if (!(g->tolerance >= 0)) return foci_case_fail(c, "tolerance.%s is %g", key, g->tolerance);
    }
    c->compared = foci_arena_alloc(&c->arena, FOCI_VERIFY_MAX_GROUPS * sizeof *c->compared);
    return c->compared ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", c->path);
}

/* A case passes only where nothing in it went unread. */
static foci_status check_complete(const foci_case *c) {
    for (int i = 0; i < c->file.count; i++)
        if (!c->used[i])
            return foci_case_fail(c, "tensor %s: foci does not know what it is for", c->file.tensor[i].name);
    for (int i = 0; i < c->report->groups; i++)
        if (!c->compared[i]) return foci_case_fail(c, "tolerance.%s: nothing to compare", c->report->group[i].name);
    return FOCI_OK;
}

static foci_status open_tensors(foci_case *c) {
    size_t n = strlen(c->path);
    if (n < 5 || strcmp(c->path + n - 5, ".json") != 0) return foci_case_fail(c, "the name of a case ends with .json");
    const char *path = foci_arena_printf(&c->arena, "%.*s.safetensors", (int)(n - 5), c->path);
    if (!path) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", c->path);
    foci_status status = foci_safetensors_open(&c->file, path);
    if (status) return status == FOCI_ERR_CHECKPOINT ? FOCI_ERR_DATA : status;
    c->used = foci_arena_alloc(&c->arena, (size_t)c->file.count * sizeof *c->used + 1);
    return c->used ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", c->path);
}

static foci_status run_checker(foci_case *c, foci_status (*check)(foci_case *)) {
    FOCI_TRY(check_top_level(c));
    FOCI_TRY(read_tolerances(c));
    FOCI_TRY(open_tensors(c));
    FOCI_TRY(check(c));
    FOCI_TRY(check_complete(c));
    c->report->ok = true;
    for (int i = 0; i < c->report->groups; i++) c->report->ok &= c->report->group[i].ok;
    return FOCI_OK;
}

static foci_status check_case(foci_case *c) {
    json_t *kind;
    if (!json_is_object(c->root)) return foci_case_fail(c, "not a JSON object");
    FOCI_TRY(foci_case_member(c, c->root, "case", "kind", JSON_STRING, &kind));
    snprintf(c->report->kind, sizeof c->report->kind, "%s", json_string_value(kind));
    for (int i = 0; i < CHECKERS; i++)
        if (strcmp(json_string_value(kind), checker[i].kind) == 0) return run_checker(c, checker[i].check);
    c->report->skipped = true;
    return FOCI_OK;
}

static void name_case(foci_verify_report *report, const char *path) {
    const char *slash = strrchr(path, '/');
    snprintf(report->name, sizeof report->name, "%s", slash ? slash + 1 : path);
    char *dot = strrchr(report->name, '.');
    if (dot) *dot = 0;
}

foci_status foci_verify_case(const char *json_path, bool bf16, foci_verify_report *report) {
    foci_case c = {.path = json_path, .bf16 = bf16, .report = report};
    *report = (foci_verify_report){0};
    name_case(report, json_path);
    char *text;
    size_t size;
    FOCI_TRY(foci_read_file(json_path, max_json, &text, &size, FOCI_ERR_DATA));
    json_error_t error;
    c.root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
    free(text);
    if (!c.root) return foci_fail(FOCI_ERR_DATA, "%s:%d:%d: %s", json_path, error.line, error.column, error.text);
    foci_status status = check_case(&c);
    json_decref(c.root);
    foci_safetensors_close(&c.file);
    foci_arena_free(&c.arena);
    return status;
}
