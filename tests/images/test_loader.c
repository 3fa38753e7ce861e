/* The loader: the same batches for any number of threads, epochs and their order, places to start at, and
 * files that fail. */
#include <unistd.h>

#include "image_files.h"

enum { COUNT = 23, SIDE = 12, PIXELS = 3 * SIDE * SIDE, MOST_BATCHES = COUNT };

static const foci_transform training = {.height = SIDE,
                                        .width = SIDE,
                                        .train = true,
                                        .scale_min = 0.3,
                                        .scale_max = 1,
                                        .ratio_min = 0.75,
                                        .ratio_max = 4.0 / 3,
                                        .flip = 0.5,
                                        .interpolation = FOCI_BICUBIC,
                                        .std = {1, 1, 1}};
static const foci_transform evaluation = {.height = SIDE, .width = SIDE, .crop_pct = 0.875, .std = {1, 1, 1}};

static foci_image_set *set; /* COUNT images of three classes */
static char *folder;

static int make_set(void **state) {
    make_folder(state);
    folder = *state;
    const char *dir = path_of("%s/set", folder);
    mkdir(dir, 0755);
    for (int i = 0; i < COUNT; i++) {
        char class[8], file[16];
        snprintf(class, sizeof class, "k%d", i % 3);
        snprintf(file, sizeof file, "%02d.%s", i, i % 4 ? "png" : "jpg");
        save_image(dir, class, file, i % 7);
    }
    return foci_image_set_open(&set, dir);
}
static int remove_set(void **state) {
    foci_image_set_close(set);
    return remove_folder(state);
}

static foci_image_loader *open_loader(const foci_transform *t, int64_t batch, bool shuffle, bool drop_last,
                                      uint64_t seed, int workers) {
    foci_image_loader *l = NULL;
    assert_ok(foci_image_loader_open(&l, set, t, batch, shuffle, drop_last, seed, workers));
    return l;
}

/* What an epoch gave, from some batch on. */
typedef struct epoch {
    int64_t batches, count, size[MOST_BATCHES], index[COUNT];
    int32_t label[COUNT];
    foci_real images[COUNT][PIXELS];
} epoch;

static void run_epoch(foci_image_loader *l, int64_t number, int64_t first, epoch *e) {
    memset(e, 0, sizeof *e);
    assert_ok(foci_image_loader_seek(l, number, first));
    for (;;) {
        foci_image_batch b;
        assert_ok(foci_image_loader_next(l, &b));
        if (b.count == 0) return;
        assert_true(e->count + b.count <= COUNT);
        memcpy(e->index + e->count, b.index, (size_t)b.count * sizeof *b.index);
        memcpy(e->label + e->count, b.labels, (size_t)b.count * sizeof *b.labels);
        memcpy(e->images[e->count], b.images, (size_t)b.count * sizeof e->images[0]);
        e->size[e->batches++] = b.count;
        e->count += b.count;
    }
}

/* A loader for this alone. */
static void run_alone(epoch *e, const foci_transform *t, int64_t batch, bool shuffle, bool drop_last, uint64_t seed,
                      int64_t number, int workers) {
    foci_image_loader *l = open_loader(t, batch, shuffle, drop_last, seed, workers);
    run_epoch(l, number, 0, e);
    foci_image_loader_close(l);
}

static void expect_same(const epoch *a, const epoch *b) { assert_memory_equal(a, b, sizeof *a); }

static epoch one, other;

/* -------------------------------------------------------------------------------------------------- order */

static void any_number_of_workers_gives_the_same_bits(void **state) {
    (void)state;
    run_alone(&one, &training, 4, true, false, 11, 2, 1);
    for (int workers = 2; workers <= 8; workers += 3) {
        run_alone(&other, &training, 4, true, false, 11, 2, workers);
        expect_same(&one, &other);
    }
}

static void unshuffled_images_come_in_the_order_of_the_set(void **state) {
    (void)state;
    run_alone(&one, &evaluation, 5, false, false, 0, 0, 2);
    assert_int_equal(one.count, COUNT);
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(one.index[i], i);
        assert_int_equal(one.label[i], foci_image_set_label(set, i));
    }
}

