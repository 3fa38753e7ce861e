/* Trains a small vision transformer on pictures that foci makes, then classifies one of them. Needs no files:
 *
 *     c++ train_and_classify.cpp $(pkg-config --cflags --libs foci) && ./a.out */
#include <foci/foci.h>

#include <algorithm>
#include <iostream>
#include <stdexcept>
#include <vector>

static const char text[] = "name: example\n"
                           "model: {kind: vit, img_size: 32, patch_size: 8, embed_dim: 48, depth: 3, num_heads: 3}\n"
                           "attention: {kind: elliptical}\n"
                           "data: {kind: image_folder, train: pictures/train, val: pictures/val}\n"
                           "train: {batch_size: 50, epochs: 6, lr: 2.0e-3}\n";

static void check(foci_status status) {
    if (status) throw std::runtime_error(foci_error_message());
}

static void show(void *, const foci_progress *p) {
    if (p->step % 10 == 0) std::cout << "step " << p->step << " of " << p->steps << ": loss " << p->loss << "\n";
}

static void train() {
    const char *const fewer[] = {"train=1000", "val=200"};
    check(foci_make_data("images", "pictures", fewer, 2));
    foci_config *config;
    foci_train_options options = {};
    options.out = "run";
    options.force = true;
    options.progress = show;
    check(foci_config_from_text(&config, text, nullptr, 0));
    check(foci_train(config, &options));
    foci_config_free(config);
}

static void classify(const char *path) {
    foci_trained *model;
    check(foci_trained_open(&model, "run", nullptr));
    const foci_trained_info about = foci_trained_about(model);
    std::vector<float> image(about.channels * about.height * about.width), logits(about.classes);
    check(foci_trained_read_image(model, path, image.data()));
    check(foci_trained_logits(model, image.data(), 1, logits.data()));
    const auto best = std::max_element(logits.begin(), logits.end()) - logits.begin();
    std::cout << path << " is taken for " << foci_trained_class(model, best) << "\n";
    foci_trained_close(model);
}

int main() try {
    train();
    classify("pictures/val/star-odd/00000.jpg");
} catch (const std::exception &e) {
    std::cerr << e.what() << "\n";
    return 1;
}
