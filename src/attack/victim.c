/* The model under attack. */
#include <math.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/parallel.h"
#include "attack/engine.h"

foci_units foci_units_plain(double low, double high) {
    foci_units u;
    for (int c = 0; c < FOCI_MAX_CHANNELS; c++) {
        u.mean[c] = 0;
        u.std[c] = 1;
        u.low[c] = low;
        u.high[c] = high;
    }
    return u;
}

/* ---------------------------------------------------------------------------------------------- recording */

static foci_status record(foci_victim *v, const foci_model *model, const foci_config *config, foci_parameters *p, int64_t classes,
                          int64_t batch, bool bf16) {
    const foci_tensor *shape = v->rungs ? v->io[0].images : NULL;
    foci_graph *g = foci_graph_new(p, &(foci_graph_options){.differentiate = true, .frozen = true, .bf16 = bf16});
    if (!g) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    v->graph[v->rungs] = g;
    foci_model_io *io = &v->io[v->rungs++];
    *io = (foci_model_io){.graph = g, .config = config, .batch = batch, .classes = classes};
    if (shape) {
        io->images = foci_input(g, "images", FOCI_REAL, FOCI_SHAPE(batch, shape->shape[1], shape->shape[2], shape->shape[3]));
        foci_require_grad(io->images);
    }
    model->record(io);
    return FOCI_OK;
}

/* The shape of the images is the model's to say: a first recording, without gradients, asks for it. */
static foci_status find_shape(foci_victim *v, const foci_model *model, const foci_config *config, foci_parameters *p, int64_t classes) {
    FOCI_TRY(record(v, model, config, p, classes, 1, false));
    const foci_tensor *images = v->io[0].images;
    if (!foci_graph_ok(v->graph[0])) return foci_graph_plan(v->graph[0], NULL);
    if (!images || images->ndim != 4 || images->shape[1] > FOCI_MAX_CHANNELS || !v->io[0].logits)
        return foci_fail(FOCI_ERR_CONFIG, "model %s does not classify images", model->name);
    v->channels = images->shape[1];
    v->height = images->shape[2];
    v->width = images->shape[3];
    v->pixels = v->channels * v->height * v->width;
    v->classes = foci_last_dim(v->io[0].logits);
    return FOCI_OK;
}

static foci_status build(foci_victim *v, const foci_model *model, const foci_config *config, foci_parameters *p, int64_t classes, bool bf16) {
    size_t bytes = 0;
    FOCI_TRY(find_shape(v, model, config, p, classes));
    foci_graph *first = v->graph[0];
    for (int64_t batch = v->capacity; batch > 0 && v->rungs < FOCI_VICTIM_RUNGS; batch /= 2) {
        FOCI_TRY(record(v, model, config, p, classes, batch, bf16));
        FOCI_TRY(foci_graph_plan(v->graph[v->rungs - 1], v->io[v->rungs - 1].logits));
        if (foci_graph_bytes(v->graph[v->rungs - 1]) > bytes) bytes = foci_graph_bytes(v->graph[v->rungs - 1]);
    }
    for (int i = 1; i < v->rungs; i++) {
        v->graph[i - 1] = v->graph[i];
        v->io[i - 1] = v->io[i];
    }
    v->graph[--v->rungs] = NULL;
    foci_graph_free(first);
    FOCI_TRY(foci_parameters_allocate(p, false));
    v->memory = foci_large_alloc(bytes);
    v->input = foci_large_calloc((size_t)(v->capacity * v->pixels) * sizeof *v->input);
    if (!v->memory || !v->input)
        return foci_fail(FOCI_ERR_RUNTIME, "%lld images at once need %.0f MB of memory, which is not to be had: lower --batch",
                         (long long)v->capacity, (double)bytes / 1e6);
    for (int i = 0; i < v->rungs; i++) {
        v->io[i].images->data = v->input;
        foci_graph_bind(v->graph[i], v->memory);
    }
    return FOCI_OK;
}

foci_status foci_victim_open(foci_victim *v, const foci_model *model, const foci_config *config, foci_parameters *p,
                             const foci_units *units, int64_t classes, int64_t capacity, bool bf16) {
    *v = (foci_victim){.units = *units, .capacity = capacity};
    foci_status status = build(v, model, config, p, classes, bf16);
    if (status) foci_victim_close(v);
    return status;
}