/* The loader adds nothing of its own to reading and transforming. */
static void every_sample_is_what_the_transform_makes_of_it(void **state) {
    (void)state;
    run_alone(&one, &training, 6, true, false, 5, 3, 2);
    for (int i = 0; i < COUNT; i++) {
        foci_image image;
        foci_real wanted[PIXELS];
        assert_ok(foci_image_set_read(set, one.index[i], &image, 0));
        assert_ok(foci_transform_apply(&training, &image, 5, 3, one.index[i], wanted));
        assert_memory_equal(wanted, one.images[i], sizeof wanted);
        assert_int_equal(one.label[i], foci_image_set_label(set, one.index[i]));
        foci_image_free(&image);
    }
}

static void shuffling_is_a_permutation(void **state) {
    (void)state;
    run_alone(&one, &evaluation, 5, true, false, 1, 0, 2);
    bool seen[COUNT] = {0};
    int moved = 0;
    for (int i = 0; i < COUNT; i++) {
        assert_in_range(one.index[i], 0, COUNT - 1);
        assert_false(seen[one.index[i]]);
        seen[one.index[i]] = true;
        moved += one.index[i] != i;
    }
    assert_int_equal(one.count, COUNT);
    assert_true(moved > COUNT / 2);
}

static void epochs_and_seeds_have_orders_of_their_own(void **state) {
    (void)state;
    run_alone(&one, &evaluation, 5, true, false, 1, 0, 2);
    run_alone(&other, &evaluation, 5, true, false, 1, 1, 2);
    assert_memory_not_equal(one.index, other.index, sizeof one.index);
    run_alone(&other, &evaluation, 5, true, false, 2, 0, 2);
    assert_memory_not_equal(one.index, other.index, sizeof one.index);
    run_alone(&other, &evaluation, 5, true, false, 1, 0, 2);
    expect_same(&one, &other);
}

/* Over many epochs every image comes first about equally often. */
static void every_image_may_come_first(void **state) {
    (void)state;
    foci_image_loader *l = open_loader(&evaluation, 1, true, false, 3, 1);
    int first[COUNT] = {0};
    for (int e = 0; e < 400; e++) {
        foci_image_batch b;
        assert_ok(foci_image_loader_seek(l, e, 0));
        assert_ok(foci_image_loader_next(l, &b));
        first[b.index[0]]++;
    }
    for (int i = 0; i < COUNT; i++) assert_in_range(first[i], 5, 36); /* 17.4 are due */
    foci_image_loader_close(l);
}

static void augmentation_differs_by_epoch(void **state) {
    (void)state;
    run_alone(&one, &training, 5, false, false, 1, 0, 2);
    run_alone(&other, &training, 5, false, false, 1, 1, 2);
    assert_memory_equal(one.index, other.index, sizeof one.index);
    for (int i = 0; i < COUNT; i++) assert_memory_not_equal(one.images[i], other.images[i], sizeof one.images[i]);
}

/* ------------------------------------------------------------------------------------------------ batches */

static void the_last_batch_may_be_smaller(void **state) {
    (void)state;
    foci_image_loader *l = open_loader(&evaluation, 5, false, false, 0, 2);
    assert_int_equal(foci_image_loader_batches(l), 5);
    run_epoch(l, 0, 0, &one);
    assert_int_equal(one.batches, 5);
    assert_int_equal(one.size[3], 5);
    assert_int_equal(one.size[4], 3);
    foci_image_loader_close(l);
}

static void drop_last_leaves_the_smaller_one_out(void **state) {
    (void)state;
    foci_image_loader *l = open_loader(&training, 5, true, true, 0, 2);
    assert_int_equal(foci_image_loader_batches(l), 4);
    run_epoch(l, 0, 0, &one);
    assert_int_equal(one.batches, 4);
    assert_int_equal(one.count, 20);
    foci_image_loader_close(l);
    run_alone(&other, &training, 5, true, false, 0, 0, 2);
    assert_memory_equal(one.images, other.images, 20 * sizeof one.images[0]); /* the same order otherwise */
}

static void batches_of_every_size_hold_the_same(void **state) {
    (void)state;
    run_alone(&one, &training, COUNT, true, false, 4, 1, 2);
    assert_int_equal(one.batches, 1);
    for (int64_t size = 1; size < COUNT; size++) {
        run_alone(&other, &training, size, true, false, 4, 1, 2);
        assert_int_equal(other.batches, (COUNT + size - 1) / size);
        assert_memory_equal(one.index, other.index, sizeof one.index);
        assert_memory_equal(one.images, other.images, sizeof one.images);
    }
}

