#include "task/load_model.h"

#include "core/graph.h"
#include "core/load.h"

/* Recording one sample declares the parameters. */
static foci_status declare(foci_parameters *p, const foci_model *model, const foci_config *config, int64_t classes) {
    foci_graph *g = foci_graph_new(p, &(foci_graph_options){.place = foci_config_place(config, "model.kind")});
    if (!g) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    foci_model_io io = {.graph = g, .config = config, .batch = 1, .classes = classes};
    model->record(&io);
    foci_status s = foci_graph_plan(g, io.loss ? io.loss : io.logits);
    foci_graph_free(g);
    return s;
}

foci_status foci_load_model(foci_parameters *p, const foci_model *model, const foci_config *config, int64_t classes,
                            const char *weights) {
    foci_parameters_init(p);
    FOCI_TRY(declare(p, model, config, classes));
    FOCI_TRY(foci_parameters_allocate(p, false));
    return foci_load_weights(p, weights);
}
