#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "cli/cli.h"
#include "task/corpus.h"
#include "task/load_model.h"
#include "task/task.h"
#include "task/writing.h"

typedef struct settings {
    const char *prompt, *prompts, *stop;
    int64_t samples, batch, tokens;
    bool unknown, past_end, recompute;
    foci_sampling sampling;
} settings;

static const foci_key rows[] = {
    FOCI_KEY(settings, prompt, "", 0, 0, NULL,
             "how the text begins: words with blanks between, or any text for a model of characters, bytes or "
             "subwords; repeatable: a text for each"),
    FOCI_KEY(settings, prompts, "", 0, 0, NULL, "and of every line of a file; -: of standard input",
             .placeholder = "FILE"),
    FOCI_KEY(settings, samples, "1", 1, 1000000, NULL, "texts for each prompt"),
    FOCI_KEY(settings, batch, "16", 1, 4096, NULL,
             "texts side by side, where their prompts have as many words; the words are the same"),
    FOCI_KEY(settings, tokens, "100", 1, 10000000, NULL,
             "words, characters, bytes or subwords to generate; the end of a line counts as one"),
    FOCI_KEY(settings, stop, "", 0, 0, NULL, "a text that ends what is written, and is cut off; repeatable",
             .placeholder = "TEXT"),
    FOCI_KEY(settings, past_end, "false", 0, 0, NULL, "go on behind an end of text"),
    FOCI_KEY(settings, unknown, "false", 0, 0, NULL, "<unk> may be drawn"),
    FOCI_KEY(settings, recompute, "false", 0, 0, NULL, "keep no keys and values; the words are the same"),
    {0}};

/* ------------------------------------------------------------------------------------------------- what is asked */

enum { MOST_STOPS = 64 };
typedef struct work {
    const foci_parsed *parsed;
    const settings *o;
    foci_writing how;
    const char *stop[MOST_STOPS + 1];
    char *lines; /* of the file with prompts */
    foci_written *text;
    int64_t count, room;
} work;

static foci_status add_prompt(work *w, const char *prompt) {
    for (int64_t i = 0; i < w->o->samples; i++) {
        if (w->count == w->room) {
            const int64_t room = 2 * w->room + 16;
            foci_written *grown = realloc(w->text, (size_t)room * sizeof *grown);
            if (!grown) return foci_fail(FOCI_ERR_RUNTIME, "out of memory for %lld texts", (long long)room);
            w->text = grown;
            w->room = room;
        }
        FOCI_TRY(foci_context(foci_written_begin(&w->text[w->count++], &w->how, prompt, i), "--prompt"));
    }
    return FOCI_OK;
}

static foci_status add_lines(work *w, const char *path) {
    enum { LIMIT = 1 << 28 };
    size_t size;
    FOCI_TRY(foci_read_file(strcmp(path, "-") == 0 ? "/dev/stdin" : path, LIMIT, &w->lines, &size, FOCI_ERR_DATA));
    for (char *line = w->lines, *end; *line; line = end) {
        end = line + strcspn(line, "\n");
        if (*end) *end++ = 0;
        FOCI_TRY(add_prompt(w, line));
    }
    return FOCI_OK;
}

static foci_status read_prompts(work *w) {
    const char *prompt;
    for (int i = 0; (prompt = foci_parsed_text(w->parsed, &w->o->prompt, i)); i++) FOCI_TRY(add_prompt(w, prompt));
    if (*w->o->prompts) FOCI_TRY(add_lines(w, w->o->prompts));
    if (*w->o->prompts && !w->count) return foci_fail(FOCI_ERR_DATA, "%s: has no line", w->o->prompts);
    return w->count ? FOCI_OK : add_prompt(w, "");
}

static foci_status read_stops(work *w) {
    const char *stop;
    for (int i = 0; (stop = foci_parsed_text(w->parsed, &w->o->stop, i)); i++) {
        if (i == MOST_STOPS) return foci_fail(FOCI_ERR_CONFIG, "--stop: more than %d", MOST_STOPS);
        if (!*stop) return foci_fail(FOCI_ERR_CONFIG, "--stop: an empty text would end everything");
        w->stop[i] = stop;
    }
    w->how.stop = w->stop;
    return FOCI_OK;
}

