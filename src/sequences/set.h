/* What the readers of this room fill. */
#ifndef FOCI_SEQUENCES_SET_H
#define FOCI_SEQUENCES_SET_H

#include "base/arena.h"
#include "sequences/rows.h"
#include "sequences/sequences.h"

typedef struct foci_sequence {
    const char *at[2]; /* of each side: its bytes, or the name of its file below the set's path */
    int64_t length[2]; /* tokens */
    size_t bytes;      /* of the first side's text, where that is another number */
    int64_t line;      /* of the file; 0: of files of their own */
    int32_t label;
} foci_sequence;

/* How a kind of sequence is read. */
typedef struct foci_sequence_kind {
    int64_t vocabulary;
    bool full;     /* all are of one length, and none is cut */
    bool in_front; /* padding stands in front, and is not told from tokens */
    /* The first `most` ids of a side. */
    foci_status (*read)(const foci_sequences *s, const foci_sequence *x, int side, int64_t most, int32_t *ids);
    foci_status (*prove)(const foci_sequences *s, const foci_sequence *x); /* NULL: there is nothing to prove */
    void (*token)(const foci_sequences *s, int32_t id, char text[FOCI_TOKEN_TEXT]);
} foci_sequence_kind;

struct foci_sequences {
    const foci_sequence_kind *kind;
    char *path;
    int sides;
    foci_rows rows;         /* of a file of lines */
    foci_image_set *images; /* of labelled images: item i is image i */
    foci_pixel_options pixels;
    int height, width;            /* of images */
    const foci_vocabulary *words; /* of sentences; NULL: tokens are numbers of the kind's own */
    int64_t unknown;              /* words that are none of them */
    foci_sequence *item;
    int64_t count, room, passed_over;
    const char **class_name;
    int classes, class_room;
    foci_arena names;
};

/* Empty; closed by the caller after a failure of what fills it. */
foci_status foci_sequences_new(foci_sequences **s, const foci_sequence_kind *kind, const char *path, int sides);
foci_status foci_sequences_add(foci_sequences *s, const foci_sequence *x);
/* The number of a class, which is a new one where nothing has been called so; "1.0" is 1. */
foci_status foci_sequences_class(foci_sequences *s, const char *name, size_t length, int32_t *label);
/* When all are in: classes are sorted, as numbers where all are; what cannot be trained on is refused. */
foci_status foci_sequences_end(foci_sequences *s);
foci_status foci_sequences_no_memory(const foci_sequences *s);
/* Opens by this function, closes after a failure. */
foci_status foci_sequences_filled(foci_sequences **s, foci_status status);

/* Grey as PIL's "L". `name`: for messages. */
foci_status foci_grey_pixels(const foci_sequences *s, const foci_image *image, const char *name, int64_t most,
                             int32_t *ids);
foci_status foci_grey_shape(foci_sequences *s, const foci_image *first);
extern const foci_sequence_kind foci_pixel_kind;

#endif
