/* A config: lines that begin with "--set " are overrides, the others are the file. */
#include "fuzz.h"

#include "config/config.h"
#include "task/schema.h"

enum { MOST_SETS = 16 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const char mark[] = "--set ";
    const char *set[MOST_SETS];
    int sets = 0;
    size_t used = 0;
    char *all = fuzz_text(data, size), *text = fuzz_text(data, size);
    fuzz_make_folder();
    for (char *line = all, *next; line < all + size; line = next) {
        char *end = memchr(line, '\n', (size_t)(all + size - line));
        next = end ? end + 1 : all + size;
        if ((size_t)(next - line) >= sizeof mark - 1 && memcmp(line, mark, sizeof mark - 1) == 0 && sets < MOST_SETS) {
            if (end) *end = 0;
            set[sets++] = line + sizeof mark - 1;
        } else {
            memcpy(text + used, line, (size_t)(next - line));
            used += (size_t)(next - line);
        }
    }
    foci_config *config, *again;
    if (!foci_config_parse(&config, foci_schema_all(), "fuzzed.yaml", text, used, set, sets)) {
        char *yaml = foci_config_dump(config), *json = foci_config_json(config);
        if (!yaml || !json ||
            foci_config_parse(&again, foci_schema_all(), "dumped.yaml", yaml, strlen(yaml), NULL, 0)) {
            fprintf(stderr, "a config that cannot be read back: %s\n%s\n", foci_error_message(), yaml);
            abort();
        }
        foci_config_free(again);
        free(yaml);
        free(json);
        foci_config_free(config);
    }
    free(all);
    free(text);
    return 0;
}
