/* Golden cases of whole models: outputs, metrics, gradients, a short training run, perplexity. */
#include <math.h>
#include <string.h>

#include "models/models.h"
#include "verify/case.h"
#include "train/schedule.h"
#include "train/step.h"
#include "task/generator.h"
#include "task/perplexity.h"

/* What differs between the kinds. */
typedef struct kind {
    const char *model;
    const char *const *rename;   /* the case's model keys -> foci's */
    const char *inputs, *labels; /* tensors input.X and train.X */
    const char *input, *label;   /* what the model calls them */
    const char *mask;            /* likewise, of both; NULL: there is none */
    const char *feeds;
    const char *words;              /* the key of the model that inputs are below; NULL: they are real numbers */
    const char *classes;            /* that labels are below */
    const char *output;             /* tensor expected.X, its group, and what the model calls it */
    const char *metric, *or_metric; /* where layer i observes the metric: here, or else there */
    const char *buffers;            /* tensors of what is not trained, BUFFERS X */
    /* the batch's own statistics in training, running ones, which are buffers, in evaluation: tensors
     * expected.OUTPUT_eval and, after the last update, expected.BUFFERS X */
    bool two_ways;
    /* the case has the pixels of a class as a plane, (B, K, H, W), and labels that do not count; its model is given as
     * an encoder and a decoder */
    bool pixels;
} kind;

static const char *const vit_rename[] = {NULL};
static const char *const lm_rename[] = {"n_token", "vocab", "n_layer", "depth", "n_head", "num_heads", NULL};
static const char *const encoder_rename[] = {"vocab_size", "vocab", "max_seq_len", "length", "dim",
                                             "d_model",    "heads", "num_heads",   "hidden", "d_inner",
                                             "layers",     "depth", NULL};
#define OF_IMAGES \
    .inputs = "images", .labels = "labels", .input = "images", .label = "labels", .feeds = "images labels", \
    .classes = "model.num_classes", .output = "logits"
static const kind vit = {
    .model = "vit", .rename = vit_rename, OF_IMAGES, .metric = "blocks.%d.attn.metric", .buffers = "constant."};
static const kind fan = {.model = "fan",
                         .rename = vit_rename,
                         OF_IMAGES,
                         .metric = "blocks.%d.attn.metric",
                         .buffers = "buffer.",
                         .two_ways = true};
static const char *const segmenter_rename[] = {
    "n_cls",          "num_classes",       "n_layers", "decoder_depth",  "n_heads", "decoder_heads",
    "d_model",        "decoder_dim",       "d_ff",     "decoder_hidden", "dropout", "decoder_dropout",
    "drop_path_rate", "decoder_drop_path", "name",     "decoder",        NULL};
static const kind segmenter = {.model = "segmenter",
                               .rename = segmenter_rename,
                               OF_IMAGES,
                               .metric = "encoder.blocks.%d.attn.metric",
                               .buffers = "constant.",
                               .pixels = true};
#define OF_WORDS \
    .inputs = "tokens", .labels = "targets", .input = "ids", .label = "targets", .feeds = "ids targets", \
    .words = "model.vocab", .classes = "model.vocab"
static const kind lm = {.model = "lm",
                        .rename = lm_rename,
                        OF_WORDS,
                        .output = "logprob",
                        .metric = "layers.%d.dec_attn.metric",
                        .buffers = "constant."};
static const char *const gpt_rename[] = {"n_token", "vocab", NULL};
static const kind gpt = {.model = "gpt",
                         .rename = gpt_rename,
                         OF_WORDS,
                         .output = "logits",
                         .metric = "transformer.h.%d.attn.metric",
                         .or_metric = "model.layers.%d.self_attn.metric",
                         .buffers = "constant."};
static const kind sequence_encoder = {.model = "encoder",
                                      .rename = encoder_rename,
                                      .inputs = "tokens",
                                      .labels = "labels",
                                      .input = "ids",
                                      .label = "labels",
                                      .mask = "mask",
                                      .feeds = "ids mask labels",
                                      .words = "model.vocab",
                                      .classes = "model.num_classes",
                                      .output = "logits",
                                      .metric = "model.transformer_%d.mha.metric",
                                      .buffers = "constant."};

