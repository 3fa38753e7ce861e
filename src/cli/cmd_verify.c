#include <math.h>
#include <stdio.h>
#include <string.h>
#include <jansson.h>

#include "cli/cli.h"
#include "kernels/bf16.h"
#include "verify/verify.h"

static void print_report(const foci_verify_report *r) {
    if (r->skipped) {
        printf("%-28s %-18s skipped: foci does not check this kind yet\n", r->name, r->kind);
        return;
    }
    printf("%-28s %-18s %s\n", r->name, r->kind, r->ok ? "ok" : "FAILED");
    for (int i = 0; i < r->groups; i++)
        printf("    %-28s %10.3g  tolerance %8.3g  %s\n", r->group[i].name, r->group[i].difference, r->group[i].tolerance,
               r->group[i].ok ? "ok" : "FAILED");
}

static json_t *json_report(const foci_verify_report *r) {
    json_t *groups = json_array();
    for (int i = 0; i < r->groups; i++) {
        const foci_verify_group *g = &r->group[i];
        json_t *difference = isfinite(g->difference) ? json_real(g->difference) : json_null();
        json_array_append_new(groups, json_pack("{s:s, s:o, s:f, s:b}", "group", g->name, "difference", difference,
                                                "tolerance", g->tolerance, "ok", g->ok));
    }
    return json_pack("{s:s, s:s, s:b, s:b, s:o}", "case", r->name, "kind", r->kind, "skipped", r->skipped, "ok", r->ok, "groups", groups);
}

enum { MOST = 4096, DTYPE = 1 };

static const struct argp_option table[] = {
    {"dtype", DTYPE, "TYPE", 0, "fp32 (the default), or bf16: products round their operands, tolerances are those of bfloat16", 0}, {0}};

static foci_status set_option(void *state, int key, char *arg) {
    bool *bf16 = state;
    (void)key;
    *bf16 = strcmp(arg, "bf16") == 0;
    if (!*bf16 && strcmp(arg, "fp32") != 0) return foci_fail(FOCI_ERR_CONFIG, "--dtype: `%s` is not fp32 or bf16", arg);
    if (*bf16 && !foci_bf16_supported()) return foci_fail(FOCI_ERR_CONFIG, "--dtype: this processor has no products in bf16 (AVX512-BF16)");
    return FOCI_OK;
}

foci_status foci_cmd_verify(int argc, char **argv) {
    foci_common common = {0};
    static const char *path[MOST];
    int count, passed = 0, failed = 0, skipped = 0;
    bool done, bf16 = false;
    const foci_arguments a = {table, set_option, &bf16, "CASE.json...",
                              "Runs golden cases (NAME.json beside NAME.safetensors) and prints, for each group, the largest difference beside "
                              "its tolerance. Exits with 0 only if all hold; kinds foci does not check are counted as skipped.",
                              true, 1, MOST};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, &common, path, &count, &done));
    if (done) return FOCI_OK;
    json_t *cases = json_array();
    for (int i = 0; i < count; i++) {
        static foci_verify_report r;
        foci_status s = foci_verify_case(path[i], bf16, &r);
        if (s) {
            json_decref(cases);
            return s;
        }
        if (r.skipped) skipped++;
        else if (r.ok) passed++;
        else failed++;
        if (common.json) json_array_append_new(cases, json_report(&r));
        else print_report(&r);
    }
    if (common.json) {
        json_t *all = json_pack("{s:o, s:i, s:i, s:i}", "cases", cases, "passed", passed, "failed", failed, "skipped", skipped);
        json_dumpf(all, stdout, JSON_COMPACT);
        putchar('\n');
        json_decref(all);
    } else {
        printf("%d passed, %d failed, %d skipped\n", passed, failed, skipped);
        json_decref(cases);
    }
    return failed ? foci_fail(FOCI_ERR_RUNTIME, "%d of %d cases differ by more than their tolerance", failed, count) : FOCI_OK;
}
