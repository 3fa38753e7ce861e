/* rotary: what becomes of queries and keys between their projection and the scores. A row x of a head is normalised
 * (x / sqrt(mean of x^2 + eps) * weight), stretched by a metric and turned by the angles of its position, each where it
 * is asked for; the heads are joined (Su et al., "RoFormer", 2021; docs/mathematics.md 8.4) */
#include <math.h>
#include <string.h>

#include "ops/attention_head.h"
#include "core/graph.h"
#include "ops/common.h"

enum { X, WEIGHT, METRIC, ANGLES, INPUTS };

/* Rows of head task % H of sample task / H. */
typedef struct head_rows {
    int64_t tokens, width;
    int64_t first, step;         /* of x, in elements */
    int64_t out, out_step;       /* of the output */
    const real *metric, *angles; /* NULL: none */
    int64_t metric_step;
} head_rows;

static head_rows head_of(const foci_node *n, int64_t task) {
    const foci_tensor *x = n->input[X], *metric = n->input[METRIC], *angles = n->input[ANGLES];
    const int64_t heads = x->shape[1], b = task / heads, h = task % heads;
    head_rows r = {.tokens = x->shape[2],
                   .width = x->shape[3],
                   .first = foci_head_offset(x, b, h),
                   .step = x->stride[2],
                   .out_step = heads * x->shape[3]};
    r.out = b * r.tokens * r.out_step + h * r.width;
    if (angles) r.angles = foci_data(angles);
    if (!metric) return r;
    r.metric = foci_data(metric) + foci_head_offset(metric, b, h * metric->shape[1] / heads);
    r.metric_step = metric->shape[2] == 1 ? 0 : metric->stride[2];
    return r;
}

static const real *weight_of(const foci_node *n) { return n->input[WEIGHT] ? foci_data(n->input[WEIGHT]) : NULL; }
static real *rstd_of(const foci_node *n, int64_t task) {
    return n->input[WEIGHT] ? foci_data(n->saved[0]) + task * n->input[X]->shape[2] : NULL;
}
static const real *angles_of(const head_rows *r, int64_t i) { return r->angles ? r->angles + i * r->width : NULL; }
static const real *metric_of(const head_rows *r, int64_t i) {
    return r->metric ? r->metric + i * r->metric_step : NULL;
}

static void forward(const foci_node *n) {
    const double eps = *(const double *)n->attributes;
    const real *weight = weight_of(n);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < n->input[X]->shape[0] * n->input[X]->shape[1]; task++) {
        const head_rows r = head_of(n, task);
        real *rstd = rstd_of(n, task);
        for (int64_t i = 0; i < r.tokens; i++) {
            const real *x = foci_data(n->input[X]) + r.first + i * r.step;
            real *y = foci_data(n->output) + r.out + i * r.out_step;
            if (weight) foci_kernel()->rms_norm(1, r.width, x, weight, eps, 1, y, rstd + i);
            foci_kernel()->turn(r.width, metric_of(&r, i), angles_of(&r, i), weight ? y : x, y);
        }
    }
}

/* Every head leaves its part of dweight (D) in its row of the workspace, behind a row of scratch per thread. */
static void backward(const foci_node *n) {
    const int64_t heads = n->input[X]->shape[0] * n->input[X]->shape[1], width = n->input[X]->shape[3];
    const real *weight = weight_of(n);
    real *parts = foci_wants(n, WEIGHT) ? (real *)n->workspace + foci_threads() * width : NULL;
    if (parts) memset(parts, 0, (size_t)(heads * width) * sizeof *parts);
    FOCI_PARALLEL_FOR
    for (int64_t task = 0; task < heads; task++) {
        const head_rows r = head_of(n, task);
        const real *rstd = rstd_of(n, task);
        real *turned = (real *)n->workspace + foci_thread() * width;
        for (int64_t i = 0; i < r.tokens; i++) {
            const real *x = foci_data(n->input[X]) + r.first + i * r.step,
                       *dy = foci_grad(n->output) + r.out + i * r.out_step;
            real *dx = foci_wants(n, X) ? foci_grad(n->input[X]) + r.first + i * r.step : NULL;
            real *to = weight ? turned : dx;
            if (to)
                foci_kernel()->turn_back(width, metric_of(&r, i), angles_of(&r, i), dy, to,
                                         !weight && n->accumulate[X]);
            if (weight)
                foci_kernel()->rms_norm_backward(1, width, x, weight, 1, rstd + i, turned, dx, n->accumulate[X],
                                                 parts ? parts + task * width : NULL);
        }
    }
    if (parts) foci_add_tiles(heads, width, parts, foci_grad(n->input[WEIGHT]), n->accumulate[WEIGHT]);
}

/* Two products and a sum for each element; a norm costs about as much again. */
static foci_cost cost(const foci_node *n) {
    const double work = (double)foci_numel(n->output) * ((n->input[ANGLES] ? 3 : 0) + (n->input[WEIGHT] ? 4 : 0));
    return (foci_cost){work, 2 * work};
}

/* ----------------------------------------------------------------------------------------- gradient check */

