#include <stdio.h>
#include <string.h>

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
        printf("    %-28s %10.3g  tolerance %8.3g  %s\n", r->group[i].name, r->group[i].difference,
               r->group[i].tolerance, r->group[i].ok ? "ok" : "FAILED");
}

static void report_case(foci_report *to, const foci_verify_report *r) {
    foci_report_text(to, "case", r->name);
    foci_report_text(to, "kind", r->kind);
    foci_report_flag(to, "skipped", r->skipped);
    foci_report_flag(to, "ok", r->ok);
    foci_report *groups = foci_report_list(to, "groups");
    for (int i = 0; i < r->groups; i++) {
        const foci_verify_group *g = &r->group[i];
        foci_report *one = foci_report_part(groups, NULL);
        foci_report_text(one, "group", g->name);
        foci_report_number(one, "difference", g->difference);
        foci_report_number(one, "tolerance", g->tolerance);
        foci_report_flag(one, "ok", g->ok);
    }
}

typedef struct counts {
    int passed, failed, skipped;
} counts;

static void count(counts *n, const foci_verify_report *r) {
    n->skipped += r->skipped;
    n->passed += !r->skipped && r->ok;
    n->failed += !r->skipped && !r->ok;
}

/* Puts every case into the list `all`, or prints it where that is NULL. */
static foci_status verify(const char *const *path, int cases, bool bf16, foci_report *all, counts *n) {
    static foci_verify_report r;
    for (int i = 0; i < cases; i++) {
        FOCI_TRY(foci_verify_case(path[i], bf16, &r));
        count(n, &r);
        if (all) report_case(foci_report_part(all, NULL), &r);
        else print_report(&r);
    }
    return FOCI_OK;
}

static foci_status print_json(const char *const *path, int cases, bool bf16, counts *n) {
    foci_report r = {NULL};
    foci_status s = verify(path, cases, bf16, foci_report_list(&r, "cases"), n);
    foci_report_whole(&r, "passed", n->passed);
    foci_report_whole(&r, "failed", n->failed);
    foci_report_whole(&r, "skipped", n->skipped);
    if (!s) return foci_print_report(&r, &(foci_json_form){.compact = true, .digits = 17, .point = true});
    foci_report_free(&r);
    return s;
}

static foci_status print(const char *const *path, int cases, bool bf16, counts *n) {
    FOCI_TRY(verify(path, cases, bf16, NULL, n));
    printf("%d passed, %d failed, %d skipped\n", n->passed, n->failed, n->skipped);
    return FOCI_OK;
}

enum { MOST = 4096 };

typedef struct settings {
    enum { FP32, BF16 } dtype;
} settings;

static const foci_key rows[] = {FOCI_KEY(settings, dtype, "fp32", 0, 0, "fp32 bf16",
                                         "bf16: products round their operands, tolerances are those of bfloat16"),
                                {0}};

static bool asks_bf16(const foci_parsed *parsed) { return ((const settings *)parsed->options)->dtype == BF16; }

static foci_status check(const foci_parsed *parsed) {
    if (!asks_bf16(parsed) || foci_bf16_supported()) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG, "--dtype: this processor has no products in bf16 (AVX512-BF16)");
}

static foci_status run(const foci_parsed *parsed) {
    counts n = {0};
    FOCI_TRY((parsed->json ? print_json : print)(parsed->argument, parsed->arguments, asks_bf16(parsed), &n));
    if (!n.failed) return FOCI_OK;
    return foci_fail(FOCI_ERR_RUNTIME, "%d of %d cases differ by more than their tolerance", n.failed,
                     parsed->arguments);
}

const foci_command foci_command_verify = {
    .name = "verify",
    .summary = "compare with golden cases",
    .synopsis = "CASE.json...",
    .doc = "Runs golden cases (NAME.json beside NAME.safetensors) and prints, for each group, the largest "
           "difference beside its tolerance. Exits with 0 only if all hold; kinds foci does not check are counted "
           "as skipped.",
    .least = 1,
    .most = MOST,
    .takes = FOCI_TAKES_THREADS | FOCI_TAKES_JSON,
    .size = sizeof(settings),
    .options = {{rows}},
    .check = check,
    .run = run,
};
