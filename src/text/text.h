/* Text for language models: words between white space (WikiText), characters or bytes, one <eos> at the end of every
 * line; or subwords, an end-of-text token before every document. */
#ifndef FOCI_TEXT_TEXT_H
#define FOCI_TEXT_TEXT_H

#include "base/file.h"
#include "bpe/bpe.h"
#include "bpe/shards.h"
#include "foci/keys.h"

/* What a token is. Characters (of UTF-8) and bytes are the whole text, white space too; the end of a line is <eos>.
 * Subwords (bpe/bpe.h) are all its bytes. */
#define FOCI_TOKEN_KINDS(X) X(FOCI_WORDS, "words") X(FOCI_CHARS, "chars") X(FOCI_BYTES, "bytes") X(FOCI_SUBWORDS, "bpe")
typedef enum foci_token_kind { FOCI_TOKEN_KINDS(FOCI_CHOICE_NUMBER) } foci_token_kind;
extern const char *const foci_token_kinds[]; /* their names in configs */
/* Several of a vocabulary, for people: "words", "characters", "byte values". */
const char *foci_token_noun(foci_token_kind kind);

/* Words by falling count in the training text (ties: first seen), <eos> = 0. They are called words here whatever they
 * are: a character is its own name, or <U+0020> where nothing would be seen, a byte's is its value in decimal, a
 * subword's has a character for every byte (foci_bpe_name), and subwords are numbered as their tokenizer has them. */
typedef struct foci_vocabulary foci_vocabulary;
/* Of subwords, how texts are read. */
typedef struct foci_subword_reading {
    foci_documents documents; /* what begins with the end-of-text token */
    bool bare;                /* what is called .bin is a token file without a header */
} foci_subword_reading;
/* Which words of a text become words of a vocabulary; the others are <unk>. Of bytes it has all 256 and no <unk>. */
typedef struct foci_word_choice {
    int64_t limit; /* so many of the most frequent, <eos> and <unk> among them; 0: any number */
    int64_t
        min_count; /* those seen so often; 0: twice, where neither the text nor the limit brings an <unk>, else once */
    foci_token_kind tokens;
    foci_subword_reading reading; /* of subwords, which come from a pack */
} foci_word_choice;
/* From a text file, plain or gzip (told apart by the first bytes). */
foci_status foci_vocabulary_build(foci_vocabulary **v, const char *path, foci_word_choice choice);
/* One word a line, line number = id. A file that is not a vocabulary: FOCI_ERR_DATA. */
foci_status foci_vocabulary_load(foci_vocabulary **v, const char *path);
foci_status foci_vocabulary_save(const foci_vocabulary *v, const char *path);
/* foci_vocabulary_build through a cache file that is named after the text's size and checksum, in the folder
 * $FOCI_CACHE, else $XDG_CACHE_HOME/foci, else $HOME/.cache/foci; where there is none that can be written, no cache.
 * From a pack of a text: the vocabulary it was packed with. */
foci_status foci_vocabulary_cached(foci_vocabulary **v, const char *path, foci_word_choice choice);
/* One that is counted word by word: <eos> alone at first, or any other; what is counted and is not there yet stands
 * behind, when all is counted, by falling count (ties: first seen). */
foci_status foci_vocabulary_begin(foci_vocabulary **v);
foci_status foci_vocabulary_count(foci_vocabulary *v, const char *word, size_t length);
foci_status foci_vocabulary_counted(foci_vocabulary *v);
/* Subwords: a tokenizer as a vocabulary, which frees it, after a failure too. */
foci_status foci_vocabulary_of_bpe(foci_vocabulary **v, foci_bpe *bpe, foci_subword_reading reading);
const foci_bpe *foci_vocabulary_bpe(const foci_vocabulary *v); /* NULL: other tokens */
int32_t foci_vocabulary_end_of_text(const foci_vocabulary *v); /* with it documents begin; -1: there is none */
foci_subword_reading foci_vocabulary_reading(const foci_vocabulary *v);
void foci_vocabulary_free(foci_vocabulary *v);
int64_t foci_vocabulary_size(const foci_vocabulary *v);
/* Says what the words of one that was read from a list are. FOCI_ERR_DATA, with name:line, where they are not that. */
foci_status foci_vocabulary_declare(foci_vocabulary *v, foci_token_kind tokens, const char *name);
foci_token_kind foci_vocabulary_tokens(const foci_vocabulary *v);
/* <unk>'s id for unknown words, -1 where there is no <unk> */
int32_t foci_vocabulary_id(const foci_vocabulary *v, const char *word);
const char *foci_vocabulary_word(const foci_vocabulary *v, int32_t id);
/* The token as it stands in a text, not ended; returns its length. */
enum { FOCI_WORD_MAX = 1024 }; /* bytes in a word */
size_t foci_vocabulary_spell(const foci_vocabulary *v, int32_t id, char text[FOCI_WORD_MAX + 1]);
/* Of characters or bytes: the id of the one that `text`, of `size` bytes, at least one, begins with, as
 * foci_vocabulary_id gives it; returns its length, 0 where it begins with none. */
