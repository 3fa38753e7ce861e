#include <stdio.h>

#include "cli/cli.h"

foci_status foci_print_report(foci_report *r, const foci_json_form *form) {
    foci_status s = foci_report_json(r, form, stdout);
    if (!s) putchar('\n');
    foci_report_free(r);
    return s;
}