/* How each word will be made. */
static void explain(const work *w, const foci_generator_options *g) {
    const char *kind = foci_config_string(g->config, "attention.kind");
    const long long window = (long long)g->window;
    int64_t longest = 0;
    for (int64_t i = 0; i < w->count; i++) longest = w->text[i].asked > longest ? w->text[i].asked : longest;
    if (g->model->carries)
        foci_log(FOCI_LOG_INFO, g->recompute ? "the text is read anew for each word"
                                             : "the model's memory is carried on from word to word");
    else if (g->recompute) foci_log(FOCI_LOG_INFO, "the window of %lld tokens is computed anew for each word", window);
    else if (!foci_generator_keeps(g))
        foci_log(FOCI_LOG_INFO,
                 "%s attention, as configured, is not causal or needs earlier queries: the window of %lld tokens is "
                 "computed anew for each word",
                 kind, window);
    else if (longest + w->how.words - 1 <= window)
        foci_log(FOCI_LOG_INFO, "keys and values are kept from word to word, which is exact with %s attention", kind);
    else
        foci_log(FOCI_LOG_INFO,
                 "keys and values are kept, which is exact with %s attention, until the window of %lld tokens is full; "
                 "then every position moves with each word and the window is computed anew",
                 kind, window);
}

/* ----------------------------------------------------------------------------------------------- for people */

/* One text, as it comes. A terminal gets whole characters. */
typedef struct page {
    const foci_writing *how;
    bool terminal;
    size_t printed;
    foci_utf8_tail tail;
} page;

static void print_bytes(page *p, const char *text, size_t size) {
    char shown[3 * (256 + 3)];
    for (size_t n; size && p->terminal; text += n, size -= n) {
        n = size < 256 ? size : 256;
        fwrite(shown, 1, foci_utf8_show(&p->tail, text, n, shown), stdout);
    }
    fwrite(text, 1, size, stdout);
    fflush(stdout);
}

static void print_sure(void *context, const foci_written *t) {
    page *p = context;
    const size_t sure = foci_written_sure(t, p->how);
    if (sure > p->printed) print_bytes(p, t->text + p->printed, sure - p->printed), p->printed = sure;
}

static void end_page(page *p, const foci_written *t) {
    char shown[16];
    if (t->size > p->printed) print_bytes(p, t->text + p->printed, t->size - p->printed);
    if (p->terminal) fwrite(shown, 1, foci_utf8_show(&p->tail, NULL, 0, shown), stdout);
    if (!t->size || t->text[t->size - 1] != '\n') putchar('\n');
}

static page new_page(const work *w) {
    return (page){.how = &w->how, .terminal = foci_vocabulary_bpe(w->how.vocabulary) && isatty(STDOUT_FILENO)};
}

static foci_status print_texts(work *w, const foci_generator_options *g, foci_parameters *p) {
    page alone = new_page(w);
    const bool streams = w->count == 1;
    if (streams) {
        print_sure(&alone, w->text);
        w->how.told = print_sure;
        w->how.context = &alone;
    }
    FOCI_TRY(foci_write_texts(&w->how, g, p, w->text, w->count));
    if (streams) end_page(&alone, w->text);
    for (int64_t i = 0; i < w->count && !streams; i++) {
        page one = new_page(w);
        if (i) printf("---\n");
        end_page(&one, &w->text[i]);
    }
    return FOCI_OK;
}

/* --------------------------------------------------------------------------------------------- for programs */

