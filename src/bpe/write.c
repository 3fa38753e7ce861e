/* Tokenizers to files, as Hugging Face's library writes them. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "base/file.h"
#include "bpe/names.h"
#include "bpe/pieces.h"

static foci_status out_of_memory(void) { return foci_fail(FOCI_ERR_RUNTIME, "out of memory for a tokenizer"); }

static json_t *name_of(const foci_bpe *b, int32_t id) {
    char name[FOCI_TOKEN_NAME];
    return json_stringn(name, foci_bpe_name(b, id, name));
}

static json_t *vocabulary_of(const foci_bpe *b) {
    json_t *all = json_object();
    char name[FOCI_TOKEN_NAME + 1];
    for (int32_t id = 0; id < b->size; id++) {
        name[foci_bpe_name(b, id, name)] = 0;
        json_object_set_new(all, name, json_integer(id));
    }
    return all;
}

static json_t *merges_of(const foci_bpe *b) {
    json_t *all = json_array();
    for (int64_t i = 0; i < b->ranks; i++) {
        const foci_pair p = b->pair.item[b->ranked[i]];
        json_array_append_new(all, json_pack("[o,o]", name_of(b, p.left), name_of(b, p.right)));
    }
    return all;
}

static json_t *added_of(const foci_bpe *b) {
    json_t *all = json_array();
    for (int32_t id = 0; id < b->size; id++)
        if (b->token[id].special)
            json_array_append_new(all,
                                  json_pack("{s:i,s:o,s:b,s:b,s:b,s:b,s:b}", "id", (int)id, "content", name_of(b, id),
                                            "single_word", 0, "lstrip", 0, "rstrip", 0, "normalized", 0, "special", 1));
    return all;
}

static json_t *byte_level(bool trim, bool regex) {
    return json_pack("{s:s,s:b,s:b,s:b}", "type", "ByteLevel", "add_prefix_space", 0, "trim_offsets", (int)trim,
                     "use_regex", (int)regex);
}

static json_t *pieces_of(const foci_bpe *b) {
    if (b->rule == FOCI_BPE_GPT2) return byte_level(true, true);
    return json_pack("{s:s,s:[{s:s,s:{s:s},s:s,s:b},o]}", "type", "Sequence", "pretokenizers", "type", "Split",
                     "pattern", "Regex", foci_llama3_pattern, "behavior", "Isolated", "invert", 0,
                     byte_level(true, false));
}

static json_t *model_of(const foci_bpe *b) {
    return json_pack("{s:s,s:n,s:n,s:n,s:n,s:b,s:b,s:b,s:o,s:o}", "type", "BPE", "dropout", "unk_token",
                     "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk", 0, "byte_fallback", 0,
                     "ignore_merges", (int)b->whole, "vocab", vocabulary_of(b), "merges", merges_of(b));
}

foci_status foci_bpe_print(const foci_bpe *b, bool one_line, char **json) {
    json_t *root = json_pack("{s:s,s:n,s:n,s:o,s:n,s:o,s:o,s:o,s:o}", "version", "1.0", "truncation", "padding",
                             "added_tokens", added_of(b), "normalizer", "pre_tokenizer", pieces_of(b), "post_processor",
                             byte_level(false, true), "decoder", byte_level(true, true), "model", model_of(b));
    *json = root ? json_dumps(root, one_line ? JSON_COMPACT : JSON_INDENT(2)) : NULL;
    json_decref(root);
    return *json ? FOCI_OK : out_of_memory();
}

foci_status foci_bpe_hash(const foci_bpe *b, char hash[FOCI_BPE_HASH]) {
    char *json;
    FOCI_TRY(foci_bpe_print(b, true, &json));
    snprintf(hash, FOCI_BPE_HASH, "%016llx", (unsigned long long)XXH3_64bits(json, strlen(json)));
    free(json);
    return FOCI_OK;
}

/* ---------------------------------------------------------------------------------------- into a folder */

static foci_status save(const char *folder, const char *name, const char *text, size_t size) {
    char path[4096];
    FOCI_TRY(foci_path_join(path, sizeof path, folder, name));
    return foci_write_file(path, text, size);
}

static foci_status save_tokenizer(const foci_bpe *b, const char *folder) {
    char *json;
    FOCI_TRY(foci_bpe_print(b, false, &json));
    const size_t size = strlen(json);
    json[size] = '\n'; /* in place of its end */
    const foci_status s = save(folder, "tokenizer.json", json, size + 1);
    free(json);
    return s;
}

static foci_status save_vocabulary(const foci_bpe *b, const char *folder) {
    json_t *all = vocabulary_of(b);
    char *json = all ? json_dumps(all, JSON_COMPACT) : NULL;
    const foci_status s = json ? save(folder, "vocab.json", json, strlen(json)) : out_of_memory();
    json_decref(all);
    free(json);
    return s;
}

static void print_merges(const foci_bpe *b, FILE *f) {
    char name[FOCI_TOKEN_NAME];
    fputs("#version: 0.2\n", f);
    for (int64_t i = 0; i < b->ranks; i++) {
        const foci_pair p = b->pair.item[b->ranked[i]];
        fwrite(name, 1, foci_bpe_name(b, p.left, name), f);
        putc(' ', f);
        fwrite(name, 1, foci_bpe_name(b, p.right, name), f);
        putc('\n', f);
    }
}

static foci_status save_merges(const foci_bpe *b, const char *folder) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f) return out_of_memory();
    print_merges(b, f);
    const bool failed = ferror(f);
    const foci_status s = fclose(f) || failed ? out_of_memory() : save(folder, "merges.txt", text, size);
    free(text);
    return s;
}

foci_status foci_bpe_save(const foci_bpe *b, const char *folder) {
    FOCI_TRY(foci_make_dirs(folder));
    FOCI_TRY(save_vocabulary(b, folder));
    FOCI_TRY(save_merges(b, folder));
    return save_tokenizer(b, folder);
}
