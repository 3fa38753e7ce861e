#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/cli.h"
#include "images/files.h"
#include "models/models.h"
#include "task/load_model.h"
#include "task/predict.h"
#include "task/task.h"

static const foci_key rows[] = {
    FOCI_KEY(foci_predict_options, top, "5", 1, 1e6, NULL, "classes to tell, the most probable first"),
    FOCI_KEY(foci_predict_options, out, NULL, 0, 0, NULL,
             "segmentation: writes the mask NAME.png, with the classes from 1 on as a palette's indices, and "
             "NAME-overlay.jpg there",
             .placeholder = "DIR"),
    {0}};

/* ------------------------------------------------------------------------------------------------ samples */

/* A line without its end, as readers of data sets have it; of the first, without the byte order mark. NULL: there is a
 * 0 byte in it. */
static const char *strip(char *line, size_t n, bool first) {
    if (n && line[n - 1] == '\n') line[--n] = 0;
    if (n && line[n - 1] == '\r') line[--n] = 0;
    if (memchr(line, 0, n)) return NULL;
    return first && strncmp(line, "\xEF\xBB\xBF", 3) == 0 ? line + 3 : line;
}

/* Lines of a file or, of "-", of standard input; empty ones are passed over. */
static foci_status each_line(const char *path, foci_status (*visit)(void *context, const char *line), void *context) {
    const bool standard = strcmp(path, "-") == 0;
    FILE *f = standard ? stdin : fopen(path, "re");
    char *line = NULL;
    size_t room = 0;
    foci_status s = FOCI_OK;
    if (!f) return foci_fail(FOCI_ERR_DATA, "%s: %m", path);
    long long number = 1;
    for (ssize_t n; !s && (n = getline(&line, &room, f)) >= 0; number++) {
        const char *text = strip(line, (size_t)n, number == 1);
        if (!text)
            s = foci_fail(FOCI_ERR_DATA, "%s:%lld: a 0 byte: this is not text", standard ? "standard input" : path,
                          number);
        else if (*text) s = visit(context, text);
    }
    if (!s && ferror(f)) s = foci_fail(FOCI_ERR_DATA, "%s: %m", path);
    free(line);
    if (!standard) fclose(f);
    return s;
}

typedef struct samples {
    foci_image_files files; /* their paths, or lines in place of them */
    foci_unlabelled *sample;
} samples;

static foci_status add_path(void *context, const char *line) {
    return foci_image_files_add(&((samples *)context)->files, line);
}

static foci_status add_line(void *context, const char *line) {
    samples *s = context;
    foci_image_files *f = &s->files;
    if (f->count == f->room) {
        f->room = f->room ? 2 * f->room : 256;
        foci_image_file *grown = realloc(f->file, (size_t)f->room * sizeof *grown);
        if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for lines");
        f->file = grown;
    }
    f->file[f->count] = (foci_image_file){foci_arena_strdup(&f->arena, line), NULL};
    return f->file[f->count++].path ? FOCI_OK : foci_fail(FOCI_ERR_RUNTIME, "out of memory for lines");
}

static foci_status collect(samples *s, const foci_parsed *parsed, const foci_predictor *predictor) {
    for (int i = 1; i < parsed->arguments; i++) {
        const char *word = parsed->argument[i];
        if (predictor->lines) FOCI_TRY(each_line(word, add_line, s));
        else if (strcmp(word, "-") == 0) FOCI_TRY(each_line(word, add_path, s));
        else FOCI_TRY(foci_image_files_add(&s->files, word));
    }
    if (!s->files.count) return foci_fail(FOCI_ERR_DATA, "standard input: names nothing");
    if (!(s->sample = malloc((size_t)s->files.count * sizeof *s->sample)))
        return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a list of files");
    for (int64_t i = 0; i < s->files.count; i++)
        s->sample[i] = (foci_unlabelled){s->files.file[i].path, s->files.file[i].beside};
    return ((const foci_predict_options *)parsed->options)->out ? foci_image_files_check(&s->files) : FOCI_OK;
}