static void a_batch_larger_than_the_set_holds_all_of_it(void **state) {
    (void)state;
    foci_image_loader *l = open_loader(&evaluation, 100, false, false, 0, 3);
    assert_int_equal(foci_image_loader_batches(l), 1);
    run_epoch(l, 0, 0, &one);
    assert_int_equal(one.size[0], COUNT);
    foci_image_loader_close(l);
}

static void impossible_batches_are_refused(void **state) {
    (void)state;
    foci_image_loader *l = (foci_image_loader *)set;
    assert_fails(foci_image_loader_open(&l, set, &training, 24, true, true, 0, 1), FOCI_ERR_CONFIG, "24");
    assert_null(l);
    assert_fails(foci_image_loader_open(&l, set, &training, 0, true, false, 0, 1), FOCI_ERR_CONFIG, "batch of 0");
    assert_fails(foci_image_loader_open(&l, set, &training, -3, true, false, 0, 1), FOCI_ERR_CONFIG, "batch of -3");
}

static void after_the_end_nothing_comes_until_the_next_seek(void **state) {
    (void)state;
    foci_image_loader *l = open_loader(&training, 8, true, false, 0, 2);
    run_epoch(l, 0, 0, &one);
    for (int i = 0; i < 3; i++) {
        foci_image_batch b = {.count = 9};
        assert_ok(foci_image_loader_next(l, &b));
        assert_int_equal(b.count, 0);
    }
    run_epoch(l, 1, 0, &other);
    assert_int_equal(other.count, COUNT);
    run_epoch(l, 0, 0, &other);
    expect_same(&one, &other);
    foci_image_loader_close(l);
}

/* The workers run ahead meanwhile. */
static void a_batch_stays_as_it_is_until_the_next_call(void **state) {
    (void)state;
    foci_image_loader *l = open_loader(&training, 3, true, false, 0, 4);
    assert_ok(foci_image_loader_seek(l, 0, 2));
    for (int i = 0; i < 3; i++) {
        foci_image_batch b;
        foci_real copy[3 * PIXELS];
        int64_t index[3];
        assert_ok(foci_image_loader_next(l, &b));
        assert_int_equal(b.count, 3);
        memcpy(copy, b.images, sizeof copy);
        memcpy(index, b.index, sizeof index);
        usleep(20000);
        assert_memory_equal(copy, b.images, sizeof copy);
        assert_memory_equal(index, b.index, sizeof index);
    }
    foci_image_loader_close(l);
}

/* --------------------------------------------------------------------------------------------------- seek */

static void seeking_equals_running_up_to_there(void **state) {
    (void)state;
    foci_image_loader *l = open_loader(&training, 4, true, false, 8, 2);
    run_epoch(l, 5, 0, &one);
    for (int64_t first = 5; first >= 0; first--) {
        run_epoch(l, 5, first, &other);
        assert_int_equal(other.count, COUNT - 4 * first);
        assert_memory_equal(one.index + 4 * first, other.index, (size_t)other.count * sizeof *other.index);
        assert_memory_equal(one.label + 4 * first, other.label, (size_t)other.count * sizeof *other.label);
        assert_memory_equal(one.images[4 * first], other.images, (size_t)other.count * sizeof *other.images);
    }
    foci_image_loader_close(l);
}

static void seeking_to_the_end_gives_nothing(void **state) {
    (void)state;
    foci_image_loader *l = open_loader(&training, 4, true, false, 8, 2);
    run_epoch(l, 0, 6, &one);
    assert_int_equal(one.count, 0);
    run_epoch(l, 0, 1000, &one);
    assert_int_equal(one.count, 0);
    foci_image_loader_close(l);
}

static void seeking_while_the_workers_work_is_safe(void **state) {
    (void)state;
    foci_image_loader *l = open_loader(&training, 2, true, false, 8, 5);
    run_epoch(l, 3, 0, &one);
    uint32_t r = 1;
    for (int i = 0; i < 300; i++) {
        r = r * 1664525u + 1013904223u;
        int64_t at = r >> 8 & 7;
        assert_ok(foci_image_loader_seek(l, i % 2 ? 3 : 4, at));
        if (i % 2 == 0) { /* away again, when they are about in the middle of it */
            usleep(r >> 16 & 255);
            continue;
        }
        for (int n = 0; n < 2; n++) {
            foci_image_batch b;
            assert_ok(foci_image_loader_next(l, &b));
            assert_memory_equal(b.images, one.images[2 * (at + n)], 2 * sizeof one.images[0]);
        }
    }
    foci_image_loader_close(l);
}

