#include "task/sliding.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/parallel.h"
#include "config/config.h"
#include "ops/bilinear.h"
#include "task/image_data.h"
#include "task/training.h"
#include "task/load_model.h"

/* An image some of whose windows are still to come. */
typedef struct canvas {
    foci_scene scene;
    int64_t number;
    foci_real *logits; /* (H, W, K), sums over windows; NULL where the image is not wanted */
    int64_t waiting;   /* windows */
    struct canvas *next;
} canvas;

/* A window that waits for its pass. */
typedef struct pane {
    canvas *of;
    int top, left;
} pane;

typedef struct slide {
    const foci_sliding *s;
    foci_real *input; /* (batch, 3, height, width) */
    pane *window;     /* (batch) */
    int64_t filled;
    canvas *first, *last; /* in order */
    int64_t read, done;
} slide;

/* Few at once: the logits of an image are many. */
int64_t foci_windows_at_once(const foci_config *config) {
    enum { FEW = 8 };
    const foci_training train = foci_training_read(config);
    return foci_eval_batch(&train, FEW, INT64_MAX);
}

foci_status foci_sliding_open(foci_sliding *s, const foci_config *config, const foci_model *model,
                              foci_program_set *set) {
    const int64_t stride = foci_config_int(config, "data.stride");
    FOCI_TRY(foci_image_size(config, &s->height, &s->width));
    s->batch = foci_windows_at_once(config);
    s->down = stride ? stride : s->height;
    s->across = stride ? stride : s->width;
    const foci_request r = {.config = config, .batch = s->batch, .classes = s->classes, .feeds = "images"};
    const foci_graph_options options = foci_run_options(config);
    FOCI_TRY(foci_program_open_model(&s->program, set, &options, model, &r));
    return foci_program_set_ready(set);
}

static foci_status no_memory(const foci_scene *scene) {
    return foci_fail(FOCI_ERR_RUNTIME, "out of memory for the logits of %d x %d pixels", scene->width, scene->height);
}

/* ------------------------------------------------------------------------------------------------ windows */

/* Windows along a side, and where number i begins: every `stride`, the last at the end. */
static int64_t windows_along(int64_t side, int64_t window, int64_t stride) {
    return side <= window ? 1 : 1 + (side - window + stride - 1) / stride;
}
static int64_t window_at(int64_t side, int64_t window, int64_t stride, int64_t i) {
    return side <= window ? 0 : i * stride < side - window ? i * stride : side - window;
}
/* How many of them hold place x. */
static int64_t windows_over(int64_t side, int64_t window, int64_t stride, int64_t x) {
    int64_t count = 0;
    for (int64_t i = 0; i < windows_along(side, window, stride); i++) {
        const int64_t at = window_at(side, window, stride, i);
        count += at <= x && x < at + window;
    }
    return count;
}

/* The part of the scene that is in a window; zeros where it ends. */
static void copy_window(const foci_sliding *s, const pane *w, foci_real *to) {
    const foci_scene *scene = &w->of->scene;
    const int rows = scene->height - w->top < s->height ? scene->height - w->top : s->height,
              columns = scene->width - w->left < s->width ? scene->width - w->left : s->width;
    memset(to, 0, (size_t)3 * (size_t)s->height * (size_t)s->width * sizeof *to);
    for (int c = 0; c < 3; c++)
        for (int y = 0; y < rows; y++)
            memcpy(to + ((int64_t)c * s->height + y) * s->width,
                   scene->pixels + ((int64_t)c * scene->height + w->top + y) * scene->width + w->left,
                   (size_t)columns * sizeof *to);
}

/* Adds the logits (height, width, K) of a window to its canvas. */
static void add_window(const foci_sliding *s, const pane *w, const foci_real *logits) {
    const foci_scene *scene = &w->of->scene;
    const int columns = scene->width - w->left < s->width ? scene->width - w->left : s->width;
    for (int y = 0; y < s->height && w->top + y < scene->height; y++)
        foci_kernel()->scale(columns * s->classes, 1, logits + (int64_t)y * s->width * s->classes,
                             w->of->logits + ((int64_t)(w->top + y) * scene->width + w->left) * s->classes, true);
}

