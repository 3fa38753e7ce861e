/* foci data bpe train|encode|decode */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bpe/bpe.h"
#include "bpe/shards.h"
#include "cli/cli.h"
#include "cli/data_commands.h"

static foci_status refuse_old(const char *path) {
    return foci_path_kind(path) ? foci_fail(FOCI_ERR_IO, "%s: is there already", path) : FOCI_OK;
}

/* -------------------------------------------------------- foci data bpe train TEXT... --vocab N --out DIR */

enum { SPECIALS = 256 };

typedef struct train_settings {
    int64_t vocab, min_frequency;
    const char *out, *special;
    foci_documents documents;
} train_settings;

static const foci_key train_rows[] = {
    FOCI_KEY(train_settings, vocab, NULL, 256, 1 << 24, NULL,
             "tokens: 256 for the bytes, special ones, and merges for the rest; fewer where pairs run out"),
    FOCI_KEY(train_settings, out, NULL, 0, 0, NULL, "where tokenizer.json, vocab.json and merges.txt go",
             .placeholder = "DIR"),
    FOCI_KEY(train_settings, min_frequency, "2", 1, 1e18, NULL, "pairs seen less often are not merged"),
    FOCI_KEY(train_settings, special, NULL, 0, 0, NULL,
             "a special token; repeatable; an empty one: none (default: <|endoftext|>, with which documents begin)"),
    FOCI_KEY(train_settings, documents, "file", 0, 0, FOCI_DOCUMENTS(FOCI_CHOICE_WORD),
             "no merge reaches from one to the next: whole files, paragraphs (blank lines between) or lines"),
    {0}};

static foci_status train_check(const foci_parsed *parsed) {
    const train_settings *o = parsed->options;
    char path[4096];
    if (!o->vocab) return foci_fail(FOCI_ERR_CONFIG, "data bpe train: --vocab N is needed");
    if (!o->out) return foci_fail(FOCI_ERR_CONFIG, "data bpe train: --out DIR is needed");
    FOCI_TRY(foci_path_join(path, sizeof path, o->out, "tokenizer.json"));
    return refuse_old(path);
}

static int list_specials(const foci_parsed *parsed, const train_settings *o, const char *special[SPECIALS]) {
    int n = 0;
    const char *text;
    for (int i = 0; n < SPECIALS && (text = foci_parsed_text(parsed, &o->special, i)); i++)
        if (*text) special[n++] = text;
    if (!o->special) special[n++] = "<|endoftext|>";
    return n;
}

static foci_status tell_training(const foci_bpe *bpe, const foci_bpe_training *t, const char *out, bool json) {
    const double bytes = (double)t->bytes / (double)t->tokens, whole = 100.0 * (double)t->whole / (double)t->pieces;
    foci_report r = {NULL};
    if (!json) {
        printf("%s: %lld tokens, learnt from %lld bytes: %.3f bytes a token, %.2f %% of %lld pieces (%lld different) "
               "are one token\n",
               out, (long long)foci_bpe_size(bpe), (long long)t->bytes, bytes, whole, (long long)t->pieces,
               (long long)t->kinds);
        return FOCI_OK;
    }
    foci_report_text(&r, "out", out);
    foci_report_whole(&r, "vocabulary", foci_bpe_size(bpe));
    foci_report_whole(&r, "bytes", t->bytes);
    foci_report_whole(&r, "tokens", t->tokens);
    foci_report_whole(&r, "pieces", t->pieces);
    foci_report_whole(&r, "different_pieces", t->kinds);
    foci_report_number(&r, "bytes_per_token", bytes);
    foci_report_number(&r, "whole_pieces", whole);
    return foci_print_report(&r, &foci_json_line);
}

static foci_status train(const foci_parsed *parsed) {
    const train_settings *o = parsed->options;
    const char *special[SPECIALS];
    foci_bpe_training t = {.size = o->vocab,
                           .min_frequency = o->min_frequency,
                           .special = special,
                           .specials = list_specials(parsed, o, special),
                           .documents = o->documents,
                           .watch = &foci_on_terminal};
    foci_bpe *bpe;
    FOCI_TRY(foci_bpe_train(&bpe, parsed->argument, parsed->arguments, &t));
    if (foci_bpe_size(bpe) < o->vocab)
        foci_log(FOCI_LOG_WARN, "%lld of %lld tokens: no more pairs were seen %lld time%s (--min-frequency)",
                 (long long)foci_bpe_size(bpe), (long long)o->vocab, (long long)o->min_frequency,
                 foci_plural(o->min_frequency, "s"));
    foci_status s =
        t.bytes ? foci_bpe_save(bpe, o->out) : foci_fail(FOCI_ERR_DATA, "%s: the text is empty", *parsed->argument);
    if (!s) s = tell_training(bpe, &t, o->out, parsed->json);
    foci_bpe_free(bpe);
    return s;
}