static void without_a_seek_it_starts_at_the_first_epoch(void **state) {
    (void)state;
    foci_image_loader *l = open_loader(&training, 4, true, false, 8, 2);
    foci_image_batch b;
    assert_ok(foci_image_loader_next(l, &b));
    run_alone(&one, &training, 4, true, false, 8, 0, 1);
    assert_int_equal(b.count, 4);
    assert_memory_equal(b.images, one.images, 4 * sizeof one.images[0]);
    foci_image_loader_close(l);
}

/* -------------------------------------------------------------------------------------- repeats and mixing */

static foci_image_loader *open_augmented(int64_t batch, int workers, int repeats, const foci_mix *mix) {
    foci_image_loader *l = open_loader(&training, batch, true, true, 4, workers);
    assert_ok(foci_image_loader_augment(l, repeats, mix));
    return l;
}
static void run_augmented(epoch *e, int64_t batch, int workers, int repeats, const foci_mix *mix) {
    foci_image_loader *l = open_augmented(batch, workers, repeats, mix);
    run_epoch(l, 1, 0, e);
    foci_image_loader_close(l);
}
static const foci_mix unmixed = {.groups = 1},
                      mixed = {.mixup = 0.8, .cutmix = 1, .probability = 1, .switching = 0.5, .groups = 1};

static void repeats_come_in_a_row_each_augmented_anew(void **state) {
    (void)state;
    run_alone(&one, &training, 4, true, true, 4, 1, 2);
    run_augmented(&other, 4, 3, 3, &unmixed);
    assert_int_equal(other.count, 20); /* as many as without */
    for (int i = 0; i < other.count; i++) {
        foci_image image;
        foci_real wanted[PIXELS];
        assert_int_equal(other.index[i], one.index[i / 3]);
        assert_ok(foci_image_set_read(set, other.index[i], &image, 22));
        assert_ok(foci_transform_apply(&training, &image, 4, 1, 3 * other.index[i] + i % 3, wanted));
        assert_memory_equal(wanted, other.images[i], sizeof wanted);
        foci_image_free(&image);
        if (i % 3) assert_memory_not_equal(other.images[i], other.images[i - 1], sizeof wanted);
    }
}

/* A batch of 6 in 2 hands: draws 0 2 4, then 1 3 5. */
static void a_batch_is_dealt_in_turn(void **state) {
    (void)state;
    run_augmented(&one, 6, 2, 1, &unmixed);
    run_augmented(&other, 6, 2, 1, &(foci_mix){.groups = 2});
    for (int i = 0; i < 18; i++) {
        int place = i / 6 * 6 + i % 2 * 3 + i % 6 / 2;
        assert_int_equal(other.index[place], one.index[i]);
        assert_memory_equal(other.images[place], one.images[i], sizeof one.images[i]);
    }
}

/* The first with the last and so on, in each hand by its own lambda; the middle of three has no partner but itself. */
static void a_batch_is_mixed_in_reverse_order(void **state) {
    (void)state;
    foci_mix mixup = {.mixup = 0.8, .probability = 1, .groups = 2};
    run_augmented(&one, 6, 2, 1, &(foci_mix){.groups = 2});
    foci_image_loader *l = open_augmented(6, 3, 1, &mixup);
    assert_ok(foci_image_loader_seek(l, 1, 0));
    foci_real shares[6];
    for (int b = 0; b < 3; b++) {
        foci_image_batch batch;
        assert_ok(foci_image_loader_next(l, &batch));
        for (int i = 0; i < 6; i++) {
            int partner = i / 3 * 3 + 2 - i % 3;
            const foci_real *x = one.images[6 * b + i], *y = one.images[6 * b + partner];
            shares[i] = batch.shares[i];
            assert_int_equal(batch.labels[i], one.label[6 * b + i]);
            assert_int_equal(batch.partners[i], one.label[6 * b + partner]);
            for (int k = 0; k < PIXELS; k++)
                assert_close(batch.images[i * PIXELS + k],
                             partner == i ? x[k] : batch.shares[i] * x[k] + (1 - batch.shares[i]) * y[k], 1e-6);
        }
        assert_true(shares[0] == shares[1] && shares[1] == shares[2] && shares[3] == shares[5]);
        assert_true(shares[0] != shares[3]);
    }
    foci_image_loader_close(l);
}

