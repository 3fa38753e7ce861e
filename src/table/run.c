/* Does the work of a table: trains and measures by commands of foci, several at once. What is there is not done again,
 * so that a table that was stopped at any moment, in any way, goes on with what is missing. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/parallel.h"
#include "table/work.h"

static void log_path(const foci_work *w, const foci_job *j, const char *ending, char path[FOCI_WORK_PATH]) {
    snprintf(path, FOCI_WORK_PATH, "%s/logs/%03d%s", w->o->out, (int)(j - w->job), ending);
}

static foci_status start(foci_work *w, foci_job *j) {
    char out[FOCI_WORK_PATH], log[FOCI_WORK_PATH];
    const int share = j->alone ? w->o->threads : w->o->threads / w->o->jobs;
    log_path(w, j, ".out", out);
    log_path(w, j, ".log", log);
    const foci_job *read = foci_job_read(w, j);
    if (read) j->word[j->reads] = read->found;
    const foci_table_command command = {j->word, share > 1 ? share : 1, out, log};
    foci_status s = w->o->runner->start(w->o->runner->context, &command, &j->handle);
    if (s) return foci_context(s, "%s", j->name);
    j->state = FOCI_JOB_RUNS;
    w->started++;
    foci_log(FOCI_LOG_INFO, "[%d/%d] %s", w->done + w->started, w->jobs, j->name);
    return FOCI_OK;
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

/* The command's own message: what follows the last "foci: " that begins a line. */
static void complaint(const foci_work *w, const foci_job *j, char *line, size_t size) {
    char path[FOCI_WORK_PATH], *text;
    size_t length;
    log_path(w, j, ".log", path);
    snprintf(line, size, "it failed, and %s has no message of foci's", path);
    if (foci_read_file(path, 1 << 26, &text, &length, FOCI_ERR_IO)) return;
    for (const char *at = text; (at = strstr(at, "foci: ")); at++)
        if (at == text || at[-1] == '\n') snprintf(line, size, "%.*s", (int)strcspn(at + 6, "\n"), at + 6);
    free(text);
}

static foci_status take_result(foci_work *w, foci_job *j) {
    char path[FOCI_WORK_PATH], *text;
    size_t size;
    log_path(w, j, ".out", path);
    FOCI_TRY(foci_read_file(path, 1 << 26, &text, &size, FOCI_ERR_IO));
    json_t *result = j->measure < 0 ? json_pack("{s:b}", "trained", 1) : last_object(text);
    free(text);
    if (!result) return foci_fail(FOCI_ERR_RUNTIME, "%s: `foci %s` printed no JSON", j->name, j->word[0]);
    foci_status s = foci_result_keep(w, j, result);
    json_decref(result);
    return s;
}

static void note_failure(foci_work *w, foci_job *j, foci_status s) {
    j->state = FOCI_JOB_FAILED;
    if (j->measure >= 0) foci_result_of(w, j)->failed = true;
    if (!w->failed++) foci_error_take(&w->first, s);
    foci_log(FOCI_LOG_WARN, "%s", foci_error_message());
}

static void finish(foci_work *w, foci_job *j, const foci_table_ending *how) {
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
    j->state = FOCI_JOB_DONE;
    if (s && !*w->o->stop) note_failure(w, j, s);
}

/* Is one of the jobs that it needs the result of in that state? */
static bool waits_for(const foci_work *w, const foci_job *j, foci_job_state state) {
    const foci_job *read = foci_job_read(w, j);
    for (int i = 0; i < 2; i++)
        if (j->after[i] >= 0 && w->job[j->after[i]].state == state) return true;
    return read && read->state == state;
}

/* Is another one measuring just that, for another column or row? */
static bool is_in_work(const foci_work *w, const foci_job *j) {
    for (const foci_job *k = w->job; k < w->job + w->jobs; k++)
        if (k->state == FOCI_JOB_RUNS && strcmp(k->result, j->result) == 0) return true;
    return false;
}

