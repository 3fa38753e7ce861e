/* Trains a small vision transformer on pictures that foci makes, then classifies one of them. Needs no files:
 *
 *     cc train_and_classify.c $(pkg-config --cflags --libs foci) && ./a.out */
#include <foci/foci.h>
#include <stdio.h>
#include <stdlib.h>

static const char text[] = "name: example\n"
                           "model: {kind: vit, img_size: 32, patch_size: 8, embed_dim: 48, depth: 3, num_heads: 3}\n"
                           "attention: {kind: elliptical}\n"
                           "data: {kind: image_folder, train: pictures/train, val: pictures/val}\n"
                           "train: {batch_size: 50, epochs: 6, lr: 2.0e-3}\n";

static void check(foci_status status) {
    if (!status) return;
    fprintf(stderr, "%s\n", foci_error_message());
    exit(status);
}

static void show(void *context, const foci_progress *p) {
    (void)context;
    if (p->step % 10 == 0) printf("step %d of %d: loss %.3f\n", (int)p->step, (int)p->steps, p->loss);
}

int main(void) {
    const char *const fewer[] = {"train=1000", "val=200"};
    check(foci_make_data("images", "pictures", fewer, 2));

    foci_config *config;
    foci_train_options options = {.out = "run", .force = true, .progress = show};
    check(foci_config_from_text(&config, text, NULL, 0));
    check(foci_train(config, &options));
    foci_config_free(config);

    foci_trained *model;
    foci_figure figures[8];
    int count, best = 0;
    check(foci_trained_open(&model, "run", NULL));
    check(foci_trained_evaluate(model, "val", figures, 8, &count));
    for (int i = 0; i < count; i++) printf("%s %g\n", figures[i].name, figures[i].value);

    static float image[3 * 32 * 32], logits[10];
    check(foci_trained_read_image(model, "pictures/val/star-odd/00000.jpg", image));
    check(foci_trained_logits(model, image, 1, logits));
    for (int k = 1; k < 10; k++)
        if (logits[k] > logits[best]) best = k;
    printf("star-odd/00000.jpg is taken for %s\n", foci_trained_class(model, best));
    foci_trained_close(model);
    return 0;
}
