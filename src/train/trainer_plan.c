/* `foci train --dry-run`: the model, its costs and its plan, without a step; and whether there could be one. */
#include <stdio.h>
#include <string.h>

#include "base/report.h"
#include "train/trainer_work.h"

/* "blocks.3" of "blocks.3.attn.qkv.weight", "norm" of "norm.weight": two parts where the second is a number. */
static size_t module_length(const char *name) {
    size_t n = strcspn(name, ".");
    if (name[n] && name[n + 1] >= '0' && name[n + 1] <= '9') n += 1 + strcspn(name + n + 1, ".");
    return n;
}

static void tell_modules(const foci_parameters *p, foci_report *r) {
    foci_report *modules = foci_report_list(r, "modules");
    for (int i = 0; i < p->count;) {
        const char *name = p->entry[i].name;
        char module[256];
        const size_t length = module_length(name);
        int64_t sum = 0;
        for (;
             i < p->count && module_length(p->entry[i].name) == length && strncmp(p->entry[i].name, name, length) == 0;
             i++)
            sum += p->entry[i].buffer ? 0 : p->entry[i].numel;
        snprintf(module, sizeof module, "%.*s", (int)length, name);
        foci_report *one = foci_report_part(modules, NULL);
        foci_report_text(one, "module", module);
        foci_report_whole(one, "parameters", sum);
    }
    foci_report_whole(r, "parameters", foci_parameters_numel(p));
}

static void ask_without_data(void *context, int shape, foci_request *r) {
    const foci_trainer *t = context;
    (void)shape;
    r->feeds = t->task->feeds;
}

/* A plan needs the data only for their number, and for classes or words that the config does not name. */
static foci_status open_or_imagine(foci_trainer *t, char *text, size_t size) {
    foci_status s = foci_trainer_open(t);
    if (!s) t->task->describe(t->data, text, size);
    if (s != FOCI_ERR_DATA) return s;
    foci_error missing;
    foci_error_take(&missing, s);
    foci_training_programs_free(&t->programs);
    if (foci_training_programs_record(&t->programs, t->model, t->config, t->micro, 1, ask_without_data, t))
        return foci_error_raise(&missing);
    snprintf(text, size, "cannot be read (%s)", missing.message);
    return FOCI_OK;
}

static void tell_costs(const foci_trainer *t, foci_report *r) {
    const foci_program *p = t->programs.program[0];
    const foci_cost cost = foci_graph_cost(foci_program_graph(p));
    const double mega = 1e6 * (double)foci_task_items(t->task, p);
    foci_report_text(r, "item", t->task->item);
    foci_report_text(r, "items", t->task->items);
    foci_report_whole(r, "items_per_update", t->train.batch_size / t->micro * foci_task_items(t->task, p));
    foci_report_number(r, "mflop_forward", cost.forward / mega);
    foci_report_number(r, "mflop_backward", cost.backward / mega);
    foci_report_number(r, "mflop_recompute", foci_graph_cost_again(foci_program_graph(p)) / mega);
    if (t->teacher.program) foci_report_number(r, "mflop_teacher", foci_teacher_flop(&t->teacher) / mega);
    foci_report_text(r, "dtype", foci_trainer_dtype(t));
}

/* Numbers of processes of which all have as many shards. */
static void tell_shards(const foci_trainer *t, foci_report *r) {
    const int64_t shards = t->train.shards;
    const double array = (double)t->programs.parameters.size * sizeof(foci_real) / 1e6;
    char even[256] = "";
    size_t used = 0;
    for (int64_t n = 1; n <= shards; n++)
        if (shards % n == 0 && used < sizeof even)
            used += (size_t)snprintf(even + used, sizeof even - used, "%s%lld", n > 1 ? ", " : "", (long long)n);
    foci_report_whole(r, "shards", shards);
    foci_report_text(r, "even_processes", even);
    foci_report_number(r, "sums_mb", foci_gradient_sum_arrays(shards, 1) * array);
}

static void tell_memory(const foci_trainer *t, foci_report *r) {
    const int moments = foci_trainer_moments(t);
    size_t unshared, bytes = foci_program_set_bytes(&t->programs.set, &unshared);
    foci_report_whole(r, "batch", t->micro);
    foci_report_number(r, "plan_mb", (double)bytes / 1e6);
    foci_report_number(r, "unshared_mb", (double)unshared / 1e6);
    if (t->teacher.program) foci_report_number(r, "teacher_mb", foci_teacher_bytes(&t->teacher) / 1e6);
    foci_report_whole(r, "moments", moments);
    foci_report_number(r, "parameters_mb", foci_training_programs_flat(&t->programs, moments) / 1e6);
    if (t->train.shards > 1) tell_shards(t, r);
}

static foci_status tell_plan(foci_trainer *t, foci_report *r) {
    char text[2200];
    FOCI_TRY(open_or_imagine(t, text, sizeof text));
    tell_modules(&t->programs.parameters, r);
    foci_report_text(r, "data", text);
    if (t->data) {
        foci_report_whole(r, "updates_per_epoch", t->updates_per_epoch);
        foci_report_whole(r, "updates", t->steps);
    }
    tell_costs(t, r);
    tell_memory(t, r);
    return foci_training_programs_fit(&t->programs, foci_trainer_room_for(t));
}

foci_status foci_train_plan(const foci_config *config, foci_report *r) {
    foci_trainer t = {.config = config, .folder.lock = -1};
    foci_status s = tell_plan(&t, r);
    foci_trainer_close(&t);
    return s;
}

foci_status foci_train_check(const foci_config *config) {
    foci_trainer t = {.config = config, .folder.lock = -1};
    foci_status s = foci_trainer_open(&t);
    foci_trainer_close(&t);
    return s;
}