typedef struct model_case {
    foci_case *c;
    const kind *kind;
    foci_config *config;
    foci_case_run run;
    int64_t words, classes; /* inputs, labels are below */
} model_case;

/* ------------------------------------------------------------------------------------- recording and data */

static const char *renamed(const char *const *rename, const char *name) {
    for (; rename[0]; rename += 2)
        if (strcmp(rename[0], name) == 0) return rename[1];
    return name;
}

/* An encoder and a decoder as one model: the decoder's names become foci's here, since an encoder has some of them too.
 * A decoder without blocks is the linear one. The size is that of the images, before they are padded. */
static foci_status join_parts(const model_case *m, const json_t *parts, json_t **joined) {
    json_t *encoder, *decoder, *value;
    const char *name;
    const foci_safetensor *images;
    FOCI_TRY(foci_case_tensor(m->c, "input.images", -1, NULL, &images));
    if (images->ndim != 4) return foci_case_fail(m->c, "tensor input.images has %d dimensions", images->ndim);
    FOCI_TRY(foci_case_member(m->c, parts, "model", "encoder", JSON_OBJECT, &encoder));
    FOCI_TRY(foci_case_member(m->c, parts, "model", "decoder", JSON_OBJECT, &decoder));
    if (!(*joined = json_copy(encoder))) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", m->c->path);
    json_object_del(*joined, "num_classes");
    json_object_foreach(decoder, name, value) if (strcmp(name, "d_encoder") != 0)
        json_object_set(*joined, renamed(m->kind->rename, name), value);
    json_object_set_new(*joined, "img_size",
                        json_pack("[I, I]", (json_int_t)images->shape[2], (json_int_t)images->shape[3]));
    if (!json_object_get(decoder, "n_layers")) json_object_set_new(*joined, "decoder", json_string("linear"));
    return FOCI_OK;
}

static foci_status parse_config(model_case *m, const json_t *sizes) {
    foci_case *c = m->c;
    const json_t *elliptical = json_object_get(c->root, "elliptical");
    if (!elliptical) return foci_case_fail(c, "case.elliptical is missing");
    const foci_case_settings settings = {.model = foci_model_find(m->kind->model),
                                         .rename = m->kind->pixels ? NULL : m->kind->rename,
                                         .sizes = sizes,
                                         .elliptical = elliptical,
                                         .attention = json_object_get(c->root, "attention"),
                                         .tensors = ""};
    return foci_case_config(c, &settings, &m->config);
}

static foci_status read_config(model_case *m) {
    foci_case *c = m->c;
    json_t *sizes, *joined = NULL;
    FOCI_TRY(foci_case_member(c, c->root, "case", "model", JSON_OBJECT, &sizes));
    foci_status s = m->kind->pixels ? join_parts(m, sizes, &joined) : FOCI_OK;
    if (!s) s = parse_config(m, joined ? joined : sizes);
    json_decref(joined);
    FOCI_TRY(s);
    m->classes = foci_config_int(m->config, m->kind->classes);
    m->words = m->kind->words ? foci_config_int(m->config, m->kind->words) : 0;
    if (m->classes > 0) return FOCI_OK;
    return foci_case_fail(c, "model: the number of %s is missing", m->words == m->classes ? "words" : "classes");
}

/* Two rows of inputs are one sample. */
static bool is_paired(const model_case *m) {
    return m->kind == &sequence_encoder && foci_config_bool(m->config, "model.pair");
}

static const char *input_name(foci_case *c, const char *prefix, const char *name) {
    const char *text = foci_arena_printf(&c->arena, "%s.%s", prefix, name);
    return text ? text : "";
}

/* For as many samples as the case's tensor has; the model says what shape that must be. */
static foci_status record(model_case *m) {
    foci_case *c = m->c;
    const foci_safetensor *t;
    FOCI_TRY(foci_case_tensor(c, input_name(c, "input", m->kind->inputs), -1, NULL, &t));
    const int dims = m->kind->words ? 2 : 4, rows = is_paired(m) ? 2 : 1;
    if (t->ndim != dims || t->shape[0] % rows)
        return foci_case_fail(c, "tensor %s is not of the shape that %s takes", t->name, m->kind->model);
    foci_request r = {.config = m->config, .batch = t->shape[0] / rows, .feeds = m->kind->feeds};
    if (m->kind->words) r.number[0] = (foci_named_number){"tokens", (double)t->shape[1]};
    FOCI_TRY(foci_case_run_open_model(c, &m->run, foci_model_find(m->kind->model), &r, m->kind->two_ways));
    const foci_tensor *declared = foci_program_find(m->run.program, m->kind->input);
    return foci_case_tensor(c, t->name, declared->ndim, declared->shape, &t);
}

