/* decoder write DIR WORDS: a small GPT-2 as Hugging Face's library saves one: model.safetensors (tensors in the order
 * of their names, the header filled up with blanks to 8 bytes, no head: it is tied) and config.json. Two layers, width
 * 16, two heads, windows of 16. decoder bytes FILE TENSOR: what the file holds of it, in hexadecimal. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 16, WINDOW = 16, LAYERS = 2, MOST = 64 };

typedef struct tensor {
    char name[80];
    long rows, columns; /* columns 0: one dimension */
} tensor;

static tensor all[MOST];
static int count;

static void add(const char *name, long rows, long columns) {
    snprintf(all[count].name, sizeof all[count].name, "transformer.%s", name);
    all[count].rows = rows, all[count].columns = columns, count++;
}
static void add_layer(int i) {
    static const struct {
        const char *name;
        long rows, columns;
    } part[] = {{"attn.c_attn.bias", 3 * WIDTH, 0},
                {"attn.c_attn.weight", WIDTH, 3 * WIDTH},
                {"attn.c_proj.bias", WIDTH, 0},
                {"attn.c_proj.weight", WIDTH, WIDTH},
                {"ln_1.bias", WIDTH, 0},
                {"ln_1.weight", WIDTH, 0},
                {"ln_2.bias", WIDTH, 0},
                {"ln_2.weight", WIDTH, 0},
                {"mlp.c_fc.bias", 4 * WIDTH, 0},
                {"mlp.c_fc.weight", WIDTH, 4 * WIDTH},
                {"mlp.c_proj.bias", WIDTH, 0},
                {"mlp.c_proj.weight", 4 * WIDTH, WIDTH}};
    for (size_t k = 0; k < sizeof part / sizeof *part; k++) {
        char name[60];
        snprintf(name, sizeof name, "h.%d.%s", i, part[k].name);
        add(name, part[k].rows, part[k].columns);
    }
}

static long numel(const tensor *t) { return t->rows * (t->columns ? t->columns : 1); }

static void write_weights(FILE *f) {
    static char header[1 << 16];
    size_t used = 0;
    long at = 0;
    used += (size_t)sprintf(header, "{\"__metadata__\":{\"format\":\"pt\"}");
    for (int i = 0; i < count; i++) {
        char shape[40];
        if (all[i].columns) snprintf(shape, sizeof shape, "%ld,%ld", all[i].rows, all[i].columns);
        else snprintf(shape, sizeof shape, "%ld", all[i].rows);
        used += (size_t)sprintf(header + used, ",\"%s\":{\"dtype\":\"F32\",\"shape\":[%s],\"data_offsets\":[%ld,%ld]}",
                                all[i].name, shape, at, at + 4 * numel(&all[i]));
        at += 4 * numel(&all[i]);
    }
    used += (size_t)sprintf(header + used, "}");
    while (used % 8) header[used++] = ' ';
    const uint64_t size = used;
    fwrite(&size, sizeof size, 1, f);
    fwrite(header, 1, used, f);
    unsigned random = 1;
    for (int i = 0; i < count; i++)
        for (long k = 0; k < numel(&all[i]); k++) {
            random = random * 1664525u + 1013904223u;
            const float x = ((float)(random >> 8) / 16777216 - 0.5f) / 5,
                        y = x + (strstr(all[i].name, ".ln_") && strstr(all[i].name, "weight"));
            fwrite(&y, sizeof y, 1, f);
        }
}

static void write_description(FILE *f, const char *words) {
    fprintf(f,
            "{\n  \"activation_function\": \"gelu_new\",\n  \"architectures\": [\n    \"GPT2LMHeadModel\"\n  ],\n"
            "  \"attn_pdrop\": 0.1,\n  \"layer_norm_epsilon\": 1e-05,\n  \"model_type\": \"gpt2\",\n  \"n_embd\": %d,\n"
            "  \"n_head\": 2,\n  \"n_inner\": null,\n  \"n_layer\": %d,\n  \"n_positions\": %d,\n"
            "  \"scale_attn_by_inverse_layer_idx\": false,\n  \"transformers_version\": \"4.40.0\",\n"
            "  \"vocab_size\": %s\n}\n",
            WIDTH, LAYERS, WINDOW, words);
}

static FILE *open_in(const char *folder, const char *name) {
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    if (!f) perror(path), exit(1);
    return f;
}

static void print_bytes(const char *path, const char *name) {
    static char header[1 << 20];
    char wanted[200];
    uint64_t size;
    long first, end;
    FILE *f = fopen(path, "rb");
    if (!f || fread(&size, sizeof size, 1, f) != 1 || size >= sizeof header || fread(header, 1, size, f) != size)
        fprintf(stderr, "%s: no safetensors\n", path), exit(1);
    snprintf(wanted, sizeof wanted, "\"%s\":{", name);
    const char *at = strstr(header, wanted);
    if (at) at = strstr(at, "\"data_offsets\":[");
    if (!at || sscanf(at, "\"data_offsets\":[%ld,%ld]", &first, &end) != 2)
        fprintf(stderr, "%s: no tensor %s\n", path, name), exit(1);
    fseek(f, (long)(8 + size) + first, SEEK_SET);
    for (long i = first; i < end; i++) printf("%02x", (unsigned)fgetc(f));
    printf("\n");
    fclose(f);
}

int main(int argc, char **argv) {
    if (argc == 4 && strcmp(argv[1], "bytes") == 0) return print_bytes(argv[2], argv[3]), 0;
    if (argc != 4 || strcmp(argv[1], "write") != 0) return fprintf(stderr, "decoder write DIR WORDS\n"), 1;
    for (int i = 0; i < LAYERS; i++) add_layer(i);
    add("ln_f.bias", WIDTH, 0);
    add("ln_f.weight", WIDTH, 0);
    add("wpe.weight", WINDOW, WIDTH);
    add("wte.weight", atol(argv[3]), WIDTH);
    FILE *f = open_in(argv[2], "model.safetensors");
    write_weights(f);
    fclose(f);
    f = open_in(argv[2], "config.json");
    write_description(f, argv[3]);
    fclose(f);
    return 0;
}