/* ------------------------------------------------------------------------------------------- a whole image */

/* Sums become means. */
static void average(const foci_sliding *s, canvas *c) {
    const int64_t height = c->scene.height, width = c->scene.width;
    FOCI_PARALLEL_FOR
    for (int64_t y = 0; y < height; y++) {
        const int64_t down = windows_over(height, s->height, s->down, y);
        for (int64_t x = 0; x < width; x++) {
            const int64_t count = down * windows_over(width, s->width, s->across, x);
            foci_real *at = c->logits + (y * width + x) * s->classes;
            if (count > 1) foci_kernel()->scale(s->classes, (foci_real)(1 / (double)count), at, at, false);
        }
    }
}

/* Pixels (W, K) of a row: which class each has, and the loss of those whose class is known. */
static double classify_row(const foci_real *logits, int64_t k, int64_t width, const unsigned char *classes,
                           unsigned char *predicted) {
    double loss = 0;
    for (int64_t x = 0; x < width; x++, logits += k) {
        int64_t best = 0;
        for (int64_t i = 1; i < k; i++) best = logits[i] > logits[best] ? i : best;
        predicted[x] = (unsigned char)best;
        if (!classes || classes[x] == FOCI_NO_CLASS) continue;
        foci_real max = -INFINITY, sum = 0;
        foci_kernel()->exp_sums(1, k, logits, k, &max, &sum);
        loss += (double)max + log((double)sum) - (double)logits[classes[x]];
    }
    return loss;
}

typedef struct result {
    unsigned char *predicted;
    double *loss;     /* of the rows */
    foci_real *blend; /* a blended row and a row of pixels for every thread */
} result;

static void classify(const foci_sliding *s, const canvas *c, const result *r) {
    const foci_image *image = &c->scene.image;
    const foci_bilinear b = {
        1, c->scene.height, c->scene.width, s->classes, image->height, image->width, image->height, image->width};
    const int64_t row = b.across * b.classes, scratch = row + b.width * b.classes;
    FOCI_PARALLEL_FOR
    for (int64_t y = 0; y < b.height; y++) {
        foci_real *blended = r->blend + foci_thread() * scratch, *pixels = blended + row;
        foci_bilinear_blend_rows(&b, c->logits, y, blended);
        foci_bilinear_blend_columns(&b, blended, pixels);
        r->loss[y] = classify_row(pixels, b.classes, b.width, c->scene.classes ? c->scene.classes + y * b.width : NULL,
                                  r->predicted + y * b.width);
    }
}

static foci_status finish(const foci_sliding *s, canvas *c) {
    const foci_image *image = &c->scene.image;
    const size_t width = (size_t)image->width, height = (size_t)image->height,
                 scratch = ((size_t)c->scene.width + width) * (size_t)s->classes;
    result r = {malloc(width * height), malloc(height * sizeof *r.loss),
                malloc((size_t)foci_threads() * scratch * sizeof *r.blend)};
    foci_status status = r.predicted && r.loss && r.blend ? FOCI_OK : no_memory(&c->scene);
    if (!status) {
        foci_segmented done = {
            .scene = &c->scene, .number = c->number, .classes = s->classes, .predicted = r.predicted};
        average(s, c);
        classify(s, c, &r);
        for (size_t y = 0; y < height; y++) done.loss += r.loss[y];
        status = s->take(s->context, &done);
    }
    free(r.predicted);
    free(r.loss);
    free(r.blend);
    return status;
}

/* -------------------------------------------------------------------------------------------------- passes */

static void drop_first(slide *a) {
    canvas *c = a->first;
    a->first = c->next;
    if (!a->first) a->last = NULL;
    foci_scene_free(&c->scene);
    free(c->logits);
    free(c);
}