/* One batch, or all of them where `batches` is not 0: tensors PREFIX.images and so on. */
typedef struct data {
    void *inputs; /* foci_real images or int32_t tokens */
    foci_real *mask;
    int32_t *labels;
    int64_t input_numel, label_numel; /* of one batch */
} data;

static foci_status read_data(model_case *m, const char *prefix, int64_t batches, data *d) {
    foci_case *c = m->c;
    const foci_tensor *inputs = foci_program_find(m->run.program, m->kind->input);
    const foci_tensor *labels = foci_program_find(m->run.program, m->kind->label);
    int64_t shape[FOCI_MAX_DIMS + 1] = {batches};
    int lead = batches ? 1 : 0;
    memcpy(shape + lead, inputs->shape, (size_t)inputs->ndim * sizeof *shape);
    const char *name = input_name(c, prefix, m->kind->inputs);
    if (m->words) FOCI_TRY(foci_case_ints(c, name, lead + inputs->ndim, shape, m->words, 0, (int32_t **)&d->inputs));
    else FOCI_TRY(foci_case_reals(c, name, lead + inputs->ndim, shape, (foci_real **)&d->inputs));
    if (m->kind->mask)
        FOCI_TRY(foci_case_reals(c, input_name(c, prefix, m->kind->mask), lead + inputs->ndim, shape, &d->mask));
    memcpy(shape + lead, labels->shape, (size_t)labels->ndim * sizeof *shape);
    FOCI_TRY(foci_case_ints(c, input_name(c, prefix, m->kind->labels), lead + labels->ndim, shape, m->classes,
                            m->kind->pixels ? 255 : 0, &d->labels));
    d->input_numel = foci_numel(inputs);
    d->label_numel = foci_numel(labels);
    return FOCI_OK;
}

static foci_status feed(model_case *m, const data *d, int64_t batch) {
    const size_t size = m->words ? sizeof(int32_t) : sizeof(foci_real);
    const char *inputs = (const char *)d->inputs + (size_t)(batch * d->input_numel) * size;
    FOCI_TRY(foci_program_feed(m->run.program, m->kind->input, inputs));
    if (d->mask) FOCI_TRY(foci_program_feed(m->run.program, m->kind->mask, d->mask + batch * d->input_numel));
    return foci_program_feed(m->run.program, m->kind->label, d->labels + batch * d->label_numel);
}

/* Runs the program; the loss must be what is expected. */
static foci_status run(model_case *m, const data *d, double expected) {
    const foci_real *loss;
    FOCI_TRY(feed(m, d, 0));
    FOCI_TRY(foci_program_forward(m->run.program));
    FOCI_TRY(foci_program_fetch(m->run.program, "loss", &loss));
    return foci_case_difference(m->c, "loss", fabs((double)loss[0] - expected), fabs(expected));
}

/* ------------------------------------------------------------------------------------ one pass and its
 * gradients */

/* Second names must be ties of the model too. */
static foci_status check_ties(const model_case *m) {
    const char *second;
    json_t *first;
    json_object_foreach(json_object_get(m->c->root, "tied"), second, first) {
        const char *name = json_string_value(first);
        const foci_parameters *p = &m->run.parameters;
        int i = name ? foci_parameters_find(p, name) : -1;
        if (i < 0 || foci_parameters_find(p, second) != i)
            return foci_case_fail(m->c, "tied.%s: in this model it is not the same parameter as %s", second,
                                  name ? name : "(no name)");
    }
    return FOCI_OK;
}

static foci_status check_metrics(const model_case *m) {
    char observed[80], expected[80];
    int depth = (int)foci_config_int(m->config, "model.depth");
    for (int i = 0; i < depth; i++) {
        snprintf(observed, sizeof observed, m->kind->metric, i);
        snprintf(expected, sizeof expected, "expected.w.%d", i);
        if (m->kind->or_metric && !foci_program_find(m->run.program, observed))
            snprintf(observed, sizeof observed, m->kind->or_metric, i);
        if (foci_program_find(m->run.program, observed))
            FOCI_TRY(foci_case_run_compare(m->c, &m->run, "w", observed, expected));
    }
    return FOCI_OK;
}