void foci_victim_close(foci_victim *v) {
    for (int i = 0; i < FOCI_VICTIM_RUNGS; i++) foci_graph_free(v->graph[i]);
    free(v->memory);
    free(v->input);
    *v = (foci_victim){.rungs = 0};
}

/* ------------------------------------------------------------------------------------------------ running */

static int64_t slot_of(const int64_t *which, int64_t i) { return which ? which[i] : i; }

/* The rung to run when n images are left: the smallest that takes them all, or, where a quarter of it would be idle, the
 * next one for the first of them. */
static int rung_for(const foci_victim *v, int64_t n) {
    int r = v->rungs - 1;
    while (r > 0 && v->io[r].batch < n) r--;
    return r + 1 < v->rungs && 4 * n < 3 * v->io[r].batch ? r + 1 : r;
}

/* Images first .. of a list through the model: as many as the rung takes, its rows 0 .. */
typedef struct part {
    int rung;
    int64_t n;
} part;

static part forward(foci_victim *v, int64_t all, const int64_t *which, int64_t first, const foci_real *x) {
    const int64_t area = v->height * v->width;
    const int r = rung_for(v, all - first);
    const int64_t n = all - first < v->io[r].batch ? all - first : v->io[r].batch;
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < v->channels; c++) {
            const foci_real *from = x + slot_of(which, first + i) * v->pixels + c * area;
            foci_real *to = v->input + i * v->pixels + c * area;
            const double mean = v->units.mean[c], std = v->units.std[c];
            for (int64_t j = 0; j < area; j++) to[j] = (foci_real)(((double)from[j] - mean) / std);
        }
    foci_graph_forward(v->graph[r]);
    return (part){r, n};
}

static void copy_logits(const foci_victim *v, part p, const int64_t *which, int64_t first, foci_real *logits) {
    const foci_real *z = foci_data(v->io[p.rung].logits);
    for (int64_t i = 0; i < p.n; i++)
        for (int64_t k = 0; k < v->classes; k++) logits[slot_of(which, first + i) * v->classes + k] = z[i * v->classes + k];
}

void foci_victim_logits(foci_victim *v, int64_t n, const int64_t *which, const foci_real *x, foci_real *logits) {
    for (int64_t first = 0; first < n && !foci_victim_stopped(v);) {
        const part p = forward(v, n, which, first, x);
        copy_logits(v, p, which, first, logits);
        first += p.n;
    }
}

/* The gradients of the rung's logits: of each image's own loss, zero in rows without an image. */
static void seed(foci_victim *v, part p, const int64_t *which, int64_t first, foci_head *head, const int32_t *label,
                 const int32_t *target, double *loss) {
    const foci_real *z = foci_data(v->io[p.rung].logits);
    foci_real *dz = foci_grad(v->io[p.rung].logits);
    for (int64_t i = 0; i < v->io[p.rung].batch * v->classes; i++) dz[i] = 0;
    for (int64_t i = 0; i < p.n; i++) {
        const int64_t slot = slot_of(which, first + i);
        loss[slot] = head(z + i * v->classes, v->classes, label[slot], target ? target[slot] : -1, dz + i * v->classes);
    }
}

void foci_victim_gradient(foci_victim *v, int64_t n, const int64_t *which, const foci_real *x, foci_head *head,
                          const int32_t *label, const int32_t *target, foci_real *logits, double *loss, foci_real *dx) {
    const int64_t area = v->height * v->width;
    for (int64_t first = 0; first < n && !foci_victim_stopped(v);) {
        const part p = forward(v, n, which, first, x);
        if (logits) copy_logits(v, p, which, first, logits);
        seed(v, p, which, first, head, label, target, loss);
        foci_graph_backward_from_output(v->graph[p.rung]);
        const foci_real *g = foci_grad(v->io[p.rung].images);
        FOCI_PARALLEL_FOR
        for (int64_t i = 0; i < p.n; i++)
            for (int64_t c = 0; c < v->channels; c++) {
                foci_real *to = dx + slot_of(which, first + i) * v->pixels + c * area;
                const foci_real *from = g + i * v->pixels + c * area;
                for (int64_t j = 0; j < area; j++) to[j] = (foci_real)((double)from[j] / v->units.std[c]);
            }
        first += p.n;
    }
}
