/* Does the work of a table: trains and measures by commands of foci, several at once, and keeps every result in a
 * file of its own, OUT/results/RUN/MEASUREMENT.json, named by what it was made from (tables may share that folder,
 * too). What is there is not done again, so that a table that was stopped at any moment, in any way, goes on with what
 * is missing.
 *
 * A run's folder, too, is named by its config, all that differs from the defaults: a changed key is another run, and
 * tables may share a folder of runs. */
#define _GNU_SOURCE
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <xxhash.h>

#include "base/file.h"
#include "base/parallel.h"
#include "config/config.h"
#include "core/safetensors.h"
#include "run/json.h"
#include "run/open.h"
#include "table/table.h"
#include "task/schema.h"
#include "task/task.h"

enum { PATH = 4200, WORDS = FOCI_ASKED_WORDS + 4 * FOCI_TABLE_SETS };

typedef enum job_state { WAITING, RUNNING, DONE, FAILED } job_state;

/* A command. The training of a sample has measure -1; measurements wait for it. */
typedef struct job {
    int row, sample, measure;
    int after[2];  /* indices of jobs to wait for, or -1 */
    int reference; /* row whose result of the same measurement it reads, or -1 */
    bool alone;    /* all threads, nothing beside it */
    uint64_t hash; /* of the config */
    job_state state;
    int handle;         /* of the runner, while it runs */
    const char *name;   /* for people */
    const char *data;   /* what it is measured on, once that was looked at */
    const char *run;    /* folder of what is trained or measured; NULL: a measurement that needs none */
    const char *result; /* the file */
    const char *word[WORDS + 1];
    int words;
} job;

typedef struct work {
    foci_table *t;
    const foci_table_options *o;
    job *job;
    int jobs, started, done, failed;
    bool ends;        /* no command is started any more, those that run are to stop */
    unsigned told;    /* how often, in rounds of waiting */
    foci_error first; /* failure */
} work;