/* (B, H, W, K) -> (B, K, H, W) */
static void to_planes(const int64_t *shape, const foci_real *x, foci_real *planes) {
    const int64_t pixels = shape[1] * shape[2], classes = shape[3];
    for (int64_t b = 0; b < shape[0]; b++, x += pixels * classes, planes += pixels * classes)
        for (int64_t i = 0; i < pixels; i++)
            for (int64_t k = 0; k < classes; k++) planes[k * pixels + i] = x[i * classes + k];
}

static foci_status check_output(model_case *m) {
    foci_case *c = m->c;
    const char *output = m->kind->output, *expected = input_name(c, "expected", output);
    const foci_real *got;
    if (!m->kind->pixels) return foci_case_run_compare(c, &m->run, output, output, expected);
    const int64_t *shape = foci_program_find(m->run.program, output)->shape;
    FOCI_TRY(foci_program_fetch(m->run.program, output, &got));
    foci_real *planes =
        foci_arena_alloc(&c->arena, (size_t)(shape[0] * shape[1] * shape[2] * shape[3]) * sizeof *planes);
    if (!planes) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", c->path);
    to_planes(shape, got, planes);
    return foci_case_compare(c, output, planes, expected, 4, (int64_t[]){shape[0], shape[3], shape[1], shape[2]});
}

static foci_status check_pass(model_case *m) {
    foci_case *c = m->c;
    data d = {NULL};
    double expected_loss;
    json_t *expected, *none = json_object_get(c->root, "no_gradient");
    FOCI_TRY(foci_case_member(c, c->root, "case", "expected", JSON_OBJECT, &expected));
    FOCI_TRY(foci_case_known_keys(c, expected, "expected", " loss margin "));
    FOCI_TRY(foci_case_number(c, expected, "expected", "loss", &expected_loss));
    FOCI_TRY(read_data(m, "input", 0, &d));
    FOCI_TRY(run(m, &d, expected_loss));
    FOCI_TRY(check_output(m));
    FOCI_TRY(check_metrics(m));
    foci_parameters_zero_grad(&m->run.parameters);
    foci_program_backward(m->run.program, 1);
    return foci_case_run_gradients(c, &m->run, "grad", "grad.", none);
}

/* --------------------------------------------------------------------------------------------- evaluation */

static bool walk_named(const char *name, foci_walk *walk) {
    static const char *const names[] = {FOCI_WALKS(FOCI_CHOICE_NAME)};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(names[i], name) == 0) return *walk = (foci_walk)i, true;
    return false;
}

/* Bytes must agree, and what is made of them. */
static foci_status check_bytes(const model_case *m, const json_t *walk, const char *place, const foci_score *score) {
    double bytes, bits;
    if (!json_object_get(walk, "bytes")) return FOCI_OK;
    FOCI_TRY(foci_case_number(m->c, walk, place, "bytes", &bytes));
    FOCI_TRY(foci_case_number(m->c, walk, place, "bits_per_byte", &bits));
    double difference =
        foci_score_value(score, "bytes") == bytes ? fabs(foci_score_value(score, "bpb") - bits) : (double)INFINITY;
    return foci_case_difference(m->c, "eval_loss", difference, bits);
}