/* ----------------------------------------------------------------------------------------------- printing */

typedef struct printing {
    const foci_predictor *predictor;
    bool json;
    int64_t done, bad;
} printing;

/* JSON is printed as it comes, {"predictions": [..., ...]}: there may be millions. */
static foci_status take(void *context, int64_t i, const foci_report *one) {
    printing *p = context;
    const char *error = foci_report_text_of(one, "error");
    (void)i;
    p->bad += error != NULL;
    if (error) foci_log(FOCI_LOG_WARN, "%s", error);
    if (p->json) {
        printf("%s", p->done++ ? ", " : "");
        return foci_report_json(one, &foci_json_line, stdout);
    }
    if (!error) p->predictor->print(one, stdout);
    return FOCI_OK;
}

static foci_status predict(const foci_parsed *parsed, const foci_predictor *predictor, const foci_predicting *what,
                           printing *p) {
    if (parsed->json) printf("{\"predictions\": [");
    const foci_status s = predictor->run(what);
    if (parsed->json) printf("]}\n");
    FOCI_TRY(s);
    if (!p->bad) return FOCI_OK;
    return foci_fail(FOCI_ERR_DATA, "%lld of %lld cannot be read", (long long)p->bad, (long long)what->count);
}

static foci_status with_samples(const foci_parsed *parsed, const foci_model *model, const foci_predictor *predictor,
                                const foci_labels *labels, const samples *s) {
    foci_parameters parameters;
    printing p = {predictor, parsed->json, 0, 0};
    foci_predicting what = {.config = parsed->config,
                            .model = model,
                            .parameters = &parameters,
                            .labels = labels,
                            .sample = s->sample,
                            .count = s->files.count,
                            .options = parsed->options,
                            .watch = &foci_on_terminal,
                            .take = take,
                            .context = &p};
    foci_status status = foci_load_model(&parameters, model, parsed->config, labels->count, parsed->weights);
    foci_catch_signals();
    if (!status) status = predict(parsed, predictor, &what, &p);
    foci_parameters_free(&parameters);
    return status;
}

static foci_status run(const foci_parsed *parsed) {
    const foci_predict_options *o = parsed->options;
    const foci_model *model = foci_model_find(foci_config_string(parsed->config, "model.kind"));
    const foci_task *task = foci_task_of(model);
    const foci_predictor *predictor = task->predictor;
    samples s = {.sample = NULL};
    foci_labels labels;
    if (!predictor)
        return foci_config_fail(parsed->config, "model.kind", "%s makes no predictions of this kind", model->name);
    if (o->out && !predictor->pictures)
        return foci_fail(FOCI_ERR_CONFIG, "--out: %s has no pictures to write", model->name);
    FOCI_TRY(foci_labels_open(&labels, parsed->config, task->labels));
    foci_status status = labels.count ? collect(&s, parsed, predictor)
                                      : foci_fail(FOCI_ERR_CHECKPOINT,
                                                  "%s: the weights carry no names of classes; --set data.labels=LIST "
                                                  "names a list of them",
                                                  parsed->weights);
    if (!status) status = with_samples(parsed, model, predictor, &labels, &s);
    free(s.sample);
    foci_image_files_free(&s.files);
    foci_labels_close(&labels);
    return status;
}

const foci_command foci_command_predict = {
    .name = "predict",
    .summary = "classes of photographs or lines of text, or masks",
    .synopsis = "RUN FILE|FOLDER|-...",
    .doc =
        "What a trained model makes of photographs: the most probable classes of each, or of a segmenter the classes "
        "of their pixels, with masks and overlays on request. Folders are searched for .jpg, .jpeg and .png files; "
        "- reads names from standard input, one a line. A model of texts takes lines, each a sample, of files or of "
        "standard input.",
    .least = 2,
    .most = 1 << 20,
    .takes = FOCI_TAKES_COMMON | FOCI_OPENS_WEIGHTS | FOCI_ENDS_BY_SIGNAL | FOCI_TAKES_DTYPE,
    .size = sizeof(foci_predict_options),
    .options = {{rows}},
    .run = run,
};
