/* Reads standard input, one JSON object per line, for the tests in sh.
 *     json            the names of each object, in order
 *     json KEY...     the values of these keys; `absent` where there is none
 * Exits with 1 where a line is no JSON object. */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void print_value(json_t *value) {
    char *text = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_REAL_PRECISION(12)) : NULL;
    if (json_is_string(value)) printf("%s", json_string_value(value));
    else printf("%s", text ? text : "absent");
    free(text);
}

int main(int argc, char **argv) {
    static char line[1 << 20];
    while (fgets(line, sizeof line, stdin)) {
        json_error_t e;
        json_t *object = json_loads(line, JSON_REJECT_DUPLICATES, &e);
        if (!json_is_object(object)) {
            fprintf(stderr, "no JSON object (%s): %s", e.text, line);
            return 1;
        }
        const char *name, *before = "";
        json_t *value;
        if (argc == 1) json_object_foreach(object, name, value) {
                printf("%s%s", before, name);
                before = " ";
            }
        for (int i = 1; i < argc; i++) {
            printf("%s", i > 1 ? " " : "");
            print_value(json_object_get(object, argv[i]));
        }
        putchar('\n');
        json_decref(object);
    }
    return 0;
}