static foci_status check_walk(model_case *m, const json_t *walk, const char *place, const int32_t *token,
                              int64_t tokens, const int32_t *bytes, int32_t end_of_text) {
    foci_case *c = m->c;
    json_t *name;
    double nll;
    int64_t window, batch, positions, stride = 0;
    FOCI_TRY(foci_case_known_keys(c, walk, place,
                                  " walk window stride batch nll_sum positions bytes loss ppl bits_per_byte "));
    FOCI_TRY(foci_case_member(c, walk, place, "walk", JSON_STRING, &name));
    FOCI_TRY(foci_case_int(c, walk, place, "window", 1, 65536, &window));
    FOCI_TRY(foci_case_int(c, walk, place, "batch", 1, tokens, &batch));
    FOCI_TRY(foci_case_int(c, walk, place, "positions", 1, INT32_MAX, &positions));
    FOCI_TRY(foci_case_number(c, walk, place, "nll_sum", &nll));
    foci_walk which;
    if (!walk_named(json_string_value(name), &which))
        return foci_case_fail(c, "%s.walk is %.40s, which foci does not know", place, json_string_value(name));
    if (json_object_get(walk, "stride")) FOCI_TRY(foci_case_int(c, walk, place, "stride", 1, window, &stride));
    foci_perplexity_options options = {
        .model = foci_model_find(m->kind->model),
        .config = m->config,
        .vocabulary = m->classes,
        .walk = which,
        .window = window,
        .stride = stride,
        .end_of_text = end_of_text,
        .token_bytes = bytes,
        .columns = batch,
        .at_once = 7,
    };
    foci_score score;
    foci_status status = foci_perplexity(&options, &m->run.parameters, token, tokens, &score);
    if (status) return foci_context(status, "%s: %s", c->path, place);
    double difference = foci_score_value(&score, "tokens") == (double)positions
                            ? fabs(foci_score_sum(&score, "nll") - nll) / (double)positions
                            : (double)INFINITY;
    FOCI_TRY(foci_case_difference(c, "eval_loss", difference, nll / (double)positions));
    return check_bytes(m, walk, place, &score);
}

static foci_status check_evaluation(model_case *m) {
    foci_case *c = m->c;
    const foci_safetensor *t;
    int32_t *token, *bytes = NULL;
    int64_t end = -1;
    json_t *walks;
    if (!json_object_get(c->root, "eval")) return FOCI_OK;
    FOCI_TRY(foci_case_member(c, c->root, "case", "eval", JSON_ARRAY, &walks));
    FOCI_TRY(foci_case_tensor(c, "eval.tokens", -1, NULL, &t));
    FOCI_TRY(foci_case_ints(c, "eval.tokens", 1, (int64_t[]){t->numel}, m->classes, 0, &token));
    if (json_object_get(c->root, "end_of_text"))
        FOCI_TRY(foci_case_int(c, c->root, "case", "end_of_text", 0, m->classes - 1, &end));
    if (foci_safetensors_find(&c->file, "eval.token_bytes"))
        FOCI_TRY(foci_case_ints(c, "eval.token_bytes", 1, (int64_t[]){m->classes}, INT32_MAX, 0, &bytes));
    for (size_t i = 0; i < json_array_size(walks); i++) {
        char place[32];
        snprintf(place, sizeof place, "eval[%zu]", i);
        FOCI_TRY(check_walk(m, json_array_get(walks, i), place, token, t->numel, bytes, (int32_t)end));
    }
    return FOCI_OK;
}

/* --------------------------------------------------------------------------------------------- generation */

/* The likeliest token, `count` times in a row; the best must be as far ahead as the case says. */
static foci_status generate(const model_case *m, foci_generator *g, int64_t count, const int32_t *expected) {
    for (int64_t i = 0; i < count; i++) {
        const foci_real *logprob;
        FOCI_TRY(foci_generator_next(g, &logprob));
        int32_t best = 0;
        for (int32_t k = 1; k < m->classes; k++)
            if (logprob[k] > logprob[best]) best = k;
        FOCI_TRY(foci_case_difference(m->c, "generated", fabs((double)(best - expected[i])), 0));
        FOCI_TRY(foci_generator_add(g, &best, 1));
    }
    return FOCI_OK;
}

/* With what is kept from token to token, where anything can be. */
static foci_status check_generation(model_case *m) {
    foci_case *c = m->c;
    const foci_safetensor *prompt, *wanted;
    int32_t *ids, *expected;
    if (!foci_safetensors_find(&c->file, "generate.prompt")) return FOCI_OK;
    FOCI_TRY(foci_case_tensor(c, "generate.prompt", -1, NULL, &prompt));
    FOCI_TRY(foci_case_tensor(c, "expected.generated", -1, NULL, &wanted));
    FOCI_TRY(foci_case_ints(c, "generate.prompt", 1, (int64_t[]){prompt->numel}, m->classes, 0, &ids));
    FOCI_TRY(foci_case_ints(c, "expected.generated", 1, (int64_t[]){wanted->numel}, m->classes, 0, &expected));
    FOCI_TRY(foci_case_add_group(c, "generated", 0));
    foci_generator g;
    FOCI_TRY(foci_generator_open(&g,
                                 &(foci_generator_options){.model = foci_model_find(m->kind->model),
                                                           .config = m->config,
                                                           .vocabulary = m->classes,
                                                           .window = foci_config_int(m->config, "model.context")},
                                 &m->run.parameters));
    foci_status s = foci_generator_add(&g, ids, prompt->numel);
    if (!s) s = generate(m, &g, wanted->numel, expected);
    foci_generator_close(&g);
    return s;
}

