/* What a table asks for, as commands of foci: which trainings, which measurements of them, and what waits for what.
 *
 * A run's folder is named by its config, all that differs from the defaults: a changed key is another run, and tables
 * may share a folder of runs. So are results, and by the command that measured them. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "config/config.h"
#include "table/work.h"
#include "task/schema.h"

/* ---------------------------------------------------------------------------------------- names and settings */

/* Letters and digits of a name, for a file. */
static void slug(const char *name, char out[48]) {
    int n = 0;
    for (; *name && n < 40; name++) {
        if (isalnum((unsigned char)*name) || *name == '.') out[n++] = *name;
        else if (n && out[n - 1] != '-') out[n++] = '-';
    }
    while (n && (out[n - 1] == '-' || out[n - 1] == '.')) n--;
    out[n] = 0;
    if (!n || out[0] == '.') snprintf(out, 48, "run");
}

static uint64_t hash_of(const char *text, uint64_t seed) { return XXH3_64bits_withSeed(text, strlen(text), seed); }

/* The overrides of a sample: those of its row, and its seed. */
static int overrides(foci_work *w, const foci_table_row *row, int sample, const char **set) {
    memcpy(set, row->set, sizeof row->set);
    if (!w->t->seeds) return row->sets;
    set[row->sets] = foci_arena_printf(&w->t->arena, "train.seed=%lld", (long long)w->t->seed[sample]);
    return row->sets + 1;
}

/* What the config of a sample comes to beside the defaults, and what its folders are called. Checks it as well, before
 * anything runs. */
typedef struct identity {
    uint64_t hash;
    char name[64];
} identity;

/* The config as it is trained, and that there is one as it is measured. */
static foci_status load(foci_work *w, const foci_table_row *row, int sample, foci_config **config) {
    const char *set[2 * FOCI_TABLE_SETS + 1];
    const int sets = overrides(w, row, sample, set);
    memcpy(set + sets, row->eval_set, (size_t)row->eval_sets * sizeof *set);
    if (row->eval_sets) {
        FOCI_TRY(foci_config_load(config, foci_schema_all(), row->config, set, sets + row->eval_sets));
        foci_config_free(*config);
    }
    return foci_config_load(config, foci_schema_all(), row->config, set, sets);
}

static foci_status check_measures(const foci_table *t, const foci_table_row *row, const foci_config *config) {
    for (int i = 0; i < t->measures && row->shown >= 0; i++)
        if (!row->no_measure[i]) FOCI_TRY(foci_measure_fits(t->measure[i].asked.measure, config));
    return FOCI_OK;
}

/* The sample of a row that another row's sample begins from: of the same seed, or the first that it has. */
static int sample_before(const foci_table_row *before, int sample) {
    if (!before->no_seed[sample]) return sample;
    for (sample = 0; before->no_seed[sample]; sample++) {}
    return sample;
}

static foci_status identify(foci_work *w, const foci_table_row *row, int sample, identity *id) {
    const foci_table_row *const before[] = {row->init, row->teacher};
    foci_config *config;
    foci_status s = load(w, row, sample, &config);
    if (!s && (s = check_measures(w->t, row, config))) foci_config_free(config);
    if (s) return foci_context(s, "%s: run `%s`", w->t->path, row->name);
    char *text = foci_config_essence(config), name[48];
    slug(foci_config_string(config, "name"), name);
    foci_config_free(config);
    if (!text) return foci_out_of_memory();
    id->hash = hash_of(text, 0);
    free(text);
    for (int i = 0; i < 2; i++) {
        identity of;
        if (!before[i]) continue;
        FOCI_TRY(identify(w, before[i], sample_before(before[i], sample), &of));
        id->hash = hash_of(i ? "teacher" : "init", id->hash ^ of.hash);
    }
    snprintf(id->name, sizeof id->name, "%s-%08x", name, (unsigned)(id->hash >> 32));
    return FOCI_OK;
}