static const foci_command train_command = {
    .name = "train",
    .summary = "learns a vocabulary of subwords (byte-level BPE)",
    .synopsis = "TEXT... --vocab N --out DIR",
    .doc = "Learns a vocabulary of subwords, byte-level BPE as GPT-2 has it, from texts (plain or gzip; -: standard "
           "input), and says what it covers. The result depends neither on the order of texts nor on threads. "
           "data.bpe takes DIR, and so do other programs.",
    .least = 1,
    .most = 1 << 20,
    .takes = FOCI_TAKES_THREADS | FOCI_TAKES_JSON | FOCI_ENDS_BY_SIGNAL,
    .size = sizeof(train_settings),
    .options = {{train_rows}},
    .check = train_check,
    .run = train,
};

/* --------------------------------------------------- foci data bpe encode TEXT... --bpe DIR [--out FILE.bin] */

typedef struct encode_settings {
    const char *bpe, *out;
    foci_documents documents;
    bool special, bare;
    int64_t shard;
} encode_settings;

static const foci_key encode_rows[] = {
    FOCI_KEY(encode_settings, bpe, NULL, 0, 0, NULL,
             "the tokenizer: a tokenizer.json, or a folder with one, or with vocab.json and merges.txt, or "
             "encoder.json and vocab.bpe",
             .placeholder = "DIR"),
    FOCI_KEY(encode_settings, out, NULL, 0, 0, NULL,
             "a token file of llm.c's kind, with 2 bytes a token, or 4 for more than 65,536 tokens, and FILE.json, "
             "which says whose tokens they are (default: numbers to standard output)",
             .placeholder = "FILE"),
    FOCI_KEY(encode_settings, documents, NULL, 0, 0, FOCI_DOCUMENTS(FOCI_CHOICE_WORD),
             "what begins with the end-of-text token: whole files, paragraphs (blank lines between), lines, nothing "
             "(default: file with --out, else none)"),
    FOCI_KEY(encode_settings, special, "false", 0, 0, NULL,
             "the texts of special tokens become these (default: plain text, so that no text can end a document)"),
    FOCI_KEY(encode_settings, bare, "false", 0, 0, NULL, "--out: without a header, 2 bytes a token, as nanoGPT has it"),
    FOCI_KEY(encode_settings, shard, NULL, 1, INT32_MAX, NULL,
             "--out: N tokens a file, FILE_000000.bin, FILE_000001.bin ... (default: one file, of fewer than 2^31)"),
    {0}};

static foci_status encode_check(const foci_parsed *parsed) {
    const encode_settings *o = parsed->options;
    if (!o->bpe) return foci_fail(FOCI_ERR_CONFIG, "data bpe encode: --bpe DIR is needed");
    if ((o->bare || o->shard) && !o->out) return foci_fail(FOCI_ERR_CONFIG, "--bare and --shard are for --out");
    return FOCI_OK;
}

/* Where tokens go, and how many there were. */
typedef struct encoding {
    const foci_parsed *parsed;
    const foci_bpe *bpe;
    int32_t end_of_text;
    foci_shards_writer file;
    foci_report *list; /* of numbers; NULL: they are printed */
    bool line_begun;
    int64_t tokens, bytes, documents;
} encoding;

static foci_status take_for_file(void *context, const int32_t *id, int64_t count) {
    encoding *e = context;
    e->tokens += count;
    for (int64_t i = 0; i < count; i++) e->documents += id[i] == e->end_of_text;
    FOCI_TRY(foci_watch_stopped(&foci_on_terminal));
    return foci_shards_put(&e->file, id, count);
}

/* A document begins a line. */
static foci_status take_for_output(void *context, const int32_t *id, int64_t count) {
    encoding *e = context;
    e->tokens += count;
    for (int64_t i = 0; i < count; i++) {
        if (e->list) foci_report_whole(e->list, NULL, id[i]);
        else printf("%s%d", !e->line_begun ? "" : id[i] == e->end_of_text ? "\n" : " ", (int)id[i]);
        e->line_begun = true;
    }
    return ferror(stdout) ? foci_fail(FOCI_ERR_IO, "standard output: cannot be written")
                          : foci_watch_stopped(&foci_on_terminal);
}