/* A job that may start now. What has to be alone comes when all else is done. */
static foci_job *ready(foci_work *w) {
    bool others = false;
    foci_job *alone = NULL;
    for (foci_job *j = w->job; j < w->job + w->jobs; j++) {
        if (j->state == FOCI_JOB_RUNS || (j->state == FOCI_JOB_WAITS && !j->alone)) others = true;
        if (j->state != FOCI_JOB_WAITS) continue;
        if (waits_for(w, j, FOCI_JOB_FAILED)) {
            note_failure(w, j, foci_fail(FOCI_ERR_RUNTIME, "%s: what it needs failed", j->name));
        } else if (!waits_for(w, j, FOCI_JOB_WAITS) && !waits_for(w, j, FOCI_JOB_RUNS) && !is_in_work(w, j)) {
            if (!j->alone) return j;
            if (!alone) alone = j;
        }
    }
    return others ? NULL : alone;
}

static int running(const foci_work *w) {
    int n = 0;
    for (const foci_job *j = w->job; j < w->job + w->jobs; j++) n += j->state == FOCI_JOB_RUNS;
    return n;
}

/* To save and end: every second, as a launcher whose processes do not run yet hands nothing on. */
static void tell_all(foci_work *w) {
    if (w->told++ % 50) return;
    for (const foci_job *j = w->job; j < w->job + w->jobs; j++)
        if (j->state == FOCI_JOB_RUNS) w->o->runner->stop(w->o->runner->context, j->handle);
}

/* Waits for one of them. */
static foci_status reap(foci_work *w) {
    for (;;) {
        if (*w->o->stop || w->ends) tell_all(w);
        for (foci_job *j = w->job; j < w->job + w->jobs; j++) {
            if (j->state != FOCI_JOB_RUNS) continue;
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
static bool is_done(foci_work *w, foci_job *j) {
    if (!foci_result_take(w, j, true)) return false;
    j->state = FOCI_JOB_DONE;
    w->done++;
    return true;
}

static foci_status run_all(foci_work *w) {
    for (;;) {
        foci_job *j;
        bool alone = false;
        for (const foci_job *k = w->job; k < w->job + w->jobs; k++) alone |= k->state == FOCI_JOB_RUNS && k->alone;
        while (!*w->o->stop && !alone && running(w) < w->o->jobs && (j = ready(w))) {
            if (is_done(w, j)) continue;
            FOCI_TRY(start(w, j));
            alone = j->alone;
        }
        if (!running(w)) return FOCI_OK;
        FOCI_TRY(reap(w));
    }
}

static foci_status run(foci_work *w) {
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
    char path[FOCI_WORK_PATH];
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

static foci_status run_locked(foci_work *w) {
    int fd;
    FOCI_TRY(lock(w->o->out, &fd));
    foci_status s = run(w);
    close(fd);
    return s;
}

static foci_status make(foci_work *w) {
    const foci_table *t = w->t;
    w->t->result = calloc((size_t)(t->rows * foci_table_samples(t) * t->measures), sizeof *t->result);
    return t->result ? foci_work_make(w) : foci_out_of_memory();
}

foci_status foci_table_run(foci_table *t, const foci_table_options *options) {
    foci_work w = {.t = t, .o = options};
    foci_status s = make(&w);
    t->looked = !s;
    if (!s) foci_work_settle(&w, true);
    if (!s && !options->status_only) {
        if (w.done < w.jobs) foci_log(FOCI_LOG_INFO, "%d of %d done already", w.done, w.jobs);
        s = run_locked(&w);
    }
    free(w.job);
    return s;
}

foci_status foci_table_look(foci_table *t, const foci_table_options *options, foci_table_state *state) {
    foci_work w = {.t = t, .o = options};
    foci_status s = make(&w);
    t->looked = !s;
    *state = (foci_table_state){.jobs = w.jobs};
    if (!s) foci_work_settle(&w, false);
    state->done = w.done;
    for (const foci_job *j = w.job; j < w.job + w.jobs; j++) {
        if (strcmp(j->date, state->date) > 0) snprintf(state->date, sizeof state->date, "%s", j->date);
        if (*j->foci && !*state->foci) snprintf(state->foci, sizeof state->foci, "%s", j->foci);
        if (*j->foci && strcmp(j->foci, state->foci) != 0) snprintf(state->foci, sizeof state->foci, "several");
    }
    free(w.job);
    return s;
}