static const char *run_folder(foci_work *w, const identity *id) {
    foci_arena *arena = &w->t->arena;
    return w->o->runs ? foci_arena_printf(arena, "%s/%s", w->o->runs, id->name)
                      : foci_arena_printf(arena, "%s/runs/%s", w->o->out, id->name);
}

/* -------------------------------------------------------------------------------------------------- the jobs */

static foci_status say(foci_job *j, const char *word) {
    if (!word) return foci_out_of_memory();
    if (j->words == FOCI_WORK_WORDS) return foci_fail(FOCI_ERR_CONFIG, "%s: too many arguments", j->name);
    j->word[j->words++] = word;
    return FOCI_OK;
}

static foci_status say_sets(foci_job *j, const char *const *set, int sets) {
    for (int i = 0; i < sets; i++) {
        FOCI_TRY(say(j, "--set"));
        FOCI_TRY(say(j, set[i]));
    }
    return FOCI_OK;
}

static foci_status say_overrides(foci_work *w, foci_job *j) {
    const char *set[FOCI_TABLE_SETS + 1];
    return say_sets(j, set, overrides(w, &w->t->row[j->row], j->sample, set));
}

/* The folder of what a training begins from; or NULL in *run. */
static foci_status folder_before(foci_work *w, const foci_table_row *before, int sample, const char **run) {
    identity id;
    *run = NULL;
    if (!before) return FOCI_OK;
    FOCI_TRY(identify(w, before, sample_before(before, sample), &id));
    *run = run_folder(w, &id);
    return *run ? FOCI_OK : foci_out_of_memory();
}

static foci_status train_command(foci_work *w, foci_job *j, const char *run) {
    const foci_table_row *row = &w->t->row[j->row];
    const char *init, *teacher;
    FOCI_TRY(folder_before(w, row->init, j->sample, &init));
    FOCI_TRY(folder_before(w, row->teacher, j->sample, &teacher));
    FOCI_TRY(say(j, "train"));
    FOCI_TRY(say(j, row->config));
    FOCI_TRY(say_overrides(w, j));
    if (teacher) {
        FOCI_TRY(say(j, "--set"));
        FOCI_TRY(say(j, foci_arena_printf(&w->t->arena, "train.teacher=%s", teacher)));
    }
    if (init) {
        FOCI_TRY(say(j, "--init"));
        FOCI_TRY(say(j, init));
    }
    FOCI_TRY(say(j, "--out"));
    FOCI_TRY(say(j, run));
    return say(j, "--resume");
}

/* Of a measurement, RUN/MEASUREMENT.json: named by the config, the command but for folders, and what it reads of
 * another row; not by its column, so that tables share what they call otherwise. */
static const char *result_name(foci_work *w, const foci_job *j, const identity *id, uint64_t read) {
    const foci_table_measure *m = &w->t->measure[j->measure];
    const foci_table_row *row = &w->t->row[j->row];
    uint64_t key = id->hash ^ read;
    for (int i = 0; i < m->count; i++) key = hash_of(m->words[i], key);
    for (int i = 0; i < row->eval_sets; i++) key = hash_of(row->eval_set[i], key);
    return foci_arena_printf(&w->t->arena, "%s/%s-%08x.json", id->name, m->asked.measure->name, (unsigned)(key >> 32));
}

static foci_status set_result(foci_work *w, foci_job *j, const identity *id, uint64_t read) {
    foci_arena *arena = &w->t->arena;
    const char *path = w->t->path, *slash = strrchr(path, '/');
    /* That a run is trained is noted in its own folder, wherever that is. */
    if (j->measure < 0) {
        j->result = foci_arena_printf(arena, "%s/trained.json", j->run);
        return j->result ? FOCI_OK : foci_out_of_memory();
    }
    const char *name = result_name(w, j, id, read);
    if (!name) return foci_out_of_memory();
    j->result = w->o->results ? foci_arena_printf(arena, "%s/%s", w->o->results, name)
                              : foci_arena_printf(arena, "%s/results/%s", w->o->out, name);
    j->shipped = foci_arena_printf(arena, "%.*sresults/%s", slash ? (int)(slash + 1 - path) : 0, path, name);
    return j->result && j->shipped ? FOCI_OK : foci_out_of_memory();
}