int foci_vocabulary_take(const foci_vocabulary *v, const char *text, size_t size, int32_t *id);
/* in the training text; 0 when loaded from a plain list */
int64_t foci_vocabulary_frequency(const foci_vocabulary *v, int32_t id);
/* Words of the text that the choice made <unk>, and how many tokens they were. */
typedef struct foci_rare_words {
    int64_t words, tokens;
} foci_rare_words;
foci_rare_words foci_vocabulary_rare(const foci_vocabulary *v);

/* A token stream. */
typedef struct foci_tokens {
    int64_t count, lines, unknown; /* unknown: tokens that are <unk>, in the text or by the vocabulary; lines: of
                                      subwords, documents */
    const int32_t *ids;            /* NULL: of token files that were not gathered */
    foci_map map;                  /* of the pack that holds them; none: they are from malloc */
    foci_shards *shards;           /* the token files that hold them; NULL: none do */
} foci_tokens;
/* From a text, or mapped from a pack of one, which must have been packed with the same words; of subwords also from
 * token files. A word that is not in a vocabulary without <unk> is FOCI_ERR_DATA with file and line. */
foci_status foci_tokens_read(foci_tokens *t, const foci_vocabulary *v, const char *path);
/* Tokens first .. first + count - 1, gathered or not. */
void foci_tokens_copy(const foci_tokens *t, int64_t first, int64_t count, int32_t *ids);
/* Has all ids in memory, whatever holds them. */
foci_status foci_tokens_gather(foci_tokens *t);
void foci_tokens_free(foci_tokens *t);
/* Writes them to a pack, which foci_vocabulary_cached and foci_tokens_read read. Refuses a file that is there already;
 * nothing is left behind by a failure. */
foci_status foci_pack_text(const char *path, const foci_tokens *t, const foci_vocabulary *v);

/* The stream cut into `batch` equal contiguous columns (the rest is dropped), read in windows of `window` tokens:
 * ids and targets (batch, length), targets one further. The last window of a pass may be shorter. */
typedef struct foci_windows {
    const foci_tokens *tokens;
    int64_t batch, window, column; /* column = tokens / batch */
} foci_windows;
foci_status foci_windows_make(foci_windows *w, const foci_tokens *tokens, int64_t batch, int64_t window);
int64_t foci_windows_count(const foci_windows *w);             /* of disjoint windows in a pass */
int64_t foci_windows_length(const foci_windows *w, int64_t i); /* of window i */
/* An endless reading, all windows of full length: from 0 on, one behind the other, until no whole one is left; then
 * again from one of the first `window` positions, which the seed draws. Where window `number` of it starts; `begins`:
 * it does not follow the one before. */
foci_status foci_windows_check_endless(const foci_windows *w); /* FOCI_ERR_DATA: a column has no whole window */
int64_t foci_windows_endless(const foci_windows *w, uint64_t seed, int64_t number, bool *begins);
/* `length` tokens of every column from position `start` on. */
void foci_windows_copy(const foci_windows *w, int64_t start, int64_t length, int32_t *ids, int32_t *targets);
/* Batch `number` of windows that begin anywhere in the stream, each place as likely, with replacement, across documents
 * (nanoGPT); the stream must be longer than a window. */
void foci_windows_draw(const foci_windows *w, uint64_t seed, int64_t number, int32_t *ids, int32_t *targets);

/* How a training reads its text: columns from their beginning to their end, or windows that are drawn. */
#define FOCI_READINGS(X) X(FOCI_READ_COLUMNS, "columns") X(FOCI_READ_DRAWN, "drawn")
typedef enum foci_reading { FOCI_READINGS(FOCI_CHOICE_NUMBER) } foci_reading;

/* Perplexity of the unigram model of the training frequencies on a token stream, add-one smoothed: the baseline to
 * beat. */
double foci_unigram_perplexity(const foci_vocabulary *v, const foci_tokens *t);

/* The built-in corpus in WikiText format: DIR/{train,valid,test}.txt. A grammar with agreement over long distances and
 * a Zipf vocabulary. */
typedef struct foci_grammar_options {
    int64_t train, valid, test; /* tokens, about */
    int64_t words;              /* size of the vocabulary, about */
    int64_t seed;
} foci_grammar_options;
foci_status foci_make_text(const char *dir, const foci_grammar_options *options);

#endif
