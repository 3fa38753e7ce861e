/* The list of tasks: every descriptor is whole, and models and data sets name tasks that there are. */
#include "check.h"

#include "config/config.h"
#include "models/models.h"
#include "task/schema.h"
#include "task/task.h"

static foci_config *config_of(const char *model, const char *data) {
    char text[128];
    foci_config *c;
    snprintf(text, sizeof text, "model: {kind: %s}\ndata: {kind: %s}\n", model, data);
    assert_ok(foci_config_parse(&c, foci_schema_all(), "test", text, strlen(text), NULL, 0));
    return c;
}

static void descriptors_are_whole(void **state) {
    (void)state;
    for (int i = 0; foci_tasks[i]; i++) {
        const foci_task *t = foci_tasks[i];
        const foci_metric *metric = foci_metric_find(t->metric), *items = foci_metric_find(t->items);
        assert_ptr_equal(foci_task_find(t->name), t);
        assert_true(t->summary && t->item && metric && metric->better && items && foci_metric_is_count(items));
        assert_true(t->open && t->close && t->classes && t->describe && t->updates && t->prepare && t->seek &&
                    t->next && t->feed);
        assert_true(t->items_in && t->evaluate && !t->shapes == !t->shape_of);
        assert_true(foci_request_feeds(&(foci_request){.feeds = t->feeds}, t->counted));
        if (t->samples)
            assert_true(t->samples->items && t->samples->few > 0 && t->samples->at_once > 0 && t->samples->count &&
                        t->samples->read);
        for (int k = 0; k < i; k++) assert_string_not_equal(t->name, foci_tasks[k]->name);
    }
    assert_null(foci_task_find("none"));
}

static void models_and_data_name_their_task(void **state) {
    (void)state;
    for (int i = 0; foci_models[i]; i++) assert_non_null(foci_task_of(foci_models[i]));
    for (int i = 0; foci_data_sets[i]; i++) assert_non_null(foci_task_find(foci_data_sets[i]->task));
}

static void a_config_is_of_one_task(void **state) {
    (void)state;
    const foci_model *model;
    const foci_task *task;
    foci_config *images = config_of("vit", "image_folder"), *neither = config_of("vit", "text");
    assert_ok(foci_task_open(images, &model, &task));
    assert_true(task == &foci_task_images && strcmp(model->name, "vit") == 0);
    assert_ok(foci_task_wanted(images, &foci_task_images, "images to attack", &model));
    assert_fails(foci_task_wanted(images, &foci_task_text, "words to generate", &model), FOCI_ERR_CONFIG,
                 "model.kind: vit on image_folder has no words to generate");
    assert_fails(foci_task_open(neither, &model, &task), FOCI_ERR_CONFIG,
                 "data.kind: text is tokens, but model.kind vit wants images");
    assert_fails(foci_task_wanted(neither, &foci_task_images, "images", &model), FOCI_ERR_CONFIG,
                 "vit on text has no images");
    foci_config_free(images);
    foci_config_free(neither);
}

static void settings_are_the_tasks_own(void **state) {
    (void)state;
    static const char *const walk[] = {"walk=sideways"}, *const other[] = {"pace=fast"};
    foci_score score;
    assert_fails(
        foci_task_evaluate(&foci_task_text, NULL, NULL, NULL, &(foci_evaluation){"val", walk, 1}, NULL, &score),
        FOCI_ERR_CONFIG, "sideways");
    assert_fails(
        foci_task_evaluate(&foci_task_text, NULL, NULL, NULL, &(foci_evaluation){"val", other, 1}, NULL, &score),
        FOCI_ERR_CONFIG, "pace");
    assert_fails(
        foci_task_evaluate(&foci_task_images, NULL, NULL, NULL, &(foci_evaluation){"val", walk, 1}, NULL, &score),
        FOCI_ERR_CONFIG, "walk");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(descriptors_are_whole),
        cmocka_unit_test(models_and_data_name_their_task),
        cmocka_unit_test(a_config_is_of_one_task),
        cmocka_unit_test(settings_are_the_tasks_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
