/* The fields are those of TensorFlow's event.proto and summary.proto; the framing is its TFRecord. */
#define _GNU_SOURCE
#include "run/tensorboard.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "images/png.h"
#include "task/metrics.h"

struct foci_events {
    int fd;
    off_t size; /* of whole records */
    char path[4200];
};

/* ---------------------------------------------------------------------------------------- protocol buffers */

typedef struct bytes {
    unsigned char *data;
    size_t size, room;
    bool failed; /* out of memory */
} bytes;

static void put(bytes *b, const void *data, size_t size) {
    if (b->failed || !size) return;
    if (b->size + size > b->room) {
        b->room = 2 * b->room + size + 64;
        void *grown = realloc(b->data, b->room);
        if (!grown) {
            free(b->data);
            *b = (bytes){.failed = true};
            return;
        }
        b->data = grown;
    }
    memcpy(b->data + b->size, data, size);
    b->size += size;
}

static void put_fixed(bytes *b, uint64_t x, int size) { /* little-endian */
    for (int i = 0; i < size; i++) put(b, &(unsigned char){(unsigned char)(x >> 8 * i)}, 1);
}

static void put_varint(bytes *b, uint64_t x) {
    for (; x > 127; x >>= 7) put(b, &(unsigned char){(unsigned char)(x | 128)}, 1);
    put(b, &(unsigned char){(unsigned char)x}, 1);
}

enum { VARINT, FIXED64, BYTES, FIXED32 = 5 }; /* how a field is written */
static void put_key(bytes *b, int field, int kind) { put_varint(b, (uint64_t)(field << 3 | kind)); }

static void put_int(bytes *b, int field, int64_t x) {
    put_key(b, field, VARINT);
    put_varint(b, (uint64_t)x);
}

static void put_double(bytes *b, int field, double x) {
    uint64_t bits;
    memcpy(&bits, &x, sizeof bits);
    put_key(b, field, FIXED64);
    put_fixed(b, bits, 8);
}

static void put_float(bytes *b, int field, float x) {
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    put_key(b, field, FIXED32);
    put_fixed(b, bits, 4);
}

static void put_bytes(bytes *b, int field, const void *data, size_t size) {
    put_key(b, field, BYTES);
    put_varint(b, size);
    put(b, data, size);
}

static void put_text(bytes *b, int field, const char *text) { put_bytes(b, field, text, strlen(text)); }

/* A message within a message; it is used up. */
static void put_message(bytes *b, int field, bytes *message) {
    put_bytes(b, field, message->data, message->size);
    b->failed |= message->failed;
    free(message->data);
}

/* ------------------------------------------------------------------------------------------------- records */

/* Half a byte at a time, the lowest bits first. */
uint32_t foci_crc32c(const void *data, size_t size) {
    static const uint32_t table[16] = {0x00000000, 0x105ec76f, 0x20bd8ede, 0x30e349b1, 0x417b1dbc, 0x5125dad3,
                                       0x61c69362, 0x7198540d, 0x82f63b78, 0x92a8fc17, 0xa24bb5a6, 0xb21572c9,
                                       0xc38d26c4, 0xd3d3e1ab, 0xe330a81a, 0xf36e6f75};
    uint32_t crc = UINT32_MAX;
    for (const unsigned char *p = data, *end = p + size; p < end; p++) {
        crc ^= *p;
        crc = crc >> 4 ^ table[crc & 15];
        crc = crc >> 4 ^ table[crc & 15];
    }
    return ~crc;
}

/* A checksum of data that hold checksums is weak; so it is stored in disguise. */
static uint32_t masked(uint32_t crc) { return (crc >> 15 | crc << 17) + 0xa282ead8; }

static foci_status append(foci_events *e, const bytes *record) {
    for (size_t done = 0; done < record->size;) {
        ssize_t n = write(e->fd, record->data + done, record->size - done);
        if (n >= 0) done += (size_t)n;
        else if (errno != EINTR) return foci_fail(FOCI_ERR_IO, "%s: %s", e->path, strerror(errno));
    }
    e->size += (off_t)record->size;
    return FOCI_OK;
}

/* The event is used up. */
static foci_status write_event(foci_events *e, bytes *event) {
    bytes record = {0};
    put_fixed(&record, event->size, 8);
    put_fixed(&record, masked(foci_crc32c(record.data, record.size)), 4);
    put(&record, event->data, event->size);
    put_fixed(&record, masked(foci_crc32c(event->data, event->size)), 4);
    foci_status s =
        event->failed || record.failed ? foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", e->path) : append(e, &record);
    if (s == FOCI_ERR_IO && ftruncate(e->fd, e->size) < 0) /* half a record ends the file for its readers */
        s = foci_context(s, "%s: cannot be cut to whole records", e->path);
    free(event->data);
    free(record.data);
    return s;
}

