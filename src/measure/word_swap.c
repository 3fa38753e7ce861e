/* word-swap: perplexity of a text as it is, and of the same text contaminated. */
#include "measure/word_swap.h"

#include "shift/contamination.h"

const foci_key foci_contaminate_keys[] = {
    FOCI_KEY(foci_swap_options, contaminate, NULL, 0, 0, NULL,
             "text: beside the text as it is, its perplexity contaminated, as in word-swap:rate=0.015,min=1 "
             "(see foci list "
             "contaminations)",
             .placeholder = "KIND[:KEY=VALUE,...]"),
    {0}};

static void tell_contamination(const foci_contamination *c, const void *settings, const foci_contamination_count *n,
                               foci_report *r) {
    foci_report_text(r, "kind", c->name);
    for (const foci_key *key = c->keys; key->name; key++) foci_key_report(key, settings, key->name, r);
    foci_report_whole(r, "lines", n->lines);
    foci_report_whole(r, "words", n->words);
    foci_report_whole(r, "swapped", n->swapped);
}

static void tell(const foci_contaminated_score *s, foci_report *r) {
    foci_score_report(&s->clean, FOCI_IN_RESULT, r);
    foci_report_number(r, "contaminated_nll", foci_score_value(&s->contaminated, "nll"));
    foci_report_number(r, "contaminated_ppl", foci_score_value(&s->contaminated, "ppl"));
}

static foci_status measure(const foci_subject *subject, const foci_swap_options *o, const foci_watch *watch,
                           foci_arena *arena, foci_report *r) {
    const foci_contamination *c;
    const void *settings;
    foci_contaminated_score score;
    if (o->score.walk != FOCI_WALK_DISJOINT && o->score.walk != FOCI_WALK_SLIDING)
        return foci_fail(FOCI_ERR_CONFIG, "word-swap walks in disjoint or sliding windows");
    FOCI_TRY(foci_contamination_parse(o->contaminate ? o->contaminate : "word-swap", arena, &c, &settings));
    FOCI_TRY(foci_evaluate_contaminated(subject->config, subject->weights, o->score.split,
                                        o->score.walk == FOCI_WALK_SLIDING, c, settings, subject->group, watch,
                                        &score));
    foci_score_head(&o->score, true, r);
    tell(&score, r);
    tell_contamination(c, settings, &score.count, foci_report_part(r, "contamination"));
    return FOCI_OK;
}

static foci_status run(const foci_subject *subject, const void *options, const foci_watch *watch, foci_report *r) {
    foci_arena arena = {NULL};
    foci_status s = measure(subject, options, watch, &arena, r);
    foci_arena_free(&arena);
    return s;
}

static bool shares(const void *options) { return (void)options, true; }

static const foci_json_form form = {.digits = 9, .point = true};

static void print(const foci_report *r, FILE *f) {
    fprintf(f,
            "%s, %s windows: perplexity %.3f clean, %.3f contaminated (%.5f and %.5f nats per token) over "
            "%.0f tokens\n",
            foci_report_text_of(r, "split"), foci_report_text_of(r, "walk"), foci_report_number_of(r, "ppl"),
            foci_report_number_of(r, "contaminated_ppl"), foci_report_number_of(r, "nll"),
            foci_report_number_of(r, "contaminated_nll"), foci_report_number_of(r, "tokens"));
    if (!foci_report_json(foci_report_part_of(r, "contamination"), &form, f)) fputc('\n', f);
}

const foci_measure foci_measure_word_swap = {
    .name = "word-swap",
    .summary = "perplexity with words swapped",
    .size = sizeof(foci_swap_options),
    .options = {{foci_score_keys, offsetof(foci_swap_options, score)}, {foci_contaminate_keys}},
    .inner = foci_word_swap_keys,
    .within = "contaminate",
    .needs = "rate",
    .task = "text",
    .metrics = {"contaminated_ppl", "ppl"},
    .shares = shares,
    .run = run,
    .form = &form,
    .print = print,
    .command = "eval",
    .preset = {"split=test"}};
