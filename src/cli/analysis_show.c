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
    printf("%-12s %28s %10s %10s %12s\n%-12s %9s %9s %8s %10s %10s %12s\n", "", "token cosine       ", "effective",
           "head", "coordinates", "layer", "attention", "heads", "block", "rank", "distance", "of metric");
    for (int i = 0; i < a->layers; i++) {
        const foci_layer_analysis *l = &a->of[i];
        printf("%-12s %9s %9s %8s %10s %10s %12s\n", l->name, cell(text[0], l->cosine_attention, 4),
               cell(text[1], l->cosine_heads, 4), cell(text[2], l->cosine_block, 4),
               cell(text[3], l->effective_rank, 2), cell(text[4], l->head_distance, 4),
               cell(text[5], foci_metric_coordinates(a, i), 2));
    }
    printf("means over %lld %s", (long long)a->samples, a->items);
    if (a->head_width) printf("; coordinates that count in the metric, of %lld", (long long)a->head_width);
    putchar('\n');
}

/* ---------------------------------------------------------------------------------------------------- CSV */

/* One file, filled by `rows`. */
static foci_status write_csv(const char *folder, const char *name, void (*rows)(FILE *, const foci_stage *, int),
                             const foci_stage *stage, int stages) {
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
    if (isfinite(x)) fprintf(f, ",%.9g", x);
    else fputc(',', f);
}

static void layer_values(FILE *f, const foci_analysis *a, int i) {
    const foci_layer_analysis *l = &a->of[i];
    fprintf(f, "%s", l->name);
    const double x[] = {l->cosine_attention, l->cosine_heads,  l->cosine_block,
                        l->effective_rank,   l->head_distance, foci_metric_coordinates(a, i)};
    for (size_t k = 0; k < sizeof x / sizeof *x; k++) value(f, x[k]);
    fputc('\n', f);
}
#define LAYER_COLUMNS \
    "layer,cosine_attention,cosine_heads,cosine_block,effective_rank,head_distance,metric_coordinates\n"

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
            fprintf(f, "%s,%lld,%.9g,%.9g,%.9g,%.9g,%.9g\n", a->of[i].name, (long long)h, s->min, s->mean, s->max,
                    s->entropy, s->coordinates);
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
