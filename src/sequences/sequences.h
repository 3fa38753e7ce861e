/* Labelled sequences of token ids, each short of a length that all are padded to with zeros: what classifiers of
 * sequences learn from, in the forms in which the Long Range Arena publishes its five tasks, and sentences. */
#ifndef FOCI_SEQUENCES_SEQUENCES_H
#define FOCI_SEQUENCES_SEQUENCES_H

#include "data/manifest.h"
#include "images/images.h"
#include "text/text.h"

typedef struct foci_sequences foci_sequences;

/* ListOps: lines "SOURCE<TAB>TARGET" below a header that says so, or "VALUE<TAB>EXPRESSION" without one; plain or
 * gzip. Ids: 1 to 10 the digits, then MIN, MAX, MED, SM and ]; round brackets are dropped. */
foci_status foci_listops_open(foci_sequences **s, const char *path);

/* The first `most` ids of an expression by itself, and how many (of what needs no words to be read by); FOCI_ERR_DATA
 * says what is wrong with it. */
foci_status foci_listops_line(const foci_vocabulary *words, const char *text, int64_t most, int32_t *ids,
                              int64_t *length);

/* Texts as bytes, id = byte + 1: lines "LABEL<TAB>TEXT", or "TEXT<TAB>LABEL" where the label is the last; plain or
 * gzip. Or a folder CLASS/FILE.txt, as IMDB's reviews are (unsup, which has no labels, is passed over). */
foci_status foci_byte_text_open(foci_sequences **s, const char *path, bool label_last);

foci_status foci_byte_line(const foci_vocabulary *words, const char *text, int64_t most, int32_t *ids,
                           int64_t *length); /* likewise of a text */

/* Pairs of texts: lines "LABEL<TAB>ID<TAB>ID<TAB>TEXT<TAB>TEXT" as AAN's, or without the ids. */
foci_status foci_byte_pairs_open(foci_sequences **s, const char *path);

/* Sentences of words, "SENTENCE<TAB>LABEL" (SST-2), perhaps below GLUE's header that says so; plain or gzip. A sentence
 * is split at white space, its ASCII letters become small, and it stands between the words <CLS> and <S>; one that is
 * cut keeps its <S>. Padding, the 0 of <eos>, goes in front and is not told from words. */
foci_status foci_sentences_open(foci_sequences **s, const char *path);
foci_status foci_sentences_count(const foci_sequences *s, foci_vocabulary *words); /* counts theirs too */
/* What ids they have from now on; it must outlive them. A word that it does not have is <unk>, or is passed over where
 * there is no <unk>. */
foci_status foci_sentences_number(foci_sequences *s, const foci_vocabulary *words);
foci_status foci_sentence_line(const foci_vocabulary *words, const char *text, int64_t most, int32_t *ids,
                               int64_t *length);
int64_t foci_sequences_unknown(const foci_sequences *s); /* words of sentences that the vocabulary does not have */

/* Images as rows of grey pixels, 0 to 255, row by row. */
typedef struct foci_pixel_options {
    int64_t size;          /* side that images are resized to (shorter side, then cut); 0: as they are, all alike */
    bool black_is_padding; /* pixels of 0 are masked out */
} foci_pixel_options;
/* Of a labelled set of images, which the sequences take over, after a failure too. */
foci_status foci_pixels_open(foci_sequences **s, foci_image_set *images, const foci_pixel_options *options);
/* Of a folder of Pathfinder: ROOT/metadata/N.npy are lines "imgs/N FILE ... LABEL ...", in the order of N. The part of
 * them from `first` to `end`, shares of all. Files of 0 bytes, of which the published set has one, are passed over. */
foci_status foci_pathfinder_open(foci_sequences **s, const char *root, double first, double end,
                                 const foci_pixel_options *options);
void foci_sequences_close(foci_sequences *s); /* NULL is fine */