static foci_status out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory"); }

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
static int overrides(work *w, const foci_table_row *row, int sample, const char **set) {
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

static foci_status identify(work *w, const foci_table_row *row, int sample, identity *id) {
    const char *set[FOCI_TABLE_SETS + 1];
    const foci_table_row *const before[] = {row->init, row->teacher};
    foci_config *config;
    const int sets = overrides(w, row, sample, set);
    foci_status s = foci_config_load(&config, foci_schema_all(), row->config, set, sets);
    if (!s && (s = check_measures(w->t, row, config))) foci_config_free(config);
    if (s) return foci_context(s, "%s: run `%s`", w->t->path, row->name);
    char *text = foci_config_essence(config), name[48];
    slug(foci_config_string(config, "name"), name);
    foci_config_free(config);
    if (!text) return out_of_memory();
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

static const char *run_folder(work *w, const identity *id) {
    foci_arena *arena = &w->t->arena;
    return w->o->runs ? foci_arena_printf(arena, "%s/%s", w->o->runs, id->name)
                      : foci_arena_printf(arena, "%s/runs/%s", w->o->out, id->name);
}

/* -------------------------------------------------------------------------------------------------- the jobs */

static foci_status say(job *j, const char *word) {
    if (!word) return out_of_memory();
    if (j->words == WORDS) return foci_fail(FOCI_ERR_CONFIG, "%s: too many arguments", j->name);
    j->word[j->words++] = word;
    return FOCI_OK;
}

static foci_status say_overrides(work *w, job *j) {
    const char *set[FOCI_TABLE_SETS + 1];
    const int sets = overrides(w, &w->t->row[j->row], j->sample, set);
    for (int i = 0; i < sets; i++) {
        FOCI_TRY(say(j, "--set"));
        FOCI_TRY(say(j, set[i]));
    }
    return FOCI_OK;
}

/* The folder of what a training begins from; or NULL in *run. */
static foci_status folder_before(work *w, const foci_table_row *before, int sample, const char **run) {
    identity id;
    *run = NULL;
    if (!before) return FOCI_OK;
    FOCI_TRY(identify(w, before, sample_before(before, sample), &id));
    *run = run_folder(w, &id);
    return *run ? FOCI_OK : out_of_memory();
}

static foci_status train_command(work *w, job *j, const char *run) {
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

/* Of a measurement: named by the config, the command but for folders, and what it reads of another row. */
static const char *result_path(work *w, int measure, const identity *id, uint64_t read) {
    const foci_table_measure *m = &w->t->measure[measure];
    uint64_t key = id->hash ^ read;
    char label[48];
    slug(m->label, label);
    for (int i = 0; i < m->count; i++) key = hash_of(m->words[i], key);
    const char *folder = w->o->results ? w->o->results : foci_arena_printf(&w->t->arena, "%s/results", w->o->out);
    if (!folder) return NULL;
    return foci_arena_printf(&w->t->arena, "%s/%s/%s-%08x.json", folder, id->name, label, (unsigned)(key >> 32));
}

/* "--relative-to softmax" where that is a row: its result of this measurement; in that row itself, nothing. */
static foci_status say_reference(work *w, job *j, const char *option, const char *name, uint64_t *read) {
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
        name = result_path(w, j->measure, &id, 0);
    }
    FOCI_TRY(say(j, option));
    return say(j, name);
}

static foci_status measure_command(work *w, job *j, const char *run, uint64_t *read) {
    const foci_table_measure *m = &w->t->measure[j->measure];
    FOCI_TRY(say(j, m->words[0]));
    FOCI_TRY(say(j, m->asked.measure->untrained ? w->t->row[j->row].config : run));
    if (m->asked.measure->untrained) FOCI_TRY(say_overrides(w, j));
    for (int i = 1; i < m->count; i++) {
        const bool reads = i + 1 < m->count && foci_measure_reads(m->asked.measure, m->words[i]);
        FOCI_TRY(reads ? say_reference(w, j, m->words[i], m->words[i + 1], read) : say(j, m->words[i]));
        i += reads;
    }
    return say(j, "--json");
}

static foci_status add_job(work *w, int row, int sample, int measure, const identity *id) {
    foci_arena *arena = &w->t->arena;
    const foci_table_row *r = &w->t->row[row];
    const char *label = measure < 0 ? "train" : w->t->measure[measure].label, *seed = "";
    uint64_t read = 0;
    job *j = &w->job[w->jobs++];
    *j = (job){.row = row, .sample = sample, .measure = measure, .after = {-1, -1}, .reference = -1, .hash = id->hash};
    j->alone = measure >= 0 && w->t->measure[measure].asked.measure->untrained;
    if (w->t->seeds) seed = foci_arena_printf(arena, ", seed %lld", (long long)w->t->seed[sample]);
    j->name = foci_arena_printf(arena, "%s: %s%s", label, r->name, seed ? seed : "");
    const char *run = run_folder(w, id);
    if (!j->name || !run) return out_of_memory();
    j->run = j->alone ? NULL : run;
    FOCI_TRY(measure < 0 ? train_command(w, j, run) : measure_command(w, j, run, &read));
    /* That a run is trained is noted in its own folder, wherever that is. */
    j->result = measure < 0 ? foci_arena_printf(arena, "%s/trained.json", run) : result_path(w, measure, id, read);
    return j->result ? FOCI_OK : out_of_memory();
}

/* Rows that differ in name alone share a run: the job that trains it, or -1. */
static int same_training(const work *w, const identity *id) {
    for (int i = 0; i < w->jobs; i++)
        if (w->job[i].measure < 0 && w->job[i].hash == id->hash) return i;
    return -1;
}

/* The job that trains a row's sample; what it begins from is trained before. */
static foci_status add_training(work *w, const foci_table_row *row, int sample, int *index) {
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

/* What needs a training comes for each seed, what needs none once. */
static foci_status add_measurements(work *w, int row, int sample, bool untrained) {
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

static foci_status add_jobs(work *w) {
    const foci_table *t = w->t;
    const int samples = foci_table_samples(t);
    w->job = calloc((size_t)((t->rows + t->others) * samples * (t->measures + 1)), sizeof *w->job);
    if (!w->job) return out_of_memory();
    for (int row = 0; row < t->rows + t->others; row++) {
        bool first = true;
        for (int sample = 0; sample < samples; sample++) {
            if (t->row[row].no_seed[sample]) continue;
            FOCI_TRY(add_measurements(w, row, sample, false));
            if (first) FOCI_TRY(add_measurements(w, row, sample, true));
            first = false;
        }
    }
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------ the results */

static foci_table_result *result_of(const work *w, const job *j) {
    return foci_table_at(w->t, w->t->row[j->row].shown, j->sample, j->measure);
}

static void take_values(work *w, const job *j, const json_t *result) {
    foci_table_result *r = result_of(w, j);
    const foci_table_measure *m = &w->t->measure[j->measure];
    r->known = true;
    for (int i = 0; i < m->fields; i++) {
        const json_t *x = json_object_get(result, m->field[i]->name);
        r->value[i] = json_is_number(x) ? json_number_value(x) : (double)NAN;
    }
}

/* The job whose result j reads, or NULL. */
static const job *read_by(const work *w, const job *j) {
    for (const job *k = w->job; j->reference >= 0 && k < w->job + w->jobs; k++)
        if (k->row == j->reference && k->sample == j->sample && k->measure == j->measure) return k;
    return NULL;
}

/* The data that a run is measured on, by names and content; NULL where they cannot be read. Looked at once. */
static const char *data_of(const work *w, job *j) {
    char weights[PATH], text[512];
    foci_config *config;
    for (const job *k = w->job; k < w->job + w->jobs && !j->data; k++)
        if (k->run && k->data && strcmp(k->run, j->run) == 0) j->data = k->data;
    if (j->data || foci_find_weights(j->run, NULL, weights, sizeof weights) ||
        foci_config_open_trained(&config, j->run, weights, NULL, 0))
        return j->data;
    if (!foci_task_fingerprint(config, FOCI_VALID | FOCI_TEST, text, sizeof text))
        j->data = foci_arena_strdup(&w->t->arena, text);
    foci_config_free(config);
    return j->data;
}

static void tell_weights(const work *w, const job *j, const char *name, foci_report *r) {
    char path[PATH], checksum[FOCI_CHECKSUM];
    const char *checkpoint = w->t->measure[j->measure].asked.checkpoint;
    if (!j->run || foci_find_weights(j->run, checkpoint, path, sizeof path)) return;
    if (!foci_safetensors_checksum(path, checksum)) foci_report_text(r, name, checksum);
}

/* What a measurement is taken of, as far as it is there: texts that change with it. */
static void tell_source(const work *w, job *j, foci_report *r) {
    const job *read = read_by(w, j);
    tell_weights(w, j, "weights", r);
    if (j->run && data_of(w, j)) foci_report_text(r, "data", j->data);
    if (read) tell_weights(w, read, "relative_to", r);
}

/* Nothing that both know of the source differs. */
static bool is_of(const work *w, job *j, const json_t *source) {
    foci_report now = {NULL};
    bool same = true;
    if (j->measure >= 0) tell_source(w, j, &now);
    for (const foci_report_entry *e = now.first; e; e = e->next) {
        const char *then = json_string_value(json_object_get(source, e->name));
        same &= !then || strcmp(then, e->text) == 0;
    }
    foci_report_free(&now);
    return same;
}

/* Is the result there already, whole, of this command, of these weights and these data? */
static bool known(work *w, job *j) {
    char *text;
    size_t size;
    if (foci_path_kind(j->result) != 'f' || foci_read_file(j->result, 1 << 22, &text, &size, FOCI_ERR_IO)) return false;
    json_t *file = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const json_t *result = json_object_get(file, "result");
    const bool ok = json_is_object(result) && is_of(w, j, json_object_get(file, "of"));
    if (ok && j->measure >= 0) take_values(w, j, result);
    json_decref(file);
    free(text);
    return ok;
}

/* When it was made, and by what. */
static void tell_origin(const work *w, foci_report *r) {
    char date[32];
    const time_t now = time(NULL);
    struct tm utc;
    strftime(date, sizeof date, "%Y-%m-%d %H:%M", gmtime_r(&now, &utc));
    foci_report_text(r, "date", date);
    foci_report_text(r, "foci", w->o->program);
}

static foci_status keep(const work *w, job *j, const json_t *result) {
    char folder[PATH];
    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(j->result, '/') - j->result), j->result);
    FOCI_TRY(foci_make_dirs(folder));
    foci_report file = {NULL};
    foci_report_text(&file, "name", j->name);
    foci_report *command = foci_report_list(&file, "command");
    for (int i = 0; i < j->words; i++) foci_report_text(command, NULL, j->word[i]);
    if (j->measure >= 0) tell_source(w, j, foci_report_part(&file, "of"));
    tell_origin(w, &file);
    foci_report_json_value(&file, "result", result);
    foci_status s = foci_report_write(&file, &(foci_json_form){.digits = 17, .point = true}, j->result);
    foci_report_free(&file);
    return s;
}

/* The last line that is a JSON object: commands print one for every method and eps. */
static json_t *last_object(char *text) {
    json_t *last = NULL;
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n")) {
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, NULL);
        if (!json_is_object(object)) {
            json_decref(object);
            continue;
        }
        json_decref(last);
        last = object;
    }
    return last;
}

/* ---------------------------------------------------------------------------------------------------- running */

static void log_path(const work *w, const job *j, const char *ending, char path[PATH]) {
    snprintf(path, PATH, "%s/logs/%03d%s", w->o->out, (int)(j - w->job), ending);
}

static foci_status start(work *w, job *j) {
    char out[PATH], log[PATH];
    const int share = j->alone ? w->o->threads : w->o->threads / w->o->jobs;
    log_path(w, j, ".out", out);
    log_path(w, j, ".log", log);
    const foci_table_command command = {j->word, share > 1 ? share : 1, out, log};
    foci_status s = w->o->runner->start(w->o->runner->context, &command, &j->handle);
    if (s) return foci_context(s, "%s", j->name);
    j->state = RUNNING;
    w->started++;
    foci_log(FOCI_LOG_INFO, "[%d/%d] %s", w->done + w->started, w->jobs, j->name);
    return FOCI_OK;
}

/* The command's own message: what follows the last "foci: " that begins a line. */
static void complaint(const work *w, const job *j, char *line, size_t size) {
    char path[PATH], *text;
    size_t length;
    log_path(w, j, ".log", path);
    snprintf(line, size, "it failed, and %s has no message of foci's", path);
    if (foci_read_file(path, 1 << 26, &text, &length, FOCI_ERR_IO)) return;
    for (const char *at = text; (at = strstr(at, "foci: ")); at++)
        if (at == text || at[-1] == '\n') snprintf(line, size, "%.*s", (int)strcspn(at + 6, "\n"), at + 6);
    free(text);
}

static foci_status take_result(work *w, job *j) {
    char path[PATH], *text;
    size_t size;
    log_path(w, j, ".out", path);
    FOCI_TRY(foci_read_file(path, 1 << 26, &text, &size, FOCI_ERR_IO));
    json_t *result = j->measure < 0 ? json_pack("{s:b}", "trained", 1) : last_object(text);
    free(text);
    if (!result) return foci_fail(FOCI_ERR_RUNTIME, "%s: `foci %s` printed no JSON", j->name, j->word[0]);
    foci_status s = keep(w, j, result);
    if (!s && j->measure >= 0) take_values(w, j, result);
    json_decref(result);
    return s;
}

static void note_failure(work *w, job *j, foci_status s) {
    j->state = FAILED;
    if (j->measure >= 0) result_of(w, j)->failed = true;
    if (!w->failed++) foci_error_take(&w->first, s);
    foci_log(FOCI_LOG_WARN, "%s", foci_error_message());
}

static void finish(work *w, job *j, const foci_table_ending *how) {
    foci_status s = FOCI_OK;
    char line[512];
    if (!how->signal && how->code == 0) {
        s = take_result(w, j);
    } else {
        const bool own = !how->signal && how->code <= FOCI_ERR_IO; /* else it stopped, or is a launcher's code */
        complaint(w, j, line, sizeof line);
        s = foci_fail(own ? (foci_status)how->code : FOCI_ERR_RUNTIME, "%s: %s", j->name,
                      how->signal ? how->signal : line);
    }
    j->state = DONE;
    if (s && !*w->o->stop) note_failure(w, j, s);
}

/* Is one of the jobs that it needs the result of in that state? */
static bool waits_for(const work *w, const job *j, job_state state) {
    const job *read = read_by(w, j);
    for (int i = 0; i < 2; i++)
        if (j->after[i] >= 0 && w->job[j->after[i]].state == state) return true;
    return read && read->state == state;
}

/* A job that may start now. What has to be alone comes when all else is done. */
static job *ready(work *w) {
    bool others = false;
    job *alone = NULL;
    for (job *j = w->job; j < w->job + w->jobs; j++) {
        if (j->state == RUNNING || (j->state == WAITING && !j->alone)) others = true;
        if (j->state != WAITING) continue;
        if (waits_for(w, j, FAILED)) {
            note_failure(w, j, foci_fail(FOCI_ERR_RUNTIME, "%s: what it needs failed", j->name));
        } else if (!waits_for(w, j, WAITING) && !waits_for(w, j, RUNNING)) {
            if (!j->alone) return j;
            if (!alone) alone = j;
        }
    }
    return others ? NULL : alone;
}

static int running(const work *w) {
    int n = 0;
    for (const job *j = w->job; j < w->job + w->jobs; j++) n += j->state == RUNNING;
    return n;
}

/* To save and end: every second, as a launcher whose processes do not run yet hands nothing on. */
static void tell_all(work *w) {
    if (w->told++ % 50) return;
    for (const job *j = w->job; j < w->job + w->jobs; j++)
        if (j->state == RUNNING) w->o->runner->stop(w->o->runner->context, j->handle);
}

/* Waits for one of them. */
static foci_status reap(work *w) {
    for (;;) {
        if (*w->o->stop || w->ends) tell_all(w);
        for (job *j = w->job; j < w->job + w->jobs; j++) {
            if (j->state != RUNNING) continue;
            foci_table_ending how = {.signal = NULL};
            bool ended = false;
            foci_status s = w->o->runner->look(w->o->runner->context, j->handle, &ended, &how);
            if (s) return foci_context(s, "%s", j->name);
            if (!ended) continue;
            finish(w, j, &how);
            return FOCI_OK;
        }
        nanosleep(&(struct timespec){.tv_nsec = 20000000}, NULL); /* 50 rounds a second */
    }
}

/* It may turn out so only now that what it is taken of is there. */
static bool is_done(work *w, job *j) {
    if (!known(w, j)) return false;
    j->state = DONE;
    w->done++;
    return true;
}

static foci_status run_all(work *w) {
    for (;;) {
        job *j;
        bool alone = false;
        for (const job *k = w->job; k < w->job + w->jobs; k++) alone |= k->state == RUNNING && k->alone;
        while (!*w->o->stop && !alone && running(w) < w->o->jobs && (j = ready(w))) {
            if (is_done(w, j)) continue;
            FOCI_TRY(start(w, j));
            alone = j->alone;
        }
        if (!running(w)) return FOCI_OK;
        FOCI_TRY(reap(w));
    }
}

static foci_status run(work *w) {
    foci_status s = run_all(w);
    if (s) { /* nothing is left behind: without this process they would be killed */
        foci_error first;
        foci_error_take(&first, s);
        w->ends = true;
        while (running(w) && !reap(w)) {}
        return foci_error_raise(&first);
    }
    if (*w->o->stop) return foci_fail(FOCI_INTERRUPTED, "stopped; the same command goes on from there");
    if (!w->failed) return FOCI_OK;
    s = foci_error_raise(&w->first);
    return foci_context(s, "%d of %d commands failed (messages in %s/logs), first", w->failed, w->jobs, w->o->out);
}

/* One process at a time works in a folder. */
static foci_status lock(const char *out, int *fd) {
    char path[PATH];
    bool taken;
    FOCI_TRY(foci_path_join(path, sizeof path, out, "logs"));
    FOCI_TRY(foci_make_dirs(path));
    *fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*fd < 0) return foci_fail(FOCI_ERR_IO, "%s: %s", path, strerror(errno));
    foci_status s = foci_lock(*fd, path, &taken);
    if (!s && !taken) s = foci_fail(FOCI_ERR_RUNTIME, "%s: another process works on this table", out);
    if (s) close(*fd);
    return s;
}

