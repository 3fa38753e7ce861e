/* The state of a run: what is saved comes back bit for bit, and a damaged or foreign state is refused. */
#include "check.h"

#include <math.h>
#include <unistd.h>

#include "base/file.h"
#include "base/philox.h"
#include "core/load.h"
#include "train/state.h"

#define SHAPE(...) \
    (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]) { __VA_ARGS__ }

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
                    (foci_real)(foci_uniform(foci_philox(3, (uint64_t)k, (uint64_t)t, (uint64_t)i).v[0]) - 0.5);
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
    for (int kind = FOCI_ADAMW; kind <= FOCI_SGD; kind++) {
        run whole, first, second;
        make(&whole, (foci_optimizer_kind)kind, 3);
        take_steps(&whole, 0, 10);
        make(&first, (foci_optimizer_kind)kind, 3);
        take_steps(&first, 0, 4);
        foci_run_state saved = {4, 1, 2, 6, 2, 3, 5, UINT64_MAX, 0.1, 3.25, {9, 0.7, 0.01}}, loaded = {0};
        assert_ok(foci_state_save(folder, &first.p, &first.o, NULL, &saved, 0));
        make(&second, (foci_optimizer_kind)kind, 3);
        take_steps(&second, 50, 51); /* something else, to be replaced */
        assert_ok(foci_state_load(folder, &second.p, &second.o, NULL, &loaded));
        assert_int_equal(loaded.step, 4);
        assert_int_equal(loaded.epoch, 1);
        assert_int_equal(loaded.position, 2);
        assert_true(loaded.seed == UINT64_MAX);
        assert_true(loaded.best == 0.1 && loaded.elapsed == 3.25);
        assert_true(loaded.checkpoints == 6 && loaded.counted == 2 && loaded.evaluated == 3 && loaded.left_out == 5);
        assert_true(loaded.watch.losses == 9 && loaded.watch.mean == 0.7 && loaded.watch.variance == 0.01);
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
    assert_ok(foci_state_save(folder, &r.p, &r.o, NULL, &saved, 0));
    assert_ok(foci_state_load(folder, &r.p, &r.o, NULL, &loaded));
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
    assert_ok(foci_state_save(folder, &a.p, &a.o, NULL, &(foci_run_state){.step = 2}, 0));
    make(&b, FOCI_ADAM, 3);
    snprintf(path, sizeof path, "%s/last.safetensors", folder);
    assert_ok(foci_load_weights(&b.p, path));
    assert_memory_equal(a.p.value, b.p.value, (size_t)a.p.size * sizeof(foci_real));
    drop(&a);
    drop(&b);
}

static void averages_are_part_of_it(void **state) {
    (void)state;
    const char *folder = temporary_folder();
    char path[512];
    run a, b;
    make(&a, FOCI_ADAMW, 3);
    make(&b, FOCI_ADAMW, 3);
    foci_real *ema = calloc((size_t)a.p.size, sizeof *ema), *loaded = calloc((size_t)a.p.size, sizeof *ema);
    for (int k = 0; k < a.p.count; k++)
        for (int64_t i = 0; i < a.p.entry[k].numel; i++)
            ema[a.p.entry[k].offset + i] = (foci_real)(k + 1) / (foci_real)(i + 3);
    foci_run_state s = {.step = 2, .counted = 2, .checkpoints = 1}, t = {0};
    assert_ok(foci_state_save(folder, &a.p, &a.o, ema, &s, 2));
    assert_ok(foci_state_load(folder, &b.p, &b.o, loaded, &t));
    assert_memory_equal(ema, loaded, (size_t)a.p.size * sizeof *ema);
    snprintf(path, sizeof path, "%s/ema.safetensors", folder);
    assert_ok(foci_load_weights(&b.p, path));
    assert_memory_equal(ema, b.p.value, (size_t)a.p.size * sizeof *ema);
    assert_fails(foci_state_load(folder, &b.p, &b.o, NULL, &t), FOCI_ERR_CHECKPOINT, "8 tensors, this model has 6");
    /* of two checkpoints the second stays, if it is one that the config asked for */
    snprintf(path, sizeof path, "%s/step-2.safetensors", folder);
    assert_int_equal(foci_path_kind(path), 0);
    s.checkpoints = 2;
    s.counted = 1;
    assert_ok(foci_state_save(folder, &a.p, &a.o, ema, &s, 2));
    assert_int_equal(foci_path_kind(path), 0);
    s.counted = 2;
    assert_ok(foci_state_save(folder, &a.p, &a.o, ema, &s, 2));
    assert_ok(foci_load_weights(&b.p, path));
    free(ema);
    free(loaded);
    drop(&a);
    drop(&b);
}