const char *foci_sequences_path(const foci_sequences *s);
int64_t foci_sequences_count(const foci_sequences *s);
int foci_sequences_sides(const foci_sequences *s);          /* sequences of a sample: 1, or 2 of a pair */
int64_t foci_sequences_vocabulary(const foci_sequences *s); /* ids are below it */
int foci_sequences_classes(const foci_sequences *s);
const char *foci_sequences_class_name(const foci_sequences *s, int label);
int32_t foci_sequences_label(const foci_sequences *s, int64_t i);
int64_t foci_sequences_length(const foci_sequences *s, int64_t i, int side);
/* "FILE:17", "cat/1.png" */
void foci_sequences_name(const foci_sequences *s, int64_t i, char *name, size_t size);
int64_t foci_sequences_passed_over(const foci_sequences *s); /* files of 0 bytes */

/* Labels become the places of the classes among these names. FOCI_ERR_DATA with the first sample whose class is none of
 * them. */
foci_status foci_sequences_take_labels(foci_sequences *s, const char *const *names, int count);

/* Must padding be told from tokens where sequences are `longest` long? */
bool foci_sequences_padded(const foci_sequences *s, int64_t longest);
/* Does padding stand in front? */
bool foci_sequences_in_front(const foci_sequences *s);
/* Sample i: rows of `longest` ids, one a side, what is longer cut (to `cut`, which is at most that) and zeros behind,
 * or in front of, what is shorter; mask (may be NULL): 1 where there is a token. */
foci_status foci_sequences_read(const foci_sequences *s, int64_t i, int64_t longest, int64_t cut, int32_t *ids,
                                foci_real *mask);
/* Does the label follow from the sequence? FOCI_ERR_DATA where it does not; nothing is known of most kinds. */
foci_status foci_sequences_prove(const foci_sequences *s, int64_t i);
/* A token for people, to stand in a row: "[MIN ", "a", "." for a byte that no terminal prints, "word ". */
enum { FOCI_TOKEN_TEXT = 64 };
void foci_sequences_token(const foci_sequences *s, int32_t id, char text[FOCI_TOKEN_TEXT]);
/* Height and width of images; 0: they are none. */
void foci_sequences_shape(const foci_sequences *s, int *height, int *width);

/* Reads all that were not read when the set was opened, where their files are few (foci_manifest_is_small); of many
 * images, looks whether each is there and begins as one. FOCI_ERR_DATA names one that is bad. */
foci_status foci_sequences_look(const foci_sequences *s);
/* Adds its files; the set must live as long as the manifest. */
foci_status foci_sequences_list(const foci_sequences *s, const char *part, foci_manifest *m);

/* ---- batches, made ahead by `workers` threads; what they hold depends on (seed, epoch) alone */

typedef struct foci_sequence_batch {
    int64_t count;      /* samples; 0: the epoch is over */
    int64_t longest;    /* ids of a row */
    const int32_t *ids; /* (count sides, longest); valid until the next call */
    const foci_real *mask;
    const int32_t *labels; /* (count) */
    const int64_t *index;
} foci_sequence_batch;
typedef struct foci_sequence_options {
    int64_t longest, cut, batch;
    bool shuffle, drop_last;
    uint64_t seed;
    int workers;
    bool fit; /* rows of a batch are as long as the longest of it, not as `longest` */
} foci_sequence_options;
typedef struct foci_sequence_loader foci_sequence_loader;
foci_status foci_sequence_loader_open(foci_sequence_loader **loader, const foci_sequences *s,
                                      const foci_sequence_options *options);
int64_t foci_sequence_loader_batches(const foci_sequence_loader *loader); /* in an epoch */
/* Before the first batch: only places first .. end - 1 of each will be looked at, and no others are read. */
void foci_sequence_loader_share(foci_sequence_loader *loader, int64_t first, int64_t end);
foci_status foci_sequence_loader_seek(foci_sequence_loader *loader, int64_t epoch, int64_t batch);
foci_status foci_sequence_loader_next(foci_sequence_loader *loader, foci_sequence_batch *batch);
void foci_sequence_loader_close(foci_sequence_loader *loader); /* NULL is fine */

#endif