/* ----------------------------------------------------------------------------------------------- training */

/* Names that the model ignores are left out. */
static foci_status read_names(const model_case *m, const json_t *train, const char *key, const char ***names) {
    foci_case *c = m->c;
    json_t *list;
    int count = 0;
    FOCI_TRY(foci_case_member(c, train, "train", key, JSON_ARRAY, &list));
    size_t n = json_array_size(list);
    *names = foci_arena_alloc(&c->arena, (n + 1) * sizeof **names);
    if (!*names) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", c->path);
    for (size_t i = 0; i < n; i++) {
        const char *name = (*names)[count] = json_string_value(json_array_get(list, i));
        if (!name) return foci_case_fail(c, "train.%s[%zu] is not a name", key, i);
        count += !foci_parameters_ignores(&m->run.parameters, name);
    }
    (*names)[count] = NULL;
    return FOCI_OK;
}

static foci_status read_optimizer(const model_case *m, const json_t *train, foci_optimizer_options *o) {
    foci_case *c = m->c;
    json_t *name;
    double betas[2];
    const char **no_decay;
    *o = (foci_optimizer_options){0};
    FOCI_TRY(foci_case_member(c, train, "train", "optimizer", JSON_STRING, &name));
    if (!foci_optimizer_find(json_string_value(name), &o->kind))
        return foci_case_fail(c, "train.optimizer: foci has no %.40s", json_string_value(name));
    const char *known =
        o->kind == FOCI_SGD
            ? " optimizer momentum nesterov weight_decay no_decay clip lr steps batches losses param_norm "
            : " optimizer betas eps weight_decay no_decay clip schedule lr steps batches losses grad_norm param_norm ";
    FOCI_TRY(foci_case_known_keys(c, train, "train", known));
    if (o->kind == FOCI_SGD) {
        FOCI_TRY(foci_case_number(c, train, "train", "momentum", &o->momentum));
        o->nesterov = json_is_true(json_object_get(train, "nesterov"));
    } else {
        FOCI_TRY(foci_case_list(c, train, "train", "betas", 2, betas));
        FOCI_TRY(foci_case_number(c, train, "train", "eps", &o->eps));
        o->beta1 = betas[0];
        o->beta2 = betas[1];
    }
    FOCI_TRY(foci_case_number(c, train, "train", "weight_decay", &o->weight_decay));
    FOCI_TRY(read_names(m, train, "no_decay", &no_decay));
    o->no_decay = no_decay;
    if (json_is_null(json_object_get(train, "clip"))) return FOCI_OK;
    return foci_case_number(c, train, "train", "clip", &o->clip);
}

foci_status foci_verify_norms(foci_case *c, const foci_parameters *p, const json_t *train) {
    json_t *norms, *expected;
    const char *name;
    FOCI_TRY(foci_case_member(c, train, "train", "param_norm", JSON_OBJECT, &norms));
    json_object_foreach(norms, name, expected) {
        double norm, square = 0;
        int k = foci_parameters_find(p, name);
        if (foci_parameters_ignores(p, name)) continue;
        if (k < 0) return foci_case_fail(c, "train.param_norm.%s: the model has no such parameter", name);
        FOCI_TRY(foci_case_number(c, norms, "train.param_norm", name, &norm));
        const foci_real *x = p->value + p->entry[k].offset;
        for (int64_t i = 0; i < p->entry[k].numel; i++) square += (double)x[i] * (double)x[i];
        FOCI_TRY(foci_case_difference(c, "train_param_norm", fabs(sqrt(square) - norm), norm));
    }
    return FOCI_OK;
}

/* A batch of the trajectory. */
typedef struct turn {
    model_case *m;
    const data *d;
    int64_t batch;
} turn;

