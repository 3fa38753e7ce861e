/* The gradient by the images, computed in double, against differences: a ViT of dot-product attention (a metric counts
 * as a constant, so with elliptical attention it is not the derivative), with the normalisation that stands before it.
 */
#include "attacked.h"

#include "config/config.h"
#include "models/models.h"
#include "attack/attack.h"
#include "task/schema.h"

static const char text[] =
    "model: {kind: vit, img_size: 6, patch_size: 2, embed_dim: 12, depth: 3, num_heads: 2, num_classes: 7}\n"
    "attention: {kind: softmax}\n"
    "data: {kind: image_folder, train: x, val: x}\n";

static foci_units normalised(void) {
    foci_units u = foci_units_plain(0, 1);
    for (int c = 0; c < 3; c++) {
        u.mean[c] = 0.3 + 0.1 * c;
        u.std[c] = 0.2 + 0.05 * c;
    }
    return u;
}

static void image_gradients(void **state) {
    (void)state;
    static attacked a;
    static foci_real x[SLOTS * PIXELS], unused[SLOTS * PIXELS];
    foci_head *const heads[] = {foci_head_cross_entropy, foci_head_margin, foci_head_dlr_target};
    const foci_units units = normalised();
    foci_config *config;
    assert_ok(foci_config_parse(&config, foci_schema_all(), "test", text, strlen(text), NULL, 0));
    open_attacked(&a, foci_model_find("vit"), config, &units, 4);
    for (int64_t i = 0; i < a.parameters.size; i++) a.parameters.value[i] *= 8; /* logits that differ */
    for (int h = 0; h < 3; h++) {
        foci_victim_gradient(&a.victim, SLOTS, NULL, a.x, heads[h], a.label, a.target, a.logits, a.loss, a.dx);
        double largest = 0;
        for (int64_t j = 0; j < SLOTS * PIXELS; j++) largest = fmax(largest, fabs((double)a.dx[j]));
        assert_true(largest > 1e-4);
        for (int64_t j = 0; j < PIXELS; j += 5) {
            const double step = 1e-5;
            double up[SLOTS], down[SLOTS];
            memcpy(x, a.x, sizeof x);
            for (int64_t i = 0; i < SLOTS; i++) x[i * PIXELS + j] += (foci_real)step;
            foci_victim_gradient(&a.victim, SLOTS, NULL, x, heads[h], a.label, a.target, NULL, up, unused);
            for (int64_t i = 0; i < SLOTS; i++) x[i * PIXELS + j] -= (foci_real)(2 * step);
            foci_victim_gradient(&a.victim, SLOTS, NULL, x, heads[h], a.label, a.target, NULL, down, unused);
            for (int64_t i = 0; i < SLOTS; i++)
                assert_close(a.dx[i * PIXELS + j], (up[i] - down[i]) / (2 * step), 1e-6 * largest);
        }
    }
    close_attacked(&a);
    foci_config_free(config);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(image_gradients)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
