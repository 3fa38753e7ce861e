#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cli.h"
#include "task/corpus.h"
#include "task/generator.h"
#include "task/load_model.h"
#include "task/sampling.h"
#include "task/task.h"

typedef struct options {
    const char *checkpoint, *prompt;
    int64_t tokens;
    bool unknown, recompute;
    foci_sampling sampling;
} options;

enum { CHECKPOINT = 1, PROMPT, TOKENS, TEMPERATURE, TOP_K, TOP_P, SEED, UNKNOWN, RECOMPUTE };
static const struct argp_option table[] = {
    {"checkpoint", CHECKPOINT, "FILE", 0, "weights (default: the run's best.safetensors, else last.safetensors)", 0},
    {"prompt", PROMPT, "TEXT", 0, "words with blanks between, at the beginning of a line", 0},
    {"tokens", TOKENS, "N", 0, "words to generate (default: 100); the end of a line counts as one", 0},
    {"temperature", TEMPERATURE, "T", 0, "below 1 likely words are preferred more (default: 1); 0: always the likeliest", 0},
    {"top-k", TOP_K, "K", 0, "draw from the K likeliest words only", 0},
    {"top-p", TOP_P, "P", 0, "draw from the likeliest words that together have probability P", 0},
    {"seed", SEED, "S", 0, "of the draws (default: 0)", 0},
    {"unknown", UNKNOWN, NULL, 0, "<unk> may be drawn", 0},
    {"recompute", RECOMPUTE, NULL, 0, "keep no keys and values; the words are the same", 0},
    {0}};

static foci_status set_option(void *state, int key, char *arg) {
    options *o = state;
    long long n = 0;
    switch (key) {
    case CHECKPOINT: o->checkpoint = arg; return FOCI_OK;
    case PROMPT: o->prompt = arg; return FOCI_OK;
    case UNKNOWN: o->unknown = true; return FOCI_OK;
    case RECOMPUTE: o->recompute = true; return FOCI_OK;
    case TEMPERATURE: return foci_parse_real("--temperature", arg, 0, 1e6, &o->sampling.temperature);
    case TOP_P: return foci_parse_real("--top-p", arg, 1e-9, 1, &o->sampling.top_p);
    case TOKENS: FOCI_TRY(foci_parse_int("--tokens", arg, 1, 10000000, &n)); o->tokens = n; return FOCI_OK;
    case TOP_K: FOCI_TRY(foci_parse_int("--top-k", arg, 1, INT32_MAX, &n)); o->sampling.top_k = n; return FOCI_OK;
    default: FOCI_TRY(foci_parse_int("--seed", arg, 0, INT64_MAX, &n)); o->sampling.seed = (uint64_t)n; return FOCI_OK;
    }
}

/* ---------------------------------------------------------------------------------------------- the prompt */

static const char blanks[] = " \t\r\v\f";

static foci_status add_word(foci_generator *g, const foci_vocabulary *v, const char *word) {
    int32_t id = foci_vocabulary_id(v, word);
    if (id < 0) return foci_fail(FOCI_ERR_CONFIG, "--prompt: `%s` is not in the vocabulary, which has no <unk>", word);
    return foci_generator_add(g, &id, 1);
}

/* The text begins behind the end of a line, as lines of the training text do. */
static foci_status add_prompt(foci_generator *g, const foci_vocabulary *v, const char *prompt) {
    FOCI_TRY(add_word(g, v, "<eos>"));
    char *text = strdup(prompt);
    if (!text) return foci_fail(FOCI_ERR_RUNTIME, "out of memory");
    foci_status s = FOCI_OK;
    for (char *line = text, *end; line && !s; line = end) {
        if ((end = strchr(line, '\n'))) *end++ = 0;
        char *rest;
        for (char *word = strtok_r(line, blanks, &rest); word && !s; word = strtok_r(NULL, blanks, &rest)) s = add_word(g, v, word);
        if (end && !s) s = add_word(g, v, "<eos>");
    }
    free(text);
    return s;
}

/* How each word will be made. */
static void explain(const foci_generator *g, const options *o) {
    const char *kind = foci_config_string(g->options.config, "attention.kind");
    long long window = (long long)g->options.window;
    if (!g->incremental && !o->recompute)
        foci_log(FOCI_LOG_INFO, "%s attention, as configured, is not causal or needs earlier queries: the window of %lld tokens is computed anew for each word", kind, window);
    else if (!g->incremental)
        foci_log(FOCI_LOG_INFO, "the window of %lld tokens is computed anew for each word", window);
    else if (g->count + o->tokens - 1 <= g->options.window)
        foci_log(FOCI_LOG_INFO, "keys and values are kept from word to word, which is exact with %s attention", kind);
    else
        foci_log(FOCI_LOG_INFO, "keys and values are kept, which is exact with %s attention, until the window of %lld tokens is full; "
                                "then every position moves with each word and the window is computed anew", kind, window);
}

