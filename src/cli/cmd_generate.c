#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "task/corpus.h"
#include "task/generator.h"
#include "task/load_model.h"
#include "task/prompt.h"
#include "task/sampling.h"
#include "task/task.h"

typedef struct settings {
    const char *prompt;
    int64_t tokens;
    bool unknown, recompute;
    foci_sampling sampling;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(
        settings, prompt, "", 0, 0, NULL,
        "how the text begins: words with blanks between, or any text for a model of characters, bytes or subwords"),
    FOCI_KEY(settings, tokens, "100", 1, 10000000, NULL,
             "words, characters, bytes or subwords to generate; the end of a line counts as one"),
    FOCI_KEY(settings, unknown, "false", 0, 0, NULL, "<unk> may be drawn"),
    FOCI_KEY(settings, recompute, "false", 0, 0, NULL, "keep no keys and values; the words are the same"),
    {0}};

/* How each word will be made. */
static void explain(const foci_generator *g, const settings *o) {
    const char *kind = foci_config_string(g->options.config, "attention.kind");
    long long window = (long long)g->options.window;
    if (g->options.model->carries)
        foci_log(FOCI_LOG_INFO, o->recompute ? "the text is read anew for each word"
                                             : "the model's memory is carried on from word to word");
    else if (!g->incremental && !o->recompute)
        foci_log(FOCI_LOG_INFO,
                 "%s attention, as configured, is not causal or needs earlier queries: the window of %lld tokens is "
                 "computed anew for each word",
                 kind, window);
    else if (!g->incremental)
        foci_log(FOCI_LOG_INFO, "the window of %lld tokens is computed anew for each word", window);
    else if (g->count + o->tokens - 1 <= g->options.window)
        foci_log(FOCI_LOG_INFO, "keys and values are kept from word to word, which is exact with %s attention", kind);
    else
        foci_log(FOCI_LOG_INFO,
                 "keys and values are kept, which is exact with %s attention, until the window of %lld tokens is full; "
                 "then every position moves with each word and the window is computed anew",
                 kind, window);
}

/* ----------------------------------------------------------------------------------------------- the words */

typedef struct page {
    const foci_vocabulary *vocabulary;
    FILE *out;
    bool line_begins;
    bool terminal; /* it is one, which gets whole characters */
    foci_utf8_tail tail;
} page;

static void print_bytes(page *p, const char *text, size_t size) {
    char shown[3 * (FOCI_TOKEN_MAX + 3)];
    const char *out = p->terminal ? shown : text;
    const size_t n = p->terminal ? foci_utf8_show(&p->tail, text, size, shown) : size;
    fwrite(out, 1, n, p->out);
    if (n) p->line_begins = out[n - 1] == '\n';
}

static void print_word(page *p, int32_t id) {
    const foci_vocabulary *v = p->vocabulary;
    const bool end = strcmp(foci_vocabulary_word(v, id), "<eos>") == 0, subwords = foci_vocabulary_bpe(v);
    char text[FOCI_WORD_MAX + 1];
    if (foci_vocabulary_tokens(v) == FOCI_WORDS && !p->line_begins && !end) putc(' ', p->out);
    if (end && !subwords) putc('\n', p->out);
    else print_bytes(p, text, foci_vocabulary_spell(v, id, text));
    fflush(p->out);
    if (!subwords) p->line_begins = end;
}

/* The prompt, but for what begins every text. */
static void print_prompt(page *p, const foci_generator *g) {
    const foci_bpe *bpe = foci_vocabulary_bpe(p->vocabulary);
    for (int64_t i = bpe && foci_bpe_end_of_text(bpe) < 0 ? 0 : 1; i < g->count; i++) print_word(p, g->ids[i]);
}

/* Writes the words as they come; also into the lists `words` and `logprobs`, where there are some. */
static foci_status generate(foci_generator *g, page *p, const settings *o, foci_report *words, foci_report *logprobs) {
    const foci_vocabulary *v = p->vocabulary;
    for (int64_t i = 0; i < o->tokens; i++) {
        const foci_real *logprob;
        int32_t word;
        FOCI_TRY(foci_generator_next(g, &logprob));
        FOCI_TRY(foci_sample(&o->sampling, logprob, foci_vocabulary_size(v), (uint64_t)i, &word));
        print_word(p, word);
        if (words) {
            foci_report_text(words, NULL, foci_vocabulary_word(v, word));
            foci_report_number(logprobs, NULL, (double)logprob[word]);
        }
        FOCI_TRY(foci_generator_add(g, &word, 1));
    }
    return FOCI_OK;
}