static foci_status run_locked(work *w) {
    int fd;
    FOCI_TRY(lock(w->o->out, &fd));
    foci_status s = run(w);
    close(fd);
    return s;
}

/* A run that is trained again may become another, and so may what is relative to it. */
static bool waits_for_others(const work *w, const job *j) {
    return waits_for(w, j, WAITING) || waits_for(w, j, RUNNING) || waits_for(w, j, FAILED);
}

foci_status foci_table_run(foci_table *t, const foci_table_options *options) {
    work w = {.t = t, .o = options};
    t->result = calloc((size_t)(t->rows * foci_table_samples(t) * t->measures), sizeof *t->result);
    foci_status s = t->result ? add_jobs(&w) : out_of_memory();
    for (int i = 0; !s && i < w.jobs; i++)
        if (options->status_only || !waits_for_others(&w, &w.job[i])) is_done(&w, &w.job[i]);
    t->looked = !s;
    if (!s && !options->status_only) {
        if (w.done < w.jobs) foci_log(FOCI_LOG_INFO, "%d of %d done already", w.done, w.jobs);
        s = run_locked(&w);
    }
    free(w.job);
    return s;
}

/* ---------------------------------------------------------------------------------------------- what is there */

/* Whole, whatever it was measured on: foci_table_run looks closer. */
static void look_at(const job *j, foci_table_state *state) {
    char *text;
    size_t size;
    if (foci_path_kind(j->result) != 'f' || foci_read_file(j->result, 1 << 22, &text, &size, FOCI_ERR_IO)) return;
    json_t *file = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
    const char *date = json_string_value(json_object_get(file, "date")),
               *foci = json_string_value(json_object_get(file, "foci"));
    state->done += json_is_object(json_object_get(file, "result"));
    if (date && strcmp(date, state->date) > 0) snprintf(state->date, sizeof state->date, "%s", date);
    if (foci && !*state->foci) snprintf(state->foci, sizeof state->foci, "%s", foci);
    if (foci && strcmp(foci, state->foci) != 0) snprintf(state->foci, sizeof state->foci, "several");
    json_decref(file);
    free(text);
}

foci_status foci_table_look(foci_table *t, const foci_table_options *options, foci_table_state *state) {
    work w = {.t = t, .o = options};
    *state = (foci_table_state){.date = ""};
    foci_status s = add_jobs(&w);
    state->jobs = w.jobs;
    for (int i = 0; !s && i < w.jobs; i++) look_at(&w.job[i], state);
    free(w.job);
    return s;
}
