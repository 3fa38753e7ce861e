/* The state of a run: what is saved comes back bit for bit, and a damaged or foreign state is refused. */
#include "check.h"

#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "base/philox.h"
#include "core/load.h"
#include "train/checkpoint.h"

#define SHAPE(...)                                                                                           \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) {                                 \
        __VA_ARGS__                                                                                          \
    }

typedef struct run {
    foci_parameters p;
    foci_optimizer o;
} run;

static void make(run *r, foci_optimizer_kind kind, int64_t width) {
    foci_parameters_init(&r->p);
    assert_true(foci_parameters_declare(&r->p, "a.weight", FOCI_NORMAL(0, 1), SHAPE(5, width)) >= 0);
    assert_true(foci_parameters_declare(&r->p, "a.bias", FOCI_NORMAL(0, 1), SHAPE(5)) >= 0);
    assert_ok(foci_parameters_allocate(&r->p, true));
    foci_parameters_initialise(&r->p, 1);
    foci_optimizer_options a = {.kind = kind, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8, .momentum = 0.9};
    assert_ok(foci_optimizer_init(&r->o, &a, &r->p));
}

static void take_steps(run *r, int from, int to) {
    double grad_norm;
    for (int t = from; t < to; t++) {
        for (int k = 0; k < r->p.count; k++)
            for (int64_t i = 0; i < r->p.entry[k].numel; i++)
                r->p.grad[r->p.entry[k].offset + i] =
                    (foci_real)(foci_uniform(foci_philox(3, (uint64_t)k, (uint64_t)t, (uint64_t)i).v[0]) -
                                0.5);
        assert_ok(foci_optimizer_step(&r->o, &r->p, 0.01, &grad_norm));
    }
}

static void drop(run *r) {
    foci_optimizer_free(&r->o);
    foci_parameters_free(&r->p);
}

static void resumes_bit_for_bit(void **state) {
    (void)state;
    const char *folder = temporary_folder();
    for (int kind = FOCI_ADAM; kind <= FOCI_SGD; kind++) {
        run whole, first, second;
        make(&whole, (foci_optimizer_kind)kind, 3);
        take_steps(&whole, 0, 10);
        make(&first, (foci_optimizer_kind)kind, 3);
        take_steps(&first, 0, 4);
        foci_run_state saved = {4, 1, 2, UINT64_MAX, 0.1, 3.25}, loaded;
        assert_ok(foci_checkpoint_save(folder, &first.p, &first.o, &saved));
        make(&second, (foci_optimizer_kind)kind, 3);
        take_steps(&second, 50, 51); /* something else, to be replaced */
        assert_ok(foci_checkpoint_load(folder, &second.p, &second.o, &loaded));
        assert_int_equal(loaded.step, 4);
        assert_int_equal(loaded.epoch, 1);
        assert_int_equal(loaded.position, 2);
        assert_true(loaded.seed == UINT64_MAX);
        assert_true(loaded.best == 0.1 && loaded.elapsed == 3.25);
        take_steps(&second, 4, 10);
        assert_memory_equal(whole.p.value, second.p.value, (size_t)whole.p.size * sizeof(foci_real));
        drop(&whole);
        drop(&first);
        drop(&second);
    }
}

static void keeps_no_best_as_nan(void **state) {
    (void)state;
    const char *folder = temporary_folder();
    run r;
    make(&r, FOCI_ADAM, 3);
    foci_run_state saved = {.best = NAN}, loaded = {0};
    assert_ok(foci_checkpoint_save(folder, &r.p, &r.o, &saved));
    assert_ok(foci_checkpoint_load(folder, &r.p, &r.o, &loaded));
    assert_true(isnan(loaded.best));
    drop(&r);
}

static void writes_the_weights_beside_it(void **state) {
    (void)state;
    const char *folder = temporary_folder();
    char path[512];
    run a, b;
    make(&a, FOCI_ADAM, 3);
    take_steps(&a, 0, 2);
    assert_ok(foci_checkpoint_save(folder, &a.p, &a.o, &(foci_run_state){.step = 2}));
    make(&b, FOCI_ADAM, 3);
    snprintf(path, sizeof path, "%s/last.safetensors", folder);
    assert_ok(foci_load_weights(&b.p, path));
    assert_memory_equal(a.p.value, b.p.value, (size_t)a.p.size * sizeof(foci_real));
    drop(&a);
    drop(&b);
}

static void refuses_other_models_and_optimisers(void **state) {
    (void)state;
    const char *folder = temporary_folder();
    foci_run_state s;
    run a, wide, sgd;
    make(&a, FOCI_ADAM, 3);
    assert_fails(foci_checkpoint_load(folder, &a.p, &a.o, &s), FOCI_ERR_CHECKPOINT,
                 "state.safetensors: No such file");
    assert_ok(foci_checkpoint_save(folder, &a.p, &a.o, &(foci_run_state){0}));
    make(&wide, FOCI_ADAM, 4);
    assert_fails(foci_checkpoint_load(folder, &wide.p, &wide.o, &s), FOCI_ERR_CHECKPOINT,
                 "tensor value.a.weight is (5, 3) in the file and (5, 4) in the model");
    make(&sgd, FOCI_SGD, 3);
    assert_fails(foci_checkpoint_load(folder, &sgd.p, &sgd.o, &s), FOCI_ERR_CHECKPOINT,
                 "the run used the optimiser adam, the config says sgd");
    char state_path[512];
    snprintf(state_path, sizeof state_path, "%s/state.safetensors", folder);
    assert_ok(foci_save_weights(&a.p, state_path, NULL, 0));
    assert_fails(foci_checkpoint_load(folder, &a.p, &a.o, &s), FOCI_ERR_CHECKPOINT,
                 "no run state: \"format\" is missing");
    drop(&a);
    drop(&wide);
    drop(&sgd);
}

static void refuses_every_flipped_byte(void **state) {
    (void)state;
    const char *folder = temporary_folder();
    char path[512];
    run r;
    foci_run_state s;
    make(&r, FOCI_ADAM, 3);
    assert_ok(foci_checkpoint_save(folder, &r.p, &r.o, &(foci_run_state){.step = 7}));
    snprintf(path, sizeof path, "%s/state.safetensors", folder);
    char *bytes;
    size_t size;
    assert_ok(foci_read_file(path, 1 << 20, &bytes, &size, FOCI_ERR_IO));
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= (char)(1 << i % 8);
        FILE *f = fopen(path, "wb");
        fwrite(bytes, 1, size, f);
        fclose(f);
        foci_status status = foci_checkpoint_load(folder, &r.p, &r.o, &s);
        if (status != FOCI_ERR_CHECKPOINT) fail_msg("byte %zu flipped: status %d", i, (int)status);
        bytes[i] ^= (char)(1 << i % 8);
    }
    free(bytes);
    drop(&r);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resumes_bit_for_bit),          cmocka_unit_test(keeps_no_best_as_nan),
        cmocka_unit_test(writes_the_weights_beside_it), cmocka_unit_test(refuses_other_models_and_optimisers),
        cmocka_unit_test(refuses_every_flipped_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