enum { B = 2, H = 2, N = 5, D = 4 };
static foci_tensor *numbers(foci_graph *g, int ndim, const int64_t *shape) {
    foci_real x[B * H * N * D];
    for (int i = 0; i < B * H * N * D; i++) x[i] = (foci_real)(1 + 0.9 * sin(3.0 * i + 1));
    return foci_constant(g, "constant", FOCI_REAL, ndim, shape, x);
}
static foci_tensor *heads(foci_graph *g) { return RANDOM(g, "x", B, H, N, D); }
static foci_tensor *angles(foci_graph *g) { return foci_rotary_angles(g, 3, N, D, 100); }
static foci_tensor *turned(foci_graph *g) {
    return foci_rotary(g, heads(g), &(foci_rotary_options){.angles = angles(g)});
}
static foci_tensor *normalised(foci_graph *g) {
    return foci_rotary(g, heads(g), &(foci_rotary_options){.weight = RANDOM(g, "weight", D), .eps = 0.1});
}
static foci_tensor *all_of_it(foci_graph *g) {
    return foci_rotary(g, heads(g),
                       &(foci_rotary_options){.weight = RANDOM(g, "weight", D),
                                              .eps = 0.1,
                                              .metric = numbers(g, FOCI_SHAPE(B, 1, N, D)),
                                              .angles = angles(g)});
}
static foci_tensor *view_twice(foci_graph *g) {
    foci_tensor *x = foci_heads(g, foci_scale(g, RANDOM(g, "x", B, N, 2 * H * D), 2), 2, 1, H);
    return foci_add(
        g, foci_rotary(g, x, &(foci_rotary_options){.angles = angles(g)}),
        foci_rotary(g, x, &(foci_rotary_options){.metric = numbers(g, FOCI_SHAPE(B, H, 1, D)), .angles = angles(g)}));
}
static const foci_gradient_case gradients[] = {{"turned", turned},
                                               {"normalised", normalised},
                                               {"normalised, stretched, turned", all_of_it},
                                               {"a view, twice, once stretched", view_twice},
                                               {0}};

const foci_op foci_op_rotary = {.name = "rotary",
                                .summary = "rows of heads normalised, stretched, turned by their positions",
                                .forward = forward,
                                .backward = backward,
                                .reads = FOCI_READS_INPUT(X) | FOCI_READS_INPUT(WEIGHT) | FOCI_READS_INPUT(METRIC) |
                                         FOCI_READS_INPUT(ANGLES),
                                .cost = cost,
                                .gradients = gradients};

static bool operands_fit(foci_graph *g, const foci_tensor *x, const foci_rotary_options *o) {
    const char *op = foci_op_rotary.name;
    if (!foci_head_operand(g, op, "input", x, NULL)) return false;
    const int64_t *s = x->shape;
    if (o->weight && (!foci_operand(g, op, "weight", o->weight, FOCI_REAL) || foci_numel(o->weight) != s[3]))
        foci_graph_fail(g, "%s: weight %s is not for heads %s", op, foci_shape_text(g, o->weight),
                        foci_shape_text(g, x));
    else if (o->weight && !(o->eps > 0 && isfinite(o->eps)))
        foci_graph_fail(g, "%s: eps is %g, it must be positive", op, o->eps);
    else if (o->angles && (!foci_operand(g, op, "angles", o->angles, FOCI_REAL) || o->angles->ndim != 2 ||
                           o->angles->shape[0] != s[2] || o->angles->shape[1] != s[3] || s[3] % 2))
        foci_graph_fail(g, "%s: angles %s are not for heads %s, whose width must be even", op,
                        foci_shape_text(g, o->angles), foci_shape_text(g, x));
    else if (o->metric && (!foci_head_operand(g, op, "metric", o->metric, NULL) || o->metric->shape[0] != s[0] ||
                           s[1] % o->metric->shape[1] || s[2] % o->metric->shape[2] || o->metric->shape[3] != s[3]))
        foci_graph_fail(g, "%s: metric %s is not for heads %s", op, foci_shape_text(g, o->metric),
                        foci_shape_text(g, x));
    return foci_graph_ok(g);
}

foci_tensor *foci_rotary(foci_graph *g, foci_tensor *x, const foci_rotary_options *o) {
    if (!operands_fit(g, x, o)) return NULL;
    foci_tensor *const input[INPUTS] = {x, o->weight, o->metric, o->angles};
    foci_node *n = foci_record(g, &foci_op_rotary, INPUTS, input, &o->eps, sizeof o->eps);
    if (!n) return NULL;
    const int64_t *s = x->shape;
    if (o->weight) foci_save(n, FOCI_REAL, s[0] * s[1] * s[2]);
    foci_workspace(n, 0, (size_t)((foci_threads() + s[0] * s[1]) * s[3]) * sizeof(real));
    return foci_emit(n, FOCI_REAL, FOCI_SHAPE(s[0], s[2], s[1] * s[3]));
}

/* Angles in double, then rounded: with angles in float the cosines are off by 1e-5 at position 1000. */
foci_tensor *foci_rotary_angles(foci_graph *g, int64_t first, int64_t tokens, int64_t width, double theta) {
    if (!foci_graph_ok(g)) return NULL;
    foci_real *table = foci_graph_alloc(g, (size_t)(tokens * width) * sizeof *table);
    if (!table) return NULL;
    for (int64_t t = 0; t < tokens; t++)
        for (int64_t i = 0; i < width / 2; i++) {
            const double angle = (double)(first + t) * pow(theta, -2.0 * (double)i / (double)width);
            table[t * width + i] = (foci_real)cos(angle);
            table[t * width + width / 2 + i] = (foci_real)sin(angle);
        }
    return foci_constant(g, "angles", FOCI_REAL, FOCI_SHAPE(tokens, width), table);
}