/* ----------------------------------------------------------------------------------------------- the words */

static void print_word(const char *word, bool *line_begins) {
    bool end = strcmp(word, "<eos>") == 0;
    if (end) putchar('\n');
    else printf("%s%s", *line_begins ? "" : " ", word);
    fflush(stdout);
    *line_begins = end;
}

/* Prints the words as they come, or collects them in the lists `words` and `logprobs`. */
static foci_status generate(foci_generator *g, const foci_vocabulary *v, const options *o, foci_report *words,
                            foci_report *logprobs) {
    bool line_begins = true;
    for (int64_t i = 1; i < g->count && !words; i++) print_word(foci_vocabulary_word(v, g->ids[i]), &line_begins);
    for (int64_t i = 0; i < o->tokens; i++) {
        const foci_real *logprob;
        int32_t word;
        FOCI_TRY(foci_generator_next(g, &logprob));
        FOCI_TRY(foci_sample(&o->sampling, logprob, foci_vocabulary_size(v), (uint64_t)i, &word));
        const char *text = foci_vocabulary_word(v, word);
        if (words) {
            foci_report_text(words, NULL, text);
            foci_report_number(logprobs, NULL, (double)logprob[word]);
        } else {
            print_word(text, &line_begins);
        }
        FOCI_TRY(foci_generator_add(g, &word, 1));
    }
    if (!words && !line_begins) putchar('\n');
    return FOCI_OK;
}

static void report_settings(foci_report *r, const options *o, bool incremental, int64_t window) {
    foci_report_whole(r, "tokens", o->tokens);
    foci_report_number(r, "temperature", o->sampling.temperature);
    foci_report_whole(r, "top_k", o->sampling.top_k);
    foci_report_number(r, "top_p", o->sampling.top_p);
    foci_report_whole(r, "seed", (int64_t)o->sampling.seed);
    foci_report_flag(r, "cache", incremental);
    foci_report_whole(r, "window", window);
}

static foci_status print_json(foci_generator *g, const foci_vocabulary *v, const options *o) {
    const bool incremental = g->incremental; /* as it begins */
    foci_report r = {NULL};
    foci_report_text(&r, "prompt", o->prompt);
    foci_report *words = foci_report_list(&r, "words"), *logprobs = foci_report_list(&r, "logprob");
    foci_status s = generate(g, v, o, words, logprobs);
    report_settings(&r, o, incremental, g->options.window);
    if (!s) return foci_print_report(&r, &(foci_json_form){.digits = 9, .point = true});
    foci_report_free(&r);
    return s;
}

static foci_status with_vocabulary(const foci_config *config, const foci_model *model, const char *weights, const foci_vocabulary *v,
                                   options *o, bool json) {
    foci_parameters p = {.count = 0};
    foci_generator g = {.count = 0};
    o->sampling.never = o->unknown ? -1 : foci_vocabulary_id(v, "<unk>");
    foci_generator_options go = {.model = model, .config = config, .vocabulary = foci_vocabulary_size(v),
                                 .window = foci_config_int(config, "model.context"), .recompute = o->recompute};
    foci_status s = foci_load_model(&p, model, config, go.vocabulary, weights);
    if (!s) s = foci_generator_open(&g, &go, &p);
    if (!s) s = add_prompt(&g, v, o->prompt);
    if (!s) explain(&g, o);
    if (!s) s = json ? print_json(&g, v, o) : generate(&g, v, o, NULL, NULL);
    foci_generator_close(&g);
    foci_parameters_free(&p);
    return s;
}

static foci_status with_config(const foci_config *config, const char *weights, options *o, bool json) {
    const foci_model *model;
    FOCI_TRY(foci_task_wanted(config, &foci_task_text, "words to generate", &model));
    foci_corpus corpus;
    FOCI_TRY(foci_corpus_open(&corpus, config, 0));
    foci_status s = with_vocabulary(config, model, weights, corpus.vocabulary, o, json);
    foci_corpus_close(&corpus);
    return s;
}

foci_status foci_cmd_generate(int argc, char **argv) {
    options o = {.prompt = "", .tokens = 100, .sampling = {.temperature = 1, .top_p = 1}};
    foci_common common = {0};
    const char *path[1];
    int count;
    bool done;
    const foci_arguments a = {table, set_option, &o, "RUN", "Words from a language model, one drawn after another.", true, 1, 1};
    FOCI_TRY(foci_parse_arguments(&a, argc, argv, &common, path, &count, &done));
    if (done) return FOCI_OK;
    char weights[4200];
    FOCI_TRY(foci_find_weights(path[0], o.checkpoint, weights, sizeof weights));
    foci_config *config;
    FOCI_TRY(foci_open_config(&config, path[0], &common));
    foci_status s = with_config(config, weights, &o, common.json);
    foci_config_free(config);
    return s;
}
