#include "cli/subject.h"
#include "measure/shifted.h"
#include "measure/word_swap.h"
#include "models/models.h"
#include "task/task.h"

typedef struct settings {
    const char *measure;
    foci_swap_options text;
    foci_shift_options shift;
} settings;

static const foci_key rows[] = {FOCI_KEY(settings, measure, NULL, 0, 0, NULL,
                                         "any of `foci list measures`, with its options, as in "
                                         "corrupt:severity=3,limit=100 (default: what the options "
                                         "above ask for, the score of the split)",
                                         .placeholder = "M[:KEY=VALUE,...]"),
                                {0}};

/* Do the options about shifted images go together? */
static foci_status check_shift(const foci_shift_options *o) {
    const bool corrupted = o->corrupt || o->corrupt_dir;
    if (!corrupted && (o->severity || o->relative_to || o->seed))
        return foci_fail(FOCI_ERR_CONFIG, "--severity, --relative-to and --seed go with --corrupt");
    if (!o->corrupt && o->frost) return foci_fail(FOCI_ERR_CONFIG, "--frost goes with --corrupt");
    if (!corrupted && !o->val_dir && !o->ood_dir && (o->limit || o->classes))
        return foci_fail(FOCI_ERR_CONFIG,
                         "--limit and --classes go with --corrupt, --corrupt-dir, --val-dir or --ood-dir");
    if (corrupted && o->ood_dir) return foci_fail(FOCI_ERR_CONFIG, "--ood-dir and corruptions do not go together");
    if (o->corrupt_dir && o->frost) return foci_fail(FOCI_ERR_CONFIG, "--corrupt-dir and --frost do not go together");
    if (o->corrupt_dir && o->val_dir)
        return foci_fail(FOCI_ERR_CONFIG, "--corrupt-dir and --val-dir do not go together");
    return FOCI_OK;
}

/* What is told beside a score belongs to that of a split. */
static foci_status check_details(const settings *o) {
    const foci_score_options *score = &o->text.score;
    const foci_shift_options *shift = &o->shift;
    const bool other = o->text.contaminate || shift->corrupt || shift->corrupt_dir || shift->val_dir || shift->ood_dir;
    if (!other || !(score->predictions || score->per_class || score->out)) return FOCI_OK;
    return foci_fail(FOCI_ERR_CONFIG, "--per-class, --predictions and --out go with the score of a split alone");
}

/* --measure says all in its own words. */
static foci_status check_alone(const foci_parsed *parsed, const settings *o) {
    for (int i = 0; i < parsed->gives; i++) {
        const char *field = parsed->given[i].field;
        if (field > (const char *)&o->measure && field < (const char *)(o + 1))
            return foci_fail(FOCI_ERR_CONFIG, "--measure: its options stand behind a colon, as in corrupt:severity=3");
    }
    return FOCI_OK;
}

static foci_status check(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    FOCI_TRY(o->measure ? check_alone(parsed, o) : check_shift(&o->shift));
    FOCI_TRY(check_details(o));
    char weights[4200]; /* a folder without any is said before its config is looked for */
    return ((const settings *)parsed->options)->measure
               ? FOCI_OK
               : foci_find_weights(parsed->argument[0], parsed->checkpoint, weights, sizeof weights);
}

/* What the options ask for, and which of them are its own. */
static const foci_measure *asked_for(const settings *o, const void **options) {
    const foci_shift_options *shift = *options = &o->shift;
    if (shift->corrupt || shift->corrupt_dir) return &foci_measure_corrupt;
    if (shift->ood_dir) return &foci_measure_outliers;
    if (shift->val_dir) return &foci_measure_classes;
    *options = &o->text;
    if (o->text.contaminate) return &foci_measure_word_swap;
    *options = &o->text.score;
    return &foci_measure_val; /* of whatever split */
}

/* Corrupted images are asked of a segmenter in another way. */
static const foci_measure *for_task(const foci_measure *m, const foci_config *config) {
    const foci_model *model = foci_model_find(foci_config_string(config, "model.kind"));
    return m == &foci_measure_corrupt && foci_task_of(model)->scores_classes ? &foci_measure_corrupt_pixels : m;
}

typedef struct job {
    const foci_measure *measure;
    const void *options;
    const char *checkpoint;
    char weights[4200];
} job;

static foci_status ask(const foci_parsed *parsed, job *j) {
    const settings *o = parsed->options;
    *j = (job){.checkpoint = parsed->checkpoint};
    if (!o->measure) {
        j->measure = asked_for(o, &j->options);
        return FOCI_OK;
    }
    foci_asked asked;
    foci_arena *arena = &((foci_parsed *)(uintptr_t)parsed)->arena;
    FOCI_TRY(foci_measure_ask(&asked, "--measure", o->measure, arena));
    if (asked.sets) return foci_fail(FOCI_ERR_CONFIG, "--measure: keys of the config are given by --set");
    j->measure = asked.measure;
    j->options = asked.options;
    if (asked.checkpoint) j->checkpoint = asked.checkpoint;
    return FOCI_OK;
}

static bool shares(const foci_parsed *parsed) {
    job j;
    return !ask(parsed, &j) && j.measure->shares && j.measure->shares(j.options);
}

static foci_status prepare(const foci_parsed *parsed, job *j) {
    const settings *o = parsed->options;
    FOCI_TRY(ask(parsed, j));
    if (o->measure) FOCI_TRY(foci_measure_fits(j->measure, parsed->config));
    else j->measure = for_task(j->measure, parsed->config);
    if (!j->measure->untrained)
        return foci_find_weights(parsed->argument[0], j->checkpoint, j->weights, sizeof j->weights);
    foci_count_allocations();
    return FOCI_OK;
}

static foci_status evaluate(const foci_parsed *parsed) {
    job j;
    FOCI_TRY(foci_group_agree(parsed->group, prepare(parsed, &j)));
    return foci_measure_and_print(parsed, j.measure, j.options, j.measure->untrained ? NULL : j.weights);
}

const foci_command foci_command_eval = {
    .name = "eval",
    .summary = "accuracy or perplexity of a run",
    .synopsis = "RUN_OR_CONFIG",
    .doc = "Top-1 and top-5 accuracy over every image of a split, or perplexity over every token; or "
           "accuracy on corrupted images and on folders of other images; or any other measure. Several processes, "
           "started by mpirun or srun, share the score of a split.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_COMMON | FOCI_TAKES_CHECKPOINT | FOCI_OPENS_CONFIG | FOCI_ENDS_BY_SIGNAL | FOCI_FIRST_DOES |
             FOCI_TAKES_DTYPE,
    .size = sizeof(settings),
    .options = {{foci_score_keys, offsetof(settings, text) + offsetof(foci_swap_options, score)},
                {foci_score_detail_keys, offsetof(settings, text) + offsetof(foci_swap_options, score)},
                {foci_contaminate_keys, offsetof(settings, text)},
                {foci_corrupt_keys, offsetof(settings, shift)},
                {foci_outlier_keys, offsetof(settings, shift)},
                {foci_folder_keys, offsetof(settings, shift)},
                {rows}},
    .check = check,
    .shares = shares,
    .run = evaluate};
