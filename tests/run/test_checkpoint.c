/* A checkpoint keeps the arrays, numbers and words it is handed, whatever they are. (tests/train/test_state.c has those
 * of a training, and damage.) */
#include "check.h"

#include "base/file.h"
#include "core/load.h"
#include "run/checkpoint.h"

typedef struct kept {
    foci_real value[16], slow[16];
    int64_t turns, later;
    double height;
    foci_checkpoint_array array[3];
    foci_checkpoint_number number[4];
    foci_checkpoint_word word[2];
    foci_checkpoint c;
} kept;

static foci_parameters parameters;

static void hand(kept *k, const char *colour) {
    *k = (kept){.array = {{"w.", k->value, "w.safetensors"}, {"slow.", NULL, "slow.safetensors"}},
                .number = {{"turns", .count = &k->turns},
                           {"height", .real = &k->height},
                           {"later", .count = &k->later, .optional = true}},
                .word = {{"colour", "hue", colour}}};
    k->c = (foci_checkpoint){&parameters, k->array, k->number, k->word};
}

static void what_is_handed_comes_back(void **state) {
    (void)state;
    const char *folder = temporary_folder();
    char path[512];
    kept a, b;
    hand(&a, "red");
    hand(&b, "red");
    for (int i = 0; i < 6; i++) a.value[i] = (foci_real)i / 4;
    a.turns = 7, a.height = 0.1, a.later = 3;
    assert_ok(foci_checkpoint_save(folder, &a.c));
    assert_ok(foci_checkpoint_weights(folder, &a.c, 7, true));
    assert_ok(foci_checkpoint_load(folder, &b.c));
    assert_memory_equal(a.value, b.value, sizeof a.value);
    assert_true(b.turns == 7 && b.height == 0.1 && b.later == 3);
    for (const char *const *name = (const char *const[]){"w.safetensors", "step-7.safetensors", NULL}; *name; name++) {
        memset(parameters.value, 0, sizeof a.value);
        snprintf(path, sizeof path, "%s/%s", folder, *name);
        assert_ok(foci_load_weights(&parameters, path));
        assert_memory_equal(parameters.value, a.value, 6 * sizeof *a.value);
    }
    snprintf(path, sizeof path, "%s/slow.safetensors", folder); /* there is no such array */
    assert_int_equal(foci_path_kind(path), 0);
}

static void other_words_arrays_and_numbers_are_refused(void **state) {
    (void)state;
    const char *folder = temporary_folder();
    kept a, b;
    hand(&a, "red");
    a.number[2].key = NULL; /* it has no `later` */
    assert_ok(foci_checkpoint_save(folder, &a.c));
    hand(&b, "blue");
    assert_fails(foci_checkpoint_load(folder, &b.c), FOCI_ERR_CHECKPOINT,
                 "the run used the hue red, the config says blue");
    hand(&b, "red");
    b.later = 5;
    assert_ok(foci_checkpoint_load(folder, &b.c));
    assert_int_equal(b.later, 5);
    b.number[2].optional = false;
    assert_fails(foci_checkpoint_load(folder, &b.c), FOCI_ERR_CHECKPOINT, "\"later\" is missing");
    hand(&b, "red");
    b.array[1].data = b.slow;
    assert_fails(foci_checkpoint_load(folder, &b.c), FOCI_ERR_CHECKPOINT, "tensor slow.a of this model is missing");
}

int main(void) {
    foci_parameters_init(&parameters);
    if (foci_parameters_declare(&parameters, "a", FOCI_ZEROS, 2, (int64_t[]){2, 3}) < 0 ||
        foci_parameters_allocate(&parameters, false))
        return 1;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_handed_comes_back),
        cmocka_unit_test(other_words_arrays_and_numbers_are_refused),
    };
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    foci_parameters_free(&parameters);
    return failed;
}
