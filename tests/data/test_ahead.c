/* Batches made ahead of use: the same for any number of threads, in order, and with the first failure. */
#include "check.h"

#include "data/ahead.h"

enum { BATCH = 5, SAMPLES = 33 };

typedef struct maker {
    int64_t value[FOCI_SLOTS][BATCH];    /* -1: not made since the slot was cleared */
    int64_t epoch, together, bad, worse; /* tickets that fail; -1: none */
    int in_hand;                         /* the slot that the user reads; -1: none */
    bool trespassed;
} maker;

static foci_status make(void *context, int slot, int64_t ticket, int64_t count) {
    maker *m = context;
    for (volatile int64_t spin = ticket % 3 * 20000; spin > 0;) spin--; /* some take longer */
    for (int64_t i = ticket; i < ticket + count; i++) {
        if (slot == __atomic_load_n(&m->in_hand, __ATOMIC_RELAXED)) m->trespassed = true;
        if (m->value[slot][i % BATCH] != -1 || ticket / BATCH != i / BATCH) m->trespassed = true;
        m->value[slot][i % BATCH] = 1000 * m->epoch + i;
        if (i == m->bad || i == m->worse) return foci_fail(FOCI_ERR_DATA, "sample %d", (int)i);
    }
    return FOCI_OK;
}

static int64_t together(const void *context, int64_t ticket) {
    const maker *m = context;
    return m->together - ticket % m->together;
}

static void clear(void *context, int slot) {
    maker *m = context;
    for (int i = 0; i < BATCH; i++) m->value[slot][i] = -1;
}

static const foci_ahead_kind kind = {make, together, clear};

static foci_status next(foci_ahead *a, maker *m, int *slot, int64_t *count) {
    __atomic_store_n(&m->in_hand, -1, __ATOMIC_RELAXED);
    foci_status s = foci_ahead_next(a, slot, count);
    if (*count) __atomic_store_n(&m->in_hand, *slot, __ATOMIC_RELAXED);
    return s;
}

static void start(foci_ahead *a, maker *m, int64_t epoch, int64_t first) {
    foci_ahead_pause(a);
    m->epoch = epoch;
    m->in_hand = -1;
    foci_ahead_start(a, SAMPLES, first);
}

static void expect_epoch(foci_ahead *a, maker *m, int64_t first) {
    int slot = 0;
    int64_t count, i = first * BATCH;
    for (;;) {
        assert_ok(next(a, m, &slot, &count));
        if (!count) break;
        for (int64_t k = 0; k < count; k++, i++) assert_int_equal(1000 * m->epoch + i, m->value[slot][k]);
    }
    assert_int_equal(SAMPLES, i);
    assert_false(m->trespassed);
}

static void samples_come_in_order_from_any_number_of_threads(void **state) {
    (void)state;
    for (int workers = 1; workers <= 8; workers++)
        for (int64_t of_one_thread = 1; of_one_thread <= 7; of_one_thread++) {
            maker m = {.together = of_one_thread, .bad = -1, .worse = -1, .in_hand = -1};
            foci_ahead *a;
            assert_ok(foci_ahead_open(&a, &kind, &m, BATCH, workers));
            for (int64_t epoch = 0; epoch < 3; epoch++) {
                start(a, &m, epoch, epoch);
                expect_epoch(a, &m, epoch);
            }
            foci_ahead_close(a);
        }
}

static void a_start_forgets_what_was_under_way(void **state) {
    (void)state;
    maker m = {.together = 1, .bad = -1, .worse = -1, .in_hand = -1};
    foci_ahead *a;
    assert_ok(foci_ahead_open(&a, &kind, &m, BATCH, 4));
    for (int64_t epoch = 0; epoch < 50; epoch++) {
        int slot;
        int64_t count;
        start(a, &m, epoch, 0);
        for (int64_t i = 0; i < epoch % 5; i++) assert_ok(next(a, &m, &slot, &count));
    }
    start(a, &m, 50, 2);
    expect_epoch(a, &m, 2);
    foci_ahead_close(a);
}

static void the_first_failure_of_a_batch_is_told_and_the_next_comes(void **state) {
    (void)state;
    for (int workers = 1; workers <= 4; workers += 3) {
        maker m = {.together = 1, .bad = 7, .worse = 6, .in_hand = -1};
        foci_ahead *a;
        int slot;
        int64_t count;
        assert_ok(foci_ahead_open(&a, &kind, &m, BATCH, workers));
        start(a, &m, 0, 0);
        assert_ok(next(a, &m, &slot, &count));
        assert_fails(next(a, &m, &slot, &count), FOCI_ERR_DATA, "sample 6");
        assert_int_equal(0, count);
        assert_ok(next(a, &m, &slot, &count));
        assert_int_equal(2 * BATCH, m.value[slot][0]);
        foci_ahead_pause(a);
        m.bad = m.worse = -1;
        start(a, &m, 1, 0);
        expect_epoch(a, &m, 0);
        foci_ahead_close(a);
    }
}

static void nothing_comes_before_a_start_or_behind_the_end(void **state) {
    (void)state;
    maker m = {.together = 1, .bad = -1, .worse = -1, .in_hand = -1};
    foci_ahead *a;
    int slot;
    int64_t count;
    assert_ok(foci_ahead_open(&a, &kind, &m, BATCH, 0)); /* one thread at least */
    assert_ok(next(a, &m, &slot, &count));
    assert_int_equal(0, count);
    start(a, &m, 0, (SAMPLES + BATCH - 1) / BATCH);
    assert_ok(next(a, &m, &slot, &count));
    assert_int_equal(0, count);
    start(a, &m, 0, SAMPLES / BATCH);
    assert_ok(next(a, &m, &slot, &count));
    assert_int_equal(SAMPLES % BATCH, count);
    foci_ahead_close(a);
    foci_ahead_close(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(samples_come_in_order_from_any_number_of_threads),
        cmocka_unit_test(a_start_forgets_what_was_under_way),
        cmocka_unit_test(the_first_failure_of_a_batch_is_told_and_the_next_comes),
        cmocka_unit_test(nothing_comes_before_a_start_or_behind_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
