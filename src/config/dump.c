/* The resolved config as YAML that reads back as the same config, or as JSON. */
#include "config/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Text that every YAML reader takes for a string without quotes. */
static bool is_plain(const char *text) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/";
    static const char others[] = "0123456789.-+";
    static const char *const words[] = {"null", "true", "false", "yes", "no", "on", "off", "y", "n"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strcasecmp(text, words[i]) == 0) return false;
    if (!text[0] || !strchr(letters, text[0])) return false;
    for (const char *p = text; *p; p++)
        if (!strchr(letters, *p) && !strchr(others, *p)) return false;
    return true;
}

/* In double quotes; escaped is what is not printable or would end a line. */
static void write_quoted(FILE *f, const char *text) {
    fputc('"', f);
    for (size_t left = strlen(text); left;) {
        uint32_t code = 0;
        int length = foci_utf8(text, left, &code);
        if (!length) break; /* libyaml gives UTF-8 only */
        bool control = code < 0x20 || (code >= 0x7f && code < 0xa0);
        bool invisible = code == 0x2028 || code == 0x2029 || code == 0xfeff || code == 0xfffe || code == 0xffff;
        if (code == '"' || code == '\\') fprintf(f, "\\%c", (int)code);
        else if (control || invisible) fprintf(f, "\\u%04X", (unsigned)code);
        else fwrite(text, 1, (size_t)length, f);
        text += length;
        left -= (size_t)length;
    }
    fputc('"', f);
}

/* The shortest decimal number that reads back the same, with a point before an exponent as YAML 1.1 wants it. */
static void write_real(FILE *f, double value) {
    char text[40];
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value) break;
    }
    const char *exponent = strchr(text, 'e');
    if (exponent && !strchr(text, '.')) fprintf(f, "%.*s.0%s", (int)(exponent - text), text, exponent);
    else fputs(text, f);
}

static void write_value(FILE *f, const foci_value *v, bool quoted) {
    const char *text = v->stated ? v->stated : v->string;
    switch (v->key.type) {
    case FOCI_KEY_BOOL: fputs(v->integer ? "true" : "false", f); break;
    case FOCI_KEY_INT: fprintf(f, "%lld", (long long)v->integer); break;
    case FOCI_KEY_REAL: write_real(f, v->real); break;
    case FOCI_KEY_STRING:
    case FOCI_KEY_CHOICE:
        if (!quoted && is_plain(text)) fputs(text, f);
        else write_quoted(f, text);
        break;
    case FOCI_KEY_INTS:
    case FOCI_KEY_REALS:
        fputc('[', f);
        for (int i = 0; i < v->count; i++) {
            if (i) fputs(", ", f);
            if (v->integers) fprintf(f, "%lld", (long long)v->integers[i]);
            else write_real(f, v->reals[i]);
        }
        fputc(']', f);
        break;
    }
}

char *foci_value_text(const foci_value *v) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f) return NULL;
    write_value(f, v, false);
    bool failed = ferror(f);
    if (!fclose(f) && !failed) return text;
    free(text);
    return NULL;
}

/* All rows of the section that rows[first] is the first of. */
static void write_section(FILE *f, const foci_config *c, int first) {
    const char *section = c->values[first].section;
    for (int i = 0; i < first; i++)
        if (strcmp(c->values[i].section, section) == 0) return; /* written already */
    bool headed = !section[0];
    for (int i = first; i < c->count; i++) {
        const foci_value *v = &c->values[i];
        if (!v->applies || strcmp(v->section, section) != 0) continue;
        if (!headed) fprintf(f, "%s:\n", section);
        headed = true;
        fprintf(f, "%s%s: ", section[0] ? "  " : "", v->key.name);
        write_value(f, v, false);
        fputc('\n', f);
    }
}

/* As "section": {...}, or bare at the top, after a comma if something stands there. */
static void write_object(FILE *f, const foci_config *c, int first, bool *comma) {
    const char *section = c->values[first].section;
    for (int i = 0; i < first; i++)
        if (strcmp(c->values[i].section, section) == 0) return; /* written already */
    bool opened = false;
    for (int i = first; i < c->count; i++) {
        const foci_value *v = &c->values[i];
        if (!v->applies || strcmp(v->section, section) != 0) continue;
        if (*comma) fputs(", ", f);
        if (section[0] && !opened) fprintf(f, "\"%s\": {", section);
        fprintf(f, "\"%s\": ", v->key.name);
        write_value(f, v, true);
        opened = *comma = true;
    }
    if (section[0] && opened) fputc('}', f);
}

static void write_yaml(FILE *f, const foci_config *c) {
    fprintf(f, "# The config as resolved from %s: every key that applies, with its value.\n",
            foci_show(c->main->name, strlen(c->main->name)).text);
    for (int i = 0; i < c->count; i++) write_section(f, c, i);
}

static void write_json(FILE *f, const foci_config *c) {
    bool comma = false;
    fputc('{', f);
    for (int i = 0; i < c->count; i++) write_object(f, c, i, &comma);
    fputc('}', f);
}

static char *in_memory(const foci_config *config, void (*write)(FILE *, const foci_config *)) {
    char *text = NULL;
    size_t size;
    FILE *f = open_memstream(&text, &size);
    if (!f) return NULL;
    write(f, config);
    bool failed = ferror(f);
    if (fclose(f) || failed) {
        free(text);
        return NULL;
    }
    return text;
}

char *foci_config_dump(const foci_config *config) { return in_memory(config, write_yaml); }
char *foci_config_json(const foci_config *config) { return in_memory(config, write_json); }
