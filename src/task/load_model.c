#include "task/load_model.h"

#include "core/load.h"
#include "core/program.h"
#include "task/task.h"

/* Recording one sample declares the parameters. */
static foci_status declare(foci_parameters *p, const foci_model *model, const foci_config *config, int64_t classes) {
    foci_program_set set;
    foci_program *one;
    foci_program_set_init(&set, p);
    foci_status s = foci_program_open_model(
        &one, &set, &(foci_graph_options){.place = foci_config_place(config, "model.kind")}, model,
        &(foci_request){.config = config, .batch = 1, .classes = classes, .feeds = foci_task_of(model)->feeds});
    foci_program_set_free(&set);
    return s;
}

foci_status foci_load_model(foci_parameters *p, const foci_model *model, const foci_config *config, int64_t classes,
                            const char *weights) {
    foci_parameters_init(p);
    FOCI_TRY(declare(p, model, config, classes));
    FOCI_TRY(foci_parameters_allocate(p, false));
    return foci_load_weights(p, weights);
}
