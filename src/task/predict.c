#include "task/predict.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "images/images.h"

/* ------------------------------------------------------------------------------------------------ classes */

/* The best of those that `taken` does not have. */
static int64_t next_best(const foci_real *logits, int64_t classes, const bool *taken) {
    int64_t best = -1;
    for (int64_t k = 0; k < classes; k++)
        if (!taken[k] && (best < 0 || logits[k] > logits[best])) best = k;
    return best;
}

/* "classes": the most probable `top`. */
static void report_classes(const foci_real *logits, const foci_labels *labels, int64_t top, foci_report *one) {
    const int64_t classes = labels->count;
    bool *taken = calloc((size_t)classes, sizeof *taken);
    foci_report *list = foci_report_list(one, "classes");
    double sum = 0;
    for (int64_t i = 0, first = 0; taken && i < top && i < classes; i++) {
        const int64_t k = next_best(logits, classes, taken);
        if (i == 0) {
            first = k;
            for (int64_t j = 0; j < classes; j++) sum += exp((double)logits[j] - (double)logits[first]);
        }
        foci_report *class = foci_report_part(list, NULL);
        foci_report_text(class, "class", labels->name[k]);
        foci_report_number(class, "probability", exp((double)logits[k] - (double)logits[first]) / sum);
        taken[k] = true;
    }
    if (!taken) one->failed = true;
    free(taken);
}

foci_status foci_predict_tell(const foci_predicting *p, int64_t i, const char *what, const char *wrong,
                              const foci_real *logits) {
    foci_report one = {NULL};
    foci_report_text(&one, what, p->sample[i].text);
    if (wrong) foci_report_text(&one, "error", wrong);
    else report_classes(logits, p->labels, p->options->top, &one);
    const foci_status s = p->take(p->context, i, &one);
    foci_report_free(&one);
    return s;
}

void foci_predict_print_classes(const foci_report *one, const char *number, FILE *f) {
    const foci_report *list = foci_report_part_of(one, "classes");
    for (const foci_report_entry *e = list->first; e; e = e->next)
        fprintf(f, "%s%.4f %s", e == list->first ? "  " : ", ", foci_report_number_of(e->part, number),
                foci_report_text_of(e->part, "class"));
}

/* -------------------------------------------------------------------------------------------- photographs */

static foci_status read_file(const char *path, foci_image *image) {
    enum { LARGEST = 1 << 30 };
    char *bytes;
    size_t size;
    *image = (foci_image){0};
    FOCI_TRY(foci_read_file(path, LARGEST, &bytes, &size, FOCI_ERR_DATA));
    const foci_status s = foci_image_decode(image, (unsigned char *)bytes, size, path, 0);
    free(bytes);
    return s;
}

foci_status foci_photograph_read(const foci_photographs *p, int64_t i, foci_image *image) {
    const foci_status s = read_file(p->sample[i].text, image);
    if (s != FOCI_ERR_DATA && s != FOCI_ERR_IO) return s;
    p->wrong[i] = strdup(foci_error_message());
    *image = (foci_image){1, 1, calloc(3, 1)};
    return p->wrong[i] && image->pixels ? FOCI_OK : foci_out_of_memory();
}

void foci_photographs_free(foci_photographs *p, int64_t count) {
    for (int64_t i = 0; i < count && p->wrong; i++) free(p->wrong[i]);
    free(p->wrong);
}