/* "--relative-to softmax" where that is a row: its result of this measurement; in that row itself, nothing. */
static foci_status say_reference(foci_work *w, foci_job *j, const char *option, const char *name, uint64_t *read) {
    int row = 0;
    while (row < w->t->rows && strcmp(w->t->row[row].name, name) != 0) row++;
    if (row == j->row) return FOCI_OK;
    if (row < w->t->rows) {
        identity id;
        if (!foci_table_has(&w->t->row[row], j->sample, j->measure))
            return foci_fail(FOCI_ERR_CONFIG, "%s: `%s`, which it is relative to, is not measured so", j->name, name);
        FOCI_TRY(identify(w, &w->t->row[row], j->sample, &id));
        j->reference = row;
        *read = id.hash;
    }
    FOCI_TRY(say(j, option));
    j->reads = j->words; /* the file of that result, once it is there */
    return say(j, name);
}

static foci_status measure_command(foci_work *w, foci_job *j, const char *run, uint64_t *read) {
    const foci_table_measure *m = &w->t->measure[j->measure];
    FOCI_TRY(say(j, m->words[0]));
    FOCI_TRY(say(j, m->asked.measure->untrained ? w->t->row[j->row].config : run));
    if (m->asked.measure->untrained) FOCI_TRY(say_overrides(w, j));
    for (int i = 1; i < m->count; i++) {
        const bool reads = i + 1 < m->count && foci_measure_reads(m->asked.measure, m->words[i]);
        FOCI_TRY(reads ? say_reference(w, j, m->words[i], m->words[i + 1], read) : say(j, m->words[i]));
        i += reads;
    }
    FOCI_TRY(say_sets(j, w->t->row[j->row].eval_set, w->t->row[j->row].eval_sets));
    return say(j, "--json");
}

static foci_status add_job(foci_work *w, int row, int sample, int measure, const identity *id) {
    foci_arena *arena = &w->t->arena;
    const foci_table_row *r = &w->t->row[row];
    const char *label = measure < 0 ? "train" : w->t->measure[measure].label, *seed = "";
    uint64_t read = 0;
    foci_job *j = &w->job[w->jobs++];
    *j = (foci_job){
        .row = row, .sample = sample, .measure = measure, .after = {-1, -1}, .reference = -1, .hash = id->hash};
    j->alone = measure >= 0 && w->t->measure[measure].asked.measure->untrained;
    if (w->t->seeds) seed = foci_arena_printf(arena, ", seed %lld", (long long)w->t->seed[sample]);
    j->name = foci_arena_printf(arena, "%s: %s%s", label, r->name, seed ? seed : "");
    const char *run = run_folder(w, id);
    if (!j->name || !run) return foci_out_of_memory();
    j->run = j->alone ? NULL : run;
    FOCI_TRY(measure < 0 ? train_command(w, j, run) : measure_command(w, j, run, &read));
    return set_result(w, j, id, read);
}

/* Rows that differ in name alone share a run: the job that trains it, or -1. */
static int same_training(const foci_work *w, const identity *id) {
    for (int i = 0; i < w->jobs; i++)
        if (w->job[i].measure < 0 && w->job[i].hash == id->hash) return i;
    return -1;
}

