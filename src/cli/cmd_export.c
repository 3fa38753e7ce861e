#include <stdio.h>

#include "cli/cli.h"
#include "task/corpus.h"
#include "task/hugging_face.h"
#include "task/load_model.h"
#include "task/task.h"

typedef struct settings {
    enum { HUGGING_FACE } format;
    const char *out;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, format, "hf", 0, 0, "hf", "hf: a folder as Hugging Face's library keeps GPT-2 and Llama"),
    FOCI_KEY(settings, out, NULL, 0, 0, NULL, "the folder", .placeholder = "DIR"),
    {0}};

static foci_status check(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    return o->out ? FOCI_OK : foci_fail(FOCI_ERR_CONFIG, "--out DIR: where are the files to go?");
}

/* Words come with their tokenizer, where they are subwords. */
static foci_status export_model(const foci_parsed *parsed, const foci_model *model, const foci_vocabulary *words) {
    const settings *o = parsed->options;
    const int64_t vocab = foci_vocabulary_size(words);
    const foci_bpe *bpe = foci_vocabulary_bpe(words);
    foci_parameters p = {.count = 0};
    foci_status s = foci_load_model(&p, model, parsed->config, vocab, parsed->weights);
    if (!s) s = foci_hugging_face_write(parsed->config, &p, vocab, bpe ? foci_bpe_end_of_text(bpe) : -1, o->out);
    if (!s && bpe) s = foci_bpe_save(bpe, o->out);
    if (!s)
        printf("%s: model.safetensors and config.json%s, of %s\n", o->out, bpe ? ", the tokenizer" : "",
               parsed->weights);
    foci_parameters_free(&p);
    return s;
}

static foci_status run(const foci_parsed *parsed) {
    const foci_config *config = parsed->config;
    const foci_model *model;
    foci_corpus corpus;
    FOCI_TRY(foci_task_wanted(config, &foci_task_text, "a decoder that others know", &model));
    if (strcmp(model->name, "gpt") != 0)
        return foci_config_fail(config, "model.kind", "%s: Hugging Face's library knows gpt's forms alone",
                                model->name);
    FOCI_TRY(foci_corpus_open(&corpus, config, 0));
    const foci_status s = export_model(parsed, model, corpus.vocabulary);
    foci_corpus_close(&corpus);
    return s;
}

const foci_command foci_command_export = {
    .name = "export",
    .summary = "a trained model in the files of another library",
    .synopsis = "RUN",
    .doc =
        "Writes the weights of a run and a config.json that says what they are, as Hugging Face's transformers reads "
        "them: GPT-2's form as GPT2LMHeadModel, Llama's as LlamaForCausalLM or, with norms of queries and keys, "
        "Qwen3ForCausalLM. A training takes such files back by --init.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_SET | FOCI_OPENS_WEIGHTS,
    .size = sizeof(settings),
    .options = {{rows}},
    .check = check,
    .run = run,
};