static void mixed_batches_do_not_depend_on_threads_or_where_one_starts(void **state) {
    (void)state;
    run_augmented(&one, 6, 1, 3, &mixed);
    for (int workers = 2; workers <= 6; workers++)
        for (int again = 0; again < 10; again++) {
            run_augmented(&other, 6, workers, 3, &mixed);
            expect_same(&one, &other);
        }
    foci_image_loader *l = open_augmented(6, 4, 3, &mixed);
    run_epoch(l, 1, 2, &other);
    assert_int_equal(other.count, 6);
    assert_memory_equal(other.images, one.images[12], 6 * sizeof one.images[0]);
    foci_image_loader_close(l);
}

/* In batches of 6, places 0 and 1 are mixed with 5 and 4. */
static void a_share_of_a_batch_is_as_in_the_whole(void **state) {
    (void)state;
    run_augmented(&one, 6, 2, 3, &mixed);
    foci_image_loader *l = open_augmented(6, 3, 3, &mixed);
    foci_image_loader_share(l, 0, 2);
    run_epoch(l, 1, 0, &other);
    assert_int_equal(other.count, one.count);
    for (int i = 0; i < one.count; i++)
        if (i % 6 < 2) assert_memory_equal(one.images[i], other.images[i], sizeof one.images[i]);
    assert_memory_equal(one.label, other.label, sizeof one.label);
    foci_image_loader_close(l);
}

static void an_epoch_of_repeats_is_a_multiple_of_256(void **state) {
    (void)state;
    const char *dir = path_of("%s/many", folder);
    mkdir(dir, 0755);
    for (int i = 0; i < 300; i++) {
        char file[16];
        snprintf(file, sizeof file, "%03d.png", i);
        save_image(dir, "k", file, i % 7);
    }
    foci_image_set *many;
    foci_image_loader *l;
    assert_ok(foci_image_set_open(&many, dir));
    assert_ok(foci_image_loader_open(&l, many, &training, 10, true, true, 0, 2));
    assert_int_equal(foci_image_loader_batches(l), 30);
    assert_ok(foci_image_loader_augment(l, 3, &unmixed));
    assert_int_equal(foci_image_loader_batches(l), 25);
    foci_image_loader_close(l);
    foci_image_set_close(many);
}

static void impossible_hands_are_refused(void **state) {
    (void)state;
    foci_image_loader *l = open_loader(&training, 6, true, true, 0, 1);
    assert_fails(foci_image_loader_augment(l, 1, &(foci_mix){.groups = 4}), FOCI_ERR_CONFIG,
                 "cannot be dealt to 4 hands");
    foci_image_loader_close(l);
    l = open_loader(&training, 6, true, false, 0, 1);
    assert_fails(foci_image_loader_augment(l, 1, &unmixed), FOCI_ERR_CONFIG, "cannot be dealt");
    foci_image_loader_close(l);
}

/* ------------------------------------------------------------------------------------------------ failures
 */

/* Twelve images; files 07 and 08 are none. */
static foci_image_set *open_spoilt(void) {
    const char *dir = path_of("%s/spoilt", folder);
    mkdir(dir, 0755);
    for (int i = 0; i < 12; i++) {
        char file[16];
        snprintf(file, sizeof file, "%02d.png", i);
        save_image(dir, "k", file, i % 7);
        if (i == 7 || i == 8) save(path_of("%s/k/%s", dir, file), "no image", 8);
    }
    foci_image_set *spoilt;
    assert_ok(foci_image_set_open(&spoilt, dir));
    return spoilt;
}

static void a_corrupt_image_fails_its_batch_by_name(void **state) {
    (void)state;
    foci_image_set *spoilt = open_spoilt();
    for (int workers = 1; workers < 6; workers++) {
        foci_image_loader *l;
        foci_image_batch b;
        assert_ok(foci_image_loader_open(&l, spoilt, &training, 5, false, false, 0, workers));
        assert_ok(foci_image_loader_seek(l, 0, 0));
        assert_ok(foci_image_loader_next(l, &b));
        assert_int_equal(b.count, 5);
        usleep(3000); /* the next batch has failed by now: the first of its two bad files is named all the
                         same */
        assert_fails(foci_image_loader_next(l, &b), FOCI_ERR_DATA, "k/07.png");
        assert_int_equal(b.count, 0);
        assert_ok(foci_image_loader_next(l, &b)); /* and it goes on behind it */
        assert_int_equal(b.count, 2);
        assert_int_equal(b.index[0], 10);
        assert_ok(foci_image_loader_next(l, &b));
        assert_int_equal(b.count, 0);
        assert_ok(foci_image_loader_seek(l, 1, 0)); /* or starts again without a memory of it */
        assert_ok(foci_image_loader_next(l, &b));
        assert_fails(foci_image_loader_next(l, &b), FOCI_ERR_DATA, "k/07.png");
        foci_image_loader_close(l);
    }
    foci_image_set_close(spoilt);
}

