/* Byte-level BPE, as GPT-2 and Llama 3 have it: a text is cut into pieces (pieces.h), the bytes of a piece are merged
 * pair by pair in a learnt order, and what is left are its tokens. Any bytes become tokens, and these the same bytes
 * again; nothing is normalised. Special tokens are plain text unless they are asked for.
 *
 *     foci_bpe *bpe;
 *     foci_ids ids = {0};
 *     FOCI_TRY(foci_bpe_open(&bpe, "gpt2"));                   // tokenizer.json, or vocab.json and merges.txt
 *     FOCI_TRY(foci_bpe_encode_text(bpe, text, size, false, &ids));
 *     foci_token t = foci_bpe_token(bpe, ids.id[0]);           // t.size bytes at t.text
 *
 * A tokenizer does not change and may be used by several threads. */
#ifndef FOCI_BPE_BPE_H
#define FOCI_BPE_BPE_H

#include "base/watch.h"
#include "foci/keys.h"

typedef struct foci_bpe foci_bpe;

/* How text is cut into pieces. */
typedef enum foci_bpe_rule { FOCI_BPE_GPT2, FOCI_BPE_LLAMA3 } foci_bpe_rule;

enum { FOCI_TOKEN_MAX = 1024 }; /* bytes of a token */
typedef struct foci_token {
    const char *text; /* not ended */
    uint32_t size;
    bool special;
} foci_token;

/* ----------------------------------------------------------------------------------------------------- files */

/* A tokenizer.json, or a folder that has one, or else vocab.json and merges.txt, or encoder.json and vocab.bpe, whose
 * special token is <|endoftext|>, if they have it; or llm.c's tokenizer file, which can only decode. FOCI_ERR_DATA with
 * file and field, line or byte. */
foci_status foci_bpe_open(foci_bpe **bpe, const char *path);
void foci_bpe_free(foci_bpe *bpe); /* NULL is fine */
/* The text of a tokenizer.json; `name` is for messages. */
foci_status foci_bpe_parse(foci_bpe **bpe, const char *name, const char *json, size_t size);
/* The reverse, from malloc: in one line, or as files have it. The same tokenizer gives the same text. */
foci_status foci_bpe_print(const foci_bpe *bpe, bool one_line, char **json);
/* FOLDER/tokenizer.json, vocab.json, merges.txt; the folder is made where it is missing. */
foci_status foci_bpe_save(const foci_bpe *bpe, const char *folder);

/* -------------------------------------------------------------------------------------------------- tokens */

int64_t foci_bpe_size(const foci_bpe *bpe);
foci_token foci_bpe_token(const foci_bpe *bpe, int32_t id); /* below the size */
/* As vocabulary files have it, a character a byte (docs/mathematics.md 8.8), a special one as it is: not ended; its
 * length. */
enum { FOCI_TOKEN_NAME = 2 * FOCI_TOKEN_MAX };
size_t foci_bpe_name(const foci_bpe *bpe, int32_t id, char name[FOCI_TOKEN_NAME]);
/* With it documents begin: <|endoftext|>, or <|end_of_text|>, or else the only special token; -1: there is none. */
int32_t foci_bpe_end_of_text(const foci_bpe *bpe);
/* Of all that makes it, in 16 digits: two of one hash are the same. */
enum { FOCI_BPE_HASH = 17 };
foci_status foci_bpe_hash(const foci_bpe *bpe, char hash[FOCI_BPE_HASH]);

/* ------------------------------------------------------------------------------------------------- encoding */

/* Tokens in a row; zeroed: none. id is from malloc. */
typedef struct foci_ids {
    int32_t *id;
    int64_t count, room;
} foci_ids;
foci_status foci_ids_add(foci_ids *ids, const int32_t *id, int64_t count);

/* Adds the tokens of a whole text. `special`: the texts of special tokens become these, the first that comes, of
 * several there the longest. */
foci_status foci_bpe_encode_text(const foci_bpe *bpe, const void *text, size_t size, bool special, foci_ids *ids);

/* The same again and again, with what should be remembered: of one thread. FOCI_ERR_CONFIG: it can only decode. */
typedef struct foci_bpe_encoder foci_bpe_encoder;
foci_status foci_bpe_encoder_open(foci_bpe_encoder **e, const foci_bpe *bpe);
void foci_bpe_encoder_close(foci_bpe_encoder *e); /* NULL is fine */
/* `used`: NULL: the text is whole; else more may follow, and so many bytes were encoded that what follows changes
 * nothing about them. */
foci_status foci_bpe_encode(foci_bpe_encoder *e, const void *text, size_t size, bool special, size_t *used,
                            foci_ids *ids);

/* What a document of a text is; with each comes the end-of-text token first. */
#define FOCI_DOCUMENTS(X) \
    X(FOCI_NO_DOCUMENTS, "none") X(FOCI_FILE, "file") X(FOCI_PARAGRAPHS, "paragraphs") X(FOCI_LINES, "lines")
typedef enum foci_documents { FOCI_DOCUMENTS(FOCI_CHOICE_NUMBER) } foci_documents;

/* A text file of any length, plain or gzip ("-": standard input), on all threads: takes its tokens as they come. */
typedef struct foci_bpe_reading {
    foci_documents documents; /* a blank line ends a paragraph; documents keep the ends of their lines */
    bool special;
    foci_status (*take)(void *context, const int32_t *id, int64_t count);
    void *context;
    int64_t bytes; /* of the text, in the end */
} foci_bpe_reading;
foci_status foci_bpe_encode_file(const foci_bpe *bpe, const char *path, foci_bpe_reading *reading);

/* ------------------------------------------------------------------------------------------------- training */

typedef struct foci_bpe_training {
    int64_t size;               /* tokens wanted: 256 bytes, merges, special ones; fewer where pairs run out */
    int64_t min_frequency;      /* pairs seen less often are not merged */
    const char *const *special; /* (specials) their numbers come last */
    int specials;
    foci_documents documents;
    const foci_watch *watch;       /* counts merges */
    int64_t bytes, pieces, tokens; /* in the end, of the texts: their tokens, and */
    int64_t whole, kinds;          /* how many pieces are one token; how many pieces there are, each counted once */
} foci_bpe_training;

/* The most frequent pair becomes a token, of equals that with the smaller (left, right) number, and again. Depends on
 * the pieces of the texts alone, not on the order of texts or documents, nor on threads. */
foci_status foci_bpe_train(foci_bpe **bpe, const char *const *path, int paths, foci_bpe_training *training);

/* ------------------------------------------------------------------------------------------------- decoding */

/* The bytes of tokens from a file, as they come: of a token file (shards.h), or of numbers with white space between
 * ("-": standard input). FOCI_ERR_DATA with the place of what is no token. */
typedef struct foci_bpe_writing {
    bool bare;       /* a token file without a header */
    bool no_special; /* special tokens are left out */
    foci_status (*take)(void *context, const char *text, size_t size);
    void *context;
    int64_t tokens; /* in the end */
} foci_bpe_writing;
foci_status foci_bpe_decode_file(const foci_bpe *bpe, const char *path, foci_bpe_writing *writing);

/* What was written so far of a text that people see as it comes: a character that is not whole yet is held back. */
typedef struct foci_utf8_tail {
    char held[4];
    int count;
} foci_utf8_tail;
/* Appends `size` bytes; the whole characters are put into `text`, room for 3 (size + 3), and their bytes are returned.
 * A byte that is none of a character becomes U+FFFD. NULL: the end; what is held back becomes U+FFFD. */
size_t foci_utf8_show(foci_utf8_tail *tail, const char *more, size_t size, char *text);

#endif