static void refuses_other_models_and_optimisers(void **state) {
    (void)state;
    const char *folder = temporary_folder();
    foci_run_state s = {0};
    run a, wide, sgd;
    make(&a, FOCI_ADAM, 3);
    assert_fails(foci_state_load(folder, &a.p, &a.o, NULL, &s), FOCI_ERR_CHECKPOINT, "state.safetensors: No such file");
    assert_ok(foci_state_save(folder, &a.p, &a.o, NULL, &(foci_run_state){0}, 0));
    make(&wide, FOCI_ADAM, 4);
    assert_fails(foci_state_load(folder, &wide.p, &wide.o, NULL, &s), FOCI_ERR_CHECKPOINT,
                 "tensor value.a.weight is (5, 3) in the file and (5, 4) in the model");
    make(&sgd, FOCI_SGD, 3);
    assert_fails(foci_state_load(folder, &sgd.p, &sgd.o, NULL, &s), FOCI_ERR_CHECKPOINT,
                 "the run used the optimiser adam, the config says sgd");
    char state_path[512];
    snprintf(state_path, sizeof state_path, "%s/state.safetensors", folder);
    assert_ok(foci_save_weights(&a.p, state_path, NULL, 0));
    assert_fails(foci_state_load(folder, &a.p, &a.o, NULL, &s), FOCI_ERR_CHECKPOINT,
                 "no run state: \"format\" is missing");
    drop(&a);
    drop(&wide);
    drop(&sgd);
}

/* The same file without one word of its metadata, checksum and all. */
static void rewrite_without(const char *path, const char *key) {
    foci_safetensors f;
    foci_safetensor_item item[64];
    foci_text_pair kept[32];
    int pairs = 0;
    assert_ok(foci_safetensors_open(&f, path));
    assert_in_range(f.count, 1, 64);
    for (int i = 0; i < f.count; i++) {
        foci_real *data = malloc((size_t)f.tensor[i].numel * sizeof *data);
        assert_ok(foci_safetensors_reals(&f, &f.tensor[i], 0, f.tensor[i].numel, data));
        item[i] = (foci_safetensor_item){f.tensor[i].name, f.tensor[i].ndim, f.tensor[i].shape, data};
    }
    for (int i = 0; i < f.pairs && pairs < 32; i++)
        if (strcmp(f.metadata[i].key, key) != 0 && strcmp(f.metadata[i].key, "xxh3") != 0)
            kept[pairs++] = f.metadata[i];
    assert_true(pairs < f.pairs - 1); /* it was there */
    assert_ok(foci_safetensors_write(path, item, f.count, kept, pairs));
    for (int i = 0; i < f.count; i++) free((void *)(uintptr_t)item[i].data);
    foci_safetensors_close(&f);
}

static void takes_a_state_of_before_evaluations_were_counted(void **state) {
    (void)state;
    const char *folder = temporary_folder();
    char path[512];
    run r;
    foci_run_state s = {.step = 7, .evaluated = 3};
    make(&r, FOCI_ADAM, 3);
    assert_ok(foci_state_save(folder, &r.p, &r.o, NULL, &s, 0));
    snprintf(path, sizeof path, "%s/state.safetensors", folder);
    rewrite_without(path, "evaluated");
    assert_ok(foci_state_load(folder, &r.p, &r.o, NULL, &s));
    assert_int_equal(s.step, 7);
    assert_int_equal(s.evaluated, 7);
    rewrite_without(path, "elapsed");
    assert_fails(foci_state_load(folder, &r.p, &r.o, NULL, &s), FOCI_ERR_CHECKPOINT, "\"elapsed\" is missing");
    drop(&r);
}

