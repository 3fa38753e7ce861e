#include "cli/subject.h"

foci_subject foci_subject_of(const foci_parsed *parsed, const char *weights) {
    return (foci_subject){.config = parsed->config,
                          .weights = weights,
                          .run = parsed->argument[0],
                          .set = parsed->override,
                          .sets = parsed->overrides,
                          .allocations = foci_allocations,
                          .group = parsed->group};
}

foci_status foci_measure_and_print(const foci_parsed *parsed, const foci_measure *m, const void *options,
                                   const char *weights) {
    const foci_subject subject = foci_subject_of(parsed, weights);
    foci_report r = {NULL};
    foci_status s = m->run(&subject, options, &foci_on_terminal, &r);
    if (!s && foci_speaks && parsed->json) return foci_print_report(&r, m->form ? m->form : &foci_json_line);
    if (!s && foci_speaks) foci_measure_print(m, &r, stdout);
    foci_report_free(&r);
    return s;
}
