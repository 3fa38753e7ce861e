#include "core/safetensors.h"

#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* A header of more than this, some 160,000 tensors or a vocabulary of a million words, is no weights file. The JSON
 * parser may need 70 times as much memory. */
static const uint64_t max_header = 16 << 20;

/* Files of foci begin with this, then 16 hexadecimal digits: XXH3-64 of header and data with zeros for the
 * digits. */
static const char checksum_prefix[] = "{\"__metadata__\":{\"xxh3\":\"";
enum { PREFIX = sizeof checksum_prefix - 1, DIGITS = 16 };
static const char no_digits[] = "0000000000000000";

static const struct {
    const char *name;
    size_t size;
    bool real;
} stored[] = {
    [FOCI_STORED_F64] = {"F64", 8, true},   [FOCI_STORED_F32] = {"F32", 4, true}, [FOCI_STORED_F16] = {"F16", 2, true},
    [FOCI_STORED_BF16] = {"BF16", 2, true}, [FOCI_STORED_I64] = {"I64", 8},       [FOCI_STORED_I32] = {"I32", 4},
    [FOCI_STORED_I16] = {"I16", 2},         [FOCI_STORED_I8] = {"I8", 1},         [FOCI_STORED_U8] = {"U8", 1},
    [FOCI_STORED_BOOL] = {"BOOL", 1},
};
enum { STORED = sizeof stored / sizeof *stored };

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the files are little-endian, and memory is copied as it is");

static uint64_t bits(const unsigned char *p, size_t bytes) {
    uint64_t u = 0;
    memcpy(&u, p, bytes);
    return u;
}

static foci_status lies(const foci_safetensors *f, const char *fmt, ...) FOCI_PRINTF(2, 3);
static foci_status lies(const foci_safetensors *f, const char *fmt, ...) {
    char text[1024];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    return foci_fail(FOCI_ERR_CHECKPOINT, "%s: %s", f->path, text);
}

static foci_status out_of_memory(const char *path) {
    return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory for the tensors' names", path);
}

char *foci_safetensor_shape(char *text, size_t size, int ndim, const int64_t *shape) {
    size_t n = 0;
    snprintf(text, size, "(");
    for (int i = 0; i < ndim && n + 1 < size; i++) {
        n = strlen(text);
        snprintf(text + n, size - n, "%s%lld", i ? ", " : "", (long long)shape[i]);
    }
    n = strlen(text);
    if (n + 1 < size) snprintf(text + n, size - n, ")");
    return text;
}

/* ------------------------------------------------------------------------------------------------ reading */

static foci_status read_dtype(const foci_safetensors *f, foci_safetensor *t, const json_t *value) {
    const char *name = json_string_value(value);
    if (!name) return lies(f, "tensor %s: dtype is not a string", t->name);
    for (int i = 0; i < STORED; i++)
        if (strcmp(stored[i].name, name) == 0) {
            t->dtype = (foci_stored)i;
            return FOCI_OK;
        }
    return lies(f, "tensor %s: dtype %.32s is not one that foci reads", t->name, name);
}

static foci_status read_shape(const foci_safetensors *f, foci_safetensor *t, const json_t *value) {
    if (!json_is_array(value)) return lies(f, "tensor %s: shape is not a list", t->name);
    if (json_array_size(value) > FOCI_SAFETENSORS_MAX_DIMS)
        return lies(f, "tensor %s: %zu dimensions, at most %d", t->name, json_array_size(value),
                    FOCI_SAFETENSORS_MAX_DIMS);
    t->ndim = (int)json_array_size(value);
    t->numel = 1;
    for (int i = 0; i < t->ndim; i++) {
        const json_t *d = json_array_get(value, (size_t)i);
        if (!json_is_integer(d) || json_integer_value(d) < 0)
            return lies(f, "tensor %s: dimension %d is not a whole number", t->name, i);
        t->shape[i] = json_integer_value(d);
        if (__builtin_mul_overflow(t->numel, t->shape[i], &t->numel) || t->numel > INT64_MAX / 8)
            return lies(f, "tensor %s: the shape holds more elements than any file", t->name);
    }
    return FOCI_OK;
}

