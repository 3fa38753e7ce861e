#include "models/classify.h"

int64_t foci_classes_of(const foci_request *r, int64_t configured) {
    const int64_t classes = configured ? configured : r->classes;
    if (!classes) foci_graph_fail(r->graph, "num_classes is 0 and no data set tells how many there are");
    return classes;
}

foci_tensor *foci_images_of(const foci_request *r, int64_t channels, const foci_int_list *size) {
    const int64_t height = size->count > 0 ? size->value[0] : 0, width = size->count > 1 ? size->value[1] : height;
    return foci_input(r->graph, "images", FOCI_REAL, FOCI_SHAPE(r->batch, channels, height, width));
}

/* By the labels that are fed beside the images. */
static foci_tensor *loss_of(foci_request *r, foci_tensor *logits, int64_t classes) {
    foci_graph *g = r->graph;
    const double smoothing = foci_request_number(r, "label_smoothing", 0);
    foci_tensor *soft = NULL, *labels = NULL;
    if (foci_request_feeds(r, "soft_targets"))
        soft = foci_input(g, "soft_targets", FOCI_REAL, FOCI_SHAPE(r->batch, classes));
    else labels = foci_input(g, "labels", FOCI_INT, FOCI_SHAPE(r->batch));
    if (!foci_request_feeds(r, "partners")) return foci_cross_entropy(g, logits, labels, soft, smoothing, -1);
    foci_tensor *partners = foci_input(g, "partners", FOCI_INT, FOCI_SHAPE(r->batch));
    foci_tensor *shares = foci_input(g, "shares", FOCI_REAL, FOCI_SHAPE(r->batch));
    return foci_mixed_cross_entropy(g, logits, labels, partners, shares, smoothing);
}

void foci_classified(foci_request *r, foci_tensor *logits) {
    foci_output(r->graph, "logits", logits);
    if (!logits) return;
    if (foci_request_feeds(r, "labels") || foci_request_feeds(r, "soft_targets"))
        foci_output(r->graph, "loss", loss_of(r, logits, foci_last_dim(logits)));
}

void foci_classified_by_two(foci_request *r, foci_tensor *head, foci_tensor *second) {
    foci_graph *g = r->graph;
    foci_tensor *mean = foci_scale(g, foci_add(g, head, second), 0.5);
    if (!foci_request_feeds(r, "teacher")) {
        foci_classified(r, mean);
        return;
    }
    foci_output(g, "logits", mean);
    if (!mean) return;
    const double alpha = foci_request_number(r, "distillation_alpha", 0.5);
    foci_tensor *teacher = foci_input(g, "teacher", FOCI_INT, FOCI_SHAPE(r->batch));
    foci_tensor *taught = foci_cross_entropy(g, second, teacher, NULL, 0, -1);
    foci_tensor *labelled = foci_scale(g, loss_of(r, head, foci_last_dim(head)), 1 - alpha);
    foci_output(g, "loss", foci_add(g, labelled, foci_scale(g, taught, alpha)));
}
