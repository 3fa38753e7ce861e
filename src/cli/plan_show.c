#include "cli/plan_show.h"

static long long whole(const foci_report *r, const char *name) { return (long long)foci_report_number_of(r, name); }

static void print_modules(const foci_report *plan) {
    printf("%-32s %14s\n", "module", "parameters");
    for (const foci_report_entry *e = foci_report_part_of(plan, "modules")->first; e; e = e->next)
        printf("%-32s %14lld\n", foci_report_text_of(e->part, "module"), whole(e->part, "parameters"));
    printf("%-32s %14lld\n", "total", whole(plan, "parameters"));
}

static void print_costs(const foci_report *plan) {
    const char *item = foci_report_text_of(plan, "item");
    const double again = foci_report_number_of(plan, "mflop_recompute");
    printf("MFLOP per %-6s %.2f forward, %.2f backward\n", item, foci_report_number_of(plan, "mflop_forward"),
           foci_report_number_of(plan, "mflop_backward"));
    printf("products         in %s\n", foci_report_text_of(plan, "dtype"));
    if (again > 0) printf("recompute        %.2f MFLOP per %s again in the backward pass\n", again, item);
}

void foci_plan_print(const foci_report *plan) {
    const long long moments = whole(plan, "moments");
    print_modules(plan);
    printf("\ndata             %s\n", foci_report_text_of(plan, "data"));
    if (foci_report_find(plan, "updates"))
        printf("updates          %lld an epoch, %lld in all\n", whole(plan, "updates_per_epoch"),
               whole(plan, "updates"));
    print_costs(plan);
    printf("plan             %.1f MB for a pass of %lld (%.1f MB without sharing)\n",
           foci_report_number_of(plan, "plan_mb"), whole(plan, "batch"), foci_report_number_of(plan, "unshared_mb"));
    printf("parameters       %.1f MB with gradients and %lld moment%s\n", foci_report_number_of(plan, "parameters_mb"),
           moments, foci_plural(moments, "s"));
    if (foci_report_find(plan, "shards"))
        printf("shards           %lld, shared evenly by %s processes; %.1f MB of sums in one\n", whole(plan, "shards"),
               foci_report_text_of(plan, "even_processes"), foci_report_number_of(plan, "sums_mb"));
}