static foci_status feed_turn(const void *context, foci_program *p, int64_t first) {
    const turn *t = context;
    (void)p, (void)first;
    return feed(t->m, t->d, t->batch);
}

/* Norms of whole gradients, before they are clipped; NULL: the case has none. */
static foci_status read_grad_norms(const model_case *m, const json_t *train, int64_t steps, double **norms) {
    *norms = NULL;
    if (!json_object_get(train, "grad_norm")) return FOCI_OK;
    *norms = foci_arena_alloc(&m->c->arena, (size_t)steps * sizeof **norms);
    if (!*norms) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", m->c->path);
    return foci_case_list(m->c, train, "train", "grad_norm", steps, *norms);
}

/* The rates of a schedule that the case describes are those that it lists. */
static foci_status check_schedule(const model_case *m, const json_t *train, int64_t steps, const double *lr) {
    json_t *given = json_object_get(train, "schedule");
    foci_schedule s = {.kind = FOCI_SCHEDULE_WARMUP_COSINE};
    if (!given) return FOCI_OK;
    FOCI_TRY(foci_case_known_keys(m->c, given, "train.schedule", " lr warmup decay min_lr "));
    FOCI_TRY(foci_case_number(m->c, given, "train.schedule", "lr", &s.lr));
    FOCI_TRY(foci_case_number(m->c, given, "train.schedule", "warmup", &s.warmup));
    FOCI_TRY(foci_case_number(m->c, given, "train.schedule", "decay", &s.total));
    FOCI_TRY(foci_case_number(m->c, given, "train.schedule", "min_lr", &s.min_lr));
    for (int64_t i = 0; i < steps; i++) {
        const double rate = foci_schedule_lr(&s, i, 1);
        if (!(fabs(rate - lr[i]) <= 1e-12 * s.lr))
            return foci_case_fail(m->c, "train.lr[%lld] is %.9g, the schedule has %.9g", (long long)i, lr[i], rate);
    }
    return FOCI_OK;
}

static foci_status run_updates(model_case *m, foci_optimizer *o, const data *d, int64_t steps, int64_t batches,
                               const double *lr, const double *losses, const double *norms) {
    turn t = {m, d, 0};
    const foci_step s = {m->run.program, &m->run.parameters, .batch = 1, .micro = 1, .feed = feed_turn, .context = &t};
    for (int64_t i = 0; i < steps; i++) {
        double loss, grad_norm;
        t.batch = i % batches;
        FOCI_TRY(foci_step_gradients(&s, i, &loss));
        FOCI_TRY(foci_case_difference(m->c, "train_losses", fabs(loss - losses[i]), fabs(losses[i])));
        if (foci_step_update(&s, o, lr[i], &grad_norm))
            return foci_case_difference(m->c, "train_losses", (double)INFINITY, 1);
        const bool same_weights = i == 0 || !m->c->bf16; /* products that round soon lead elsewhere */
        if (norms && same_weights)
            FOCI_TRY(foci_case_difference(m->c, "train_grad_norm", fabs(grad_norm - norms[i]), norms[i]));
    }
    return FOCI_OK;
}

static foci_status check_training(model_case *m) {
    enum { MAX_STEPS = 10000 };
    foci_case *c = m->c;
    json_t *train;
    int64_t steps, batches;
    data d = {NULL};
    foci_optimizer_options options;
    foci_optimizer o;
    if (!json_object_get(c->root, "train")) return FOCI_OK;
    FOCI_TRY(foci_case_member(c, c->root, "case", "train", JSON_OBJECT, &train));
    FOCI_TRY(read_optimizer(m, train, &options));
    FOCI_TRY(foci_case_int(c, train, "train", "steps", 1, MAX_STEPS, &steps));
    FOCI_TRY(foci_case_int(c, train, "train", "batches", 1, MAX_STEPS, &batches));
    double *lr = foci_arena_alloc(&c->arena, 2 * (size_t)steps * sizeof *lr), *losses = lr + steps, *norms;
    if (!lr) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", c->path);
    FOCI_TRY(foci_case_list(c, train, "train", "lr", steps, lr));
    FOCI_TRY(foci_case_list(c, train, "train", "losses", steps, losses));
    FOCI_TRY(read_grad_norms(m, train, steps, &norms));
    FOCI_TRY(check_schedule(m, train, steps, lr));
    FOCI_TRY(read_data(m, "train", batches, &d));
    foci_status status = foci_optimizer_init(&o, &options, &m->run.parameters);
    if (status) return status == FOCI_ERR_CONFIG ? foci_context(FOCI_ERR_DATA, "%s: train.no_decay", c->path) : status;
    status = run_updates(m, &o, &d, steps, batches, lr, losses, norms);
    foci_optimizer_free(&o);
    return status ? status : foci_verify_norms(m->c, &m->run.parameters, train);
}

