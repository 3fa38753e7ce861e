/* Token files, .bin: of llm.c (a header of 256 int32, then 2 or 4 bytes a token) and of nanoGPT (2 bytes a token and
 * nothing else, told by no mark: where they are asked for). Little-endian; mapped, never read whole. */
#ifndef FOCI_BPE_SHARDS_H
#define FOCI_BPE_SHARDS_H

#include "base/file.h"
#include "bpe/bpe.h"

enum { FOCI_SHARD_HEADER = 1024 }; /* bytes */
typedef enum foci_shard_kind { FOCI_SHARD_GPT2, FOCI_SHARD_LLAMA3, FOCI_SHARD_BARE } foci_shard_kind;

/* Does the path name token files: one that begins as they do or, bare, that is called so, a folder, or "train_*.bin"?
 */
bool foci_are_shards(const char *path, bool bare);

typedef struct foci_shard {
    char *path;
    foci_map map;
    const unsigned char *at; /* (count), width bytes each */
    int width;
    int64_t count;
} foci_shard;

/* One file, or those of a folder or pattern in the order of their names, as one stream. */
typedef struct foci_shards {
    foci_shard *shard; /* (shards) */
    int64_t shards, count;
} foci_shards;
/* FOCI_ERR_DATA with the file: no token file, a damaged one, one that another tokenizer made (as foci_shard_note says),
 * or a token that `bpe` does not have. */
foci_status foci_shards_open(foci_shards *s, const char *path, bool bare, const foci_bpe *bpe);
void foci_shards_close(foci_shards *s);
/* Tokens first .. first + count - 1. */
void foci_shards_copy(const foci_shards *s, int64_t first, int64_t count, int32_t *id);

typedef struct foci_shard_writer {
    foci_writer file;
    foci_shard_kind kind;
    int64_t count;
} foci_shard_writer;
/* Then tokens, then the end; or foci_writer_abort(&w->file). */
foci_status foci_shard_create(foci_shard_writer *w, const char *path, foci_shard_kind kind);
foci_status foci_shard_put(foci_shard_writer *w, const int32_t *id, int64_t count);
foci_status foci_shard_finish(foci_shard_writer *w);

/* PATH.json, beside a token file that foci wrote: which tokenizer made it. */
foci_status foci_shard_note(const char *path, const foci_bpe *bpe, int64_t count);

/* A stream of any length: PATH, or of `most` tokens each PATH_000000.bin, PATH_000001.bin ..., each with its note. Set
 * the first four; then tokens, then the end, or foci_shards_abort. A file that is there already is FOCI_ERR_IO. */
typedef struct foci_shards_writer {
    const char *path;
    const foci_bpe *bpe;
    foci_shard_kind kind;
    int64_t most; /* 0: one file */
    int64_t files;
    bool open; /* a file is being written */
    char name[4096];
    foci_shard_writer file;
} foci_shards_writer;
foci_status foci_shards_begin(foci_shards_writer *w); /* the first file */
foci_status foci_shards_put(foci_shards_writer *w, const int32_t *id, int64_t count);
foci_status foci_shards_finish(foci_shards_writer *w);
void foci_shards_abort(foci_shards_writer *w); /* files that are complete stay */

#endif