static foci_status encode_texts(encoding *e) {
    const encode_settings *o = e->parsed->options;
    const bool given = foci_parsed_text(e->parsed, &o->documents, 0);
    const foci_documents otherwise = o->out && e->end_of_text >= 0 ? FOCI_FILE : FOCI_NO_DOCUMENTS;
    for (int i = 0; i < e->parsed->arguments; i++) {
        foci_bpe_reading r = {.documents = given ? o->documents : otherwise,
                              .special = o->special,
                              .take = o->out ? take_for_file : take_for_output,
                              .context = e};
        FOCI_TRY(foci_bpe_encode_file(e->bpe, e->parsed->argument[i], &r));
        e->bytes += r.bytes;
        if (e->line_begun && !e->list) putchar('\n');
        e->line_begun = false;
    }
    return FOCI_OK;
}

static void report_encoding(const encoding *e, foci_report *r) {
    foci_report_whole(r, "tokens", e->tokens);
    foci_report_whole(r, "bytes", e->bytes);
    foci_report_number(r, "bytes_per_token", e->tokens ? (double)e->bytes / (double)e->tokens : 0);
}

static foci_status tell_files(const encoding *e, const char *out) {
    foci_report r = {NULL};
    char files[64] = "";
    if (e->file.most) snprintf(files, sizeof files, " in %lld files", (long long)e->file.files);
    if (!e->parsed->json) {
        printf("%s: %lld tokens%s of %lld bytes in %lld document%s, %.3f bytes a token\n", out, (long long)e->tokens,
               files, (long long)e->bytes, (long long)e->documents, foci_plural(e->documents, "s"),
               e->tokens ? (double)e->bytes / (double)e->tokens : 0.0);
        return FOCI_OK;
    }
    foci_report_text(&r, "out", out);
    foci_report_whole(&r, "files", e->file.files);
    foci_report_whole(&r, "documents", e->documents);
    report_encoding(e, &r);
    return foci_print_report(&r, &foci_json_line);
}

static foci_status encode_to_file(encoding *e, const char *out) {
    const encode_settings *o = e->parsed->options;
    const foci_shard_kind kind = o->bare                            ? FOCI_SHARD_BARE
                                 : foci_bpe_size(e->bpe) <= 1 << 16 ? FOCI_SHARD_GPT2
                                                                    : FOCI_SHARD_LLAMA3;
    e->file = (foci_shards_writer){.path = out, .bpe = e->bpe, .kind = kind, .most = o->shard};
    foci_status s = foci_shards_begin(&e->file);
    if (!s) s = encode_texts(e);
    if (!s) s = foci_shards_finish(&e->file);
    if (s) foci_shards_abort(&e->file);
    return s ? s : tell_files(e, out);
}

static foci_status encode_to_json(encoding *e) {
    foci_report r = {NULL};
    e->list = foci_report_list(&r, "ids");
    const foci_status s = encode_texts(e);
    report_encoding(e, &r);
    if (!s) return foci_print_report(&r, &foci_json_line);
    foci_report_free(&r);
    return s;
}

static foci_status encode(const foci_parsed *parsed) {
    const encode_settings *o = parsed->options;
    foci_bpe *bpe;
    FOCI_TRY(foci_bpe_open(&bpe, o->bpe));
    encoding e = {.parsed = parsed, .bpe = bpe, .end_of_text = foci_bpe_end_of_text(bpe)};
    const foci_status s = o->out ? encode_to_file(&e, o->out) : parsed->json ? encode_to_json(&e) : encode_texts(&e);
    foci_bpe_free(bpe);
    return s;
}

static const foci_command encode_command = {
    .name = "encode",
    .summary = "text to tokens: numbers, or a token file",
    .synopsis = "TEXT... --bpe DIR [--out FILE.bin]",
    .doc = "Texts of any bytes and length (plain or gzip; -: standard input) as tokens, in the order given: into a "
           "token file, which data.train and the like may name and llm.c reads, or as numbers, one text a line.",
    .least = 1,
    .most = 1 << 20,
    .takes = FOCI_TAKES_THREADS | FOCI_TAKES_JSON | FOCI_ENDS_BY_SIGNAL,
    .size = sizeof(encode_settings),
    .options = {{encode_rows}},
    .check = encode_check,
    .run = encode,
};

