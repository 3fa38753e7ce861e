/* Characters of UTF-8. */
#ifndef FOCI_BASE_UTF8_H
#define FOCI_BASE_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The character that `text`, of `size` bytes, begins with: its length in bytes, 0 where it is none. */
int foci_utf8(const char *text, size_t size, uint32_t *code);
/* The reverse: writes the character, not ended, and returns its length. */
int foci_utf8_put(uint32_t code, char text[4]);

#endif
