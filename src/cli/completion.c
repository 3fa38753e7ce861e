/* Completion for bash: commands, their options, the keys after --set; file names elsewhere. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "task/schema.h"

/* A word is offered after those before: `make` of `foci data make` after `foci data`. */
static void next_words(FILE *f, const foci_command *c, const char *name) {
    char whole[FOCI_COMMAND_NAME];
    if (!c->commands) return;
    fprintf(f, strchr(name, ' ') ? "    \"%s\")" : "    %s)", name);
    fputs(" words=\"--help --version", f);
    for (const foci_command *const *child = c->commands; *child; child++) fprintf(f, " %s", (*child)->name);
    fputs("\" ;;\n", f);
    for (const foci_command *const *child = c->commands; *child; child++) {
        snprintf(whole, sizeof whole, "%s %s", name, (*child)->name);
        next_words(f, *child, whole);
    }
}

/* An option that takes a value ends in `=`. */
static void options(void *context, const char *name, const foci_command *c) {
    FILE *f = context;
    foci_option option[FOCI_MAX_OPTIONS];
    const int n = foci_options_of(c, option);
    fprintf(f, "    \"%s\" | \"%s \"*) options=\"--help --usage --version", name, name);
    for (int i = 0; i < n; i++) fprintf(f, " --%s%s", option[i].name, *option[i].value ? "=" : "");
    fputs("\" ;;\n", f);
}

static void key(void *context, const foci_key_text *k) {
    if (strcmp(k->name, "inherit") != 0) fprintf(context, " %s%s%s=", k->section, k->section[0] ? "." : "", k->name);
}

/* `so_far` is the command's words before the cursor, `current` the word under it. */
void foci_print_completion(FILE *f) {
    fputs("# Completion for bash: source <(foci help completion)\n"
          "_foci() {\n"
          "    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} so_far=foci words= "
          "options= keys=\n"
          "    [[ $before == = ]] && before=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    [[ $current == = ]] && current=\n"
          "    ((COMP_CWORD > 1)) && so_far+=\" ${COMP_WORDS[1]}\"\n"
          "    ((COMP_CWORD > 2)) && so_far+=\" ${COMP_WORDS[2]}\"\n"
          "    ((COMP_CWORD > 3)) && so_far+=\" ${COMP_WORDS[3]}\"\n"
          "    case $so_far in\n",
          f);
    next_words(f, &foci_root, foci_root.name);
    fputs("    esac\n    case $so_far in\n", f);
    foci_commands_visit(options, f);
    fputs("    esac\n    [[ $before == --set ]] && keys=\"", f);
    foci_schema_visit(foci_schema_all(), key, f);
    fputs("\"\n"
          "    if [[ $keys ]]; then COMPREPLY=($(compgen -W \"$keys\" -- \"$current\"))\n"
          "    elif [[ $current == -* ]]; then COMPREPLY=($(compgen -W \"$words $options\" -- \"$current\"))\n"
          "    elif [[ $words ]]; then COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
          "    else COMPREPLY=($(compgen -f -- \"$current\"))\n"
          "    fi\n"
          "    [[ ${COMPREPLY[0]} == *= ]] && compopt -o nospace 2>/dev/null\n"
          "    return 0\n"
          "}\n"
          "complete -o filenames -F _foci foci\n",
          f);
}
