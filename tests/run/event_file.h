/* Reads TensorBoard's event files, on its own: nothing here is shared with the code that writes them. It looks at no
 * byte outside what it is given, and in no field is a length believed before it is compared with what is left. */
#ifndef FOCI_TESTS_EVENT_FILE_H
#define FOCI_TESTS_EVENT_FILE_H

#include <stdbool.h>

#include "check.h"

typedef struct span {
    const unsigned char *at, *end;
} span;
static inline size_t left(span s) { return (size_t)(s.end - s.at); }

enum { MOST_VALUES = 24, MOST_TEXT = 64 };
typedef struct value {
    char tag[MOST_TEXT];
    bool scalar;
    float number;
    int height, width, colours;
    span picture; /* in the file's bytes */
} value;
typedef struct event {
    double time;
    int64_t step;
    char version[MOST_TEXT];
    int session; /* status of a SessionLog; 1: START */
    int values;
    value value[MOST_VALUES];
} event;

/* ---------------------------------------------------------------------------------------- protocol buffers */

static inline uint64_t little_endian(const unsigned char *p, int size) {
    uint64_t x = 0;
    for (int i = 0; i < size; i++) x |= (uint64_t)p[i] << 8 * i;
    return x;
}

static inline bool take_varint(span *s, uint64_t *x) {
    *x = 0;
    for (int shift = 0; shift < 64 && s->at < s->end; shift += 7) {
        unsigned char b = *s->at++;
        *x |= (uint64_t)(b & 127) << shift;
        if (b < 128) return true;
    }
    return false;
}

typedef struct field {
    uint64_t number, kind, x; /* x: what it holds, or how long it is */
    span bytes;
} field;
enum { IS_INT = 0, IS_64_BITS = 1, IS_BYTES = 2, IS_32_BITS = 5 };

static inline bool take_field(span *s, field *f) {
    uint64_t key;
    if (!take_varint(s, &key)) return false;
    *f = (field){.number = key >> 3, .kind = key & 7};
    if (f->kind == IS_INT) return take_varint(s, &f->x);
    if (f->kind == IS_BYTES) {
        if (!take_varint(s, &f->x)) return false;
    } else if (f->kind == IS_64_BITS) f->x = 8;
    else if (f->kind == IS_32_BITS) f->x = 4;
    else return false;
    if (f->x > left(*s)) return false;
    f->bytes = (span){s->at, s->at + f->x};
    s->at += f->x;
    if (f->kind != IS_BYTES) f->x = little_endian(f->bytes.at, (int)f->x);
    return true;
}

static inline bool is(const field *f, uint64_t number, uint64_t kind) { return f->number == number && f->kind == kind; }

static inline bool take_text(const field *f, char text[MOST_TEXT]) {
    if (f->x >= MOST_TEXT || memchr(f->bytes.at, 0, f->x)) return false;
    memcpy(text, f->bytes.at, f->x);
    text[f->x] = 0;
    return true;
}

static inline bool parse_image(span s, value *v) {
    for (field f; left(s);) {
        if (!take_field(&s, &f)) return false;
        if (is(&f, 1, IS_INT)) v->height = (int)f.x;
        if (is(&f, 2, IS_INT)) v->width = (int)f.x;
        if (is(&f, 3, IS_INT)) v->colours = (int)f.x;
        if (is(&f, 4, IS_BYTES)) v->picture = f.bytes;
    }
    return true;
}

static inline bool parse_value(span s, value *v) {
    for (field f; left(s);) {
        if (!take_field(&s, &f)) return false;
        if (is(&f, 1, IS_BYTES) && !take_text(&f, v->tag)) return false;
        if (is(&f, 4, IS_BYTES) && !parse_image(f.bytes, v)) return false;
        if (is(&f, 2, IS_32_BITS)) {
            uint32_t bits = (uint32_t)f.x;
            memcpy(&v->number, &bits, 4);
            v->scalar = true;
        }
    }
    return true;
}

static inline bool parse_summary(span s, event *e) {
    for (field f; left(s);) {
        if (!take_field(&s, &f)) return false;
        if (!is(&f, 1, IS_BYTES)) continue;
        if (e->values == MOST_VALUES || !parse_value(f.bytes, &e->value[e->values++])) return false;
    }
    return true;
}

static inline bool parse_session(span s, event *e) {
    for (field f; left(s);) {
        if (!take_field(&s, &f)) return false;
        if (is(&f, 1, IS_INT)) e->session = (int)f.x;
    }
    return true;
}

static inline bool parse_event(span s, event *e) {
    memset(e, 0, sizeof *e);
    for (field f; left(s);) {
        if (!take_field(&s, &f)) return false;
        if (is(&f, 1, IS_64_BITS)) memcpy(&e->time, &f.x, 8);
        if (is(&f, 2, IS_INT)) e->step = (int64_t)f.x;
        if (is(&f, 3, IS_BYTES) && !take_text(&f, e->version)) return false;
        if (is(&f, 5, IS_BYTES) && !parse_summary(f.bytes, e)) return false;
        if (is(&f, 7, IS_BYTES) && !parse_session(f.bytes, e)) return false;
    }
    return true;
}

/* ------------------------------------------------------------------------------------------------- records */

/* CRC-32C bit by bit, masked. */
static inline uint32_t checksum(const unsigned char *p, size_t size) {
    uint32_t crc = 0xffffffff;
    for (size_t i = 0; i < size; i++) {
        crc ^= p[i];
        for (int k = 0; k < 8; k++) crc = crc & 1 ? crc >> 1 ^ 0x82f63b78 : crc >> 1;
    }
    crc = ~crc;
    return (crc >> 15 | crc << 17) + 0xa282ead8;
}

/* The next record's data; or what is wrong. */
static inline const char *take_record(span *s, span *data) {
    if (left(*s) < 12) return "cut off in a length";
    uint64_t size = little_endian(s->at, 8);
    if (little_endian(s->at + 8, 4) != checksum(s->at, 8)) return "a wrong length";
    s->at += 12;
    if (left(*s) < 4 || size > left(*s) - 4) return "cut off in data";
    *data = (span){s->at, s->at + size};
    s->at += size;
    if (little_endian(s->at, 4) != checksum(data->at, size)) return "wrong data";
    s->at += 4;
    return NULL;
}

/* Up to `room` events; NULL, or what is wrong after *count of them. */
static inline const char *read_events(span s, event *list, int room, int *count) {
    for (*count = 0; left(s); ++*count) {
        span data;
        const char *wrong = take_record(&s, &data);
        if (wrong) return wrong;
        if (*count == room) return "too many events";
        if (!parse_event(data, &list[*count])) return "no event";
    }
    return NULL;
}

#endif