static void report_text(const work *w, const foci_written *t, foci_report *r) {
    const foci_vocabulary *v = w->how.vocabulary;
    foci_report_text(r, "prompt", t->prompt);
    foci_report *words = foci_report_list(r, "words"), *logprobs = foci_report_list(r, "logprob");
    for (int64_t i = t->asked; i < t->ids.count; i++) {
        foci_report_text(words, NULL, foci_vocabulary_word(v, t->ids.id[i]));
        foci_report_number(logprobs, NULL, t->logprob[i - t->asked]);
    }
    const char *written = t->text + t->begin;
    foci_report_text(r, "text", written + (foci_vocabulary_tokens(v) == FOCI_WORDS && *written == ' '));
}

static void report_settings(const work *w, const foci_generator_options *g, foci_report *r) {
    const foci_sampling *s = &w->how.sampling;
    foci_report_whole(r, "tokens", w->how.words);
    foci_report_number(r, "temperature", s->temperature);
    foci_report_whole(r, "top_k", s->top_k);
    foci_report_number(r, "top_p", s->top_p);
    if (s->repetition_penalty > 1) foci_report_number(r, "repetition_penalty", s->repetition_penalty);
    foci_report_whole(r, "seed", s->seed);
    foci_report_flag(r, "cache", foci_generator_keeps(g));
    foci_report_whole(r, "window", g->window);
}

static foci_status print_json(work *w, const foci_generator_options *g, foci_parameters *p) {
    foci_report r = {NULL};
    FOCI_TRY(foci_write_texts(&w->how, g, p, w->text, w->count));
    if (w->count == 1) report_text(w, w->text, &r);
    foci_report *texts = w->count > 1 ? foci_report_list(&r, "texts") : NULL;
    for (int64_t i = 0; i < w->count && texts; i++) report_text(w, &w->text[i], foci_report_part(texts, NULL));
    report_settings(w, g, &r);
    return foci_print_report(&r, &(foci_json_form){.digits = 9, .point = true});
}

/* ------------------------------------------------------------------------------------------------- together */

static foci_status with_prompts(work *w, const foci_model *model) {
    const foci_config *config = w->parsed->config;
    foci_parameters p = {.count = 0};
    const foci_generator_options g = {.model = model,
                                      .config = config,
                                      .vocabulary = foci_vocabulary_size(w->how.vocabulary),
                                      .window = foci_config_int(config, "model.context"),
                                      .recompute = w->o->recompute};
    FOCI_TRY(read_stops(w));
    FOCI_TRY(read_prompts(w));
    foci_status s = foci_load_model(&p, model, config, g.vocabulary, w->parsed->weights);
    if (!s) explain(w, &g);
    if (!s) s = w->parsed->json ? print_json(w, &g, &p) : print_texts(w, &g, &p);
    foci_parameters_free(&p);
    return s;
}

static foci_status run(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    const foci_model *model;
    FOCI_TRY(foci_task_wanted(parsed->config, &foci_task_text, "words to generate", &model));
    foci_corpus corpus;
    FOCI_TRY(foci_corpus_open(&corpus, parsed->config, 0));
    work w = {.parsed = parsed,
              .o = o,
              .how = {.vocabulary = corpus.vocabulary,
                      .sampling = o->sampling,
                      .words = o->tokens,
                      .at_once = o->batch,
                      .past_end = o->past_end}};
    w.how.sampling.never = o->unknown ? -1 : foci_vocabulary_id(corpus.vocabulary, "<unk>");
    const foci_status s = with_prompts(&w, model);
    for (int64_t i = 0; i < w.count; i++) foci_written_close(&w.text[i]);
    free(w.text);
    free(w.lines);
    foci_corpus_close(&corpus);
    return s;
}

const foci_command foci_command_generate = {
    .name = "generate",
    .summary = "words from a language model",
    .synopsis = "RUN",
    .doc = "Words from a language model, one drawn after another: of one prompt as they come, of several when all are "
           "written. A text depends on its prompt, on the seed and on which of the prompt's samples it is, not on the "
           "texts beside it.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_COMMON | FOCI_OPENS_WEIGHTS | FOCI_TAKES_DTYPE,
    .size = sizeof(settings),
    .options = {{rows}, {foci_sampling_keys, offsetof(settings, sampling)}},
    .run = run,
};