/* Places 3 and 0 of batches of 4. */
static void what_is_not_wanted_is_not_read(void **state) {
    (void)state;
    foci_image_set *spoilt = open_spoilt();
    foci_image_loader *l;
    foci_image_batch b;
    assert_ok(foci_image_loader_open(&l, spoilt, &training, 4, false, false, 0, 2));
    foci_image_loader_share(l, 1, 3);
    assert_ok(foci_image_loader_seek(l, 0, 0));
    for (int i = 0; i < 3; i++) assert_ok(foci_image_loader_next(l, &b));
    foci_image_loader_close(l);
    foci_image_set_close(spoilt);
}

static void a_corrupt_image_fails_a_mixed_batch_too(void **state) {
    (void)state;
    foci_image_set *spoilt = open_spoilt();
    for (int workers = 1; workers < 6; workers++) {
        foci_image_loader *l;
        foci_image_batch b;
        assert_ok(foci_image_loader_open(&l, spoilt, &training, 4, false, true, 0, workers));
        assert_ok(foci_image_loader_augment(l, 1, &mixed));
        assert_ok(foci_image_loader_seek(l, 0, 0));
        assert_ok(foci_image_loader_next(l, &b));
        assert_fails(foci_image_loader_next(l, &b), FOCI_ERR_DATA, "k/07.png");
        assert_fails(foci_image_loader_next(l, &b), FOCI_ERR_DATA, "k/08.png");
        foci_image_loader_close(l);
    }
    foci_image_set_close(spoilt);
}

static void a_file_that_went_away_is_named(void **state) {
    (void)state;
    const char *dir = path_of("%s/going", folder);
    mkdir(dir, 0755);
    save_image(dir, "k", "a.png", 1);
    foci_image_set *going;
    foci_image_loader *l;
    foci_image_batch b;
    assert_ok(foci_image_set_open(&going, dir));
    assert_int_equal(unlink(path_of("%s/k/a.png", dir)), 0);
    assert_ok(foci_image_loader_open(&l, going, &training, 1, false, false, 0, 2));
    assert_ok(foci_image_loader_seek(l, 0, 0));
    assert_fails(foci_image_loader_next(l, &b), FOCI_ERR_DATA, "k/a.png");
    foci_image_loader_close(l);
    foci_image_set_close(going);
}

/* Large photographs are scaled down as they are decoded; this shows in the pixels, and never by how many
 * threads. */
static void large_jpegs_are_decoded_small_for_training(void **state) {
    (void)state;
    const char *dir = path_of("%s/large", folder);
    mkdir(dir, 0755);
    mkdir(path_of("%s/k", dir), 0755);
    foci_image big = smooth_image(400, 300, 2), small;
    for (int i = 0; i < 3 * 400 * 300; i += 5) big.pixels[i] ^= 31;
    assert_ok(foci_image_write(path_of("%s/k/a.jpg", dir), &big, 90));
    foci_image_free(&big);
    foci_image_set *large;
    foci_image_loader *l;
    foci_image_batch b;
    foci_real wanted[PIXELS];
    assert_ok(foci_image_set_open(&large, dir));
    assert_ok(foci_image_loader_open(&l, large, &training, 1, false, false, 6, 2));
    assert_ok(foci_image_loader_seek(l, 2, 0));
    assert_ok(foci_image_loader_next(l, &b));
    assert_ok(foci_image_set_read(large, 0, &small, 22)); /* 12 / sqrt(0.3) */
    assert_int_equal(small.width, 50);
    assert_ok(foci_transform_apply(&training, &small, 6, 2, 0, wanted));
    assert_memory_equal(wanted, b.images, sizeof wanted);
    foci_image_free(&small);
    foci_image_loader_close(l);
    assert_ok(foci_image_loader_open(&l, large, &evaluation, 1, false, false, 6, 2)); /* evaluation sees every pixel */
    assert_ok(foci_image_loader_seek(l, 2, 0));
    assert_ok(foci_image_loader_next(l, &b));
    assert_ok(foci_image_set_read(large, 0, &small, 0));
    assert_ok(foci_transform_apply(&evaluation, &small, 6, 2, 0, wanted));
    assert_memory_equal(wanted, b.images, sizeof wanted);
    foci_image_free(&small);
    foci_image_loader_close(l);
    foci_image_set_close(large);
}

