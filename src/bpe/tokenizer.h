/* A tokenizer, from the inside, and how one is put together; internal to this room. */
#ifndef FOCI_BPE_TOKENIZER_H
#define FOCI_BPE_TOKENIZER_H

#include "bpe/bpe.h"
#include "bpe/tables.h"

typedef struct foci_merge {
    int32_t rank, made;
} foci_merge;

struct foci_bpe {
    foci_bpe_rule rule;
    bool whole;        /* a piece that is a token is not merged (ignore_merges) */
    foci_token *token; /* (size) */
    int64_t size;
    foci_strings string; /* of the tokens that are not special, */
    int32_t *id_of;      /* and their numbers */
    foci_pairs pair;     /* of tokens that merge, */
    foci_merge *merge;   /* (pair.count) and what becomes of them */
    int32_t *ranked;     /* (ranks) their numbers, in the order of the file */
    int64_t ranks, room;
    int32_t byte[256]; /* tokens of one byte */
    int32_t *special;  /* (specials), the longest first, then as numbered */
    int specials;
    bool decodes_only;        /* nobody said how its tokens come about */
    bool begins_special[256]; /* the bytes with which one of them begins */
    foci_arena arena;
};

/* An empty one of so many tokens. */
foci_status foci_bpe_begin(foci_bpe **bpe, int64_t size);
/* Each number once, each string once, but a special token may have that of another. The text is copied. */
foci_status foci_bpe_put(foci_bpe *bpe, int64_t id, const char *text, size_t size, bool special);
/* The next rank. Tokens that are there; a pair that was there before has the later rank. */
foci_status foci_bpe_put_merge(foci_bpe *bpe, foci_string left, foci_string right);
/* All numbers are given, all bytes are tokens. */
foci_status foci_bpe_finish(foci_bpe *bpe);

/* The special token that `text` begins with, the longest; -1: none. */
int32_t foci_bpe_special_at(const foci_bpe *bpe, const char *text, size_t size);

/* Byte b stands in files as a character; the bytes in the order of these characters are the first 256 tokens. */
uint32_t foci_byte_character(unsigned char byte);
int foci_character_byte(uint32_t character); /* -1: it stands for none */
unsigned char foci_byte_numbered(int number);

#endif
