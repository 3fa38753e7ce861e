#include "measure/scaling.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "attention/attend.h"
#include "attention/attention.h"
#include "base/clock.h"
#include "base/parallel.h"
#include "base/philox.h"
#include "config/config.h"
#include "core/program.h"
#include "kernels/bf16.h"
#include "models/models.h"
#include "task/schema.h"

const foci_key foci_scaling_keys[] = {
    FOCI_KEY(foci_scaling_settings, from, "256", 1, 1e7, NULL, "tokens of the shortest sequence; twice as many follow"),
    FOCI_KEY(foci_scaling_settings, to, "16384", 1, 1e7, NULL, "and at most so many"),
    FOCI_KEY(foci_scaling_settings, heads, "2", 1, 1000, NULL, "of the layer"),
    FOCI_KEY(foci_scaling_settings, width, "64", 1, 4096, NULL, "of a head"),
    FOCI_KEY(foci_scaling_settings, causal, "false", 0, 0, NULL, "tokens see none behind them"),
    FOCI_KEY(foci_scaling_settings, seconds, "10", 0.001, 1e6, NULL,
             "a variant ends where forward and backward would take longer"),
    FOCI_KEY(foci_scaling_settings, memory, "4000", 1, 1e9, NULL, "or need more MB"),
    {0}};

/* ----------------------------------------------------------------------------------------------- one layer */

/* What a layer may be given, (1, H, N, D) each but x (1, N, H D): of it, of the one before, of the first. */
enum { Q, K, K2, V, Q_BEFORE, K_BEFORE, V_BEFORE, Q_FIRST, K_FIRST, V_FIRST, X, INPUTS };
static const char *const inputs[INPUTS] = {"q",        "k",       "k2",      "v",       "q_before", "k_before",
                                           "v_before", "q_first", "k_first", "v_first", "x"};
#define INPUT_GRADIENTS "q k k2 v v_first"

typedef struct layer {
    const foci_scaling_settings *settings;
    const foci_config *config;
    int64_t tokens;
    foci_parameters parameters;
    foci_program_set set;
    foci_program *program;
    foci_real *data[INPUTS];
} layer;

/* Layer 1, which has one before it. */
static void record(void *context, foci_graph *g) {
    const layer *l = context;
    const foci_scaling_settings *o = l->settings;
    foci_tensor *t[INPUTS];
    for (int i = 0; i < X; i++)
        t[i] = foci_input(g, inputs[i], FOCI_REAL, FOCI_SHAPE(1, o->heads, l->tokens, o->width));
    t[X] = foci_input(g, inputs[X], FOCI_REAL, FOCI_SHAPE(1, l->tokens, o->heads * o->width));
    foci_attending a = foci_attending_begin(
        g, l->config, &(foci_attend_options){.depth = 2, .longest = l->tokens, .causal = o->causal});
    a.next.layer = 1;
    a.next.q_before = t[Q_BEFORE], a.next.k_before = t[K_BEFORE], a.next.v_before = t[V_BEFORE];
    a.next.q_first = t[Q_FIRST], a.next.k_first = t[K_FIRST], a.next.v_first = t[V_FIRST];
    foci_heads_of_layer now = {a.projections & FOCI_PROJECT_Q ? t[Q] : t[K], t[K],
                               a.projections & FOCI_PROJECT_K2 ? t[K2] : NULL, t[V]};
    if (!(a.projections & FOCI_PROJECT_K)) now.k = now.q;
    foci_output(g, "out", foci_attend(&a, t[X], now));
}

static foci_status open_layer(layer *l) {
    foci_parameters_init(&l->parameters);
    foci_program_set_init(&l->set, &l->parameters);
    return foci_program_open(&l->program, &l->set,
                             &(foci_graph_options){.train = true, .differentiate = true, .gradients = INPUT_GRADIENTS},
                             record, l);
}

static foci_status feed(layer *l) {
    FOCI_TRY(foci_program_set_ready(&l->set));
    foci_parameters_initialise(&l->parameters, 1);
    for (int i = 0; i < INPUTS; i++) {
        const int64_t n = l->tokens * l->settings->heads * l->settings->width;
        foci_rng r = foci_rng_make(1, foci_stream(inputs[i]), 0);
        l->data[i] = malloc((size_t)n * sizeof *l->data[i]);
        if (!l->data[i]) return foci_out_of_memory();
        for (int64_t k = 0; k < n; k++) l->data[i][k] = (foci_real)foci_rng_normal(&r);
        FOCI_TRY(foci_program_feed(l->program, inputs[i], l->data[i]));
    }
    return FOCI_OK;
}

