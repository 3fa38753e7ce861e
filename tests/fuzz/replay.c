/* Gives a target its corpus, file by file: what fuzzing began with and what it found. No fuzzer is needed.
 * With arguments: those files instead. */
#include "fuzz.h"

#include <dirent.h>

enum { SECONDS = 20 }; /* for one file */

static void give(const char *path) {
    static uint8_t bytes[1 << 20];
    FILE *f = fopen(path, "rb");
    if (!f) {
        perror(path);
        exit(1);
    }
    size_t size = fread(bytes, 1, sizeof bytes, f);
    fclose(f);
    printf("[ RUN      ] %s\n", path);
    fflush(stdout);
    uint8_t *copy = fuzz_copy(bytes, size);
    alarm(SECONDS);
    LLVMFuzzerTestOneInput(copy, size);
    alarm(0);
    free(copy);
    printf("[       OK ] %s\n", path);
    fflush(stdout);
}

int main(int argc, char **argv) {
    static const char folder[] = "tests/fuzz/corpus/" FUZZ_NAME;
    struct dirent **entry;
    for (int i = 1; i < argc; i++) give(argv[i]);
    if (argc > 1) return 0;
    int count = scandir(folder, &entry, NULL, alphasort);
    for (int i = 0; i < count; i++) {
        char path[512];
        snprintf(path, sizeof path, "%s/%s", folder, entry[i]->d_name);
        if (entry[i]->d_name[0] != '.') give(path);
        free(entry[i]);
    }
    if (count < 0) perror(folder);
    else free(entry);
    return count < 0;
}
