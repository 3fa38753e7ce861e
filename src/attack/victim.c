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

static foci_status add_rung(foci_victim *v, const foci_model *model, const foci_config *config, int64_t classes,
                            int64_t batch, bool bf16) {
    v->batch[v->rungs] = batch;
    return foci_program_open_model(
        &v->rung[v->rungs++], &v->set,
        &(foci_graph_options){.differentiate = true, .frozen = true, .bf16 = bf16, .gradients = "images"}, model,
        &(foci_request){.config = config, .batch = batch, .classes = classes, .feeds = "images"});
}

/* The shape of the images is the model's to say. */
static foci_status find_shape(foci_victim *v, const foci_model *model) {
    const foci_tensor *images = foci_program_find(v->rung[0], "images"),
                      *logits = foci_program_find(v->rung[0], "logits");
    if (images->ndim != 4 || images->shape[1] > FOCI_MAX_CHANNELS || !logits)
        return foci_fail(FOCI_ERR_CONFIG, "model %s does not classify images", model->name);
    v->channels = images->shape[1];
    v->height = images->shape[2];
    v->width = images->shape[3];
    v->pixels = v->channels * v->height * v->width;
    v->classes = foci_last_dim(logits);
    return FOCI_OK;
}

static foci_status build(foci_victim *v, const foci_model *model, const foci_config *config, int64_t classes,
                         bool bf16) {
    for (int64_t batch = v->capacity; batch > 0 && v->rungs < FOCI_VICTIM_RUNGS; batch /= 2)
        FOCI_TRY(add_rung(v, model, config, classes, batch, bf16));
    FOCI_TRY(find_shape(v, model));
    FOCI_TRY(foci_program_set_ready(&v->set));
    v->input = foci_large_calloc((size_t)(v->capacity * v->pixels) * sizeof *v->input);
    v->dz = foci_large_calloc((size_t)(v->capacity * v->classes) * sizeof *v->dz);
    if (!v->input || !v->dz)
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld images at once: lower --batch",
                         (long long)v->capacity);
    for (int i = 0; i < v->rungs; i++) FOCI_TRY(foci_program_feed(v->rung[i], "images", v->input));
    return FOCI_OK;
}

foci_status foci_victim_open(foci_victim *v, const foci_model *model, const foci_config *config, foci_parameters *p,
                             const foci_units *units, int64_t classes, int64_t capacity, bool bf16) {
    *v = (foci_victim){.units = *units, .capacity = capacity};
    foci_program_set_init(&v->set, p);
    v->set.advice = "lower --batch";
    foci_status status = build(v, model, config, classes, bf16);
    if (status) foci_victim_close(v);
    return status;
}

void foci_victim_close(foci_victim *v) {
    foci_program_set_free(&v->set);
    free(v->input);
    free(v->dz);
    *v = (foci_victim){.rungs = 0};
}

/* ------------------------------------------------------------------------------------------------ running */

static int64_t slot_of(const int64_t *which, int64_t i) { return which ? which[i] : i; }

/* The rung to run when n images are left: the smallest that takes them all, or, where a quarter of it would be idle,
 * the next one for the first of them. */
static int rung_for(const foci_victim *v, int64_t n) {
    int r = v->rungs - 1;
    while (r > 0 && v->batch[r] < n) r--;
    return r + 1 < v->rungs && 4 * n < 3 * v->batch[r] ? r + 1 : r;
}

/* Images first .. of a list through the model: as many as the rung takes, its rows 0 .. */
typedef struct part {
    int rung;
    int64_t n;
    const foci_real *z; /* their logits */
} part;

/* The first failure is kept, and ends the attack as a stop does. */
static bool failed(foci_victim *v, foci_status status) {
    if (!v->status) v->status = status;
    return v->status;
}

static part forward(foci_victim *v, int64_t all, const int64_t *which, int64_t first, const foci_real *x) {
    const int64_t area = v->height * v->width;
    const int r = rung_for(v, all - first);
    const int64_t n = all - first < v->batch[r] ? all - first : v->batch[r];
    FOCI_PARALLEL_FOR
    for (int64_t i = 0; i < n; i++)
        for (int64_t c = 0; c < v->channels; c++) {
            const foci_real *from = x + slot_of(which, first + i) * v->pixels + c * area;
            foci_real *to = v->input + i * v->pixels + c * area;
            const double mean = v->units.mean[c], std = v->units.std[c];
            for (int64_t j = 0; j < area; j++) to[j] = (foci_real)(((double)from[j] - mean) / std);
        }
    part p = {.rung = r, .n = n};
    if (!failed(v, foci_program_forward(v->rung[r]))) failed(v, foci_program_fetch(v->rung[r], "logits", &p.z));
    return p;
}

static void copy_logits(const foci_victim *v, part p, const int64_t *which, int64_t first, foci_real *logits) {
    for (int64_t i = 0; i < p.n; i++)
        for (int64_t k = 0; k < v->classes; k++)
            logits[slot_of(which, first + i) * v->classes + k] = p.z[i * v->classes + k];
}

void foci_victim_logits(foci_victim *v, int64_t n, const int64_t *which, const foci_real *x, foci_real *logits) {
    for (int64_t first = 0; first < n && !foci_victim_stopped(v);) {
        const part p = forward(v, n, which, first, x);
        if (v->status) return;
        copy_logits(v, p, which, first, logits);
        first += p.n;
    }
}

/* The gradients of the rung's logits: of each image's own loss, zero in rows without an image. */
static void seed(foci_victim *v, part p, const int64_t *which, int64_t first, foci_head *head, const int32_t *label,
                 const int32_t *target, double *loss) {
    for (int64_t i = 0; i < v->batch[p.rung] * v->classes; i++) v->dz[i] = 0;
    for (int64_t i = 0; i < p.n; i++) {
        const int64_t slot = slot_of(which, first + i), row = i * v->classes;
        loss[slot] = head(p.z + row, v->classes, label[slot], target ? target[slot] : -1, v->dz + row);
    }
}

void foci_victim_gradient(foci_victim *v, int64_t n, const int64_t *which, const foci_real *x, foci_head *head,
                          const int32_t *label, const int32_t *target, foci_real *logits, double *loss, foci_real *dx) {
    const int64_t area = v->height * v->width;
    for (int64_t first = 0; first < n && !foci_victim_stopped(v);) {
        const part p = forward(v, n, which, first, x);
        if (v->status) return;
        if (logits) copy_logits(v, p, which, first, logits);
        seed(v, p, which, first, head, label, target, loss);
        foci_program_backward_from(v->rung[p.rung], v->dz);
        const foci_real *g;
        if (failed(v, foci_program_fetch_gradient(v->rung[p.rung], "images", &g))) return;
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
