/* scenes DIR COUNT WIDTH HEIGHT [COLOUR DEPTH]: images of coloured bands and a square, with their labels, in ADE20K's
 * layout: COUNT in training, half as many in validation and in test. Label 1 is the upper band, 2 the lower, 3 the
 * square, 0 the border; they are grey (0, which it is) or have a palette (3), and 2, 4, 8 (which it is) or 16 bits.
 * scenes png FILE WIDTH HEIGHT COLOUR DEPTH VALUE: a PNG of one value. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

static void put32(unsigned char *p, unsigned long v) {
    for (int i = 0; i < 4; i++) p[i] = (unsigned char)(v >> (24 - 8 * i));
}

static void chunk(FILE *f, const char *type, const unsigned char *data, size_t size) {
    unsigned char word[4];
    put32(word, size);
    fwrite(word, 1, 4, f);
    fwrite(type, 1, 4, f);
    fwrite(data, 1, size, f);
    put32(word, crc32(crc32(0, (const unsigned char *)type, 4), data, (uInt)size));
    fwrite(word, 1, 4, f);
}

/* rows: each with a 0 in front */
static void write_png(const char *path, int width, int height, int colour, int depth, const unsigned char *rows,
                      size_t size) {
    unsigned char header[13] = {[8] = (unsigned char)depth, [9] = (unsigned char)colour}, palette[768] = {0};
    uLongf room = compressBound(size);
    unsigned char *packed = malloc(room);
    FILE *f = fopen(path, "wb");
    if (!f || compress(packed, &room, rows, size) != Z_OK) exit(1);
    put32(header, (unsigned long)width);
    put32(header + 4, (unsigned long)height);
    fwrite("\x89PNG\r\n\x1a\n", 1, 8, f);
    chunk(f, "IHDR", header, sizeof header);
    if (colour == 3) chunk(f, "PLTE", palette, sizeof palette);
    chunk(f, "IDAT", packed, room);
    chunk(f, "IEND", header, 0);
    fclose(f);
    free(packed);
}

static int label_at(int x, int y, int width, int height, int i) {
    const int left = i * 7 % (width / 2) + 1, top = i * 5 % (height / 2) + 1;
    if (!x || !y) return 0;
    if (x >= left && x < left + width / 3 && y >= top && y < top + height / 3) return 3;
    return y < height / 2 + i % 3 ? 1 : 2;
}

static void put_label(unsigned char *row, int x, int depth, int label) {
    const int bit = x * depth + (depth == 16 ? 8 : 0);
    row[bit / 8] |= (unsigned char)(depth < 8 ? label << (8 - depth - bit % 8) : label);
}

static void write_scene(const char *dir, const char *part, int i, int width, int height, int kind, int depth) {
    static const unsigned char colour[4][3] = {{0, 0, 0}, {60, 120, 220}, {90, 90, 90}, {200, 40, 40}};
    const size_t row = 1 + 3 * (size_t)width, label_row = 1 + ((size_t)width * (size_t)depth + 7) / 8;
    unsigned char *image = calloc(row, (size_t)height), *labels = calloc(label_row, (size_t)height);
    char path[4096];
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++) {
            const int label = label_at(x, y, width, height, i);
            put_label(labels + (size_t)y * label_row + 1, x, depth, label);
            for (int c = 0; c < 3; c++)
                image[(size_t)y * row + 1 + 3 * (size_t)x + (size_t)c] =
                    (unsigned char)(colour[label][c] + (x * 31 + y * 17 + i * 13 + c) % 23);
        }
    snprintf(path, sizeof path, "%s/images/%s/%d.png", dir, part, i);
    write_png(path, width, height, 2, 8, image, row * (size_t)height);
    snprintf(path, sizeof path, "%s/annotations/%s/%d.png", dir, part, i);
    write_png(path, width, height, kind, depth, labels, label_row * (size_t)height);
    free(image);
    free(labels);
}

int main(int count, char **word) {
    static const char *const parts[] = {"training", "validation", "test"}, *const kinds[] = {"images", "annotations"};
    char path[4096];
    if (count == 8 && strcmp(word[1], "png") == 0) {
        const int width = atoi(word[3]), height = atoi(word[4]), colour = atoi(word[5]), depth = atoi(word[6]);
        const size_t row = 1 + (size_t)width * (size_t)(colour == 2 ? 3 : 1) * (size_t)depth / 8;
        unsigned char *rows = malloc(row * (size_t)height);
        memset(rows, atoi(word[7]), row * (size_t)height);
        for (int y = 0; y < height; y++) rows[(size_t)y * row] = 0;
        write_png(word[2], width, height, colour, depth, rows, row * (size_t)height);
        return 0;
    }
    if (count != 5 && count != 7) return 2;
    const int kind = count == 7 ? atoi(word[5]) : 0, depth = count == 7 ? atoi(word[6]) : 8;
    mkdir(word[1], 0777);
    for (int k = 0; k < 2; k++) {
        snprintf(path, sizeof path, "%s/%s", word[1], kinds[k]);
        mkdir(path, 0777);
        for (int p = 0; p < 3; p++) {
            snprintf(path, sizeof path, "%s/%s/%s", word[1], kinds[k], parts[p]);
            mkdir(path, 0777);
        }
    }
    for (int p = 0; p < 3; p++)
        for (int i = 0; i < atoi(word[2]) / (p ? 2 : 1); i++)
            write_scene(word[1], parts[p], i + 100 * p, atoi(word[3]), atoi(word[4]), kind, depth);
    return 0;
}