static foci_status read_offsets(const foci_safetensors *f, foci_safetensor *t, const json_t *value, size_t available) {
    const json_t *first = json_array_get(value, 0), *end = json_array_get(value, 1);
    if (json_array_size(value) != 2 || !json_is_integer(first) || !json_is_integer(end))
        return lies(f, "tensor %s: data_offsets is not a pair of whole numbers", t->name);
    int64_t a = json_integer_value(first), b = json_integer_value(end);
    if (a < 0 || b < a) return lies(f, "tensor %s: data_offsets [%" PRId64 ", %" PRId64 "] is no range", t->name, a, b);
    if ((uint64_t)b > available)
        return lies(f, "tensor %s: its data end at byte %" PRId64 " of %zu: the file is cut short or the header lies",
                    t->name, b, available);
    t->first = (size_t)a;
    t->end = (size_t)b;
    return FOCI_OK;
}

static foci_status read_tensor(const foci_safetensors *f, foci_safetensor *t, const json_t *entry, size_t available) {
    if (!json_is_object(entry)) return lies(f, "tensor %s: its entry is not an object", t->name);
    const json_t *dtype = json_object_get(entry, "dtype"), *shape = json_object_get(entry, "shape");
    const json_t *offsets = json_object_get(entry, "data_offsets");
    if (!dtype || !shape || !offsets || json_object_size(entry) != 3)
        return lies(f, "tensor %s: its entry is not made of dtype, shape and data_offsets", t->name);
    FOCI_TRY(read_dtype(f, t, dtype));
    FOCI_TRY(read_shape(f, t, shape));
    FOCI_TRY(read_offsets(f, t, offsets, available));
    uint64_t bytes = (uint64_t)t->numel * stored[t->dtype].size;
    if (bytes != t->end - t->first) {
        char text[256];
        return lies(f, "tensor %s: %s %s takes %" PRIu64 " bytes, its data_offsets span %zu", t->name,
                    stored[t->dtype].name, foci_safetensor_shape(text, sizeof text, t->ndim, t->shape), bytes,
                    t->end - t->first);
    }
    return FOCI_OK;
}

static foci_status read_metadata(foci_safetensors *f, json_t *object) {
    if (!json_is_object(object)) return lies(f, "__metadata__ is not an object");
    f->metadata = foci_arena_alloc(&f->arena, json_object_size(object) * sizeof *f->metadata);
    if (!f->metadata) return out_of_memory(f->path);
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value) {
        if (!json_is_string(value)) return lies(f, "__metadata__: %.64s is not a string", key);
        foci_text_pair *pair = &f->metadata[f->pairs++];
        pair->key = foci_arena_strdup(&f->arena, key);
        pair->value = foci_arena_strdup(&f->arena, json_string_value(value));
        if (!pair->key || !pair->value) return out_of_memory(f->path);
    }
    return FOCI_OK;
}

static int by_offset(const void *a, const void *b) {
    const foci_safetensor *x = a, *y = b;
    if (x->first != y->first) return x->first < y->first ? -1 : 1;
    return (x->end > y->end) - (x->end < y->end); /* empty tensors first */
}

static int by_name(const void *a, const void *b) {
    return strcmp(((const foci_safetensor *)a)->name, ((const foci_safetensor *)b)->name);
}

/* Every byte of the data belongs to exactly one tensor. */
static foci_status check_cover(foci_safetensors *f, size_t available) {
    qsort(f->tensor, (size_t)f->count, sizeof *f->tensor, by_offset);
    size_t end = 0;
    for (int i = 0; i < f->count; i++) {
        const foci_safetensor *t = &f->tensor[i];
        if (t->first < end) return lies(f, "tensor %s overlaps tensor %s", t->name, f->tensor[i - 1].name);
        if (t->first > end) return lies(f, "%zu bytes before tensor %s belong to none", t->first - end, t->name);
        end = t->end;
    }
    if (end != available) return lies(f, "%zu bytes after the last tensor", available - end);
    return FOCI_OK;
}

static bool is_printable(const char *name) {
    for (; *name; name++)
        if ((unsigned char)*name < ' ' || *name == 127) return false;
    return true;
}

