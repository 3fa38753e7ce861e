#include "cli/analysis_show.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/file.h"

/* ------------------------------------------------------------------------------------------------ a table */

static const char *cell(char text[32], double x, int decimals) {
    if (isnan(x)) snprintf(text, 32, "-");
    else snprintf(text, 32, "%.*f", decimals, x);
    return text;
}

void foci_analysis_print(const foci_analysis *a) {
    char text[6][32];
    printf("%-12s %28s %10s %10s %12s\n%-12s %9s %9s %8s %10s %10s %12s\n", "", "token cosine       ", "effective", "head", "coordinates",
           "layer", "attention", "heads", "block", "rank", "distance", "of metric");
    for (int i = 0; i < a->layers; i++) {
        const foci_layer_analysis *l = &a->of[i];
        printf("%-12s %9s %9s %8s %10s %10s %12s\n", l->name, cell(text[0], l->cosine_attention, 4), cell(text[1], l->cosine_heads, 4),
               cell(text[2], l->cosine_block, 4), cell(text[3], l->effective_rank, 2), cell(text[4], l->head_distance, 4),
               cell(text[5], foci_metric_coordinates(a, i), 2));
    }
    printf("means over %lld %s", (long long)a->samples, a->items);
    if (a->head_width) printf("; coordinates that count in the metric, of %lld", (long long)a->head_width);
    putchar('\n');
}

/* --------------------------------------------------------------------------------------------------- JSON */

static void report_metric(foci_report *heads, const foci_analysis *a, const foci_layer_analysis *l) {
    for (int64_t h = 0; h < a->heads; h++) {
        const foci_spread *s = &l->metric[h];
        foci_report *r = foci_report_part(heads, NULL);
        foci_report_number(r, "min", s->min);
        foci_report_number(r, "mean", s->mean);
        foci_report_number(r, "max", s->max);
        foci_report_number(r, "entropy", s->entropy);
        foci_report_number(r, "coordinates", s->coordinates);
    }
}

static void report_layer(foci_report *r, const foci_analysis *a, const foci_layer_analysis *l) {
    foci_report_text(r, "name", l->name);
    foci_report_number(r, "cosine_attention", l->cosine_attention);
    foci_report_number(r, "cosine_heads", l->cosine_heads);
    foci_report_number(r, "cosine_block", l->cosine_block);
    foci_report_number(r, "effective_rank", l->effective_rank);
    foci_report_number(r, "head_distance", l->head_distance);
    foci_report *pairs = foci_report_list(r, "head_distances");
    for (int64_t i = 0; i < foci_head_pairs(a->heads); i++) foci_report_number(pairs, NULL, l->pair[i]);
    if (l->metric) report_metric(foci_report_list(r, "metric"), a, l);
    else foci_report_text(r, "metric", NULL);
}

void foci_analysis_report(const foci_analysis *a, foci_report *r) {
    const foci_layer_analysis *last = &a->of[a->layers - 1];
    foci_report_whole(r, a->items, a->samples);
    foci_report_whole(r, "heads", a->heads);
    foci_report_whole(r, "tokens", a->tokens);
    foci_report_number(r, "token_cosine", last->cosine_block);
    foci_report_number(r, "effective_rank", last->effective_rank);
    foci_report_number(r, "head_distance", a->head_distance_mean);
    foci_report *layers = foci_report_list(r, "layers");
    for (int i = 0; i < a->layers; i++) report_layer(foci_report_part(layers, NULL), a, &a->of[i]);
}

/* ---------------------------------------------------------------------------------------------------- CSV */

/* One file, filled by `rows`. */
static foci_status write_csv(const char *folder, const char *name, void (*rows)(FILE *, const foci_stage *, int), const foci_stage *stage,
                             int stages) {
    char path[4200], *text = NULL;
    size_t size;
    FOCI_TRY(foci_path_join(path, sizeof path, folder, name));
    FILE *f = open_memstream(&text, &size);
    if (!f) return foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path);
    rows(f, stage, stages);
    bool failed = ferror(f);
    failed |= fclose(f) != 0;
    foci_status s = failed ? foci_fail(FOCI_ERR_RUNTIME, "%s: out of memory", path) : foci_write_file(path, text, size);
    free(text);
    return s;
}

static void value(FILE *f, double x) {
    fputc(',', f);
    foci_csv_number(f, x, 9);
}

static void layer_values(FILE *f, const foci_analysis *a, int i) {
    const foci_layer_analysis *l = &a->of[i];
    fprintf(f, "%s", l->name);
    const double x[] = {l->cosine_attention, l->cosine_heads, l->cosine_block, l->effective_rank, l->head_distance, foci_metric_coordinates(a, i)};
    for (size_t k = 0; k < sizeof x / sizeof *x; k++) value(f, x[k]);
    fputc('\n', f);
}
#define LAYER_COLUMNS "layer,cosine_attention,cosine_heads,cosine_block,effective_rank,head_distance,metric_coordinates\n"

static void layer_rows(FILE *f, const foci_stage *stage, int stages) {
    const foci_analysis *a = &stage[stages - 1].analysis;
    fputs(LAYER_COLUMNS, f);
    for (int i = 0; i < a->layers; i++) layer_values(f, a, i);
}

static void history_rows(FILE *f, const foci_stage *stage, int stages) {
    fputs("step," LAYER_COLUMNS, f);
    for (int k = 0; k < stages; k++)
        for (int i = 0; i < stage[k].analysis.layers; i++) {
            if (stage[k].step >= 0) fprintf(f, "%lld", stage[k].step);
            fputc(',', f);
            layer_values(f, &stage[k].analysis, i);
        }
}

static void head_rows(FILE *f, const foci_stage *stage, int stages) {
    const foci_analysis *a = &stage[stages - 1].analysis;
    fputs("layer,head,min,mean,max,entropy,coordinates\n", f);
    for (int i = 0; i < a->layers; i++)
        for (int64_t h = 0; a->of[i].metric && h < a->heads; h++) {
            const foci_spread *s = &a->of[i].metric[h];
            const double x[] = {s->min, s->mean, s->max, s->entropy, s->coordinates};
            fprintf(f, "%s,%lld", a->of[i].name, (long long)h);
            for (size_t k = 0; k < sizeof x / sizeof *x; k++) value(f, x[k]);
            fputc('\n', f);
        }
}

static void pair_rows(FILE *f, const foci_stage *stage, int stages) {
    const foci_analysis *a = &stage[stages - 1].analysis;
    fputs("layer,head,other,distance\n", f);
    for (int i = 0; i < a->layers; i++) {
        const double *distance = a->of[i].pair;
        for (int64_t g = 0; g < a->heads; g++)
            for (int64_t h = g + 1; h < a->heads; h++) {
                fprintf(f, "%s,%lld,%lld", a->of[i].name, (long long)g, (long long)h);
                value(f, *distance++);
                fputc('\n', f);
            }
    }
}

foci_status foci_analysis_write_csv(const char *folder, const foci_stage *stage, int stages) {
    FOCI_TRY(write_csv(folder, "layers.csv", layer_rows, stage, stages));
    FOCI_TRY(write_csv(folder, "heads.csv", head_rows, stage, stages));
    FOCI_TRY(write_csv(folder, "pairs.csv", pair_rows, stage, stages));
    return stages > 1 ? write_csv(folder, "history.csv", history_rows, stage, stages) : FOCI_OK;
}
