/* Characters of a text of any bytes, and the four classes of them by which it is cut into pieces. */
#ifndef FOCI_BPE_CLASSES_H
#define FOCI_BPE_CLASSES_H

#include <stddef.h>
#include <stdint.h>

typedef enum foci_class { FOCI_OTHER, FOCI_LETTER, FOCI_NUMBER, FOCI_SPACE } foci_class;

typedef struct foci_character {
    foci_class class;
    uint32_t length; /* in bytes */
} foci_character;

extern const unsigned char foci_ascii_class[128];
/* Of bytes from 0x80 on; one that no character of UTF-8 begins with is a character by itself, FOCI_OTHER. */
foci_character foci_wide_character(const unsigned char *text, size_t size);

/* The one that `text`, of `size` bytes, at least one, begins with. */
static inline foci_character foci_character_of(const unsigned char *text, size_t size) {
    if (*text < 0x80) return (foci_character){(foci_class)foci_ascii_class[*text], 1};
    return foci_wide_character(text, size);
}

#endif