/* ----------------------------------------------------------------------------------------- running statistics */

/* The output by the running statistics at the start; a program of its own, which shares the parameters. */
static foci_status check_by_running(model_case *m) {
    const int64_t batch = foci_program_find(m->run.program, m->kind->input)->shape[0];
    const foci_request r = {.config = m->config, .batch = batch, .feeds = m->kind->input};
    const char *group = foci_arena_printf(&m->c->arena, "%s_eval", m->kind->output);
    const foci_real *got;
    foci_program *p;
    data d;
    if (!group) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", m->c->path);
    FOCI_TRY(foci_program_open_model(&p, &m->run.set, &(foci_graph_options){.bf16 = m->c->bf16},
                                     foci_model_find(m->kind->model), &r));
    FOCI_TRY(foci_program_set_ready(&m->run.set));
    FOCI_TRY(read_data(m, "input", 0, &d));
    FOCI_TRY(foci_program_feed(p, m->kind->input, d.inputs));
    FOCI_TRY(foci_program_forward(p));
    FOCI_TRY(foci_program_fetch(p, m->kind->output, &got));
    const foci_tensor *t = foci_program_find(p, m->kind->output);
    return foci_case_compare(m->c, group, got, input_name(m->c, "expected", group), t->ndim, t->shape);
}

/* The first pass is no step: the training begins with the statistics that it began with. */
static foci_status check_pass_and_go_back(model_case *m) {
    foci_parameters *p = &m->run.parameters;
    const size_t bytes = (size_t)p->size * sizeof *p->value;
    foci_real *before = foci_arena_alloc(&m->c->arena, bytes);
    if (!before) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", m->c->path);
    memcpy(before, p->value, bytes);
    FOCI_TRY(check_pass(m));
    memcpy(p->value, before, bytes);
    return FOCI_OK;
}

static foci_status check_buffers(model_case *m) {
    const foci_parameters *p = &m->run.parameters;
    for (int i = 0; i < p->count; i++) {
        const foci_parameter_entry *e = &p->entry[i];
        const char *name = foci_arena_printf(&m->c->arena, "expected.%s%s", m->kind->buffers, e->name);
        if (e->buffer && name)
            FOCI_TRY(foci_case_compare(m->c, "buffer", p->value + e->offset, name, e->ndim, e->shape));
    }
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------- a case */

static foci_status check_recorded(model_case *m) {
    FOCI_TRY(record(m));
    FOCI_TRY(foci_case_run_ready(m->c, &m->run, "param.", m->kind->buffers));
    FOCI_TRY(check_ties(m));
    if (m->kind->two_ways) FOCI_TRY(check_by_running(m));
    FOCI_TRY(check_pass_and_go_back(m));
    FOCI_TRY(check_generation(m));
    FOCI_TRY(check_evaluation(m));
    FOCI_TRY(check_training(m));
    return m->kind->two_ways && json_object_get(m->c->root, "train") ? check_buffers(m) : FOCI_OK;
}

static foci_status check_model(foci_case *c, const kind *which) {
    model_case m = {.c = c, .kind = which};
    foci_status status = read_config(&m);
    if (!status) status = check_recorded(&m);
    foci_case_run_close(&m.run);
    foci_config_free(m.config);
    return status;
}

foci_status foci_verify_vit(foci_case *c) { return check_model(c, &vit); }
foci_status foci_verify_fan(foci_case *c) { return check_model(c, &fan); }
foci_status foci_verify_segmenter(foci_case *c) { return check_model(c, &segmenter); }
foci_status foci_verify_lm(foci_case *c) { return check_model(c, &lm); }
foci_status foci_verify_gpt(foci_case *c) { return check_model(c, &gpt); }
foci_status foci_verify_encoder(foci_case *c) { return check_model(c, &sequence_encoder); }
