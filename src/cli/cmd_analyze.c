#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "cli/analysis_show.h"
#include "cli/subject.h"

typedef struct settings {
    foci_analyze_options how;
    int64_t pictures;
    const char *out;
} settings;

static const foci_key rows[] = {FOCI_KEY(settings, pictures, "6", 0, 1000, NULL, "images that attention is drawn over"),
                                FOCI_KEY(settings, out, NULL, 0, 0, NULL,
                                         "also as analysis.json, CSV files and pictures in this folder",
                                         .placeholder = "DIR"),
                                {0}};

static foci_status write_folder(const foci_parsed *parsed, const foci_stages *all, const foci_report *r) {
    const settings *o = parsed->options;
    char path[4200];
    const bool images = all->stage[all->count - 1].analysis.height;
    FOCI_TRY(foci_make_dirs(o->out));
    FOCI_TRY(foci_path_join(path, sizeof path, o->out, "analysis.json"));
    FOCI_TRY(foci_report_write(r, &foci_json_compact, path));
    FOCI_TRY(foci_analysis_write_csv(o->out, all->stage, all->count));
    const int patch = images ? (int)foci_config_int(parsed->config, "model.patch_size") : 0;
    return foci_analysis_draw(o->out, all->stage, all->count, patch);
}

static foci_status show(const foci_parsed *parsed, const foci_stages *all) {
    const settings *o = parsed->options;
    const foci_subject subject = foci_subject_of(parsed, parsed->weights);
    foci_report r = {NULL};
    foci_status s = foci_analyze_tell(&subject, &o->how, all, &r);
    if (!s && o->out) s = write_folder(parsed, all, &r);
    if (!s && parsed->json) return foci_print_report(&r, &foci_json_compact);
    if (!s) foci_analysis_print(&all->stage[all->count - 1].analysis);
    foci_report_free(&r);
    return s;
}

static foci_status run(const foci_parsed *parsed) {
    const settings *o = parsed->options;
    const foci_subject subject = foci_subject_of(parsed, parsed->weights);
    foci_stages *all = calloc(1, sizeof *all);
    if (!all) return foci_out_of_memory();
    foci_status s = foci_analyze_stages(&subject, &o->how, o->out ? (int)o->pictures : 0, &foci_on_terminal, all);
    if (!s) s = show(parsed, all);
    foci_stages_free(all);
    free(all);
    return s;
}

const foci_command foci_command_analyze = {
    .name = "analyze",
    .summary = "collapse of tokens, redundancy of heads, the metric, attention maps",
    .synopsis = "RUN_OR_CONFIG",
    .doc = "How far a model holds its tokens and heads apart, layer by layer: cosine similarity of tokens "
           "(attention output, joined heads, residual stream), effective rank, distance between the maps of heads, "
           "and the metric of elliptical attention. With --out also as pictures, attention and attention rollout "
           "over images among them.",
    .least = 1,
    .most = 1,
    .takes = FOCI_TAKES_COMMON | FOCI_OPENS_WEIGHTS | FOCI_ENDS_BY_SIGNAL | FOCI_FIRST_DOES | FOCI_TAKES_DTYPE,
    .size = sizeof(settings),
    .options = {{foci_analyze_keys, offsetof(settings, how)}, {rows}},
    .run = run};