static void close_layer(layer *l) {
    foci_program_set_free(&l->set);
    foci_parameters_free(&l->parameters);
    for (int i = 0; i < INPUTS; i++) free(l->data[i]);
}

/* The shortest of several passes, of which the first warms up unless it is long; as many as a quarter of a second has
 * room for. */
static foci_status time_layer(layer *l, double *ms) {
    const double long_enough = 250;
    double spent = 0;
    *ms = INFINITY;
    for (int pass = 0; pass == 0 || spent < long_enough; pass++) {
        const double start = foci_now_ms();
        FOCI_TRY(foci_program_forward(l->program));
        foci_program_backward(l->program, 1);
        const double now = foci_now_ms() - start;
        spent += now;
        if (pass || now > long_enough) *ms = fmin(*ms, now);
    }
    return FOCI_OK;
}

/* --------------------------------------------------------------------------------------------- one variant */

/* As much longer than the one before as the work grows, or as that was than the one before it: for N^3 eight times,
 * more is noise. The variant's rows before this one come before it. */
static double expected_ms(const foci_scaling_row *row, int before) {
    const double most = 8;
    if (!before) return 0;
    const double work = row[-1].gflop > 0 ? row->gflop / row[-1].gflop : 2;
    const double growth = before > 1 ? fmin(row[-1].ms / row[-2].ms, most) : work;
    return row[-1].ms * fmax(growth, work);
}

static foci_status measure_row(layer *l, foci_scaling_row *row, int before) {
    const foci_scaling_settings *o = l->settings;
    const double parameters = 2.0 * (double)sizeof(foci_real) * (double)l->parameters.size; /* and gradients */
    const foci_cost cost = foci_graph_cost(foci_program_graph(l->program));
    row->gflop = (cost.forward + cost.backward) / 1e9;
    row->mb = ((double)foci_program_set_bytes(&l->set, NULL) + parameters) / 1e6;
    const double expected = expected_ms(row, before);
    if (row->mb > o->memory) {
        snprintf(row->why, sizeof row->why, "needs %.3g MB", row->mb);
    } else if (expected > 1e3 * o->seconds) {
        snprintf(row->why, sizeof row->why, "would take about %.2g s", expected / 1e3);
    } else {
        FOCI_TRY(feed(l));
        FOCI_TRY(time_layer(l, &row->ms));
    }
    return FOCI_OK;
}

/* What the variant refuses, or cannot compute, and memory that is not to be had stand in the row: they are no failure
 * of the benchmark. */
static void measure_layer(const foci_scaling *s, const foci_config *config, foci_scaling_row *row, int before) {
    layer l = {.settings = &s->settings, .config = config, .tokens = row->tokens};
    foci_status status = open_layer(&l);
    if (!status) status = measure_row(&l, row, before);
    if (status) row->ms = NAN, snprintf(row->why, sizeof row->why, "%s", foci_error_message());
    close_layer(&l);
}

static foci_status config_of(const char *kind, const char *const *set, int sets, foci_config **config) {
    char text[256];
    const int n = snprintf(text, sizeof text, "model: {kind: %s}\nattention: {kind: %s}\n", foci_models[0]->name, kind);
    return foci_config_parse(config, foci_schema_all(), "attention", text, (size_t)n, set, sets);
}

static foci_scaling_row *add_row(foci_scaling *s, const char *kind, int64_t tokens) {
    if (s->rows % 64 == 0) {
        void *grown = realloc(s->row, (size_t)(s->rows + 64) * sizeof *s->row);
        if (!grown) return NULL;
        s->row = grown;
    }
    s->row[s->rows] = (foci_scaling_row){.kind = kind, .tokens = tokens, .ms = NAN, .mb = NAN};
    return &s->row[s->rows++];
}

static foci_status measure_variant(foci_scaling *s, const foci_attention *variant, const foci_config *config,
                                   const foci_watch *watch, void (*measured)(const foci_scaling_row *row)) {
    const foci_scaling_settings *o = &s->settings;
    int before = 0;
    for (int64_t tokens = o->from; tokens <= o->to; tokens *= 2) {
        foci_scaling_row *row = add_row(s, variant->name, tokens);
        if (!row) return foci_out_of_memory();
        FOCI_TRY(foci_watch_stopped(watch));
        if (variant->whole && o->causal) snprintf(row->why, sizeof row->why, "has no causal form");
        else measure_layer(s, config, row, before++);
        if (measured) measured(row);
        if (*row->why) break;
    }
    return FOCI_OK;
}