/* Those in front that are complete. */
static foci_status finish_complete(slide *a) {
    const foci_sliding *s = a->s;
    while (a->first && !a->first->waiting) {
        const bool wanted = a->first->logits;
        if (wanted) FOCI_TRY(finish(s, a->first));
        drop_first(a);
        if (wanted) foci_watch_tell(s->watch, ++a->done, s->end - s->first);
        FOCI_TRY(foci_watch_stopped(s->watch));
    }
    return FOCI_OK;
}

/* A pass for the windows there are; what else the program takes is left as it was. */
static foci_status run(slide *a) {
    const foci_sliding *s = a->s;
    const foci_real *logits = NULL;
    bool wanted = false;
    for (int64_t i = 0; i < a->filled; i++) wanted |= a->window[i].of->logits != NULL;
    if (wanted) {
        FOCI_TRY(foci_program_feed(s->program, "images", a->input));
        FOCI_TRY(foci_program_forward(s->program));
        FOCI_TRY(foci_program_fetch(s->program, "logits", &logits));
    }
    for (int64_t i = 0; i < a->filled; i++) {
        if (a->window[i].of->logits) add_window(s, &a->window[i], logits + i * s->height * s->width * s->classes);
        a->window[i].of->waiting--;
    }
    a->filled = 0;
    return finish_complete(a);
}

static canvas *open_canvas(slide *a, foci_scene *scene) {
    const int64_t classes = a->s->classes, number = a->read++;
    const bool wanted = number >= a->s->first && number < a->s->end;
    canvas *c = calloc(1, sizeof *c);
    if (!c) return NULL;
    c->scene = *scene;
    c->number = number;
    *scene = (foci_scene){0};
    if (wanted)
        c->logits = calloc((size_t)c->scene.width * (size_t)c->scene.height, (size_t)classes * sizeof *c->logits);
    if (wanted && !c->logits) {
        *scene = c->scene;
        free(c);
        return NULL;
    }
    if (a->last) a->last->next = c;
    else a->first = c;
    a->last = c;
    return c;
}

static foci_status add_scene(slide *a, foci_scene *scene) {
    const foci_sliding *s = a->s;
    canvas *c = open_canvas(a, scene);
    if (!c) return no_memory(scene);
    const int height = c->scene.height, width = c->scene.width;
    const int64_t across = windows_along(width, s->width, s->across),
                  all = across * windows_along(height, s->height, s->down);
    c->waiting = all;
    for (int64_t i = 0; i < all; i++) {
        pane *w = &a->window[a->filled];
        *w = (pane){c, (int)window_at(height, s->height, s->down, i / across),
                    (int)window_at(width, s->width, s->across, i % across)};
        copy_window(s, w, a->input + a->filled * 3 * s->height * s->width);
        if (i == all - 1) {
            free(c->scene.pixels);
            c->scene.pixels = NULL;
        }
        if (++a->filled == s->batch) FOCI_TRY(run(a));
    }
    return FOCI_OK;
}

static foci_status slide_over(slide *a, foci_scene_reader *reader) {
    for (;;) {
        foci_scene scene;
        FOCI_TRY(foci_scene_reader_next(reader, &scene));
        if (!scene.pixels) return a->filled ? run(a) : FOCI_OK;
        const foci_status s = add_scene(a, &scene);
        foci_scene_free(&scene);
        FOCI_TRY(s);
    }
}

foci_status foci_slide(const foci_sliding *s, foci_scene_reader *reader) {
    const size_t pixels = (size_t)3 * (size_t)s->height * (size_t)s->width;
    slide a = {.s = s,
               .input = calloc((size_t)s->batch * pixels, sizeof *a.input),
               .window = calloc((size_t)s->batch, sizeof *a.window)};
    foci_status status = a.input && a.window
                             ? slide_over(&a, reader)
                             : foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld windows", (long long)s->batch);
    while (a.first) drop_first(&a);
    free(a.input);
    free(a.window);
    return status;
}