/* -------------------------------------------------------------------------------------------------- events */

static bytes event_of(int64_t step) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    bytes event = {0};
    put_double(&event, 1, (double)now.tv_sec + 1e-9 * (double)now.tv_nsec);
    put_int(&event, 2, step);
    return event;
}

/* Version 2: readers look for markers of restarts. */
static foci_status write_version(foci_events *e) {
    bytes event = event_of(0);
    put_text(&event, 3, "brain.Event:2");
    return write_event(e, &event);
}

/* A SessionLog of status START; readers drop what older files have of this step and all after it. */
static foci_status write_start(foci_events *e, int64_t step) {
    enum { START = 1 };
    bytes event = event_of(step), session = {0};
    put_int(&session, 1, START);
    put_message(&event, 7, &session);
    return write_event(e, &event);
}

static foci_status write_summary(foci_events *e, int64_t step, bytes *summary) {
    bytes event = event_of(step);
    put_message(&event, 5, summary);
    return write_event(e, &event);
}

/* What comes before the slash of a tag becomes a group of charts. */
foci_status foci_events_metrics(foci_events *e, const foci_report *line) {
    if (!e) return FOCI_OK;
    bytes summary = {0};
    int64_t step = 0;
    for (const foci_report_entry *entry = line->first; entry; entry = entry->next) {
        char text[FOCI_METRIC_NAME];
        const char *tag = foci_metric_tag(entry->name, text);
        if (strcmp(entry->name, "step") == 0) step = (int64_t)foci_report_value(entry);
        if (!tag) continue;
        bytes value = {0};
        put_text(&value, 1, tag);
        put_float(&value, 2, (float)foci_report_value(entry));
        put_message(&summary, 1, &value);
    }
    return write_summary(e, step, &summary);
}

foci_status foci_events_image(foci_events *e, int64_t step, const char *tag, const foci_image *image) {
    if (!e) return FOCI_OK;
    enum { RGB = 3 };
    int size;
    unsigned char *png = foci_png_encode(image, &size);
    if (!png) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory for a picture", e->path);
    bytes picture = {0}, value = {0}, summary = {0};
    put_int(&picture, 1, image->height);
    put_int(&picture, 2, image->width);
    put_int(&picture, 3, RGB);
    put_bytes(&picture, 4, png, (size_t)size);
    free(png);
    put_text(&value, 1, tag);
    put_message(&value, 4, &picture);
    put_message(&summary, 1, &value);
    return write_summary(e, step, &summary);
}

/* --------------------------------------------------------------------------------------------------- files */

static const char prefix[] = "events.out.tfevents.";

bool foci_events_is_file(const char *name) { return strncmp(name, prefix, strlen(prefix)) == 0; }

/* The clock's time in seconds, or one more than that of the newest file: clocks are set back, and a second is long. */
static long long next_time(const char *folder) {
    long long after = (long long)time(NULL);
    DIR *d = opendir(folder);
    for (struct dirent *f; d && (f = readdir(d));) {
        long long its = foci_events_is_file(f->d_name) ? atoll(f->d_name + strlen(prefix)) : 0;
        if (its >= after && its < 9999999999) after = its + 1;
    }
    if (d) closedir(d);
    return after;
}

static foci_status begin(foci_events *e, const char *folder, int64_t step) {
    char host[64] = "", name[160];
    if (gethostname(host, sizeof host - 1) < 0) snprintf(host, sizeof host, "host");
    for (char *p = host; *p; p++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-", *p)) *p = '_';
    snprintf(name, sizeof name, "%s%010lld.%s.%ld", prefix, next_time(folder), host, (long)getpid());
    FOCI_TRY(foci_path_join(e->path, sizeof e->path, folder, name));
    e->fd = open(e->path, O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
    if (e->fd < 0) return foci_fail(FOCI_ERR_IO, "%s: %s", e->path, strerror(errno));
    FOCI_TRY(write_version(e));
    return write_start(e, step + 1);
}

foci_status foci_events_open(foci_events **events, const char *folder, int64_t step) {
    *events = calloc(1, sizeof **events);
    if (!*events) return foci_out_of_memory();
    (*events)->fd = -1;
    foci_status s = begin(*events, folder, step);
    if (!s) return FOCI_OK;
    foci_events_close(*events);
    *events = NULL;
    return s;
}

void foci_events_close(foci_events *e) {
    if (!e) return;
    if (e->fd >= 0) close(e->fd);
    free(e);
}