static bool is_asked(const char *name, const char *const *kind, int kinds) {
    for (int i = 0; i < kinds; i++)
        if (strcmp(kind[i], name) == 0) return true;
    return !kinds;
}

foci_status foci_scaling_run(foci_scaling *s, const foci_scaling_settings *settings, const char *const *kind, int kinds,
                             const char *const *set, int sets, const foci_watch *watch,
                             void (*measured)(const foci_scaling_row *row)) {
    *s = (foci_scaling){.settings = *settings};
    for (int i = 0; i < kinds; i++)
        if (!foci_attention_find(kind[i]))
            return foci_fail(FOCI_ERR_CONFIG, "there is no attention %s (see foci list attention)", kind[i]);
    for (int i = 0; foci_attentions[i]; i++) {
        foci_config *config;
        if (!is_asked(foci_attentions[i]->name, kind, kinds)) continue;
        FOCI_TRY(config_of(foci_attentions[i]->name, set, sets, &config));
        const foci_status status = measure_variant(s, foci_attentions[i], config, watch, measured);
        foci_config_free(config);
        if (status) return status;
    }
    return FOCI_OK;
}

void foci_scaling_free(foci_scaling *s) {
    free(s->row);
    *s = (foci_scaling){.rows = 0};
}

/* ------------------------------------------------------------------------------------------------- results */

int foci_scaling_next(const foci_scaling *s, int row) {
    int next = row;
    while (next < s->rows && s->row[next].kind == s->row[row].kind) next++;
    return next;
}

double foci_scaling_exponent(const foci_scaling *s, int first, bool memory) {
    enum { MOST = 4 };
    double x = 0, y = 0, xx = 0, xy = 0;
    int n = 0;
    for (int i = foci_scaling_next(s, first) - 1; i >= first && n < MOST; i--) {
        const foci_scaling_row *r = &s->row[i];
        const double value = log(memory ? r->mb : r->ms), at = log((double)r->tokens);
        if (isnan(r->ms)) continue;
        x += at, y += value, xx += at * at, xy += at * value, n++;
    }
    return n < 2 ? NAN : ((double)n * xy - x * y) / ((double)n * xx - x * x);
}

static void tell_row(const foci_scaling_row *row, foci_report *r) {
    foci_report_whole(r, "tokens", row->tokens);
    foci_report_decimals(r, "ms", row->ms, 4);
    foci_report_decimals(r, "mb", row->mb, 4);
    foci_report_decimals(r, "gflop", row->gflop, 6);
    foci_report_text(r, "why", *row->why ? row->why : NULL);
}

void foci_scaling_tell(const foci_scaling *s, foci_report *r) {
    foci_report_whole(r, "heads", s->settings.heads);
    foci_report_whole(r, "width", s->settings.width);
    foci_report_flag(r, "causal", s->settings.causal);
    foci_report_whole(r, "threads", foci_threads());
    foci_report_text(r, "isa", foci_bf16_isa());
    foci_report *variants = foci_report_list(r, "variants");
    for (int i = 0; i < s->rows; i = foci_scaling_next(s, i)) {
        foci_report *v = foci_report_part(variants, NULL);
        foci_report_text(v, "kind", s->row[i].kind);
        foci_report_decimals(v, "time_exponent", foci_scaling_exponent(s, i, false), 3);
        foci_report_decimals(v, "memory_exponent", foci_scaling_exponent(s, i, true), 3);
        foci_report *rows = foci_report_list(v, "rows");
        for (int k = i; k < foci_scaling_next(s, i); k++) tell_row(&s->row[k], foci_report_part(rows, NULL));
    }
}

void foci_scaling_csv(const foci_scaling *s, FILE *f) {
    fputs("kind,tokens,ms,mb,gflop,why\n", f);
    for (int i = 0; i < s->rows; i++) {
        const foci_scaling_row *row = &s->row[i];
        const double cell[] = {(double)row->tokens, row->ms, row->mb, row->gflop};
        foci_csv_text(f, row->kind);
        for (int k = 0; k < 4; k++) putc(',', f), foci_csv_number(f, cell[k], 6);
        putc(',', f);
        foci_csv_text(f, row->why);
        putc('\n', f);
    }
}