static foci_status print_text(foci_generator *g, const foci_vocabulary *v, const settings *o) {
    page p = {.vocabulary = v,
              .out = stdout,
              .line_begins = true,
              .terminal = foci_vocabulary_bpe(v) && isatty(STDOUT_FILENO)};
    print_prompt(&p, g);
    FOCI_TRY(generate(g, &p, o, NULL, NULL));
    if (p.terminal) print_bytes(&p, NULL, 0);
    if (!p.line_begins) putchar('\n');
    return FOCI_OK;
}

static void report_settings(foci_report *r, const settings *o, bool incremental, int64_t window) {
    foci_report_whole(r, "tokens", o->tokens);
    foci_report_number(r, "temperature", o->sampling.temperature);
    foci_report_whole(r, "top_k", o->sampling.top_k);
    foci_report_number(r, "top_p", o->sampling.top_p);
    foci_report_whole(r, "seed", (int64_t)o->sampling.seed);
    foci_report_flag(r, "cache", incremental);
    foci_report_whole(r, "window", window);
}

static foci_status print_json(foci_generator *g, const foci_vocabulary *v, const settings *o) {
    const bool incremental = g->incremental; /* as it begins */
    foci_report r = {NULL};
    foci_report_text(&r, "prompt", o->prompt);
    foci_report *words = foci_report_list(&r, "words"), *logprobs = foci_report_list(&r, "logprob");
    char *text = NULL;
    size_t size;
    page p = {.vocabulary = v, .out = open_memstream(&text, &size), .line_begins = true};
    foci_status s = p.out ? generate(g, &p, o, words, logprobs) : foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    if (p.out) fclose(p.out);
    foci_report_text(&r, "text", text);
    free(text);
    report_settings(&r, o, incremental, g->options.window);
    if (!s) return foci_print_report(&r, &(foci_json_form){.digits = 9, .point = true});
    foci_report_free(&r);
    return s;
}

static foci_status with_vocabulary(const foci_parsed *parsed, const foci_model *model, const foci_vocabulary *v) {
    const foci_config *config = parsed->config;
    settings o = *(const settings *)parsed->options;
    foci_parameters p = {.count = 0};
    foci_generator g = {.count = 0};
    o.sampling.never = o.unknown ? -1 : foci_vocabulary_id(v, "<unk>");
    foci_generator_options go = {.model = model,
                                 .config = config,
                                 .vocabulary = foci_vocabulary_size(v),
                                 .window = foci_config_int(config, "model.context"),
                                 .recompute = o.recompute};
    foci_status s = foci_load_model(&p, model, config, go.vocabulary, parsed->weights);
    if (!s) s = foci_generator_open(&g, &go, &p);
    if (!s) s = foci_context(foci_generator_prompt(&g, v, o.prompt), "--prompt");
    if (!s) explain(&g, &o);
    if (!s) s = parsed->json ? print_json(&g, v, &o) : print_text(&g, v, &o);
    foci_generator_close(&g);
    foci_parameters_free(&p);
    return s;
}

static foci_status run(const foci_parsed *parsed) {
    const foci_config *config = parsed->config;
    const foci_model *model;
    FOCI_TRY(foci_task_wanted(config, &foci_task_text, "words to generate", &model));
    foci_corpus corpus;
    FOCI_TRY(foci_corpus_open(&corpus, config, 0));
    foci_status s = with_vocabulary(parsed, model, corpus.vocabulary);
    foci_corpus_close(&corpus);
    return s;
}

const foci_command foci_command_generate = {
    .name = "generate",
    .summary = "words from a language model",
    .synopsis = "RUN",
    .doc = "Words from a language model, one drawn after another.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_COMMON | FOCI_OPENS_WEIGHTS,
    .size = sizeof(settings),
    .options = {{rows}, {foci_sampling_keys, offsetof(settings, sampling)}},
    .run = run,
};