static void refuses_every_flipped_byte(void **state) {
    (void)state;
    const char *folder = temporary_folder();
    char path[512];
    run r;
    foci_run_state s = {0};
    make(&r, FOCI_ADAM, 3);
    assert_ok(foci_state_save(folder, &r.p, &r.o, NULL, &(foci_run_state){.step = 7}, 0));
    snprintf(path, sizeof path, "%s/state.safetensors", folder);
    char *bytes;
    size_t size;
    assert_ok(foci_read_file(path, 1 << 20, &bytes, &size, FOCI_ERR_IO));
    for (size_t i = 0; i < size; i++) {
        bytes[i] ^= (char)(1 << i % 8);
        FILE *f = fopen(path, "wb");
        fwrite(bytes, 1, size, f);
        fclose(f);
        foci_status status = foci_state_load(folder, &r.p, &r.o, NULL, &s);
        if (status != FOCI_ERR_CHECKPOINT) fail_msg("byte %zu flipped: status %d", i, (int)status);
        bytes[i] ^= (char)(1 << i % 8);
    }
    free(bytes);
    drop(&r);
}

/* A larger state: 10,000 random bits, and every length that is a multiple of 4 KiB. */
static void refuses_random_damage(void **state) {
    (void)state;
    const char *folder = temporary_folder();
    char path[512];
    run r;
    foci_run_state s = {.step = 7};
    make(&r, FOCI_ADAM, 3001);
    assert_ok(foci_state_save(folder, &r.p, &r.o, NULL, &s, 0));
    snprintf(path, sizeof path, "%s/state.safetensors", folder);
    char *bytes;
    size_t size;
    assert_ok(foci_read_file(path, 1 << 20, &bytes, &size, FOCI_ERR_IO));
    FILE *f = fopen(path, "r+b");
    setvbuf(f, NULL, _IONBF, 0);
    for (uint64_t i = 0; i < 10000; i++) {
        uint32_t bit = foci_philox(9, 0, 0, i).v[0] % (uint32_t)(8 * size);
        long at = (long)(bit / 8);
        fseek(f, at, SEEK_SET);
        fputc(bytes[at] ^ 1 << bit % 8, f);
        foci_status status = foci_state_load(folder, &r.p, &r.o, NULL, &s);
        if (status != FOCI_ERR_CHECKPOINT) fail_msg("bit %u flipped: status %d", bit, (int)status);
        fseek(f, at, SEEK_SET);
        fputc(bytes[at], f);
    }
    assert_ok(foci_state_load(folder, &r.p, &r.o, NULL, &s));
    for (size_t length = size / 4096 * 4096;; length -= 4096) {
        assert_int_equal(ftruncate(fileno(f), (off_t)length), 0);
        foci_status status = foci_state_load(folder, &r.p, &r.o, NULL, &s);
        if (status != FOCI_ERR_CHECKPOINT) fail_msg("cut to %zu bytes: status %d", length, (int)status);
        if (!length) break;
    }
    fclose(f);
    free(bytes);
    drop(&r);
}

static void a_spike_is_above_what_is_usual(void **state) {
    (void)state;
    foci_loss_watch w = {0};
    for (int i = 0; i < FOCI_WATCH_LEAST; i++) {
        assert_false(foci_loss_spikes(&w, 1e9, 3)); /* too early to tell */
        foci_loss_take(&w, i % 2 ? 1.9 : 2.1);
    }
    assert_true(fabs(w.mean - 2) < 1e-9 && fabs(sqrt(w.variance) - 0.1) < 1e-9);
    assert_true(foci_loss_spikes(&w, 2.31, 3));
    assert_false(foci_loss_spikes(&w, 2.29, 3));
    assert_false(foci_loss_spikes(&w, 1e9, 0));
    for (int i = 0; i < 2000; i++) foci_loss_take(&w, 5); /* what is usual may change */
    assert_true(fabs(w.mean - 5) < 1e-6 && w.variance < 1e-6);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(resumes_bit_for_bit),
        cmocka_unit_test(keeps_no_best_as_nan),
        cmocka_unit_test(writes_the_weights_beside_it),
        cmocka_unit_test(refuses_other_models_and_optimisers),
        cmocka_unit_test(refuses_every_flipped_byte),
        cmocka_unit_test(refuses_random_damage),
        cmocka_unit_test(takes_a_state_of_before_evaluations_were_counted),
        cmocka_unit_test(averages_are_part_of_it),
        cmocka_unit_test(a_spike_is_above_what_is_usual),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
