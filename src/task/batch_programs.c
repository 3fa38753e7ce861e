#include "task/batch_programs.h"
#include "task/load_model.h"

#include <stdlib.h>

void foci_batch_programs_open(foci_batch_programs *s, const foci_model *model, foci_parameters *p,
                              const foci_request *request) {
    *s = (foci_batch_programs){.model = model, .request = *request};
    foci_program_set_init(&s->set, p);
    s->set.advice = "lower train.eval_batch";
}

void foci_batch_programs_close(foci_batch_programs *s) {
    foci_program_set_free(&s->set);
    free(s->item);
}

static foci_status open_program(foci_batch_programs *s, int64_t rows, int64_t tokens, foci_program **p) {
    foci_request r = s->request;
    r.batch = rows;
    if (tokens) r.number[0] = (foci_named_number){"tokens", (double)tokens};
    foci_batch_program *grown = realloc(s->item, (size_t)(s->count + 1) * sizeof *grown);
    if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a program");
    s->item = grown;
    const foci_graph_options options = foci_run_options(r.config);
    FOCI_TRY(foci_program_open_model(p, &s->set, &options, s->model, &r));
    s->item[s->count++] = (foci_batch_program){rows, tokens, *p};
    return foci_program_set_ready(&s->set);
}

foci_status foci_batch_programs_for(foci_batch_programs *s, int64_t rows, int64_t tokens, foci_program **p) {
    for (int i = 0; i < s->count; i++)
        if (s->item[i].rows == rows && s->item[i].tokens == tokens) {
            *p = s->item[i].program;
            return FOCI_OK;
        }
    return open_program(s, rows, tokens, p);
}