/* ------------------------------------------------------------------- foci data bpe decode FROM... --bpe DIR */

typedef struct decode_settings {
    const char *bpe, *out;
    bool bare, no_special;
} decode_settings;

static const foci_key decode_rows[] = {
    FOCI_KEY(decode_settings, bpe, NULL, 0, 0, NULL, "the tokenizer, as for encode", .placeholder = "DIR"),
    FOCI_KEY(decode_settings, out, NULL, 0, 0, NULL, "where the text goes (default: standard output)",
             .placeholder = "FILE"),
    FOCI_KEY(decode_settings, bare, "false", 0, 0, NULL, "token files have no header (nanoGPT)"),
    FOCI_KEY(decode_settings, no_special, "false", 0, 0, NULL, "leave special tokens out"),
    {0}};

static foci_status decode_check(const foci_parsed *parsed) {
    const decode_settings *o = parsed->options;
    if (!o->bpe) return foci_fail(FOCI_ERR_CONFIG, "data bpe decode: --bpe DIR is needed");
    return o->out ? refuse_old(o->out) : FOCI_OK;
}

static foci_status print_bytes(const char *text, size_t size) {
    if (fwrite(text, 1, size, stdout) != size) return foci_fail(FOCI_ERR_IO, "standard output: cannot be written");
    return foci_watch_stopped(&foci_on_terminal);
}

static foci_status take_bytes(void *context, const char *text, size_t size) {
    return context ? foci_write(context, text, size) : print_bytes(text, size);
}

/* What people see: no half of a character. */
static foci_status take_shown(void *context, const char *text, size_t size) {
    char shown[3 * (FOCI_TOKEN_MAX + 3)];
    return print_bytes(shown, foci_utf8_show(context, text, size, shown));
}

static foci_status decode_all(const foci_parsed *parsed, const foci_bpe *bpe, foci_bpe_writing *w) {
    for (int i = 0; i < parsed->arguments; i++) FOCI_TRY(foci_bpe_decode_file(bpe, parsed->argument[i], w));
    return FOCI_OK;
}

static foci_status decode_to_file(const foci_parsed *parsed, const foci_bpe *bpe, foci_bpe_writing *w) {
    const decode_settings *o = parsed->options;
    foci_writer file;
    FOCI_TRY(foci_writer_open(&file, o->out));
    w->take = take_bytes;
    w->context = &file;
    const foci_status s = decode_all(parsed, bpe, w);
    if (!s) return foci_writer_commit(&file);
    foci_writer_abort(&file);
    return s;
}

static foci_status decode_to_output(const foci_parsed *parsed, const foci_bpe *bpe, foci_bpe_writing *w) {
    foci_utf8_tail tail = {.count = 0};
    const bool seen = isatty(STDOUT_FILENO);
    w->take = seen ? take_shown : take_bytes;
    w->context = seen ? &tail : NULL;
    const foci_status s = decode_all(parsed, bpe, w);
    return s || !seen ? s : take_shown(&tail, NULL, 0);
}

static foci_status decode(const foci_parsed *parsed) {
    const decode_settings *o = parsed->options;
    foci_bpe_writing w = {.bare = o->bare, .no_special = o->no_special};
    foci_bpe *bpe;
    FOCI_TRY(foci_bpe_open(&bpe, o->bpe));
    const foci_status s = (o->out ? decode_to_file : decode_to_output)(parsed, bpe, &w);
    foci_bpe_free(bpe);
    return s;
}

static const foci_command decode_command = {
    .name = "decode",
    .summary = "tokens to text",
    .synopsis = "FROM... --bpe DIR",
    .doc = "The bytes of tokens: of token files (or a folder of them), or of numbers with white space between (-: "
           "standard input). What was encoded comes back byte by byte; a terminal gets whole characters.",
    .least = 1,
    .most = 1 << 20,
    .takes = FOCI_ENDS_BY_SIGNAL,
    .size = sizeof(decode_settings),
    .options = {{decode_rows}},
    .check = decode_check,
    .run = decode,
};

const foci_command foci_command_data_bpe = {
    .name = "bpe",
    .summary = "subwords: a vocabulary from texts, text to tokens and back",
    .commands = (const foci_command *const[]){&train_command, &encode_command, &decode_command, NULL},
};
