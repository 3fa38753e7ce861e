/* The manual page foci(1), in the macros of man(7). */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "task/schema.h"

/* Text as text: no escapes, no requests at the start of a line, hyphens that can be copied. */
static void text(FILE *f, const char *s) {
    if (*s == '.' || *s == '\'') fputs("\\&", f);
    for (; *s; s++) {
        if (*s == '\\') fputs("\\e", f);
        else if (*s == '-') fputs("\\-", f);
        else fputc(*s, f);
    }
}

static void paragraph(FILE *f, const char *macro, const char *s) {
    fputs(macro, f);
    fputc('\n', f);
    text(f, s);
    fputc('\n', f);
}

static void option(FILE *f, const foci_option *o) {
    char meaning[1024];
    fputs(".TP\n\\fB\\-\\-", f);
    text(f, o->name);
    fputs("\\fR", f);
    if (*o->value) {
        fputs(o->may_be_bare ? "[=\\fI" : "=\\fI", f);
        text(f, o->value + o->may_be_bare);
        fputs("\\fR", f);
    }
    fputc('\n', f);
    foci_option_text(o, meaning, sizeof meaning);
    text(f, meaning);
    fputc('\n', f);
}

static void command(void *context, const char *name, const foci_command *c) {
    FILE *f = context;
    foci_option options[FOCI_MAX_OPTIONS];
    const int n = foci_options_of(c, options);
    fputs(".SS ", f);
    text(f, name);
    fputs(" [OPTION...] ", f);
    text(f, c->synopsis);
    fputc('\n', f);
    text(f, c->doc);
    fputc('\n', f);
    for (int i = 0; i < n; i++) option(f, &options[i]);
}

static void key(void *context, const foci_key_text *k) {
    FILE *f = context;
    fputs(".TP\n\\fB", f);
    if (k->section[0]) {
        text(f, k->section);
        fputc('.', f);
    }
    text(f, k->name);
    fputs("\\fR", f);
    if (k->kind) fprintf(f, " (%s)", k->kind);
    fputs(" \\- ", f);
    text(f, k->type);
    fputs(" [", f);
    text(f, k->initial);
    fputs("]\n", f);
    text(f, k->doc);
    fputc('\n', f);
}

typedef struct entry {
    const char *name, *meaning;
} entry;

static void entries(FILE *f, const char *heading, const entry *e) {
    fprintf(f, ".SH %s\n", heading);
    for (; e->name; e++) {
        fputs(".TP\n\\fB", f);
        text(f, e->name);
        fputs("\\fR\n", f);
        text(f, e->meaning);
        fputc('\n', f);
    }
}

static const entry run_folder[] = {
    {"config.yaml", "the config as it was resolved; a config again"},
    {"env.json", "version, compiler, instruction set, threads, host, date, command line"},
    {"metrics.jsonl, metrics.csv", "a JSON object a line: losses, rates, validation figures; the same as columns"},
    {"summary.json", "how the run stands, its best and its last figures"},
    {"log.txt", "what was said along the way"},
    {"last.safetensors, best.safetensors", "weights after the last checkpoint; of the best validation figure"},
    {"ema.safetensors", "averaged weights, with train.ema_decay"},
    {"step-N.safetensors", "weights that stay, with train.keep_every"},
    {"state.safetensors", "all that --resume needs"},
    {"events.out.tfevents.*", "for TensorBoard, with train.tensorboard"},
    {0}};

static const entry exit_status[] = {{"0", "done"},
                                    {"1", "runtime error"},
                                    {"2", "usage or config"},
                                    {"3", "bad data"},
                                    {"4", "bad checkpoint"},
                                    {"5", "the loss or the gradient is not finite"},
                                    {"6", "disk or I/O"},
                                    {"75", "interrupted; --resume goes on from there"},
                                    {0}};

static const entry environment[] = {
    {"FOCI_CACHE", "the folder for vocabularies that were counted (default: $XDG_CACHE_HOME/foci, else ~/.cache/foci)"},
    {"FOCI_ISA", "generic, neon, avx2, avx512 or amx: the kernels to use (default: the widest that the processor has)"},
    {"FOCI_GEMM", "foci or openblas: what computes matrix products"},
    {"OMP_WAIT_POLICY, GOMP_SPINCOUNT, KMP_BLOCKTIME",
     "how long idle threads spin; foci sets a short time where none is given"},
    {0}};

void foci_print_manual(FILE *f) {
    fprintf(f, ".TH FOCI 1 \"\" \"foci %s\" \"User Commands\"\n", FOCI_VERSION);
    paragraph(f, ".SH NAME", "foci - transformers trained from C");
    fputs(".SH SYNOPSIS\n\\fBfoci\\fR \\fICOMMAND\\fR [\\fIARGUMENT\\fR...]\n", f);
    paragraph(
        f, ".SH DESCRIPTION",
        "Trains vision transformers on image folders and language models on text from config files, with softmax "
        "attention, Elliptical Attention "
        "and other variants, and measures them. Results go to standard output, everything else to standard error.");
    fputs(".SH COMMANDS\n", f);
    foci_commands_visit(command, f);
    paragraph(f, ".SH CONFIG",
              "YAML with the sections below; `inherit` names configs to read first. Keys of a section that depend on "
              "its `kind` name it in parentheses, "
              "defaults stand in brackets. Any key can be given as --set SECTION.KEY=VALUE.");
    foci_schema_visit(foci_schema_all(), key, f);
    entries(f, "RUN FOLDER", run_folder);
    entries(f, "EXIT STATUS", exit_status);
    entries(f, "ENVIRONMENT", environment);
    fputs(".SH EXAMPLES\n.nf\nfoci train configs/cifar10/elliptical.yaml\nfoci train configs/cifar10/elliptical.yaml "
          "\\-\\-resume\n"
          "foci eval runs/cifar10\\-elliptical\nfoci plot runs/cifar10\\-softmax runs/cifar10\\-elliptical \\-\\-out "
          "curves.svg\n.fi\n",
          f);
}
