/* `foci train --dry-run`: the model, its costs and its plan, without a step; and whether there could be one. */
#include <stdio.h>
#include <string.h>

#include "train/trainer_work.h"

/* "blocks.3" of "blocks.3.attn.qkv.weight", "norm" of "norm.weight": two parts where the second is a number. */
static size_t module_length(const char *name) {
    size_t n = strcspn(name, ".");
    if (name[n] && name[n + 1] >= '0' && name[n + 1] <= '9') n += 1 + strcspn(name + n + 1, ".");
    return n;
}

static void print_parameters(const foci_parameters *p, FILE *out) {
    fprintf(out, "%-32s %14s\n", "module", "parameters");
    for (int i = 0; i < p->count;) {
        const char *name = p->entry[i].name;
        size_t length = module_length(name);
        int64_t sum = 0;
        for (;
             i < p->count && module_length(p->entry[i].name) == length && strncmp(p->entry[i].name, name, length) == 0;
             i++)
            sum += p->entry[i].buffer ? 0 : p->entry[i].numel;
        fprintf(out, "%-32.*s %14lld\n", (int)length, name, (long long)sum);
    }
    fprintf(out, "%-32s %14lld\n", "total", (long long)foci_parameters_numel(p));
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

static foci_status print_plan(foci_trainer *t, FILE *out) {
    char text[2200];
    FOCI_TRY(open_or_imagine(t, text, sizeof text));
    print_parameters(&t->programs.parameters, out);
    const foci_program *p = t->programs.program[0];
    foci_cost cost = foci_graph_cost(foci_program_graph(p));
    double again = foci_graph_cost_again(foci_program_graph(p));
    int64_t items = foci_task_items(t->task, p);
    size_t unshared, bytes = foci_program_set_bytes(&t->programs.set, &unshared);
    double flat = (double)t->programs.parameters.size * sizeof(foci_real);
    int moments = t->train.optimizer == FOCI_SGD ? 1 : 2;
    fprintf(out, "\ndata             %s\n", text);
    if (t->data)
        fprintf(out, "updates          %lld an epoch, %lld in all\n", (long long)t->updates_per_epoch,
                (long long)t->steps);
    fprintf(out, "MFLOP per %-6s %.2f forward, %.2f backward\n", t->task->item, cost.forward / (double)items / 1e6,
            cost.backward / (double)items / 1e6);
    fprintf(out, "products         in %s\n", foci_trainer_dtype(t));
    if (again > 0)
        fprintf(out, "recompute        %.2f MFLOP per %s again in the backward pass\n", again / (double)items / 1e6,
                t->task->item);
    fprintf(out, "plan             %.1f MB for a pass of %lld (%.1f MB without sharing)\n", (double)bytes / 1e6,
            (long long)t->micro, (double)unshared / 1e6);
    fprintf(out, "parameters       %.1f MB with gradients and %d moment%s\n", flat * (2 + moments) / 1e6, moments,
            moments > 1 ? "s" : "");
    return FOCI_OK;
}

foci_status foci_train_plan(const foci_config *config, FILE *out) {
    foci_trainer t = {.config = config, .folder.lock = -1};
    foci_status s = print_plan(&t, out);
    foci_trainer_close(&t);
    return s;
}

foci_status foci_train_check(const foci_config *config) {
    foci_trainer t = {.config = config, .folder.lock = -1};
    foci_status s = foci_trainer_open(&t);
    foci_trainer_close(&t);
    return s;
}