/* The job that trains a row's sample; what it begins from is trained before. */
static foci_status add_training(foci_work *w, const foci_table_row *row, int sample, int *index) {
    const foci_table_row *const before[] = {row->init, row->teacher};
    int after[] = {-1, -1};
    identity id;
    for (int i = 0; i < 2; i++)
        if (before[i]) FOCI_TRY(add_training(w, before[i], sample_before(before[i], sample), &after[i]));
    FOCI_TRY(identify(w, row, sample, &id));
    *index = same_training(w, &id);
    if (*index >= 0) return FOCI_OK;
    *index = w->jobs;
    FOCI_TRY(add_job(w, (int)(row - w->t->row), sample, -1, &id));
    memcpy(w->job[*index].after, after, sizeof after);
    return FOCI_OK;
}

static bool is_measured(const foci_table *t, int row, int sample, int measure, bool untrained) {
    const foci_table_measure *m = &t->measure[measure];
    return !m->means && m->asked.measure->untrained == untrained && foci_table_has(&t->row[row], sample, measure);
}

static foci_status add_measurements(foci_work *w, int row, int sample, bool untrained) {
    identity id;
    int train = -1;
    bool any = false;
    for (int m = 0; m < w->t->measures; m++) any |= is_measured(w->t, row, sample, m, untrained);
    if (!any) return FOCI_OK;
    if (!untrained) FOCI_TRY(add_training(w, &w->t->row[row], sample, &train));
    FOCI_TRY(identify(w, &w->t->row[row], sample, &id));
    for (int m = 0; m < w->t->measures; m++) {
        if (!is_measured(w->t, row, sample, m, untrained)) continue;
        FOCI_TRY(add_job(w, row, sample, m, &id));
        w->job[w->jobs - 1].after[0] = train;
    }
    return FOCI_OK;
}

/* What is timed comes behind, and row after row for one seed after the other: a machine that is slow for a while is so
 * for all rows. */
foci_status foci_work_make(foci_work *w) {
    const foci_table *t = w->t;
    const int samples = foci_table_samples(t), rows = t->rows + t->others;
    w->job = calloc((size_t)(rows * samples * (t->measures + 1)), sizeof *w->job);
    if (!w->job) return foci_out_of_memory();
    for (int row = 0; row < rows; row++)
        for (int sample = 0; sample < samples; sample++)
            if (!t->row[row].no_seed[sample]) FOCI_TRY(add_measurements(w, row, sample, false));
    for (int sample = 0; sample < samples; sample++)
        for (int row = 0; row < rows; row++)
            if (!t->row[row].no_seed[sample]) FOCI_TRY(add_measurements(w, row, sample, true));
    return FOCI_OK;
}

const foci_job *foci_job_read(const foci_work *w, const foci_job *j) {
    for (const foci_job *k = w->job; j->reference >= 0 && k < w->job + w->jobs; k++)
        if (k->row == j->reference && k->sample == j->sample && k->measure == j->measure) return k;
    return NULL;
}

/* ---------------------------------------------------------------------------------------------- what is there */

static void settle(foci_work *w, foci_job *j, bool closely) {
    const foci_job *read = foci_job_read(w, j);
    if (j->state != FOCI_JOB_WAITS || (read && read->state != FOCI_JOB_DONE) || !foci_result_take(w, j, closely))
        return;
    j->state = FOCI_JOB_DONE;
    w->done++;
}

/* Is all there that the training is for? */
static bool is_needless(const foci_work *w, int training) {
    for (const foci_job *j = w->job; j < w->job + w->jobs; j++)
        if ((j->after[0] == training || j->after[1] == training) && j->state != FOCI_JOB_DONE) return false;
    return true;
}

/* Twice, as a result may be read that stands behind; trainings from the last on, as others may begin from them. */
void foci_work_settle(foci_work *w, bool closely) {
    for (int i = 0; i < 2 * w->jobs; i++) settle(w, &w->job[i % w->jobs], closely);
    for (int i = w->jobs; i-- > 0;) {
        foci_job *j = &w->job[i];
        if (j->measure >= 0 || j->state == FOCI_JOB_DONE || !is_needless(w, i)) continue;
        j->state = FOCI_JOB_DONE;
        w->done++;
    }
}