static foci_status read_header(foci_safetensors *f, json_t *header, size_t available) {
    if (!json_is_object(header)) return lies(f, "the header is not a JSON object");
    f->tensor = foci_arena_alloc(&f->arena, (json_object_size(header) + 1) * sizeof *f->tensor);
    if (!f->tensor) return out_of_memory(f->path);
    const char *name;
    json_t *entry;
    json_object_foreach(header, name, entry) {
        if (strcmp(name, "__metadata__") == 0) {
            FOCI_TRY(read_metadata(f, entry));
            continue;
        }
        foci_safetensor *t = &f->tensor[f->count++];
        if (!(t->name = foci_arena_strdup(&f->arena, name))) return out_of_memory(f->path);
        if (!is_printable(name)) return lies(f, "the name of tensor %d holds a control character", f->count - 1);
        FOCI_TRY(read_tensor(f, t, entry, available));
    }
    FOCI_TRY(check_cover(f, available));
    qsort(f->tensor, (size_t)f->count, sizeof *f->tensor, by_name);
    return FOCI_OK;
}

static foci_status verify_checksum(foci_safetensors *f, size_t header_size) {
    const unsigned char *p = f->map.data + 8;
    if (header_size < PREFIX + DIGITS || memcmp(p, checksum_prefix, PREFIX) != 0) return FOCI_OK;
    const unsigned char *rest = p + PREFIX + DIGITS;
    XXH3_state_t *state = XXH3_createState();
    if (!state) return out_of_memory(f->path);
    XXH3_64bits_reset(state);
    XXH3_64bits_update(state, p, PREFIX);
    XXH3_64bits_update(state, no_digits, DIGITS);
    XXH3_64bits_update(state, rest, f->map.size - (size_t)(rest - f->map.data));
    char digits[DIGITS + 1];
    snprintf(digits, sizeof digits, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(state));
    XXH3_freeState(state);
    if (memcmp(digits, p + PREFIX, DIGITS) != 0)
        return lies(f, "the checksum does not match: the file was damaged or changed after it was written");
    f->verified = true;
    return FOCI_OK;
}

static foci_status read_file(foci_safetensors *f) {
    size_t size = f->map.size;
    if (size < 8) return lies(f, "%zu bytes, too short for a safetensors file", size);
    uint64_t header_size = bits(f->map.data, 8);
    if (header_size > size - 8)
        return lies(f, "a header of %" PRIu64 " bytes in a file of %zu: no safetensors file, or cut short", header_size,
                    size);
    if (header_size > max_header)
        return lies(f, "a header of %" PRIu64 " bytes, at most %" PRIu64, header_size, max_header);
    f->data = f->map.data + 8 + header_size;
    json_error_t error;
    json_t *header = json_loadb((const char *)f->map.data + 8, header_size, JSON_REJECT_DUPLICATES, &error);
    if (!header) return lies(f, "header: %s at byte %d", error.text, error.position);
    foci_status status = read_header(f, header, size - 8 - header_size);
    json_decref(header);
    return status ? status : verify_checksum(f, header_size);
}

foci_status foci_safetensors_open(foci_safetensors *f, const char *path) {
    *f = (foci_safetensors){.path = path};
    FOCI_TRY(foci_map_open(&f->map, path, FOCI_ERR_CHECKPOINT));
    foci_status status = (f->path = foci_arena_strdup(&f->arena, path)) ? read_file(f) : out_of_memory(path);
    if (status) foci_safetensors_close(f);
    return status;
}

foci_status foci_safetensors_checksum(const char *path, char digits[FOCI_CHECKSUM]) {
    foci_map map;
    FOCI_TRY(foci_map_open(&map, path, FOCI_ERR_CHECKPOINT));
    const char *header = (const char *)map.data + 8;
    const bool ours = map.size >= 8 + PREFIX + DIGITS && memcmp(header, checksum_prefix, PREFIX) == 0;
    if (ours) snprintf(digits, FOCI_CHECKSUM, "%.*s", DIGITS, header + PREFIX);
    else snprintf(digits, FOCI_CHECKSUM, "%016llx", (unsigned long long)XXH3_64bits(map.data, map.size));
    foci_map_close(&map);
    return FOCI_OK;
}

void foci_safetensors_close(foci_safetensors *f) {
    foci_map_close(&f->map);
    foci_arena_free(&f->arena);
    *f = (foci_safetensors){0};
}

