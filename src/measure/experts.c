/* experts: which share of the tokens each expert gets, and how sure the gate is. */
#include "measure/experts.h"

const foci_key foci_experts_keys[] = {FOCI_KEY(foci_experts_settings, limit, "0", 0, 1e12, NULL,
                                               "windows of the validation text, from its beginning; 0: all"),
                                      {0}};

void foci_experts_tell(const foci_expert_load *load, foci_report *r) {
    foci_report_number(r, "gate_entropy", load->gate_entropy);
    foci_report_number(r, "experts_used", load->used);
    foci_report_whole(r, "experts", load->experts);
    foci_report_whole(r, "top_k", load->top_k);
    foci_report_whole(r, "tokens", load->tokens);
    foci_report *layers = foci_report_list(r, "layers");
    for (int i = 0; i < load->layers; i++) {
        const foci_expert_layer *l = &load->layer[i];
        foci_report *one = foci_report_part(layers, NULL);
        foci_report_text(one, "name", l->name);
        foci_report_number(one, "gate_entropy", l->gate_entropy);
        foci_report_number(one, "experts_used", l->used);
        foci_report_numbers(one, "share", load->experts, l->share);
    }
}

static foci_status run(const foci_subject *subject, const void *options, const foci_watch *watch, foci_report *r) {
    const foci_experts_settings *o = options;
    foci_expert_load load;
    foci_status s = foci_expert_load_measure(subject->config, subject->weights, o->limit, watch, &load);
    if (!s) foci_experts_tell(&load, r);
    foci_expert_load_free(&load);
    return s;
}

const foci_measure foci_measure_experts = {.name = "experts",
                                           .summary = "how evenly experts are used",
                                           .size = sizeof(foci_experts_settings),
                                           .options = {{foci_experts_keys}},
                                           .task = "text",
                                           .metrics = {"experts_used", "gate_entropy"},
                                           .run = run,
                                           .form = &foci_json_compact,
                                           .command = "experts"};