static void closing_with_batches_in_flight_is_safe(void **state) {
    (void)state;
    for (int i = 0; i < 60; i++) {
        foci_image_loader *l = open_loader(&training, 2, true, false, 1, 1 + i % 6);
        foci_image_batch b;
        if (i % 4) assert_ok(foci_image_loader_seek(l, i, 0));
        for (int n = 0; n < i % 4 - 1; n++) assert_ok(foci_image_loader_next(l, &b));
        foci_image_loader_close(l);
    }
    foci_image_loader_close(NULL);
}

static void two_loaders_may_share_a_set(void **state) {
    (void)state;
    foci_image_loader *a = open_loader(&training, 4, true, false, 1, 2),
                      *b = open_loader(&training, 4, true, false, 1, 3);
    assert_ok(foci_image_loader_seek(a, 0, 0));
    assert_ok(foci_image_loader_seek(b, 0, 0));
    for (int i = 0; i < 6; i++) {
        foci_image_batch x, y;
        assert_ok(foci_image_loader_next(a, &x));
        assert_ok(foci_image_loader_next(b, &y));
        assert_int_equal(x.count, y.count);
        assert_memory_equal(x.images, y.images, (size_t)x.count * PIXELS * sizeof(foci_real));
    }
    foci_image_loader_close(a);
    foci_image_loader_close(b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_number_of_workers_gives_the_same_bits),
        cmocka_unit_test(unshuffled_images_come_in_the_order_of_the_set),
        cmocka_unit_test(every_sample_is_what_the_transform_makes_of_it),
        cmocka_unit_test(shuffling_is_a_permutation),
        cmocka_unit_test(epochs_and_seeds_have_orders_of_their_own),
        cmocka_unit_test(every_image_may_come_first),
        cmocka_unit_test(augmentation_differs_by_epoch),
        cmocka_unit_test(the_last_batch_may_be_smaller),
        cmocka_unit_test(drop_last_leaves_the_smaller_one_out),
        cmocka_unit_test(batches_of_every_size_hold_the_same),
        cmocka_unit_test(a_batch_larger_than_the_set_holds_all_of_it),
        cmocka_unit_test(impossible_batches_are_refused),
        cmocka_unit_test(after_the_end_nothing_comes_until_the_next_seek),
        cmocka_unit_test(a_batch_stays_as_it_is_until_the_next_call),
        cmocka_unit_test(seeking_equals_running_up_to_there),
        cmocka_unit_test(seeking_to_the_end_gives_nothing),
        cmocka_unit_test(seeking_while_the_workers_work_is_safe),
        cmocka_unit_test(without_a_seek_it_starts_at_the_first_epoch),
        cmocka_unit_test(repeats_come_in_a_row_each_augmented_anew),
        cmocka_unit_test(a_batch_is_dealt_in_turn),
        cmocka_unit_test(a_batch_is_mixed_in_reverse_order),
        cmocka_unit_test(mixed_batches_do_not_depend_on_threads_or_where_one_starts),
        cmocka_unit_test(a_share_of_a_batch_is_as_in_the_whole),
        cmocka_unit_test(what_is_not_wanted_is_not_read),
        cmocka_unit_test(an_epoch_of_repeats_is_a_multiple_of_256),
        cmocka_unit_test(impossible_hands_are_refused),
        cmocka_unit_test(a_corrupt_image_fails_its_batch_by_name),
        cmocka_unit_test(a_corrupt_image_fails_a_mixed_batch_too),
        cmocka_unit_test(a_file_that_went_away_is_named),
        cmocka_unit_test(large_jpegs_are_decoded_small_for_training),
        cmocka_unit_test(closing_with_batches_in_flight_is_safe),
        cmocka_unit_test(two_loaders_may_share_a_set),
    };
    return cmocka_run_group_tests(tests, make_set, remove_set);
}