const foci_safetensor *foci_safetensors_find(const foci_safetensors *f, const char *name) {
    foci_safetensor key = {.name = name};
    return f->count ? bsearch(&key, f->tensor, (size_t)f->count, sizeof key, by_name) : NULL;
}

const char *foci_safetensors_metadata(const foci_safetensors *f, const char *key) {
    for (int i = 0; i < f->pairs; i++)
        if (strcmp(f->metadata[i].key, key) == 0) return f->metadata[i].value;
    return NULL;
}

/* --------------------------------------------------------------------------------------------- conversion */

static double half(uint64_t u) {
    int exponent = (int)(u >> 10 & 31);
    double fraction = (double)(u & 1023);
    double x = exponent == 31 ? (fraction != 0 ? (double)NAN : (double)INFINITY)
               : exponent     ? ldexp(1024 + fraction, exponent - 25)
                              : ldexp(fraction, -24);
    return u >> 15 ? -x : x;
}

static double single(uint64_t u) {
    uint32_t word = (uint32_t)u;
    float x;
    memcpy(&x, &word, sizeof x);
    return x;
}

static double real_element(foci_stored dtype, const unsigned char *p) {
    uint64_t u = bits(p, stored[dtype].size);
    double x;
    switch (dtype) {
    case FOCI_STORED_F64: memcpy(&x, &u, sizeof x); return x;
    case FOCI_STORED_F32: return single(u);
    case FOCI_STORED_BF16: return single(u << 16);
    default: return half(u);
    }
}

static int64_t int_element(foci_stored dtype, const unsigned char *p) {
    uint64_t u = bits(p, stored[dtype].size);
    switch (dtype) {
    case FOCI_STORED_I32: return (int32_t)u;
    case FOCI_STORED_I16: return (int16_t)u;
    case FOCI_STORED_I8: return (int8_t)u;
    default: return (int64_t)u;
    }
}

bool foci_safetensor_whole(const foci_safetensor *t) { return !stored[t->dtype].real; }

foci_status foci_safetensors_reals(const foci_safetensors *f, const foci_safetensor *t, int64_t first, int64_t count,
                                   foci_real *out) {
    if (!stored[t->dtype].real)
        return lies(f, "tensor %s holds %s, not floating-point numbers", t->name, stored[t->dtype].name);
    const unsigned char *p = f->data + t->first + (size_t)first * stored[t->dtype].size;
    for (int64_t i = 0; i < count; i++, p += stored[t->dtype].size) {
        double x = real_element(t->dtype, p);
        out[i] = (foci_real)x;
        if (isfinite(x) && !isfinite(out[i]))
            return lies(f, "tensor %s: element %" PRId64 " is %g, beyond single precision", t->name, first + i, x);
    }
    return FOCI_OK;
}

foci_status foci_safetensors_ints(const foci_safetensors *f, const foci_safetensor *t, int64_t first, int64_t count,
                                  int32_t *out) {
    if (stored[t->dtype].real) return lies(f, "tensor %s holds %s, not whole numbers", t->name, stored[t->dtype].name);
    const unsigned char *p = f->data + t->first + (size_t)first * stored[t->dtype].size;
    for (int64_t i = 0; i < count; i++, p += stored[t->dtype].size) {
        int64_t x = int_element(t->dtype, p);
        if (x < INT32_MIN || x > INT32_MAX)
            return lies(f, "tensor %s: element %" PRId64 " is %" PRId64 ", beyond 32 bits", t->name, first + i, x);
        out[i] = (int32_t)x;
    }
    return FOCI_OK;
}

/* ------------------------------------------------------------------------------------------------ writing */

static int64_t numel(const foci_safetensor_item *item) {
    int64_t n = 1;
    for (int i = 0; i < item->ndim; i++) n *= item->shape[i];
    return n;
}

static json_t *entry_of(const foci_safetensor_item *item, int64_t *at) {
    json_t *shape = json_array();
    for (int i = 0; i < item->ndim; i++) json_array_append_new(shape, json_integer(item->shape[i]));
    int64_t first = *at;
    *at += numel(item) * (int64_t)sizeof(float);
    return json_pack("{s:s, s:o, s:[I,I]}", "dtype", "F32", "shape", shape, "data_offsets", (json_int_t)first,
                     (json_int_t)*at);
}

