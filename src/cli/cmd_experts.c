#include <stdio.h>

#include "cli/subject.h"
#include "measure/experts.h"
#include "plot/experts_picture.h"

typedef struct settings {
    foci_experts_settings how;
    const char *out;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, out, NULL, 0, 0, NULL, "and draw it, .svg or .png; needs gnuplot", .placeholder = "FILE"), {0}};

static void print_load(const foci_expert_load *load) {
    printf("%-12s %10s %12s %12s %12s\n", "layer", "used alike", "gate, nats", "least, %", "most, %");
    for (int i = 0; i < load->layers; i++) {
        const foci_expert_layer *l = &load->layer[i];
        double least = 1, most = 0;
        for (int64_t e = 0; e < load->experts; e++) {
            if (l->share[e] < least) least = l->share[e];
            if (l->share[e] > most) most = l->share[e];
        }
        printf("%-12s %10.2f %12.4f %12.2f %12.2f\n", l->name, l->used, l->gate_entropy, 100 * least, 100 * most);
    }
    printf("of %lld experts, %lld a token, over %lld tokens\n", (long long)load->experts, (long long)load->top_k,
           (long long)load->tokens);
}

static foci_status show(const foci_parsed *parsed, const foci_expert_load *load) {
    const settings *o = parsed->options;
    if (o->out) FOCI_TRY(foci_experts_picture(load, o->out));
    if (!parsed->json) return print_load(load), FOCI_OK;
    foci_report r = {NULL};
    foci_experts_tell(load, &r);
    return foci_print_report(&r, &foci_json_compact);
}

static foci_status run(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    foci_expert_load load;
    if (o->out) FOCI_TRY(foci_experts_picture_check(o->out));
    foci_status s = foci_expert_load_measure(parsed->config, parsed->weights, o->how.limit, &foci_on_terminal, &load);
    if (!s) s = show(parsed, &load);
    foci_expert_load_free(&load);
    return s;
}

const foci_command foci_command_experts = {
    .name = "experts",
    .summary = "how evenly the experts of a model are used",
    .synopsis = "RUN_OR_CONFIG",
    .doc = "For each layer with experts: which share of the tokens' choices falls on each, over the validation text; "
           "how many experts would be used if they were used alike (exp of the entropy of the shares); and how sure "
           "the gate is (entropy of its softmax over all experts, mean over tokens). With --out as a picture.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_COMMON | FOCI_OPENS_WEIGHTS | FOCI_ENDS_BY_SIGNAL | FOCI_FIRST_DOES | FOCI_TAKES_DTYPE,
    .size = sizeof(settings),
    .options = {{foci_experts_keys, offsetof(settings, how)}, {rows}},
    .run = run};