/* The header's text with zeros for the checksum, padded so that the data begin on a 64-byte boundary of the
 * file. */
static char *header_text(const foci_safetensor_item *item, int count, const foci_text_pair *metadata, int pairs,
                         size_t *size) {
    json_t *header = json_object(), *text_pairs = json_object();
    bool ok = json_object_set_new(text_pairs, "xxh3", json_string(no_digits)) == 0;
    for (int i = 0; i < pairs; i++)
        ok &= json_object_set_new(text_pairs, metadata[i].key, json_string(metadata[i].value)) == 0;
    ok &= json_object_set_new(header, "__metadata__", text_pairs) == 0;
    int64_t at = 0;
    for (int i = 0; i < count; i++) ok &= json_object_set_new(header, item[i].name, entry_of(&item[i], &at)) == 0;
    char *text = ok ? json_dumps(header, JSON_COMPACT) : NULL;
    json_decref(header);
    if (!text) return NULL;
    size_t length = strlen(text), padded = (length + 8 + 63) / 64 * 64 - 8;
    char *out = malloc(padded + 1);
    if (out) {
        memcpy(out, text, length);
        memset(out + length, ' ', padded - length);
    }
    free(text);
    *size = padded;
    return out;
}

/* Calls `sink` with the tensor's bytes as they lie in the file. */
typedef void byte_sink(void *context, const void *data, size_t size);
static void each_bytes(const foci_safetensor_item *item, byte_sink *sink, void *context) {
    const int64_t n = numel(item), rows = item->transposed ? item->shape[0] : 1, columns = n / (rows > 0 ? rows : 1);
    float chunk[16384];
    enum { CHUNK = sizeof chunk / sizeof *chunk };
    for (int64_t i = 0; i < n; i += CHUNK) {
        int64_t m = n - i < CHUNK ? n - i : CHUNK;
        for (int64_t j = 0; j < m; j++) {
            const int64_t at = i + j;
            chunk[j] = (float)item->data[item->transposed ? at % columns * rows + at / columns : at];
        }
        sink(context, chunk, (size_t)m * sizeof *chunk);
    }
}

static void hash_sink(void *context, const void *data, size_t size) { XXH3_64bits_update(context, data, size); }
static void write_sink(void *context, const void *data, size_t size) { foci_write(context, data, size); }

static foci_status put_checksum(char *header, size_t size, const foci_safetensor_item *item, int count,
                                const char *path) {
    XXH3_state_t *state = XXH3_createState();
    if (!state) return out_of_memory(path);
    XXH3_64bits_reset(state);
    XXH3_64bits_update(state, header, size);
    for (int i = 0; i < count; i++) each_bytes(&item[i], hash_sink, state);
    char digits[DIGITS + 1];
    snprintf(digits, sizeof digits, "%016" PRIx64, (uint64_t)XXH3_64bits_digest(state));
    XXH3_freeState(state);
    memcpy(header + PREFIX, digits, DIGITS);
    return FOCI_OK;
}

/* What is on disk is what was meant to be: it carries the checksum of it. */
static foci_status read_back(const char *temporary, const char *path) {
    foci_safetensors f;
    foci_status status = foci_safetensors_open(&f, temporary);
    bool good = !status && f.verified;
    if (!status) foci_safetensors_close(&f);
    return good ? FOCI_OK : foci_fail(FOCI_ERR_IO, "%s: what was written does not read back", path);
}

foci_status foci_safetensors_write(const char *path, const foci_safetensor_item *item, int count,
                                   const foci_text_pair *metadata, int pairs) {
    size_t size;
    char *header = header_text(item, count, metadata, pairs, &size);
    if (!header) return out_of_memory(path);
    foci_writer w;
    foci_status status = put_checksum(header, size, item, count, path);
    if (!status) status = foci_writer_open(&w, path);
    if (!status) {
        uint64_t length = size;
        foci_write(&w, &length, sizeof length);
        foci_write(&w, header, size);
        for (int i = 0; i < count; i++) each_bytes(&item[i], write_sink, &w);
        status = foci_writer_sync(&w);
        if (!status) status = w.status = read_back(w.temporary, path);
        if (status) foci_writer_abort(&w);
        else status = foci_writer_publish(&w);
    }
    free(header);
    return status;
}
